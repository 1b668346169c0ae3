/**
 * The meaning is the original's, its known mistakes excepted: a test for each of them that a pure policy can have (not giving out pool
 * accounts for files is in `files.test.ts`; two copies giving one account to two people is the database's).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compileGums,
  EMPTY_STATE,
  explainGums,
  identityOf,
  type ListedState,
  type MappingQuestion,
  readGumsPolicy,
  stateOf,
  whatIf,
} from "../../src/policy/index.ts";

function decider(value: unknown, state: ListedState = EMPTY_STATE) {
  const { policy, mistakes } = readGumsPolicy(value);
  assert.ok(policy, JSON.stringify(mistakes));
  return compileGums(policy, stateOf(state));
}

const question = (some: Partial<MappingQuestion>): MappingQuestion => ({
  subject: "/DC=org/CN=Alice",
  fqan: null,
  believed: true,
  host: "node.example.org",
  token: null,
  ...some,
});

const one = (group: object, host: unknown = "*") => ({
  "user-groups": [{ name: "g", ...group }],
  "account-mappers": [{ name: "m", account: "account" }],
  mappings: [{ name: "x", groups: ["g"], accounts: ["m"] }],
  hosts: [{ match: host, use: ["x"] }],
});

function fits(decide: ReturnType<typeof decider>, some: Partial<MappingQuestion>): boolean {
  return decide(question(some)).outcome === "account";
}

test("1: vorole wants the VO and the role", () => {
  const decide = decider(one({ voms: "/cms", role: "pilot", match: "vorole" }));
  assert.equal(fits(decide, { fqan: "/cms/Role=pilot" }), true);
  assert.equal(fits(decide, { fqan: "/cms/sub/Role=pilot" }), true);
  assert.equal(fits(decide, { fqan: "/cms/Role=production" }), false);
  assert.equal(fits(decide, { fqan: "/cms" }), false);
  assert.equal(fits(decide, { fqan: "/atlas/Role=pilot" }), false);
});

test("2: vogroup ends at a slash", () => {
  const decide = decider(one({ voms: "/cms/us", match: "vogroup" }));
  for (const fqan of ["/cms/us", "/cms/us/Role=x", "/cms/us/fnal"]) assert.equal(fits(decide, { fqan }), true, fqan);
  for (const fqan of ["/cms/usfoo", "/cms/usfoo/Role=x", "/cms"]) assert.equal(fits(decide, { fqan }), false, fqan);
});

test("3: a dot in a host's pattern is a dot; a star is no dot, no slash and no equals sign", () => {
  for (const [pattern, host, expected] of [
    ["*.fnal.gov", "node1.fnal.gov", true],
    ["*.fnal.gov", "NODE1.FNAL.GOV", true],
    ["*.fnal.gov", "node1.fnalxgov", false],
    ["*.fnal.gov", "evil.node1.fnal.gov", false],
    ["*.fnal.gov", "node1xfnal.gov", false],
    ["*.fnal.gov", "/DC=org/CN=node1.fnal.gov", true],
    ["*.fnal.gov", "/DC=org/CN=host/node1.fnal.gov", true],
    ["*.fnal.gov", "/DC=org/CN=ldap/node1.fnal.gov", false],
    ["*.fnal.gov", "/DC=org/CN=node1.fnal.gov/OU=x", false],
    ["host/*.fnal.gov", "/DC=org/CN=host/node1.fnal.gov", true],
    ["/DC=org/CN=*.fnal.gov", "/DC=org/CN=node1.fnal.gov", true],
    ["/DC=org/CN=*.fnal.gov", "/DC=org/OU=x/CN=node1.fnal.gov", false],
    ["/DC=org/CN=*", "node1.fnal.gov", false],
    ["*", "a.b/c=d", true],
    ["n*1.*.gov", "node11.fnal.gov", true],
    ["n*1.*.gov", "node12.fnal.gov", false],
  ] as const)
    assert.equal(fits(decider(one({ voms: "/a" }, pattern)), { fqan: "/a", host }), expected, `${pattern} ${host}`);
});

test("a pattern with many stars is quick for any name", () => {
  const decide = decider(one({ voms: "/a" }, `${"*a".repeat(200)}b`));
  const began = performance.now();
  for (let index = 0; index < 100; index++)
    assert.equal(fits(decide, { fqan: "/a", host: `${"a".repeat(900)}${index}` }), false);
  assert.ok(performance.now() - began < 2000);
});

test("5: people equal in 70 letters and pools equal in 10 stay apart", () => {
  const [first, second] = ["1", "2"].map(
    (end) => `/DC=org/DC=example/OU=Robots/CN=${"a very long robot's name ".repeat(4)}${end}`,
  ) as [string, string];
  const people = decider({ manual: [{ subject: first, account: "first" }], hosts: [{ match: "*", use: [] }] });
  assert.equal(fits(people, { subject: first }), true);
  assert.equal(fits(people, { subject: second }), false);
  const pools = {
    "user-groups": ["a", "b"].map((name) => ({ name, voms: `/${name}` })),
    "account-mappers": ["a", "b"].map((name) => ({ name, pool: `productionpool-${name}`, accounts: [`${name}1-9`] })),
    mappings: ["a", "b"].map((name) => ({ name, groups: [name], accounts: [name] })),
    hosts: [{ match: "*", use: ["a", "b"] }],
  };
  const decide = decider(pools, {
    ...EMPTY_STATE,
    pooled: [
      { pool: "productionpool-a", subject: first, account: "a1" },
      { pool: "productionpool-b", subject: second, account: "b1" },
    ],
  });
  const answer = (subject: string, fqan: string) => {
    const mapped = decide(question({ subject, fqan }));
    return mapped.outcome === "account" ? mapped.account : mapped.outcome;
  };
  assert.deepEqual([answer(first, "/a"), answer(second, "/a")], ["a1", "needs-pool"]);
  assert.deepEqual([answer(first, "/b"), answer(second, "/b")], ["needs-pool", "b1"]);
});

test("7: whoever gets nothing gets no name either", () => {
  const value = { ...one({ voms: "/a" }), banned: ["g"] };
  for (const fqan of ["/a", "/b", null]) {
    const mapped = decider(value)(question({ fqan }));
    assert.notEqual(mapped.outcome, "account");
    assert.equal("account" in mapped, false);
    assert.equal("group" in mapped, false);
  }
});

test("an issuer of tokens cannot speak for certificates", () => {
  const decide = decider({
    "user-groups": [
      { name: "g", manual: ["/DC=org/CN=Alice"] },
      { name: "t", token: { issuer: "https://t.example.org" } },
    ],
    "account-mappers": [{ name: "m", people: [{ subject: "/DC=org/CN=Alice", account: "alice" }] }],
    mappings: [{ name: "x", groups: ["g", "t"], accounts: ["m"] }],
    hosts: [{ match: "*", use: ["x"] }],
  });
  assert.equal(fits(decide, {}), true);
  const token = { issuer: "https://t.example.org", groups: [], scopes: [] };
  assert.equal(fits(decide, { token }), false);
  assert.equal(identityOf({ subject: "a", token }), "https://t.example.org a");
  for (const issuer of ["/DC=org/CN=Alice", "http://t.example.org", "https://t.example.org /x", ""])
    assert.equal(identityOf({ subject: "a", token: { issuer, groups: [], scopes: [] } }), null);
  assert.equal(identityOf({ subject: "Alice", token: null }), null);
});

test("what if: calls lost, gained and changed, worst first, in few examples", () => {
  const before = decider(one({ voms: "/a" }));
  const after = decider({
    ...one({ voms: "/a/b" }),
    "account-mappers": [{ name: "m", account: "other" }],
    hosts: [{ match: "*.example.org", use: ["x"] }],
  });
  const records = [
    { question: question({ fqan: "/a" }), count: 5 },
    { question: question({ fqan: "/a/b" }), count: 7 },
    { question: question({ fqan: "/c" }), count: 100 },
    ...Array.from({ length: 5000 }, (_, index) => ({
      question: question({ fqan: "/a", subject: `/CN=${index}` }),
      count: 1,
    })),
  ];
  const { calls, questions, examples } = whatIf(before, after, records, 10);
  assert.deepEqual(calls, { lost: 5005, gained: 0, "other account": 7, "other group": 0, same: 100 });
  assert.deepEqual(questions, { lost: 5001, gained: 0, "other account": 1, "other group": 0, same: 1 });
  assert.equal(examples.length, 10);
  assert.deepEqual(
    examples.slice(0, 2).map((one) => [one.change, one.count]),
    [
      ["other account", 7],
      ["lost", 5],
    ],
  );
  assert.equal(whatIf(after, before, records).calls.gained, 5005);
});

test("an explanation in words", () => {
  const { policy } = readGumsPolicy({
    hosts: [
      { match: "gate.example.org", use: [] },
      { match: "*", use: ["nova"] },
    ],
    groups: [{ name: "nova", fqan: "/fermilab/nova", account: "nova" }],
  });
  const explained = explainGums(policy!, stateOf(EMPTY_STATE), question({ fqan: "/fermilab/novafoo" }));
  assert.deepEqual(
    explained.steps.map((step) => `${step.looked} ${step.name}: ${step.says}`),
    [
      "host rule gate.example.org: none of its patterns is node.example.org",
      "host rule *: * is node.example.org",
      "user group people: has no account in people",
      "user group nova: /fermilab/novafoo is not /fermilab/nova or below it",
    ],
  );
  assert.equal(explained.says, "no account here");
});
