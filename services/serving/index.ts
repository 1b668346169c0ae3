/** What programs in guests share: their surroundings, their log, their certificates, their life. */

export * from "./beside.ts";
export * from "./chain.ts";
export * from "./freshness.ts";
export * from "./guest.ts";
export * from "./line-log.ts";
export * from "./log.ts";
export * from "./program.ts";
export * from "./renewal.ts";
