/** The only door outside. */
export * from "./behind-director.ts";
export * from "./proxy-protocol.ts";
export * from "./request.ts";
