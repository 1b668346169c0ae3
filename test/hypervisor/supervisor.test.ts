/** What the supervisor owes its guests: restart the dead, adopt the living, end the hung and spare the starved. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { connectHost, judge, launchSupervisor } from "../../src/hypervisor/index.ts";
import { Fault, type GuestName } from "../../src/model/index.ts";
import { readProcess, signal } from "../../src/world/index.ts";
import { eventually } from "../support/eventually.ts";
import { testHost } from "../support/host.ts";
import { testOrder } from "../support/orders.ts";

const one = "one" as GuestName;

describe("the supervisor", () => {
  const host = testHost("beta");
  after(() => host.destroy());

  it("starts a dead guest again", async () => {
    const hypervisor = await host.launch();
    await hypervisor.define(testOrder("one"));
    await hypervisor.start(one);
    const first = (await hypervisor.list())[0]!.instance!;
    signal(Number(first), "SIGKILL");
    const again = await eventually("it runs again", async () => {
      const guest = (await hypervisor.list())[0]!;
      return guest.state === "running" && guest.instance !== first && guest;
    });
    assert.equal(again.restarts, 1);
    assert.match(again.lastEnd ?? "", /SIGKILL|by itself/);
    await hypervisor.close();
  });

  it("is killed, comes back, and adopts what runs", async () => {
    const before = await host.launch();
    const instance = (await before.list())[0]!.instance;
    host.crashSupervisor();
    await eventually(
      "it is gone",
      async () =>
        await connectHost(host.places).then(
          () => false,
          () => true,
        ),
    );
    assert.ok(readProcess(Number(instance)), "the guest lives on");
    const after = await host.launch();
    assert.equal((await after.list())[0]!.instance, instance);
    assert.equal(host.places.directory.processes(one).length, 1, "nothing twice");
    await after.close();
  });

  it("adopts by tag even when nothing was written down", async () => {
    const hypervisor = await host.launch();
    const instance = (await hypervisor.list())[0]!.instance!;
    signal(Number(instance), "SIGKILL");
    host.crashSupervisor();
    await eventually("the guest is gone", () => host.places.directory.processes(one).length === 0);
    const again = await host.launch();
    await eventually("the host starts it by itself", async () => (await again.list())[0]!.state === "running");
    assert.equal(host.places.directory.processes(one).length, 1);
    await again.close();
  });

  it("is there once, however many ask for it at the same time", async () => {
    host.crashSupervisor();
    const all = await Promise.all([1, 2, 3, 4].map(() => launchSupervisor(host.places)));
    const lists = await Promise.all(all.map((hypervisor) => hypervisor.list()));
    assert.equal(new Set(lists.map((list) => list[0]!.instance)).size, 1);
    assert.equal(host.places.directory.processes(one).length, 1);
    for (const hypervisor of all) await hypervisor.close();
  });

  it("stays down while its power is cut", async () => {
    writeFileSync(host.places.directory.cutMarker, "");
    await assert.rejects(host.launch(), (error: unknown) => error instanceof Fault && error.code === "host.cut");
    const { rmSync } = await import("node:fs");
    rmSync(host.places.directory.cutMarker);
  });

  it("keeps secrets out of the definition it writes down, and files to their owner", async () => {
    const hypervisor = await host.launch();
    const order = readFileSync(join(host.places.directory.guest(one), "order.json"), "utf8");
    assert.ok(!order.includes('"secret"'));
    assert.equal(readFileSync(join(host.places.directory.root(one), "etc/tls/key.pem"), "utf8"), "secret");
    await hypervisor.close();
  });

  it("refuses files that lead out of the guest", async () => {
    const hypervisor = await host.launch();
    await assert.rejects(
      hypervisor.define(testOrder("evil", { files: [{ path: "../../escape", content: "" }] })),
      /leads out/,
    );
    await hypervisor.close();
  });

  it("ends a frozen guest at its peer's word, with the right key only", async () => {
    const hypervisor = await host.launch();
    const two = "two" as GuestName;
    const order = testOrder("two", { peerKey: "k".repeat(64) });
    await hypervisor.define({ ...order, definition: { ...order.definition, watchdog: true } });
    await hypervisor.start(two);
    const first = (await hypervisor.list()).find((guest) => guest.name === two)!.instance!;
    const ask = (key: string) =>
      new Promise<{ ended: boolean; state: string }>((resolve, reject) => {
        const socket = connect({ path: join(host.places.sockets, "beta.peer") });
        socket.on("error", reject);
        socket.once("data", (bytes) => {
          socket.destroy();
          resolve(JSON.parse(String(bytes)));
        });
        socket.write(`${JSON.stringify({ op: "end-if-hung", guest: two, key })}\n`);
      });
    assert.equal((await ask("wrong")).state, "refused");
    // It never shows that it is alive, but it sleeps: that alone is no proof yet.
    assert.equal((await ask("k".repeat(64))).ended, (await ask("k".repeat(64))).ended);
    const instance = (await hypervisor.list()).find((guest) => guest.name === two)!.instance ?? first;
    signal(Number(instance), "SIGSTOP");
    const answer = await eventually("it is judged", async () => {
      const said = await ask("k".repeat(64));
      return said.ended && said;
    });
    assert.ok(["stopped", "stuck", "gone"].includes(answer.state), answer.state);
    await eventually("it runs again", async () => {
      const guest = (await hypervisor.list()).find((found) => found.name === two)!;
      return guest.state === "running" && guest.instance !== instance;
    });
    await hypervisor.close();
  });
});

describe("the judgement of a silent guest", () => {
  const quiet = { silentFor: 800, ticksSinceAlive: 0, ownStall: 0 };
  for (const [says, seen, verdict] of [
    ["a stopped process is stopped", { ...quiet, state: "T" }, "stopped"],
    ["a process that waits for the processor is starved", { ...quiet, state: "R" }, "starved"],
    ["one that burns it is spinning", { state: "R", silentFor: 2000, ticksSinceAlive: 190, ownStall: 0 }, "spinning"],
    ["one that sleeps briefly waits for a disk", { ...quiet, state: "D" }, "starved"],
    ["one that sleeps for long is stuck", { ...quiet, state: "S", silentFor: 9000 }, "stuck"],
    [
      "nobody judges while he is kept waiting himself",
      { ...quiet, state: "R", silentFor: 2000, ticksSinceAlive: 190, ownStall: 900 },
      "starved",
    ],
    ["a short silence is ordinary", { ...quiet, state: "S", silentFor: 100 }, "alive"],
  ] as const)
    it(says, () => assert.equal(judge(seen), verdict));

  it("never ends a guest that was heard of within half a second", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("R", "S", "D", "T", "t"),
        fc.nat(500),
        fc.nat(100),
        fc.nat(5000),
        (state, silentFor, ticksSinceAlive, ownStall) => {
          assert.equal(judge({ state, silentFor, ticksSinceAlive, ownStall }), "alive");
        },
      ),
    );
  });
});
