/** What each kind of service puts into a guest. Pure. */
import { gums } from "./gums.ts";
import { lvs } from "./lvs.ts";
import { mysql } from "./mysql.ts";
import { own } from "./own.ts";
import { PLANNED_RECIPES } from "./planned.ts";
import type { Recipe } from "./recipe.ts";
import { saz } from "./saz.ts";
import { voms } from "./voms.ts";

export * from "./credentials.ts";
export * from "./gums.ts";
export { DIRECTOR_PORTS, lvs, peerSecretName } from "./lvs.ts";
export { realServerFiles } from "./lvs-keepalived.ts";
export * from "./mail.ts";
export * from "./mariadb-settings.ts";
export * from "./mysql.ts";
export * from "./own.ts";
export * from "./planned.ts";
export * from "./ports.ts";
export * from "./recipe.ts";
export * from "./saz.ts";
export * from "./surroundings.ts";
export * from "./voms.ts";

/** Every recipe by name. */
export const RECIPES: ReadonlyMap<string, Recipe> = new Map(
  [lvs, voms, gums, saz, mysql, own, ...PLANNED_RECIPES].map((recipe) => [recipe.name, recipe]),
);
