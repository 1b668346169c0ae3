/**
 * History of a site that runs: somebody serves, a guest is stopped by a person, one is killed, a host is cut, nobody serves for a while. Every
 * outage is found with its cause, and the pause is seen as a pause.
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { ended, TestDomus } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";

interface Told {
  readonly subject: string;
  readonly total: { readonly looked: number; readonly unanswered: number; readonly share: number };
  readonly outages: readonly {
    readonly from: number;
    readonly to: number | null;
    readonly seconds: number;
    readonly says: string;
    readonly cause: { readonly kind: string; readonly says: string };
  }[];
}

describe("the history of a site", { timeout: 300_000 }, () => {
  const domus = new TestDomus();
  before(() => domus.must("up", "sites/wiki.yaml", "--loopback", domus.loopback));
  let serving: ChildProcess | null = null;
  /** Ends with the test, however it ends. */
  const serve = () => {
    serving = domus.start("domus", ["serve", "wiki", "--json"]);
    return serving;
  };
  after(async () => {
    serving?.kill("SIGKILL");
    await domus.destroy();
  });

  const told = async (subject: string): Promise<Told | undefined> => {
    const history = (await domus.json("status", "wiki", "--history", "--days", "1")) as {
      readonly subjects: readonly Told[];
    };
    return history.subjects.find((one) => one.subject === subject);
  };
  /** The newest outage of a subject, once it is over. */
  const over = (subject: string, count: number) =>
    eventually(`${subject} has ${count} outages that are over`, async () => {
      const { outages = [] } = (await told(subject)) ?? {};
      return outages.length === count && outages.every(({ to }) => to !== null) && outages.at(-1)!;
    });

  it("is kept while somebody serves: every copy, alias and host, each outage with its cause", async () => {
    const controller = serve();
    const served = ended(controller);
    await eventually("somebody looks", async () => ((await told("alias wiki"))?.total.looked ?? 0) > 2);

    await domus.must("guest", "stop", "north1", "--site", "wiki");
    await eventually("it is seen", async () => (await told("guest north1"))!.outages.length === 1);
    await domus.must("guest", "start", "north1", "--site", "wiki");
    const stopped = await over("guest north1", 1);
    assert.deepEqual([stopped.cause.kind, stopped.cause.says], ["person", "stop by a person"]);

    const shown = await domus.json("guest", "show", "south1", "--site", "wiki");
    // Longer than a look: a guest that is back at once may never be seen away. Stopped first, its director's checks see it too.
    process.kill(Number(shown.status.instance.split(/\D/)[0]), "SIGSTOP");
    await eventually("it is seen", async () => (await told("guest south1"))!.outages.length === 1);
    process.kill(Number(shown.status.instance.split(/\D/)[0]), "SIGKILL");
    const killed = await over("guest south1", 1);
    assert.ok(killed.seconds > 0 && killed.says.length > 0);

    await domus.lab("cut", "south");
    await eventually("it is seen", async () => (await told("host south"))!.outages.length === 1);
    await domus.lab("heal", "south");
    await over("host south", 1);
    const cut = await over("guest south0", 1);
    assert.deepEqual([cut.cause.kind, cut.cause.says], ["host", "host south is cut off from power"]);
    const second = await over("guest south1", 2);
    assert.equal(second.cause.kind, "host");
    // A copy that hangs keeps those waiting whom it was given, and a host takes its director along: the alias was away for moments, and is back.
    const alias = (await told("alias wiki"))!;
    assert.ok(alias.total.share > 0.3, `${alias.total.share}`);
    assert.ok(alias.outages.every(({ to }) => to !== null));
    controller.kill("SIGINT");
    assert.equal((await served).code, 0);
  });

  it("a time in which nobody looked is in no share", async () => {
    const before = (await told("guest north1"))!.total;
    const began = Date.now();
    await domus.must("guest", "reboot", "north0", "--site", "wiki");
    // Longer than what may lie between two looks of one controller.
    await eventually("sixteen seconds have passed", () => Date.now() - began > 16_000, 60_000);
    const controller = serve();
    const served = ended(controller);
    const again = await eventually("somebody looks again", async () => {
      const { total } = (await told("guest north1"))!;
      return total.looked > before.looked + 1 && total;
    });
    const real = (Date.now() - began) / 1000;
    controller.kill("SIGINT");
    assert.equal((await served).code, 0);
    assert.ok(again.looked - before.looked < real - 15, `${again.looked - before.looked} s looked at in ${real} s`);
    assert.equal(again.unanswered, before.unanswered);
  });
});
