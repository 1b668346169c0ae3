/** Plan, execute, reconcile. The data path never needs any of it. */
export * from "./controller.ts";
export { downSteps } from "./down.ts";
export * from "./execute.ts";
export * from "./hosts.ts";
export * from "./observe.ts";
export { guestOrder, type OperatorIdentity, SiteSecrets } from "./orders.ts";
export { type PlanOptions, planSite } from "./planning.ts";
export { refuseTakenAddresses } from "./preflight.ts";
export { type Ask, aliasProbe, HANDLERS, type StepContext } from "./steps.ts";
