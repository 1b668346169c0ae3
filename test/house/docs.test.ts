/** What the documentation names exists, and what exists is named: fault codes, keys of site files, commands, files. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { FAULT_CODES, NUMBER_ASSUMPTIONS } from "../../src/model/index.ts";

const HOUSE = resolve(import.meta.dirname, "../..");
const PAGES = ["README.md", "SECURITY.md", "CONTRIBUTING.md", ...globSync("docs/*.md", { cwd: HOUSE })];
const read = (path: string): string => readFileSync(join(HOUSE, path), "utf8");
const operating = read("docs/operating.md");
/** Everything that stands in code: between backticks, or in a fenced block. */
const codeOf = (page: string): readonly string[] => [
  ...[...page.matchAll(/```[a-z]*\n([\s\S]*?)```/g)].map((match) => match[1]!),
  ...[...page.replaceAll(/```[\s\S]*?```/g, "").matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!),
];
const code = codeOf(operating);

/** Keys as the tables of `fields.ts` have them: read from its text, because the tables themselves are private to reading. */
function siteKeys(file: string): readonly string[] {
  const text = read(file);
  return [...text.matchAll(/^\s+"?([a-z][a-z0-9-]*)"?: (?:optional|required)\(/gm)].map((match) => match[1]!);
}

describe("docs/operating.md", () => {
  it("has every fault with its exit status", () => {
    for (const fault of FAULT_CODES)
      assert.match(operating, new RegExp(`^\\| \`${fault.replace(".", "\\.")}\`\\s*\\| [123]\\s*\\|`, "m"));
  });

  for (const [what, least, keysIn] of [
    ["a site file", 50, () => siteKeys("src/model/read/fields.ts")],
    ["a table of systems", 20, () => [...siteKeys("src/model/read/systems.ts"), ...NUMBER_ASSUMPTIONS]],
  ] as const)
    it(`has every key of ${what}`, () => {
      const keys = keysIn();
      assert.ok(keys.length > least, `the keys of ${what} were not found`);
      for (const key of keys)
        assert.ok(
          code.some((words) => new RegExp(`(?<![\\w-])${key}(?![\\w-])`).test(words)),
          `the key ${key} is not documented`,
        );
    });

  it("has every command, and no other", () => {
    const known = [...read("src/cli/main.ts").matchAll(/^ {2}"?([a-z-]+)"?: async \(\) =>/gm)].map(
      (match) => match[1]!,
    );
    assert.ok(known.length > 10);
    for (const command of known)
      assert.ok(
        code.some((words) => new RegExp(`\\b${command}\\b`).test(words)),
        command,
      );
    for (const page of PAGES)
      for (const match of codeOf(read(page))
        .join("\n")
        .matchAll(/\b(?:bin\/)?domus ([a-z][a-z-]*)/g))
        assert.ok(known.includes(match[1]!), `${page} speaks of domus ${match[1]}`);
  });
});

describe("files named in the documentation", () => {
  for (const page of PAGES)
    it(`of ${page} exist`, () => {
      const text = read(page);
      const named = codeOf(text)
        .flatMap((words) => words.split(/[\s"'(),]+/))
        .filter((word) => /^(?:src|services|lab|bin|bench|sites|docs|test|\.ci)\/[\w./-]+$/.test(word))
        .map((word) => word.replace(/[.:]+$/, ""));
      for (const path of named) assert.ok(existsSync(join(HOUSE, path)), `${page} names ${path}`);
      for (const [, link] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g))
        if (!/^[a-z]+:/.test(link!))
          assert.ok(existsSync(resolve(HOUSE, page, "..", link!)), `${page} links to ${link}`);
    });

  it("says nothing of this machine", () => {
    const here = [HOUSE, process.env.HOME ?? ""].filter((path) => path.length > 6);
    for (const page of PAGES) for (const path of here) assert.ok(!read(page).includes(path), `${page} names ${path}`);
  });
});
