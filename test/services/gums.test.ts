/** GUMS: mapping by host, group and person; and what operators change. What a policy means is tested in `test/policy/`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { readGumsPolicy } from "../../src/policy/index.ts";
import { type Actor, type Answered, address, type Identity, Stage } from "./stage.ts";

let stage: Stage;
let copies: Actor[];
let guest: Identity;
let operator: Identity;
const alice = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
const { policy } = readGumsPolicy({
  hosts: [
    { match: "*.fnal.example", use: ["production", "nova"] },
    { match: "gate.other.example", use: ["nova"] },
  ],
  groups: [
    { name: "production", fqan: "/fermilab/nova/Role=Production", account: "novapro", group: "nova" },
    { name: "nova", fqan: "/fermilab/nova", account: "nova", group: "nova" },
  ],
  manual: [{ subject: "CN=Alice Example,OU=People,DC=fermigrid,DC=org", account: "alice", group: "fnalgrid" }],
});

before(async () => {
  stage = await Stage.open();
  guest = await stage.identity("ce1");
  operator = await stage.identity("olga", "operator");
  await stage.castDatabase(["g1", "g2"].map((name) => ({ guest: name, role: "gums" })));
  copies = await Promise.all(
    ["g1", "g2"].map((name, index) =>
      stage.cast({
        name,
        bundle: "gums",
        address: address(20 + index),
        aliases: ["gums"],
        files: {
          "etc/gums.json": {
            port: 8443,
            directors: [],
            database: { kind: "sqlite", alias: "mysql", address: address(5), port: 3306 },
            stale: { after: 600, decides: "go-on" },
            audit: { keep: 86_400, space: 2 ** 24 },
          },
          "etc/policy.json": policy,
        },
      }),
    ),
  );
});
after(() => stage.close());

const ask = (index: number, path: string, as: Identity, body?: unknown): Promise<Answered> =>
  stage.call({ address: copies[index]!.address, port: 8443, name: copies[index]!.name }, path, as, body);
const map = async (subject: string, fqan: string | null, host = "node1.fnal.example", index = 0): Promise<Answered> =>
  ask(
    index,
    `/gums/json/mapGridIdentity?${new URLSearchParams({
      "subject-x509-id": subject,
      ...(fqan === null ? {} : { "voms-fqan": fqan }),
      [host.startsWith("/") ? "resource-x509-id" : "dns-host-name"]: host,
    })}`,
    guest,
  );

test("a person, a role, a group, nobody", async () => {
  for (const [subject, fqan, host, expected] of [
    [alice, null, "node1.fnal.example", { result: "OK", username: "alice", groupname: "fnalgrid" }],
    [
      "CN=Alice Example, OU=People, DC=fermigrid, DC=org",
      null,
      "node1.fnal.example",
      { result: "OK", username: "alice", groupname: "fnalgrid" },
    ],
    [
      "/CN=Bob",
      "/fermilab/nova/Role=Production/Capability=NULL",
      "node1.fnal.example",
      { result: "OK", username: "novapro", groupname: "nova" },
    ],
    [
      "/CN=Bob",
      "/fermilab/nova/Role=Production",
      "gate.other.example",
      { result: "OK", username: "nova", groupname: "nova" },
    ],
    [
      "/CN=Bob",
      "/fermilab/nova/sub/Role=NULL",
      "/DC=org/CN=host/node1.fnal.example",
      { result: "OK", username: "nova", groupname: "nova" },
    ],
    ["/CN=Bob", "/fermilab/novax", "node1.fnal.example", { result: "FAILED" }],
    ["/CN=Bob", null, "node1.fnal.example", { result: "FAILED" }],
    [alice, null, "node1.elsewhere.example", { result: "FAILED" }],
    [alice, null, "node1.fnalxexample", { result: "FAILED" }],
    [alice, null, "a.b.fnal.example", { result: "FAILED" }],
  ] as const) {
    const { status, json } = await map(subject, fqan, host);
    assert.equal(status, 200);
    assert.deepEqual(json, expected, `${subject} ${fqan} ${host}`);
  }
});

test("an operator maps a person, on every copy; nobody else may; the file's people are the file's", async () => {
  const path = "/gums/json/manualMapper";
  const body = { action: "add", subject: "CN=Bob,DC=org", account: "bob", group: "users", reason: "ticket 7" };
  const refused = await ask(0, path, guest, body);
  assert.equal(refused.status, 403);
  assert.match(String(refused.json.message), /ce1 is not an operator/);
  assert.equal((await ask(0, path, operator, body)).json.result, "OK");
  assert.equal((await map("/DC=org/CN=Bob", null)).json.username, "bob");
  // The other copy looks several times a second; its health says what it has.
  for (;;) {
    const { json } = await ask(1, "/health", operator);
    if (Object.keys((json.cursors as { mapping: object }).mapping).length > 0) break;
  }
  assert.equal((await map("/DC=org/CN=Bob", null, "node1.fnal.example", 1)).json.username, "bob");
  const listed = (await ask(1, path, operator)).json.mappings as { subject: string; from: string }[];
  assert.deepEqual(
    listed.map(({ subject, from }) => [subject, from]),
    [
      [alice, "policy"],
      ["/DC=org/CN=Bob", "database"],
    ],
  );
  assert.equal((await ask(1, path, operator, { action: "remove", subject: "/DC=org/CN=Bob" })).json.result, "OK");
  assert.equal((await map("/DC=org/CN=Bob", null, "node1.fnal.example", 1)).json.result, "FAILED");
  const kept = await ask(0, path, operator, { action: "remove", subject: alice });
  assert.equal(kept.status, 409);
  assert.match(String(kept.json.message), /site file/);
  for (const bad of [
    { action: "add", subject: "/CN=x", account: "root; rm" },
    { action: "drop" },
    { action: "add", account: "a" },
  ])
    assert.equal((await ask(0, path, operator, bad)).status, 400);
});

test("what is missing or not a name is said", async () => {
  for (const [query, says] of [
    ["", /subject-x509-id is missing/],
    ["subject-x509-id=/CN=a", /dns-host-name or resource-x509-id is missing/],
    ["subject-x509-id=a&dns-host-name=h", /subject-x509-id: /],
    ["subject-x509-id=/CN=a&subject-x509-id=/CN=b&dns-host-name=h", /given 2 times/],
    ["subject-x509-id=/CN=a&dns-host-name=h&voms-fqan=x", /voms-fqan: /],
  ] as const) {
    const { status, json } = await ask(0, `/gums/json/mapGridIdentity?${query}`, guest);
    assert.equal(status, 400);
    assert.equal(json.result, "ERROR");
    assert.match(String(json.message), says);
  }
});

test("what would command a terminal or forge a line is no host and no reason", async () => {
  const words = (host: string) => `?subject-x509-id=%2FCN%3Dx&dns-host-name=${encodeURIComponent(host)}`;
  for (const host of ["h\u001b[2J", "h\n/CN=forged", "h\u009b31m", "two words", "h\u202e"]) {
    const asked = await ask(0, `/gums/json/mapGridIdentity${words(host)}`, guest);
    assert.equal(asked.status, 400);
    assert.match(asked.body, /resource-x509-id: expected /);
  }
  for (const reason of ["\u009b31m", "\u202egnp", "\u2028", "\ud800"]) {
    const body = { action: "add", subject: "/CN=x", account: "x", reason };
    const asked = await ask(0, "/gums/json/manualMapper", operator, body);
    assert.equal(asked.status, 400);
    assert.match(asked.body, /reason: expected at most 500 characters/);
  }
});

test("the audit record says who was whom, by which rule, and is written before the end", async () => {
  await map("/CN=Audited", "/fermilab/nova/Role=Production");
  await copies[0]!.kill("SIGTERM");
  const lines = readFileSync(`${copies[0]!.data}/audit.log`, "utf8").trim().split("\n");
  const record = JSON.parse(lines.find((line) => line.includes("/CN=Audited"))!) as Record<string, unknown>;
  assert.equal(record.account, "novapro");
  assert.equal(record.rule, "*.fnal.example: production");
  assert.equal(record.asked, "ce1");
});
