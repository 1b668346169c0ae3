/** The score of a Blueprint's placement, row by row, under the names its readers see in the table of `score.ts`. */
import type { Blueprint, Inventory, Site } from "../model/index.ts";
import { survey } from "./ground.ts";
import { Ledger } from "./ledger.ts";

export interface Score {
  /** Weighted sum of the rows; lower is better. */
  readonly total: number;
  readonly rows: readonly { readonly name: string; readonly weight: number; readonly value: number }[];
}

/** @returns how well a site's guests are spread where a Blueprint puts them; guests the site no longer wants do not count. */
export function score(site: Site, inventory: Inventory, blueprint: Blueprint): Score {
  const ground = survey({ site, inventory, parent: { id: "" as never, blueprint } });
  const ledger = new Ledger(ground, (index) => ground.wants[index]!.label);
  for (const want of ground.wants) if (want.current >= 0) ledger.put(want.index, want.current);
  return { total: ledger.scale.total(), rows: ledger.scale.rows(ledger.at) };
}
