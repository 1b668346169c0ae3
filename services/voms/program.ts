/** VOMS: says in a certificate of its own which groups and roles of a virtual organization the caller holds. Decides from memory. */
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readPemCertificates } from "../../src/grid/index.ts";
import { sazKey } from "../../src/policy/index.ts";
import { VOMS_TLS, type VomsConfig } from "../../src/recipes/index.ts";
import { auditCall } from "../audit/index.ts";
import { serveDecisions } from "../deciding/index.ts";
import { type Call, type Handler, Refusal } from "../http/index.ts";
import type { Fields, Merged } from "../records/index.ts";
import { type Close, type Guest, type Log, readConfig, StartRefused, type TlsFiles } from "../serving/index.ts";
import { Trust } from "../trust/index.ts";
import { VoBook } from "../vo/index.ts";
import { compileIssuing, type Issue, type Signer } from "./issuing.ts";
import { type AttributeRequest, readLegacyRequest, readRestRequest } from "./request.ts";
import { Visitors } from "./visitors.ts";
import { LEGACY, VOMS_PROTOCOL } from "./wire.ts";
import { legacyAnswer, type Outcome, restAnswer } from "./words.ts";

/** The certificate of the alias, which every copy shows and signs with. @throws {StartRefused} */
function readAliasTls({ root }: Guest): TlsFiles {
  const read = (name: string): string => {
    const path = join(root, VOMS_TLS, name);
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new StartRefused(`${path}: ${(error as Error).message}`);
    }
  };
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}

function signerOf({ ca, cert, key }: TlsFiles): Signer {
  return { certificate: readPemCertificates(cert)[0]!, key: createPrivateKey(key), authority: ca };
}

/** What a request that cannot be read is answered with, in the protocol it came in. */
function attempt(read: () => AttributeRequest, issue: (request: AttributeRequest) => Outcome): Outcome {
  let request: AttributeRequest;
  try {
    request = read();
  } catch (error) {
    if (error instanceof Refusal) return { failure: "malformed", says: error.message };
    throw error;
  }
  return issue(request);
}

function vomsRoutes(issue: Issue): Readonly<Record<string, Handler>> {
  return {
    "GET /generate-ac": (call: Call) =>
      restAnswer(
        attempt(
          () => readRestRequest(call.query),
          (request) => issue(request, call, "rest"),
        ),
      ),
    [`${LEGACY} /`]: (call: Call) =>
      legacyAnswer(
        attempt(
          () => readLegacyRequest(call.request.body),
          (request) => issue(request, call, "legacy"),
        ),
      ),
  };
}

export async function voms(guest: Guest, log: Log): Promise<Close> {
  const config = readConfig<VomsConfig>(guest, "voms.json");
  let signer = signerOf(readAliasTls(guest));
  // Read anew whenever the certificates are renewed: what is shown and what is signed with are one.
  const aliasTls = (): TlsFiles => {
    const tls = readAliasTls(guest);
    signer = signerOf(tls);
    return tls;
  };
  return serveDecisions(guest, log, config, (parts) => {
    const people = parts.follow<VoBook>("vo", { fold: new VoBook(config.vos) });
    const banKey = ({ kind = "", value = "" }: Fields): string => sazKey(kind, value);
    const bans = parts.follow<Merged>("ban", { keyOf: banKey });
    const { authorities, refresh } = config;
    const trust = new Trust({ config: { authorities, vomsdir: null, refresh }, own: parts.tls.ca, log });
    const visitors = new Visitors(trust, parts.tls.ca);
    const issue = compileIssuing({
      book: people.merged,
      banned: (key) => {
        const event = bans.merged.get(key);
        return event?.fields.action === "ban" ? event.fields.reason : undefined;
      },
      pathOf: (peer) => visitors.pathOf(peer),
      signer: () => signer,
      server: config.voms,
      holderForm: config.holderForm,
      audit: parts.audit,
      freshness: parts.freshness,
      now: Date.now,
    });
    return {
      door: { protocol: VOMS_PROTOCOL, admit: visitors.admit, tls: aliasTls },
      routes: {
        ...vomsRoutes(issue),
        "GET /voms/json/audit": auditCall(parts.audit, ["subject", "vo", "ca", "decision", "dialect"]),
      },
      start: () => trust.start(),
      renew: (tls) => {
        trust.renew(tls.ca);
        visitors.renew(tls.ca);
      },
      about: () => ({ vos: config.vos.map(({ name }) => name), trust: trust.about() }),
      close: () => trust.close(),
    };
  });
}
