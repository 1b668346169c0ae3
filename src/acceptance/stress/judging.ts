/** From steps to the limit of a service: what held, what broke, and the highest load in between. Pure. */

import type { Objectives } from "../../model/index.ts";
import { formatNumber } from "../../pages/index.ts";
import type { LatencySummary } from "../../probe/index.ts";
import type { StressPart, StressStep } from "../contract.ts";

/** A service that has more than this share of what was asked still waiting falls behind, however short its answers still take. */
const BEHIND = 0.05;
/** The next server is planned at this share of what was measured. Source: FermiGrid 2010, GUMS: 10 million a day measured, planned at 7.5. */
export const MARK = 0.75;
const DAY = 86_400;

export interface Counted {
  /**
   * Calls that were not over at its end, and how many there would have been of a service that keeps up: those of the last moment. `null` in closed loop,
   * where nobody asks more than is answered.
   */
  readonly waiting: { readonly calls: number; readonly usual: number } | null;
  readonly calls: number;
  readonly refused: number;
  readonly lost: number;
  readonly latency: LatencySummary;
}

/** @returns the objectives that were broken, in a sentence; empty when all held */
export function broken(counted: Counted, objectives: Objectives): string {
  const { waiting, calls, refused, lost, latency } = counted;
  const most = objectives.latency * 1000;
  const failed = calls === 0 ? 1 : (lost + refused) / calls;
  const says: string[] = [];
  if (calls === 0) says.push("nothing was answered");
  else if (failed > objectives.lost)
    says.push(
      `${formatNumber(lost)} calls lost and ${formatNumber(refused)} refused of ${formatNumber(calls)}, ${percent(objectives.lost)} allowed`,
    );
  if (latency.p99 > most) says.push(`99 % within ${formatNumber(latency.p99)} ms, ${formatNumber(most)} ms allowed`);
  if (waiting !== null && waiting.calls > BEHIND * calls + waiting.usual)
    says.push(`${formatNumber(waiting.calls)} of ${formatNumber(calls)} calls still waited at its end`);
  return says.join("; ");
}

/** @returns a share as people write it: `0.25` → `25 %` */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(share < 0.1 ? 1 : 2))} %`;
}

type Judged = Pick<StressStep, "kind" | "connections" | "offered" | "kept" | "latency" | "answeredPerSecond">;

/** Steps that say how much a service can do: with new connections, at loads that did not wait for answers. */
const tells = ({ kind, connections }: Judged): boolean => kind !== "closed" && connections === "new";

/** @returns the lowest load that broke; a step that held when it was tried again did not break. `null`: none */
export function lowestBroken<Step extends Judged>(steps: readonly Step[]): Step | null {
  const all = steps.filter(tells);
  const held = (one: Step): boolean =>
    all.some(({ kind, offered, kept }) => kept && kind === one.kind && offered === one.offered);
  return all
    .filter((one) => !one.kept && !held(one))
    .reduce<Step | null>((least, one) => (least === null || one.offered < least.offered ? one : least), null);
}

/** @returns the step with the highest load that held, below any that broke, for a moment or for longer; `null`: none held */
export function kneeOf<Step extends Judged>(steps: readonly Step[]): Step | null {
  const limit = lowestBroken(steps)?.offered ?? Number.POSITIVE_INFINITY;
  return steps
    .filter((one) => tells(one) && one.kept && one.offered < limit)
    .reduce<Step | null>((most, one) => (most === null || one.offered > most.offered ? one : most), null);
}

/** @returns the load to try next between the knee and what broke; `null` when they are as near as two runs differ, or one is missing */
export function between(steps: readonly Judged[]): number | null {
  const [knee, limit] = [kneeOf(steps), lowestBroken(steps)];
  if (knee === null || limit === null || limit.offered < knee.offered * 1.05) return null;
  return (knee.offered + limit.offered) / 2;
}

/** @returns calls a day at so many a second, and the mark at which to plan the next server */
export function dayOf(perSecond: number): Pick<StressPart, "callsPerDay" | "nextServerAt"> {
  return { callsPerDay: Math.round(perSecond * DAY), nextServerAt: Math.round(perSecond * DAY * MARK) };
}
