/**
 * VOMS as its clients reach it: who gets attributes and who does not, each for its own reason; what is written down; what a copy does that has lost its
 * database; clients that drip, flood or never end. The stock clients are in test/real/voms.test.ts.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { SqliteRecords } from "../../services/records/sqlite-client.ts";
import { identityKey, namedPerson } from "../../services/vo/index.ts";
import { formatFqan, parseFqan, readAttributeCertificate } from "../../src/grid/index.ts";
import { issueCertificate } from "../../src/pki/index.ts";
import { readVos } from "../../src/vo/index.ts";
import { AUTHORITY, INHERIT, type Made, missingOpenssl, PERSON, Workshop } from "../support/openssl.ts";
import { type Actor, address, type Identity, Stage, until } from "./stage.ts";

const VO = "fermilab";
const PORT = 15001;
const ALICE = "/DC=org/DC=fermigrid/CN=Alice";
const ALIAS = "voms.fermigrid.test";
const INDEPENDENT = "proxyCertInfo=critical,language:id-ppl-independent";

interface Client {
  readonly cert: string;
  readonly key: string;
}

interface Said {
  readonly code: string | null;
  readonly message: string;
  readonly fqans: readonly string[];
  /** Seconds. */
  readonly lifetime: number;
  readonly warnings: readonly string[];
}

/** Everything a server says until it ends the connection. */
function talk(as: Client | null, words: readonly (string | Buffer)[], pause = 0): Promise<string> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connectTls({ host: address(30), port: PORT, ...as, rejectUnauthorized: false });
    let said = "";
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("data", (text) => {
      said += text;
    });
    socket.on("close", () => resolve(said));
    socket.on("secureConnect", async () => {
      for (const word of words) {
        if (socket.destroyed) return;
        socket.write(word);
        if (pause > 0) await new Promise((later) => setTimeout(later, pause));
      }
    });
  });
}

function readAnswer(said: string): Said {
  const all = (name: string): string[] =>
    [...said.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, text]) => text!);
  const [encoded] = all("ac");
  const [code = null] = all("code");
  const ac = encoded && code === null ? readAttributeCertificate(Buffer.from(encoded, "base64")) : null;
  return {
    code,
    message: all("message")[0] ?? "",
    fqans: (ac?.fqans ?? []).map((fqan) => formatFqan(parseFqan(fqan))),
    lifetime: ac === null ? 0 : (ac.notAfter - ac.notBefore) / 1000,
    warnings: all("warning"),
  };
}

