/**
 * Which tier had nothing left. Judged by processors used against those that each may use, because that is what another copy or host brings; where no
 * processor is full, by elimination. Pure.
 *
 * The load generator comes first: what it cannot ask, nobody can answer. Where servers and clients share one machine, its processors are full before
 * any program's, and the honest answer is who took most of them.
 */
import { formatNumber } from "../../pages/index.ts";
import type { StressPart, TierUse } from "../contract.ts";
import { percent } from "./judging.ts";

/**
 * A tier that uses this share of its processors has nothing left. Source: FermiGrid 2010: at the maximum of GUMS the copies had 15 % idle (and a load
 * average of 9.5), those of SAZ 0 %, directors and databases 92 % and more.
 */
export const FULL = 0.8;
/** A machine with less idle than this is full. */
const NOTHING_IDLE = 0.1;
/** Other programs that take more than this of a full machine are what fills it. */
const MOST_OF_IT = 0.5;
/** A generator on a full machine is the limit only when more of the machine would not help it. */
const GENERATOR_ALONE = 0.95;

export const GENERATOR = "load generator";
export const MACHINE = "machine";
export const OTHERS = "other programs";
/** Tiers that say the same as others, or nothing of the site: not among those that serve. */
const NOT_SERVING: ReadonlySet<string> = new Set([GENERATOR, MACHINE, OTHERS, "host"]);

export interface Saturation {
  readonly use: readonly TierUse[];
  /** Share of this machine's processors that rested, 0 to 1. */
  readonly idle: number;
  /** Of this machine, of the last minute. */
  readonly loadAverage: number;
  /** Servers are on this machine too. */
  readonly shared: boolean;
  /** Tier of the copies that were asked. */
  readonly copies: string;
  /** Calls a second at the knee, and what the generator could have asked. */
  readonly perSecond: number;
  readonly generatorPerSecond: number;
}

export interface TierShare {
  readonly tier: string;
  /** How full its fullest member was, 0 to 1. */
  readonly share: number;
  /** Processors that all its members used. */
  readonly processors: number;
  readonly members: readonly TierUse[];
}

/** @returns tiers in the order of their first mention */
export function sharesOf(use: readonly TierUse[]): readonly TierShare[] {
  const tiers = [...new Set(use.map(({ tier }) => tier))];
  return tiers.map((tier) => {
    const members = use.filter((one) => one.tier === tier);
    return {
      tier,
      members,
      share: Math.min(1, Math.max(...members.map(({ processors, of }) => (of > 0 ? processors / of : 0)))),
      processors: members.reduce((sum, { processors }) => sum + processors, 0),
    };
  });
}

/** @returns the tier that serves and took most processors */
export function busiest(use: readonly TierUse[]): TierShare | null {
  return sharesOf(use)
    .filter(({ tier }) => !NOT_SERVING.has(tier))
    .reduce<TierShare | null>((most, one) => (most === null || one.processors > most.processors ? one : most), null);
}

export function saturatedTier(seen: Saturation): StressPart["saturated"] {
  const { use, idle, shared, copies } = seen;
  const tiers = sharesOf(use);
  const shareOf = (tier: string): number => tiers.find((one) => one.tier === tier)?.share ?? 0;
  const asked = seen.generatorPerSecond > 0 ? Math.min(1, seen.perSecond / seen.generatorPerSecond) : 0;
  const generator = Math.max(shareOf(GENERATOR), asked);
  const crowded = shared && idle <= NOTHING_IDLE;
  if (generator >= (crowded ? GENERATOR_ALONE : FULL))
    return { tier: GENERATOR, share: generator, says: generatorSays(seen, generator) };
  if (crowded) {
    const strangers = shareOf(OTHERS);
    return strangers > MOST_OF_IT
      ? { tier: OTHERS, share: strangers, says: `other programs of this machine, not the site: ${machineSays(seen)}` }
      : { tier: MACHINE, share: 1 - idle, says: `the machine: ${machineSays(seen)}` };
  }
  const whole = new Set([GENERATOR, OTHERS, MACHINE, ...(shared ? ["host"] : [])]);
  const full = tiers
    .filter(({ tier, share }) => share >= FULL && !whole.has(tier))
    // A host is full because of its guests: they are named first.
    .sort((a, b) => Number(a.tier === "host") - Number(b.tier === "host") || b.share - a.share)[0];
  if (full) return { tier: full.tier, share: full.share, says: fullSays(full, tiers) };
  return { tier: copies, share: shareOf(copies), says: waitingSays(tiers, copies) };
}

function generatorSays({ perSecond, generatorPerSecond }: Saturation, share: number): string {
  return `the load generator: ${formatNumber(perSecond)} calls a second are ${percent(share)} of the ${formatNumber(generatorPerSecond)} that it can ask at all; the service could do more`;
}

function machineSays({ use, idle, loadAverage }: Saturation): string {
  const machine = use.find(({ tier }) => tier === MACHINE);
  const of = machine?.of ?? 1;
  const parts = sharesOf(use)
    .filter(({ tier }) => tier !== MACHINE && tier !== "host")
    .sort((a, b) => b.processors - a.processors)
    .map(({ tier, processors }) => `${tier} took ${percent(processors / of)}`);
  return `clients and servers share its ${formatNumber(of)} processors, ${percent(idle)} idle, load average ${formatNumber(loadAverage)}; of them ${parts.join(", ")}`;
}

const usedBy = ({ tier, members }: TierShare): string =>
  `${tier} ${members.map(({ processors, of }) => `${formatNumber(round(processors))} of ${formatNumber(of)}`).join(" and ")}`;

const round = (value: number): number => Math.round(value * 100) / 100;

/** Tiers worth a word beside the one that was full. */
const beside = (tiers: readonly TierShare[], except: string): string =>
  tiers
    .filter(
      ({ tier, members }) =>
        tier !== except && tier !== MACHINE && tier !== OTHERS && tier !== "host" && members.length < 5,
    )
    .map(usedBy)
    .join("; ");

function fullSays(full: TierShare, tiers: readonly TierShare[]): string {
  const uneven = full.members.filter(({ processors, of }) => processors / of < FULL / 2);
  const only =
    uneven.length > 0
      ? ` (${uneven.map(({ name }) => name).join(", ")} had half of theirs to spare: calls are not spread evenly)`
      : "";
  return `${usedBy(full)} processors used${only}; ${beside(tiers, full.tier)}`;
}

function waitingSays(tiers: readonly TierShare[], copies: string): string {
  const own = tiers.find(({ tier }) => tier === copies);
  return `${own ? usedBy(own) : copies} processors used: nobody's were full (${beside(tiers, copies)}), so that calls wait inside the copies: for each other, a disk or another service`;
}
