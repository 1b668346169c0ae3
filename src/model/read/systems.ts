/**
 * Reads a table of systems (`sites/fermigrid-2009-inventory.yaml`). Nonsense is refused, every mistake at its place. A slip is not: a row
 * whose terms do not sum to its total, or that names other machines than it counts, keeps its totals, and is warned of at its place.
 */
import { isScalar } from "yaml";
import { NAME_PATTERN } from "../ids.ts";
import {
  ASSUMPTIONS,
  type AssumptionKey,
  type Assumptions,
  CURRENCY_PATTERN,
  NUMBER_ASSUMPTIONS,
  type SystemsInventory,
  type SystemsRow,
} from "../systems.ts";
import {
  dictionary,
  integer,
  keysOf,
  list,
  matching,
  optional,
  type Reader,
  type ReadValue,
  ratio,
  record,
  report,
  required,
  scalarOf,
  text,
} from "./shape.ts";
import type { SiteText } from "./site.ts";
import { type Diagnostic, type Place, Source } from "./source.ts";
import { type GuestTerms, MOST_MACHINES, readGuests, readMachines, type TextMistake } from "./systems-words.ts";

export type SystemsReading =
  | {
      readonly ok: true;
      readonly inventory: SystemsInventory;
      /** Slips of the table, in its order. */
      readonly warnings: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Larger files are refused unread, characters. */
const LONGEST_FILE = 4 * 1024 * 1024;
const MOST_GUESTS = 10_000_000;

/** Says what is wrong inside a text at the character itself, where the text stands there as it is written. */
function reportInText(place: Place, { at, says }: TextMistake): undefined {
  const node = place.source.resolve(place.node);
  const begin = node?.range?.[0];
  const plain = isScalar(node) && typeof node.value === "string" && node.type !== "BLOCK_LITERAL";
  if (begin === undefined || !plain || node !== place.node) return report(place, says);
  const quoted = node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE" ? 1 : 0;
  place.source.reportAt(begin + quoted + at, place.path, says);
  return undefined;
}

/** A text in a notation of its own. A number counts as it is written. */
function notation<T extends object>(expected: string, read: (text: string) => T | TextMistake): Reader<T> {
  const words = text(expected, 2000);
  return (place) => {
    const said = words(place);
    if (said === undefined) return undefined;
    const found = read(said);
    return "says" in found ? reportInText(place, found as TextMistake) : (found as T);
  };
}

const machines = notation("machines such as fermigrid[0-6]", (said) => {
  const found = readMachines(said);
  return "says" in found ? found : { said: said.trim(), ...found };
});
const guestTerms = notation("guests such as 8+(6*6) = 44", readGuests);
const count = notation("a number, or about one: 30 or ~30", (said) => {
  const match = /^\s*(~?)\s*(\d{1,6})\s*$/.exec(said);
  const value = Number(match?.[2]);
  if (!match || value < 1 || value > MOST_MACHINES)
    return { at: 0, says: `expected a number from 1 to ${MOST_MACHINES}, or about one such as ~30` };
  return { value, about: match[1] === "~" };
});

interface Guests extends GuestTerms {
  readonly groups: SystemsRow["groups"];
}

const NO_GUESTS: Guests = { perHost: [], total: 0, about: false, groups: [] };
const guestNumber = integer(0, MOST_GUESTS);

/** Terms, a list with each machine's guests, or a mapping of what they are for to how many. */
const guests: Reader<Guests> = (place) => {
  const node = place.source.resolve(place.node);
  if (isScalar(node)) {
    const terms = guestTerms(place);
    return terms && { ...terms, groups: [] };
  }
  if (keysOf(place).length > 0) {
    const found = dictionary(guestNumber)(place);
    if (!found) return undefined;
    const groups = Object.entries(found).map(([title, number]) => ({ title, guests: number }));
    return { perHost: [], total: groups.reduce((sum, one) => sum + one.guests, 0), about: false, groups };
  }
  const perHost = list(guestNumber, MOST_MACHINES, 1)(place);
  return perHost && { perHost, total: null, about: false, groups: [] };
};

interface Pairs {
  /** `null`: all of the row's. */
  readonly number: number | null;
  readonly names: readonly string[];
}

/** true, false, a number of machines, or their names. */
const pairs: Reader<Pairs> = (place) => {
  const node = place.source.resolve(place.node);
  const value = isScalar(node) ? node.value : undefined;
  if (typeof value === "boolean") return { number: value ? null : 0, names: [] };
  if (typeof value === "number") {
    const number = integer(0, MOST_MACHINES)(place);
    return number === undefined ? undefined : { number, names: [] };
  }
  const found = machines(place);
  if (!found) return undefined;
  if (found.vague) return report(place, "expected true, false, a number, or machines by their full names");
  return { number: found.names.length, names: found.names };
};

const row = record({
  title: optional(text("a title", 200), null),
  system: optional(machines, null),
  physical: optional(count, null),
  guests: required(guests, NO_GUESTS),
  pairs: optional(pairs, null),
  technology: optional(text("a technology such as Xen", 100), null),
  services: optional(text("services in words", 500), null),
  note: optional(text("a note", 1000), null),
});
type RowRecord = ReadValue<typeof row>;

const assumed = {
  ...(Object.fromEntries(
    NUMBER_ASSUMPTIONS.map((key) => {
      const { least, most, whole } = ASSUMPTIONS[key];
      return [key, optional(whole ? integer(least, most) : ratio(least, most), null)];
    }),
  ) as Record<Exclude<AssumptionKey, "currency">, ReturnType<typeof optional<number, null>>>),
  currency: optional(
    scalarOf("a currency such as EUR or €", (value) =>
      typeof value === "string" && CURRENCY_PATTERN.test(value) ? value : undefined,
    ),
    null,
  ),
};

const systems = record({
  inventory: required(matching<string>("a name of small letters, digits and hyphens", NAME_PATTERN), ""),
  title: optional(text("a title", 200), null),
  date: optional(text("a date", 100), null),
  source: optional(text("a source", 500), null),
  rows: required(list(row, 10_000, 1)),
  assumptions: optional(record(assumed), null),
});

/** @returns whether a file is a table of systems and no site file; what is neither is judged as a site file */
export function isSystemsFile({ file, text: content }: SiteText): boolean {
  if (content.length > LONGEST_FILE) return false;
  const keys = keysOf(new Source(file, content).top);
  return keys.includes("inventory") || (keys.includes("rows") && !keys.includes("site"));
}

/** @param given the file's name, for messages, and its text */
export function readSystems(given: SiteText): SystemsReading {
  if (given.text.length > LONGEST_FILE) {
    const says = "larger than 4 MiB: that is no table of systems";
    return { ok: false, diagnostics: [{ file: given.file, line: 1, column: 1, path: "", says }] };
  }
  const source = new Source(given.file, given.text);
  const read = source.diagnostics.length > 0 ? undefined : systems(source.top);
  const rows = read?.rows.map(rowOf) ?? [];
  if (!read || source.found.length > 0) return { ok: false, diagnostics: source.found };
  warnOfOverlaps(read.rows);
  const said = Object.entries(read.assumptions ?? {}).filter(
    ([key, value]) => value !== null && (key === "currency" || (NUMBER_ASSUMPTIONS as readonly string[]).includes(key)),
  );
  return {
    ok: true,
    inventory: {
      name: read.inventory,
      title: read.title ?? read.inventory,
      date: read.date,
      source: read.source,
      rows,
      assumptions: Object.fromEntries(said) as Partial<Assumptions>,
    },
    warnings: source.remarked,
  };
}

/** Stands for a row with mistakes: the file is refused, and only the other rows are looked at on. */
const EMPTY_ROW: SystemsRow = {
  name: "",
  hosts: [],
  physical: 1,
  virtual: 0,
  perHost: [],
  groups: [],
  pairs: 0,
  technology: null,
  services: null,
  note: null,
  about: false,
};

/** What a row counts for. Its slips are remarked, what cannot be counted is reported. */
function rowOf(record: RowRecord): SystemsRow {
  const { guests: said, place } = record;
  const system: { readonly said: string; readonly names: readonly string[] } = record.system ?? {
    said: record.title ?? "",
    names: [],
  };
  const sound = (...keys: readonly string[]) => keys.every((key) => place.source.isSound(`${place.path}.${key}`));
  if (system.said === "" && sound("system", "title"))
    report(place, "expected system, or title where nobody knows its machines by name");
  const sum = said.perHost.reduce((total, one) => total + one, 0);
  const terms = said.perHost.length;
  const physical = record.physical?.value ?? (system.names.length || terms);
  if (physical === 0 && sound("system", "physical", "guests"))
    report(
      record.at("system"),
      `${system.said || "the row"} does not say how many machines it is: physical is missing`,
    );
  const virtual = said.total ?? sum;
  const remark = (key: string, says: string) => {
    const at = record.at(key);
    place.source.remarkAt(at.node?.range?.[0] ?? 0, at.path, says);
  };
  const twice = system.names.filter((name, index) => system.names.indexOf(name) !== index);
  if (twice.length > 0) remark("system", `names ${few([...new Set(twice)])} twice`);
  if (system.names.length > 0 && system.names.length !== physical)
    remark("physical", `names ${system.names.length} machines, but says ${physical}: ${physical} are counted`);
  if (terms > 0 && said.total !== null && sum !== said.total)
    remark("guests", `the terms sum to ${sum}, the total says ${said.total}: ${said.total} are counted`);
  if (terms > 0 && terms !== physical)
    remark("guests", `${terms} terms for ${physical} machines: the total of ${virtual} guests is kept`);
  const paired = record.pairs?.number === null ? physical : (record.pairs?.number ?? 0);
  const strangers = record.pairs?.names.filter((name) => !system.names.includes(name)) ?? [];
  if (!sound("system", "physical", "guests", "pairs")) return EMPTY_ROW;
  if (strangers.length > 0) report(record.at("pairs"), `${few(strangers)} is not in ${system.said}`);
  else if (paired > physical)
    report(record.at("pairs"), `${paired} machines with pairs are more than the row's ${physical}`);
  return {
    name: record.title ?? system.said,
    hosts: system.names,
    physical,
    virtual,
    perHost: physical === 1 && terms === 0 ? [virtual] : said.perHost,
    groups: said.groups,
    pairs: paired,
    technology: record.technology,
    services: record.services,
    note: record.note,
    about: said.about || record.physical?.about === true,
  };
}

/** Machines that two rows name: which of them is right is for people to say, so both are counted. */
function warnOfOverlaps(rows: readonly RowRecord[]): void {
  const first = new Map<string, RowRecord>();
  for (const one of rows) {
    const shared = new Map<RowRecord, string[]>();
    for (const name of new Set(one.system?.names)) {
      const before = first.get(name);
      if (before) shared.set(before, [...(shared.get(before) ?? []), name]);
      else first.set(name, one);
    }
    for (const [before, names] of shared) {
      const { source } = one.place;
      const at = one.at("system");
      const line = source.lineOf(before.at("system").node?.range?.[0] ?? 0);
      const says = `${few(names)} ${names.length > 1 ? "stand" : "stands"} in ${before.system?.said} (line ${line}) too: both rows are counted`;
      source.remarkAt(at.node?.range?.[0] ?? 0, at.path, says);
    }
  }
}

function few(names: readonly string[]): string {
  return names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}
