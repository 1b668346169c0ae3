/** Acceptance tests of a whole site, and their report: basic, failover, stress. */

export { type BasicOptions, runBasic } from "./basic.ts";
export * from "./compare.ts";
export * from "./contract.ts";
export * from "./kept.ts";
export { acceptancePage } from "./page/index.ts";
export * from "./subject.ts";
