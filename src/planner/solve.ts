/**
 * One question to a solver: would fewer hosts do? Services that look the same are one variable for each host (how many of their copies are
 * there), which keeps the question small and loses nothing: copies spread over hosts with at most one of a service on each can always be
 * dealt out from such counts. Bounded by nodes, so that the answer does not depend on the machine.
 */
import type { Service, Site } from "../model/index.ts";
import type { Place } from "./ground.ts";

export type Answer =
  | { readonly kind: "fewer"; readonly hosts: number }
  /** Proved: not with `most` hosts or fewer. */
  | { readonly kind: "none" }
  /** The node limit was reached, or the question is too large to ask. */
  | { readonly kind: "unknown" };

const NODES = 20_000;
/** Above this many variables the question is not asked. */
const VARIABLES = 20_000;
const MiB = 1024 ** 2;

interface Kind {
  readonly like: Service;
  /** Services of this kind. */
  count: number;
}

function kindsOf(site: Site): readonly Kind[] {
  const kinds = new Map<string, Kind>();
  for (const one of site.services) {
    const key = JSON.stringify([one.memory, one.cpus, one.copies, one.apart, one.hosts, one.forbid]);
    const kind = kinds.get(key) ?? { like: one, count: 0 };
    kind.count++;
    kinds.set(key, kind);
  }
  return [...kinds.values()];
}

/** How many copies of one kind a host may and must hold. */
function range({ like, count }: Kind, place: Place): { readonly least: number; readonly most: number } {
  if (like.forbid.includes(place.name)) return { least: 0, most: 0 };
  if (like.hosts.length === 0) return { least: 0, most: count };
  const pinned = like.hosts.slice(0, like.copies).includes(place.name);
  if (pinned) return { least: count, most: count };
  return { least: 0, most: like.copies > like.hosts.length && like.hosts.includes(place.name) ? count : 0 };
}

function sum(terms: readonly (readonly [factor: number, variable: string])[]): string {
  return terms.map(([factor, variable]) => `${factor < 0 ? "-" : "+"} ${Math.abs(factor)} ${variable}`).join(" ");
}

/** The question in CPLEX LP format. */
function question(site: Site, places: readonly Place[], least: number, most: number): string {
  const kinds = kindsOf(site);
  const rows: string[] = [];
  const bounds: string[] = [];
  const integers: string[] = [];
  const used = places.map((_, host) => `y${host}`);
  const all = sum(used.map((variable) => [1, variable]));
  rows.push(`${all} >= ${least}`, `${all} <= ${most}`);
  kinds.forEach((kind, index) => {
    const counts = places.map((_, host) => `x${index}_${host}`);
    rows.push(`${sum(counts.map((variable) => [1, variable]))} = ${kind.count * kind.like.copies}`);
    places.forEach((place, host) => {
      const { least: low, most: high } = range(kind, place);
      bounds.push(`${low} <= x${index}_${host} <= ${high}`);
      integers.push(`x${index}_${host}`);
      rows.push(`x${index}_${host} - ${kind.count} y${host} <= 0`);
    });
    if (kind.like.apart === "host") return;
    for (const members of Map.groupBy(places.keys(), (host) => places[host]!.domains[kind.like.apart]).values()) {
      rows.push(`${sum(members.map((host) => [1, `x${index}_${host}`]))} <= ${kind.count}`);
    }
  });
  places.forEach((place, host) => {
    const load = (amount: (one: Service) => number, room: number): string =>
      `${sum([...kinds.map((kind, index) => [amount(kind.like), `x${index}_${host}`] as const), [-room, `y${host}`]])} <= 0`;
    rows.push(
      load((one) => one.memory / MiB, place.memory / MiB),
      load((one) => one.cpus, place.cpus),
    );
    // Hosts that nobody can tell apart are used in order, so that the solver does not try every permutation.
    const next = places[host + 1];
    const named = site.services.some((one) =>
      [...one.hosts, ...one.forbid].some((name) => name === place.name || name === next?.name),
    );
    if (next && !named && alike(site, place, next)) rows.push(`y${host} - y${host + 1} >= 0`);
  });
  const body = rows.map((row, index) => ` r${index}: ${row}`).join("\n");
  return `Minimize\n obj: ${all}\nSubject To\n${body}\nBounds\n${bounds.map((one) => ` ${one}`).join("\n")}\nGeneral\n ${integers.join("\n ")}\nBinary\n ${used.join("\n ")}\nEnd\n`;
}

function alike(site: Site, a: Place, b: Place): boolean {
  const apart = new Set(site.services.map((one) => one.apart));
  if (a.memory !== b.memory || a.cpus !== b.cpus) return false;
  return (["rack", "building"] as const).every(
    (domain) => !apart.has(domain) || a.domains[domain] === b.domains[domain],
  );
}

/**
 * Asks whether from `least` to `most` of these hosts hold the site.
 * @returns the fewest if so, `none` if it is proved impossible.
 */
export async function fewerHosts(site: Site, places: readonly Place[], least: number, most: number): Promise<Answer> {
  if (kindsOf(site).length * places.length > VARIABLES) return { kind: "unknown" };
  const module = await import("highs");
  // The package's types describe its CommonJS face; imported as here, its default export is the loader itself.
  const load = module.default as unknown as typeof module.default.default;
  const highs = await load();
  const solution = highs.solve(question(site, places, least, most), {
    mip_max_nodes: NODES,
    random_seed: 0,
    threads: 1,
    output_flag: false,
  } as Parameters<typeof highs.solve>[1]);
  if (solution.Status === "Infeasible") return { kind: "none" };
  if (solution.Status === "Optimal") return { kind: "fewer", hosts: Math.round(solution.ObjectiveValue) };
  return { kind: "unknown" };
}
