/**
 * One guest, every host: the best that may take it, or every sentence why none does. Both ask the same rules, so a refusal never names a
 * reason that placement did not have.
 */
import { FILTERS, objection } from "./filters.ts";
import type { Want } from "./ground.ts";
import type { Ledger } from "./ledger.ts";
import { SCORE_GRAIN } from "./score.ts";

/** The best host for a guest that is nowhere, or -1. */
export function bestPlace(ledger: Ledger, want: Want, choose: "balance" | "tightest", except = -1): number {
  const others = ledger.others(want.index);
  let best = -1;
  let bestScore = Number.POSITIVE_INFINITY;
  for (const place of ledger.ground.places) {
    if (place.index === except || !place.reachable || objection(ledger, want, place) !== null) continue;
    const score =
      choose === "balance"
        ? ledger.scale.ifPut(want.index, place.index, others)
        : (place.memory - ledger.usedMemory[place.index]! - want.memory) / Math.max(1, place.memory);
    if (score < bestScore - SCORE_GRAIN) {
      best = place.index;
      bestScore = score;
    }
  }
  return best;
}

/** The sentences of every host for a guest that has none; on large sites the hosts with the same reason are counted. */
export function whyNot(ledger: Ledger, want: Want): string {
  const said = new Map<string, string[]>();
  for (const place of ledger.ground.places) {
    const filter = objection(ledger, want, place);
    if (!filter) continue;
    const sentences = said.get(filter.name);
    if (!sentences) said.set(filter.name, [filter.says(ledger, want, place)]);
    else if (sentences.length < 8) sentences.push(filter.says(ledger, want, place));
    else sentences.push("");
  }
  const parts: string[] = [];
  for (const { name } of FILTERS) {
    const sentences = said.get(name) ?? [];
    parts.push(...sentences.slice(0, 8));
    if (sentences.length > 8) parts.push(`${sentences.length - 8} more hosts say no by the rule "${name}"`);
  }
  return parts.join("; ") || "there is no host";
}
