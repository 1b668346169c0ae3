/** Simulated physical hosts with real libvirt daemons: up, cut, partition, heal, down; and nothing is left behind, whatever was killed when. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { ConnectionLost, LibvirtConnection } from "../../src/hypervisor/index.ts";
import { PROCEDURES } from "../../src/hypervisor/libvirt/rpc/index.ts";
import { findTagged } from "../../src/world/index.ts";
import { ended, type Ran, TestDomus } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";
import { withoutLibvirt } from "../support/libvirtd.ts";

interface Lab {
  readonly record: { readonly tag: string; readonly subnet: string };
  readonly hostsFile: string;
  readonly hosts: readonly {
    readonly name: string;
    readonly address: string;
    readonly hypervisor: string;
    readonly power: string;
    readonly cable: string;
  }[];
}

describe("a lab", { skip: withoutLibvirt, timeout: 600_000 }, () => {
  const domus = new TestDomus();
  const base = mkdtempSync(join(tmpdir(), "dl-"));
  process.env.DOMUS_LAB = base;
  after(async () => {
    for (const name of existsSync(base) ? readdirSync(base) : []) await domus.run("domus-lab", "down", name);
    rmSync(base, { recursive: true, force: true });
    await domus.destroy();
  });

  const lab = (...words: readonly string[]): Promise<Ran> => domus.run("domus-lab", ...words);
  const must = async (...words: readonly string[]): Promise<string> => {
    const ran = await lab(...words);
    assert.equal(ran.code, 0, `${words.join(" ")}: ${ran.stderr}`);
    return ran.stdout;
  };
  const up = async (name: string, hosts = 2): Promise<Lab> =>
    JSON.parse(await must("up", name, "--hosts", String(hosts), "--json")) as Lab;

  /** Whatever this machine still has of labs below the base: processes, namespaces, links, mounts, control groups. */
  function remains(): readonly string[] {
    const ip = (...words: readonly string[]): string => execFileSync("ip", [...words], { encoding: "utf8" });
    const tags = /\bdl[0-9a-f]{6}/g;
    return [
      ...findTagged("DOMUS_LAB_HOST", base).map(({ pid }) => `process ${pid}`),
      ...(ip("netns", "list").match(tags) ?? []).map((one) => `namespace ${one}`),
      ...(ip("-br", "link").match(tags) ?? []).map((one) => `link ${one}`),
      ...(readFileSync("/proc/self/mounts", "utf8").match(new RegExp(`${base}\\S*`, "g")) ?? []).map(
        (one) => `mount ${one}`,
      ),
      ...globSync("/sys/fs/cgroup/{,*/}dl[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]-*").map(
        (one) => `group ${one}`,
      ),
      ...readdirSync(base).map((one) => `file ${one}`),
    ];
  }

  describe("of two hosts", () => {
    let made: Lab;
    before(async () => {
      made = await up("one");
    });
    after(() => must("down", "one"));
    const host = (index: number) => made.hosts[index]!;
    const state = async () => (JSON.parse(await must("list", "--json")) as Lab[])[0]!.hosts;

    it("has hosts that answer over TLS, to Domus and to libvirt's own tools", async () => {
      for (const { hypervisor, name } of made.hosts) {
        const connection = await LibvirtConnection.open(hypervisor);
        assert.equal(await connection.call(PROCEDURES.hostname, null), name);
        assert.equal(await connection.call(PROCEDURES.type, null), "QEMU");
        connection.close();
        const said = await new Promise<string>((resolve, reject) =>
          execFile("virsh", ["-c", hypervisor, "hostname"], (error, stdout) =>
            error ? reject(error) : resolve(stdout),
          ),
        );
        assert.equal(said.trim(), name);
      }
    });

    it("takes nobody without a certificate of the lab's authority", async () => {
      const other = await up("other", 1);
      const foreign = host(0).hypervisor.replace(/pkipath=.*/, `pkipath=${join(base, "other", "pki")}`);
      await assert.rejects(LibvirtConnection.open(foreign), ConnectionLost);
      // Side by side: its own network, its own host of the same name.
      assert.notEqual(other.record.subnet, made.record.subnet);
      assert.equal(other.hosts[0]!.name, host(0).name);
      await must("down", "other");
      assert.equal((await state())[0]!.power, "on");
    });

    it("can be brought up again: nothing changes, and what is missing comes back", async () => {
      const before = findTagged("DOMUS_LAB_HOST", base).map(({ pid }) => pid);
      assert.deepEqual(await up("one"), made);
      assert.deepEqual(
        findTagged("DOMUS_LAB_HOST", base).map(({ pid }) => pid),
        before,
      );
    });

    it("loses a host's power, and gives it back with what was on its disk", async () => {
      const xml =
        "<domain type='qemu'><name>kept</name><memory unit='MiB'>64</memory><os><type arch='x86_64' machine='pc'>hvm</type></os></domain>";
      const first = await LibvirtConnection.open(host(0).hypervisor);
      await first.call(PROCEDURES.domainDefine, xml);
      const lost = new Promise((resolve) => first.onLost(resolve));
      await must("cut", "host1", "--site", "one");
      await lost;
      assert.deepEqual(
        (await state()).map(({ power }) => power),
        ["off", "on"],
      );
      await assert.rejects(LibvirtConnection.open(host(0).hypervisor), ConnectionLost);
      await must("heal", "host1", "--site", "one");
      const again = await LibvirtConnection.open(host(0).hypervisor);
      assert.equal((await again.call(PROCEDURES.domainByName, "kept")).name, "kept");
      again.close();
    });

    it("cuts a host off that goes on, and Domus notices by silence", async () => {
      const connection = await LibvirtConnection.open(host(1).hypervisor, { keepAlive: { every: 200, misses: 3 } });
      const lost = new Promise<ConnectionLost>((resolve) => connection.onLost(resolve));
      await must("partition", "host2", "--site", "one");
      assert.match((await lost).message, /the daemon is silent/);
      assert.deepEqual((await state())[1], { ...host(1), power: "on", cable: "out" });
      await must("heal", "host2", "--site", "one");
      (await LibvirtConnection.open(host(1).hypervisor)).close();
    });

    it("starts a daemon again that dies, and its host has not noticed", async () => {
      const daemons = () =>
        findTagged("DOMUS_LAB_HOST", `${base}/one/host1/`).filter(({ pid }) =>
          readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("libvirtd"),
        );
      const [first] = daemons();
      process.kill(first!.pid, "SIGKILL");
      await eventually("another daemon runs and answers", async () => {
        const [now] = daemons();
        if (!now || now.pid === first!.pid) return false;
        return LibvirtConnection.open(host(0).hypervisor).then(
          (connection) => {
            connection.close();
            return true;
          },
          () => false,
        );
      });
    });

    it("gives a hosts file that a site file can be planned with", async () => {
      const ran = await domus.domus("plan", "sites/wiki.yaml", "--hosts", made.hostsFile, "--plan-only", "--json");
      assert.equal(ran.code, 0, ran.stderr);
      const plan = JSON.parse(ran.stdout) as { guests: { address: string }[] };
      assert.ok(
        plan.guests.every(({ address }) => address.startsWith(`${made.record.subnet}.`)),
        ran.stdout,
      );
    });
  });

  describe("leaves nothing behind", () => {
    afterEach(() => assert.deepEqual(remains(), []));

    it("when it is taken down, and down again", async () => {
      await up("gone", 3);
      await must("down", "gone");
      await must("down", "gone");
    });

    // From before its first step to after its last one.
    for (const part of [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
      it(`when up was killed after ${part * 100} % of what it takes`, async () => {
        const began = performance.now();
        await up("measured");
        const took = performance.now() - began;
        await must("down", "measured");
        const child = domus.start("domus-lab", ["up", "killed", "--hosts", "2"]);
        const end = ended(child);
        await new Promise((resolve) => setTimeout(resolve, took * part));
        child.kill("SIGKILL");
        await end;
        await must("down", "killed");
      });

    it("when every process of it was killed", async () => {
      await up("dead");
      for (let left = findTagged("DOMUS_LAB_HOST", base); left.length > 0; left = findTagged("DOMUS_LAB_HOST", base))
        for (const { pid } of left)
          try {
            process.kill(pid, "SIGKILL");
          } catch {
            // It went with another one.
          }
      await must("down", "dead");
    });
  });

  const mistakes: readonly (readonly [words: readonly string[], code: number, says: RegExp])[] = [
    [["up", "--hosts", "0"], 2, /--hosts expects a whole number from 1 to 50, found "0"/],
    [["up", "../x"], 2, /a lab's name is of small letters, digits and hyphens, found "\.\.\/x"/],
    [["up", "--like", "nowhere.yaml"], 2, /nowhere\.yaml/],
    [["cut", "nobody"], 2, /nobody/],
    [["cut"], 2, /missing required argument 'host'/],
    [["blow-up"], 2, /unknown command 'blow-up'/],
  ];
  for (const [words, code, says] of mistakes)
    it(`says what is wrong with: ${words.join(" ")}`, async () => {
      const ran = await lab(...words);
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, says);
      assert.doesNotMatch(ran.stderr, /\n +at /);
    });
});
