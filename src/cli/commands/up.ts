/** `domus up SITE` and `domus down SITE`: make it so, again and again; take it down, data kept. */
import { rmSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import type { ExecutionResult, RunOptions, UpResult } from "../../controller/index.ts";
import { Fault, type Site } from "../../model/index.ts";
import { knownSites, siteDirectory, stateBase } from "../../store/index.ts";
import { chooseSite, lockSite, type OpenSite, openSite, openState, rememberSite } from "../open.ts";
import { showProgress } from "../progress.ts";
import { complain, formatMilliseconds, paint, say, sayJson } from "../say.ts";
import { network } from "../words.ts";
import { ASKED } from "./plan.ts";

export interface UpFlags {
  readonly hosts?: string;
  readonly loopback?: string;
  readonly mariadb?: boolean;
  readonly json?: boolean;
}

/** A site that is open and locked by this process. */
export interface Held {
  readonly open: OpenSite;
  release(): Promise<void>;
}

/** Opens a site's state for changing it. @throws Fault `site.busy` */
export async function holdSite(site: Site, what: string): Promise<Held> {
  const base = stateBase(process.env);
  const unknown = !knownSites(base).includes(site.name);
  const lock = await lockSite(site.name, what);
  const open = await openState(site.name).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  return {
    open,
    release: async () => {
      // A site that was refused before anything was begun leaves no trace.
      const nothing = unknown && (await open.store.target().catch(() => "unknown")) === null;
      await open.close();
      if (nothing) rmSync(siteDirectory(base, site.name), { recursive: true, force: true });
      await lock.release();
    },
  };
}

/** Brings a site up with progress on the screen. */
export async function bringUp(open: OpenSite, site: Site, flags: UpFlags, signal?: AbortSignal): Promise<UpResult> {
  const options = { loopback: flags.loopback ?? null, planOnly: false, mariadb: flags.mariadb ?? null, cause: ASKED };
  const planned = await open.controller.plan(site, options);
  if (!planned.ok) throw new Fault("plan.impossible", { reasons: planned.refusals.join("\n") });
  rememberSite(open, site);
  const interrupted = await open.store.interruptedSteps();
  if (interrupted.length > 0 && !flags.json)
    say(`The last run was ended in the middle of ${interrupted.join(", ")}; this one goes on from there.`);
  const progress = showProgress(planned.blueprint.steps, flags.json ?? false);
  const run: RunOptions = {
    onStep: (report, step, says) => progress.onStep(report, step, says),
    note: (step, says) => progress.note(step, says),
    ...(signal ? { signal } : {}),
  };
  try {
    return await open.controller.up(site, options, run);
  } finally {
    await progress.end();
  }
}

/** @throws Fault of the first step that failed: the rest was done, but the thing asked for is not so */
export function failOnTrouble(execution: ExecutionResult, interrupted: boolean): void {
  if (interrupted) throw new Fault("step.failed", { step: "run", reason: "interrupted; what was done stays done" });
  const first = execution.failed.find((outcome) => outcome.report === "failed");
  if (!first) return;
  const others = execution.failed.filter((outcome) => outcome !== first);
  for (const outcome of execution.failed.filter((one) => one.report === "failed").slice(1))
    complain(`${paint("red", "✗")} ${outcome.says}`);
  const rest =
    others.length > 0
      ? `; ${others.length} other steps were not done either, everything else was`
      : "; everything else was done";
  throw new Fault("step.failed", {
    step: first.step.id,
    reason: `${first.says}${rest}`,
    ...(first.fault?.remedy ? { remedy: first.fault.remedy } : {}),
  });
}

/** An AbortSignal that the first Ctrl-C sets; the second one ends the process as usual. */
export function interruptible(): AbortController {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort());
  return controller;
}

