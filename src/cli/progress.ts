/**
 * What is shown while steps are carried out: a living list on a terminal, plain lines elsewhere, nothing for machines. One line for each
 * host, guest and alias, since people think in these and not in steps.
 */
import { Listr, type ListrTaskWrapper } from "listr2";
import type { StepReport } from "../controller/index.ts";
import type { Step, StepKind } from "../model/index.ts";
import { paint, say } from "./say.ts";

type Task = ListrTaskWrapper<unknown, never, never>;

export interface Progress {
  onStep(report: StepReport, step: Step, says: string): void;
  note(step: Step, says: string): void;
  /** Waits until the screen shows the last state. */
  end(): Promise<void>;
}

/** What a step is about, for people. */
export function subjectOf(step: Step): string {
  if (step.alias) return `alias ${step.alias}`;
  if (step.guest) return step.host ? `${step.guest} on ${step.host}` : step.guest;
  return `host ${step.host}`;
}

const ENDED: ReadonlySet<StepReport> = new Set(["already", "done", "failed", "skipped"]);

/** What is worth a line when it was done; a guest's definition and start are told by its being ready. */
const DONE: Partial<Record<StepKind, string>> = {
  "host.prepare": "answers",
  "guest.ready": "answers its probe",
  "alias.ready": "answers",
  "guest.stop": "stopped",
  "host.release": "released",
};

/** Plain lines: what was done and what failed, one line for each subject; what was so already is not worth one. */
function plainProgress(): Progress {
  const troubled = new Set<string>();
  return {
    onStep: (report, step, says) => {
      const subject = subjectOf(step);
      const done = DONE[step.kind];
      if (report === "done" && done) say(`  ${subject}: ${done}`);
      if (report !== "failed" && report !== "skipped") return;
      if (!troubled.has(subject))
        say(`  ${subject}: ${report === "failed" ? paint("red", "failed") : "not done"}, ${says}`);
      troubled.add(subject);
    },
    note: () => {},
    end: async () => {},
  };
}

const SILENT: Progress = { onStep: () => {}, note: () => {}, end: async () => {} };

/** A list that lives: each subject is a task that ends with its last step. */
function livingProgress(steps: readonly Step[]): Progress {
  interface Subject {
    left: number;
    task: Task | null;
    trouble: string | null;
    readonly settle: { resolve: () => void; reject: (error: Error) => void };
    readonly settled: Promise<void>;
  }
  const subjects = new Map<string, Subject>();
  for (const step of steps) {
    const name = subjectOf(step);
    const known = subjects.get(name);
    if (known) {
      known.left++;
      continue;
    }
    let settle!: Subject["settle"];
    const settled = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    settled.catch(() => {});
    subjects.set(name, { left: 1, task: null, trouble: null, settle, settled });
  }
  const list = new Listr(
    [...subjects].map(([title, subject]) => ({
      title,
      task: (_: unknown, task: Task) => {
        subject.task = task;
        return subject.settled;
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      rendererOptions: { collapseErrors: false, showErrorMessage: true },
    } as never,
  );
  const finished = list.run().catch(() => {});
  return {
    onStep: (report, step, says) => {
      const subject = subjects.get(subjectOf(step));
      if (!subject) return;
      if (report === "begun" && subject.task) subject.task.output = says;
      if (!ENDED.has(report)) return;
      if (report === "failed" || report === "skipped") subject.trouble ??= `${subjectOf(step)}: ${says}`;
      if (--subject.left > 0) return;
      if (subject.trouble) subject.settle.reject(new Error(subject.trouble));
      else subject.settle.resolve();
    },
    note: (step, says) => {
      const task = subjects.get(subjectOf(step))?.task;
      if (task) task.output = says;
    },
    end: async () => {
      for (const subject of subjects.values()) subject.settle.resolve();
      await finished;
    },
  };
}

/** @param steps that will be carried out, in order */
export function showProgress(steps: readonly Step[], json: boolean): Progress {
  if (json) return SILENT;
  return process.stdout.isTTY ? livingProgress(steps) : plainProgress();
}
