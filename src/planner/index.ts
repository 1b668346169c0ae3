/** The planner: place, prove, sequence, size. Pure and deterministic: the same input gives the same bytes. */
export { loopbackOf, targetOf } from "./addresses.ts";
export { blueprintId, sameTarget } from "./changes.ts";
export type { Change, PlanInput, PlanResult, RecipeBook } from "./contract.ts";
export { plan } from "./plan.ts";
export { type ProofInput, prove } from "./prove.ts";
export { guestDigest, LIVE_FILES } from "./render.ts";
