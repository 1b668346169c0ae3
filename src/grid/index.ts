/** Identities of the grid: names and attributes, and the messages that ask about them. Pure. */
export * from "./dn.ts";
export * from "./fqan.ts";
export * from "./names.ts";
export * from "./xacml/index.ts";
