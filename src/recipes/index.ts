/** What each kind of service puts into a guest. */
export { DIRECTOR_PORTS, lvs, peerSecretName } from "./lvs.ts";
export { realServerFiles } from "./lvs-keepalived.ts";
export * from "./recipe.ts";
