/** What both halves of the proof look at: who still answers, and who could be restarted where. */
import type { BlueprintGuest, Site } from "../model/index.ts";
import type { RecipeContext } from "../recipes/index.ts";
import type { RecipeBook } from "./contract.ts";
import type { Place } from "./ground.ts";

export interface ProofInput {
  readonly site: Site;
  readonly places: readonly Place[];
  readonly guests: readonly BlueprintGuest[];
  readonly recipes: RecipeBook;
  readonly database: RecipeContext["database"];
}
