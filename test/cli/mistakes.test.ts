/** The command line in clumsy hands: one clear sentence, the right exit status, JSON where it was asked for, and never a stack trace. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { TestDomus } from "../support/domus.ts";
import { decent, shellOf } from "./decent.ts";

const domus = new TestDomus();
const files = mkdtempSync(join(tmpdir(), "dm-"));
after(async () => {
  await domus.destroy();
  rmSync(files, { recursive: true, force: true });
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(files, name);
  writeFileSync(path, content);
  return path;
}

const shell = shellOf(domus);
const run = async (...words: string[]) => decent(await domus.domus(...words), words.join(" "));

/** Refused with a sentence on stderr, nothing on stdout. */
async function refused(code: 1 | 2 | 3, says: RegExp, ...words: string[]): Promise<void> {
  const ran = await run(...words);
  assert.equal(ran.code, code, `domus ${words.join(" ")}: ${ran.stderr}`);
  assert.match(ran.stderr, says);
  assert.equal(ran.stdout, "");
}

const WIKI = "sites/wiki.yaml";

describe("words that are no command", { concurrency: 2 }, () => {
  it("an unknown command, with the nearest right one", () =>
    refused(2, /unknown command 'pla'.*did you mean plan\?/is, "pla", WIKI));
  it("an unknown command near to nothing", () => refused(2, /unknown command 'xyzzyx'[\s\S]*domus --help/, "xyzzyx"));
  it("an unknown part of a command", () => refused(2, /unknown command 'frob'/, "guest", "frob"));
  it("an unknown option", () => refused(2, /unknown option '--frob'[\s\S]*domus plan --help/, "plan", "--frob", WIKI));
  it("an option without its value", () =>
    refused(2, /option '--hosts <file>' argument missing/, "plan", WIKI, "--hosts"));
  it("a missing argument", () => refused(2, /missing required argument 'site'[\s\S]*domus plan --help/, "plan"));
  it("a missing argument of a part", () =>
    refused(2, /missing required argument 'guest'[\s\S]*domus guest stop --help/, "guest", "stop"));
  it("one argument too many", () => refused(2, /too many arguments/, "plan", WIKI, WIKI));
  it("nothing at all prints the help", async () => {
    const ran = await run();
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /Usage: domus/);
  });
  it("values that are none", async () => {
    await refused(2, /--loopback expects a network/, "plan", WIKI, "--loopback", "nonsense");
    await refused(2, /--loopback expects a network/, "up", WIKI, "--loopback", "127.0.0.1/24");
    await refused(2, /--spacing expects a whole number from 1 to 60000, found "0"/, "probe", "wiki", "--spacing", "0");
    await refused(2, /--for expects a time like 30s/, "probe", "wiki", "--for", "soon");
    await refused(2, /--writes expects a share/, "load", "wiki", "--writes", "200%");
  });
});

describe("files that are no site", { concurrency: 2 }, () => {
  it("a missing one", () =>
    refused(2, /nowhere\.yaml: cannot be read \(there is no such file\)/, "plan", "nowhere.yaml"));
  it("a directory", () => refused(2, /sites: cannot be read \(it is a directory\)/, "plan", "sites"));
  it("a missing --hosts file", () =>
    refused(2, /nowhere\.yaml: cannot be read/, "plan", WIKI, "--hosts", "nowhere.yaml"));
  it("one without an end", () => refused(2, /larger than 4 MiB/, "plan", "/dev/zero"));
  it("an empty one", () => refused(2, /\/dev\/null:1:1: expected a mapping, found nothing/, "plan", "/dev/null"));
  const root = process.getuid?.() === 0;
  it("an unreadable one", async () => {
    // Root may read every file; the memory of a process refuses even root.
    if (root) return refused(2, /\/proc\/self\/mem: cannot be read \(\w+\)/, "plan", "/proc/self/mem");
    const path = file("secret.yaml", "site: x\n");
    chmodSync(path, 0);
    await refused(2, /cannot be read \(permission denied\)/, "plan", path);
  });
  it("one in another encoding, at the octet", () => {
    const latin = Buffer.from("site: x\n# caf\u00e9, M\u00fcnchen\n", "latin1");
    return refused(2, /latin\.yaml:2:6: expected UTF-8 text/, "plan", file("latin.yaml", latin));
  });

  it("one with mistakes: all of them, each with file, line and column", async () => {
    const path = file(
      "bad.yaml",
      'site: Bad\nhosts:\n  - { name: a, prefix: a, cpus: 0, memroy: 1 GiB }\nservices:\n  w: { recipe: "\\e[31mwiki", copies: 9 }\n',
    );
    const where = (line: string) => `${path}:${line}`;
    const expected = [
      where('1:7: site: expected a name of small letters, digits and hyphens, found "Bad"'),
      where('3:33: hosts[0].cpus: expected a whole number from 1 to 4096, found "0"'),
      where('3:36: hosts[0].memroy: unknown key; did you mean "memory"?'),
    ];
    const ran = await run("up", path);
    assert.equal(ran.code, 2);
    assert.equal(ran.stdout, "");
    const lines = ran.stderr.replace(/^✗ /, "").trimEnd().split("\n");
    assert.deepEqual(lines.slice(0, 3), expected);
    assert.match(lines[3]!, /5:16: services\.w\.recipe: expected the name of a recipe in one line/);
    assert.deepEqual(lines.slice(4), [`  Mend ${path} and try again.`]);
    const json = await run("plan", path, "--json");
    assert.equal(JSON.parse(json.stdout).error.code, "site.invalid");
    assert.equal(JSON.parse(json.stdout).error.says.split("\n").length, 4);
  });

  it("a file whose name would command the terminal", async () => {
    const ran = await run("plan", "\u001b]0;owned\u0007.yaml");
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /\ufffd\]0;owned\ufffd\.yaml: cannot be read/);
  });

  it("no file is changed and no state is made by any of this", () => {
    assert.equal(shell(`ls -A "${domus.state}"`).stdout, "");
  });
});

