/** Permit or deny: SAZ's policy. */
export * from "./compile.ts";
export * from "./model.ts";
