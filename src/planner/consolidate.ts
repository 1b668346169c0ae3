/**
 * What virtualization has saved: how many guests stand on how many machines, the two ranges of the documents, and what that means in
 * energy, space and money under assumptions that are said. Every number is computed from the rows. Without virtualization each guest would
 * have a machine of its own: that is the comparison, here and in the documents.
 */
import { type Assumptions, type Blueprint, type Site, STRATEGIES, type SystemsRow } from "../model/index.ts";

export interface ConsolidationRow extends SystemsRow {
  /** Guests for each machine. */
  readonly factor: number;
  /** Guests on its fullest machine; when `fullestAtLeast`, the row does not say, and this is the least that it can be. */
  readonly fullest: number;
  readonly fullestAtLeast: boolean;
}

export interface ConsolidationRange {
  readonly name: "two copies" | "one copy";
  readonly title: string;
  /** How both ends are made, with the numbers in it. */
  readonly definition: string;
  readonly low: number;
  readonly high: number;
  /** The rows do not say which machine is the fullest: `high` may be more. */
  readonly highAtLeast: boolean;
  /** What must be kept in mind; empty when nothing. */
  readonly caveat: string;
}

/** With machines for each guest, and with the hosts there are. */
export interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

export interface Savings {
  readonly machines: BeforeAfter;
  /** Drawn in all, cooling and supply included. */
  readonly kilowatts: BeforeAfter;
  /** Kilowatt-hours a year. */
  readonly energy: BeforeAfter;
  readonly rackUnits: BeforeAfter;
  readonly purchase: BeforeAfter;
  /** Paid for energy in a year. */
  readonly energyPrice: BeforeAfter;
  /** Paid in all by the end of each year, purchases included; year 0 is the first purchase. */
  readonly byYear: readonly (BeforeAfter & { readonly year: number })[];
}

export interface Consolidation {
  readonly physical: number;
  readonly virtual: number;
  /** Guests for each machine. */
  readonly factor: number;
  /** Machines that hold pairs. */
  readonly pairs: number;
  /** Some row says "about". */
  readonly about: boolean;
  readonly rows: readonly ConsolidationRow[];
  readonly ranges: readonly [ConsolidationRange, ConsolidationRange];
  readonly savings: Savings;
  readonly assumptions: Assumptions;
}

const HOURS_A_YEAR = 8760;

/** The fullest machine of a row: the largest of its terms, or what the total alone forces one of them to hold. */
function fullestOf({ perHost, physical, virtual }: SystemsRow): { fullest: number; fullestAtLeast: boolean } {
  const named = Math.max(0, ...perHost);
  const forced = Math.ceil(virtual / physical);
  const whole = perHost.length === physical && perHost.reduce((sum, one) => sum + one, 0) === virtual;
  return { fullest: Math.max(named, forced), fullestAtLeast: !whole };
}

/** A ratio in a definition: two digits are all that such a comparison bears. */
function ratio(value: number): string {
  return value.toFixed(1);
}

/**
 * @param rows at least one, each with at least one machine
 * @returns the report; for the same rows and assumptions always the same
 */
export function consolidate(rows: readonly SystemsRow[], assumptions: Assumptions): Consolidation {
  const counted = rows.map(
    (row): ConsolidationRow => ({ ...row, factor: row.virtual / row.physical, ...fullestOf(row) }),
  );
  const sum = (amount: (row: ConsolidationRow) => number) => counted.reduce((total, row) => total + amount(row), 0);
  const physical = sum((row) => row.physical);
  const virtual = sum((row) => row.virtual);
  const pairs = sum((row) => row.pairs);
  return {
    physical,
    virtual,
    factor: virtual / physical,
    pairs,
    about: counted.some((row) => row.about),
    rows: counted,
    ranges: rangesOf(counted, physical, virtual, pairs),
    savings: savingsOf(physical, virtual, assumptions),
    assumptions,
  };
}

