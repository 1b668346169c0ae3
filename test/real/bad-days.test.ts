/** Bad days on real processes: a taken port, a full disk, a broken store, a killed database, two people at once. One sentence each, nothing lost. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { signal } from "../../src/world/index.ts";
import { ended, HOUSE, TestDomus } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";

const WIKI = "sites/wiki.yaml";

function assertOneSentence(stderr: string): void {
  assert.doesNotMatch(stderr, /\n\s+at /, "no stack trace");
  assert.match(stderr, /^✗ [^\n]+\n {2}[^\n]+/, "what is so, and what to do");
}

describe("a taken address", () => {
  const domus = new TestDomus();
  // A port of its own: the test listens on it on every address, which others of this machine must not feel.
  const site = join(domus.state, "..", `taken-${process.pid}.yaml`);
  const text = readFileSync(join(HOUSE, WIKI), "utf8");
  writeFileSync(site, text.replaceAll("port: 80", `port: ${20_000 + (process.pid % 10_000)}`));
  after(async () => {
    rmSync(site);
    await domus.destroy();
  });

  it("is named with its holder and the remedy, before anything is started", async () => {
    const plan = await domus.json("plan", site, "--loopback", domus.loopback);
    const { address, port } = plan.aliases[0];
    for (const where of [address, "0.0.0.0"]) {
      const server = createServer();
      server.listen(port, where);
      await once(server, "listening");
      const ran = await domus.domus("up", site, "--loopback", domus.loopback);
      await new Promise((resolve) => server.close(resolve));
      assert.equal(ran.code, 3);
      assertOneSentence(ran.stderr);
      assert.match(
        ran.stderr,
        new RegExp(`${address}:${port} \\(alias wiki\\) is taken by \\S+ \\(process ${process.pid}\\)`),
      );
      if (where === "0.0.0.0") assert.match(ran.stderr, /every address/);
      assert.deepEqual(domus.processes(), []);
    }
    await domus.must("up", site, "--loopback", domus.loopback);
  });

  it("of another Domus is named as such", async () => {
    const other = new TestDomus();
    try {
      const ran = await other.domus("up", site, "--loopback", domus.loopback);
      assert.equal(ran.code, 3);
      assert.match(ran.stderr, /another Domus/);
    } finally {
      await other.destroy();
    }
  });
});

describe("two at once", () => {
  const domus = new TestDomus();
  after(() => domus.destroy());

  it("one goes, the other says who is at work", async () => {
    const words = ["up", WIKI, "--loopback", domus.loopback];
    const [one, two] = await Promise.all([domus.domus(...words), domus.domus(...words)]);
    const refused = [one, two].filter((ran) => ran.code === 3);
    const done = [one, two].filter((ran) => ran.code === 0);
    assert.equal(done.length, 1, one.stderr + two.stderr);
    assert.equal(refused.length, 1);
    assertOneSentence(refused[0]!.stderr);
    assert.match(refused[0]!.stderr, /somebody else is at work: domus up wiki \(process \d+\)/);
    assert.equal((await domus.json("status")).well, true);
  });

  it("a killed run does not hold the lock", async () => {
    await domus.must("down");
    const child = domus.start("domus", ["up", WIKI, "--loopback", domus.loopback]);
    const over = ended(child);
    await eventually("it has begun", () => domus.processes().length > 0);
    // The launcher replaces itself by Node, so the child is the program.
    child.kill("SIGKILL");
    await over;
    await domus.must("up", WIKI, "--loopback", domus.loopback);
    assert.equal((await domus.json("status")).well, true);
  });
});

describe("a broken store", () => {
  const domus = new TestDomus();
  after(() => domus.destroy());

  it("is said in one sentence; moved aside, nothing is lost and nothing restarts", async () => {
    await domus.must("up", WIKI, "--loopback", domus.loopback);
    const before = domus.processes();
    const site = join(domus.state, "wiki");
    for (const name of readdirSync(site)) if (/^store\.sqlite-/.test(name)) rmSync(join(site, name));
    writeFileSync(join(site, "store.sqlite"), "this is no database, and never was one".repeat(200));
    for (const words of [["up", WIKI, "--loopback", domus.loopback], ["status"], ["down"]]) {
      const ran = await domus.domus(...words);
      assert.equal(ran.code, 3, words.join(" "));
      assertOneSentence(ran.stderr);
      assert.match(ran.stderr, /store\.sqlite cannot be read/);
    }
    assert.deepEqual(new Set(domus.processes()), new Set(before), "the site goes on");
    renameSync(join(site, "store.sqlite"), join(site, "store.broken"));
    const again = await domus.json("up", WIKI, "--loopback", domus.loopback);
    assert.deepEqual({ changed: again.changed, failed: again.failed }, { changed: 0, failed: [] });
    assert.deepEqual(new Set(domus.processes()), new Set(before), "nothing was restarted");
    assert.equal((await domus.json("status")).well, true);
  });
});

describe("a full disk", () => {
  const reason = process.getuid?.() === 0 ? false : "only root can mount a small disk";
  for (const room of [0, 48, 96, 160, 256, 400])
    it(`with ${room} KiB left is said in one sentence, and the next run finishes when there is room`, {
      skip: reason,
    }, async () => {
      const disk = mkdtempSync(join(tmpdir(), "df-"));
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
      const domus = new TestDomus(join(disk, "state"));
      try {
        writeFileSync(join(disk, "ballast"), Buffer.alloc(8 * 1024 * 1024 - 16 * 1024 - room * 1024));
        const ran = await domus.domus("up", WIKI, "--loopback", domus.loopback);
        assert.equal(ran.code, 3, `${ran.stdout}${ran.stderr}`);
        assert.doesNotMatch(ran.stderr, /\n\s+at /);
        assert.match(ran.stderr, /no room left on the disk/);
        rmSync(join(disk, "ballast"));
        await domus.must("up", WIKI, "--loopback", domus.loopback);
        assert.equal((await domus.json("status")).well, true);
        await domus.must("down");
      } finally {
        await domus.destroy();
        execFileSync("umount", ["-l", disk]);
        rmSync(disk, { recursive: true, force: true });
      }
    });
});

describe("a killed database", () => {
  const domus = new TestDomus();
  after(() => domus.destroy());

  it("comes back with everything that was written", async () => {
    await domus.must("up", "sites/fermigrid-ha.yaml", "--loopback", domus.loopback);
    const who = (number: number) => `/DC=org/DC=fermigrid/OU=People/CN=Number ${number}`;
    for (let number = 0; number < 6; number++) {
      await domus.must("ban", who(number));
      // Both servers in turn: agent and mariadbd die together, as a process group does.
      const guest = number % 2 === 0 ? "fg5x4" : "fg6x4";
      const { status } = await domus.json("guest", "show", guest);
      if (status.instance) signal(Number(status.instance), "SIGKILL");
    }
    await eventually("both servers answer again", async () => {
      const { guests } = await domus.json("status");
      return (
        guests.filter(
          (guest: { service: string; outcome: string }) => guest.service === "mysql" && guest.outcome === "answers",
        ).length === 2
      );
    });
    const { bans } = await domus.json("bans");
    assert.deepEqual(bans.map((ban: { value: string }) => ban.value).sort(), [0, 1, 2, 3, 4, 5].map(who));
  });
});