export function addUp(program: Command): void {
  program
    .command("up")
    .summary("make it so; again and again; resumable")
    .description(
      "Brings a site up as its file says. What is so already is not touched; a run that was killed is finished by the next.",
    )
    .argument("<site>", "site file, e.g. sites/fermigrid-ha.yaml")
    .option("--hosts <file>", "use the hosts (and network) of this file instead")
    .option("--loopback <cidr>", "network for the embedded default, e.g. 127.9.9.0/24")
    .option("--mariadb", "use MariaDB, also for a site that has SQLite")
    .option("--no-mariadb", "use SQLite in place of MariaDB; a site keeps what it was brought up with")
    .option("--json", "for machines")
    .addHelpText("after", "\nExamples:\n  domus up sites/wiki.yaml\n  domus up sites/fermigrid-ha.yaml --json")
    .action(async (file: string, flags: UpFlags) => {
      network("--loopback", flags.loopback);
      const site = openSite(file, flags.hosts);
      const held = await holdSite(site, `domus up ${site.name}`);
      const began = performance.now();
      if (!flags.json) say(`Bringing ${site.name} up …`);
      try {
        const interrupt = interruptible();
        const result = await bringUp(held.open, site, flags, interrupt.signal);
        const took = performance.now() - began;
        const { execution, target, adopted } = result;
        if (flags.json)
          sayJson({
            site: site.name,
            blueprint: target.id,
            number: target.blueprint.number,
            adopted,
            changed: execution.changed,
            failed: execution.failed.map((outcome) => ({
              step: outcome.step.id,
              report: outcome.report,
              says: outcome.says,
            })),
            milliseconds: Math.round(took),
          });
        else {
          for (const warning of result.plan.warnings) say(`${paint("yellow", "!")} ${warning}`);
          if (execution.failed.length === 0) say(summary(result, took));
        }
        failOnTrouble(execution, interrupt.signal.aborted);
      } finally {
        await held.release();
      }
    });
}

function summary({ execution, target }: UpResult, took: number): string {
  const name = paint("bold", target.blueprint.site);
  if (execution.changed === 0)
    return `${name} is up as it should be: nothing was changed (blueprint ${target.blueprint.number}).`;
  return `${name} is up: ${execution.changed} steps in ${formatMilliseconds(took)} (blueprint ${target.blueprint.number}).`;
}

/** Takes a site down with progress on the screen. */
export async function takeDown(open: OpenSite, json: boolean, destroyData: boolean): Promise<ExecutionResult> {
  const target = await open.store.target();
  if (!json && target) say(`Taking ${target.blueprint.site} down …`);
  const progress = showProgress([], json || process.stdout.isTTY === true);
  const result = await open.controller.down({
    destroyData,
    onStep: (report, step, says) => progress.onStep(report, step, says),
  });
  await progress.end();
  if (!json && target)
    say(`${paint("bold", target.blueprint.site)} is down; ${destroyData ? "its data is gone" : "its data stays"}.`);
  return result;
}

interface DownFlags {
  readonly destroyData?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function addDown(program: Command): void {
  program
    .command("down")
    .summary("take it down; never deletes data")
    .description(
      "Stops every guest of a site and lets its hosts go. Data stays, unless --destroy-data is said and confirmed.",
    )
    .argument("[site]", "site file or name; not needed when only one is known")
    .option("--destroy-data", "delete the guests' data too; asks first")
    .option("--yes", "with --destroy-data: do not ask")
    .option("--json", "for machines")
    .addHelpText("after", "\nExamples:\n  domus down wiki\n  domus down sites/wiki.yaml --destroy-data")
    .action(async (given: string | undefined, flags: DownFlags) => {
      const name = chooseSite(given);
      if (flags.destroyData && !flags.yes) await confirm(name);
      const lock = await lockSite(name, `domus down ${name}`);
      const open = await openState(name);
      try {
        const result = await takeDown(open, flags.json ?? false, flags.destroyData ?? false);
        if (flags.json)
          sayJson({
            site: name,
            changed: result.changed,
            failed: result.failed.map((one) => ({ step: one.step.id, says: one.says })),
          });
        failOnTrouble(result, false);
      } finally {
        await open.close();
        await lock.release();
      }
    });
}

async function confirm(name: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new Fault("usage.invalid", { reason: "--destroy-data asks first, and nobody is there to answer: add --yes" });
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(
    `This deletes the databases and files of ${name} for ever. Type its name to go on: `,
  );
  lines.close();
  if (answer.trim() !== name)
    throw new Fault("request.refused", {
      reason: "nothing was deleted",
      remedy: "Type the name of the site to confirm.",
    });
}
