/** What a copy may still decide, given how long its database has been out of sight: one rule for GUMS and SAZ. Pure. */
import type { StaleRule } from "../../src/recipes/index.ts";

export interface Freshness {
  /** `ok`: sees its database. `read-only`: decides from its snapshot. `stale`: refuses to decide. */
  readonly state: "ok" | "read-only" | "stale";
  /** Seconds since the database was last seen; `null` when never. */
  readonly freshnessSeconds: number | null;
  readonly says: string;
}

/** Seconds without the database after which a copy calls itself read-only; some missed polls are no news. */
const GRACE = 1;

/** Seconds after which that holds although nothing was heard of a fault: whoever asks it every moment has stopped asking. */
const UNASKED = 5;

/**
 * @param seen milliseconds since the epoch at which the database was last seen, 0 for never
 * @param now the same clock; whoever has a steadier measure of the age adds it to `seen`
 * @param fault why it is out of sight, or `null`
 */
export function judgeFreshness(rule: StaleRule, seen: number, fault: string | null, now: number): Freshness {
  const seconds = seen === 0 ? null : Math.max(0, Math.round((now - seen) / 100) / 10);
  const bearable = fault === null ? UNASKED : Math.min(GRACE, rule.after);
  const blind = seconds === null ? fault !== null : seconds >= bearable;
  if (!blind && seconds !== null) return { state: "ok", freshnessSeconds: seconds, says: "sees its database" };
  const since = seconds === null ? "no snapshot exists" : `the snapshot is of ${new Date(seen).toISOString()}`;
  const why = fault ?? "the database was not asked for a while";
  if (rule.decides === "refuse" && (seconds === null || seconds >= rule.after))
    return {
      state: "stale",
      freshnessSeconds: seconds,
      says: `${why}; ${since}, older than ${rule.after} s: decisions are refused`,
    };
  return { state: "read-only", freshnessSeconds: seconds, says: `${why}; ${since}: decisions go on` };
}
