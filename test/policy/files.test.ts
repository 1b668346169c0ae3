/** Files of others' software: reviewed texts, the same decisions as the policy's, and names that try to be more than names. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { formatFullFqan, parseFqan } from "../../src/grid/index.ts";
import {
  type Ban,
  compileGums,
  EMPTY_STATE,
  FILE_FORMATS,
  type FileRequest,
  type GumsPolicy,
  type ListedState,
  readGumsPolicy,
  stateOf,
} from "../../src/policy/index.ts";
import { Chance, randomPolicy, randomQuestion } from "./random.ts";

/** Compares with the reviewed text; `UPDATE_GOLDEN=1` writes it anew. */
function golden(name: string, text: string): void {
  const path = join(import.meta.dirname, "golden", name);
  if (process.env.UPDATE_GOLDEN || !existsSync(path)) writeFileSync(path, text);
  assert.equal(text, readFileSync(path, "utf8"));
}

function write(name: string, request: FileRequest) {
  const format = FILE_FORMATS.find((one) => one.name === name);
  assert.ok(format, name);
  return format.write(request);
}

/** Lines that are not comments and not empty. */
const entryLines = (text: string): readonly string[] =>
  text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

const { policy } = readGumsPolicy({
  "user-groups": [
    {
      name: "robots",
      manual: ["/DC=org/CN=Robot 2", "/DC=org/CN=Robot 1", { subject: "/DC=org/CN=R3", fqan: "/fermilab" }],
    },
    { name: "production", voms: "/fermilab/nova", role: "Production" },
    { name: "plain-fermilab", voms: "/fermilab", match: "exact" },
    { name: "nova", voms: "/fermilab/nova", "without-fqan": true, members: ["/DC=org/CN=Nora", "/DC=org/CN=Alice"] },
    { name: "dune", voms: "/dune", match: "vo" },
    { name: "pilots", voms: "/cms", role: "pilot", match: "vorole" },
    { name: "admins", voms: null, role: "lcgadmin", match: "role" },
    { name: "listed", voms: "/minerva", match: "ignore", "without-fqan": true, members: ["/DC=org/CN=Mina"] },
    { name: "dune-alice", token: { issuer: "https://tokens.example.org/dune", subject: "alice@example.org" } },
    { name: "dune-production", token: { issuer: "https://tokens.example.org/dune", group: "/dune/production" } },
    { name: "dune-tokens", token: { issuer: "https://tokens.example.org/dune" } },
    { name: "bad", manual: ["/DC=org/CN=Mallory", { subject: "/DC=org/CN=Trudy", fqan: "/fermilab/nova" }] },
    { name: "bad-group", voms: "/fermilab/expelled" },
  ],
  "account-mappers": [
    { name: "people", people: [{ subject: "/DC=org/CN=Alice", account: "alice", group: "users" }] },
    { name: "robot", account: "robot", group: "robots" },
    { name: "novapro", account: "novapro", group: "nova" },
    { name: "nova-pool", pool: "nova", accounts: ["nova0001-0003"], group: "nova" },
    { name: "pilot-pool", pool: "pilots", accounts: ["pilot1", "pilot7"] },
    { name: "fnal", account: "fnalgrid" },
    { name: "dune", account: "dune" },
    { name: "dunepro", account: "dunepro" },
  ],
  mappings: [
    { name: "robots", groups: ["robots"], accounts: ["robot"], "accounting-vo": "Fermilab" },
    { name: "production", groups: ["production"], accounts: ["novapro"], "accounting-vo": "Fermilab" },
    { name: "nova", groups: ["nova"], accounts: ["people", "nova-pool"], "accounting-vo": "NOvA" },
    { name: "pilots", groups: ["pilots"], accounts: ["pilot-pool"], "accounting-vo": "CMS" },
    { name: "rest", groups: ["plain-fermilab", "admins", "listed"], accounts: ["fnal"] },
    { name: "dune", groups: ["dune-alice", "dune", "dune-tokens"], accounts: ["dune"], "accounting-vo": "DUNE" },
    { name: "dune-production", groups: ["dune-production"], accounts: ["dunepro"], "accounting-vo": "DUNE" },
    { name: "elsewhere", groups: ["robots"], accounts: ["fnal"], "accounting-vo": "Elsewhere" },
  ],
  hosts: [
    { match: "*.example.org", use: ["robots", "production", "nova", "pilots", "dune-production", "rest", "dune"] },
    { match: "*", use: ["elsewhere"] },
  ],
  banned: ["bad", "bad-group"],
});

