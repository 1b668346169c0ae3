/**
 * What the acceptance tests find, as it is kept, compared and handed on. A report is a value: whatever draws it (text, JSON, a page) knows nothing
 * that is not in it, so that a page made in ten years says the same.
 *
 * Terms: a *call* is what one client wants answered within its budget, with its own repetitions; `lost` are calls of which the first attempt failed,
 * `lostAfterRetry` those that stayed without an answer. A *gap* runs from the last good answer before to the first good answer after, as a prober
 * with 20 ms between questions sees it.
 */
import type { Objectives } from "../model/index.ts";
import type { LatencySummary } from "../probe/index.ts";

export const TESTS = ["basic", "failover", "stress"] as const;
export type TestName = (typeof TESTS)[number];

/** Something a person should know. Whatever is `failed` makes its test fail; a `note` asks nobody to do anything. */
export interface Finding {
  readonly level: "failed" | "warning" | "note";
  /** `copy fg5x2`, `alias gums`, `host fermigrid5`. */
  readonly about: string;
  /** One sentence; names the objective it is judged by. */
  readonly says: string;
}

/** One line of a report: a copy or alias that was asked, something that was killed, an alias under load. */
export interface PartBase {
  readonly test: TestName;
  /** `copy fg5x2`, `alias gums`, `director fg5x0`, `database fg5x4`, `host fermigrid5`. */
  readonly part: string;
  /** `null`: it is no single service's. */
  readonly service: string | null;
  readonly passed: boolean;
  /** What came of it, in one sentence. */
  readonly says: string;
  readonly requests: number;
  readonly lost: number;
  readonly lostAfterRetry: number;
  /** The longest; 0 when there was none. */
  readonly gapSeconds: number;
  /** Measured by `stress` only. */
  readonly callsPerDay: number | null;
  /** Calls a day at which the next server is to be planned: three quarters of what was measured. */
  readonly nextServerAt: number | null;
}

export interface BasicPart extends PartBase {
  readonly test: "basic";
  readonly address: string;
  /** What was asked: `GET /gums/json/mapGridIdentity`, `a connection`. */
  readonly asked: readonly string[];
  readonly latency: LatencySummary;
  /** Milliseconds of single calls in order, for a plot; a failed one is `null`. At most a few hundred. */
  readonly series: readonly (number | null)[];
}

/** Milliseconds since the moment of the kill. */
export interface FailoverMoment {
  readonly at: number;
  readonly says: string;
}

/** What one alias felt of a kill. */
export interface FeltByAlias {
  /** The alias; of a service without one, the service. */
  readonly alias: string;
  /** Calls of the steady load; 0 where nobody knows what to ask. */
  readonly requests: number;
  readonly lost: number;
  /** Refusals among them: whoever was told no until his patience ended has no answer either. */
  readonly lostAfterRetry: number;
  readonly refused: number;
  readonly gapSeconds: number;
  readonly slowestMs: number;
  /** What the first failed question saw; empty when none failed. */
  readonly says: string;
}

export interface FailoverPart extends PartBase {
  readonly test: "failover";
  readonly kind: "copy" | "director" | "database" | "host";
  readonly host: string;
  /** Guests that died: one, or all of a host. */
  readonly guests: readonly string[];
  /** How it was killed: `its power was taken`, `its process was ended`. */
  readonly how: string;
  readonly aliases: readonly FeltByAlias[];
  /** Who answers in its place: `fg6x2 for gums`, `fg6x0 holds the aliases`. */
  readonly tookOver: string;
  /** Seconds from giving it back to everything whole again; `null`: not within the test's patience. */
  readonly wholeAfterSeconds: number | null;
  /** What happened, in order: killed, seen by the directors, taken over, started again, whole. */
  readonly moments: readonly FailoverMoment[];
  /** Calls that ended in each tenth of a second from two seconds before the kill on, all aliases together. */
  readonly timeline: readonly { readonly answered: number; readonly lost: number; readonly repeated: number }[];
}

