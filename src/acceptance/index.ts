/** Acceptance tests of a whole site, and their report: basic, failover, stress. */

export { type BasicOptions, runBasic } from "./basic/basic.ts";
export * from "./capacity.ts";
export * from "./compare.ts";
export * from "./contract.ts";
export { type FailoverOptions, runFailover } from "./failover/failover.ts";
export * from "./kept.ts";
export { acceptancePage } from "./page/index.ts";
export { NEXT } from "./stress/next.ts";
export { runStress, type StressOptions } from "./stress/run.ts";
export * from "./subject.ts";
