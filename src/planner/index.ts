/** The planner: place, prove, sequence, size. Pure and deterministic: the same input gives the same bytes. */
export { loopbackOf, targetOf } from "./addresses.ts";
export { type Score, score } from "./balance.ts";
export { type Purchase, purchasesFor } from "./buy.ts";
export { blueprintId, sameTarget } from "./changes.ts";
export {
  type BeforeAfter,
  type Consolidation,
  type ConsolidationRange,
  type ConsolidationRow,
  consolidate,
  type Savings,
  systemsOf,
} from "./consolidate.ts";
export { type Figure, figuresOf, rangeText, roughly } from "./consolidate-figures.ts";
export { type ConsolidationAbout, consolidationPage } from "./consolidate-page.ts";
export type { Change, PlanInput, PlanResult, RecipeBook } from "./contract.ts";
export {
  type AnotherCopy,
  anotherCopyOf,
  type Binding,
  type Fit,
  type FitsInput,
  fitOf,
  type HostRoom,
  MOST_COUNTED,
  roomOf,
  type Shape,
  shapesOf,
  shapeText,
} from "./fits.ts";
export { surveyHosts } from "./ground.ts";
export { lintBlueprint } from "./lint.ts";
export { plan } from "./plan.ts";
export type { ProofInput } from "./proof-input.ts";
export { EVERY_SERVICE_LISTED, prove } from "./prove.ts";
export { guestDigest, LIVE_FILES } from "./render.ts";
export { COUNT_ROWS, SPREAD_ROWS } from "./score.ts";
export { type Berth, type Carriage, type MayStand, type Move, type Sequence, sequenceMoves } from "./sequence.ts";
export { type Bound, type SizeResult, size } from "./size.ts";
