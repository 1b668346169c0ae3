/** Both spellings of a policy in a site file: what they become, and every mistake at its own line and column. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { formatDiagnostic, readSite } from "../../src/model/index.ts";
import { expandAccounts, policyToSite, readGumsPolicy } from "../../src/policy/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";
import { HOUSE } from "../support/domus.ts";
import { Chance, randomPolicy } from "./random.ts";

const short = {
  hosts: [{ match: "*.example.org", use: ["production", "nova"] }],
  groups: [
    { name: "production", fqan: "/fermilab/nova/Role=Production", account: "novapro" },
    { name: "nova", fqan: "/fermilab/nova/Role=NULL/Capability=NULL", account: "nova", group: "novagroup" },
  ],
  manual: [{ subject: "CN=Alice, DC=org", account: "alice" }],
};

const FULL = {
  "voms-servers": [{ name: "fermilab", url: "https://voms.example.org:8443/voms/fermilab" }],
  "user-groups": [
    { name: "robots", manual: ["/DC=org/CN=Robot", { subject: "/DC=org/CN=R2", fqan: "/a", email: "r2@example.org" }] },
    { name: "nova", voms: "/fermilab/nova", server: "fermilab", remainder: "/nova", "without-fqan": true },
    { name: "production", voms: "/fermilab/nova", role: "Production", access: "write" },
    { name: "dune", token: { issuer: "https://cilogon.example.org/dune", group: "/dune/production" } },
    { name: "bad", manual: [], description: "those we had trouble with" },
    { name: "anybody-known", mapped: "people" },
  ],
  "account-mappers": [
    { name: "novapro", account: "novapro", group: "nova" },
    { name: "people", people: [{ subject: "/DC=org/CN=Alice", account: "alice" }] },
    { name: "nova-pool", pool: "nova", accounts: ["nova0001-0500", "novaextra"], group: "nova" },
  ],
  mappings: [
    { name: "production", groups: ["production"], accounts: ["novapro"], "accounting-vo": "Fermilab" },
    { name: "nova", groups: ["robots", "nova", "dune"], accounts: ["people", "nova-pool"] },
  ],
  hosts: [
    { match: ["*.example.org", "/DC=org/CN=host/*"], use: ["production", "nova"] },
    { match: "gate.example.com", use: ["nova"] },
  ],
  banned: ["bad"],
};

function policyOf(value: unknown) {
  const { policy, mistakes } = readGumsPolicy(value);
  assert.ok(policy, JSON.stringify(mistakes));
  return policy;
}

test("the short spelling becomes groups, mappers and mappings, people first", () => {
  const policy = policyOf(short);
  assert.deepEqual(
    policy.userGroups.map((one) => (one.kind === "voms" ? [one.match, one.group, one.role] : [one.kind])),
    [["mapped"], ["exact", "/fermilab/nova", "Production"], ["vogroup", "/fermilab/nova", null]],
  );
  assert.deepEqual(policy.hosts[0]!.mappings, ["people", "production", "nova"]);
  assert.deepEqual(
    policy.accountMappers.map((one) => (one.kind === "group" ? [one.account, one.group] : one.kind)),
    ["manual", ["novapro", "novapro"], ["nova", "novagroup"]],
  );
  assert.deepEqual(policyOf(undefined).hosts, []);
});

test("the full spelling, and back", () => {
  const policy = policyOf(FULL);
  assert.deepEqual(
    policy.userGroups.map((one) => (one.kind === "voms" ? one.match : one.kind)),
    ["manual", "vogroup", "exact", "token", "manual", "mapped"],
  );
  assert.deepEqual(policyOf(policyToSite(policy)), policy);
  assert.deepEqual(policyOf(policyToSite(policyOf(short))), policyOf(short));
  // As text: nothing in it needs more than JSON, and so YAML, can say.
  assert.deepEqual(policyOf(JSON.parse(JSON.stringify(policyToSite(policy)))), policy);
});

test("the policy in docs/operating.md is one", () => {
  const page = readFileSync(join(HOUSE, "docs/operating.md"), "utf8");
  const shown = /```yaml\n(policy:\n.*?)```/s.exec(page);
  const { policy } = parse(shown![1]!) as { policy: unknown };
  assert.deepEqual(policyOf(policy).banned, ["expelled"]);
});

test("1,000 random policies: what a site file says of them is them", () => {
  let read = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const made = randomPolicy(new Chance(seed));
    // What the reader refuses by right: VOMS groups that nobody can be in, and DNs in another spelling than the normal one.
    const userGroups = made.userGroups.map((one) =>
      one.kind === "voms" ? { ...one, group: one.group ?? "/a", role: one.match === "role" ? "r" : one.role } : one,
    );
    const hosts = made.hosts.map((one) => ({
      ...one,
      match: one.match.map((pattern) => pattern.replace("/dc=org/cn=", "/DC=org/CN=")),
    }));
    const policy = { ...made, userGroups, hosts };
    assert.deepEqual(policyOf(policyToSite(policy)), policy);
    read++;
  }
  assert.equal(read, 1000);
});

test("ranges of accounts", () => {
  assert.deepEqual(expandAccounts("nova08-11"), ["nova08", "nova09", "nova10", "nova11"]);
  assert.deepEqual(expandAccounts("a1b2-4"), ["a1b2", "a1b3", "a1b4"]);
  assert.deepEqual(expandAccounts("x1-200"), ["x1-200"]);
  for (const none of ["nova11-08", "Nova01-02", "nova 1", "", "nova000001-999999"])
    assert.equal(expandAccounts(none), null);
});

/** Ten lines stand before the policy. */
function diagnostics(policy: string): readonly string[] {
  const indented = policy.split("\n").map((line) => `        ${line}`);
  const site = [
    "site: test",
    "hosts:",
    "  - { name: north, prefix: nx, cpus: 4, memory: 8 GiB }",
    "  - { name: south, prefix: sx, cpus: 4, memory: 8 GiB }",
    "services:",
    "  lvs: { recipe: lvs, strategy: active-standby }",
    "  gums:",
    "    recipe: gums",
    "    settings:",
    "      policy:",
    ...indented,
  ].join("\n");
  const reading = readSite({ file: "site.yaml", text: site }, RECIPES);
  return reading.ok ? [] : reading.diagnostics.map(formatDiagnostic);
}

