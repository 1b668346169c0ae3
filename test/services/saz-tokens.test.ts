/** SAZ decides about holders of tokens by the rules it has for people: permits, bans, groups as VOs and roles, record, what was seen. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Actor, type Answered, address, type Identity, Stage, until } from "./stage.ts";
import { TokenIssuer } from "./token-issuer.ts";

let stage: Stage;
let saz: Actor;
let issuer: TokenIssuer;
let gatekeeper: Identity;
let stranger: Identity;
let operator: Identity;

before(async () => {
  stage = await Stage.open();
  gatekeeper = await stage.identity("ce1");
  stranger = await stage.identity("node7");
  operator = await stage.identity("olga", "operator");
  issuer = await TokenIssuer.open(await stage.identity("issuer", "guest", [address(40)]), address(40));
  await stage.castDatabase([{ guest: "s1", role: "saz" }]);
  saz = await stage.cast({
    name: "s1",
    bundle: "saz",
    address: address(10),
    aliases: ["saz"],
    files: {
      "etc/saz.json": {
        port: 8443,
        directors: [],
        database: { kind: "sqlite", alias: "mysql", address: address(5), port: 3306 },
        stale: { after: 600, decides: "go-on" },
        audit: { keep: 86_400, space: 2 ** 24 },
        copies: [{ guest: "s1", address: address(10) }],
        gatekeepers: ["ce*"],
        issuers: [issuer.url],
        audiences: ["https://ce.example.org"],
      },
      "etc/policy.json": {
        default: "deny",
        withoutVo: "default",
        permit: [
          { kind: "vo", value: "fermilab" },
          { kind: "token", value: `${issuer.url} robot-7` },
          { kind: "scope", value: `${issuer.url} compute.modify` },
        ],
        deny: [{ kind: "role", value: "/fermilab/expelled" }],
      },
    },
  });
});
after(async () => {
  await issuer.close();
  await stage.close();
});

const ask = (path: string, as: Identity, body?: unknown): Promise<Answered> =>
  stage.call({ address: saz.address, port: 8443, name: "s1" }, path, as, body);
const authorize = async (claims: Readonly<Record<string, unknown>> = {}, as = stranger): Promise<Answered> =>
  ask("/saz/json/authorizeToken", as, { token: await issuer.sign(claims) });

test("groups are VOs and roles, holders and scopes are permitted by name, and each answer says by which rule", async () => {
  for (const [claims, decision, reason] of [
    [{}, "Permit", "vo fermilab is permitted by the site file"],
    [{ "wlcg.groups": ["/cms"] }, "Deny", "nothing permits it (default deny)"],
    [{ "wlcg.groups": ["staff"] }, "Deny", "nothing permits it (default deny)"],
    [{ "wlcg.groups": ["/fermilab/expelled/x"] }, "Deny", "role /fermilab/expelled is denied by the site file"],
    [{ sub: "robot-7", "wlcg.groups": [] }, "Permit", `token ${issuer.url} robot-7 is permitted by the site file`],
    [
      { sub: "x", "wlcg.groups": [], scope: "compute.modify" },
      "Permit",
      `scope ${issuer.url} compute.modify is permitted by the site file`,
    ],
    [{ sub: "/DC=org/CN=Alice", "wlcg.groups": [] }, "Deny", "nothing permits it (default deny)"],
  ] as const)
    assert.deepEqual((await authorize(claims)).json, { result: "OK", decision, reason });
});

test("a holder, an issuer and a scope are banned while it runs; the others go on", async () => {
  for (const [target, key] of [
    [{ issuer: issuer.url, subject: "a-person" }, `token ${issuer.url} a-person`],
    [{ issuer: issuer.url }, `issuer ${issuer.url}`],
    [{ issuer: issuer.url, scope: "compute.create" }, `scope ${issuer.url} compute.create`],
    [{ vo: "fermilab" }, "vo fermilab"],
  ] as const) {
    assert.equal((await ask("/saz/json/ban", operator, { ...target, reason: "lost" })).status, 200);
    assert.equal((await authorize()).json.reason, `${key} is banned: lost`);
    const { decision } = (await authorize({ sub: "robot-7", scope: "x", "wlcg.groups": [] })).json;
    assert.equal(decision, key.startsWith("issuer") ? "Deny" : "Permit", key);
    const { bans } = (await ask("/saz/json/bans", operator)).json as { bans: { kind: string; value: string }[] };
    assert.deepEqual(
      bans.map(({ kind, value }) => `${kind} ${value}`),
      [key],
    );
    assert.equal((await ask("/saz/json/unban", operator, target)).json.was, true);
    assert.equal((await authorize()).json.decision, "Permit");
  }
  const { status, json } = await ask("/saz/json/ban", operator, { issuer: issuer.url, dn: "/CN=A" });
  assert.equal(status, 400);
  assert.match(String(json.message), /expected exactly one of dn, vo/);
});

test("a checked token's contents are taken from listed gatekeepers alone, and so are FQANs that permit", async () => {
  const words = `token-issuer=${encodeURIComponent(issuer.url)}&token-subject=x&token-group=/fermilab/nova`;
  assert.equal((await ask(`/saz/json/authorize?${words}`, gatekeeper)).json.decision, "Permit");
  const refused = await ask(`/saz/json/authorize?${words}`, stranger);
  assert.equal(refused.status, 403);
  assert.match(String(refused.json.message), /from gatekeepers alone/);
  const person = "subject-x509-id=/DC=org/CN=Bob";
  const fqan = `/saz/json/authorize?${person}&voms-fqan=/fermilab/nova`;
  assert.equal((await ask(fqan, gatekeeper)).json.decision, "Permit");
  assert.equal((await ask(fqan, stranger)).json.reason, "nothing permits it (default deny)");
  const expelled = await ask(`/saz/json/authorize?${person}&voms-fqan=/fermilab/expelled`, stranger);
  assert.match(String(expelled.json.reason), /denied by the site file/, "what speaks against the caller counts");
});

test("why, who came, and the record: all without the token", async () => {
  const words = `token-issuer=${encodeURIComponent(issuer.url)}&token-subject=x&token-group=/cms&token-scope=a:/b`;
  const { steps } = (await ask(`/saz/json/explain?${words}`, operator)).json as { steps: { looked: string }[] };
  assert.deepEqual(
    steps.map(({ looked }) => looked),
    [
      `token ${issuer.url} x`,
      "vo cms",
      "role /cms",
      `issuer ${issuer.url}`,
      `scope ${issuer.url} a:/b`,
      "without an organization",
      "default",
    ],
  );
  const token = await issuer.sign({ sub: "seen-once" });
  assert.equal((await ask("/saz/json/authorizeToken", stranger, { token })).status, 200);
  const wanted = [`token ${issuer.url} seen-once`, `issuer ${issuer.url}`];
  await until(async () => {
    const { seen } = (await ask("/saz/json/seen", operator)).json as { seen: { kind: string; value: string }[] };
    return wanted.every((key) => seen.some(({ kind, value }) => `${kind} ${value}` === key));
  });
  const from = new Date(Date.now() - 60_000).toISOString();
  const to = new Date(Date.now() + 60_000).toISOString();
  const { body, json } = await ask(`/saz/json/audit?from=${from}&to=${to}&subject=seen-once`, operator);
  const [record] = json.records as { token: unknown; decision: string; fqans: string[] }[];
  assert.deepEqual(record?.token, { issuer: issuer.url, scopes: ["compute.create", "storage.read:/"] });
  assert.deepEqual([record?.decision, record?.fqans], ["Permit", ["/fermilab", "/fermilab/nova"]]);
  for (const text of [body, ...saz.lines]) assert.ok(!text.includes(token.slice(-40)), "the token is kept nowhere");
});

test("a token that is not good is refused with what is wrong with it, and decided nothing about", async () => {
  for (const [claims, says] of [
    [{ exp: Math.floor(Date.now() / 1000) - 60 }, /it has expired/],
    [{ aud: "https://elsewhere.example.org" }, /its audience is somebody else/],
    [{ iss: "https://evil.example.org" }, /issuer is none that the policy names/],
  ] as const) {
    const { status, json } = await authorize(claims);
    assert.equal(status, 401);
    assert.match(String(json.message), says);
  }
  assert.equal((await authorize({ aud: "https://ce.example.org" })).json.decision, "Permit");
});