describe("things that are not so", { concurrency: 2 }, () => {
  it("a plan that is impossible has its reasons", async () => {
    const path = file(
      "full.yaml",
      "site: full\nhosts:\n  - { name: a, prefix: a, cpus: 1, memory: 1 GiB }\nservices:\n  big: { command: [run], copies: 1, memory: 4 GiB }\n",
    );
    await refused(1, /big[\s\S]*a[\s\S]*GiB/, "plan", path);
    await refused(1, /ldap[\s\S]*planned only[\s\S]*--plan-only/, "plan", "sites/iekp.yaml");
  });

  it("with nothing up, every command that needs a site says how to get one", async () => {
    for (const words of [["status"], ["down"], ["load", "wiki"], ["guest", "show", "north0"], ["bans"]])
      await refused(2, /no site is up[\s\S]*domus up SITE/, ...words);
  });

  it("with sites there, an unknown name is answered with those there are", async () => {
    const two = new TestDomus();
    try {
      for (const site of ["alpha", "beta"]) mkdirSync(join(two.state, site, "blueprints"), { recursive: true });
      for (const words of [
        ["status", "gamma"],
        ["down", "gamma"],
        ["load", "x", "--site", "gamma"],
      ]) {
        const ran = decent(await two.domus(...words), words.join(" "));
        assert.equal(ran.code, 2);
        assert.match(ran.stderr, /no site is up .*gamma\n {2}There are: alpha, beta\./);
      }
      const several = decent(await two.domus("status"), "status");
      assert.equal(several.code, 2);
      assert.match(several.stderr, /several sites are known \(alpha, beta\)/);
    } finally {
      await two.destroy();
    }
  });

  it("with a site down, an unknown guest or alias is answered with those there are", async () => {
    const one = new TestDomus();
    try {
      mkdirSync(join(one.state, "alpha", "blueprints"), { recursive: true });
      for (const [words, says] of [
        [["guest", "show", "x1"], /no guest is called x1\n {2}There are: none\./],
        [["load", "wiki"], /no alias is called wiki\n {2}There are: none; bring a site up first\./],
      ] as const) {
        const ran = decent(await one.domus(...words), words.join(" "));
        assert.equal(ran.code, 2, ran.stderr);
        assert.match(ran.stderr, says);
      }
      const status = decent(await one.domus("status"), "status");
      assert.deepEqual([status.code, status.stdout], [1, "alpha was never brought up.\n"]);
    } finally {
      await one.destroy();
    }
  });

  it("a state directory that is none", () => {
    for (const words of ["status", `up ${WIKI}`]) {
      const ran = decent(shell(`bin/domus ${words}`, { DOMUS_STATE: file("state", "") }), words);
      assert.equal(ran.code, 3);
      assert.match(ran.stderr, /the state directory .*state cannot be used/);
    }
  });
});

describe("mistakes for machines", { concurrency: 2 }, () => {
  const cases: readonly (readonly [code: number, error: string, words: readonly string[]])[] = [
    [2, "usage.invalid", ["frob", "--json"]],
    [2, "usage.invalid", ["plan", "--json"]],
    [2, "site.unknown", ["status", "--json"]],
    [2, "site.unreadable", ["plan", "nowhere.yaml", "--json"]],
    [1, "plan.impossible", ["plan", "sites/iekp.yaml", "--json"]],
  ];
  for (const [code, error, words] of cases)
    it(`domus ${words.join(" ")}`, async () => {
      const ran = await run(...words);
      assert.equal(ran.code, code, ran.stderr);
      const said = JSON.parse(ran.stdout) as { error: { code: string; says: string; remedy: string } };
      assert.equal(said.error.code, error);
      assert.ok(said.error.says.length > 5 && said.error.remedy.length > 5);
      assert.equal(ran.stderr, "");
    });
});
