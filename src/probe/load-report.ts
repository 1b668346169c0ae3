/** What a load says at the end and on the way, and how one answer is judged. */
import type { SampleRequest } from "../recipes/index.ts";
import type { LatencySummary } from "./histogram.ts";

export type CallOutcome =
  | "answered"
  /** The service said no, with a sentence. */
  | "refused"
  /** No right answer within the budget. */
  | "lost";

/** Something that was not simply an answer at the first attempt. `at`: milliseconds since the start. */
export interface LoadEvent {
  readonly at: number;
  readonly call: number;
  readonly kind: SampleRequest["kind"];
  readonly outcome: CallOutcome;
  readonly attempts: number;
  readonly tookMs: number;
  /** What the last failed attempt or the refusal said. */
  readonly says: string;
}

/** One second of the run, counted by when calls ended. */
export interface LoadSecond {
  readonly second: number;
  answered: number;
  refused: number;
  lost: number;
  repeated: number;
  maxMs: number;
}

export interface Tally {
  answered: number;
  refused: number;
  lost: number;
}

export interface LoadReport {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly calls: number;
  readonly answered: number;
  readonly refused: number;
  readonly lost: number;
  readonly byKind: Readonly<Record<SampleRequest["kind"], Readonly<Tally>>>;
  /** Calls that needed more than one attempt, and the attempts of all. */
  readonly repeated: number;
  readonly attempts: number;
  readonly latency: LatencySummary;
  /** Calls a day at the pace of this run. */
  readonly callsPerDay: number;
  readonly seconds: readonly LoadSecond[];
  /** The first thousand. */
  readonly events: readonly LoadEvent[];
  /** Each sentence of a refusal or loss and how often it was said; at most fifty of them. */
  readonly sentences: Readonly<Record<string, number>>;
  readonly aborted: boolean;
}

export type Attempt =
  | { readonly end: "answered" }
  | { readonly end: "refused"; readonly says: string }
  | { readonly end: "again"; readonly says: string };

/** @returns the sentence of a `{"message": …}` body; `null` when it has none */
function sentenceOf(body: string): string | null {
  try {
    const message = (JSON.parse(body) as { message?: unknown } | null)?.message;
    return typeof message === "string" && message !== "" ? message : null;
  } catch {
    return null;
  }
}

/** Judges one answer: pure. A refusal is final, whatever else is wrong is tried again. */
export function judge(sample: SampleRequest, status: number, body: string): Attempt {
  if (sample.statuses.includes(status)) {
    if (sample.contains === null || body.includes(sample.contains)) return { end: "answered" };
    return { end: "again", says: `its answer does not contain ${JSON.stringify(sample.contains)}` };
  }
  const sentence = sentenceOf(body);
  if ((status === 503 || (status >= 400 && status < 500)) && sentence !== null)
    return { end: "refused", says: sentence };
  return { end: "again", says: `status ${status}${sentence === null ? "" : `: ${sentence}`}` };
}
