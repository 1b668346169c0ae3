/** The failover test on a small pair that is whole: what it kills, what it says of each, what it does not claim, and how it ends early. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Subject } from "../../src/acceptance/index.ts";
import type { HostName } from "../../src/model/index.ts";
import { eventually } from "../support/eventually.ts";
import { pairSite } from "./failover-sites.ts";
import { failedIn, failover, guardians, PATIENT, standing, warnedIn, whole } from "./failover-stage.ts";

describe("a healthy pair", () => {
  const site = standing(pairSite, { objectives: PATIENT });

  it("passes: every copy, director and host is killed, carried by the other, and whole again", async () => {
    const told: string[] = [];
    const progress: { readonly done: number; readonly secondsLeft: number }[] = [];
    const report = await failover(site, { deadSeconds: 1, onPart: ({ part }) => void told.push(part) }, () => ({
      tell: ({ done, secondsLeft }) => void progress.push({ done, secondsLeft }),
    }));
    assert.deepEqual(failedIn(report), []);
    assert.ok(report.passed && !report.interrupted);
    assert.deepEqual(report.parts.map(({ part }) => part).toSorted(), [
      "copy n1",
      "copy s1",
      "director n0",
      "director s0",
      "host north",
      "host south",
    ]);
    assert.deepEqual(
      told,
      report.parts.map(({ part }) => part),
    );
    assert.ok(progress.length > 20 && progress.every(({ done }) => done >= 0 && done <= 1));
    assert.ok(progress.at(-1)!.done > 0.8 && progress.at(-1)!.secondsLeft < progress[0]!.secondsLeft);
    for (const part of report.parts) {
      assert.ok(part.passed && part.wholeAfterSeconds !== null && part.wholeAfterSeconds > 0, part.part);
      assert.ok(part.requests > 10, `${part.part}: ${part.requests} calls`);
      assert.deepEqual(
        part.aliases.map(({ alias }) => alias),
        ["app"],
      );
      const said = part.moments.map(({ says }) => says);
      assert.match(said[0]!, /was killed/);
      assert.match(said.at(-1)!, /whole/);
      assert.deepEqual(
        part.moments.map(({ at }) => at),
        part.moments.map(({ at }) => at).toSorted((a, b) => a - b),
      );
      const answered = part.timeline.reduce((sum, one) => sum + one.answered, 0);
      assert.ok(answered > 0 && part.timeline.length > 30, "two seconds before, one dead, two settled at least");
    }
    const by = new Map(report.parts.map((part) => [part.part, part]));
    assert.equal(by.get("copy n1")!.tookOver, "s1 for app");
    assert.equal(by.get("director n0")!.tookOver, "s0 holds the aliases");
    assert.equal(by.get("director s0")!.tookOver, "n0 holds the aliases", "each director dies while it is active");
    assert.equal(by.get("host south")!.tookOver, "n0 holds the aliases; n1 for app");
    assert.deepEqual(by.get("host north")!.guests, ["n0", "n1"]);
    assert.equal(by.get("copy n1")!.service, "app");
    assert.equal(by.get("director n0")!.service, null);
    assert.ok(by.get("copy s1")!.moments.some(({ says }) => /has marked s1 down/.test(says)));
    await whole(site.domus);
    await eventually("no guardian is left", () => guardians(site.domus).length === 0);
  });

  it("does not claim what it could not do: without a power switch hosts are named as not tested", async () => {
    const report = await failover(site, { deadSeconds: 1, parts: ["copy n1", "host north"] }, () => ({ power: null }));
    assert.deepEqual(
      report.parts.map(({ part }) => part),
      ["copy n1"],
    );
    assert.ok(report.passed);
    const warned = warnedIn(report);
    for (const host of ["north", "south"])
      assert.ok(warned.some((says) => says.startsWith(`host ${host} was not tested: nobody here can take`)));
    assert.ok(warned.some((says) => /director n0.* not tested: nobody asked/.test(says)));
  });

  it("says so when nobody takes over the aliases", async () => {
    // Both lose their power in the same moment.
    const enough = new AbortController();
    const options = { deadSeconds: 1, parts: ["director n0", "director s0"], onPart: () => enough.abort() };
    const both = (subject: Subject): Partial<Subject> => ({
      hypervisor: async (host) => {
        const hypervisor = await subject.hypervisor(host);
        const other = host === "north" ? ("south" as HostName) : ("north" as HostName);
        const peer = subject.blueprint.guests.find((guest) => guest.host === other && guest.service === "lvs")!.name;
        return new Proxy(hypervisor, {
          get: (target, key: keyof typeof hypervisor) => {
            if (key === "destroy")
              return async (guest: typeof peer) => {
                await (await subject.hypervisor(other)).destroy(peer);
                await target.destroy(guest);
              };
            if (key === "start")
              return async (guest: typeof peer) => {
                await (await subject.hypervisor(other)).start(peer);
                await target.start(guest);
              };
            const value = target[key];
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
      },
    });
    const report = await failover(site, options, both, enough.signal);
    assert.equal(report.passed, false);
    assert.ok(
      failedIn(report).some((says) =>
        /^director \w0: no director took over the aliases while \w0 was dead$/.test(says),
      ),
      failedIn(report).join("\n"),
    );
    assert.equal(report.parts[0]!.tookOver, "nobody holds the aliases");
    await whole(site.domus);
  });

  it("ends at once when it is interrupted, gives back what is dead, and names it", async () => {
    const interrupt = new AbortController();
    const tell: Subject["tell"] = ({ says }) => {
      if (/^copy n1 is dead/.test(says)) interrupt.abort();
    };
    const report = await failover(site, {}, () => ({ tell }), interrupt.signal);
    assert.deepEqual([report.interrupted, report.passed, report.parts], [true, false, []]);
    assert.ok(warnedIn(report).some((says) => says.startsWith("copy n1 was killed and given back, but")));
    assert.deepEqual(failedIn(report), []);
    assert.equal((await site.domus.json("guest", "show", "n1")).status.state, "running");
    await whole(site.domus);
  });
});
