/** From values to places on paper, with marks at round numbers. Pure. */

export interface Axis {
  readonly label: string;
  /** `linear` when silent. A logarithmic one has no zero: smaller values stand at its beginning. */
  readonly scale?: "linear" | "log";
  /** Ends of the axis; from the data when silent, a linear one from zero. */
  readonly from?: number;
  readonly to?: number;
  /** How a value is written at its mark; plain numbers when silent. */
  readonly format?: (value: number) => string;
}

export interface Scale {
  /** @returns 0 at the beginning of the axis, 1 at its end; values outside are put at the ends */
  readonly at: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly says: string }[];
}

/** Steps that people count in. */
const STEPS: readonly number[] = [1, 2, 5, 10];
const TICKS = 5;

/** A step of one, two or five times a power of ten that gives about so many marks. */
function niceStep(span: number, ticks: number): number {
  const rough = span / ticks;
  const power = 10 ** Math.floor(Math.log10(rough));
  return (STEPS.find((step) => step * power >= rough * 0.999) ?? 10) * power;
}

/** Numbers as people write them: 12,500; 0.25; 1.2 million. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))} million`;
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString("en-GB");
  return String(Number(value.toPrecision(3)));
}

/** @param values everything that is to be shown on it */
export function scaleOf(axis: Axis, values: readonly number[]): Scale {
  const seen = values.filter(Number.isFinite);
  const format = axis.format ?? formatNumber;
  if (axis.scale === "log") return logScale(axis, seen, format);
  const least = axis.from ?? Math.min(0, ...seen);
  const most = axis.to ?? Math.max(...seen, least);
  const span = most > least ? most - least : 1;
  const step = niceStep(span, TICKS);
  // An end that the caller has set stays; else the axis ends at a round number.
  const end = axis.to ?? least + Math.ceil((span - step * 1e-9) / step) * step;
  const first = Math.ceil(least / step - 1e-9) * step;
  const ticks: Scale["ticks"][number][] = [];
  for (let index = 0; first + index * step <= end + step * 1e-9; index++) {
    const value = Number((first + index * step).toPrecision(12));
    ticks.push({ value, says: format(value) });
  }
  return { at: (value) => clamp((value - least) / (end - least || 1)), ticks };
}

function logScale(axis: Axis, seen: readonly number[], format: (value: number) => string): Scale {
  const positive = seen.filter((value) => value > 0);
  const least = Math.floor(Math.log10(axis.from ?? Math.min(...positive, Number.POSITIVE_INFINITY)) + 1e-9);
  const low = Number.isFinite(least) ? least : 0;
  const most = Math.ceil(Math.log10(axis.to ?? Math.max(...positive, 10 ** low)) - 1e-9);
  const high = Math.max(most, low + 1);
  const every = Math.ceil((high - low) / 6);
  const ticks: Scale["ticks"][number][] = [];
  for (let power = low; power <= high; power += every)
    ticks.push({ value: 10 ** power, says: format(Number((10 ** power).toPrecision(12))) });
  return { at: (value) => (value > 0 ? clamp((Math.log10(value) - low) / (high - low)) : 0), ticks };
}

const clamp = (share: number): number => Math.min(1, Math.max(0, share));
