/** Acceptance tests of a whole site, and their report: basic, failover, stress. */
export * from "./contract.ts";
export * from "./subject.ts";
