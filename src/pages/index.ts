/** Pages for people: text that is safe, one look, tables, plots, and a file that stands alone. */
export * from "./document.ts";
export { breakable, type Content, type Html, html, sentence } from "./html.ts";
export { type Bar, type BarPlot, barPlot } from "./plots/bars.ts";
export { type LinePlot, linePlot, type Point, type Series } from "./plots/lines.ts";
export { type Axis, formatNumber } from "./plots/scale.ts";
export { type Cell, sparkline, strip } from "./plots/small.ts";
export { BASE_STYLE } from "./style.ts";
export { type Column, type TableOptions, tableOf } from "./table.ts";
