/**
 * Our VOMS with the clients of others: people with certificates of their own authority, the stock clients of C and of Java, myproxy's and
 * ARC's, each counted. What a client writes is read back by its own `voms-proxy-info`.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SqliteRecords } from "../../services/records/sqlite-client.ts";
import { formatLsc, formatVomses, readPemCertificates } from "../../src/grid/index.ts";
import { issueCertificate } from "../../src/pki/index.ts";
import { readVos } from "../../src/vo/index.ts";
import { type Actor, address, type Stage } from "../services/stage.ts";
import { called, type StockClient } from "../support/stock-clients.ts";
import { People } from "./arc-host.ts";

export const VO = "fermilab";
export const ALICE = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
export const PORT = 15001;
const ALIAS = "voms.fermigrid.test";

/** Programs of others, by the package that has them. */
export const CLIENTS = {
  "voms-proxy-init2": { path: "/usr/bin/voms-proxy-init2", package: "voms-clients" },
  "voms-proxy-init3": { path: "/usr/bin/voms-proxy-init3", package: "voms-clients-java" },
} as const;
const ARCPROXY = "/usr/bin/arcproxy";
export type Client = keyof typeof CLIENTS;

export interface Ran {
  readonly code: number | null;
  readonly out: string;
}

export interface Wishes {
  /** `fermilab:/fermilab/nova/Role=Production` */
  readonly voms: string;
  readonly more?: readonly string[];
  /** Whose certificate. */
  readonly who?: string;
}

export class VomsHouse {
  readonly stage: Stage;
  readonly people: People;
  readonly calls = {
    "voms-proxy-init2": 0,
    "voms-proxy-init3": 0,
    "voms-proxy-info2": 0,
    "voms-proxy-fake": 0,
    arcproxy: 0,
  };
  #proxies = 0;

  private constructor(stage: Stage) {
    this.stage = stage;
    this.people = new People(join(stage.directory, "people"));
  }

  /** @param vos the `vos` setting @param where address and port that clients are told */
  static async open(stage: Stage, where = { host: address(30), port: PORT }): Promise<VomsHouse> {
    const house = new VomsHouse(stage);
    house.people.trust(stage.authority.certificate, "site");
    const pair = await issueCertificate(
      stage.authority,
      {
        commonName: ALIAS,
        unit: "guest",
        dns: [ALIAS, "voms1", "voms2", "localhost"],
        ip: [30, 31, 32, 33].map(address),
      },
      Date.now(),
      "rsa",
    );
    house.#alias = { ca: stage.authority.certificate, cert: pair.certificate, key: pair.key };
    house.tell(where);
    return house;
  }

  #alias!: { readonly ca: string; readonly cert: string; readonly key: string };

  get alias(): { readonly ca: string; readonly cert: string; readonly key: string } {
    return this.#alias;
  }

