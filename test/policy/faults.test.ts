/**
 * Faults planted in the engine, one at a time: each must be noticed by the comparison with the reference. The original's own faults are
 * among them. A test that finds none of these would find nothing.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { compileGums } from "../../src/policy/index.ts";
import { HOUSE } from "../support/domus.ts";
import { difference } from "./random.ts";

interface Fault {
  readonly is: string;
  /** In `src/policy/gums/`. */
  readonly file: string;
  readonly instead: string;
  readonly planted: string;
}

const table = (is: string, instead: string, planted: string): Fault => ({
  is,
  file: "group-table.ts",
  instead,
  planted,
});
const compiled = (is: string, instead: string, planted: string): Fault => ({
  is,
  file: "compile.ts",
  instead,
  planted,
});
const host = (is: string, instead: string, planted: string): Fault => ({ is, file: "host.ts", instead, planted });

const FAULTS: readonly Fault[] = [
  table(
    "vorole takes any role of the VO (the original's 1)",
    "push(this.voRole.get(vo)?.get(role));",
    "for (const places of this.voRole.get(vo)?.values() ?? []) push(places);",
  ),
  table(
    "vorole takes the role of any VO (the original's 1)",
    "push(this.voRole.get(vo)?.get(role));",
    "for (const roles of this.voRole.values()) push(roles.get(role));",
  ),
  table("vogroup has no boundary (the original's 2)", 'end = group.lastIndexOf("/", end - 1)', "end--"),
  host(
    "a dot is any letter (the original's 3)",
    "pattern[at] === text[read]",
    '(pattern[at] === text[read] || pattern[at] === ".")',
  ),
  host("a star crosses dots", "!STOPS.has(text[taken]!)", "true"),
  host("letter case of hosts counts", "const whole = host.toLowerCase();", "const whole = host;"),
  host("a pattern comes before an exact name that stands first", "rule < first && ", ""),
  host(
    "an exact name comes before a pattern that stands first",
    "better?.rule ?? (",
    "(first < rules.length ? first : better?.rule) ?? (",
  ),
  host("host/ before a CN is kept", "[whole, common, common.slice(5)]", "[whole, common]"),
  compiled("bans are not looked at", "if (ban >= 0)", "if (ban >= 1000)"),
  compiled("a ban does not reach proxies", "withProxyParents(asked.identity)", "[asked.identity]"),
  table(
    "lists do not ban whoever shows an FQAN",
    "names.some((name) => this.listed(place, name, asked.fqan))",
    "asked.fqan === null && names.some((name) => this.listed(place, name, null))",
  ),
  table(
    "an FQAN that is not believed bans nobody and maps everybody",
    "asked.fqan !== null && asked.believed && group",
    "asked.fqan !== null && group",
  ),
  table(
    "whoever only says that he is of a banned group is banned",
    "asked.token === null && asked.fqan !== null && asked.believed ?",
    "asked.token === null && asked.fqan !== null ?",
  ),
  table("a believed FQAN bans nobody", "if (certain.has(place)) return true;", ""),
  table(
    "a banned group of match ignore bans everybody",
    "if (!this.any.includes(place)) found.add(place)",
    "found.add(place)",
  ),
  table(
    "a believed FQAN is not enough",
    "asked.fqan !== null && asked.believed && group",
    "asked.fqan === null && asked.believed && group",
  ),
  table("ignore believes", 'asked.believed && group.match !== "ignore"', "asked.believed"),
  table("a caller without FQAN is in every VOMS group that lists him", "if (group.withoutFqan) this", "this"),
  table("the FQAN of a list's entry does not count", "if (one === null || one === fqan) return true", "return true"),
  table("exact does not look at the role", "push(this.exact.get(fqan));", "push(this.exact.get(group));"),
  table(
    "the order of the groups is not kept",
    "next = Math.min(next, ",
    "next = Math.max(next === Number.POSITIVE_INFINITY ? -1 : next, ",
  ),
  table("the first group that has the caller ends it", "if (given !== null) return given;", "return given;"),
  compiled("the first mapper ends it", "if (given === null) continue;", "if (given === null) return null;"),
  compiled(
    "the policy's people come before the database's",
    "return recorded\n          ?",
    "return recorded && !people.has(identity)\n          ?",
  ),
  compiled("an exhausted pool is asked again", "exhausted.has(mapper.pool) ? null : wanted", "wanted"),
  compiled(
    "an exhausted pool forgets who has an account",
    "if (account !== undefined) return",
    "if (account !== undefined && !exhausted.has(mapper.pool)) return",
  ),
  compiled(
    "names are compared by 70 letters (the original's 5)",
    "people.get(identity) ?? null",
    "[...people].find(([name]) => name.slice(0, 70) === identity.slice(0, 70))?.[1] ?? null",
  ),
  compiled(
    "pools are told apart by 10 letters (the original's 5)",
    "state.pooled(mapper.pool, identity)",
    '(state.pooled(mapper.pool, identity) ?? (mapper.pool === "p" ? undefined : state.pooled("longpoolname-a", identity)))',
  ),
  compiled(
    "the mapper's Unix group hides the person's",
    "people.set(subject, { account, group: group ?? mapper.group })",
    "people.set(subject, { account, group: mapper.group ?? group })",
  ),
  table("a token's subject does not count", "group.subject !== null && group.subject !== subject", "false"),
  table(
    "a token's scope does not count",
    "group.scope !== null && !token.scopes",
    'group.scope === "" && !token.scopes',
  ),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: source text, not a template
  table("a token's group has no boundary", "one.startsWith(`${wanted}/`)", "one.startsWith(wanted)"),
  {
    is: "an issuer may name its subjects as certificates",
    file: "model.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text, not a template
    instead: "`${token.issuer} ${subject}`",
    planted: "subject",
  },
  { is: "any issuer will do", file: "model.ts", instead: "^https:", planted: "^https?:" },
];

const base = mkdtempSync(join(tmpdir(), "faults-"));
// The copies import packages by name: they are found where the house has them.
symlinkSync(join(HOUSE, "node_modules"), join(base, "node_modules"));
after(() => rmSync(base, { recursive: true, force: true }));

/** @returns the compiler of a copy of the engine in which one text is another */
async function withFault(index: number, fault: Fault | null): Promise<typeof compileGums> {
  const copy = join(base, String(index));
  mkdirSync(join(copy, "src/policy"), { recursive: true });
  writeFileSync(join(copy, "package.json"), '{ "type": "module" }');
  for (const part of ["src/grid", "src/policy/gums"]) cpSync(join(HOUSE, part), join(copy, part), { recursive: true });
  if (fault !== null) {
    const path = join(copy, "src/policy/gums", fault.file);
    const text = readFileSync(path, "utf8");
    assert.equal(text.split(fault.instead).length, 2, `${fault.is}: its text is not in ${fault.file} once`);
    writeFileSync(
      path,
      text.replace(fault.instead, () => fault.planted),
    );
  }
  const module = (await import(pathToFileURL(join(copy, "src/policy/gums/compile.ts")).href)) as {
    compileGums: typeof compileGums;
  };
  return module.compileGums;
}

test("a copy without a fault answers as the reference does", async () => {
  assert.equal(difference(await withFault(0, null), 200, 50), null);
});

for (const [index, fault] of FAULTS.entries())
  test(`noticed: ${fault.is}`, async () => {
    assert.notEqual(difference(await withFault(index + 1, fault), 1000, 50), null);
  });

test("there are at least twenty", () => assert.ok(FAULTS.length >= 20));
