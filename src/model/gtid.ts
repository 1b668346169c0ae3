/** Positions in MariaDB's global transaction ids: `domain-server-sequence`, one for each domain. Pure. */

export type Position = ReadonlyMap<number, bigint>;

/** @param text such as `11-11-42,12-12-7`; an empty text is the beginning */
export function parsePosition(text: string): Position {
  const position = new Map<number, bigint>();
  for (const part of text.split(",")) {
    const match = /^\s*(\d+)-(\d+)-(\d+)\s*$/.exec(part);
    if (match) position.set(Number(match[1]), BigInt(match[3]!));
  }
  return position;
}

/** @returns domains in which `mine` is behind `theirs`, `except` one left out */
export function behind(mine: Position, theirs: Position, except: number): readonly number[] {
  return [...theirs]
    .filter(([domain, seq]) => domain !== except && (mine.get(domain) ?? 0n) < seq)
    .map(([domain]) => domain);
}

/** @returns whether whoever is at `mine` has everything that was at `theirs` */
export const hasAll = (mine: Position, theirs: Position): boolean =>
  [...theirs].every(([domain, seq]) => (mine.get(domain) ?? 0n) >= seq);
