/** Who may, and as whom: the policies of GUMS and SAZ, read, compiled, explained. Pure. */
export type { Ban, FileRequest, LeftOut, WrittenFile } from "./files/entries.ts";
export { FILE_FORMATS, type FileFormat } from "./files/formats.ts";
export { gridmapUsers } from "./files/members.ts";
export * from "./gums/compile.ts";
export { exportGumsConfig, type NotExported } from "./gums/config/export.ts";
export { type Carried, type ConfigImport, importGumsConfig, type NotCarried } from "./gums/config/import.ts";
export { type ConfigMistake, LONGEST_CONFIG } from "./gums/config/xml.ts";
export * from "./gums/explain.ts";
export { hostNames, patternMatches } from "./gums/host.ts";
export * from "./gums/model.ts";
export { accountsOf, expandAccounts, MOST_POOL_ACCOUNTS } from "./gums/pools.ts";
export { PEOPLE, POLICY_EXPECTED, type PolicyReading, readGumsPolicy } from "./gums/read.ts";
export * from "./gums/site.ts";
export * from "./gums/state.ts";
export * from "./gums/what-if.ts";
export { ACCOUNT_PATTERN, type Fields, type Path, Reading } from "./reading.ts";
export * from "./saz/index.ts";
