/** The nouns of the house, and how site files become them. Pure: no clock, no network, no files. */
export * from "./blueprint.ts";
export * from "./canonical.ts";
export * from "./database.ts";
export * from "./director.ts";
export * from "./fault.ts";
export * from "./gtid.ts";
export * from "./ids.ts";
export * from "./inventory.ts";
export * from "./ipv4.ts";
export * from "./probe.ts";
export { nearest, suggestion } from "./read/nearest.ts";
export {
  type RecipeFacts,
  readSite,
  type SettingFacts,
  type SettingMistake,
  type SiteReading,
  type SiteText,
} from "./read/site.ts";
export { type Diagnostic, formatDiagnostic } from "./read/source.ts";
export { isSystemsFile, readSystems, type SystemsReading } from "./read/systems.ts";
export * from "./site.ts";
export * from "./systems.ts";
export * from "./units.ts";
