/** The `vos` setting: what it becomes, and every mistake at its own line and column of the site file. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatDiagnostic, readSite } from "../../src/model/index.ts";
import { RECIPES, readMail } from "../../src/recipes/index.ts";
import { readVos, type VoDefinition } from "../../src/vo/index.ts";

function vosOf(...vos: readonly unknown[]): readonly VoDefinition[] {
  const read = readVos(vos);
  assert.ok(read.vos, JSON.stringify(read.mistakes));
  return read.vos;
}

const SITE = `site: s
network: { cidr: 10.20.0.0/24 }
hosts:
  - { name: a, prefix: a, cpus: 4, memory: 16 GiB }
  - { name: b, prefix: b, cpus: 4, memory: 16 GiB }
services:
  lvs: { recipe: lvs, strategy: active-standby }
  mysql: { recipe: mysql, strategy: replicated-database, mode: circular, alias: { name: mysql, port: 3306 } }
  voms:
    recipe: voms
    alias: { name: voms, port: 15001 }
    needs: [mysql]
    settings:
      vos:
`;

describe("organizations of a site file", () => {
  it("have defaults, parents of groups, the organization itself first", () => {
    const [vo] = vosOf({ name: "fermilab", groups: ["/fermilab/minos/analysis"] });
    assert.deepEqual(vo, {
      name: "fermilab",
      title: "fermilab",
      groups: ["/fermilab", "/fermilab/minos", "/fermilab/minos/analysis"],
      roles: [],
      managers: [],
      rules: null,
      institutions: [],
      membership: 365 * 86_400,
      notices: [30 * 86_400, 7 * 86_400, 86_400],
      issuers: [],
      lifetime: 86_400,
      members: [],
    });
  });

  it("are read in every part", () => {
    const [vo] = vosOf({
      name: "fermilab",
      title: "Fermilab",
      roles: ["Production", "Production"],
      managers: ["CN=Manfred, DC=org"],
      rules: { version: 2.1, text: "Be kind.\n", every: "never", grace: "none" },
      institutions: [{ name: "Karlsruhe", representatives: ["/DC=org/CN=Karl"], until: "2027-06-30" }],
      membership: "forever",
      notices: ["1 day", "30 days", "1 day"],
      issuers: ["https://tokens.example.org/fermilab"],
      lifetime: "12 h",
      members: [
        {
          subject: "/DC=org/CN=Filip",
          issuer: "CN=CA, DC=org",
          fqans: ["/fermilab/Role=Production"],
          email: "f@example.org",
        },
      ],
    });
    assert.deepEqual(
      [vo!.roles, vo!.managers, vo!.membership, vo!.notices, vo!.lifetime],
      [["Production"], ["/DC=org/CN=Manfred"], null, [2_592_000, 86_400], 43_200],
    );
    assert.deepEqual(vo!.rules, { version: "2.1", text: "Be kind.", every: null, grace: 0 });
    assert.deepEqual(vo!.institutions, [
      { name: "Karlsruhe", representatives: ["/DC=org/CN=Karl"], until: Date.parse("2027-06-30T23:59:59Z") },
    ]);
    assert.deepEqual(vo!.members, [
      {
        subject: "/DC=org/CN=Filip",
        issuer: "/DC=org/CN=CA",
        fqans: ["/fermilab/Role=Production"],
        email: "f@example.org",
      },
    ]);
    assert.deepEqual(readVos(undefined).vos, []);
  });

  /** What stands under `vos:`, and what is said of it. Lines are counted from there. */
  const MISTAKES: readonly (readonly [string, readonly (readonly [number, RegExp])[]])[] = [
    ["- {}", [[1, /name is missing/]]],
    ['- { name: "a b" }', [[1, /expected a name of letters/]]],
    ["- { name: x, wrong: 1 }", [[1, /wrong/]]],
    ["- { name: x, groups: [/y/a] }", [[1, /expected a group of x such as \/x\/analysis/]]],
    ["- { name: x, groups: [nova] }", [[1, /groups\[0\]/]]],
    ["- { name: x, roles: [a b] }", [[1, /expected a role such as Production/]]],
    ["- { name: x, roles: ['NULL'] }", [[1, /expected a role/]]],
    ["- { name: x, managers: [Manfred] }", [[1, /managers\[0\]/]]],
    ["- { name: x, membership: 5 }", [[1, /expected a time of a day or more/]]],
    ["- { name: x, lifetime: 1 s }", [[1, /expected a time of a minute or more/]]],
    ["- { name: x, rules: { text: a } }", [[1, /version/]]],
    ["- { name: x, rules: { version: 1, text: '' } }", [[1, /expected the rules/]]],
    ["- { name: x, institutions: [{ name: a, until: tomorrow }] }", [[1, /expected a day such as 2027-06-30/]]],
    ["- { name: x, institutions: [{ name: a }, { name: a }] }", [[1, /a/]]],
    ["- { name: x, notices: [soon] }", [[1, /expected a time such as 30 days/]]],
    ["- { name: x, issuers: ['http://a.example.org'] }", [[1, /expected an address like https/]]],
    [
      "- name: x\n  members:\n    - { subject: /CN=a, fqans: [/x/nova] }\n    - { subject: /CN=a }",
      [
        [3, /groups has no \/x\/nova/],
        [4, /\/CN=a is given twice/],
      ],
    ],
    ["- { name: x, members: [{ subject: /CN=a, fqans: [/x/Role=King] }] }", [[1, /roles has no King/]]],
    ["- name: x\n- name: y\n- name: x", [[3, /x/]]],
    ["- 7", [[1, /expected an organization/]]],
  ];
  for (const [text, expected] of MISTAKES)
    it(`${text.replaceAll("\n", " ")} is a mistake where it stands`, () => {
      const indented = text
        .split("\n")
        .map((line) => `        ${line}`)
        .join("\n");
      const reading = readSite({ file: "site.yaml", text: `${SITE}${indented}\n` }, RECIPES);
      const said = reading.ok ? [] : reading.diagnostics.map(formatDiagnostic);
      assert.equal(said.length, expected.length, said.join("\n"));
      for (const [index, [line, says]] of expected.entries()) {
        const at = SITE.split("\n").length - 1 + line;
        assert.match(said[index]!, new RegExp(`^site\\.yaml:${at}:\\d+: `), said[index]!);
        assert.match(said[index]!, says);
      }
    });
});

describe("the mail setting", () => {
  const good = { server: "smtp.example.org", from: "vomrs@example.org" };
  it("has the port of its kind of encryption, and no password over a line that anybody can read", () => {
    assert.deepEqual(readMail(good), {
      server: "smtp.example.org",
      port: 587,
      tls: "starttls",
      from: "vomrs@example.org",
      operators: null,
      authority: null,
      login: null,
    });
    assert.equal(readMail({ ...good, tls: "tls" })?.port, 465);
    assert.equal(readMail({ ...good, operators: "grid@example.org" })?.operators, "grid@example.org");
    for (const wrong of [
      { ...good, tls: "none", user: "u", "password-file": "/etc/p" },
      { ...good, user: "u" },
      { ...good, "password-file": "/etc/p" },
      { ...good, port: 70_000 },
      { ...good, from: "vomrs" },
      { ...good, operators: "a@b\nc" },
      { ...good, authority: "relative" },
      { ...good, more: 1 },
      { from: "a@b" },
      "smtp",
    ])
      assert.equal(readMail(wrong), null, JSON.stringify(wrong));
  });
});
