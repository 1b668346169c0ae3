/** What Domus remembers of a site: desired, observed, journal, events, secrets. SQLite. */
export * from "./places.ts";
export * from "./secrets.ts";
export * from "./store.ts";
