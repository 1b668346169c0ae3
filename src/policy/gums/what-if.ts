/** What another policy would change: recorded questions asked of both. */
import type { Decide } from "./compile.ts";
import type { Mapping, MappingQuestion } from "./model.ts";

export interface RecordedQuestion {
  readonly question: MappingQuestion;
  /** How often it was asked. */
  readonly count: number;
}

export interface Difference {
  readonly question: MappingQuestion;
  readonly before: Mapping;
  readonly after: Mapping;
  readonly count: number;
}

/** Sorts of change, worst first: an account lost stops work, an account gained opens a door. */
export const CHANGES = ["lost", "gained", "other account", "other group", "same"] as const;
export type Change = (typeof CHANGES)[number];

export interface WhatIf {
  /** Calls, not questions: a question asked a thousand times counts a thousand. */
  readonly calls: Readonly<Record<Change, number>>;
  /** Different questions. */
  readonly questions: Readonly<Record<Change, number>>;
  /** Those with the most calls first, at most as many as asked for. */
  readonly examples: readonly (Difference & { readonly change: Change })[];
}

const hasAccount = (mapping: Mapping): boolean => mapping.outcome === "account" || mapping.outcome === "needs-pool";

/** An account that is still to be given out counts as the pool's. */
const accountOf = (mapping: Mapping): string =>
  mapping.outcome === "account" ? mapping.account : mapping.outcome === "needs-pool" ? `pool ${mapping.pool}` : "";

function changeOf(before: Mapping, after: Mapping): Change {
  if (hasAccount(before) !== hasAccount(after)) return hasAccount(before) ? "lost" : "gained";
  if (accountOf(before) !== accountOf(after)) return "other account";
  const groups = [before, after].map((one) => (one.outcome === "account" ? one.group : null));
  return groups[0] === groups[1] ? "same" : "other group";
}

/** A comparison under way: whoever has other work in between gives it the questions a few at a time. */
export interface Comparison {
  readonly take: (record: RecordedQuestion) => void;
  readonly result: () => WhatIf;
}

/** @param most how many examples are kept */
export function comparePolicies(before: Decide, after: Decide, most = 100): Comparison {
  const zero = (): Record<Change, number> => ({ lost: 0, gained: 0, "other account": 0, "other group": 0, same: 0 });
  const calls = zero();
  const questions = zero();
  let examples: (Difference & { readonly change: Change })[] = [];
  const trim = (): void => {
    examples = examples.sort((a, b) => b.count - a.count).slice(0, most);
  };
  return {
    take: ({ question, count }) => {
      const [was, is] = [before(question), after(question)];
      const change = changeOf(was, is);
      calls[change] += count;
      questions[change]++;
      if (change === "same") return;
      examples.push({ question, before: was, after: is, count, change });
      // Sorting now and then keeps a long record from becoming a long list.
      if (examples.length > 2 * most + 100) trim();
    },
    result: () => {
      trim();
      return { calls, questions, examples };
    },
  };
}

/** @returns totals of every sort of change, and the `most` examples with the most calls */
export function whatIf(before: Decide, after: Decide, records: Iterable<RecordedQuestion>, most = 100): WhatIf {
  const comparison = comparePolicies(before, after, most);
  for (const record of records) comparison.take(record);
  return comparison.result();
}
