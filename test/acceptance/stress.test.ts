/** `domus accept SITE stress` on a real small site: a limit that is known is found, and whoever ends it in the middle leaves nothing behind. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { AcceptanceReport, StressPart, TestReport } from "../../src/acceptance/index.ts";
import { listProcesses, readProcess } from "../../src/world/index.ts";
import { ended } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";
import { Trial } from "./trial.ts";

const COPIES = ["onex1", "twox1"] as const;
/** Milliseconds that a copy takes for each call, one after the other: two copies answer at most 66 a second, and directors ask too. */
const TURN = 30;

const stressOf = ({ tests }: AcceptanceReport) => tests[0] as TestReport<StressPart>;

/** Processes of the test that a command has started: generators, and the bare server while it is there. */
function workersOf(child: ChildProcess): readonly number[] {
  return listProcesses()
    .filter(({ parent }) => parent === child.pid)
    .map(({ pid }) => pid)
    .filter((pid) => /acceptance\/stress\/(generator|bare)\.ts/.test(commandOf(pid)));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

describe("stress", { timeout: 300_000 }, () => {
  let trial: Trial;
  before(async () => {
    trial = new Trial();
    await trial.up();
  });
  after(() => trial.close());

  /** Starts the test and waits until calls are under way. */
  async function underWay(): Promise<{
    child: ChildProcess;
    workers: readonly number[];
    done: ReturnType<typeof ended>;
  }> {
    const child = trial.domus.start("domus", [
      "accept",
      trial.site,
      "stress",
      "--for",
      "10min",
      "--html",
      `${trial.domus.state}/page.html`,
    ]);
    let said = "";
    child.stderr!.on("data", (chunk) => {
      said += chunk;
    });
    const done = ended(child);
    await eventually("clients call", () => /stress: web: 4 clients/.test(said));
    const workers = await eventually("a generator runs", () => {
      const found = workersOf(child);
      return found.length > 0 && found;
    });
    return { child, workers, done };
  }
  const gone = (workers: readonly number[]) =>
    eventually("no process is left", () => workers.every((pid) => readProcess(pid) === null));

  it("finds a limit that is known, holds three quarters of it, and says who is full and what to add", async () => {
    for (const copy of COPIES) trial.spoil(copy, `turns ${TURN}`);
    const ran = await trial.domus.domus("accept", trial.site, "stress", "--for", "30s", "--json");
    const report = JSON.parse(ran.stdout) as AcceptanceReport;
    const stress = stressOf(report);
    const part = stress.parts[0]!;
    assert.equal(part.part, "alias web");
    assert.ok(part.knee.perSecond > 12 && part.knee.perSecond < 90, `${part.knee.perSecond}: ${part.says}`);
    assert.equal(part.callsPerDay, Math.round(part.knee.perSecond * 86_400));
    assert.equal(part.nextServerAt, Math.round(part.knee.perSecond * 86_400 * 0.75));
    const kinds = new Set(part.steps.map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), ["closed", "open", "soak"]);
    const soak = part.steps.find(({ kind }) => kind === "soak")!;
    assert.ok(
      part.steps.some(({ kind, offered }) => kind === "open" && Math.abs(soak.offered / offered - 0.75) < 0.02),
      `${soak.offered} is three quarters of nothing that was tried`,
    );
    // Nobody needs much of a processor for this: the generator could ask far more.
    assert.ok(part.generatorPerSecond > 5 * part.knee.perSecond, `${part.generatorPerSecond}`);
    for (const step of part.steps) {
      for (const name of [...COPIES, "onex0", "twox0", "load generator", "this machine"])
        assert.ok(
          step.use.some((one) => one.name === name),
          `${name} is missing`,
        );
      assert.ok(step.idle >= 0 && step.idle <= 1 && step.loadAverage >= 0);
      assert.equal(step.kept, step.says === "");
    }
    // On a machine that others have filled nobody can tell more than that.
    const crowded = part.steps.some(({ use }) =>
      use.some(({ name, processors }) => name === "other programs" && processors > 0.5),
    );
    assert.ok(part.saturated.tier === "copies of web" || crowded, part.saturated.says);
    if (part.saturated.tier === "copies of web") {
      assert.equal(part.next.add, "host");
      assert.match(part.next.says, /another copy of web.*one already has copy 0 \(onex1\)/);
    }
    assert.equal(stress.interrupted, false);
    const text = await trial.domus.domus("accept", trial.site, "show", "last");
    assert.match(text.stdout, /web .* a day/);
  });

  it("in open loop calls are timed from when they were due, in closed loop what nobody asked meanwhile is made up for", async () => {
    for (const copy of COPIES) trial.spoil(copy, "well");
    const ran = await trial.domus.domus("accept", trial.site, "stress", "--for", "12s", "--json");
    const part = stressOf(JSON.parse(ran.stdout) as AcceptanceReport).parts[0]!;
    for (const step of part.steps) {
      if (step.kind === "closed") assert.ok(step.latency.count >= step.service.count);
      else assert.ok(step.latency.count === step.service.count && step.latency.max >= step.service.max * 0.98);
    }
    assert.ok(part.knee.perSecond > 0);
  });

  it("a copy that dies of the load is named", async () => {
    trial.spoil("twox1", "dies 150");
    const ran = await trial.domus.domus("accept", trial.site, "stress", "--for", "8s", "--json");
    trial.spoil("twox1", "well");
    assert.equal(ran.code, 1);
    const { findings } = stressOf(JSON.parse(ran.stdout) as AcceptanceReport);
    const failed = findings.filter(({ level }) => level === "failed").map(({ says }) => says);
    assert.ok(
      failed.some((says) => /^twox1 ended under load: ended with status 1/.test(says)),
      failed.join("; "),
    );
    assert.ok(!failed.some((says) => /^onex/.test(says)), failed.join("; "));
    await eventually("the site is whole", async () => (await trial.domus.json("status")).well);
  });

  it("Ctrl-C ends it, keeps what was reached and leaves no process", async () => {
    const { child, workers, done } = await underWay();
    child.kill("SIGINT");
    const ran = await done;
    assert.equal(ran.code, 1, ran.stderr);
    assert.match(ran.stdout, /stress {2}interrupted/);
    await gone(workers);
    const report = (await trial.domus.json("accept", trial.site, "show", "last")) as AcceptanceReport;
    assert.ok(stressOf(report).interrupted);
    assert.ok((await trial.domus.json("status")).well);
  });

  it("nothing is left when the command itself is killed, and the next run begins anew", async () => {
    const { child, workers, done } = await underWay();
    child.kill("SIGKILL");
    await done;
    await gone(workers);
    const ran = await trial.domus.domus("accept", trial.site, "basic", "--for", "1s");
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  });

  it("a load generator that dies is said, and is no fault of the service", async () => {
    const { workers, done } = await underWay();
    for (const pid of workers) process.kill(pid, "SIGKILL");
    const ran = await done;
    assert.equal(ran.code, 1);
    assert.match(ran.stdout, /the load generator ended by SIGKILL/);
    assert.doesNotMatch(ran.stdout + ran.stderr, / at .*\.ts:\d+/);
  });
});
