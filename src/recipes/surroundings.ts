/** What recipes ask of the site around a guest: where the directors are, where the database is, which port is really used. */
import { type BlueprintAlias, type GuestFile, parseDuration, parseSize, type Service } from "../model/index.ts";
import { portFor } from "./ports.ts";
import type { RecipeContext, Seat } from "./recipe.ts";

/** How a program reaches the database; part of its configuration file. */
export interface DatabaseAccess {
  readonly kind: "mariadb" | "sqlite";
  /** Name of the alias: the name in the database's certificate. */
  readonly alias: string;
  readonly address: string;
  readonly port: number;
  /**
   * The servers of a ring, each at its own address: pool accounts are asked of the one that owns the identity. Empty where one database
   * stands behind the alias (SQLite, Galera).
   */
  readonly servers: readonly DatabaseServer[];
}

/** A server of the ring; its guest's name is in its certificate. */
export interface DatabaseServer {
  readonly guest: string;
  readonly address: string;
  readonly port: number;
  /** 0 for the first. */
  readonly position: number;
}

/** What every program of the house that serves HTTPS is told. */
export interface ServingConfig {
  readonly port: number;
  /** Addresses whose connections begin with a PROXY header. Empty where direct routing keeps the client's address. */
  readonly directors: readonly string[];
  /** Shares of groups of clients; whoever is in none is a community of his own. Absent: there are no rules. */
  readonly communities?: readonly CommunityRule[];
}

/** A group of clients with a share of each copy. Everything named must match; of each list one entry. */
export interface CommunityRule {
  readonly name: string;
  /** Weight beside the others, who have 1. */
  readonly share: number;
  /** Networks such as 10.1.0.0/16. */
  readonly addresses: readonly string[];
  /** Common names; `*` is any text. */
  readonly certificates: readonly string[];
  /** VOs that the call itself names. */
  readonly vos: readonly string[];
}

/** Port of a database that has none of its own. */
export const DATABASE_PORT = 3306;

const byName = (a: Seat, b: Seat): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Guests of all services with a recipe, in order of name. */
export function seatsOf(context: RecipeContext, recipe: string): readonly Seat[] {
  const services = new Set(context.site.services.filter((one) => one.recipe === recipe).map((one) => one.name));
  return context.seats.filter((seat) => services.has(seat.service)).sort(byName);
}

export function directorAddresses(context: RecipeContext): readonly string[] {
  return context.target === "embedded" ? seatsOf(context, "lvs").map((seat) => seat.address) : [];
}

/** The database this service needs; `null` when it names none. */
export function databaseAccess(context: RecipeContext): DatabaseAccess | null {
  const needed = context.site.services.find(
    (one) => one.recipe === "mysql" && context.service.needs.includes(one.name),
  );
  const alias: BlueprintAlias | undefined = context.aliases.find((one) => one.service === needed?.name);
  if (alias === undefined) return null;
  return {
    kind: context.database,
    alias: alias.name,
    address: alias.address,
    port: alias.port,
    servers: context.database === "mariadb" && needed ? ringOf(context, needed) : [],
  };
}

function ringOf(context: RecipeContext, database: Service): readonly DatabaseServer[] {
  if ((database.mode ?? "circular") !== "circular") return [];
  const port = copyPort(database, context.target, DATABASE_PORT);
  return context.seats
    .filter((seat) => seat.service === database.name)
    .sort((a, b) => a.copy - b.copy)
    .map((seat) => ({ guest: seat.name, address: seat.address, port, position: seat.copy }));
}

/** Port of a service's copies: the alias's, or the recipe's own. */
export function copyPort(service: Service, target: RecipeContext["target"], fallback: number): number {
  return portFor(target, service.alias?.port ?? fallback);
}

/** A configuration file: JSON with its keys as written here, one to a line, so that a difference is readable. */
export function jsonFile(path: string, value: unknown): GuestFile {
  return { path, content: `${JSON.stringify(value, null, 2)}\n` };
}

/** What a copy does when it has not seen its database for too long. */
export interface StaleRule {
  /** Seconds. */
  readonly after: number;
  /** `then` in the site file. */
  readonly decides: "refuse" | "go-on";
}

/** Silence means refuse after ten minutes: a stale copy does not know the newest bans. */
export const STALE_DEFAULT: StaleRule = { after: 600, decides: "refuse" };

export const STALE_EXPECTED = "{ after: a duration such as 60 s, then: refuse or go-on }";

