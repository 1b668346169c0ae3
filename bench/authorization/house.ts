/** The real programs as real processes: a database, a copy of GUMS, a copy of SAZ, a pair of directors in front, and the bare server beside. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OBLIGATIONS, resultFor, writeAuthorizationResponse } from "../../src/grid/index.ts";
import type { BlueprintAlias } from "../../src/model/index.ts";
import { OPEN_SAZ, readGumsPolicy } from "../../src/policy/index.ts";
import { AUDIT_DEFAULT, type CommunityRule } from "../../src/recipes/index.ts";
import { aliasOf, endStopped, ownAddress, Pairing, until } from "../../test/director/harness.ts";
import { interopId, interopQuery, VOMS } from "../../test/grid/messages.ts";
import { type Actor, type Answered, address, type Identity, Stage } from "../../test/services/stage.ts";
import type { Task } from "./client.ts";
import type { Target } from "./raw-client.ts";

export type ServiceName = "gums" | "saz";
export const SERVICES: readonly ServiceName[] = ["gums", "saz"];

const PORT = 8443;
/** Last octets of addresses. */
const PLACES = { database: 5, bare: 9, gums: 10, saz: 20, clients: 100 } as const;
const ALIASES = { gums: 60, saz: 61 } as const;
const VOS = ["cms", "atlas", "nova", "dune", "lhcb"];
export const IDENTITIES = 10_000;

const subjectOf = (index: number): string =>
  `/DC=org/DC=fermigrid/OU=People/CN=Person Number ${index} of many/UID=u${index}`;
const fqanOf = (index: number): string => `/${VOS[index % VOS.length]}/Role=production/Capability=NULL`;

/** What the 10,000 ask, by service. */
export const PATHS: Readonly<Record<ServiceName, readonly string[]>> = {
  gums: Array.from({ length: IDENTITIES }, (_, index) => {
    const asked = new URLSearchParams({
      "subject-x509-id": subjectOf(index),
      "voms-fqan": fqanOf(index),
      "dns-host-name": `wn${index % 200}.example.org`,
    });
    return `/gums/json/mapGridIdentity?${asked}`;
  }),
  saz: Array.from({ length: IDENTITIES }, (_, index) => {
    const asked = new URLSearchParams({
      "subject-x509-id": subjectOf(index),
      vo: VOS[index % VOS.length]!,
      "voms-fqan": fqanOf(index),
      ca: "/DC=org/DC=fermigrid/CN=Certificate Authority",
    });
    return `/saz/json/authorize?${asked}`;
  }),
};

export interface XacmlQueries {
  readonly path: string;
  readonly post: NonNullable<Task["post"]>;
}

function queriesOf(service: ServiceName): XacmlQueries {
  const authority = "/DC=org/DC=fermigrid/CN=Certificate Authority";
  const template = interopQuery({
    query: 'ID="{id}" InputContextOnly="false" Version="2.0"',
    subject: [
      [interopId("subject/subject-x509-id"), "{subject}"],
      [interopId("subject/subject-x509-issuer"), authority],
      [interopId("subject/vo"), "{vo}"],
      [interopId("subject/voms-signing-subject"), VOMS],
      [interopId("subject/voms-signing-issuer"), authority],
      [interopId("subject/voms-primary-fqan"), "{fqan}", VOMS],
      [interopId("subject/voms-fqan"), "{fqan}"],
    ],
    resource: [
      ["urn:oasis:names:tc:xacml:1.0:resource:resource-id", interopId("resource/resource-type/ce")],
      [interopId("resource/dns-host-name"), "{host}"],
    ],
    obligations: ["username", "uidgid", "secondary-gids", "account"],
  });
  const values = Array.from({ length: IDENTITIES }, (_, index) => ({
    id: `_3497a${index}c2f4b`,
    subject: subjectOf(index),
    vo: VOS[index % VOS.length]!,
    fqan: fqanOf(index),
    host: `wn${index % 200}.example.org`,
  }));
  return {
    path: `/${service}/services/${service.toUpperCase()}XACMLAuthorizationServicePort`,
    post: { template, values },
  };
}

/** The same asked by XACML, as the callouts of gatekeepers do. */
export const QUERIES: Readonly<Record<ServiceName, XacmlQueries>> = { gums: queriesOf("gums"), saz: queriesOf("saz") };

/** An answer of GUMS's, octet for octet: what the bare server moves. */
export const BARE_BODY = JSON.stringify({ result: "OK", username: "cmsprod", groupname: "cms" });

/** The same by XACML. */
const BARE_XACML = writeAuthorizationResponse(
  { id: "_3497a0c2f4b", context: null },
  resultFor(
    { dialect: "authz-interop", obligations: new Set([OBLIGATIONS.username, OBLIGATIONS.account]) },
    { account: "cmsprod", group: "cms" },
  ),
  { id: "00000000-0000-0000-0000-000000000000", at: "2026-11-20T12:00:00.000Z", issuer: "gums" },
);

