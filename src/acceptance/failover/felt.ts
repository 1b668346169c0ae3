/** What clients felt of one kill: cut out of everything the load and the probers saw. Pure. */
import type { FailoverPart, FeltByAlias, Finding } from "../contract.ts";
import type { Door } from "./doors.ts";
import type { WatchedCall, WatchedGap } from "./watch.ts";
import { counted, inPercent, inSeconds } from "./words.ts";

/** From when until when, milliseconds on the clock of the records: what began in it belongs to it, whenever it ended. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const within = ({ from, to }: Span, at: number): boolean => at >= from && at < to;

/** @returns what the clients of one door felt in a span of time */
export function feltAt(
  door: Pick<Door, "name">,
  span: Span,
  calls: readonly WatchedCall[],
  gaps: readonly WatchedGap[],
): FeltByAlias {
  const own = calls.filter((call) => call.door === door.name && within(span, call.began));
  const failed = own.filter(({ outcome }) => outcome !== "answered");
  const troubled = own.filter(({ outcome, attempts }) => outcome !== "answered" || attempts > 1);
  const outages = gaps.filter((gap) => gap.door === door.name && within(span, gap.from));
  const longest = outages.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0];
  const says = failed[0]?.says ?? troubled.toSorted((a, b) => a.began - b.began)[0]?.says ?? longest?.says ?? "";
  return {
    alias: door.name,
    requests: own.length,
    lost: troubled.length,
    lostAfterRetry: failed.length,
    refused: failed.filter(({ outcome }) => outcome === "refused").length,
    gapSeconds: longest ? Math.round(longest.to - longest.from) / 1000 : 0,
    slowestMs: Math.round(Math.max(0, ...own.map(({ began, ended }) => ended - began))),
    says,
  };
}

/** @returns which of a door's objectives were not kept */
export function brokenObjectives(
  door: Pick<Door, "name" | "objectives">,
  felt: FeltByAlias,
): readonly Omit<Finding, "about">[] {
  const { lost, gap } = door.objectives;
  const share = felt.requests === 0 ? 0 : felt.lostAfterRetry / felt.requests;
  const because = felt.says === "" ? "" : `; first seen: ${felt.says}`;
  const refused = felt.refused === 0 ? "" : `, ${felt.refused} of them refused with a sentence`;
  return [
    ...(share > lost
      ? [
          {
            level: "failed" as const,
            says: `${door.name} lost ${counted(felt.lostAfterRetry, "call")} of ${felt.requests} after their repetitions (${inPercent(share)}${refused}); the objective "lost" allows ${inPercent(lost)}${because}`,
          },
        ]
      : []),
    ...(felt.gapSeconds > gap
      ? [
          {
            level: "failed" as const,
            says: `${door.name} was without service for ${inSeconds(felt.gapSeconds)}; the objective "gap" allows ${inSeconds(gap)}${because}`,
          },
        ]
      : []),
  ];
}

const TENTH = 100;

/** @returns calls by the tenth of a second in which they ended, all doors together */
export function timelineOf(span: Span, calls: readonly WatchedCall[]): FailoverPart["timeline"] {
  const bins = Array.from({ length: Math.max(0, Math.ceil((span.to - span.from) / TENTH)) }, () => ({
    answered: 0,
    lost: 0,
    repeated: 0,
  }));
  for (const { ended, outcome, attempts } of calls) {
    const bin = bins[Math.floor((ended - span.from) / TENTH)];
    if (!bin) continue;
    if (outcome === "answered") bin.answered++;
    else bin.lost++;
    if (attempts > 1) bin.repeated++;
  }
  return bins;
}
