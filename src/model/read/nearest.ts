/** "Did you mean": the known word nearest to what was written. */

/** @returns edits between two words: insert, delete, replace, swap of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, row) => [row, ...Array<number>(b.length).fill(0)]);
  for (let column = 0; column <= b.length; column++) rows[0]![column] = column;
  for (let row = 1; row <= a.length; row++)
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        rows[row - 1]![column]! + 1,
        rows[row]![column - 1]! + 1,
        rows[row - 1]![column - 1]! + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        best = Math.min(best, rows[row - 2]![column - 2]! + 1);
      rows[row]![column] = best;
    }
  return rows[a.length]![b.length]!;
}

/** @returns the nearest known word when it is near enough to be meant, else `null`. */
export function nearest(written: string, known: readonly string[]): string | null {
  if (written.length > 64) return null;
  let best: { word: string; edits: number } | null = null;
  for (const word of known) {
    const edits = distance(written.toLowerCase(), word.toLowerCase());
    if (!best || edits < best.edits) best = { word, edits };
  }
  return best && best.edits <= Math.max(1, Math.floor(written.length / 3) + 1) && best.edits < best.word.length
    ? best.word
    : null;
}

/** @returns `; did you mean "x"?`, or what there is when nothing is near. */
export function suggestion(written: string, known: readonly string[]): string {
  const near = nearest(written, known);
  if (near) return `; did you mean "${near}"?`;
  if (known.length === 0) return "; there is none";
  const shown = known.slice(0, 12).join(", ");
  return `; expected one of ${shown}${known.length > 12 ? ", …" : ""}`;
}