  /** Writes `vomses` and the `.lsc` where the clients look. */
  tell({ host, port }: { readonly host: string; readonly port: number }): void {
    const certificate = readPemCertificates(this.#alias.cert)[0]!;
    const dn = certificate.subject.normal;
    writeFileSync(this.people.path("vomses"), formatVomses([{ alias: VO, host, port, dn, vo: VO }]), { mode: 0o644 });
    mkdirSync(join(this.people.path("vomsdir"), VO), { recursive: true });
    for (const name of new Set([host, ALIAS]))
      writeFileSync(
        join(this.people.path("vomsdir"), VO, `${name}.lsc`),
        formatLsc({ vo: VO, host: name, chains: [[dn, certificate.issuer.normal]] }),
      );
  }

  /** Starts a copy. */
  copy(name: string, last: number, vos: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<Actor> {
    const { vos: read, mistakes } = readVos(vos);
    if (read === undefined) throw new Error(JSON.stringify(mistakes));
    return this.stage.cast({
      name,
      bundle: "voms",
      address: address(last),
      aliases: [ALIAS],
      files: {
        "etc/voms.json": {
          port: PORT,
          directors: [],
          database: { kind: "sqlite", alias: "mysql", address: address(5), port: 3306, servers: [] },
          stale: { after: 600, decides: "go-on" },
          audit: { keep: 86_400, space: 2 ** 24 },
          vos: read,
          authorities: this.people.certificates,
          refresh: 1,
          voms: { host: ALIAS, port: PORT },
          holderForm: "subject",
          registration: false,
          ...more,
        },
        "etc/voms-tls/ca.pem": this.#alias.ca,
        "etc/voms-tls/cert.pem": this.#alias.cert,
        "etc/voms-tls/key.pem": this.#alias.key,
      },
    });
  }

  /** One invocation of a stock client. @returns how it ended, what it said, and where the proxy is */
  async init(client: Client, { voms, more = [], who = "alice" }: Wishes): Promise<Ran & { readonly proxy: string }> {
    const proxy = this.people.path(`proxy-${++this.#proxies}`);
    const words = [
      ...["-voms", voms, "-cert", this.people.path(`${who}.pem`), "-key", this.people.path(`${who}.key`)],
      ...["-out", proxy, "-vomses", this.people.path("vomses"), "-certdir", this.people.certificates],
      ...more,
    ];
    this.calls[client]++;
    const ran = await run(CLIENTS[client].path, words, this.environment);
    return { ...ran, proxy };
  }

  /** One invocation of ARC's client. @param way its word for a protocol */
  async arcproxy(way: string, who: string, voms: string): Promise<Ran & { readonly proxy: string }> {
    const proxy = this.people.path(`proxy-${++this.#proxies}`);
    this.calls.arcproxy++;
    const words = ["-S", voms, way, "-P", proxy, ...this.#arcWords(who), "-V", this.people.path("vomses")];
    return { ...(await run(ARCPROXY, words, this.environment)), proxy };
  }

  /** What ARC's client makes of a proxy. */
  async arcproxyInfo(proxy: string): Promise<string> {
    this.calls.arcproxy++;
    const words = ["-I", "-P", proxy, "-T", this.people.certificates, "-s", this.people.path("vomsdir")];
    return (await run(ARCPROXY, words, this.environment)).out;
  }

  #arcWords(who: string): readonly string[] {
    const { people } = this;
    return ["-C", people.path(`${who}.pem`), "-K", people.path(`${who}.key`), "-T", people.certificates];
  }

  /** The same with a proxy in place of a certificate and key. */
  async renew(client: Client, from: string, voms: string): Promise<Ran & { readonly proxy: string }> {
    const proxy = this.people.path(`proxy-${++this.#proxies}`);
    const words = [
      ...[
        "-valid",
        "1:00",
        "-vomslife",
        "1:00",
        "-voms",
        voms,
        "-noregen",
        "-out",
        proxy,
        "-vomses",
        this.people.path("vomses"),
      ],
      ...["-certdir", this.people.certificates],
    ];
    this.calls[client]++;
    const ran = await run(CLIENTS[client].path, words, { ...this.environment, X509_USER_PROXY: from });
    return { ...ran, proxy };
  }

  /** Writes a word about the organization, as VOMRS does. */
  async write(word: {
    readonly kind: string;
    readonly key: string;
    readonly action: string;
    readonly value: Readonly<Record<string, unknown>>;
    readonly reason?: string;
  }): Promise<void> {
    const { kind, key: name, action, value, reason = "" } = word;
    const fields = { vo: VO, kind, name, action, value: JSON.stringify(value), reason, actor: "olga" };
    await this.#records("voms1").then((records) => records.append("vo", fields, this.#counter++));
  }

  /** Bans Alice, or lifts that, as SAZ does. */
  async ban(action: "ban" | "unban"): Promise<void> {
    const fields = { kind: "dn", value: ALICE, action, reason: "stolen", actor: "olga" };
    await this.#records("saz1").then((records) => records.append("ban", fields, this.#counter++));
  }

  #counter = 1;

  async #records(account: string): Promise<SqliteRecords> {
    const tls = await this.stage.identity(account);
    return new SqliteRecords({ alias: "mysql", address: address(5), port: 3306, account, tls });
  }

  /** What a proxy says, by VOMS's own reader. */
  info(proxy: string, ...words: readonly string[]): string {
    this.calls["voms-proxy-info2"]++;
    return execFileSync("/usr/bin/voms-proxy-info2", ["-file", proxy, ...words], {
      encoding: "utf8",
      env: this.environment,
      timeout: 60_000,
    });
  }

  /** Says how often each client was called. */
  tellCalls(): void {
    for (const [client, calls] of Object.entries(this.calls)) if (calls > 0) called(client as StockClient, calls);
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: this.people.directory,
      X509_CERT_DIR: this.people.certificates,
      X509_VOMS_DIR: this.people.path("vomsdir"),
      VOMS_PROXY_INFO_DONT_VERIFY_AC: "0",
    };
  }
}

/** @returns how a program ended and everything it said */
export function run(program: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...words], { env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        out += text;
      });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out }));
  });
}

/** Why this cannot run here, or `false`. */
export function missingClients(): string | false {
  const all = [...Object.values(CLIENTS), { path: ARCPROXY, package: "nordugrid-arc-client" }];
  const missing = all.filter(({ path }) => !existsSync(path));
  return missing.length === 0
    ? false
    : `not installed: ${missing.map((one) => one.package).join(", ")}; test/real/install`;
}