export class House {
  readonly stage: Stage;
  readonly copies: Readonly<Record<ServiceName, Actor>>;
  readonly directors: Pairing;
  readonly bare: ChildProcess;

  private constructor(
    stage: Stage,
    copies: Readonly<Record<ServiceName, Actor>>,
    directors: Pairing,
    bare: ChildProcess,
  ) {
    this.stage = stage;
    this.copies = copies;
    this.directors = directors;
    this.bare = bare;
  }

  static async open(communities: readonly CommunityRule[] = []): Promise<House> {
    const stage = await Stage.open();
    const database = address(PLACES.database);
    await stage.castDatabase(SERVICES.map((role) => ({ guest: `${role}1`, role })));
    const config = {
      port: PORT,
      directors: [ownAddress(2), ownAddress(3)],
      database: { kind: "sqlite", alias: "mysql", address: database, port: 3306 },
      stale: { after: 600, decides: "go-on" },
      audit: AUDIT_DEFAULT,
      communities,
    };
    const gums = await stage.cast({
      name: "gums1",
      bundle: "gums",
      address: address(PLACES.gums),
      aliases: ["gums"],
      files: {
        "etc/gums.json": config,
        "etc/policy.json": readGumsPolicy({
          hosts: [{ match: "*.example.org", use: VOS }],
          groups: VOS.map((name) => ({ name, fqan: `/${name}/Role=production`, account: `${name}prod`, group: name })),
        }).policy,
      },
    });
    const saz = await stage.cast({
      name: "saz1",
      bundle: "saz",
      address: address(PLACES.saz),
      aliases: ["saz"],
      files: {
        "etc/saz.json": { ...config, copies: [{ guest: "saz1", address: address(PLACES.saz) }] },
        "etc/policy.json": OPEN_SAZ,
      },
    });
    const copies = { gums, saz };
    const aliases = SERVICES.map((service) => aliasFor(service, copies[service]));
    const directors = await Pairing.ready(aliases, endStopped, stage.authority);
    const house = new House(stage, copies, directors, await startBare(stage));
    await until("the copies are up", async () =>
      (await directors.status(0)).aliases.every((alias) => alias.copies.every((copy) => copy.state === "up")),
    );
    return house;
  }

  /** @param who name in the client's certificate @param place last octet of its address */
  async target(
    to: ServiceName | "bare",
    way: "direct" | "front end",
    who = "ce1",
    place: number = PLACES.clients,
  ): Promise<Target> {
    const identity = await this.stage.identity(who);
    const where =
      to === "bare" ? address(PLACES.bare) : way === "direct" ? this.copies[to].address : ownAddress(ALIASES[to]);
    return { address: where, port: PORT, servername: to, from: address(place), ...identity };
  }

  processes(to: ServiceName | "bare", way: "direct" | "front end"): Record<string, number> {
    return {
      server: to === "bare" ? this.bare.pid! : this.copies[to].process.pid!,
      ...(way === "front end" ? { director: this.directors.pid(0) } : {}),
    };
  }

  /** Every process that is measured. */
  pids(): readonly number[] {
    return [
      ...SERVICES.map((service) => this.copies[service].process.pid!),
      this.bare.pid!,
      ...[0, 1].map((i) => this.directors.pid(i)),
    ];
  }

  async load(service: ServiceName): Promise<Answered> {
    const operator: Identity = await this.stage.identity("olga", "operator");
    const { address: own, name } = this.copies[service];
    return this.stage.call({ address: own, port: PORT, name }, "/load", operator);
  }

  async close(): Promise<void> {
    this.bare.kill("SIGTERM");
    await this.directors[Symbol.asyncDispose]();
    await this.stage.close();
  }
}

function aliasFor(service: ServiceName, copy: Actor): BlueprintAlias {
  return aliasOf({
    name: service as BlueprintAlias["name"],
    service: service as unknown as BlueprintAlias["service"],
    address: ownAddress(ALIASES[service]),
    port: PORT,
    connections: 10_000,
    connectionsPerCopy: 5000,
    proxyProtocol: true,
    backends: [
      {
        guest: copy.name,
        address: copy.address,
        port: PORT,
        check: { kind: "https", port: PORT, path: "/health", status: 200, contains: null },
      } as BlueprintAlias["backends"][number],
    ],
  });
}

async function startBare(stage: Stage): Promise<ChildProcess> {
  const files = join(stage.directory, "bare");
  mkdirSync(files);
  const identity = await stage.identity("bare", "guest", [address(PLACES.bare)]);
  for (const part of ["ca", "cert", "key"] as const)
    writeFileSync(join(files, `${part}.pem`), identity[part], { mode: 0o600 });
  const program = join(import.meta.dirname, "bare.ts");
  const child = spawn(process.execPath, [program, address(PLACES.bare), String(PORT), files, BARE_BODY, BARE_XACML], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve, reject) => {
    child.stdout!.once("data", resolve);
    child.once("exit", () => reject(new Error("the bare server did not start")));
  });
  return child;
}
