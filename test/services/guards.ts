/**
 * GUMS and SAZ as a site has them, and a small grid around: an authority with a revocation list and a signing policy, a VOMS server, people,
 * an issuer of tokens. What attacks bring is tried on both services, in calls as any client makes them.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AboutTrust } from "../../services/trust/index.ts";
import {
  type AttributeGrant,
  type Certificate,
  formatLsc,
  issueAttributeCertificate,
  readPemCertificates,
  writeAttributeCertificates,
} from "../../src/grid/index.ts";
import { readGumsPolicy } from "../../src/policy/index.ts";
import { AUTHORITY, INHERIT, type Made, type Order, PERSON, Workshop } from "../support/openssl.ts";
import { type Actor, type Answered, address, type Identity, Stage, until } from "./stage.ts";
import { TokenIssuer } from "./token-issuer.ts";

export const VO = "fermilab";
export const VOMS_HOST = "voms.fermigrid.test";
export const PRODUCTION = "/fermilab/nova/Role=Production";
export const ALICE = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
const VOMS_EXTENSION = "1.3.6.1.4.1.8005.100.100.5";

/** Who is not listed as a gatekeeper: whatever is believed of what he brings was proved by others. */
const CLIENT = "laptop7";

export class Guards {
  readonly stage: Stage;
  readonly openssl: Workshop;
  readonly client: Identity;
  readonly operator: Identity;
  readonly issuer: TokenIssuer;
  readonly gums: Actor;
  readonly saz: Actor;
  readonly root: Made;
  readonly alice: Made;
  readonly mallory: Made;
  /** The VOMS server of {@link VO}. */
  readonly voms: Made;

  private constructor(parts: Omit<Guards, "close" | "put" | "ask" | "grant" | "carrying" | "authorities" | "vomsdir">) {
    this.stage = parts.stage;
    this.openssl = parts.openssl;
    this.client = parts.client;
    this.operator = parts.operator;
    this.issuer = parts.issuer;
    this.gums = parts.gums;
    this.saz = parts.saz;
    this.root = parts.root;
    this.alice = parts.alice;
    this.mallory = parts.mallory;
    this.voms = parts.voms;
  }

  /** @param kind of keys: those that others' programs take, or those that take no time */
  static async open(kind: NonNullable<Order["kind"]> = "ec"): Promise<Guards> {
    const openssl = new Workshop();
    const root = openssl.make({ subject: "/DC=org/DC=fermigrid/CN=Root", kind, extensions: AUTHORITY });
    const person = (subject: string): Made => openssl.make({ subject, by: root, kind, extensions: PERSON });
    const voms = openssl.make({
      subject: `/DC=org/DC=fermigrid/OU=Services/CN=${VOMS_HOST}`,
      by: root,
      kind,
      extensions: ["keyUsage=critical,digitalSignature,keyEncipherment", "subjectKeyIdentifier=hash"],
    });
    const [authorities, vomsdir] = [openssl.path("authorities"), openssl.path("vomsdir")];
    mkdirSync(authorities);
    mkdirSync(join(vomsdir, VO), { recursive: true });
    writeFileSync(join(authorities, "root.pem"), root.pem);
    writeFileSync(
      join(vomsdir, VO, `${VOMS_HOST}.lsc`),
      formatLsc({ vo: VO, host: VOMS_HOST, chains: [[voms.subject, root.subject]] }),
    );

    const stage = await Stage.open();
    const issuer = await TokenIssuer.open(await stage.identity("issuer", "guest", [address(40)]), address(40));
    const { policy } = readGumsPolicy({
      "user-groups": [
        { name: "production", voms: "/fermilab/nova", role: "Production" },
        { name: "alice", manual: [ALICE] },
        { name: "holders", token: { issuer: issuer.url, group: "/fermilab" } },
      ],
      "account-mappers": [
        { name: "novapro", account: "novapro", group: "nova" },
        { name: "alice", account: "alice" },
        { name: "holder", account: "holder" },
      ],
      mappings: [
        { name: "production", groups: ["production"], accounts: ["novapro"] },
        { name: "alice", groups: ["alice"], accounts: ["alice"] },
        { name: "holders", groups: ["holders"], accounts: ["holder"] },
      ],
      hosts: [{ match: "*", use: ["production", "alice", "holders"] }],
    });
    assert.ok(policy);
    await stage.castDatabase(["gums", "saz"].map((role) => ({ guest: `${role}1`, role })));
    const config = {
      port: 8443,
      directors: [],
      database: { kind: "sqlite", alias: "mysql", address: address(5), port: 3306, servers: [] },
      stale: { after: 600, decides: "go-on" },
      audit: { keep: 86_400, space: 2 ** 24 },
      gatekeepers: ["ce*"],
      audiences: ["https://ce.example.org"],
      credentials: { authorities, vomsdir, refresh: 0.1, withoutPolicy: "accept", limited: "accept" },
    };
    const cast = (role: "gums" | "saz", last: number, files: Readonly<Record<string, unknown>>): Promise<Actor> =>
      stage.cast({ name: `${role}1`, bundle: role, address: address(last), aliases: [role], files });
    const [gums, saz] = await Promise.all([
      cast("gums", 20, { "etc/gums.json": { ...config, refresh: 300 }, "etc/policy.json": policy }),
      cast("saz", 21, {
        "etc/saz.json": { ...config, issuers: [issuer.url], copies: [{ guest: "saz1", address: address(21) }] },
        // Nobody is permitted but for what others have signed.
        "etc/policy.json": {
          default: "deny",
          withoutVo: "default",
          permit: [
            { kind: "vo", value: VO },
            { kind: "dn", value: ALICE },
          ],
          deny: [],
        },
      }),
    ]);
    const client = await stage.identity(CLIENT);
    for (const { address, name } of [gums, saz])
      await until(async () => {
        const { json } = await stage.call({ address, port: 8443, name }, "/health", client);
        return (json.trust as AboutTrust).loadedAt !== null;
      });
    return new Guards({
      ...{ stage, openssl, issuer, gums, saz, root, voms },
      client,
      operator: await stage.identity("olga", "operator"),
      alice: person(ALICE),
      mallory: person("/DC=org/DC=fermigrid/OU=People/CN=Mallory Example"),
    });
  }

