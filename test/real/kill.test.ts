/**
 * Kill -9 of Domus before, during and after each step of `up`, of a changed site and of `down`, with four real guests on two supervisors:
 * the next run finishes, no process is there twice, nothing is left behind.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { SUPERVISOR_TAG, TAG } from "../../src/hypervisor/index.ts";
import { findTagged } from "../../src/world/index.ts";
import type { Moment } from "../controller/saboteur.ts";
import { HOUSE, TestDomus } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";

const workshop = mkdtempSync(join(tmpdir(), "dw-"));
after(() => rmSync(workshop, { recursive: true, force: true }));

const FIRST = join(workshop, "first.yaml");
const CHANGED = join(workshop, "changed.yaml");
writeFileSync(FIRST, readFileSync(join(HOUSE, "sites/wiki.yaml"), "utf8"));
writeFileSync(CHANGED, readFileSync(FIRST, "utf8").replaceAll("Our wiki", "Our wiki revised"));

/** Before, during and after; the two moments in between are tried on every step in memory (`test/controller/kill.test.ts`). */
const POINTS: readonly Moment[] = ["checking", "during", "done"];
type Work = "up" | "change" | "down";

function runDoomed(domus: TestDomus, work: Work, step: string, moment: Moment): Promise<"killed" | "survived"> {
  const words = [
    join(import.meta.dirname, "doomed.ts"),
    work === "down" ? "down" : "up",
    work === "up" ? FIRST : work === "change" ? CHANGED : FIRST,
    domus.loopback,
    step,
    moment,
  ];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", ...words],
      { env: domus.environment },
      (error, stdout, stderr) => {
        if (error?.signal === "SIGKILL") resolve("killed");
        else if (error?.code === 9 && stdout.includes("survived")) resolve("survived");
        else reject(new Error(`${work} ${step} ${moment}: ${error?.message}\n${stdout}\n${stderr}`));
      },
    );
  });
}

/** @returns the ids of the steps that the work would carry out */
async function stepsOf(domus: TestDomus, work: Work): Promise<readonly string[]> {
  const plan = await domus.json("plan", work === "change" ? CHANGED : FIRST, "--loopback", domus.loopback);
  if (work !== "down") return plan.steps.map((step: { id: string }) => step.id);
  const guests = plan.guests as readonly { name: string; host: string }[];
  return [
    ...guests.flatMap(({ name, host }) => [`guest.stop:${name}@${host}`, `guest.retire:${name}@${host}`]),
    ...plan.hosts.map((host: { name: string }) => `host.release:${host.name}`),
  ];
}

/** Every guest's processes once, every supervisor once. */
async function assertNothingTwice(domus: TestDomus, where: string): Promise<void> {
  for (const directory of domus.hostDirectories()) {
    const leaders = findTagged(TAG, `${directory.key}/`).filter((one) => one.pid === one.session);
    const guests = leaders.map((one) => one.tag);
    assert.equal(new Set(guests).size, guests.length, `${where}: a guest runs twice: ${guests.join(", ")}`);
    // A process that a supervisor is about to turn into a guest has its environment for a moment; a second supervisor stays.
    await eventually(
      `${where}: one supervisor is left`,
      () => findTagged(SUPERVISOR_TAG, `${directory.key}/`).length <= 1,
      20_000,
    );
  }
}

async function tryPoint(work: Work, step: string, moment: Moment): Promise<boolean> {
  const domus = new TestDomus();
  const where = `${work} killed ${moment} ${step}`;
  try {
    if (work !== "up") await domus.must("up", FIRST, "--loopback", domus.loopback, "--no-mariadb");
    const outcome = await runDoomed(domus, work, step, moment);
    await assertNothingTwice(domus, where);
    if (work === "down") {
      await domus.must("down");
      assert.deepEqual(domus.processes(), [], `${where}: something is left`);
      return outcome === "killed";
    }
    const file = work === "change" ? CHANGED : FIRST;
    await domus.must("up", file, "--loopback", domus.loopback, "--no-mariadb");
    await assertNothingTwice(domus, where);
    const again = await domus.json("up", file, "--loopback", domus.loopback, "--no-mariadb");
    assert.deepEqual(
      { changed: again.changed, number: again.number },
      { changed: 0, number: work === "change" ? 2 : 1 },
      where,
    );
    const status = await domus.json("status");
    assert.equal(status.well, true, `${where}: ${JSON.stringify(status.troubles)}`);
    const running = domus.hostDirectories().flatMap((directory) => directory.processes());
    assert.equal(running.length, 4, `${where}: ${running.length} processes for four guests`);
    return outcome === "killed";
  } finally {
    await domus.destroy();
  }
}

describe("Domus killed on real processes", () => {
  for (const work of ["up", "change", "down"] as const)
    it(`${work}: before, during and after each step`, async () => {
      const probe = new TestDomus();
      if (work === "change") await probe.must("up", FIRST, "--loopback", probe.loopback, "--no-mariadb");
      const steps = await stepsOf(probe, work);
      await probe.destroy();
      assert.ok(steps.length >= 10, `${steps.length} steps`);
      const points = steps.flatMap((step) => POINTS.map((moment) => ({ step, moment })));
      let killed = 0;
      const worker = async () => {
        for (let point = points.shift(); point; point = points.shift())
          if (await tryPoint(work, point.step, point.moment)) killed++;
      };
      await Promise.all([worker(), worker()]);
      console.log(`# ${work}: ${steps.length} steps, killed ${killed} times`);
      assert.ok(killed >= steps.length, `only ${killed} runs were killed`);
    });
});
