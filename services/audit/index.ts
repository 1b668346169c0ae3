/** The record of every decision: written, kept within bounds, searched. */

export * from "./calls.ts";
export * from "./record.ts";
export * from "./search.ts";
export type { Retention } from "./segments.ts";
