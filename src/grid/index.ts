/** Identities of the grid: names and attributes. Pure. */
export * from "./dn.ts";
export * from "./fqan.ts";
export * from "./names.ts";
