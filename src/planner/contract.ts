/** What planning takes and gives. Pure and deterministic: the same input gives the same bytes. */
import type { Blueprint, BlueprintId, Cause, GuestName, HostName, Inventory, Site } from "../model/index.ts";
import type { Recipe } from "../recipes/index.ts";

/** The recipes a plan may use, by name; handed in, so that planning knows no recipe by heart. */
export type RecipeBook = ReadonlyMap<string, Recipe>;

export interface PlanInput {
  readonly site: Site;
  readonly inventory: Inventory;
  /** The Blueprint in force; where its guests are counts as input, and nothing moves without a reason. */
  readonly parent: { readonly id: BlueprintId; readonly blueprint: Blueprint } | null;
  /**
   * `healing` moves guests away from unreachable hosts, `balancing` moves guests for a better score. For every other cause a guest
   * that may stay stays.
   */
  readonly cause: Cause;
  /** Version of the bundles that would be used: the version of Domus. */
  readonly version: string;
  /** Overrides the embedded network: `127.x.y.0/24`. */
  readonly loopback: string | null;
  /** The plan is only looked at: what the embedded default cannot run is a warning, not a refusal. */
  readonly planOnly?: boolean;
}

/** A difference to the parent, in one sentence. */
export interface Change {
  readonly kind: "new" | "moved" | "changed" | "removed";
  readonly guest: GuestName;
  readonly from: HostName | null;
  readonly to: HostName | null;
  readonly says: string;
}

export type PlanResult =
  | {
      readonly ok: true;
      readonly blueprint: Blueprint;
      readonly changes: readonly Change[];
      readonly warnings: readonly string[];
    }
  /** Each refusal: which guest, which host, how much is missing, what else is in the way. */
  | { readonly ok: false; readonly refusals: readonly string[] };
