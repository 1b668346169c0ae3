/** What a load says at the end and on the way, and how one answer is judged. */
import type { SampleRequest } from "../recipes/index.ts";
import type { LatencySummary } from "./histogram.ts";

export type CallOutcome =
  | "answered"
  /** The service said no, with a sentence. */
  | "refused"
  /** No right answer within the budget. */
  | "lost";

/** One call that ended. `at`: milliseconds since the start; `tookMs` counts from when the call was meant to begin. */
export interface LoadEvent {
  readonly at: number;
  readonly call: number;
  readonly kind: SampleRequest["kind"];
  readonly outcome: CallOutcome;
  readonly attempts: number;
  readonly tookMs: number;
  /** What the last failed attempt or the refusal said; empty when none failed. */
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
  /** From the moment each call was due. In closed loop nothing is due, so that the calls a client did not make while it waited are made up for. */
  readonly latency: LatencySummary;
  /** From the moment each call was begun: what one patient client sees. */
  readonly service: LatencySummary;
  /** Calls a second that were answered before the time was up; where a number of calls was the end, until the last answer. */
  readonly answeredPerSecond: number;
  /** Calls that were due and not over when the time was up; they are waited for, and counted as whatever came of them. */
  readonly waiting: number;
  /** Calls a day at the pace of this run. */
  readonly callsPerDay: number;
  /** What this process was busy with itself, so that its own limit is not taken for the service's. */
  readonly client: ClientUse;
  readonly seconds: readonly LoadSecond[];
  /** Calls that were not simply answered at the first attempt; the first thousand. */
  readonly events: readonly LoadEvent[];
  /** Each sentence of a refusal or loss and how often it was said; at most fifty of them. */
  readonly sentences: Readonly<Record<string, number>>;
  readonly aborted: boolean;
}

export interface ClientUse {
  /** Processors that this process used, its threads included: 1 is a whole one. */
  readonly processors: number;
  /** Share of the time in which its loop did not rest, 0 to 1: at work, or kept from it by others. */
  readonly busy: number;
  /** Milliseconds that 99 of 100 calls began after they were due, at most. */
  readonly lateMs: number;
}

/** A loop that rests less than this has no more to give. */
const BUSY = 0.95;
/** Milliseconds of lateness that nobody would call a limit. */
const PUNCTUAL = 50;

/** @returns why the calls were fewer than the service could have answered; `null`: the client was not the limit */
export function clientLimit({ client }: Pick<LoadReport, "client">, pace: "open" | "closed"): string | null {
  if (client.busy < BUSY || (pace === "open" && client.lateMs < PUNCTUAL)) return null;
  const busy = `the client itself was busy for ${Math.round(client.busy * 100)} % of the time`;
  return client.processors >= 0.8
    ? `${busy} and had no more to give: the service may do more`
    : `${busy} and got ${client.processors.toFixed(1)} of a processor: others of this machine took the rest`;
}

export type Attempt =
  | { readonly end: "answered" }
  /** `passing`: asking again later may help. */
  | { readonly end: "refused"; readonly says: string; readonly passing: boolean }
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
    return { end: "refused", says: sentence, passing: status === 503 || status === 429 };
  return { end: "again", says: `status ${status}${sentence === null ? "" : `: ${sentence}`}` };
}
