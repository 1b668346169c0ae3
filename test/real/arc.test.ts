/**
 * Somebody else's client: Debian's ARC asks our GUMS and our SAZ, over mutual TLS, before its echo service answers; in each of the three ways
 * it can ask. A permit lets the echo through, a deny makes it a fault; a ban and its end change the very next call. nordugridmap, of the same
 * house, makes a grid-mapfile out of GUMS's lists.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { OPEN_SAZ, readGumsPolicy } from "../../src/policy/index.ts";
import { type Actor, address, type Identity, Stage, until } from "../services/stage.ts";
import { called } from "../support/stock-clients.ts";
import { ArcHost, type Conversion, type Credential, People } from "./arc-host.ts";

const NEEDED = [
  "/usr/sbin/arched",
  "/usr/lib/arc/libarguspdpclient.so",
  "/usr/bin/voms-proxy-fake",
  "/usr/sbin/nordugridmap",
];
const missing = NEEDED.filter((path) => !existsSync(path));
const skip = missing.length === 0 ? false : `not installed: ${missing.join(", ")}; test/real/install`;

const ALICE = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
const SERVICES = ["gums", "saz"] as const;
type ServiceName = (typeof SERVICES)[number];
const PORTS: Readonly<Record<ServiceName, string>> = {
  gums: "/gums/services/GUMSXACMLAuthorizationServicePort",
  saz: "/saz/services/SAZXACMLAuthorizationServicePort",
};

/** What each way of asking says of Alice, and whom GUMS makes of her. */
const CONVERSIONS: Readonly<
  Record<Conversion, { readonly dialect: string; readonly fqan: string | null; readonly account: string }>
> = {
  subject: { dialect: "subject", fqan: null, account: "alice" },
  // ARC leaves the role out here.
  cream: { dialect: "cream", fqan: "/fermilab/nova", account: "novausr" },
  emi: { dialect: "common-ce", fqan: "/fermilab/nova/Role=Production", account: "novapro" },
};

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const bound = server.address();
      server.close(() => resolve(bound !== null && typeof bound === "object" ? bound.port : 0));
    });
  });
}

