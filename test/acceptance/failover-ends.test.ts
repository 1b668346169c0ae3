/** One host, one copy, no front end: judged honestly, and no end of the test leaves anything dead. By the command, as a person has it. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { Debts } from "../../src/acceptance/failover/debts.ts";
import type { GuestName, HostName } from "../../src/model/index.ts";
import { ended } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";
import { loneSite, withSubject } from "./failover-sites.ts";
import { failedIn, failover, guardians, standing, whole } from "./failover-stage.ts";

describe("one host, one copy, no front end", () => {
  const site = standing(loneSite, { objectives: "{ gap: 1 s, whole: 120 s }" });

  /** Starts the command and waits until it has killed something. */
  async function until(
    says: RegExp,
  ): Promise<{ readonly child: ChildProcess; readonly done: ReturnType<typeof ended> }> {
    const child = site.domus.start("domus", ["accept", "lone", "failover"]);
    const done = ended(child);
    const lines = createInterface({ input: child.stderr! });
    for await (const line of lines) if (says.test(line)) return { child, done };
    throw new Error(`it ended before: ${JSON.stringify(await done)}`);
  }

  const dead = (): Promise<unknown> =>
    eventually("it is dead", async () => (await site.domus.json("status")).guests[0].outcome === "failed");

  it("is tested, and judged honestly: nobody took over", async () => {
    const report = await failover(site, { deadSeconds: 2 });
    assert.deepEqual(
      report.parts.map(({ part, passed }) => [part, passed]),
      [
        ["copy solo0", false],
        ["host solo", false],
      ],
    );
    for (const { part, gapSeconds, tookOver, aliases } of report.parts) {
      assert.ok(gapSeconds > 1.5, `${part}: nobody answered while it was dead`);
      assert.equal(tookOver, "");
      assert.deepEqual(
        aliases.map(({ alias }) => alias),
        ["app"],
      );
    }
    assert.ok(failedIn(report).some((says) => /^host solo: app was without service .*the objective "gap"/.test(says)));
  });

  for (const [what, says] of [
    ["guest", /copy solo0 is dead/],
    ["host", /host solo is dead/],
  ] as const)
    it(`is whole again when the test is killed with SIGKILL in the middle of a dead ${what}`, async () => {
      const { child, done } = await until(says);
      await dead();
      child.kill("SIGKILL");
      await done;
      await whole(site.domus);
      const { events } = await site.domus.json("status");
      assert.match(events[0].says, /a failover test was killed; its guardian has given back what it had taken/);
      await eventually("its guardian has ended", () => guardians(site.domus).length === 0);
    });

  it("gets back from the guardian what a test that was stopped does not give back in time", async () => {
    await withSubject(site.domus, site.name(), new AbortController().signal, async ({ hypervisor, power, state }) => {
      const guest = { host: "solo" as HostName, guest: "solo0" as GuestName };
      const debts = await Debts.open({ hypervisor, power }, state);
      await debts.owe({ kind: "start", ...guest }, 200);
      await (await hypervisor(guest.host)).destroy(guest.guest);
      // A test that stands still settles nothing. Whether the guardian came before the kill or after it, it comes.
      await debts.owe({ kind: "start", ...guest }, 200);
      await whole(site.domus);
      await debts.settle({ kind: "start", ...guest });
      await debts.close();
    });
    await eventually("it is in the events", async () =>
      (await site.domus.json("status")).events.some(({ says }: { says: string }) =>
        /a failover test stands still; its guardian has given back/.test(says),
      ),
    );
    await eventually("its guardian has ended", () => guardians(site.domus).length === 0);
  });

  it("is whole again when the command is interrupted by Ctrl-C", async () => {
    const { child, done } = await until(/copy solo0 is dead/);
    await dead();
    child.kill("SIGINT");
    const { code, stdout } = await done;
    assert.equal(code, 1, stdout);
    assert.match(stdout, /interrupted/);
    await whole(site.domus);
  });
});
