/** Paper, axes and legend: what every plot has. Colours come from the page's style, so that plots follow light and dark. */
import { type Content, type Html, html } from "../html.ts";
import type { Axis, Scale } from "./scale.ts";

/** Units of the drawing; about pixels. */
export const PAPER = { width: 720, height: 300, left: 74, right: 16, top: 14, bottom: 46 } as const;
export const INNER = {
  width: PAPER.width - PAPER.left - PAPER.right,
  height: PAPER.height - PAPER.top - PAPER.bottom,
} as const;

/** Colours and dashes that can be told apart; more series than that belong into two plots. */
export const INKS = 6;
export const inkOf = (index: number): number => (index % INKS) + 1;

/** Places are written with one digit behind the point: more would only make files longer. */
export const place = (value: number): number => Math.round(value * 10) / 10;

export const xOf = (scale: Scale, value: number): number => place(PAPER.left + scale.at(value) * INNER.width);
export const yOf = (scale: Scale, value: number): number => place(PAPER.top + (1 - scale.at(value)) * INNER.height);

/**
 * A drawing with its title and what can be seen in it, said in words too.
 * @param describe one sentence for somebody who cannot see the drawing
 */
export function figure(title: string, describe: string, drawing: Content, legend: Content = null): Html {
  return html`<figure><figcaption>${title}</figcaption><div class="wide" role="region" aria-label="${title}" tabindex="0">${drawing}</div>${legend}<p class="soft">${describe}</p></figure>
`;
}

export function drawing(title: string, describe: string, width: number, height: number, body: Content): Html {
  return html`<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}: ${describe}">${body}</svg>`;
}

/** Both axes with their marks and labels. */
export function axes(x: Axis, xScale: Scale, y: Axis, yScale: Scale): Html {
  const bottom = PAPER.top + INNER.height;
  const right = PAPER.left + INNER.width;
  return html`${yScale.ticks.map(({ value, says }) => {
    const at = yOf(yScale, value);
    return html`<line class="grid" x1="${PAPER.left}" x2="${right}" y1="${at}" y2="${at}"/><text class="tick" x="${PAPER.left - 8}" y="${place(at + 4)}" text-anchor="end">${says}</text>`;
  })}${xScale.ticks.map(({ value, says }) => {
    const at = xOf(xScale, value);
    return html`<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 4}"/><text class="tick" x="${at}" y="${bottom + 18}" text-anchor="middle">${says}</text>`;
  })}<line class="axis" x1="${PAPER.left}" x2="${right}" y1="${bottom}" y2="${bottom}"/><text class="label" x="${PAPER.left + INNER.width / 2}" y="${PAPER.height - 6}" text-anchor="middle">${x.label}</text><text class="label" transform="translate(14 ${PAPER.top + INNER.height / 2}) rotate(-90)" text-anchor="middle">${y.label}</text>`;
}

/** Names of the series beside their inks; nothing when there is one that the title names. */
export function legendOf(names: readonly string[]): Html | null {
  if (names.length < 2) return null;
  return html`<ul class="legend">${names.map((name, index) => html`<li><svg class="key" viewBox="0 0 26 10" aria-hidden="true"><line class="line ink${inkOf(index)}" x1="1" x2="25" y1="5" y2="5"/></svg>${name}</li>`)}</ul>`;
}
