/** What Domus remembers of a site: desired, observed, journal, events, secrets. SQLite. */
export * from "./places.ts";
export { type Availability, ProbeRecords, type RecordedHistory } from "./probes.ts";
export * from "./secrets.ts";
export * from "./store.ts";
