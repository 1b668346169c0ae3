/** Sizes as people write them. Binary and decimal units are told apart; a bare number is refused, because nobody knows its unit. */
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** @returns bytes, or `null` when the text is not a size such as `16 GiB` or `1.5 GiB`. */
export function parseSize(text: string): number | null {
  const match = /^(\d{1,12}(?:\.\d{1,3})?)\s*([A-Za-z]{1,3})$/.exec(text.trim());
  const unit = match ? UNITS[match[2]!] : undefined;
  if (!match || unit === undefined) return null;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : null;
}

/** @returns the size in the largest binary unit that keeps it readable: `1.5 GiB`, `512 MiB`. */
export function formatSize(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"] as const) {
    const amount = bytes / UNITS[unit]!;
    if (Math.abs(amount) >= 1) return `${Number(amount.toFixed(2))} ${unit}`;
  }
  return `${bytes} B`;
}

const SECONDS: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  min: 60,
  h: 3600,
  d: 86_400,
  day: 86_400,
  days: 86_400,
};

/** @returns seconds, or `null` when the text is not a time such as `60 s`, `5 min` or `250 ms`. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]{1,4})$/.exec(text.trim());
  const unit = match ? SECONDS[match[2]!] : undefined;
  return match && unit !== undefined ? Number(match[1]) * unit : null;
}
