/** "Did you mean": the known word nearest to what was written. */

/** @returns edits between two words (insert, delete, replace, swap of neighbours), or more than `most` when it is more than that. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let older: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const here = [row];
    let least = row;
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(above[column]! + 1, here[column - 1]! + 1, above[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        best = Math.min(best, older[column - 2]! + 1);
      here.push(best);
      least = Math.min(least, best);
    }
    // A swap reaches back two rows, so one row alone above the limit is not the end.
    if (least > most + 1) return most + 1;
    older = above;
    above = here;
  }
  return above[b.length]!;
}

/** @returns the nearest known word when it is near enough to be meant, else `null`. */
export function nearest(written: string, known: readonly string[]): string | null {
  if (written.length > 64) return null;
  const lower = written.toLowerCase();
  let enough = Math.max(1, Math.floor(written.length / 3) + 1);
  let best: string | null = null;
  for (const word of known) {
    const edits = distance(lower, word.toLowerCase(), enough);
    if (edits > enough || edits >= word.length) continue;
    best = word;
    enough = edits - 1;
    if (enough < 0) break;
  }
  return best;
}

/** @returns `; did you mean "x"?`, or what there is when nothing is near. */
export function suggestion(written: string, known: readonly string[]): string {
  const near = nearest(written, known);
  if (near) return `; did you mean "${near}"?`;
  if (known.length === 0) return "; there is none";
  const shown = known.slice(0, 12).join(", ");
  return `; expected one of ${shown}${known.length > 12 ? ", …" : ""}`;
}