/** The two ranges of the documents (FermiGrid, "Conclusions": ~4-8x, and ~6-16x without two copies of each service). */
function rangesOf(
  rows: readonly ConsolidationRow[],
  physical: number,
  virtual: number,
  pairs: number,
): Consolidation["ranges"] {
  const fullest = Math.max(...rows.map((row) => row.fullest));
  // What a row leaves open matters only where it could hide a machine that is fuller than the fullest known one.
  const known = Math.max(0, ...rows.filter((row) => !row.fullestAtLeast).map((row) => row.fullest));
  const open = rows.some((row) => row.fullestAtLeast && mostPossible(row) > Math.max(known, fullest));
  const half = pairs / 2;
  const rest = physical - half;
  return [
    {
      name: "two copies",
      title: pairs === 0 ? "as it is" : "as it is, with two copies of a service on two hosts",
      definition: `low: all guests / all hosts (${virtual}/${physical} = ${ratio(virtual / physical)}); high: most guests on one host (${fullest})`,
      low: virtual / physical,
      high: fullest,
      highAtLeast: open,
      caveat: "",
    },
    {
      name: "one copy",
      title: "if second copies were given up",
      definition: `low: all guests / (hosts − half of the hosts that hold pairs) (${virtual}/(${physical}−${half}) = ${ratio(virtual / rest)}); high: twice the most guests on one host (2·${fullest} = ${2 * fullest})`,
      low: virtual / rest,
      high: 2 * fullest,
      highAtLeast: open,
      caveat:
        pairs === 0
          ? "No row says that its hosts hold pairs: giving up second copies would save no host, and only the high end changes, by its definition."
          : "Giving up the second copies removes guests too: what is left would be fewer guests on fewer hosts, so this range is no forecast.",
    },
  ];
}

/** The most that one machine of a row can hold when the others hold at least what is known of them. */
function mostPossible({ perHost, physical, virtual }: ConsolidationRow): number {
  const named = perHost.reduce((sum, one) => sum + one, 0);
  return perHost.length < physical ? virtual - named : Math.max(0, ...perHost);
}

/** Products of decimal fractions end in digits that nobody assumed. */
const plain = (value: number): number => Number(value.toPrecision(9));

function savingsOf(hosts: number, guests: number, of: Assumptions): Savings {
  const both = (before: number, after: number): BeforeAfter => ({ before: plain(before), after: plain(after) });
  const kilowatts = both(
    (guests * of["watts-per-machine"] * of.cooling) / 1000,
    ((hosts * of["watts-per-host"] + guests * of["watts-per-guest"]) * of.cooling) / 1000,
  );
  const energy = both(kilowatts.before * HOURS_A_YEAR, kilowatts.after * HOURS_A_YEAR);
  const purchase = both(guests * of["price-per-machine"], hosts * of["price-per-host"]);
  const energyPrice = both(energy.before * of["price-per-kwh"], energy.after * of["price-per-kwh"]);
  const byYear = Array.from({ length: of.years + 1 }, (_, year) => {
    // Whoever stops reckoning on the day they wear out buys no new ones.
    const purchases = Math.max(1, Math.ceil(year / of.life));
    const paid = (end: keyof BeforeAfter): number => purchases * purchase[end] + year * energyPrice[end];
    return { year, ...both(paid("before"), paid("after")) };
  });
  return {
    machines: both(guests, hosts),
    kilowatts,
    energy,
    rackUnits: both(guests * of["units-per-machine"], hosts * of["units-per-host"]),
    purchase,
    energyPrice,
    byYear,
  };
}

/**
 * A site's own table: one row for each host, with the guests that its Blueprint puts there. Reserved, empty places are no guests. A host
 * holds pairs when a copy of a service is there that has another copy.
 */
export function systemsOf(site: Site, blueprint: Blueprint): readonly SystemsRow[] {
  const services = new Map(site.services.map((service) => [service.name, service]));
  const real = blueprint.guests.filter(({ service }) => {
    const known = services.get(service);
    return known === undefined || STRATEGIES[known.strategy].quorum !== "none";
  });
  const copies = Map.groupBy(real, (guest) => guest.service);
  return blueprint.hosts.map(({ name }): SystemsRow => {
    const here = real.filter((guest) => guest.host === name);
    const titles = [...new Set(here.map((guest) => services.get(guest.service)?.title ?? guest.service))];
    return {
      name,
      hosts: [name],
      physical: 1,
      virtual: here.length,
      perHost: [here.length],
      groups: [],
      pairs: here.some((guest) => copies.get(guest.service)!.length > 1) ? 1 : 0,
      technology: site.hosts.find((host) => host.name === name)?.hypervisor?.split(/[+:]/)[0] ?? null,
      services: titles.join(", ") || null,
      note: null,
      about: false,
    };
  });
}
