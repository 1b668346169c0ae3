/** A site as questions are asked about it without touching it: as it is in force, or as its file would be planned. Leaves no trace. */
import { join } from "node:path";
import { EmbeddedHosts, planSite, programsHere, takeInventory } from "../controller/index.ts";
import { BundleCache } from "../images/index.ts";
import { type Blueprint, Fault, type Inventory, type Site, type SiteName } from "../model/index.ts";
import { RECIPES } from "../recipes/index.ts";
import { knownSites, Store, siteDirectory, stateBase, type Target } from "../store/index.ts";
import { readIfThere, realClock } from "../world/index.ts";
import { openSite, VERSION } from "./open.ts";

/** Looks at what exists for a site without making anything. */
export async function lookAt(
  site: Pick<Site, "name" | "hosts">,
  programs: Inventory["programs"],
): Promise<{ readonly target: Target | null; readonly inventory: Inventory }> {
  const base = stateBase(process.env);
  if (!knownSites(base).includes(site.name)) return { target: null, inventory: { hosts: [], guests: [], programs } };
  const directory = siteDirectory(base, site.name);
  const store = await Store.open(directory, realClock);
  const hosts = new EmbeddedHosts(directory, new BundleCache(join(directory, "bundles")));
  try {
    const target = await store.target();
    const names = new Set([...site.hosts, ...(target?.blueprint.hosts ?? [])].map((host) => host.name));
    return { target, inventory: await takeInventory(hosts, [...names], programs) };
  } finally {
    await hosts.close();
    await store.close();
  }
}

export interface StandingSite {
  readonly site: Site;
  /** `null`: it cannot be planned, and {@link refusals} say why. */
  readonly blueprint: Blueprint | null;
  readonly refusals: readonly string[];
  readonly inventory: Inventory;
  /** `in force`: where its guests are. `planned`: where the file would put them. */
  readonly from: "in force" | "planned";
  /** Its state, when it has any. */
  readonly directory: string | null;
}

/** Why a Blueprint is made that is only looked at. */
const ASKED = { by: "person", says: "asked by a person" } as const;

/**
 * @param given the name of a site that was brought up, or a site file
 * @throws Fault `site.unknown`, `site.unreadable`, `site.invalid`
 */
export async function standingSite(given: string, hosts?: string): Promise<StandingSite> {
  const base = stateBase(process.env);
  const name = knownSites(base).find((one) => one === given);
  if (name !== undefined && hosts === undefined) return inForce(name);
  const site = openSite(given, hosts);
  const known = await lookAt(site, programsHere());
  const result = planSite(
    site,
    { ...known, recipes: RECIPES, version: VERSION },
    { loopback: null, planOnly: true, mariadb: null, cause: ASKED },
  );
  return {
    site,
    blueprint: result.ok ? result.blueprint : null,
    refusals: result.ok ? [] : result.refusals,
    inventory: known.inventory,
    from: "planned",
    directory: known.target ? siteDirectory(base, site.name) : null,
  };
}

async function inForce(name: SiteName): Promise<StandingSite> {
  const base = stateBase(process.env);
  const directory = siteDirectory(base, name);
  const written = readIfThere(join(directory, "site.json"));
  const { target, inventory } = await lookAt({ name, hosts: [] }, programsHere());
  if (!written || !target) throw new Fault("site.unknown", { directory: `${base} by the name of ${name}` });
  const site = JSON.parse(written) as Site;
  return { site, blueprint: target.blueprint, refusals: [], inventory, from: "in force", directory };
}