const AT = "services.gums.settings.policy";
for (const [is, policy, says] of [
  [
    "unknown keys, names and wrong values, all at once",
    `user-groups:
  - { name: nova, vmos: /fermilab/nova }
  - { name: a, voms: fermilab }
  - { name: b, voms: /a, match: exakt }
  - { name: b, manual: [Alice] }
mappings:
  - { name: m, groups: [nvoa], accounts: [] }
hosts:
  - { match: "*", use: [n] }`,
    [
      `site.yaml:12:13: ${AT}.user-groups[0]: expected one of the keys manual, voms, token, mapped, found none`,
      `site.yaml:12:27: ${AT}.user-groups[0].vmos: unknown key; did you mean "voms"?`,
      `site.yaml:13:30: ${AT}.user-groups[1].voms: expected a group such as /fermilab/nova: an FQAN starts with "/", as in /fermilab/nova/Role=Production`,
      `site.yaml:14:41: ${AT}.user-groups[2].match: expected exact, vorole, role, vogroup, vo, ignore, found "exakt"; did you mean "exact"?`,
      `site.yaml:15:21: ${AT}.user-groups[3].name: "b" is given twice`,
      `site.yaml:15:33: ${AT}.user-groups[3].manual[0]: expected a name such as /DC=org/CN=Alice: expected TYPE=value, found "Alice"`,
      `site.yaml:17:33: ${AT}.mappings[0].groups[0]: user-groups has no "nvoa"; did you mean "nova"?`,
      `site.yaml:19:33: ${AT}.hosts[0].use[0]: mappings has no "n"; expected one of m`,
    ],
  ],
  [
    "pools that share accounts",
    `account-mappers:
  - { name: a, pool: one, accounts: [x01-10] }
  - { name: b, pool: one, accounts: [x01-11] }
  - { name: c, pool: two, accounts: [y1, x10] }
  - { name: d, account: y1 }
  - { name: e, pool: three, accounts: [z000001-060000] }
  - { name: f, pool: four, accounts: [w000001-060000] }`,
    [
      `site.yaml:13:45: ${AT}.account-mappers[1].accounts: the pool one has other accounts in another mapper`,
      `site.yaml:14:46: ${AT}.account-mappers[2].accounts[0]: y1 is already the account of d`,
      `site.yaml:14:50: ${AT}.account-mappers[2].accounts[1]: x10 is already an account of pool one`,
      `site.yaml:17:47: ${AT}.account-mappers[5].accounts[0]: expected at most 100000 pool accounts in all`,
    ],
  ],
  [
    "the short spelling",
    `groups:
  - { name: nova, fqan: nova, account: Nova }
  - { name: people, fqan: /a, account: a }
hosts:
  - { match: "a b", use: [noav] }
  - { use: [] }`,
    [
      `site.yaml:12:33: ${AT}.groups[0].fqan: expected an FQAN such as /fermilab/nova: an FQAN starts with "/", as in /fermilab/nova/Role=Production`,
      `site.yaml:12:48: ${AT}.groups[0].account: expected an account such as novapro, found "Nova"`,
      `site.yaml:13:21: ${AT}.groups[1].name: people is the name of those in manual: take another`,
      `site.yaml:15:22: ${AT}.hosts[0].match: expected a pattern like "*.example.org", "*" or /DC=org/CN=*, found "a b"`,
      `site.yaml:15:35: ${AT}.hosts[0].use[0]: groups has no "noav"; did you mean "nova"?`,
      `site.yaml:16:13: ${AT}.hosts[1]: match is missing: expected a pattern like "*.example.org", "*" or /DC=org/CN=*`,
    ],
  ],
  [
    "both spellings at once",
    `groups: []
user-groups: []`,
    [`site.yaml:11:9: ${AT}.groups: groups belongs to the short spelling: beside the other keys write user-groups`],
  ],
] as const)
  test(`mistakes in a site file: ${is}`, () => assert.deepEqual(diagnostics(policy), says));

