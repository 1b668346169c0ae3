/** What services of the grid believe about people's certificates: authorities, revocation lists, signing policies, VOMS servers. */
export * from "./credentials.ts";
export * from "./shown.ts";
export * from "./trust.ts";