describe("Debian's ARC as a client", { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), "domus-arc-"));
  const counts: Record<string, { permitted: number; denied: number }> = {};
  let stage: Stage;
  let people: People;
  let operator: Identity;
  let actors: Readonly<Record<ServiceName, Actor>>;
  const hosts: ArcHost[] = [];

  const at = (service: ServiceName) => ({ address: actors[service].address, port: 8443, name: service });
  const change = async (service: ServiceName, path: string, body: unknown): Promise<void> => {
    const answer = await stage.call(at(service), path, operator, body);
    assert.equal(answer.status, 200, answer.body);
  };

  before(async () => {
    stage = await Stage.open();
    operator = await stage.identity("olga", "operator");
    people = new People(directory);
    people.trust(stage.authority.certificate, "site");
    await stage.castDatabase(SERVICES.map((role) => ({ guest: `${role}1`, role })));
    const config = {
      port: 8443,
      directors: [],
      database: { kind: "sqlite", alias: "mysql", address: address(5), port: 3306, servers: [] },
      stale: { after: 600, decides: "go-on" },
      audit: { keep: 86_400, space: 2 ** 24 },
    };
    const reading = readGumsPolicy({
      banned: ["banned"],
      "user-groups": [
        { name: "banned", manual: [] },
        { name: "production", voms: "/fermilab/nova", role: "Production" },
        { name: "nova", voms: "/fermilab/nova", match: "vogroup" },
        { name: "people", manual: [{ subject: ALICE }] },
      ],
      "account-mappers": [
        { name: "novapro", account: "novapro" },
        { name: "nova", account: "novausr" },
        { name: "alice", account: "alice" },
      ],
      mappings: [
        { name: "production", groups: ["production"], accounts: ["novapro"] },
        { name: "nova", groups: ["nova"], accounts: ["nova"] },
        { name: "people", groups: ["people"], accounts: ["alice"] },
      ],
      // An endpoint of the daemon's, by its address; or, where it names none, by its certificate.
      hosts: [{ match: ["127.0.0.1", "ce1"], use: ["production", "nova", "people"] }],
    });
    assert.ok(reading.policy, JSON.stringify(reading.mistakes));
    const cast = (service: ServiceName, last: number, policy: unknown, more: object): Promise<Actor> =>
      stage.cast({
        name: `${service}1`,
        bundle: service,
        address: address(last),
        aliases: [service],
        files: { [`etc/${service}.json`]: { ...config, ...more }, "etc/policy.json": policy },
      });
    actors = {
      gums: await cast("gums", 20, reading.policy, { gatekeepers: ["ce*"] }),
      saz: await cast("saz", 21, OPEN_SAZ, { copies: [{ guest: "saz1", address: address(21) }] }),
    };
    people.certify("alice", ALICE);
    people.certify("mallory", "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example");
  });
  after(async () => {
    for (const host of hosts) await host.stop();
    await stage.close();
    rmSync(directory, { recursive: true, force: true });
    for (const [name, { permitted, denied }] of Object.entries(counts))
      console.log(`# ARC ${name}: ${permitted} calls permitted, ${denied} denied`);
    const ofArc = Object.entries(counts).filter(([name]) => !name.startsWith("nordugridmap"));
    called(
      "ARC arguspdpclient",
      ofArc.reduce((sum, [, { permitted, denied }]) => sum + permitted + denied, 0),
    );
    called("nordugridmap", Object.keys(counts).length - ofArc.length);
    called("voms-proxy-fake", people.proxies);
    const repeated = hosts.reduce((sum, host) => sum + host.repeated, 0);
    console.log(`# calls made again because ARC's own server broke off the handshake: ${repeated}`);
  });

  const start = async (service: ServiceName, conversion: Conversion): Promise<ArcHost> => {
    const host = await ArcHost.start({
      people,
      name: `${service}-${conversion}`,
      port: await freePort(),
      conversion,
      pdp: `https://${actors[service].address}:8443${PORTS[service]}`,
      identity: await stage.identity("ce1"),
    });
    hosts.push(host);
    return host;
  };
  const call = async (name: string, host: ArcHost, who: Credential, permitted: boolean): Promise<void> => {
    const { echoed, body } = await host.call(who);
    assert.equal(echoed, permitted, `${name}: ${body}\n${host.log().slice(-6000)}`);
    if (!permitted) {
      assert.match(body, /Fault/);
      assert.match(host.log(), /The reached decision is: DENY/i);
    }
    counts[name] ??= { permitted: 0, denied: 0 };
    counts[name][permitted ? "permitted" : "denied"]++;
  };
  const plain = (name: string): Credential => ({
    cert: readFileSync(people.path(`${name}.pem`), "utf8"),
    key: readFileSync(people.path(`${name}.key`), "utf8"),
  });
  /** A proxy with attributes where the way of asking can show them. */
  const credential = (name: string, conversion: Conversion, fqan = "/fermilab/nova/Role=Production"): Credential =>
    conversion === "subject" ? plain(name) : people.proxy(name, [fqan, "/fermilab/nova"]);

  for (const [conversion, expected] of Object.entries(CONVERSIONS) as [Conversion, (typeof CONVERSIONS)["emi"]][]) {
    it(`asks GUMS (${conversion}): an account is a permit, none and a ban are a fault`, async () => {
      const name = `gums, ${conversion}`;
      const host = await start("gums", conversion);
      const alice = credential("alice", conversion);
      for (let round = 0; round < 3; round++) await call(name, host, alice, true);
      if (conversion === "subject") await call(name, host, plain("mallory"), false);
      else await call(name, host, people.proxy("mallory", ["/cms"]), false);
      await change("gums", "/gums/json/userGroup", { action: "add", group: "banned", subject: ALICE });
      await call(name, host, alice, false);
      await change("gums", "/gums/json/userGroup", { action: "remove", group: "banned", subject: ALICE });
      await call(name, host, alice, true);
      const bounds = new URLSearchParams({
        from: "2020-01-01T00:00:00Z",
        to: "2100-01-01T00:00:00Z",
        dialect: expected.dialect,
        subject: ALICE,
      });
      const { json } = await stage.call(at("gums"), `/gums/json/audit?${bounds}`, operator);
      const records = json.records as { account: string | null; fqan: string | null }[];
      assert.deepEqual(
        records.map(({ account }) => account),
        [expected.account, expected.account, expected.account, null, expected.account],
      );
      assert.ok(
        records.every(({ fqan }) => fqan === expected.fqan),
        JSON.stringify(records),
      );
    });

    it(`asks SAZ (${conversion}): permit, a ban, its end`, async () => {
      const name = `saz, ${conversion}`;
      const host = await start("saz", conversion);
      const alice = credential("alice", conversion);
      for (let round = 0; round < 3; round++) await call(name, host, alice, true);
      const targets =
        conversion === "subject" ? [{ dn: ALICE }] : [{ dn: ALICE }, { role: "/fermilab/nova" }, { vo: "fermilab" }];
      for (const target of targets) {
        await change("saz", "/saz/json/ban", target);
        await call(name, host, alice, false);
        await change("saz", "/saz/json/unban", target);
        await call(name, host, alice, true);
      }
    });
  }

  it("nordugridmap makes a grid-mapfile of GUMS's lists, by SOAP and by GET", async () => {
    await change("gums", "/gums/json/userGroup", { action: "add", group: "nova", subject: "/DC=org/CN=Nora Example" });
    const asks = await stage.identity("ce1");
    for (const part of ["cert", "key"] as const) writeFileSync(people.path(`map.${part}`), asks[part], { mode: 0o600 });
    for (const method of ["soap", "get"]) {
      const mapfile = people.path(`mapfile-${method}`);
      const settings = {
        x509_host_key: people.path("map.key"),
        x509_host_cert: people.path("map.cert"),
        x509_cert_dir: people.certificates,
        voms_method: method,
        cache_enable: "no",
        log_to_file: "no",
        loglevel: "5",
        gridmap: mapfile,
        allow_empty_unixid: "yes",
      };
      writeFileSync(
        people.path("arc.conf"),
        `[nordugridmap]\n${Object.entries(settings)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(
            "",
          )}[userlist:nova]\nsource=vomss://${actors.gums.address}:8443/gums?/fermilab/nova\noutfile=${mapfile}\n`,
      );
      // GUMS hears a moment later that SAZ has lifted the bans of the tests before: nobody of a banned group is in a list.
      await until(async () => {
        const { stderr: told } = spawnSync("nordugridmap", ["-c", people.path("arc.conf")], {
          encoding: "utf8",
          timeout: 60_000,
        });
        assert.ok(existsSync(mapfile), told);
        return /^"\/DC=org\/CN=Nora Example"/m.test(readFileSync(mapfile, "utf8"));
      });
      counts[`nordugridmap, ${method}`] = { permitted: 1, denied: 0 };
    }
  });

  it("made calls in every way it can", () => {
    for (const conversion of Object.keys(CONVERSIONS))
      for (const service of SERVICES) {
        const count = counts[`${service}, ${conversion}`];
        assert.ok(
          count !== undefined && count.permitted > 0 && count.denied > 0,
          `${service}, ${conversion}: no calls`,
        );
      }
  });
});
