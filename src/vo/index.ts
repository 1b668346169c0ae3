/** Virtual organizations: what a site file says of them, what is known of their people, who is a member, what a member is given. Pure. */
export * from "./definition.ts";
export * from "./facts.ts";
export * from "./grant.ts";
export * from "./read.ts";
export * from "./rows.ts";
export * from "./standing.ts";
