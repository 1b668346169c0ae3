/** Plots of a word's size, for tables: a sparkline, and a row of days. */
import { type Html, html } from "../html.ts";
import { place } from "./frame.ts";

/**
 * @param values in order; the highest stands at the top
 * @param says what is to be seen, for somebody who cannot see it
 * @param bad which values are faults: they get the colour of faults
 */
export function sparkline(
  values: readonly number[],
  says: string,
  bad: (index: number) => boolean = () => false,
): Html {
  const [width, height] = [160, 28];
  const most = Math.max(1e-9, ...values);
  const step = width / Math.max(1, values.length);
  return html`<svg class="spark" viewBox="0 0 ${width} ${height}" role="img" aria-label="${says}">${values.map(
    (value, index) => {
      const tall = Math.max(1, place((value / most) * (height - 2)));
      // What is missing is seen as a full bar of another colour: an empty place would look like paper.
      const high = bad(index) ? height - 2 : tall;
      return html`<rect class="${bad(index) ? "spark-bad" : "spark-bar"}" x="${place(index * step)}" y="${place(height - high)}" width="${place(Math.max(0.6, step - 0.6))}" height="${high}"/>`;
    },
  )}</svg>`;
}

export interface Cell {
  /** `none`: nobody looked. */
  readonly level: "good" | "warn" | "bad" | "none";
  /** E.g. `2026-11-20: 99.98 %, 17 s without an answer`. */
  readonly says: string;
}

/** One cell a day, the oldest first. @param says the row in one sentence */
export function strip(cells: readonly Cell[], says: string): Html {
  const step = 8;
  return html`<svg class="strip" viewBox="0 0 ${Math.max(1, cells.length) * step} 24" preserveAspectRatio="none" style="--cells: ${cells.length}" role="img" aria-label="${says}">${cells.map(
    (cell, index) =>
      html`<rect class="cell ${cell.level}" x="${index * step}" y="${HEIGHTS[cell.level].top}" width="${step - 1.5}" height="${HEIGHTS[cell.level].height}" rx="1.5"><title>${cell.says}</title></rect>`,
  )}</svg>`;
}

/** Told apart by height as well as by colour. */
const HEIGHTS: Readonly<Record<Cell["level"], { readonly top: number; readonly height: number }>> = {
  good: { top: 2, height: 20 },
  warn: { top: 7, height: 15 },
  bad: { top: 13, height: 9 },
  none: { top: 20, height: 2 },
};
