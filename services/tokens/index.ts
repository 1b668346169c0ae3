/** Tokens for the services that decide: checked here, or told by a gatekeeper who has; and how texts of servers elsewhere are fetched. */
export * from "./claimed.ts";
export * from "./fetching.ts";
export * from "./tokens.ts";
