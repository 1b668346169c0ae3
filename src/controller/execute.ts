/**
 * Carries out steps from a journal. A step that is already true is not touched and leaves no trace; a killed run is resumed by the next,
 * because every step is a check first. One step that fails stops only what waits for it: the rest goes on, with the reason.
 */
import { randomBytes } from "node:crypto";
import { type BlueprintId, Fault, STEP_KINDS, type Step, type StepId } from "../model/index.ts";
import type { Store } from "../store/index.ts";
import { HANDLERS, type StepContext } from "./steps.ts";

export type StepReport = "checking" | "already" | "begun" | "made" | "done" | "failed" | "skipped";

export interface StepOutcome {
  readonly step: Step;
  readonly report: "already" | "done" | "failed" | "skipped";
  readonly says: string;
  readonly fault: Fault | null;
}

export interface Watcher {
  /** Called before and after everything that happens to a step; a test may end the process here. */
  onStep?(report: StepReport, step: Step, says: string): void | Promise<void>;
}

/** Steps at work at one time: hosts are small. */
const AT_ONCE = 6;

export interface ExecutionResult {
  readonly outcomes: readonly StepOutcome[];
  /** Steps that had to be made true; 0 means that nothing was changed. */
  readonly changed: number;
  readonly failed: readonly StepOutcome[];
}

/**
 * @param id of the Blueprint, for the journal
 * @param steps in an order in which each comes after those it waits for
 */
export async function execute(
  store: Store,
  id: BlueprintId,
  steps: readonly Step[],
  context: StepContext,
  watcher: Watcher = {},
): Promise<ExecutionResult> {
  const run = randomBytes(6).toString("hex");
  const interrupted = new Set(await store.interruptedSteps());
  const outcomes = new Map<StepId, StepOutcome>();
  const waiting = new Set(steps);
  const inHand = new Set<Promise<void>>();

  const settle = async (outcome: StepOutcome) => {
    outcomes.set(outcome.step.id, outcome);
    await watcher.onStep?.(outcome.report, outcome.step, outcome.says);
  };
  const carryOut = async (step: Step): Promise<void> => {
    const handler = HANDLERS[step.kind];
    try {
      await watcher.onStep?.("checking", step, step.check);
      if (await handler.isTrue(context, step))
        return await settle({ step, report: "already", says: step.check, fault: null });
      await store.journal({ blueprint: id, run, step: step.id, state: "begun", says: "" });
      await watcher.onStep?.("begun", step, STEP_KINDS[step.kind].says);
      await handler.make(context, step);
      await watcher.onStep?.("made", step, step.check);
      if (!(await handler.isTrue(context, step)))
        throw new Fault("step.failed", { step: step.id, reason: `it was done, but it is not so that ${step.check}` });
      await store.journal({ blueprint: id, run, step: step.id, state: "done", says: "" });
      await settle({ step, report: "done", says: step.check, fault: null });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      await store.journal({ blueprint: id, run, step: step.id, state: "failed", says: error.message });
      await settle({ step, report: "failed", says: error.message, fault: error });
    }
  };

  while (waiting.size > 0 || inHand.size > 0) {
    for (const step of waiting) {
      const before = step.after.map((earlier) => outcomes.get(earlier));
      const broken = before.find((outcome) => outcome && (outcome.report === "failed" || outcome.report === "skipped"));
      if (broken) {
        waiting.delete(step);
        // The root of the trouble, not the whole chain that leads to it.
        const says = broken.report === "skipped" ? broken.says : `waits for ${broken.step.id}: ${broken.says}`;
        await settle({ step, report: "skipped", says, fault: null });
      } else if (context.signal.aborted) {
        waiting.delete(step);
        await settle({ step, report: "skipped", says: "interrupted", fault: null });
      } else if (inHand.size < AT_ONCE && before.every(Boolean)) {
        waiting.delete(step);
        const work: Promise<void> = carryOut(step).finally(() => inHand.delete(work));
        inHand.add(work);
      }
    }
    if (inHand.size > 0) await Promise.race(inHand);
    else if (waiting.size > 0 && [...waiting].every((step) => step.after.some((earlier) => !outcomes.has(earlier))))
      throw new Error(`steps wait for each other: ${[...waiting].map((step) => step.id).join(", ")}`);
  }
  const all = steps.map((step) => outcomes.get(step.id)!);
  const failed = all.filter((outcome) => outcome.report === "failed" || outcome.report === "skipped");
  // Everything is so now: what a killed run had begun is done, or not wanted any more.
  if (failed.length === 0)
    for (const step of interrupted)
      if (outcomes.get(step as StepId)?.report !== "done")
        await store.journal({
          blueprint: id,
          run,
          step: step as StepId,
          state: "done",
          says: "begun by a run that was killed",
        });
  return { outcomes: all, changed: all.filter((outcome) => outcome.report === "done").length, failed };
}

/** Undoes a step by the kind that `STEP_KINDS` names; undoing twice is undoing once. @returns false when its kind has no undo. */
export async function undo(step: Step, context: StepContext): Promise<boolean> {
  const kind = STEP_KINDS[step.kind].undo;
  if (kind === null) return false;
  const reverse: Step = { ...step, kind };
  const handler = HANDLERS[kind];
  if (kind === "guest.retire" || !(await handler.isTrue(context, reverse))) await handler.make(context, reverse);
  return true;
}
