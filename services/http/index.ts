/** The HTTPS server of the house: fair to addresses and communities, bounded in everything; and what handlers read and answer. */

export * from "./answer.ts";
export * from "./body.ts";
export * from "./communities.ts";
export * from "./handshakes.ts";
export { HttpFault } from "./head.ts";
export * from "./limits.ts";
export * from "./load.ts";
export * from "./one-at-a-time.ts";
export * from "./peer.ts";
export * from "./plain.ts";
export * from "./protocol.ts";
export * from "./query.ts";
export * from "./reader.ts";
export * from "./server.ts";
export * from "./turns.ts";
