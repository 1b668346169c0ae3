/**
 * GUMS's SOAP calls: SAML 2 with XACML 2, for LCMAPS, gPlazma, gLExec and ARC; SAML 1 for what is older. The decision is the one of the JSON
 * calls.
 */
import {
  type AuthorizationQuery,
  type Result,
  readAuthorizationQuery,
  readSaml1Query,
  resultFor,
  SoapRefused,
  writeAuthorizationResponse,
  writeSaml1Response,
} from "../../src/grid/index.ts";
import type { MappingQuestion } from "../../src/policy/index.ts";
import { type Believes, type DecidingParts, later, soapAnswer, soapCall, stamp } from "../deciding/index.ts";
import type { Answer, Handler, Peer } from "../http/index.ts";
import type { MapIdentity, Mapped } from "./mapping.ts";

export interface GumsSoapParts extends Pick<DecidingParts, "log"> {
  readonly mapIdentity: MapIdentity;
  readonly believes: Believes;
}

const ISSUER = "gums";
/** Under which the old protocol's servers answered, and for how long their answers held, in milliseconds. */
const SAML1 = { issuer: "BasicMappingAuthZService", holds: 600_000 } as const;

/** Who names no host asks for his own; in the dialect in which hosts are always named, that is a mistake. */
function hostOf({ host, dialect }: AuthorizationQuery, peer: Peer): string {
  if (host !== null) return host;
  if (dialect === "authz-interop" || peer.name === "")
    throw new SoapRefused("resource-x509-id or dns-host-name is missing: who asks decides which groups count");
  return peer.name;
}

/** Nobody is believed who does not say that he has looked. */
function believedOf(
  believes: Believes,
  peer: Peer,
  { fqan, checked }: { readonly fqan: string | null; readonly checked: boolean },
): Pick<MappingQuestion, "fqan" | "believed" | "token"> {
  return { fqan, believed: believes(peer) && (checked || fqan === null), token: null };
}

function resultOf(mapping: Mapped, query: AuthorizationQuery): Result {
  return mapping.outcome === "account" ? resultFor(query, mapping) : { decision: "Deny", says: null };
}

function answered(mapping: Mapped | Promise<Mapped>, write: (mapping: Mapped) => string): Answer | Promise<Answer> {
  return mapping instanceof Promise ? mapping.then((mapped) => soapAnswer(write(mapped))) : soapAnswer(write(mapping));
}

export function gumsSoapRoutes({ log, mapIdentity, believes }: GumsSoapParts): Readonly<Record<string, Handler>> {
  const xacml = soapCall(log, (call) => {
    const query = readAuthorizationQuery(call.request.body);
    const { subject, primaryFqan: fqan, checked, dialect } = query;
    const host = hostOf(query, call.peer);
    const question = { subject, host, ...believedOf(believes, call.peer, { fqan, checked }) };
    return answered(mapIdentity(question, call, dialect), (mapping) =>
      writeAuthorizationResponse(query, resultOf(mapping, query), stamp(ISSUER)),
    );
  });

  const saml1 = soapCall(log, (call) => {
    const query = readSaml1Query(call.request.body);
    const { subject, host } = query;
    const question = { subject, host, ...believedOf(believes, call.peer, query) };
    return answered(mapIdentity(question, call, "saml-1"), (mapping) =>
      writeSaml1Response(query, mapping.outcome === "account" ? mapping.account : null, {
        ...stamp(SAML1.issuer),
        until: later(SAML1.holds),
        recipient: call.peer.name,
      }),
    );
  });

  return {
    "POST /gums/services/GUMSXACMLAuthorizationServicePort": xacml,
    "POST /gums/services/GUMSAuthorizationServicePort": saml1,
  };
}
