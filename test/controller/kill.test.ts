/**
 * Kill -9 of Domus at every moment of every step of `up`, of a changed site, and of `down`: the next run finishes, nothing is there twice,
 * nothing is left behind, and a run after that changes nothing. Exhaustive, on hosts in memory that outlive the killed process.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { StepId } from "../../src/model/index.ts";
import { MOMENTS, type Moment } from "./saboteur.ts";
import { OPTIONS, openStage, SocketHosts, type Stage, stageController, stageSite } from "./stage.ts";

const workshop = mkdtempSync(join(tmpdir(), "dk-"));
const program = join(workshop, "doomed.mjs");

before(async () => {
  const esbuild = await import("esbuild");
  await esbuild.build({
    entryPoints: [join(import.meta.dirname, "doomed.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node26",
    logLevel: "error",
    external: ["esbuild"],
    banner: { js: `import { createRequire as __c } from "node:module"; const require = __c(import.meta.url);` },
  });
});
after(() => rmSync(workshop, { recursive: true, force: true }));

type Work = "up" | "change" | "down";

/** @returns how the doomed controller ended */
function runDoomed(stage: Stage, work: Work, step: StepId, moment: Moment): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", program, stage.directory, work, step, moment],
      (error, stdout, stderr) => {
        if (error?.signal === "SIGKILL") resolve("killed");
        else if (error?.code === 9 && stdout.includes("survived")) resolve("survived");
        else reject(new Error(`${work} ${step} ${moment}: ${error?.message} ${stdout} ${stderr}`));
      },
    );
  });
}

/** Brings the stage to where the work begins. */
async function prepare(stage: Stage, work: Work): Promise<readonly StepId[]> {
  const hosts = new SocketHosts(stage.directory);
  const { controller, store } = await stageController(stage.state, hosts);
  try {
    if (work !== "up") await controller.up(stageSite("first"), OPTIONS);
    if (work === "down") {
      const { downSteps } = await import("../../src/controller/index.ts");
      return downSteps((await store.target())!.blueprint, []).map((step) => step.id);
    }
    const planned = await controller.plan(stageSite(work === "change" ? "changed" : "first"), OPTIONS);
    assert.ok(planned.ok);
    return planned.blueprint.steps.map((step) => step.id);
  } finally {
    await hosts.close();
    await store.close();
  }
}

/** The next run finishes; then the world is as it should be, and a third run changes nothing. */
async function finishAndJudge(stage: Stage, work: Work, where: string): Promise<void> {
  const hosts = new SocketHosts(stage.directory);
  const { controller, store } = await stageController(stage.state, hosts);
  try {
    if (work === "down") {
      const finished = await controller.down();
      assert.deepEqual(finished.failed, [], where);
      for (const host of stage.hosts) assert.equal(host.guests.size, 0, `${where}: something is left on ${host.name}`);
      assert.equal((await controller.down()).changed, 0, where);
      return;
    }
    const site = stageSite(work === "change" ? "changed" : "first");
    const finished = await controller.up(site, OPTIONS);
    assert.deepEqual(finished.execution.failed, [], where);
    const { blueprint } = finished.target;
    for (const host of stage.hosts) {
      const wanted = blueprint.guests.filter((guest) => guest.host === host.name).map((guest) => guest.name);
      assert.deepEqual([...host.guests.keys()].sort(), wanted.sort(), `${where}: guests of ${host.name}`);
      for (const [name, guest] of host.guests) {
        assert.equal(guest.state, "running", `${where}: ${name}`);
        assert.equal(guest.starts, 1, `${where}: ${name} was started ${guest.starts} times`);
      }
    }
    assert.equal(blueprint.number, work === "change" ? 2 : 1, `${where}: one blueprint for one wish`);
    const again = await controller.up(site, OPTIONS);
    assert.equal(again.execution.changed, 0, `${where}: the third run changed something`);
    assert.equal(again.adopted, false, where);
    assert.deepEqual(await store.interruptedSteps(), [], where);
  } finally {
    await hosts.close();
    await store.close();
  }
}

describe("Domus killed at every step", () => {
  for (const work of ["up", "change", "down"] as const)
    it(`${work}: before, during and after each`, async () => {
      const probe = await openStage();
      const steps = await prepare(probe, work);
      await probe.close();
      assert.ok(steps.length >= 8, `${steps.length} steps`);
      const points = steps.flatMap((step) => MOMENTS.map((moment) => ({ step, moment })));
      let killed = 0;
      const worker = async () => {
        for (let point = points.shift(); point; point = points.shift()) {
          const stage = await openStage();
          const where = `${work} killed ${point.moment} ${point.step}`;
          try {
            await prepare(stage, work);
            if ((await runDoomed(stage, work, point.step, point.moment)) === "killed") killed++;
            await finishAndJudge(stage, work, where);
          } finally {
            await stage.close();
          }
        }
      };
      await Promise.all([worker(), worker()]);
      // Steps that were true already are only checked: those points are survived, all others are not.
      assert.ok(killed >= steps.length * 2, `only ${killed} runs were killed`);
    });
});
