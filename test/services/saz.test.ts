/** SAZ in two copies on one database: decisions, bans in force everywhere, what it does without its database, what it refuses. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { encodeProxyHeader } from "../../src/world/index.ts";
import { type Actor, type Answered, address, type Identity, Stage, until } from "./stage.ts";

let stage: Stage;
let database: Actor;
let copies: Actor[];
let guest: Identity;
let operator: Identity;

const seats = ["s1", "s2"].map((name, index) => ({ guest: name, address: address(10 + index) }));
const castDatabase = (): Promise<Actor> =>
  stage.castDatabase(seats.map((seat) => ({ guest: seat.guest, role: "saz" })));
const castCopy = (
  index: number,
  stale = { after: 600, decides: "go-on" },
  directors: string[] = [],
  port = 3306,
): Promise<Actor> =>
  stage.cast({
    name: seats[index]!.guest,
    bundle: "saz",
    address: seats[index]!.address,
    aliases: ["saz"],
    files: {
      "etc/saz.json": {
        port: 8443,
        directors,
        database: { kind: "sqlite", alias: "mysql", address: address(5), port },
        stale,
        audit: { keep: 86_400, space: 2 ** 24 },
        copies: seats,
      },
      "etc/policy.json": { default: "permit", withoutVo: "default", permit: [], deny: [] },
    },
  });
const ask = (index: number, path: string, as: Identity, body?: unknown): Promise<Answered> =>
  stage.call({ address: copies[index]!.address, port: 8443, name: copies[index]!.name }, path, as, body);
const authorize = (index: number, subject: string, more = ""): Promise<Answered> =>
  ask(index, `/saz/json/authorize?subject-x509-id=${encodeURIComponent(subject)}${more}`, guest);

before(async () => {
  stage = await Stage.open();
  guest = await stage.identity("ce1");
  operator = await stage.identity("olga", "operator");
  database = await castDatabase();
  copies = await Promise.all([castCopy(0), castCopy(1)]);
});
after(() => stage.close());

test("a ban answers when it is written, says which copies have it, and is in force on each", async () => {
  assert.equal((await authorize(0, "/DC=org/CN=Eve")).json.decision, "Permit");
  const { status, json } = await ask(0, "/saz/json/ban", operator, { dn: "CN=Eve,DC=org", reason: "stole a key" });
  assert.equal(status, 200);
  assert.equal(json.result, "OK");
  assert.deepEqual(json.copies, [
    { guest: "s1", has: true, says: "in force" },
    { guest: "s2", has: true, says: "in force" },
  ]);
  for (const index of [0, 1]) {
    const { json: decided } = await authorize(index, "/DC=org/CN=Eve/CN=1234");
    assert.deepEqual(decided, { result: "OK", decision: "Deny", reason: "dn /DC=org/CN=Eve is banned: stole a key" });
  }
  const listed = await ask(1, "/saz/json/bans", operator);
  assert.equal((listed.json.bans as { value: string }[])[0]!.value, "/DC=org/CN=Eve");
  await ask(1, "/saz/json/unban", operator, { dn: "/DC=org/CN=Eve" });
  for (const index of [0, 1]) assert.equal((await authorize(index, "/DC=org/CN=Eve")).json.decision, "Permit");
});

test("a VO, a role and an authority are banned alike", async () => {
  const cases = [
    [{ vo: "cms" }, "&voms-fqan=/cms/us", "&voms-fqan=/cmsx"],
    [{ role: "/atlas/Role=prod" }, "&voms-fqan=/atlas/Role=prod/Capability=NULL", "&voms-fqan=/atlas"],
    [{ role: "/lhcb/mc" }, "&voms-fqan=/lhcb/mc/sub/Role=x", "&voms-fqan=/lhcb/mcx"],
    [{ ca: "/O=Bad/CN=CA" }, `&ca=${encodeURIComponent("CN=CA, O=Bad")}`, `&ca=${encodeURIComponent("/O=Good/CN=CA")}`],
  ] as const;
  for (const [target, denied, permitted] of cases) {
    assert.equal((await ask(0, "/saz/json/ban", operator, target)).status, 200);
    assert.equal((await authorize(0, "/CN=Bob", denied)).json.decision, "Deny", JSON.stringify(target));
    assert.equal((await authorize(0, "/CN=Bob", permitted)).json.decision, "Permit", JSON.stringify(target));
  }
});

test("an unban says whether there was a ban: a mistyped name is seen", async () => {
  const was = async (action: "ban" | "unban"): Promise<unknown> =>
    (await ask(0, `/saz/json/${action}`, operator, { dn: "/CN=Typo" })).json.was;
  assert.deepEqual(
    [await was("unban"), await was("ban"), await was("ban"), await was("unban")],
    [false, false, true, true],
  );
});

test("only operators ban; strangers are not let in; nonsense gets a sentence", async () => {
  const refused = await ask(0, "/saz/json/ban", guest, { dn: "/CN=Bob" });
  assert.equal(refused.status, 403);
  assert.deepEqual(refused.json, { result: "ERROR", message: "ce1 is not an operator: only operators ban" });
  const strangers = await Stage.open();
  await assert.rejects(ask(0, "/health", { ...(await strangers.identity("olga", "operator")), ca: guest.ca }));
  await strangers.close();
  for (const [path, body, status] of [
    ["/saz/json/authorize", undefined, 400],
    ["/saz/json/authorize?subject-x509-id=Alice", undefined, 400],
    [`/saz/json/authorize?subject-x509-id=/CN=${"x".repeat(2000)}`, undefined, 400],
    [`/saz/json/authorize?subject-x509-id=/CN=${"x".repeat(5000)}`, undefined, 414],
    ["/saz/json/authorize?subject-x509-id=/CN=a&voms-fqan=nova", undefined, 400],
    // Who reads the first would not see that the second is banned.
    ["/saz/json/authorize?subject-x509-id=/CN=a&vo=nova&vo=minos", undefined, 400],
    ["/saz/json/authorize?subject-x509-id=/CN=a&ca=/CN=b&ca=/CN=c", undefined, 400],
    ["/saz/json/ban", "{", 400],
    ["/saz/json/ban", "[]", 400],
    ["/saz/json/ban", {}, 400],
    ["/saz/json/ban", { dn: "/CN=a", vo: "b" }, 400],
    ["/saz/json/ban", { dn: 7 }, 400],
    ["/saz/json/ban", { dn: "/CN=a", reason: "x".repeat(70_000) }, 400],
    ["/saz/json/ban", { dn: "/CN=a", reason: "x".repeat(4 * 2 ** 20) }, 413],
    ["/saz/json/ban", undefined, 405],
    ["/", undefined, 404],
  ] as const) {
    const answer = await ask(0, path, operator, body);
    assert.equal(answer.status, status, `${path} ${JSON.stringify(body)?.slice(0, 40)}: ${answer.body}`);
    assert.equal(answer.json.result, "ERROR");
    assert.doesNotMatch(answer.body, /at .*\.ts|node:/);
  }
});

test("a ban is in force on a copy that cannot see its database, also after that copy starts again", async () => {
  await copies[1]!.kill("SIGTERM");
  copies[1] = await castCopy(1, undefined, [], 3307);
  await until(async () => (await ask(1, "/health", guest)).json.state === "read-only");
  const { json } = await ask(0, "/saz/json/ban", operator, { dn: "/CN=Trudy", reason: "told" });
  assert.deepEqual(
    (json.copies as { has: boolean }[]).map((copy) => copy.has),
    [true, true],
  );
  assert.equal((await authorize(1, "/CN=Trudy")).json.decision, "Deny");
  await copies[1]!.kill("SIGTERM");
  copies[1] = await castCopy(1, undefined, [], 3307);
  assert.equal((await authorize(1, "/CN=Trudy")).json.decision, "Deny");
  const event = { ...(json.event as object), counter: 1, fields: {} };
  assert.equal((await ask(1, "/saz/json/hear", guest, { event })).status, 403, "only a fellow copy is heard");
  assert.equal((await ask(1, "/saz/json/hear", operator, { event })).status, 403);
  const fellow = await stage.identity("s1");
  assert.equal((await ask(1, "/saz/json/hear", fellow, { event })).status, 400);
  await copies[1]!.kill("SIGTERM");
  copies[1] = await castCopy(1);
  assert.equal((await ask(1, "/saz/json/unban", operator, { dn: "/CN=Trudy" })).status, 200);
  assert.equal((await authorize(1, "/CN=Trudy")).json.decision, "Permit");
});

test("whoever was never seen before is recorded once, for all copies", async () => {
  const values = async (index: number): Promise<string[]> =>
    ((await ask(index, "/saz/json/seen", operator)).json.seen as { kind: string; value: string }[]).map(
      ({ kind, value }) => `${kind} ${value}`,
    );
  for (const index of [0, 1, 0]) await authorize(index, "/DC=org/CN=New", "&voms-fqan=/dune/Role=x&ca=/CN=CA9");
  const wanted = ["dn /DC=org/CN=New", "role /dune/Role=x", "ca /CN=CA9"];
  for (const index of [0, 1])
    await until(async () => {
      const seen = await values(index);
      return wanted.every((one) => seen.filter((other) => other === one).length === 1);
    });
  assert.equal((await ask(0, "/saz/json/seen", guest)).status, 403);
});

test("an explanation names everything that was looked at", async () => {
  await ask(0, "/saz/json/ban", operator, { role: "/dune/Role=bad", reason: "why" });
  const { json } = await ask(0, "/saz/json/explain?subject-x509-id=/CN=Ed&voms-fqan=/dune/Role=bad", guest);
  assert.equal(json.decision, "Deny");
  assert.match(JSON.stringify(json.steps), /role \/dune\/Role=bad","says":"banned: why"/);
});

test("without its database a copy goes on from what it knows, refuses bans within 1.5 s, and starts again from its snapshot", async () => {
  await ask(0, "/saz/json/ban", operator, { dn: "/CN=Mallory" });
  const returns = copies[1]!.lines.filter((line) => line.includes("database in sight")).length;
  await database.kill("SIGKILL");
  const began = performance.now();
  const refused = await ask(0, "/saz/json/ban", operator, { dn: "/CN=Bob" });
  assert.ok(performance.now() - began < 1500);
  assert.equal(refused.status, 503);
  assert.match(
    String(refused.json.message),
    /^the database alias mysql .*bans cannot be recorded now; decisions go on from the snapshot of 20/,
  );
  await until(async () => (await ask(1, "/health", guest)).json.state === "read-only");
  assert.equal((await ask(1, "/health", guest)).status, 200);
  assert.equal((await authorize(1, "/CN=Mallory")).json.decision, "Deny");

  await copies[0]!.kill("SIGTERM");
  copies[0] = await castCopy(0);
  assert.equal((await authorize(0, "/CN=Mallory")).json.decision, "Deny");
  // It may have seen its database a moment later than the other one, and for a second that is no news.
  await until(async () => (await ask(0, "/health", guest)).json.state === "read-only");

  database = await castDatabase();
  await copies[1]!.says("database in sight", returns + 1);
  await until(async () => (await ask(0, "/health", guest)).json.state === "ok");
  assert.equal((await ask(1, "/saz/json/unban", operator, { dn: "/CN=Mallory" })).status, 200);
});

test("a copy told to refuse when stale refuses with a reason and 503", async () => {
  await copies[1]!.kill("SIGTERM");
  await database.kill("SIGKILL");
  copies[1] = await castCopy(1, { after: 0, decides: "refuse" });
  const answer = await authorize(1, "/CN=Bob");
  assert.equal(answer.status, 503);
  assert.match(String(answer.json.message), /older than 0 s: decisions are refused/);
  assert.equal((await ask(1, "/health", guest)).json.state, "stale");
  database = await castDatabase();
});

test("behind a director the audit record has the client's address", async () => {
  await copies[1]!.kill("SIGTERM");
  copies[1] = await castCopy(1, { after: 600, decides: "go-on" }, [address(2)]);
  const { connect: connectTls } = await import("node:tls");
  const answer = await new Promise<string>((resolve, reject) => {
    const plain = connect({ host: address(11), port: 8443, localAddress: address(2) }, () => {
      plain.write(
        encodeProxyHeader({
          source: { address: "10.1.2.3", port: 4321 },
          destination: { address: address(11), port: 8443 },
        }),
      );
      const secure = connectTls({ socket: plain, ...guest, servername: "saz" }, () => {
        secure.write(
          "GET /saz/json/authorize?subject-x509-id=/CN=Proxied HTTP/1.1\r\nhost: saz\r\nconnection: close\r\n\r\n",
        );
      });
      let text = "";
      secure.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      secure.on("end", () => resolve(text));
      secure.on("error", reject);
    });
    plain.on("error", reject);
  });
  assert.match(answer, /"decision":"Permit"/);
  await copies[1]!.kill("SIGTERM");
  const record = readFileSync(`${copies[1]!.data}/audit.log`, "utf8");
  const line = JSON.parse(record.split("\n").find((one) => one.includes("/CN=Proxied"))!) as Record<string, unknown>;
  assert.equal(line.from, "10.1.2.3");
  assert.equal(line.asked, "ce1");
  assert.equal(line.decision, "Permit");
});
