/**
 * How many physical hosts a site needs: without virtualization one for each copy, with it the fewest that hold all guests under the hard
 * rules, and what a witness adds. The lower bounds are arguments a person can check; where placement needs more hosts than they say, a
 * solver (HiGHS, bounded by nodes and not by time) decides whether fewer would do. Its answer is used as a proof only, never as a plan.
 */
import { formatSize, type HostName, type Service, type Site } from "../model/index.ts";
import { isReserve, type Place, survey, surveyHosts } from "./ground.ts";
import { place } from "./place.ts";
import { fewerHosts } from "./solve.ts";

export interface Bound {
  readonly name: "copies" | "pinned" | "memory" | "processors";
  readonly hosts: number;
  readonly says: string;
}

export interface SizeResult {
  /** One machine for each copy. Reserved, empty places are none. */
  readonly unvirtualized: { readonly hosts: number; readonly says: string };
  readonly virtualized: {
    /** The fewest hosts found: of those in the file if they are enough, else all of them with what must be bought; `null`: none would do. */
    readonly hosts: number | null;
    /** No fewer can do. */
    readonly atLeast: number;
    readonly proved: boolean;
    readonly bounds: readonly Bound[];
    readonly says: string;
  };
  /** Hosts of the file that may hold guests, how many more are needed, and of which kind. */
  readonly have: number;
  readonly missing: number;
  readonly like: HostName | null;
  readonly witness: { readonly machines: 0 | 1; readonly says: string };
}

/** The fewest of the largest amounts that reach a sum. */
function fewest(amounts: readonly number[], sum: number, like: number): number {
  const sorted = [...amounts].sort((a, b) => b - a);
  let reached = 0;
  let hosts = 0;
  while (reached < sum) {
    const next = sorted[hosts] ?? like;
    if (next <= 0) return Number.POSITIVE_INFINITY;
    reached += next;
    hosts++;
  }
  return hosts;
}

function boundsOf(site: Site, places: readonly Place[], like: Place): readonly Bound[] {
  const memory = site.services.reduce((sum, one) => sum + one.copies * one.memory, 0);
  const cpus = site.services.reduce((sum, one) => sum + one.copies * one.cpus, 0);
  const most = site.services.reduce(
    (best: Service | null, one) => (best && best.copies >= one.copies ? best : one),
    null,
  );
  const pinned = new Set(site.services.flatMap((one) => one.hosts.slice(0, one.copies)));
  const byMemory = fewest(
    places.map((one) => one.memory),
    memory,
    like.memory,
  );
  const byCpus = fewest(
    places.map((one) => one.cpus),
    cpus,
    like.cpus,
  );
  return [
    {
      name: "copies",
      hosts: most?.copies ?? 0,
      says: most ? `${most.name} has ${most.copies} copies, each on a host of its own` : "no services",
    },
    { name: "pinned", hosts: pinned.size, says: `the file pins copies to ${pinned.size} hosts` },
    {
      name: "memory",
      hosts: byMemory,
      says: `all guests need ${formatSize(memory)}; ${byMemory} of the largest hosts give that after their own reserve`,
    },
    {
      name: "processors",
      hosts: byCpus,
      says: `all guests need ${cpus} CPUs; ${byCpus} of the largest hosts give that at ${site.rules.cpuRatio} to one`,
    },
  ];
}

/** Hosts in the order in which they are tried: pinned ones, then new racks where racks count, then the largest. */
function byPreference(site: Site, places: readonly Place[]): readonly Place[] {
  const pinned = new Set(site.services.flatMap((one) => one.hosts.slice(0, one.copies)));
  const domain = site.services.some((one) => one.apart === "building") ? "building" : "rack";
  const spread = site.services.some((one) => one.apart !== "host");
  const left = [...places].sort(
    (a, b) =>
      Number(pinned.has(b.name)) - Number(pinned.has(a.name)) ||
      b.memory - a.memory ||
      b.cpus - a.cpus ||
      a.index - b.index,
  );
  if (!spread) return left;
  const seen = new Set<string>();
  const first = left.filter((one) => {
    const key = one.domains[domain];
    const fresh = !seen.has(key);
    seen.add(key);
    return fresh || pinned.has(one.name);
  });
  return [...first, ...left.filter((one) => !first.includes(one))];
}

/** The site with these hosts alone, seen with what an inventory of nothing says. */
function onlyWith(site: Site, places: readonly Place[]): Site {
  return { ...site, hosts: places.map((one) => one.host) };
}

function fits(site: Site): boolean {
  const ground = survey({ site, inventory: { hosts: [], guests: [], programs: { mariadb: true } }, parent: null });
  return place(ground, (index) => ground.wants[index]!.label, "person").homeless.length === 0;
}

