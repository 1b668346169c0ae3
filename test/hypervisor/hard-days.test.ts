/** What a host must stand: frozen supervisors, clocks that jump, guests that fork away, flood their console, or cannot be started. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { connectHypervisor, type GuestOrder, type Hypervisor, SUPERVISOR_TAG } from "../../src/hypervisor/index.ts";
import { Fault, type GuestName } from "../../src/model/index.ts";
import { findTagged, readProcess, signal } from "../../src/world/index.ts";
import { eventually } from "../support/eventually.ts";
import { type TestHost, testHost } from "../support/host.ts";
import { testOrder } from "../support/orders.ts";

const one = "one" as GuestName;

function shell(name: string, script: string, change: Partial<GuestOrder["definition"]> = {}): GuestOrder {
  const order = testOrder(name);
  const program = { kind: "command", command: ["/bin/sh", "-c", script] } as const;
  return { ...order, digest: script, definition: { ...order.definition, program, ...change } };
}

async function started(host: TestHost, order: GuestOrder): Promise<Hypervisor> {
  const hypervisor = await host.launch();
  await hypervisor.define(order);
  await hypervisor.start(order.name);
  return hypervisor;
}

const statusOf = async (hypervisor: Hypervisor, name: GuestName) =>
  (await hypervisor.list()).find((guest) => guest.name === name)!;

describe("a supervisor that is frozen", () => {
  const host = testHost("frozen");
  const supervisor = () => findTagged(SUPERVISOR_TAG, `${host.places.directory.key}/`)[0]!.pid;
  after(() => {
    signal(supervisor(), "SIGCONT");
    return host.destroy();
  });

  it("is called so instead of being waited for", { timeout: 60_000 }, async () => {
    await (await host.launch()).close();
    signal(supervisor(), "SIGSTOP");
    await assert.rejects(
      connectHypervisor(join(host.places.sockets, "frozen.sock"), "frozen"),
      (error: unknown) =>
        error instanceof Fault && error.code === "host.unreachable" && /no answer within 5 s/.test(error.message),
    );
    const began = performance.now();
    await assert.rejects(host.launch(), /no answer within 5 s/);
    assert.ok(performance.now() - began < 30_000, "another one is not waited for");
    signal(supervisor(), "SIGCONT");
    const hypervisor = await host.launch();
    assert.deepEqual(await hypervisor.list(), []);
    await hypervisor.close();
  });

  it("takes a peer's question of one line, and no more", async () => {
    const socket = connect(join(host.places.sockets, "frozen.peer"));
    const closed = new Promise((resolve) => socket.on("error", () => {}).on("close", resolve));
    socket.write("x".repeat(100_000));
    await closed;
    assert.ok(socket.bytesRead === 0);
  });
});

describe("a clock that jumps", () => {
  const host = testHost("clock");
  after(() => host.destroy());
  const ask = (guest: string): Promise<{ ended: boolean; state: string }> =>
    new Promise((resolve, reject) => {
      const socket = connect(join(host.places.sockets, "clock.peer"));
      socket.on("error", reject);
      socket.on("data", (data) => resolve(JSON.parse(data.toString())));
      socket.write(`${JSON.stringify({ op: "end-if-hung", guest, key: "k" })}\n`);
    });
  const order = (): GuestOrder => ({ ...shell("one", "exec sleep 100000", { watchdog: true }), peerKey: "k" });

  for (const [way, hours] of [
    ["back", 1],
    ["forth", -1],
  ] as const)
    it(`${way} neither saves a hung guest nor ends a living one`, async () => {
      const hypervisor = await started(host, order());
      const alive = host.places.directory.aliveFile(one);
      const touch = () => {
        writeFileSync(alive, "");
        // The sign of life was given before the clock was set: its time lies far off now.
        const time = Date.now() / 1000 + hours * 3600 + Math.random();
        utimesSync(alive, time, time);
      };
      touch();
      await new Promise((resolve) => setTimeout(resolve, 250));
      touch();
      assert.deepEqual([(await ask("one")).ended, (await statusOf(hypervisor, one)).state], [false, "running"]);
      signal(Number((await statusOf(hypervisor, one)).instance), "SIGSTOP");
      await eventually("its peer's word ends it", async () => (await ask("one")).ended, 10_000);
      await hypervisor.stop(one, { graceSeconds: 0 });
      await hypervisor.undefine(one, { destroyData: true });
      await hypervisor.close();
    });
});

describe("guests that fork away", () => {
  const host = testHost("forks");
  after(() => host.destroy());

  it("a child with a session of its own is not taken for the leader when that died with the supervisor", async () => {
    const before = await started(host, shell("one", "setsid sleep 100000 & exec sleep 100001"));
    const { instance } = await statusOf(before, one);
    const child = await eventually("it has forked", () =>
      host.places.directory.processes(one).find((process) => process.session !== Number(instance)),
    );
    host.crashSupervisor();
    signal(Number(instance), "SIGKILL");
    await eventually("both are gone", () => !readProcess(Number(instance)));
    const after = await host.launch();
    const status = await eventually("it runs again", async () => {
      const now = await statusOf(after, one);
      return now.state === "running" && now;
    });
    assert.notEqual(status.instance, String(child.pid));
    assert.equal(readProcess(child.pid), null, "what it left behind was ended");
    await after.close();
  });

  it("a child whose environment was emptied ends with its guest", async () => {
    const hypervisor = await host.launch();
    await hypervisor.stop(one, { graceSeconds: 0 });
    const mark = `1000${process.pid}`;
    await hypervisor.define(shell("one", `env -i setsid sleep ${mark} & exec sleep 100002`));
    await hypervisor.start(one);
    const child = await eventually("it runs", () =>
      host.places.directory.processes(one).find((entry) => entry.pid === entry.session && !entry.tag.includes(mark)),
    );
    await eventually("both run", () => host.places.directory.processes(one).length === 2);
    await hypervisor.stop(one, { graceSeconds: 0 });
    assert.ok(child);
    const left = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && commandOf(entry).includes(mark));
    assert.deepEqual(left, []);
    await hypervisor.close();
  });

  it("a program that overwrote its environment is found again, and not started twice", async () => {
    const before = await host.launch();
    // As servers do that write their title over it: nothing of ours is left to be read.
    const script = `exec env -i ${process.execPath} -e "setInterval(() => {}, 1e6)"`;
    await before.define(shell("one", script));
    await before.start(one);
    const { instance } = await statusOf(before, one);
    await eventually("its environment is empty", () => findTagged("DOMUS_TAG", host.places.directory.key).length === 0);
    host.crashSupervisor();
    await eventually("it is gone", () => findTagged(SUPERVISOR_TAG, host.places.directory.key).length === 0);
    const after = await host.launch();
    assert.deepEqual(
      [(await statusOf(after, one)).instance, (await statusOf(after, one)).state],
      [instance, "running"],
    );
    await after.stop(one, { graceSeconds: 0 });
    assert.equal(readProcess(Number(instance)), null);
    await after.close();
  });

  it("thousands of processes that ignore SIGTERM end all the same", async () => {
    const hypervisor = await host.launch();
    await hypervisor.define(
      shell(
        "one",
        "trap '' TERM; i=0; while [ $i -lt 300 ]; do sleep 100000 & i=$((i+1)); done; while :; do sleep 1; done",
      ),
    );
    await hypervisor.start(one);
    await eventually("they run", () => host.places.directory.processes(one).length >= 300);
    await hypervisor.stop(one, { graceSeconds: 0.2 });
    assert.deepEqual(host.places.directory.processes(one), []);
    await hypervisor.close();
  });
});

describe("a flooded console", () => {
  const host = testHost("flood");
  after(() => host.destroy());

  it("stays bounded while the guest prints, and shows the last of it", async () => {
    const hypervisor = await started(host, shell("one", "exec yes domus"));
    const log = host.places.directory.consoleLog(one);
    await eventually("it has begun anew", () => statSync(`${log}.1`, { throwIfNoEntry: false }));
    assert.match(await hypervisor.console(one, 4096), /domus\ndomus/);
    await hypervisor.stop(one, { graceSeconds: 0 });
    await eventually("what is left is short", () => statSync(log).size <= 4 * 1024 * 1024);
    assert.ok(statSync(`${log}.1`).size <= 1024 * 1024);
    await hypervisor.close();
  });
});

describe("a guest that cannot be started", () => {
  const host = testHost("unable");
  after(() => host.destroy());

  it("is tried again when its console could not be opened", async () => {
    const hypervisor = await host.launch();
    await hypervisor.define(shell("one", "exec sleep 100000"));
    const log = host.places.directory.consoleLog(one);
    // Stands for a full disk: the file cannot be made.
    mkdirSync(log);
    await assert.rejects(hypervisor.start(one));
    rmSync(log, { recursive: true });
    await eventually("it runs", async () => (await statusOf(hypervisor, one)).state === "running", 20_000);
    await hypervisor.close();
  });

  it("is tried more and more seldom", async () => {
    const hypervisor = await host.launch();
    const order = shell("two", "");
    const program = { kind: "command", command: ["/nowhere/program"] } as const;
    await hypervisor.define({ ...order, definition: { ...order.definition, program } });
    await assert.rejects(hypervisor.start("two" as GuestName), /there is no program/);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    // Pauses of 0.2, 0.4, 0.8, 1.6 s: at a steady 0.2 s it would be twelve times.
    assert.ok((await statusOf(hypervisor, "two" as GuestName)).restarts <= 5);
    await hypervisor.close();
  });
});

describe("a damaged definition", () => {
  const host = testHost("damaged");
  after(() => host.destroy());

  it("costs its own guest and not the whole host", async () => {
    const before = await started(host, shell("one", "exec sleep 100000"));
    await before.define(shell("two", "exec sleep 100000"));
    await before.start("two" as GuestName);
    const { instance } = await statusOf(before, "two" as GuestName);
    host.crashSupervisor();
    await eventually("it is gone", () => findTagged(SUPERVISOR_TAG, host.places.directory.key).length === 0);
    writeFileSync(join(host.places.directory.guest(one), "order.json"), '{"name": "one", "defi');
    const after = await host.launch();
    assert.equal((await statusOf(after, "two" as GuestName)).instance, instance);
    await after.define(shell("one", "exec sleep 100000"));
    await after.start(one);
    assert.equal((await statusOf(after, one)).state, "running");
    await after.close();
  });
});

describe("a large definition", () => {
  const host = testHost("large");
  after(() => host.destroy());

  it("of a thousand files with odd names is kept as it was given", async () => {
    const names = ["a b", "ü/ñ", "-rf", "$(x)", "'\"", "..a", "new\nline", "\u202e", "é".repeat(100)];
    const files = Array.from({ length: 1000 }, (_, index) => ({
      path: `srv/${index % 10}/${names[index % names.length]} ${index}`,
      content: String(index),
    }));
    const hypervisor = await host.launch();
    await hypervisor.define({ ...shell("one", "find srv -type f | wc -l >&2; exec sleep 100000"), files });
    await hypervisor.start(one);
    const root = join(host.places.directory.root(one), "srv");
    const kept = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.equal(kept.length, 1000);
    await hypervisor.close();
  });
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