  get authorities(): string {
    return this.openssl.path("authorities");
  }

  get vomsdir(): string {
    return this.openssl.path("vomsdir");
  }

  /** Puts a file beside the authorities' certificates. */
  put(name: string, content: string): void {
    writeFileSync(join(this.authorities, name), content);
  }

  /** @param path after `/gums/` and `/saz/` */
  async ask(
    [ofGums, ofSaz]: readonly [gums: string, saz: string],
    body: unknown,
    as = this.client,
  ): Promise<readonly [gums: Answered, saz: Answered]> {
    const call = (actor: Actor, path: string): Promise<Answered> =>
      this.stage.call({ address: actor.address, port: 8443, name: actor.name }, path, as, body);
    return [await call(this.gums, `/gums/${ofGums}`), await call(this.saz, `/saz/${ofSaz}`)];
  }

  /** An attribute certificate for Alice, but for what is said. */
  grant(over: Partial<AttributeGrant> = {}): Buffer {
    return issueAttributeCertificate({
      holder: certificateOf(this.alice),
      issuer: certificateOf(this.voms),
      key: readFileSync(this.voms.key, "utf8"),
      vo: VO,
      host: VOMS_HOST,
      port: 15001,
      fqans: [PRODUCTION, "/fermilab"],
      now: Date.now() - 1000,
      lifetime: 3600_000,
      ...over,
    });
  }

  /** A proxy of somebody with attribute certificates in it, whoever those are of. @returns the chain as PEM */
  carrying(by: Made, ...certificates: readonly Buffer[]): string {
    const bytes = writeAttributeCertificates(certificates).toString("hex");
    return this.openssl.proxy(by, INHERIT, { extensions: [`${VOMS_EXTENSION}=DER:${bytes}`] }).pem + by.pem;
  }

  async close(): Promise<void> {
    await this.issuer.close();
    await this.stage.close();
    this.openssl.remove();
  }
}

export function certificateOf(made: Made): Certificate {
  return readPemCertificates(made.pem)[0]!;
}

export const CREDENTIAL = ["json/mapCredential", "json/authorizeCredential"] as const;
export const TOKEN = ["json/mapToken", "json/authorizeToken"] as const;
export const XACML = [
  "services/GUMSXACMLAuthorizationServicePort",
  "services/SAZXACMLAuthorizationServicePort",
] as const;
/** For whom everything is asked. */
export const WHERE = { host: "ce1.example.org" } as const;
