/** What programs in guests share: their surroundings, their server, their log, their life. */

export * from "./answer.ts";
export * from "./chain.ts";
export * from "./communities.ts";
export * from "./freshness.ts";
export * from "./guest.ts";
export * from "./handshakes.ts";
export * from "./http-reader.ts";
export * from "./line-log.ts";
export * from "./load.ts";
export * from "./log.ts";
export * from "./one-at-a-time.ts";
export * from "./peer.ts";
export * from "./plain-http.ts";
export * from "./program.ts";
export * from "./query.ts";
export * from "./renewal.ts";
export * from "./server.ts";
export * from "./turns.ts";