const STATE: ListedState = {
  memberships: [
    { group: "robots", subject: "/DC=org/CN=Robot 0", fqan: null },
    { group: "robots", subject: "/DC=org/CN=Mallory", fqan: null },
    { group: "robots", subject: "/DC=org/CN=Stolen", fqan: null },
    { group: "nova", subject: "/DC=org/CN=Paul", fqan: null },
    { group: "bad", subject: "/DC=org/CN=Eve", fqan: null },
  ],
  accounts: [{ mapper: "people", subject: "https://tokens.example.org/dune bob", account: "bob", group: null }],
  pooled: [{ pool: "nova", subject: "/DC=org/CN=Paul", account: "nova0002" }],
};

const REQUEST: FileRequest = {
  policy: policy!,
  state: STATE,
  host: "node1.example.org",
  issuer: null,
  bans: [
    { kind: "dn", value: "/DC=org/CN=Stolen" },
    { kind: "vo", value: "atlas" },
    { kind: "role", value: "/cms/Role=pilot" },
    { kind: "role", value: "/fermilab/old" },
    { kind: "ca", value: "/DC=org/CN=Broken CA" },
  ],
};

for (const { name, write: writer } of FILE_FORMATS)
  test(`as reviewed: ${name}`, () => {
    const { text } = writer(REQUEST);
    golden(`file.${name}.txt`, text);
    assert.equal(writer(structuredClone(REQUEST)).text, text);
    assert.match(text, /^[\x20-\x7e\n]*\n$/);
  });

test("a file gives out no pool account (the original's 6)", () => {
  const { text, leftOut } = write("grid-mapfile", REQUEST);
  assert.match(text, /"\/DC=org\/CN=Paul" nova0002/);
  assert.doesNotMatch(text, /^"\/DC=org\/CN=Nora"/m);
  assert.deepEqual(
    leftOut.map((one) => [one.name, one.says]),
    [["/DC=org/CN=Nora", "has no account of pool nova yet"]],
  );
});

test("300 random policies: a grid-mapfile has exactly the people who get an account without FQAN, and that one", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const chance = new Chance(seed);
    const random = randomPolicy(chance);
    const { host } = randomQuestion(chance);
    const state: ListedState = {
      memberships: chance.some(6, () => ({
        group: `g${chance.number(6)}`,
        subject: chance.one(["/CN=x", "/CN=z"]),
        fqan: null,
      })),
      accounts: chance.some(3, (at) => ({ mapper: `m${at}`, subject: "/CN=z", account: `z${at}`, group: null })),
      pooled: chance.some(2, (at) => ({ pool: "p", subject: "/CN=x", account: `p${at}` })),
    };
    const decide = compileGums(random, stateOf(state));
    const { text } = write("grid-mapfile", { policy: random, state, host, bans: [], issuer: null });
    const written = new Map(entryLines(text).map((line) => /^"(.+)" (.+)$/.exec(line)!.slice(1) as [string, string]));
    const longs = ["1", "2"].map((end) => `/DC=org/DC=example/OU=Robots/CN=Robot - ${"a long name ".repeat(4)}${end}`);
    for (const subject of ["/CN=x", "/CN=y", "/CN=xy", "/CN=z", "/CN=x/CN=proxy", ...longs]) {
      const mapped = decide({ subject, fqan: null, believed: false, host, token: null });
      assert.equal(
        written.get(subject),
        mapped.outcome === "account" ? mapped.account : undefined,
        `${seed} ${subject}`,
      );
      written.delete(subject);
    }
    assert.equal(written.size, 0);
  }
});

