/** The controller on hosts in memory: idempotent, honest about failures, mending, and every step repeated, failed and undone twice. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Controller, HANDLERS, planSite, type StepContext, undo } from "../../src/controller/index.ts";
import { emptyInventory, Fault, type GuestName, type HostName, readSite, type Step } from "../../src/model/index.ts";
import { blueprintId } from "../../src/planner/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";
import type { Store } from "../../src/store/index.ts";
import { realClock, simulatedClock } from "../../src/world/index.ts";
import { HOSTS, OPTIONS, openStage, SocketHosts, type Stage, stageController, stageSite } from "./stage.ts";

describe("the controller", () => {
  let stage: Stage;
  let hosts: SocketHosts;
  let controller: Controller;
  let store: Store;
  let context: (destroyData?: boolean) => Promise<StepContext>;

  beforeEach(async () => {
    stage = await openStage();
    hosts = new SocketHosts(stage.directory);
    const made = await stageController(stage.state, hosts);
    ({ controller, store } = made);
    context = async (destroyData = false) => ({
      blueprint: (await store.target())!.blueprint,
      hosts,
      secrets: made.parts.secrets,
      ask: made.parts.ask,
      clock: realClock,
      note: () => {},
      signal: new AbortController().signal,
      destroyData,
      leaving: false,
    });
  });
  afterEach(async () => {
    await hosts.close();
    await store.close();
    await stage.close();
  });
  const guest = (name: string) => stage.hosts.map((host) => host.guests.get(name as GuestName)).find(Boolean);

  it("changes nothing the second time", async () => {
    const first = await controller.up(stageSite("first"), OPTIONS);
    assert.ok(first.execution.changed >= 10);
    const journal = (await store.journalEntries()).length;
    const second = await controller.up(stageSite("first"), OPTIONS);
    assert.equal(second.execution.changed, 0);
    assert.equal(second.adopted, false);
    assert.equal((await store.journalEntries()).length, journal, "what is so already leaves no trace");
  });

  it("replaces copies one at a time when a service changes", async () => {
    await controller.up(stageSite("first"), OPTIONS);
    const orders: string[] = [];
    for (const host of stage.hosts) await host.events((event) => orders.push(`${event.kind} ${event.guest}`));
    await controller.up(stageSite("changed"), OPTIONS);
    const wiki = (await store.target())!.blueprint.guests
      .filter((one) => one.service === "wiki")
      .map((one) => one.name);
    const [firstBack, secondGone] = [orders.indexOf(`started ${wiki[0]}`), orders.indexOf(`stopped ${wiki[1]}`)];
    assert.ok(firstBack >= 0 && secondGone > firstBack, orders.join(", "));
  });

  it("puts back what is missing, and only that", async () => {
    await controller.up(stageSite("first"), OPTIONS);
    assert.equal((await controller.reconcile())?.changed, 0);
    const lost = stage.hosts[0]!;
    const name = [...lost.guests.keys()][1]!;
    await lost.destroy(name);
    await lost.undefine(name, { destroyData: false });
    const other = stage.hosts[1]!;
    const before = [...other.guests.values()].map((one) => one.starts);
    assert.equal((await controller.reconcile())?.changed, 2);
    assert.equal(guest(name)?.state, "running");
    assert.deepEqual(
      [...other.guests.values()].map((one) => one.starts),
      before,
    );
  });

  it("leaves alone what a person has stopped, until somebody wants it up", async () => {
    await controller.up(stageSite("first"), OPTIONS);
    const host = stage.hosts[0]!;
    const name = [...host.guests.keys()][1]!;
    await store.hold(name, "stop by a person");
    await host.stop(name, { graceSeconds: 0 });
    assert.equal((await controller.reconcile())?.changed, 0);
    assert.equal(guest(name)?.state, "stopped");
    await controller.up(stageSite("first"), OPTIONS);
    assert.equal(guest(name)?.state, "running");
    assert.deepEqual(await store.held(), []);
  });

  it("keeps network and database engine until somebody asks for others", async () => {
    const grid = readSite(
      { file: "grid.yaml", text: readFileSync(join(import.meta.dirname, "../../sites/fermigrid-ha.yaml"), "utf8") },
      RECIPES,
    );
    assert.ok(grid.ok);
    const known = { target: null, inventory: emptyInventory({ mariadb: false }), recipes: RECIPES, version: "1" };
    const asked = { ...OPTIONS, loopback: "127.9.9.0/24" };
    const first = planSite(grid.site, known, asked);
    assert.ok(first.ok);
    const target = { id: blueprintId(first.blueprint), blueprint: first.blueprint, phase: "up" } as const;
    const later = { ...known, target, inventory: emptyInventory({ mariadb: true }) };
    const second = planSite(grid.site, later, OPTIONS);
    assert.ok(second.ok);
    assert.deepEqual(second.changes, []);
    assert.equal(second.blueprint.network.cidr, "127.9.9.0/24");
    assert.ok(second.warnings.some((warning) => /keeps its SQLite/.test(warning)));
    const changed = planSite(grid.site, later, { ...OPTIONS, mariadb: true });
    assert.ok(changed.ok && changed.warnings.some((warning) => /not carried over/.test(warning)));
  });

  it("refuses hosts that no driver reaches yet, and plans them when only asked to plan", () => {
    const site = stageSite("first");
    const real = {
      ...site,
      network: { ...site.network, cidr: "10.20.0.0/24" },
      hosts: site.hosts.map((host) => ({ ...host, hypervisor: "qemu+tls://x/system" })),
    };
    const known = { target: null, inventory: emptyInventory({ mariadb: true }), recipes: RECIPES, version: "1" };
    const refused = planSite(real, known, OPTIONS);
    assert.ok(!refused.ok && refused.refusals.every((says) => /no driver reaches qemu/.test(says)));
    assert.ok(planSite(real, known, { ...OPTIONS, planOnly: true }).ok);
  });

  it("reconciles nothing when the site is meant to be down", async () => {
    await controller.up(stageSite("first"), OPTIONS);
    await controller.down();
    assert.equal(await controller.reconcile(), null);
    for (const host of stage.hosts) assert.equal(host.guests.size, 0);
  });

  it("keeps data on the way down, and destroys it only when told", async () => {
    await controller.up(stageSite("first"), OPTIONS);
    const [host] = stage.hosts;
    assert.ok(host!.data.size > 0);
    await controller.down();
    assert.ok(host!.data.size > 0);
    await controller.up(stageSite("first"), OPTIONS);
    await controller.down({ destroyData: true });
    assert.equal(host!.data.size, 0);
  });

  it("keeps names and addresses over down and up", async () => {
    const first = await controller.up(stageSite("first"), OPTIONS);
    await controller.down();
    const second = await controller.up(stageSite("first"), OPTIONS);
    assert.deepEqual(second.target.id, first.target.id);
  });

  it("goes on with the rest when one guest fails, and says why", async () => {
    const broken = stage.hosts[1]!;
    const start = broken.start.bind(broken);
    broken.start = (name) =>
      name === "bx1"
        ? Promise.reject(new Fault("guest.failed", { guest: name, host: "beta", reason: "it burns" }))
        : start(name);
    const result = await controller.up(stageSite("first"), OPTIONS);
    const failed = result.execution.failed.filter((outcome) => outcome.report === "failed");
    assert.deepEqual(
      failed.map((outcome) => outcome.step.id),
      ["guest.start:bx1"],
    );
    assert.match(failed[0]!.says, /it burns/);
    assert.equal(guest("ax1")?.state, "running");
    broken.start = start;
    const again = await controller.up(stageSite("first"), OPTIONS);
    assert.deepEqual(again.execution.failed, []);
  });

  it("refuses what cannot be placed, with every reason", async () => {
    const site = stageSite("first");
    const tiny = { ...site, hosts: site.hosts.map((host) => ({ ...host, memory: 1024 ** 3 })) };
    await assert.rejects(
      controller.up(tiny, OPTIONS),
      (error: unknown) =>
        error instanceof Fault && error.code === "plan.impossible" && /missing|lacks/.test(error.message),
    );
    assert.equal(await store.target(), null);
  });

  it("retires what a killed and replaced plan left on hosts", async () => {
    await controller.up(stageSite("first"), OPTIONS);
    const { target } = await controller.up(stageSite("changed"), OPTIONS);
    const names = new Set(target.blueprint.guests.map((one) => one.name));
    for (const host of stage.hosts)
      for (const name of host.guests.keys()) assert.ok(names.has(name), `${name} is left on ${host.name}`);
  });

  it("gives up on a guest that never answers, in simulated minutes, and at once on one that keeps ending", async () => {
    await controller.up(stageSite("first"), OPTIONS);
    const clock = simulatedClock();
    const notes: string[] = [];
    const ground = {
      ...(await context()),
      clock,
      ask: async () => ({ outcome: "failed", says: "nothing listens there", milliseconds: 0 }) as const,
      note: (_: Step, says: string) => void notes.push(says),
    };
    const ready = ground.blueprint.steps.find((step) => step.kind === "guest.ready" && step.guest === "ax1")!;
    await assert.rejects(
      HANDLERS["guest.ready"].make(ground, ready),
      /ax1 did not answer within 180 s: nothing listens there/,
    );
    assert.ok(clock.now() >= 180_000 && clock.now() < 190_000, `${clock.now()}`);
    assert.ok(notes.length > 100, "whoever watches hears why it takes so long");
    const began = clock.now();
    for (let end = 0; end < 6; end++) stage.hosts[0]!.crash("ax1" as GuestName);
    await assert.rejects(
      HANDLERS["guest.ready"].make(ground, ready),
      (error: unknown) =>
        error instanceof Fault &&
        error.code === "guest.failed" &&
        /ended 6 times.*it last said: ax1 started/.test(error.message),
    );
    assert.equal(clock.now(), began);
  });

  it("stops waiting when it is interrupted, and the next run goes on", async () => {
    const stop = new AbortController();
    const result = await controller.up(stageSite("first"), OPTIONS, {
      signal: stop.signal,
      onStep: (report, step) => {
        if (report === "done" && step.kind === "guest.define") stop.abort();
      },
    });
    assert.ok(result.execution.failed.length > 0);
    const again = await controller.up(stageSite("first"), OPTIONS);
    assert.deepEqual(again.execution.failed, []);
    assert.equal(again.adopted, false);
  });

  it("repeats every step without harm, and undoes it twice", async () => {
    await controller.up(stageSite("first"), OPTIONS);
    const ground = await context();
    const starts = () => stage.hosts.flatMap((host) => [...host.guests.values()].map((one) => one.starts));
    const before = starts();
    for (const step of ground.blueprint.steps) {
      assert.equal(await HANDLERS[step.kind].isTrue(ground, step), true, step.id);
      await HANDLERS[step.kind].make(ground, step);
      assert.equal(await HANDLERS[step.kind].isTrue(ground, step), true, `${step.id} made again`);
    }
    assert.deepEqual(starts(), before, "nothing was started twice");
    const undoable = ground.blueprint.steps.filter((step) => step.undo !== null).reverse();
    assert.ok(undoable.length >= 8);
    for (const step of undoable) {
      const leaving = { ...ground, leaving: true };
      assert.equal(await undo(step, leaving), true);
      assert.equal(await undo(step, leaving), true, `${step.id} undone twice`);
      assert.equal(await HANDLERS[step.kind].isTrue(ground, step), false, `${step.id} is undone`);
    }
    for (const host of stage.hosts) assert.equal(host.guests.size, 0);
    assert.deepEqual((await controller.up(stageSite("first"), OPTIONS)).execution.failed, []);
  });

  it("fails every kind of step in one sentence when its host does not answer", async () => {
    await controller.up(stageSite("first"), OPTIONS);
    const ground = await context();
    const silent: StepContext = {
      ...ground,
      hosts: new Proxy(hosts, {
        get: (target, key) =>
          key === "connect" || key === "prepare"
            ? async (host: HostName) => {
                throw new Fault("host.unreachable", { host, reason: "it is silent" });
              }
            : Reflect.get(target, key),
      }),
      ask: async () => {
        throw new Fault("host.unreachable", { host: "alpha", reason: "it is silent" });
      },
    };
    for (const kind of [
      "host.prepare",
      "guest.define",
      "guest.start",
      "guest.stop",
      "guest.retire",
      "guest.ready",
      "alias.ready",
    ] as const) {
      const step = {
        id: kind,
        kind,
        guest: "ax0",
        host: HOSTS[0],
        alias: "wiki",
        after: [],
        check: "",
        undo: null,
      } as unknown as Step;
      await assert.rejects(
        HANDLERS[kind].make(silent, step),
        (error: unknown) => error instanceof Fault && /silent/.test(error.message),
        kind,
      );
    }
  });
});
