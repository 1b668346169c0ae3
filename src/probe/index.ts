/** Continuous verification: one question, a row of questions, a load. */
export * from "./checks.ts";
export * from "./databases.ts";
export * from "./directors.ts";
export * from "./histogram.ts";
export * from "./history/calendar.ts";
export {
  type Cause,
  type CauseKind,
  type Fact,
  factsOf,
  type RecordedEvent,
  type RecordedStep,
  type Related,
} from "./history/facts.ts";
export * from "./history/history.ts";
export { type HistoryAbout, historyPage } from "./history/page.ts";
export type { Span } from "./history/spans.ts";
export * from "./history/words.ts";
export * from "./load.ts";
export * from "./load-report.ts";
export * from "./prober.ts";
export { askStock, type StockAnswer } from "./stock.ts";