/** What one guest or host used while a load ran: 1 is a whole processor. */
export interface TierUse {
  readonly name: string;
  /**
   * `copies of gums`, `directors`, `database`, `other services`, `load generator`; `host`: all guests of one; `machine`: everything on the machine where
   * this ran, of which `other programs` is what is none of the site's and not ours.
   */
  readonly tier: string;
  readonly processors: number;
  /** Processors it may use: no more than it has, and no more than its programs know to use (one each, when they are the house's). */
  readonly of: number;
  /** Bytes resident at the end. */
  readonly memory: number | null;
}

export interface StressStep {
  readonly kind: "closed" | "open" | "soak";
  /** `new`: a connection for each call, as clients of the grid do. `kept`: each client keeps its own. */
  readonly connections: "new" | "kept";
  /** Calls a second offered in open loop, clients in closed loop. */
  readonly offered: number;
  readonly seconds: number;
  readonly answeredPerSecond: number;
  readonly repeated: number;
  readonly refused: number;
  readonly lost: number;
  /** From the moment each call was due: coordinated omission is in it (in closed loop made up for, at the interval of the median call). */
  readonly latency: LatencySummary;
  /** From the moment each call was begun: what a client saw. */
  readonly service: LatencySummary;
  /** Milliseconds that 99 of 100 calls were begun late by the load generator, at most; in `latency`, and not the service's doing. */
  readonly lateMs: number;
  readonly use: readonly TierUse[];
  /** Load average of the last minute, and the share of all processors that was idle. */
  readonly loadAverage: number;
  readonly idle: number;
  /** Whether the service kept its objectives at this load, and if not, which one it broke. */
  readonly kept: boolean;
  readonly says: string;
}

export interface StressPart extends PartBase {
  readonly test: "stress";
  readonly alias: string;
  readonly steps: readonly StressStep[];
  /** The highest load at which the objectives held, calls a second, and its 99th percentile in milliseconds. */
  readonly knee: { readonly perSecond: number; readonly p99Ms: number };
  /** Which tier had nothing left at the knee, and how full it was (0 to 1); `load generator`, `other programs`: the service could do more. */
  readonly saturated: { readonly tier: string; readonly share: number; readonly says: string };
  /** What to add at {@link PartBase.nextServerAt}: another copy, another host, and why. */
  readonly next: { readonly add: "copy" | "host" | "nothing" | "client"; readonly says: string };
  /** Calls a second for each processor that the copies used when they were fullest: what does not depend on who else used the machine. `null`: nobody could be asked. */
  readonly perProcessor: number | null;
  /** Calls a second with kept connections, as many as there are; `null`: there was no time for it. */
  readonly keptPerSecond: number | null;
  /** What the load generator alone can do on this machine with processors of its own, calls a second, measured against a server that does nothing. */
  readonly generatorPerSecond: number;
}

export type Part = BasicPart | FailoverPart | StressPart;

export interface TestReport<P extends Part = Part> {
  readonly test: TestName;
  readonly passed: boolean;
  /** What came of it, in one sentence. */
  readonly says: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly parts: readonly P[];
  readonly findings: readonly Finding[];
  /** It was interrupted; what was not reached is not in it. */
  readonly interrupted: boolean;
}

export interface AcceptanceReport {
  readonly format: 1;
  /** `2026-11-20T184012Z-all`: sorts by time. */
  readonly id: string;
  readonly site: string;
  readonly blueprint: { readonly number: number; readonly id: string };
  readonly startedAt: number;
  readonly durationMs: number;
  readonly passed: boolean;
  /** Where it ran: all of it, servers and clients, is on these processors when the site is embedded. */
  readonly machine: {
    readonly cpus: number;
    readonly model: string;
    /** Bytes. */
    readonly memory: number;
    readonly kernel: string;
    readonly domus: string;
    /** `embedded`: hosts, guests and clients share one machine. */
    readonly driver: string;
  };
  /** By which it was judged: the site's, and each service's. */
  readonly objectives: { readonly site: Objectives; readonly services: Readonly<Record<string, Objectives>> };
  readonly tests: readonly TestReport[];
}
