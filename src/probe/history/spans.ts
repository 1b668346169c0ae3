/** Spans of time, from the first millisecond to before the last, as sets: sorted, apart from each other. */

/** Milliseconds since the epoch; `to` is not in it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** @returns the same times as spans that do not touch, in order */
export function union(spans: readonly Span[]): readonly Span[] {
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    if (to <= from) continue;
    const last = found.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
}

/** @returns the times that are in both; both must be in order and apart */
export function meet(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  const found: Span[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const from = Math.max(a[i]!.from, b[j]!.from);
    const to = Math.min(a[i]!.to, b[j]!.to);
    if (from < to) found.push({ from, to });
    if (a[i]!.to < b[j]!.to) i++;
    else j++;
  }
  return found;
}

export const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, { from, to }) => sum + to - from, 0);

/**
 * @param spans in order and apart
 * @param slots one after the other without a gap
 * @returns how many milliseconds of the spans are in each slot
 */
export function spread(spans: readonly Span[], slots: readonly Span[]): readonly number[] {
  const sums = slots.map(() => 0);
  let slot = 0;
  for (const { from, to } of spans) {
    while (slot < slots.length && slots[slot]!.to <= from) slot++;
    for (let at = slot; at < slots.length && slots[at]!.from < to; at++)
      sums[at]! += Math.max(0, Math.min(to, slots[at]!.to) - Math.max(from, slots[at]!.from));
  }
  return sums;
}