describe("VOMS", { skip: missingOpenssl, timeout: 120_000 }, () => {
  let stage: Stage;
  let openssl: Workshop;
  let root: Made;
  let alice: Made;
  let database: Actor;
  let operator: Identity;
  let copy: Actor;
  let counter = 1;

  const client = (...chain: readonly Made[]): Client => ({
    cert: chain.map(({ pem }) => pem).join(""),
    key: readKey(chain[0]!),
  });
  const readKey = (made: Made): string => openssl.run("pkey", "-in", made.key);
  const ask = async (as: Client | null, query = `fqans=/${VO}`): Promise<Said> =>
    readAnswer(await talk(as, [`0GET /generate-ac?${query} HTTP/1.0\nHost: x\n\n`]));
  const write = async (account: string, stream: "vo" | "ban", fields: Record<string, string>): Promise<void> => {
    const tls = await stage.identity(account);
    const records = new SqliteRecords({ alias: "mysql", address: address(5), port: 3306, account, tls });
    await records.append(stream, fields, counter++);
    await records.close();
  };
  const say = (kind: string, name: string, action: string, value: object = {}, reason = ""): Promise<void> =>
    write("voms1", "vo", { vo: VO, kind, name, action, value: JSON.stringify(value), reason, actor: "olga" });
  const refused = async (as: Client | null, code: string, says: RegExp, query?: string): Promise<void> => {
    const said = await ask(as, query);
    assert.equal(said.code, code, JSON.stringify(said));
    assert.match(said.message, says);
    assert.deepEqual(said.fqans, []);
  };

  before(async () => {
    stage = await Stage.open();
    openssl = new Workshop();
    operator = await stage.identity("olga", "operator");
    root = openssl.make({ subject: "/DC=org/DC=fermigrid/CN=Root", extensions: AUTHORITY });
    alice = openssl.make({ subject: ALICE, by: root, extensions: PERSON });
    mkdirSync(openssl.path("authorities"));
    writeFileSync(openssl.path("authorities/root.pem"), root.pem);
    database = await stage.castDatabase([
      { guest: "voms1", role: "voms" },
      { guest: "saz1", role: "saz" },
    ]);
    const subject = { commonName: ALIAS, unit: "guest", dns: [ALIAS, "voms1"], ip: [address(30)] } as const;
    const alias = await issueCertificate(stage.authority, subject, Date.now(), "rsa");
    const { vos } = readVos([
      {
        name: VO,
        groups: ["/fermilab/nova"],
        roles: ["Production"],
        lifetime: "12 h",
        members: [{ subject: ALICE, fqans: ["/fermilab/nova", "/fermilab/nova/Role=Production"] }],
      },
      { name: "cms", members: [{ subject: ALICE }] },
    ]);
    copy = await stage.cast({
      name: "voms1",
      bundle: "voms",
      address: address(30),
      aliases: [ALIAS],
      files: {
        "etc/voms.json": {
          port: PORT,
          directors: [],
          database: { kind: "sqlite", alias: "mysql", address: address(5), port: 3306, servers: [] },
          stale: { after: 2, decides: "refuse" },
          audit: { keep: 86_400, space: 2 ** 24 },
          vos,
          authorities: openssl.path("authorities"),
          refresh: 0.1,
          voms: { host: ALIAS, port: PORT },
          holderForm: "subject",
          registration: false,
        },
        "etc/voms-tls/ca.pem": stage.authority.certificate,
        "etc/voms-tls/cert.pem": alias.certificate,
        "etc/voms-tls/key.pem": alias.key,
      },
    });
    await until(async () => (await ask(client(alice))).code === null);
  });
  after(async () => {
    openssl?.remove();
    await stage?.close();
  });

  it("gives a member his groups, the role he asks for first, a proxy of his the same", async () => {
    const role = "fqans=/fermilab/nova/Role=Production";
    const proxy = openssl.proxy(alice, INHERIT);
    for (const as of [client(alice), client(proxy, alice), client(openssl.proxy(proxy, INHERIT), proxy, alice)])
      assert.deepEqual((await ask(as, role)).fqans, ["/fermilab/nova/Role=Production", "/fermilab", "/fermilab/nova"]);
    assert.deepEqual((await ask(client(alice), "fqans=/cms")).fqans, ["/cms"]);
  });

  it("gives no longer than the organization allows, and never past the end of the membership", async () => {
    assert.equal((await ask(client(alice), "fqans=/fermilab&lifetime=60")).lifetime, 60);
    const long = await ask(client(alice), "fqans=/fermilab&lifetime=999999");
    assert.equal(long.lifetime, 12 * 3600);
    assert.match(long.warnings[0]!, /shortened to 43200 seconds/);
    const bob = openssl.make({ subject: "/DC=org/DC=fermigrid/CN=Bob", by: root, extensions: PERSON });
    const about = { person: "bob", kind: "certificate", subject: bob.subject, issuer: root.subject };
    await say("identity", identityKey("certificate", bob.subject, root.subject), "good", about);
    await say("application", "bob", "approved", { until: Date.now() + 600_000 });
    await until(async () => (await ask(client(bob))).code === null);
    const { lifetime } = await ask(client(bob));
    assert.ok(lifetime > 0 && lifetime <= 600, String(lifetime));
  });

  it("says which parameter nobody knows, and which organization is meant", async () => {
    assert.match((await ask(client(alice), "fqans=/fermilab&colour=red")).warnings[0]!, /colour/);
    await refused(client(alice), "BadRequest", /say of which organization: fermilab, cms/, "lifetime=60");
    await refused(client(alice), "BadRequest", /one organization/, "fqans=/fermilab,/cms");
    await refused(client(alice), "NoSuchUser", /no organization here/, "fqans=/atlas");
  });

  it("refuses strangers and non-members, each for its reason", async () => {
    const mallory = openssl.make({ subject: "/DC=org/DC=fermigrid/CN=Mallory", by: root, extensions: PERSON });
    await refused(client(mallory), "NoSuchUser", /User unknown to this VO/);
    await refused(null, "NoSuchUser", /no certificate was shown/);
    const guest = await stage.identity("ce1");
    await refused(guest, "NoSuchUser", /User unknown to this VO/);
    await refused(client(alice), "BadRequest", /Unable to satisfy/, "fqans=/fermilab/Role=Production");
    assert.equal((await ask(client(alice))).code, null);
  });

  it("refuses certificates that are not good: expired, of another authority, beyond a policy, revoked", async () => {
    const person = (by: Made, days?: number): Made =>
      openssl.make({ subject: ALICE, by, extensions: PERSON, ...(days === undefined ? {} : { days }) });
    await refused(client(person(root, -1)), "NoSuchUser", /was valid only until/);
    const unknown = openssl.make({ subject: "/CN=Unknown", extensions: AUTHORITY });
    await refused(client(person(unknown), unknown), "NoSuchUser", /no trusted authority/);
    const bound = openssl.make({ subject: "/DC=org/DC=bound/CN=CA", extensions: AUTHORITY });
    writeFileSync(openssl.path("authorities/bound.pem"), bound.pem);
    const policy = `access_id_CA X509 '${bound.subject}'\npos_rights globus CA:sign\ncond_subjects globus '"/DC=org/DC=bound/*"'\n`;
    writeFileSync(openssl.path("authorities/bound.signing_policy"), policy);
    await until(async () => /not permitted to sign/.test((await ask(client(person(bound)))).message));
    const thief = person(root);
    assert.equal((await ask(client(thief))).code, null);
    writeFileSync(openssl.path("authorities/root.r0"), openssl.revoke(root, [thief]));
    await until(async () => (await ask(client(thief))).code !== null);
    await refused(client(thief), "NoSuchUser", /was taken back/);
    assert.equal((await ask(client(alice))).code, null);
  });

  it("refuses proxies that are not good: another's name, too deep, by another key, nobody's", async () => {
    const mallory = openssl.make({ subject: "/DC=org/DC=fermigrid/CN=Mallory", by: root, extensions: PERSON });
    const foreign = openssl.proxy(mallory, INHERIT, { subject: `${ALICE}/CN=1` });
    await refused(client(foreign, mallory), "NoSuchUser", /Alice/);
    const last = openssl.proxy(alice, `${INHERIT},pathlen:0`);
    assert.equal((await ask(client(last, alice))).code, null);
    await refused(client(openssl.proxy(last, INHERIT), last, alice), "NoSuchUser", /one proxy more/);
    const impostor = openssl.make({ subject: ALICE, keyOf: mallory, extensions: PERSON.slice(0, 3) });
    await refused(client(openssl.proxy(impostor, INHERIT), alice), "NoSuchUser", /no trusted authority|not signed/);
    await refused(client(openssl.proxy(alice, INDEPENDENT), alice), "NoSuchUser", /independent proxy/);
  });

  it("refuses who is suspended or banned by SAZ, and leaves a banned role out", async () => {
    const person = namedPerson(VO, ALICE);
    await say("suspension", person, "suspend", {}, "lost her key");
    await until(async () => (await ask(client(alice))).code !== null);
    await refused(client(alice), "SuspendedUser", /currently suspended![\s\S]*lost her key/);
    assert.equal((await ask(client(alice), "fqans=/cms")).code, null, "another organization is another matter");
    await say("suspension", person, "resume");
    await until(async () => (await ask(client(alice))).code === null);
    const ban = (kind: string, value: string, action: string): Promise<void> =>
      write("saz1", "ban", { kind, value, action, reason: "stolen", actor: "olga" });
    for (const [kind, value] of [
      ["dn", ALICE],
      ["vo", VO],
      ["ca", root.subject],
    ] as const) {
      await ban(kind, value, "ban");
      await until(async () => (await ask(client(alice))).code !== null);
      await refused(client(alice), "SuspendedUser", /banned from this site: stolen/);
      await ban(kind, value, "unban");
      await until(async () => (await ask(client(alice))).code === null);
    }
    const role = "/fermilab/nova/Role=Production";
    await ban("role", role, "ban");
    await until(async () => (await ask(client(alice), `fqans=${role}`)).code !== null);
    await refused(client(alice), "BadRequest", /Unable to satisfy/, `fqans=${role}`);
    assert.deepEqual((await ask(client(alice))).fqans, ["/fermilab", "/fermilab/nova"]);
    await ban("role", role, "unban");
  });

  it("answers malformed and oversized requests with one sentence, in the protocol they came in", async () => {
    const as = client(alice);
    assert.match(await talk(as, ["GET /elsewhere HTTP/1.0\nHost: x\n\n"]), /404/);
    assert.match(
      await talk(as, ["POST /generate-ac HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab"]),
      /405/,
    );
    assert.match(await talk(as, [`0<voms>${"x".repeat(20_000)}`]), /413[\s\S]*<code>BadRequest/);
    assert.match(await talk(as, ["GET /generate-ac?fqans=x HTTP/1.0\nHost: x\n\n"]), /400[\s\S]*<code>BadRequest/);
    const bomb = '<!DOCTYPE voms [<!ENTITY a "aaaa">]><voms><command>&a;</command></voms>';
    assert.match(await talk(as, [bomb]), /^<\?xml[^>]*><vomsans>[\s\S]*<number>1005</);
    assert.equal((await ask(as)).code, null);
  });

  it("ends clients that drip, in bounded time, and serves the others meanwhile", async () => {
    const drips = Array.from({ length: 5 }, () =>
      talk(
        client(alice),
        Array.from({ length: 100 }, () => "0G"),
        100,
      ),
    );
    const heads = talk(
      client(alice),
      ["GET / HTTP/1.0\n", ...Array.from({ length: 200 }, (_, n) => `x${n}: y\n`)],
      100,
    );
    assert.equal((await ask(client(alice))).code, null);
    // No clock but their own patience, and the test's limit.
    await Promise.all([...drips, heads]);
  });

  it("writes down who was given what, and why not", async () => {
    const from = new Date(Date.now() - 3600_000).toISOString();
    const to = new Date(Date.now() + 60_000).toISOString();
    const where = { address: address(30), port: PORT, name: ALIAS };
    const search = async (more: Record<string, string>): Promise<Record<string, unknown>[]> => {
      const { json } = await stage.call(
        where,
        `/voms/json/audit?${new URLSearchParams({ from, to, ...more })}`,
        operator,
      );
      return json.records as Record<string, unknown>[];
    };
    const [issued] = await search({ subject: ALICE, decision: "issued" });
    assert.deepEqual([issued!.ca, issued!.vo, issued!.dialect], [root.subject, VO, "voms-rest"]);
    const denied = await search({ subject: ALICE, decision: "refused" });
    assert.ok(denied.some(({ reason }) => /lost her key/.test(String(reason))));
    const stranger = await stage.call(where, `/voms/json/audit?${new URLSearchParams({ from, to })}`, client2());
    assert.equal(stranger.status, 403);
  });
  const client2 = (): Identity => ({ ca: stage.authority.certificate, ...client(alice) });

  it("says how it is to the site's own", async () => {
    const where = { address: address(30), port: PORT, name: ALIAS };
    const { status, json } = await stage.call(where, "/health", operator);
    assert.deepEqual([status, json.state, json.vos], [200, "ok", [VO, "cms"]]);
  });

  it("refuses when its database is out of sight for too long, and goes on when it is back", async () => {
    database.process.kill("SIGSTOP");
    await until(async () => (await ask(client(alice))).code === "InternalError");
    const { message } = await ask(client(alice));
    assert.match(message, /decisions are refused/);
    database.process.kill("SIGCONT");
    await until(async () => (await ask(client(alice))).code === null);
    assert.ok(
      copy.lines.every((line) => !line.includes('"defect"')),
      copy.lines.join("\n"),
    );
  });
});
