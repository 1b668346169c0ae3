/** Two reports of one site beside each other: what broke, what was mended, what became slower or faster. Pure. */
import type { AcceptanceReport, Part } from "./contract.ts";

/** One thing that two reports measured. */
export interface Change {
  readonly test: Part["test"];
  readonly part: string;
  readonly what: string;
  readonly unit: string;
  readonly before: number | null;
  readonly after: number | null;
  /** `same`: within what two runs differ anyway. */
  readonly verdict: "better" | "worse" | "same" | "new" | "gone";
}

interface Measure {
  readonly what: string;
  readonly unit: string;
  readonly more: "better" | "worse";
  /** Differences below it say nothing: in the unit, and as a share of the larger one. */
  readonly noise: { readonly unit: number; readonly share: number };
  readonly of: (part: Part) => number | null;
}

/** A busy machine alone moves latencies by half and capacity by a fifth. */
const MEASURES: readonly Measure[] = [
  { what: "passed", unit: "", more: "better", noise: { unit: 0, share: 0 }, of: ({ passed }) => Number(passed) },
  {
    what: "calls lost after retry",
    unit: "",
    more: "worse",
    noise: { unit: 0, share: 0 },
    of: (part) => part.lostAfterRetry,
  },
  {
    what: "longest gap",
    unit: "s",
    more: "worse",
    noise: { unit: 0.2, share: 0.5 },
    of: (part) => (part.test === "stress" ? null : part.gapSeconds),
  },
  {
    what: "middle answer",
    unit: "ms",
    more: "worse",
    noise: { unit: 2, share: 0.5 },
    of: (part) => (part.test === "basic" ? part.latency.p50 : null),
  },
  {
    what: "whole again after",
    unit: "s",
    more: "worse",
    noise: { unit: 2, share: 0.5 },
    of: (part) => (part.test === "failover" ? part.wholeAfterSeconds : null),
  },
  { what: "calls a day", unit: "", more: "better", noise: { unit: 0, share: 0.2 }, of: (part) => part.callsPerDay },
];

export interface Comparison {
  readonly before: Pick<AcceptanceReport, "id" | "startedAt" | "passed">;
  readonly after: Pick<AcceptanceReport, "id" | "startedAt" | "passed">;
  /** Everything that both measured or only one of them; in the order of the later report. */
  readonly changes: readonly Change[];
}

/** @param before the earlier report */
export function compareReports(before: AcceptanceReport, after: AcceptanceReport): Comparison {
  const keyOf = ({ test, part }: Part): string => `${test} ${part}`;
  const partsOf = ({ tests }: AcceptanceReport): ReadonlyMap<string, Part> =>
    new Map(tests.flatMap(({ parts }) => parts.map((part) => [keyOf(part), part] as const)));
  const [then, now] = [partsOf(before), partsOf(after)];
  // A test that one of them did not run says nothing of its parts.
  const both = new Set(
    before.tests.map(({ test }) => test).filter((test) => after.tests.some((one) => one.test === test)),
  );
  const keys = [...new Set([...now.keys(), ...then.keys()])];
  const changes = keys.flatMap((key) => {
    const [old, young] = [then.get(key), now.get(key)];
    const { test, part } = (young ?? old)!;
    if (!both.has(test)) return [];
    return MEASURES.flatMap((measure): readonly Change[] => {
      const [was, is] = [old ? measure.of(old) : null, young ? measure.of(young) : null];
      if (was === null && is === null) return [];
      const { what, unit } = measure;
      return [{ test, part, what, unit, before: was, after: is, verdict: verdictOf(measure, was, is) }];
    });
  });
  const head = ({ id, startedAt, passed }: AcceptanceReport) => ({ id, startedAt, passed });
  return { before: head(before), after: head(after), changes };
}

function verdictOf({ more, noise }: Measure, before: number | null, after: number | null): Change["verdict"] {
  if (before === null) return "new";
  if (after === null) return "gone";
  const difference = Math.abs(after - before);
  if (difference <= noise.unit || difference <= noise.share * Math.max(Math.abs(before), Math.abs(after)))
    return "same";
  return after > before === (more === "better") ? "better" : "worse";
}
