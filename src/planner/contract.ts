/** What planning takes and gives. Pure and deterministic: the same input gives the same bytes. */
import type { Blueprint, BlueprintId, Cause, GuestName, HostName, Inventory, Site } from "../model/index.ts";

export interface PlanInput {
  readonly site: Site;
  readonly inventory: Inventory;
  /** The Blueprint in force; where its guests are counts as input, and nothing moves without a reason. */
  readonly parent: { readonly id: BlueprintId; readonly blueprint: Blueprint } | null;
  readonly cause: Cause;
  /** Version of the bundles that would be used: the version of Domus. */
  readonly version: string;
  /** Overrides the embedded network: `127.x.y.0/24`. */
  readonly loopback: string | null;
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
