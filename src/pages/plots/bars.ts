/** Lying bars with their names and values: ranges, shares, what each machine holds. */
import { type Html, html } from "../html.ts";
import { drawing, figure, inkOf, place } from "./frame.ts";
import { type Axis, formatNumber, scaleOf } from "./scale.ts";

export interface Bar {
  readonly name: string;
  /** A bar from `low` to `value`; from zero when `low` is silent. */
  readonly value: number;
  readonly low?: number;
  /** What stands behind it; the value when silent. */
  readonly says?: string;
  readonly ink?: number;
}

export interface BarPlot {
  readonly title: string;
  readonly describe: string;
  readonly x: Axis;
  readonly bars: readonly Bar[];
  readonly marks?: readonly { readonly at: number; readonly says: string }[];
}

const WIDTH = 720;
const ROW = 26;
const TOP = 22;
const BOTTOM = 40;
/** Room behind the longest bar for its value. */
const BEHIND = 120;

export function barPlot({ title, describe, x, bars, marks = [] }: BarPlot): Html {
  const longest = Math.max(0, ...bars.map(({ name }) => name.length));
  const left = Math.min(260, 24 + longest * 7);
  const inner = WIDTH - left - BEHIND;
  const scale = scaleOf(x, [...bars.flatMap(({ value, low = 0 }) => [value, low]), ...marks.map(({ at }) => at)]);
  const at = (value: number): number => place(left + scale.at(value) * inner);
  const bottom = TOP + bars.length * ROW;
  const format = x.format ?? formatNumber;
  const body = html`${scale.ticks.map(({ value, says }) => html`<line class="grid" x1="${at(value)}" x2="${at(value)}" y1="${TOP}" y2="${bottom}"/><text class="tick" x="${at(value)}" y="${bottom + 16}" text-anchor="middle">${says}</text>`)}${bars.map(
    ({ name, value, low = 0, says, ink = 0 }, index) => {
      const top = TOP + index * ROW;
      const from = at(low);
      const width = Math.max(1.5, place(at(value) - from));
      return html`<text class="name" x="${left - 8}" y="${top + 17}" text-anchor="end">${name}</text><rect class="bar-fill ink${inkOf(ink)}" x="${from}" y="${top + 5}" width="${width}" height="${ROW - 10}" rx="3"/><text class="value" x="${place(from + width + 6)}" y="${top + 17}">${says ?? format(value)}</text>`;
    },
  )}${marks.map((mark) => html`<line class="mark" x1="${at(mark.at)}" x2="${at(mark.at)}" y1="${TOP - 4}" y2="${bottom}"/><text class="note" x="${at(mark.at) + 4}" y="${TOP - 8}">${mark.says}</text>`)}<text class="label" x="${left + inner / 2}" y="${bottom + 34}" text-anchor="middle">${x.label}</text>`;
  return figure(title, describe, drawing(title, describe, WIDTH, bottom + BOTTOM, body));
}
