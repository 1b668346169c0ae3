/** Continuous verification: one question, a row of questions, a load. */
export * from "./checks.ts";
export * from "./databases.ts";
export * from "./directors.ts";
export * from "./histogram.ts";
export * from "./load.ts";
export * from "./load-report.ts";
export * from "./prober.ts";
export { askStock, type StockAnswer } from "./stock.ts";
