/**
 * The systems of a site as people keep them in a table: each row some physical machines and the guests on them. Written by people, unlike
 * an Inventory, which is what was observed.
 */

/** One row of the table, as it counts. Where the row contradicts itself its totals are kept, and the reader says so. */
export interface SystemsRow {
  /** As the table calls it: `fermigrid[0-6]`. */
  readonly name: string;
  /** Names of its machines, as far as the row says them. */
  readonly hosts: readonly string[];
  readonly physical: number;
  readonly virtual: number;
  /** Guests of single machines, as far as the row says them: not always as many as there are machines. */
  readonly perHost: readonly number[];
  /** What its guests are for, where the row says that instead. */
  readonly groups: readonly { readonly title: string; readonly guests: number }[];
  /** How many of its machines hold copies of services whose other copies are on other machines. */
  readonly pairs: number;
  readonly technology: string | null;
  /** In the table's own words: `2*(4+1) = 10`. */
  readonly services: string | null;
  readonly note: string | null;
  /** The table itself says "about". */
  readonly about: boolean;
}

export interface SystemsInventory {
  readonly name: string;
  readonly title: string;
  readonly date: string | null;
  readonly source: string | null;
  readonly rows: readonly SystemsRow[];
  /** What the file assumes in place of {@link ASSUMPTIONS}. */
  readonly assumptions: Partial<Assumptions>;
}

export interface Assumptions {
  readonly "watts-per-machine": number;
  readonly "watts-per-host": number;
  readonly "watts-per-guest": number;
  readonly cooling: number;
  readonly "units-per-machine": number;
  readonly "units-per-host": number;
  readonly "price-per-machine": number;
  readonly "price-per-host": number;
  readonly "price-per-kwh": number;
  readonly life: number;
  readonly years: number;
  readonly currency: string;
}

export type AssumptionKey = keyof Assumptions;
export type NumberAssumption = Exclude<AssumptionKey, "currency">;

export interface AssumptionRule {
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly whole?: boolean;
  /** `W`, `rack units`; `money` stands for the currency. */
  readonly unit: string;
  readonly says: string;
}

/**
 * What is assumed where nobody says otherwise: plain figures of ordinary rack servers, to be replaced by one's own. A *machine* is what
 * each guest would stand on without virtualization, a *host* what carries guests.
 */
export const ASSUMPTIONS: Readonly<Record<NumberAssumption, AssumptionRule>> = {
  "watts-per-machine": { value: 200, least: 0, most: 100_000, unit: "W", says: "drawn by a machine with one service" },
  "watts-per-host": { value: 250, least: 0, most: 100_000, unit: "W", says: "drawn by a host, its guests apart" },
  "watts-per-guest": { value: 10, least: 0, most: 10_000, unit: "W", says: "added to its host by each guest" },
  cooling: { value: 1.8, least: 1, most: 10, unit: "", says: "drawn in all for each watt of the machines (PUE)" },
  "units-per-machine": { value: 1, least: 0, most: 100, unit: "rack units", says: "taken by a machine" },
  "units-per-host": { value: 1, least: 0, most: 100, unit: "rack units", says: "taken by a host" },
  "price-per-machine": { value: 2000, least: 0, most: 1e7, unit: "money", says: "paid for a machine" },
  "price-per-host": { value: 4000, least: 0, most: 1e7, unit: "money", says: "paid for a host" },
  "price-per-kwh": { value: 0.2, least: 0, most: 1000, unit: "money", says: "paid for a kilowatt-hour" },
  life: { value: 4, least: 1, most: 50, whole: true, unit: "years", says: "until machines and hosts are bought again" },
  years: { value: 8, least: 1, most: 50, whole: true, unit: "years", says: "over which money is reckoned" },
};

export const DEFAULT_CURRENCY = "EUR";
/** A code or a sign, which is written before or after numbers. */
export const CURRENCY_PATTERN = /^(?:[A-Z]{3}|\p{Sc})$/u;

export const NUMBER_ASSUMPTIONS = Object.keys(ASSUMPTIONS) as readonly NumberAssumption[];

/** @returns what is assumed when nobody says anything */
export function defaultAssumptions(): Assumptions {
  const values = Object.fromEntries(NUMBER_ASSUMPTIONS.map((key) => [key, ASSUMPTIONS[key].value]));
  return { ...(values as Record<NumberAssumption, number>), currency: DEFAULT_CURRENCY };
}
