/** `gums.config` in and out: what is carried, what is not and is said, what is refused with line and column. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  compileGums,
  exportGumsConfig,
  type GumsPolicy,
  type GumsState,
  importGumsConfig,
  LONGEST_CONFIG,
  policyToSite,
  readGumsPolicy,
} from "../../src/policy/index.ts";
import { Chance, randomPolicy } from "./random.ts";

const FIXTURE = readFileSync(join(import.meta.dirname, "gums.config"), "utf8");
const NOBODY: GumsState = { memberships: () => [], account: () => undefined, pooled: () => undefined };

/** Compares with the reviewed text; `UPDATE_GOLDEN=1` writes it anew. */
function golden(name: string, text: string): void {
  const path = join(import.meta.dirname, "golden", name);
  if (process.env.UPDATE_GOLDEN || !existsSync(path)) writeFileSync(path, text);
  assert.equal(text, readFileSync(path, "utf8"));
}

function imported(text: string) {
  const found = importGumsConfig(text);
  assert.ok(found.policy, JSON.stringify(found.mistakes));
  return found;
}

test("a real file: the policy, and everything that could not be carried", () => {
  const { policy, carried, notCarried } = imported(FIXTURE);
  const told = notCarried.map(
    (one) =>
      `${one.loud ? "! " : ""}${one.line}:${one.column}: ${one.element} ${one.name}: ${one.says}\n    ${one.consequence}`,
  );
  const kept = carried.map((one) => `${one.line}:${one.column}: ${one.element} ${one.name}: ${one.says}`);
  golden(
    "gums.config.txt",
    [`not carried:`, ...told, "", "carried:", ...kept, "", JSON.stringify(policyToSite(policy), null, 1), ""].join(
      "\n",
    ),
  );
  assert.deepEqual(readGumsPolicy(policyToSite(policy)).policy, policy);
});

test("what could not be carried lets nobody in", () => {
  const { policy } = imported(FIXTURE);
  const decide = compileGums(policy, NOBODY);
  const ask = (fqan: string | null, host: string) =>
    decide({ subject: "/CN=x", fqan, believed: true, host, token: null }).outcome;
  // No role at all is in no group "everybody", a group without voGroup holds nobody, `ignore` believes nothing.
  for (const fqan of ["/old", "/fermilab/other", "/x/Role=pilot", null]) assert.equal(ask(fqan, "laptop"), "none");
  assert.equal(ask("/fermilab/nova/Role=Production", "node1.fnal.example.org"), "account");
  assert.equal(ask("/fermilab/nova", "node1.fnal.example.org"), "needs-pool");
  assert.equal(ask("/fermilab/novafoo", "node1.fnal.example.org"), "account");
  assert.equal(ask("/fermilab/nova", "node1.fnalxexample.org"), "none");
  assert.equal(ask("/cms/sub/Role=pilot", "/DC=org/DC=example/OU=Services/CN=node.cms.example.org"), "needs-pool");
});

/** What the file cannot say, taken out. */
function sayable(policy: GumsPolicy): GumsPolicy {
  const userGroups = policy.userGroups.map((one) => {
    if (one.kind === "voms") {
      const fits = { ...one, members: [], group: one.group ?? "/a", role: one.match === "role" ? "r" : one.role };
      return fits;
    }
    const { name, description, access } = one;
    return { kind: "manual" as const, name, description, access, members: [] };
  });
  const accountMappers = policy.accountMappers.map((one) => (one.kind === "manual" ? { ...one, entries: [] } : one));
  const hosts = policy.hosts.map((one) => {
    const first = one.match[0]!.startsWith("/");
    const match = one.match.filter((pattern) => pattern.startsWith("/") === first);
    return { ...one, match: [...new Set(match.map((pattern) => pattern.replace("/dc=org/cn=", "/DC=org/CN=")))] };
  });
  const banned = [...new Set(policy.banned)];
  return { ...policy, userGroups, accountMappers, hosts, banned };
}

test("1,000 random policies: exported and imported they are themselves", () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const chance = new Chance(seed);
    const policy = sayable(randomPolicy(chance));
    const dressed: GumsPolicy = {
      ...policy,
      vomsServers: [
        { name: `v <&"'> ${seed}`, description: `"a" & 'b' <c>`, url: "https://voms.example.org/?a=1&b=2" },
      ],
      userGroups: policy.userGroups.map((one) => ({
        ...one,
        description: chance.one([null, "x > y", "ü"]),
        access: chance.one(["write", "read all", "read self"] as const),
      })),
    };
    const { text, notExported } = exportGumsConfig(dressed);
    assert.deepEqual(notExported, []);
    assert.deepEqual(imported(text).policy, dressed);
  }
});

test("what the file cannot say is reported, and its names stay", () => {
  const { policy } = readGumsPolicy({
    "user-groups": [
      { name: "token", token: { issuer: "https://tokens.example.org" } },
      { name: "known", mapped: "people" },
      { name: "list", manual: ["/CN=a", "/CN=b"] },
    ],
    "account-mappers": [
      { name: "people", people: [{ subject: "/CN=a", account: "a" }] },
      { name: "pool", pool: "p", accounts: ["p01-10"] },
    ],
    mappings: [{ name: "m", groups: ["token", "known", "list"], accounts: ["people", "pool"] }],
    hosts: [{ match: ["*.a.org", "/DC=org/CN=*", "/O=Example, Inc./CN=x"], use: ["m"] }],
    banned: ["token"],
  });
  const { text, notExported } = exportGumsConfig(policy!);
  assert.deepEqual(
    notExported.map((one) => one.name),
    ["token", "known", "list", "people", "pool", "/O=Example, Inc./CN=x"],
  );
  assert.match(notExported[0]!.says, /ITS BAN IS LOST/);
  const back = imported(text).policy;
  assert.deepEqual(back.banned, ["token"]);
  assert.deepEqual(
    back.hosts.map((one) => one.match),
    [["*.a.org"], ["/DC=org/CN=*"]],
  );
});

