/** One suite for every driver: what V1 means, asked of each through the same interface. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  FLAGS,
  type Flag,
  type GuestStatus,
  type Hypervisor,
  type HypervisorEvent,
  MemoryHost,
  REQUIRED,
} from "../../src/hypervisor/index.ts";
import { Fault, type GuestName, type HostName } from "../../src/model/index.ts";
import { eventually } from "../support/eventually.ts";
import { testHost } from "../support/host.ts";
import { testOrder } from "../support/orders.ts";

interface Subject {
  readonly name: keyof typeof REQUIRED;
  open(): Promise<Hypervisor>;
  close(): Promise<void>;
}

function processSubject(): Subject {
  const host = testHost("alpha");
  return { name: "process", open: () => host.launch(), close: () => host.destroy() };
}

function memorySubject(): Subject {
  return {
    name: "memory",
    open: async () => new MemoryHost("alpha" as HostName, { cpus: 4, memory: 16 * 1024 ** 3 }),
    close: async () => {},
  };
}

for (const makeSubject of [memorySubject, processSubject]) {
  const subject = makeSubject();
  describe(`the ${subject.name} driver`, () => {
    let hypervisor: Hypervisor;
    const seen: HypervisorEvent[] = [];
    before(async () => {
      hypervisor = await subject.open();
      await hypervisor.events((event) => seen.push(event));
    });
    after(async () => {
      await hypervisor.close();
      await subject.close();
    });
    const one = "one" as GuestName;
    const find = async (name: GuestName): Promise<GuestStatus | undefined> =>
      (await hypervisor.list()).find((guest) => guest.name === name);
    const state = async (name: GuestName) => (await find(name))?.state;
    const refused = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

    it("has every flag it must have, and says why of each other", () => {
      for (const flag of REQUIRED[subject.name]) assert.equal(hypervisor.capabilities[flag], true, flag);
      for (const flag of Object.keys(FLAGS) as Flag[]) {
        const capability = hypervisor.capabilities[flag];
        if (capability !== true) assert.match(capability.cannot, /\w+ \w+/, flag);
      }
    });

    it("tells about the host", async () => {
      const report = await hypervisor.report();
      assert.equal(report.host, "alpha");
      assert.equal(report.driver, subject.name);
      assert.ok(report.memory > 0 && report.cpus > 0);
    });

    it("defines, twice the same is once", async () => {
      await hypervisor.define(testOrder("one"));
      await hypervisor.define(testOrder("one"));
      assert.equal(await state(one), "stopped");
      assert.equal((await hypervisor.list()).length, 1);
      assert.equal(seen.filter((event) => event.guest === one && event.kind === "defined").length, 1);
    });

    it("starts, twice is once; reads its console", async () => {
      await hypervisor.start(one);
      const first = (await find(one))?.instance;
      await hypervisor.start(one);
      assert.equal((await find(one))?.instance, first);
      assert.equal(await state(one), "running");
      await eventually("the console speaks", async () => /one/.test(await hypervisor.console(one, 1000)));
    });

    it("refuses to redefine or forget what runs", async () => {
      await assert.rejects(hypervisor.define(testOrder("one", { digest: "other" })), refused("guest.wrong-state"));
      await assert.rejects(hypervisor.undefine(one, { destroyData: false }), refused("guest.wrong-state"));
    });

    it("gives statistics", async () => {
      const statistics = await hypervisor.statistics(one);
      assert.ok(statistics.processes >= 1 && statistics.memory > 0);
    });

    it("suspends and resumes", async () => {
      await hypervisor.suspend(one);
      assert.equal(await state(one), "suspended");
      await hypervisor.suspend(one);
      await hypervisor.resume(one);
      await hypervisor.resume(one);
      assert.equal(await state(one), "running");
    });

    it("reboots into another instance", async () => {
      const first = (await find(one))?.instance;
      await hypervisor.reboot(one);
      assert.notEqual((await find(one))?.instance, first);
      assert.equal(await state(one), "running");
    });

    it("saves, restores and keeps snapshots, or says why not", async () => {
      for (const [flag, call] of [
        ["snapshot", () => hypervisor.snapshot(one, "before")],
        ["save", () => hypervisor.save(one)],
        ["restore", () => hypervisor.restore(one)],
      ] as const) {
        if (hypervisor.capabilities[flag] === true) await call();
        else await assert.rejects(call(), refused("hypervisor.cannot"));
      }
      assert.equal(await state(one), "running");
    });

    it("stops, twice is once, and does not start it again by itself", async () => {
      await hypervisor.stop(one, { graceSeconds: 5 });
      await hypervisor.stop(one, { graceSeconds: 5 });
      assert.equal(await state(one), "stopped");
      await assert.rejects(hypervisor.reboot(one), refused("guest.wrong-state"));
    });

    it("clones a stopped guest under another identity", async () => {
      const two = "two" as GuestName;
      await hypervisor.clone(one, { name: two, uuid: "u2", mac: "m2", address: "127.0.0.2" });
      assert.equal((await find(two))?.address, "127.0.0.2");
      await hypervisor.start(two);
      await eventually("the copy speaks", async () => /two/.test(await hypervisor.console(two, 1000)));
      await assert.rejects(
        hypervisor.clone(two, { name: one, uuid: "", mac: "", address: "" }),
        refused("guest.wrong-state"),
      );
      await hypervisor.destroy(two);
      await hypervisor.undefine(two, { destroyData: true });
    });

    it("forgets, twice is once; unknown guests are named", async () => {
      await hypervisor.undefine(one, { destroyData: false });
      await hypervisor.undefine(one, { destroyData: false });
      assert.deepEqual(await hypervisor.list(), []);
      await assert.rejects(hypervisor.start(one), refused("guest.unknown"));
    });

    it("has told every change", async () => {
      await eventually("the last event arrives", () =>
        seen.some((event) => event.kind === "undefined" && event.guest === one),
      );
      const kinds = new Set(seen.filter((event) => event.guest === one).map((event) => event.kind));
      for (const kind of ["defined", "started", "suspended", "resumed", "stopped", "undefined"] as const)
        assert.ok(kinds.has(kind), kind);
    });
  });
}