/** How LCMAPS compares: `*` is any text, slashes too. */
const lcmapsMatches = (pattern: string, fqan: string): boolean =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.]/g, "\\."))
      .join(".*")}$`,
  ).test(fqan);

test("1,000 random policies: the first line of a voms-mapfile that LCMAPS finds is the policy's account", () => {
  let found = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const chance = new Chance(seed);
    const made = randomPolicy(chance);
    const random: GumsPolicy = {
      ...made,
      banned: [],
      userGroups: made.userGroups.map((one, index) =>
        one.kind === "voms" && one.match !== "ignore"
          ? { ...one, members: [], group: one.group ?? "/a" }
          : { kind: "manual", name: `g${index}`, description: null, access: "read self", members: [] },
      ),
      accountMappers: made.accountMappers.map((one) =>
        one.kind === "pool" ? { kind: "group", name: one.name, description: null, group: null, account: "pool" } : one,
      ),
    };
    const { host } = randomQuestion(chance);
    const { text } = write("voms-mapfile", { policy: random, state: EMPTY_STATE, host, bans: [], issuer: null });
    const rules = entryLines(text).map((line) => /^"(.+)" (.+)$/.exec(line)!.slice(1) as [string, string]);
    const decide = compileGums(random, stateOf(EMPTY_STATE));
    for (let asked = 0; asked < 30; asked++) {
      const { fqan } = randomQuestion(chance);
      if (fqan === null) continue;
      const mapped = decide({ subject: "/CN=nobody", fqan, believed: true, host, token: null });
      const rule = rules.find(([pattern]) => lcmapsMatches(pattern, formatFullFqan(parseFqan(fqan))));
      assert.equal(rule?.[1], mapped.outcome === "account" ? mapped.account : undefined, `${seed} ${fqan}\n${text}`);
      if (rule) found++;
    }
  }
  assert.ok(found > 1000);
});

test("where SAZ bans holders of tokens, no line of a file of tokens could hold one of them; LCMAPS says that it cannot", () => {
  const issuer = "https://tokens.example.org/dune";
  const rules = (bans: readonly Ban[]) => {
    const { text } = write("scitokens.json", { ...REQUEST, issuer, bans });
    return (JSON.parse(text) as { sub?: string; group?: string }[]).map(({ sub, group }) => sub ?? group);
  };
  const all = ["/dune/production", "bob", "alice@example.org"];
  const sorted = (names: readonly unknown[]) => [...names].sort();
  assert.deepEqual(sorted(rules([])), sorted(all));
  for (const [ban, left] of [
    [{ kind: "token", value: `${issuer} alice@example.org` }, ["bob"]],
    [{ kind: "token", value: `${issuer} somebody` }, ["alice@example.org", "bob"]],
    [{ kind: "issuer", value: issuer }, []],
    [{ kind: "scope", value: `${issuer} compute.create` }, []],
    [{ kind: "vo", value: "dune" }, ["alice@example.org", "bob"]],
    [{ kind: "role", value: "/dune/production" }, ["alice@example.org", "bob"]],
    [{ kind: "issuer", value: `${issuer}/other` }, all],
    [{ kind: "token", value: "https://other.example.org alice@example.org" }, all],
    [{ kind: "vo", value: "du" }, all],
  ] as const) {
    assert.deepEqual(sorted(rules([ban])), sorted(left), JSON.stringify(ban));
    const { leftOut } = write("ban-dn.db", { ...REQUEST, bans: [ban] });
    const said = leftOut.some(({ name, loud }) => name === ban.value && loud);
    assert.equal(said, ban.kind !== "vo" && ban.kind !== "role", JSON.stringify(ban));
  }
});

test("boundaries: /fermilab/nova is not /fermilab/novafoo", () => {
  const { text } = write("voms-mapfile", REQUEST);
  assert.match(text, /^"\/fermilab\/nova\/\*" \.nova$/m);
  const bans = entryLines(write("ban-fqan.db", REQUEST).text).map((line) => line.slice(1, -1));
  const banned = (fqan: string): boolean => bans.some((one) => lcmapsMatches(one, formatFullFqan(parseFqan(fqan))));
  for (const fqan of [
    "/atlas",
    "/atlas/x/Role=y",
    "/cms/Role=pilot",
    "/fermilab/old",
    "/fermilab/old/x",
    "/fermilab/expelled",
  ])
    assert.equal(banned(fqan), true, fqan);
  for (const fqan of ["/atlasx", "/cms", "/cms/Role=pilots", "/fermilab/older", "/fermilab"])
    assert.equal(banned(fqan), false, fqan);
});

const LINES: Readonly<Record<string, RegExp>> = {
  "grid-mapfile": /^"\/[^"\n]+" [a-z_][a-z0-9_-]*$/,
  "voms-mapfile": /^"\/[^" \n]+" \.?[a-z_][a-z0-9_-]*$/,
  "ban-dn.db": /^"\/[^"\n]+"$/,
  "ban-fqan.db": /^"\/[^" \n]+"$/,
  "condor-mapfile": /^(?:SSL|GSI|SCITOKENS) \/\^(?:[A-Za-z0-9,]|\.\*|\\.)+\$\/ [a-z_][a-z0-9_-]*$/,
  "arc.conf":
    /^(?:\[authgroup:domus-\d+\]|\[mapping\]|subject = \/.+|voms = \S+ \S+ \S+ \S+|authtokens = \S+ https:\/\/\S* \* \* \S+|map_to_user = domus-\d+ [a-z_][a-z0-9:_-]*)$/,
  "osg-user-vo-map": /^[a-z_][a-z0-9_-]* [a-z0-9_.-]+$/,
};

test("whatever names are, they add no line, no entry and no wildcard", () => {
  const nasty = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom(
      '/CN=a" root\n"/CN=b',
      "/CN=*",
      "/CN=a\\",
      '/CN=a\\" root #',
      "/CN=a\r\n",
      "/CN=[a-z]",
      " ",
      "*",
      "/CN=a\u2028b",
      "$/ root\nSCITOKENS /.*",
      "x root\n[mapping]\nmap_to_user = all root",
    ),
    fc.string({ maxLength: 20 }).map((text) => `/CN=${text}`),
  );
  const names = fc.array(nasty, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(names, nasty, nasty, nasty, (subjects, label, role, other) => {
      const people = [...new Set(subjects)];
      const member = (subject: string) => ({ subject, fqan: null, email: null });
      const text = { description: label, access: "read self" } as const;
      const fqan = { match: "exact", group: other, role, withoutFqan: false, server: null, remainder: null } as const;
      const odd: GumsPolicy = {
        banned: ["banned"],
        vomsServers: [],
        userGroups: [
          { kind: "manual", name: "people", ...text, members: people.map(member) },
          { kind: "manual", name: "banned", ...text, members: people.map((one) => member(`${one}!`)) },
          { kind: "voms", name: "voms", ...text, ...fqan, members: [] },
          {
            kind: "token",
            name: "token",
            ...text,
            issuer: `https://${other}`,
            subject: role,
            group: null,
            scope: null,
          },
        ],
        accountMappers: [{ kind: "group", name: "one", description: label, account: "one", group: other }],
        mappings: [
          {
            name: label,
            description: label,
            userGroups: ["people", "voms", "token"],
            accountMappers: ["one"],
            accountingVo: other,
            accountingVoSubgroup: role,
          },
        ],
        hosts: [{ match: ["*"], description: label, mappings: [label] }],
      };
      const request: FileRequest = {
        policy: odd,
        state: {
          ...EMPTY_STATE,
          accounts: people.map((subject) => ({ mapper: other, subject, account: label, group: role })),
        },
        bans: [
          ...people.map((value) => ({ kind: "dn", value }) as const),
          { kind: "vo", value: other },
          { kind: "role", value: role },
          { kind: "ca", value: label },
        ],
        host: "node.example.org",
        issuer: `https://${other}`,
      };
      for (const format of FILE_FORMATS) {
        // Bans of people would empty the grid-mapfile.
        const asked = format.name === "ban-dn.db" ? request : { ...request, bans: [] };
        const { text: written, leftOut } = format.write(asked);
        assert.match(written, /^[\x20-\x7e\n]*$/);
        if (format.name === "scitokens.json") {
          const rules = JSON.parse(written) as { sub?: string }[];
          assert.ok(rules.length <= 1 && rules.every((rule) => rule.sub === role));
          continue;
        }
        const entries = entryLines(written);
        for (const line of entries) assert.match(line, LINES[format.name]!);
        const quoted = entries.flatMap((line) => /^"(\/[^"]+)"/.exec(line)?.[1] ?? []);
        assert.equal(new Set(quoted).size, quoted.length);
        if (format.name === "grid-mapfile") {
          assert.ok(quoted.every((one) => people.includes(one)));
          const certificates = people.filter((one) => one.startsWith("/"));
          assert.equal(quoted.length + leftOut.length, certificates.length);
        }
        if (format.name === "ban-dn.db") {
          const all = new Set([...people, ...people.map((one) => `${one}!`)]);
          assert.ok(quoted.every((one) => all.has(one)));
          assert.equal(
            quoted.length + leftOut.filter((one) => one.says.includes("cannot say the name")).length,
            all.size,
          );
        }
        for (const one of quoted) assert.doesNotMatch(one.replace(/\/\*$/, ""), /[*?[\]]/);
      }
    }),
    { numRuns: 500, seed: 7 },
  );
});
