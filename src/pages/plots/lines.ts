/** Lines, steps or points over two axes, with marks and spans: latency over the offered load, calls over time, what a tier used. */
import { type Html, html } from "../html.ts";
import { axes, drawing, figure, INNER, inkOf, legendOf, PAPER, xOf, yOf } from "./frame.ts";
import { type Axis, type Scale, scaleOf } from "./scale.ts";

export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** `line` when silent. */
  readonly kind?: "line" | "steps" | "points";
}

export interface LinePlot {
  readonly title: string;
  /** What is to be seen, in one sentence. */
  readonly describe: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Straight lines across: an objective, the knee, the moment something was killed. */
  readonly marks?: readonly { readonly axis: "x" | "y"; readonly at: number; readonly says: string }[];
  /** Times, shaded: without service. */
  readonly spans?: readonly { readonly from: number; readonly to: number; readonly says: string }[];
}

export function linePlot({ title, describe, x, y, series, marks = [], spans = [] }: LinePlot): Html {
  const points = series.flatMap((one) => one.points);
  const onAxis = (axis: "x" | "y") => marks.filter((mark) => mark.axis === axis).map(({ at }) => at);
  const xScale = scaleOf(x, [
    ...points.map(([at]) => at),
    ...onAxis("x"),
    ...spans.flatMap(({ from, to }) => [from, to]),
  ]);
  const yScale = scaleOf(y, [...points.map(([, at]) => at), ...onAxis("y")]);
  const body = html`${spans.map(({ from, to, says }) => {
    const left = xOf(xScale, from);
    const width = Math.max(1.5, xOf(xScale, to) - left);
    return html`<rect class="span" x="${left}" y="${PAPER.top}" width="${width}" height="${INNER.height}"><title>${says}</title></rect>`;
  })}${axes(x, xScale, y, yScale)}${series.map((one, index) => drawn(one, index, xScale, yScale))}${marks.map((mark) => marked(mark, xScale, yScale))}`;
  return figure(
    title,
    describe,
    drawing(title, describe, PAPER.width, PAPER.height, body),
    legendOf(series.map(({ name }) => name)),
  );
}

function drawn({ points, kind = "line" }: Series, index: number, x: Scale, y: Scale): Html | null {
  const shown = points.filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b));
  if (shown.length === 0) return null;
  const ink = `ink${inkOf(index)}`;
  const dots = html`${shown.map(([a, b]) => html`<circle class="dot ${ink}" cx="${xOf(x, a)}" cy="${yOf(y, b)}" r="2.6"/>`)}`;
  if (kind === "points") return dots;
  const path = shown
    .map(([a, b], at) => {
      const [left, top] = [xOf(x, a), yOf(y, b)];
      if (at === 0) return `M${left} ${top}`;
      return kind === "steps" ? `H${left}V${top}` : `L${left} ${top}`;
    })
    .join("");
  // A line through few measurements shows where they are.
  return html`<path class="line ${ink}" d="${path}"/>${kind === "line" && shown.length <= 40 && dots}`;
}

function marked({ axis, at, says }: NonNullable<LinePlot["marks"]>[number], x: Scale, y: Scale): Html {
  const bottom = PAPER.top + INNER.height;
  const right = PAPER.left + INNER.width;
  if (axis === "y") {
    const top = yOf(y, at);
    return html`<line class="mark" x1="${PAPER.left}" x2="${right}" y1="${top}" y2="${top}"/><text class="note" x="${right - 4}" y="${top - 5}" text-anchor="end">${says}</text>`;
  }
  const left = xOf(x, at);
  const late = left > PAPER.left + INNER.width * 0.7;
  return html`<line class="mark" x1="${left}" x2="${left}" y1="${PAPER.top}" y2="${bottom}"/><text class="note" x="${late ? left - 5 : left + 5}" y="${PAPER.top + 11}" text-anchor="${late ? "end" : "start"}">${says}</text>`;
}
