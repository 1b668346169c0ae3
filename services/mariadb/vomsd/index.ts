/** What a stock vomsd reads, kept in each database server. */
export { vomsdDatabase } from "./schema.ts";
export { VomsdView, type VomsdViewOptions } from "./view.ts";
