/** `domus gums import` and `export`, as who moves a site from an old GUMS runs them: no site has to run, and nothing is lost in silence. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { parse } from "yaml";
import { HOUSE, TestDomus } from "../support/domus.ts";
import { decent } from "./decent.ts";

const domus = new TestDomus();
const files = mkdtempSync(join(tmpdir(), "dg-"));
after(async () => {
  await domus.destroy();
  rmSync(files, { recursive: true, force: true });
});

const run = async (...words: string[]) => decent(await domus.domus("gums", ...words), words.join(" "));
const old = join(HOUSE, "test/policy/gums.config");

interface Policy {
  readonly policy: { readonly "user-groups": readonly { readonly name: string }[] };
}

describe("domus gums import and export", () => {
  it("an import that leaves something behind says each thing with its place, and fails", async () => {
    const { code, stdout, stderr } = await run("import", old);
    assert.equal(code, 1);
    assert.match(stderr, /^\d+ things are carried over, \d+ are not:$/m);
    assert.match(stderr, /gums\.config:\d+:\d+: manualUserGroup banned: /);
    assert.match(stderr, /THE BAN OF THIS GROUP IS NOT IN FORCE/);
    assert.ok((parse(stdout) as Policy).policy["user-groups"].some(({ name }) => name === "banned"));
  });

  it("what is no XML is refused with file, line and column, and prints no policy", async () => {
    const path = join(files, "bad.config");
    writeFileSync(path, "<gums>\n  <a>\n</gums>\n");
    const { code, stdout, stderr } = await run("import", path);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.ok(stderr.includes(`${path}:3:7: `), stderr);
  });

  it("what is exported from a site file is read back with the same groups, and says what belongs into the database", async () => {
    const exported = await run("export", join(HOUSE, "sites/fermigrid-ha.yaml"));
    assert.equal(exported.code, 0);
    assert.match(exported.stderr, /minos: the pool's accounts belong into the database/);
    const path = join(files, "exported.config");
    writeFileSync(path, exported.stdout);
    const { stdout } = await run("import", path);
    const names = (parse(stdout) as Policy).policy["user-groups"].map(({ name }) => name);
    const written = [...exported.stdout.matchAll(/<\w*UserGroup\b[^>]*?\bname="([^"]*)"/g)].map(([, name]) => name);
    assert.ok(names.includes("nova-production") && names.includes("minos"), names.join(" "));
    assert.deepEqual([...names].sort(), written.sort());
  });
});