/** @returns the numbers of a site's hosts and why; deterministic. The solver is loaded only where bounds do not settle it. */
export async function size(site: Site): Promise<SizeResult> {
  const copies = site.services.filter((one) => !isReserve(one)).reduce((sum, one) => sum + one.copies, 0);
  const guests = site.services.reduce((sum, one) => sum + one.copies, 0);
  const unvirtualized = { hosts: copies, says: `${copies} copies on a machine each` };
  const own = surveyHosts(
    { ...site, hosts: site.hosts.filter((one) => !one.spare) },
    { hosts: [], guests: [], programs: { mariadb: true } },
  );
  const like = [...own].sort((a, b) => b.memory - a.memory || b.cpus - a.cpus || a.index - b.index)[0];
  if (!like) {
    const says = "the file has no host that may hold guests";
    return {
      unvirtualized,
      virtualized: { hosts: null, atLeast: 0, proved: false, bounds: [], says },
      have: 0,
      missing: 0,
      like: null,
      witness: witness(0, site),
    };
  }
  const bounds = boundsOf(site, own, like);
  const ordered = byPreference(site, own);
  const enough = fits(onlyWith(site, ordered));
  // Where the hosts of the file are enough, the fewest of them count; where not, all of them and the fewest to buy.
  const atLeast = Math.max(enough ? 1 : own.length + 1, ...bounds.map((one) => one.hosts));
  const pool = enough ? ordered : [...ordered, ...more(site, like, guests)];
  let found: number | null = null;
  const possible = enough || fits(onlyWith(site, pool));
  for (let hosts = atLeast; possible && hosts <= pool.length && found === null; hosts++) {
    if (fits(onlyWith(site, pool.slice(0, hosts)))) found = hosts;
  }
  const verdict = await settle(site, pool, atLeast, found, enough);
  const binding = bounds.filter((one) => one.hosts === atLeast).map((one) => one.says);
  const says =
    verdict.hosts === null
      ? `no number of hosts like ${like.name} holds these guests: ${largest(site, like)}`
      : verdict.proved
        ? `${verdict.hosts} hosts, proved minimal: ${verdict.hosts === atLeast ? binding.join("; ") : `the solver found no way with ${verdict.hosts - 1}`}`
        : `not proved: between ${verdict.atLeast} and ${verdict.hosts} hosts`;
  return {
    unvirtualized,
    virtualized: { ...verdict, bounds, says },
    have: own.length,
    missing: Math.max(0, (verdict.hosts ?? 0) - own.length),
    like: like.name,
    witness: witness(verdict.hosts ?? 0, site),
  };
}

interface Settled {
  readonly hosts: number | null;
  readonly atLeast: number;
  readonly proved: boolean;
}

/** Asks the solver about fewer hosts until it finds none, or does not know. */
async function settle(
  site: Site,
  pool: readonly Place[],
  atLeast: number,
  found: number | null,
  enough: boolean,
): Promise<Settled> {
  if (found === null) return { hosts: null, atLeast, proved: false };
  let hosts = found;
  while (hosts > atLeast) {
    const answer = await fewerHosts(
      site,
      enough ? pool : pool.slice(0, hosts - 1),
      Math.min(atLeast, hosts - 1),
      hosts - 1,
    );
    if (answer.kind === "none") return { hosts, atLeast: hosts, proved: true };
    if (answer.kind === "unknown") return { hosts, atLeast, proved: false };
    if (enough) return { hosts: answer.hosts, atLeast: answer.hosts, proved: true };
    hosts--;
  }
  return { hosts, atLeast: hosts, proved: true };
}

/** Hosts that could be bought: like the largest of the file, each in a rack and building of its own. */
function more(site: Site, like: Place, count: number): readonly Place[] {
  const hosts = Array.from({ length: count }, (_, index) => ({
    ...like.host,
    name: `new${index}` as HostName,
    prefix: `new${index}x`,
    address: null,
    rack: `new${index}`,
    building: `new${index}`,
  }));
  return surveyHosts({ ...site, hosts }, { hosts: [], guests: [], programs: { mariadb: true } });
}

/** Which guest is larger than any host, when that is why nothing fits. */
function largest(site: Site, like: Place): string {
  const big = site.services.find((one) => one.memory > like.memory || one.cpus > like.cpus);
  if (!big) return "pins and forbidden hosts leave no way";
  return `${big.name} needs ${formatSize(big.memory)} and ${big.cpus} CPUs, the host has ${formatSize(like.memory)} and ${like.cpus} for guests`;
}

/** Two of anything cannot tell a dead peer from a cut cable. */
function witness(hosts: number, site: Site): SizeResult["witness"] {
  const galera = site.services.find((one) => one.mode === "galera" && one.copies % 2 === 0);
  if (hosts === 2) {
    const also = galera ? `, and it gives ${galera.name} its third vote` : "";
    return {
      machines: 1,
      says: `two hosts cannot tell a dead peer from a cut cable: a third small machine decides which goes on${also}`,
    };
  }
  if (galera) return { machines: 1, says: `${galera.name} has ${galera.copies} votes: a witness makes them odd` };
  return {
    machines: 0,
    says: hosts > 2 ? "three hosts or more need no witness" : "one host has nobody to disagree with",
  };
}
