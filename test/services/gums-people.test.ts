/**
 * GUMS with a whole policy: members and accounts that operators change, pool accounts, bans, tokens, whose word about FQANs counts, what the
 * record says, and what another policy would have answered. Two copies on one database.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readGumsPolicy } from "../../src/policy/index.ts";
import { type Actor, type Answered, address, type Identity, Stage, until } from "./stage.ts";

const ISSUER = "https://cilogon.example.org/fermilab";
const setting = {
  banned: ["banned"],
  "user-groups": [
    { name: "banned", manual: [] },
    { name: "people", mapped: "people" },
    { name: "production", voms: "/fermilab/nova", role: "Production" },
    { name: "minos", voms: "/fermilab/minos", match: "vogroup", "without-fqan": true },
    { name: "tiny", voms: "/tiny", match: "vogroup" },
    { name: "robots", token: { issuer: ISSUER, group: "/fermilab/robots" } },
  ],
  "account-mappers": [
    { name: "people", people: [] },
    { name: "novapro", account: "novapro", group: "nova" },
    { name: "minos", pool: "minos", accounts: ["minos0001-0100"], group: "minos" },
    { name: "tiny", pool: "tiny", accounts: ["tiny1-2"] },
    { name: "visitors", account: "visitor" },
  ],
  mappings: [
    { name: "people", groups: ["people"], accounts: ["people"] },
    { name: "production", groups: ["production"], accounts: ["novapro"] },
    { name: "minos", groups: ["minos"], accounts: ["minos"] },
    { name: "tiny", groups: ["tiny"], accounts: ["tiny", "visitors"] },
    { name: "robots", groups: ["robots"], accounts: ["minos"] },
  ],
  hosts: [{ match: "*", use: ["people", "production", "minos", "tiny", "robots"] }],
};

let stage: Stage;
let copies: Actor[];
let gatekeeper: Identity;
let stranger: Identity;
let operator: Identity;

before(async () => {
  stage = await Stage.open();
  gatekeeper = await stage.identity("ce1");
  stranger = await stage.identity("laptop");
  operator = await stage.identity("olga", "operator");
  const names = ["g1", "g2"];
  await stage.castDatabase(names.map((name) => ({ guest: name, role: "gums" })));
  copies = await Promise.all(
    names.map((name, index) =>
      stage.cast({
        name,
        bundle: "gums",
        address: address(20 + index),
        aliases: ["gums"],
        files: {
          "etc/gums.json": {
            port: 8443,
            directors: [],
            gatekeepers: ["ce*"],
            database: { kind: "sqlite", alias: "mysql", address: address(5), port: 3306, servers: [] },
            stale: { after: 600, decides: "go-on" },
            audit: { keep: 86_400, space: 2 ** 24 },
          },
          "etc/policy.json": readGumsPolicy(setting).policy,
        },
      }),
    ),
  );
});
after(() => stage.close());

const ask = (index: number, path: string, as: Identity, body?: unknown): Promise<Answered> =>
  stage.call({ address: copies[index]!.address, port: 8443, name: copies[index]!.name }, path, as, body);
const query = (words: Readonly<Record<string, string>>): string =>
  new URLSearchParams({ "dns-host-name": "wn1.example.org", ...words }).toString();
const map = async (
  words: Readonly<Record<string, string>>,
  { index = 0, as = gatekeeper }: { index?: number; as?: Identity } = {},
): Promise<Record<string, unknown>> => (await ask(index, `/gums/json/mapGridIdentity?${query(words)}`, as)).json;
const change = async (call: string, body: unknown): Promise<Record<string, unknown>> => {
  const answer = await ask(0, `/gums/json/${call}`, operator, body);
  assert.equal(answer.status, 200, answer.body);
  return answer.json;
};

test("a member of the banned group gets nothing, on every copy, until he is taken out", async () => {
  const nora = { "subject-x509-id": "/DC=org/CN=Nora", "voms-fqan": "/fermilab/nova/Role=Production" };
  assert.equal((await map(nora)).username, "novapro");
  await change("userGroup", { action: "add", group: "banned", subject: "CN=Nora,DC=org", reason: "left" });
  assert.deepEqual(await map(nora), { result: "FAILED" }, "a no has no account's name in it");
  assert.deepEqual(await map({ ...nora, "subject-x509-id": "/DC=org/CN=Nora/CN=proxy" }), { result: "FAILED" });
  await until(async () => (await map(nora, { index: 1 })).result === "FAILED");
  const listed = await change("userGroup", { action: "list", group: "banned" });
  assert.deepEqual(
    (listed.members as { subject: string; actor: string; reason: string }[]).map(({ subject, actor, reason }) => [
      subject,
      actor,
      reason,
    ]),
    [["/DC=org/CN=Nora", "olga", "left"]],
  );
  await change("userGroup", { action: "remove", group: "banned", subject: "/DC=org/CN=Nora" });
  assert.equal((await map(nora)).username, "novapro");
  await until(async () => (await map(nora, { index: 1 })).username === "novapro");
  const twice = await ask(0, "/gums/json/userGroup", operator, {
    action: "remove",
    group: "banned",
    subject: "/DC=org/CN=Nora",
  });
  assert.equal(twice.status, 409);
  const unknown = await ask(0, "/gums/json/userGroup", operator, { action: "add", group: "bannd", subject: "/CN=x" });
  assert.match(String(unknown.json.message), /group bannd does not exist; there are: banned, production, minos, tiny/);
  assert.equal((await ask(0, "/gums/json/userGroup", gatekeeper, { action: "list" })).status, 403);
});

test("the word of a listed gatekeeper counts; from anybody else lists of members decide", async () => {
  const asked = { "subject-x509-id": "/DC=org/CN=Max", "voms-fqan": "/fermilab/nova/Role=Production" };
  assert.equal((await map(asked)).username, "novapro");
  assert.deepEqual(await map(asked, { as: stranger }), { result: "FAILED" });
  await change("userGroup", { action: "add", group: "production", subject: "/DC=org/CN=Max" });
  assert.equal((await map(asked, { as: stranger })).username, "novapro");
  const token = await ask(
    0,
    `/gums/json/mapGridIdentity?${query({ "token-issuer": ISSUER, "token-subject": "a" })}`,
    stranger,
  );
  assert.equal(token.status, 403);
});

test("pool accounts: one for each person, the same on each copy, nobody else's, also for tokens; released ones are not given again", async () => {
  const minos = (name: string, index = 0) =>
    map({ "subject-x509-id": `/DC=org/CN=${name}`, "voms-fqan": "/fermilab/minos" }, { index });
  const people = Array.from({ length: 20 }, (_, index) => `Person ${index}`);
  const first = await Promise.all(people.map((name, index) => minos(name, index % 2)));
  const accounts = first.map((one) => String(one.username));
  assert.equal(new Set(accounts).size, people.length);
  for (const account of accounts) assert.match(account, /^minos0\d{3}$/);
  const second = await Promise.all(people.map((name, index) => minos(name, (index + 1) % 2)));
  assert.deepEqual(
    second.map((one) => one.username),
    accounts,
  );
  assert.equal(first[0]!.groupname, "minos");
  const robot = await map({ "token-issuer": ISSUER, "token-subject": "robot-7", "token-group": "/fermilab/robots/x" });
  assert.ok(!accounts.includes(String(robot.username)));
  assert.deepEqual(
    await map({ "token-issuer": ISSUER, "token-subject": "robot-7", "token-group": "/fermilab/robotsx" }),
    { result: "FAILED" },
  );
  await change("poolMapper", { action: "release", pool: "minos", account: accounts[0], reason: "gone" });
  const again = await minos(people[0]!);
  assert.ok(!accounts.includes(String(again.username)));
  const listed = await change("poolMapper", { action: "list", pool: "minos" });
  const entry = (listed.accounts as { account: string; state: string }[]).find((one) => one.account === accounts[0]);
  assert.equal(entry?.state, "released");
});

test("an explanation gives nothing out; a pool that is used up gives way to the next mapper", async () => {
  const tiny = (name: string) => ({ "subject-x509-id": `/DC=org/CN=Tiny ${name}`, "voms-fqan": "/tiny" });
  const explained = (await ask(0, `/gums/json/explain?${query(tiny("a"))}`, operator)).json;
  assert.equal(explained.outcome, "needs-pool");
  assert.deepEqual((await change("poolMapper", { action: "list", pool: "tiny" })).accounts, []);
  const given = [await map(tiny("a")), await map(tiny("b")), await map(tiny("c"))].map((one) => one.username);
  assert.deepEqual(new Set(given.slice(0, 2)), new Set(["tiny1", "tiny2"]));
  assert.equal(given[2], "visitor");
  const unbelieved = (await ask(0, `/gums/json/explain?${query(tiny("a"))}&unbelieved=1`, operator)).json;
  assert.equal(unbelieved.outcome, "none");
  assert.match(JSON.stringify(unbelieved.steps), /is not believed/);
});

test("the record says who was an account, by which rule, who gave it, and finds it again", async () => {
  const now = Date.now();
  const words = new URLSearchParams({
    from: new Date(now - 600_000).toISOString(),
    to: new Date(now + 60_000).toISOString(),
    account: "visitor",
  });
  const { status, json } = await ask(0, `/gums/json/audit?${words}`, operator);
  assert.equal(status, 200);
  const records = json.records as Record<string, unknown>[];
  assert.deepEqual(
    records.map(({ subject, rule, asked }) => [subject, rule, asked]),
    [["/DC=org/CN=Tiny c", "*: tiny > visitors", "ce1"]],
  );
  words.set("account", "tiny1");
  const first = ((await ask(0, `/gums/json/audit?${words}`, operator)).json.records as Record<string, unknown>[])[0]!;
  assert.equal(first.given, "mysql");
  assert.equal((await ask(0, `/gums/json/audit?${words}`, gatekeeper)).status, 403);
  for (const [bad, says] of [
    ["from=now&to=now", /from: expected a time/],
    [`${words}&limit=0`, /limit: expected/],
    [`${words}&colour=red`, /colour: expected one of account/],
  ] as const) {
    const refused = await ask(0, `/gums/json/audit?${bad}`, operator);
    assert.equal(refused.status, 400);
    assert.match(String(refused.json.message), says);
  }
});

test("what another policy would have answered is told by sort and by example, and nothing is changed", async () => {
  const now = Date.now();
  const period = { from: new Date(now - 600_000).toISOString(), to: new Date(now + 60_000).toISOString() };
  const changed = {
    ...setting,
    "account-mappers": setting["account-mappers"].map((one) =>
      one.name === "novapro" ? { ...one, account: "novaprod" } : one,
    ),
    hosts: [{ match: "*", use: ["people", "production", "minos", "robots"] }],
  };
  const same = await change("whatIf", { policy: setting, ...period });
  const { calls } = same as { calls: Record<string, number> };
  assert.equal(calls.same! > 20, true);
  assert.deepEqual([calls.lost, calls.gained, calls["other account"], calls["other group"]], [0, 0, 0, 0]);
  const other = (await change("whatIf", { policy: changed, ...period })) as {
    calls: Record<string, number>;
    examples: { change: string; question: { subject: string } }[];
  };
  assert.ok(other.calls.lost! >= 3, "whoever was in tiny has no account any more");
  assert.ok(other.calls["other account"]! >= 1);
  assert.ok(other.examples.some((one) => one.change === "lost" && one.question.subject.includes("Tiny")));
  assert.equal(
    (await map({ "subject-x509-id": "/DC=org/CN=Max", "voms-fqan": "/fermilab/nova/Role=Production" })).username,
    "novapro",
  );
  const wrong = await ask(0, "/gums/json/whatIf", operator, {
    policy: { ...setting, hosts: [{ match: "*", use: ["peopl"] }] },
    ...period,
  });
  assert.equal(wrong.status, 400);
  assert.match(String(wrong.json.message), /policy\.hosts\.0\.use\.0: .*peopl/);
});
