/**
 * What stands between a person's wish and the planner: hosts that no driver reaches yet, and the database engine that a site keeps. The
 * same for `plan`, which leaves no trace, and for `up`.
 */
import type { Blueprint, Cause, Inventory, Site } from "../model/index.ts";
import { type PlanResult, plan, type RecipeBook } from "../planner/index.ts";
import type { Target } from "../store/index.ts";

export interface PlanOptions {
  readonly loopback: string | null;
  /** Plan also what this machine could not run: refusals become warnings. */
  readonly planOnly: boolean;
  /** MariaDB or SQLite, when somebody asks; else the site keeps what it has. */
  readonly mariadb: boolean | null;
  readonly cause: Cause;
}

export interface Known {
  readonly target: Target | null;
  /** Seen on hosts, with the programs that this machine offers. */
  readonly inventory: Inventory;
  readonly recipes: RecipeBook;
  /** Version of Domus, and so of the bundles. */
  readonly version: string;
}

/** Plans a site from what is known. Pure. */
export function planSite(site: Site, known: Known, options: PlanOptions): PlanResult {
  const unreached = driverRefusals(site);
  if (unreached.length > 0 && !options.planOnly) return { ok: false, refusals: unreached };
  const before = known.target?.blueprint ?? null;
  const here = known.inventory.programs;
  const programs = keptPrograms(before, options.mariadb, here);
  const result = plan(
    {
      site,
      inventory: { ...known.inventory, programs },
      parent: known.target && { id: known.target.id, blueprint: known.target.blueprint },
      cause: options.cause,
      version: known.version,
      loopback: options.loopback,
      planOnly: options.planOnly,
    },
    known.recipes,
  );
  if (!result.ok) return result;
  const engine = engineWarning(before, programs, here);
  return { ...result, warnings: [...unreached, ...(engine ? [engine] : []), ...result.warnings] };
}

/** @returns one sentence for each host that no driver reaches yet */
function driverRefusals(site: Site): readonly string[] {
  return site.hosts.flatMap((host) =>
    host.hypervisor === null
      ? []
      : [
          `${host.name}: no driver reaches ${host.hypervisor} yet; a host without hypervisor is the embedded default, processes of this machine`,
        ],
  );
}

/**
 * The database engine a site keeps: what it has been brought up with, unless somebody asks for another. Changing it by chance, because a
 * package was installed, would leave everything recorded so far in the other one.
 * @param asked by a person, or `null`
 * @param here what this machine offers
 */
function keptPrograms(
  before: Blueprint | null,
  asked: boolean | null,
  here: Inventory["programs"],
): Inventory["programs"] {
  if (asked !== null) return { mariadb: asked };
  if (before && "sqlite-server" in before.bundles) return { mariadb: false };
  if (before && "mariadb" in before.bundles) return { mariadb: true };
  return here;
}

/** @returns what a person should know about the engine, or `null` */
function engineWarning(
  before: Blueprint | null,
  programs: Inventory["programs"],
  here: Inventory["programs"],
): string | null {
  const had = before && ("sqlite-server" in before.bundles ? "SQLite" : "mariadb" in before.bundles ? "MariaDB" : null);
  const gets = programs.mariadb ? "MariaDB" : "SQLite";
  if (had && had !== gets)
    return `the database changes from ${had} to ${gets}: what was recorded stays in ${had} and is not carried over`;
  if (had === "SQLite" && here.mariadb)
    return "MariaDB is installed here, the site keeps its SQLite; --mariadb changes that (records are not carried over)";
  return null;
}