/** @returns the rule, or `null` when the setting is not one */
export function readStale(value: unknown): StaleRule | null {
  if (value === undefined) return STALE_DEFAULT;
  if (!isRecord(value) || !onlyKeys(value, ["after", "then"])) return null;
  const after =
    value.after === undefined
      ? STALE_DEFAULT.after
      : typeof value.after === "string"
        ? parseDuration(value.after)
        : null;
  const decides = value.then ?? STALE_DEFAULT.decides;
  return after === null || (decides !== "refuse" && decides !== "go-on") ? null : { after, decides };
}

/** How long, and how much of, the record of decisions is kept. */
export interface AuditRule {
  /** Seconds. */
  readonly keep: number;
  /** Octets of each copy, compressed; the oldest go first. */
  readonly space: number;
}

export const AUDIT_DEFAULT: AuditRule = { keep: 90 * 86_400, space: 1024 ** 3 };

export const AUDIT_EXPECTED = "{ keep: a duration such as 90 days, space: a size such as 1 GiB }";

/** @returns the rule, or `null` when the setting is not one */
export function readAuditRule(value: unknown): AuditRule | null {
  if (value === undefined) return AUDIT_DEFAULT;
  if (!isRecord(value) || !onlyKeys(value, ["keep", "space"])) return null;
  const keep =
    value.keep === undefined ? AUDIT_DEFAULT.keep : typeof value.keep === "string" ? parseDuration(value.keep) : null;
  const space =
    value.space === undefined ? AUDIT_DEFAULT.space : typeof value.space === "string" ? parseSize(value.space) : null;
  return keep === null || space === null || keep <= 0 || space < 1024 ** 2 ? null : { keep, space };
}

export const COMMUNITIES_EXPECTED =
  "a list of { name, share: 1 to 100, and at least one of addresses: [10.1.0.0/16], certificates: [ce*.example.org], vos: [cms] }, each name once";

const MOST_COMMUNITIES = 100;
const COMMUNITY_KEYS = ["name", "share", "addresses", "certificates", "vos"];

/** @returns the rules in the order of the file, or `null` when the setting is not a list of them */
export function readCommunities(value: unknown): readonly CommunityRule[] | null {
  const rules = readList(value, (one): CommunityRule | null => {
    if (!isRecord(one) || !onlyKeys(one, COMMUNITY_KEYS)) return null;
    const { name, share = 1 } = one;
    const addresses = readList(one.addresses, (each) => (isNetwork(each) ? each : null));
    const certificates = readList(one.certificates, (each) => (isText(each, /^[^\p{Cc}]{1,255}$/u) ? each : null));
    const vos = readList(one.vos, (each) => (isText(each, /^[A-Za-z0-9_.-]{1,255}$/) ? each : null));
    if (!isText(name, /^[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}$/) || addresses === null || certificates === null) return null;
    if (typeof share !== "number" || !(share >= 1 && share <= 100) || vos === null) return null;
    // A rule without a condition would be everybody, and hide all rules behind it.
    if (addresses.length + certificates.length + vos.length === 0) return null;
    return { name, share, addresses, certificates, vos };
  });
  if (rules === null || rules.length > MOST_COMMUNITIES) return null;
  return new Set(rules.map(({ name }) => name)).size === rules.length ? rules : null;
}

/** @returns the rules as a part of a {@link ServingConfig}: nothing where the site file is silent */
export function communitiesOf(service: Service): Pick<ServingConfig, "communities"> {
  const rules = readCommunities(service.settings.communities) ?? [];
  return rules.length === 0 ? {} : { communities: rules };
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}

/** An IPv4 or IPv6 address, with or without a length. */
function isNetwork(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const [address = "", length, more] = value.split("/");
  if (more !== undefined || (length !== undefined && !/^[0-9]{1,3}$/.test(length))) return false;
  const bits = Number(length ?? 0);
  if (/^[0-9.]+$/.test(address))
    return bits <= 32 && /^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!$)|$)){4}$/.test(address);
  // The URL parser knows every spelling of RFC 4291.
  return bits <= 128 && /^[0-9A-Fa-f:.]+$/.test(address) && URL.canParse(`http://[${address}]/`);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

export function onlyKeys(value: Readonly<Record<string, unknown>>, keys: readonly string[]): boolean {
  return Object.keys(value).every((key) => keys.includes(key));
}

/** @returns each item read, or `null` when one of them cannot be (or it is no list); silence is an empty list */
export function readList<Item>(value: unknown, read: (item: unknown) => Item | null): readonly Item[] | null {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return null;
  const items: Item[] = [];
  for (const one of value) {
    const item = read(one);
    if (item === null) return null;
    items.push(item);
  }
  return items;
}

/** @returns what `read` returns, or `null` instead of what it throws */
export function orNull<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch {
    return null;
  }
}
