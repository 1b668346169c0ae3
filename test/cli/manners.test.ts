/** The manners of the command line: help with examples, pipes that close, colours, locales, output that cannot be written. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Command } from "commander";
import { addAccept } from "../../src/cli/commands/accept.ts";
import { addAudit } from "../../src/cli/commands/audit.ts";
import { addConsolidate } from "../../src/cli/commands/consolidate.ts";
import { addExplain } from "../../src/cli/commands/explain.ts";
import { addFiles } from "../../src/cli/commands/files.ts";
import { addGuest } from "../../src/cli/commands/guest.ts";
import { addGums } from "../../src/cli/commands/gums.ts";
import { addAuthorize, addBan, addBans, addMap, addSeen, addUnban } from "../../src/cli/commands/identity.ts";
import { addLoad } from "../../src/cli/commands/load.ts";
import { addPlan } from "../../src/cli/commands/plan.ts";
import { addProbe } from "../../src/cli/commands/probe.ts";
import { addServe } from "../../src/cli/commands/serve.ts";
import { addShowcase } from "../../src/cli/commands/showcase.ts";
import { addSize } from "../../src/cli/commands/size.ts";
import { addStatus } from "../../src/cli/commands/status.ts";
import { addDown, addUp } from "../../src/cli/commands/up.ts";
import { addVo } from "../../src/cli/commands/vo.ts";
import { addWhatIf } from "../../src/cli/commands/what-if.ts";
import { HOUSE, TestDomus } from "../support/domus.ts";
import { decent, ESC, shellOf } from "./decent.ts";

const domus = new TestDomus();
after(() => domus.destroy());
const WIKI = "sites/wiki.yaml";

const shell = shellOf(domus);
describe("manners", { concurrency: 2 }, () => {
  it("every command's help has an example", async () => {
    const program = new Command("domus");
    for (const add of [addPlan, addUp, addDown, addStatus, addGuest, addAccept, addProbe, addLoad]) add(program);
    for (const add of [addMap, addAuthorize, addBan, addUnban, addBans, addSeen, addGums, addVo, addExplain])
      add(program);
    for (const add of [addWhatIf, addFiles, addAudit, addSize, addConsolidate, addServe, addShowcase]) add(program);
    const listed = decent(await domus.domus("--help"), "--help");
    assert.deepEqual([listed.code, listed.stderr], [0, ""]);
    assert.match(listed.stdout, /^Examples:\n {2}domus /m);
    const names = [...listed.stdout.matchAll(/^ {2}([a-z-]+) (?=.* {2}\S)/gm)].map((found) => found[1]);
    assert.deepEqual(names, [...program.commands.map((one) => one.name()), "help"], "a command that is not tested");
    const walk = (command: Command, path: string): number => {
      let help = "";
      command.configureOutput({
        writeOut: (text) => {
          help += text;
        },
      });
      command.outputHelp();
      assert.match(help, /^Examples?:\n {2}(domus|npm) /m, `${path} --help`);
      return command.commands.reduce((sum, part) => sum + walk(part, `${path} ${part.name()}`), 1);
    };
    assert.ok(program.commands.reduce((sum, command) => sum + walk(command, command.name()), 0) > 20);
  });

  it("help and version end well", async () => {
    const help = decent(await domus.domus("guest", "stop", "--help"), "guest stop --help");
    assert.deepEqual([help.code, help.stderr], [0, ""]);
    const version = decent(await domus.domus("--version"), "--version");
    const { version: known } = JSON.parse(readFileSync(join(HOUSE, "package.json"), "utf8"));
    assert.deepEqual([version.code, version.stdout], [0, `${known}\n`]);
  });

  it("whoever stops reading is no error", () => {
    for (const line of [
      `bin/domus plan ${WIKI} --json | head -1`,
      "bin/domus --help | head -1",
      "bin/domus frob 2>&1 | head -0",
    ]) {
      const ran = decent(shell(`set -o pipefail; ${line}`), line);
      assert.equal(ran.code, line.includes("frob") ? 2 : 0, `${line}: ${ran.stderr}`);
      assert.equal(ran.stderr, "");
    }
  });

  it("output that cannot be written is an error", () => {
    const ran = decent(shell(`bin/domus plan ${WIKI} > /dev/full`), "plan > /dev/full");
    assert.equal(ran.code, 3);
    assert.match(ran.stderr, /the output cannot be written \(ENOSPC\)/);
  });

  it("colours only where they are wanted: not in a pipe, not with NO_COLOR", () => {
    decent(shell(`bin/domus plan ${WIKI}`, { NO_COLOR: undefined, TERM: "xterm-256color" }), "plan");
    const terminal = (environment: string) =>
      shell(`script -qec "env ${environment} bin/domus plan ${WIKI}" /dev/null`);
    if (shell("command -v script").code !== 0) return;
    assert.ok(!terminal("NO_COLOR=1").stdout.includes(`${ESC}[1m`));
    assert.ok(terminal("-u NO_COLOR -u CI TERM=xterm-256color").stdout.includes(`${ESC}[1m`));
  });

  it("any locale and time zone gives the same text", () => {
    const plain = shell(`bin/domus plan ${WIKI} --no-mariadb --why`);
    assert.equal(plain.code, 0);
    for (const environment of [
      { LC_ALL: "de_DE.ISO-8859-1", TZ: "Asia/Kathmandu" },
      { LC_ALL: "tr_TR", LANG: "xx" },
    ])
      assert.equal(shell(`bin/domus plan ${WIKI} --no-mariadb --why`, environment).stdout, plain.stdout);
  });

  it("what is read through a pipe is read whole", () => {
    const ran = decent(shell(`cat ${WIKI} | bin/domus plan /dev/stdin --json --no-mariadb`), "plan /dev/stdin");
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(JSON.parse(ran.stdout).site, "wiki");
  });
});