test("values that are no policy are refused, never half read", () => {
  const values = [
    null,
    7,
    [],
    "x",
    { rules: [] },
    { hosts: {} },
    { "user-groups": [{ name: "a,b", manual: [] }] },
    { "user-groups": [{ name: " a", manual: [] }] },
    { "user-groups": [{ name: "a", manual: [], voms: "/a" }] },
    { "user-groups": [{ name: "a", manual: [], role: "x" }] },
    { "user-groups": [{ name: "a", voms: null }] },
    { "user-groups": [{ name: "a", voms: "/a/Role=x" }] },
    { "user-groups": [{ name: "a", voms: "/a", role: "x/y" }] },
    { "user-groups": [{ name: "a", token: { issuer: "http://x" } }] },
    { "user-groups": [{ name: "a", mapped: "m" }], "account-mappers": [{ name: "m", account: "a" }] },
    { "account-mappers": [{ name: "a", account: "root; rm" }] },
    { "account-mappers": [{ name: "a", account: "a", group: "A" }] },
    { "account-mappers": [{ name: "a", pool: "p", accounts: ["a9-1"] }] },
    { "account-mappers": [{ name: "a", account: "a", accounts: [] }] },
    { mappings: [{ name: "a" }] },
    { banned: ["nobody"] },
    { "voms-servers": [{ name: "a", url: "http://x" }] },
  ];
  for (const value of values) assert.ok((readGumsPolicy(value).mistakes?.length ?? 0) > 0, JSON.stringify(value));
});
