/** The virtualization engine: one interface over every monitor, capability flags, one folder a driver. */
export * from "./capabilities.ts";
export * from "./contract.ts";
export * from "./wire.ts";