const FRAME = (inside: string, root = ""): string =>
  `<gums version='1.3'${root}>\n<persistenceFactories><hibernatePersistenceFactory name='mysql'/></persistenceFactories>\n${inside}\n</gums>\n`;
const GROUPS = "<userGroups/>";

for (const [is, text, says] of [
  ["not XML", "gums: {}", ["1:8: text data outside of root node"]],
  ["no end", "<gums version='1.3'>\n", ["2:1: unclosed tag: gums"]],
  ["empty", "", ["1:1: document must contain a root element"]],
  [
    "a document type",
    `<!DOCTYPE gums [<!ENTITY a "b">]>\n<gums/>`,
    ["1:33: a document type is not allowed: it could define entities"],
  ],
  ["an unknown entity", FRAME(GROUPS, " bannedUserGroups='&x;'"), ["1:41: undefined entity"]],
  ["an attribute twice", "<gums version='1.3' version='1.3'/>", ["1:35: duplicate attribute: version"]],
  ["text", FRAME(`${GROUPS} words`), ["4:1: expected elements and no text"]],
  [
    "another root",
    "<gumsConfig/>",
    [
      "1:1: expected the element gums, found gumsConfig",
      "1:1: persistenceFactories is missing",
      "1:1: userGroups is missing",
    ],
  ],
  ["another version", FRAME(GROUPS).replace("1.3", "1.1"), ['1:1: version: expected 1.3, found "1.1"']],
  [
    "sections out of order, twice, unknown",
    FRAME(`${GROUPS}\n<vomsServers/>\n${GROUPS}\n<acountMappers/>`),
    [
      "4:1: expected vomsServers before userGroups",
      "5:1: userGroups is given twice",
      '6:1: unknown element acountMappers; did you mean "accountMappers"?',
    ],
  ],
  [
    "missing attributes and wrong values",
    FRAME(`<userGroups>
 <vomsUserGroup name='a' matchFQAN='exakt' acceptProxyWithoutFQAN='yes'/>
 <vomsUserGroup name='a' matchFQAN='exact' acceptProxyWithoutFQAN='true' vomsServer='x'/>
 <manualUserGroup name='b'/>
 <manualUserGroup name='c,d' persistenceFactory='mysqk'/>
 <userGroup name='e'/>
</userGroups>`),
    [
      "5:2: the name a is given twice",
      "6:2: manualUserGroup: persistenceFactory is missing",
      '7:2: "c,d" is no name',
      '7:2: persistenceFactory: persistenceFactories has no "mysqk"; did you mean "mysql"?',
      '8:2: userGroups has no userGroup; did you mean "vomsUserGroup"?',
      '4:2: acceptProxyWithoutFQAN: expected true, false, found "yes"',
      '4:2: matchFQAN: expected exact, vorole, role, vogroup, vo, ignore, group, found "exakt"',
    ],
  ],
  [
    "names that nothing has",
    FRAME(
      `${GROUPS}
<groupToAccountMappings><groupToAccountMapping name='m' userGroups='nobody' accountMappers='x'/></groupToAccountMappings>
<hostToGroupMappings><hostToGroupMapping cn='*' dn='/CN=*'/></hostToGroupMappings>`,
      " bannedUserGroups='nobody'",
    ),
    [
      '1:1: bannedUserGroups: userGroups has no "nobody"; there is none',
      "5:22: hostToGroupMapping: expected cn or dn, one of them",
    ],
  ],
] as const)
  test(`refused: ${is}`, () => {
    const { mistakes } = importGumsConfig(text);
    const found = (mistakes ?? []).map((one) => `${one.line}:${one.column}: ${one.says}`);
    assert.deepEqual(found.toSorted(), [...says].sort());
  });

test("two older spellings of matchFQAN", () => {
  const { policy } = imported(
    FRAME(`<userGroups>
      <vomsUserGroup name='a' matchFQAN='group' acceptProxyWithoutFQAN='false' voGroup='/a'/>
      <vomsUserGroup name='b' matchFQAN='' acceptProxyWithoutFQAN='false' voGroup='/a' role='NULL'/>
    </userGroups>`),
  );
  assert.deepEqual(
    policy.userGroups.map((one) => one.kind === "voms" && [one.match, one.group, one.role]),
    [
      ["vogroup", "/a", null],
      ["exact", "/a", null],
    ],
  );
});

test("sixteen megabytes of anything end in seconds", () => {
  const groups = Array.from(
    { length: 50_000 },
    (_, index) => `<manualUserGroup name='g${index}' persistenceFactory='mysql'/>`,
  );
  assert.equal(imported(FRAME(`<userGroups>${groups.join("")}</userGroups>`)).policy.userGroups.length, 50_000);
  assert.equal(importGumsConfig(FRAME(`<userGroups>${"<foo/>".repeat(1_000_000)}</userGroups>`)).mistakes!.length, 200);
});

test("a file that is too large or too deep is refused unread", () => {
  assert.match(importGumsConfig(" ".repeat(LONGEST_CONFIG + 1)).mistakes![0]!.says, /16 MiB/);
  assert.match(importGumsConfig("<gums>".repeat(100_000)).mistakes![0]!.says, /nested too deeply/);
});
