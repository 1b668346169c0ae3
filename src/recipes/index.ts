/** What each kind of service puts into a guest. Pure. */
import type { BlueprintAlias, Service } from "../model/index.ts";
import { gums } from "./gums.ts";
import { lvs } from "./lvs.ts";
import { mysql } from "./mysql.ts";
import { own } from "./own.ts";
import { PLANNED_RECIPES } from "./planned.ts";
import type { Question, Recipe, SampleRequest } from "./recipe.ts";
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

/** @returns the requests that clients of an alias make: what its recipe says, or what its probe asks; empty when nobody knows any */
export function samplesFor(service: Service, alias: BlueprintAlias): readonly SampleRequest[] {
  const recipe = RECIPES.get(service.recipe);
  if (service.also?.name === alias.name) return recipe?.also?.samples ?? [];
  if (service.recipe !== "own" && recipe && recipe.samples.length > 0) return recipe.samples;
  const check = alias.backends[0]?.check;
  if ((check?.kind !== "http" && check?.kind !== "https") || check.port !== alias.port) return [];
  const { kind: scheme, path, status, contains } = check;
  return [{ kind: "read", method: "GET", scheme, path, body: null, statuses: [status], contains }];
}

/** @returns what acceptance asks of an alias and of each copy behind it: with known answers where the recipe knows some */
export function questionsFor(service: Service, alias: BlueprintAlias): readonly Question[] {
  const recipe = RECIPES.get(service.recipe);
  if (recipe?.questions && service.also?.name !== alias.name) return recipe.questions(service);
  return samplesFor(service, alias)
    .filter(({ kind }) => kind === "read")
    .map((request) => ({ request, asks: `${request.method} ${request.path}`, reads: null, right: null }));
}
