/**
 * Reads a site file: text in, a Site or every mistake in it with file, line and column. Pure. What recipes there are, and what they
 * expect, comes in as facts, since recipes are built on the model and not the other way round.
 */
import type { ServiceName } from "../ids.ts";
import type { Alias, Host, Network, Objectives, Service, Site, Strategy } from "../site.ts";
import { STRATEGIES } from "../site.ts";
import { CHECKS, type Positions } from "./checks.ts";
import * as fields from "./fields.ts";
import { suggestion } from "./nearest.ts";
import { entries, entryCount, keysOf, type ReadValue, report } from "./shape.ts";
import { type Diagnostic, inside, type Place, type Sentence, Source } from "./source.ts";

/** What reading needs to know of a recipe; every Recipe has it. */
export interface RecipeFacts {
  readonly defaults: {
    readonly strategy: Strategy;
    readonly memory: number;
    readonly cpus: number;
    readonly disk: number;
    readonly port: number | null;
  };
  readonly settings: Readonly<Record<string, SettingFacts>>;
  /** A second program in the same guests, with an alias of its own (`also:`). */
  readonly also?: { readonly says: string; readonly port: number };
}

export interface SettingFacts {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
  /** For large settings: every mistake, each at its own place; an empty list is none. Asked in place of `accepts`. */
  readonly mistakes?: (value: unknown) => readonly SettingMistake[];
}

/** Something wrong inside a setting. */
export interface SettingMistake {
  /** Keys and places in lists, from the setting inwards. */
  readonly path: readonly (string | number)[];
  readonly says: string;
  /** The key itself is wrong, not its value. */
  readonly atKey?: boolean;
}

export interface SiteText {
  /** Shown in messages. */
  readonly file: string;
  readonly text: string;
}

export type SiteReading =
  | { readonly ok: true; readonly site: Site }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Larger files are refused unread, characters: fifty times what 5,000 guests need, and still read in seconds when it is nonsense. */
const LONGEST_FILE = 4 * 1024 * 1024;

/** Stands in while the rest of a file with an unknown recipe is checked. */
const UNKNOWN_RECIPE: RecipeFacts = {
  defaults: { strategy: "active-active", memory: 0, cpus: 1, disk: 0, port: 1 },
  settings: {},
};

type HostRecord = ReadValue<typeof fields.host>;
type ServiceRecord = { readonly name: ServiceName } & ReadValue<typeof fields.service>;

/**
 * @param text the site file
 * @param recipes facts by recipe name
 * @param hosts other hosts (`--hosts FILE`) that replace those of the file, and its network if they bring one
 */
export function readSite(text: SiteText, recipes: ReadonlyMap<string, RecipeFacts>, hosts?: SiteText): SiteReading {
  for (const one of [text, hosts])
    if (one && one.text.length > LONGEST_FILE)
      return {
        ok: false,
        diagnostics: [
          { file: one.file, line: 1, column: 1, path: "", says: "larger than 4 MiB: that is no site file" },
        ],
      };
  const source = new Source(text.file, text.text);
  const read = source.diagnostics.length > 0 ? undefined : fields.site(source.top);
  const other = hosts ? new Source(hosts.file, hosts.text) : null;
  const replaced = other && other.diagnostics.length === 0 ? fields.hostsFile(other.top) : undefined;
  const found = () => [...source.found, ...(other?.found ?? [])];
  if (!read || (other && !replaced)) return { ok: false, diagnostics: found() };

  const hostRecords = replaced?.hosts ?? read.hosts;
  const site: Site = {
    name: read.site,
    network: networkOf(replaced?.network ?? read.network),
    hosts: hostRecords.map(hostOf),
    services: read.services.map((one) => serviceOf(one, recipes)),
    rules: { memoryOvercommit: read.rules?.["memory-overcommit"] ?? 1, cpuRatio: read.rules?.["cpu-ratio"] ?? 4 },
    ...given(read.objectives),
  };
  checkWhole(site, hostRecords, read.services, (replaced ?? read).place, read.place);
  return found().length > 0 ? { ok: false, diagnostics: found() } : { ok: true, site: onLoopback(site) };
}

/** @param hostsTop the top of the file that the hosts are from */
function checkWhole(
  site: Site,
  hosts: readonly HostRecord[],
  services: readonly ServiceRecord[],
  hostsTop: Place,
  top: Place,
): void {
  const byName = new Map(services.map((service) => [service.name, service.place]));
  const say = (place: Place) => (says: Sentence) => void report(place, says);
  const hostPlaces = inside(hostsTop, "hosts");
  const servicePlaces = inside(top, "services");
  const sound = (place: Place, keys: readonly string[]) =>
    keys.every((key) => place.source.isSound(`${place.path}.${key}`));
  const networkTop = inside(hostsTop, "network").path === "network" ? hostsTop : top;
  const positions: Positions = {
    host: (index, key) => say(key ? inside(hosts[index]!.place, key) : hosts[index]!.place),
    service: (name, ...keys) => say(inside(byName.get(name)!, ...keys)),
    hostPath: (index) => hosts[index]!.place.path,
    serviceNames: new Set(keysOf(servicePlaces)),
    allHosts: hosts.length > 0 && hosts.length === entryCount(hostPlaces),
    allServices: services.length === entryCount(servicePlaces),
    soundHosts: (...keys) => hosts.every((host) => sound(host.place, keys)),
    sound: (name, ...keys) => sound(byName.get(name)!, keys),
    soundNetwork: networkTop.source.isSound("network.cidr"),
  };
  for (const check of CHECKS) check(site, positions);
}

function networkOf(record: ReadValue<typeof fields.network> | null): Network {
  return record
    ? { cidr: record.cidr, mode: record.mode, bridge: record.bridge, ipv6: record.ipv6 }
    : { cidr: null, mode: "bridge", bridge: null, ipv6: false };
}

/**
 * The same site where every host is the embedded default: guests live on loopback, so a bridge and addresses of another network have no
 * meaning there. They were checked, and count again when `--hosts` names real machines.
 */
function onLoopback(site: Site): Site {
  if (site.hosts.some((host) => host.hypervisor !== null)) return site;
  const local = (address: string | null) => (address?.startsWith("127.") ? address : null);
  const near = (alias: Alias | null) => alias && { ...alias, address: local(alias.address) };
  return {
    ...site,
    network: { ...site.network, cidr: local(site.network.cidr), mode: "loopback", bridge: null },
    hosts: site.hosts.map((host) => ({ ...host, address: local(host.address) })),
    services: site.services.map((service) => ({ ...service, alias: near(service.alias), also: near(service.also) })),
  };
}

function hostOf(record: HostRecord): Host {
  const { place: _place, at: _at, ...host } = record;
  return host;
}

/** After a mistake the service goes on with what stands in for it, so that the rest of the file is checked too. */
function serviceOf(record: ServiceRecord, recipes: ReadonlyMap<string, RecipeFacts>): Service {
  const { alias, also, place } = record;
  const sound = (key: string) => place.source.isSound(`${place.path}.${key}`);
  const recipe = recipes.get(record.recipe) ?? UNKNOWN_RECIPE;
  if (recipe === UNKNOWN_RECIPE)
    report(
      record.at("recipe"),
      () => `no recipe is called ${record.recipe}${suggestion(record.recipe, [...recipes.keys()])}`,
    );
  else if (sound("recipe")) checkSettings(record, recipe);
  const own = record.recipe === "own" && sound("recipe");
  if (
    own &&
    record.command === null &&
    record.pages === null &&
    record.image === null &&
    record.packages.length === 0 &&
    record.strategy !== "spare" &&
    ["command", "pages", "image", "packages", "strategy"].every(sound)
  )
    report(place, "expected a recipe, or a service of your own with command, pages, packages or image");
  if (own && record.command && record.pages) report(record.at("pages"), "expected command or pages, not both");
  const strategy = record.strategy ?? recipe.defaults.strategy;
  const port = alias
    ? (alias.port ?? (record.probe && "port" in record.probe ? record.probe.port : null) ?? recipe.defaults.port)
    : null;
  if (also && !recipe.also && sound("recipe"))
    report(record.at("also"), `the recipe ${record.recipe} has no second program that could stand behind an alias`);
  if (also && !alias && sound("alias")) report(record.at("also"), "also is the second alias: alias is missing");
  if (alias && port === null && sound("alias") && sound("probe")) report(alias.place, "port is missing");
  if (own && alias && !record.probe && sound("probe"))
    report(place, "a service of your own behind an alias needs a probe, e.g. { http: /, port: 80 }");
  return {
    name: record.name,
    title: record.title ?? record.name,
    recipe: record.recipe,
    strategy,
    mode: record.mode ?? (strategy === "replicated-database" ? "circular" : null),
    kind: record.kind,
    copies: record.copies ?? STRATEGIES[strategy].copies,
    memory: record.memory ?? recipe.defaults.memory,
    cpus: record.cpus ?? recipe.defaults.cpus,
    disk: record.disk ?? recipe.defaults.disk,
    alias: alias && aliasOf(alias, port ?? 1),
    also: also && aliasOf(also, also.port ?? recipe.also?.port ?? 1),
    needs: record.needs,
    hosts: record.hosts,
    forbid: record.forbid,
    slot: record.slot,
    apart: record.apart,
    probe: record.probe,
    settings: record.settings,
    own: own
      ? {
          image: record.image,
          packages: record.packages,
          command: record.command,
          pages: record.pages,
          files: record.files,
          environment: record.environment,
        }
      : null,
    ...given(record.objectives),
  };
}

/** Only what the file says: what it is silent about may change with the house. */
function given(record: ReadValue<typeof fields.objectives> | null): { readonly objectives?: Partial<Objectives> } {
  if (!record) return {};
  const { lost, gap, whole, latency, "calls-per-day": callsPerDay } = record;
  const said = Object.entries({ lost, gap, whole, latency, callsPerDay }).filter(([, value]) => value !== null);
  return { objectives: Object.fromEntries(said) };
}

function aliasOf(record: ReadValue<typeof fields.alias>, port: number): Alias {
  const { name, address, scheduler, persistence, connections, "connections-per-copy": connectionsPerCopy } = record;
  return { name, port, address, scheduler, persistence, connections, connectionsPerCopy };
}

function checkSettings(record: ServiceRecord, recipe: RecipeFacts): void {
  const place = record.at("settings");
  const given: Readonly<Record<string, unknown>> = record.settings;
  if (place === record.place || Object.keys(given).length === 0) return;
  for (const { key, keyOffset, value } of entries(place) ?? []) {
    const rule = Object.hasOwn(recipe.settings, key) ? recipe.settings[key] : undefined;
    if (!rule)
      place.source.reportAt(
        keyOffset,
        value.path,
        () => `${record.recipe} has no such setting${suggestion(key, Object.keys(recipe.settings))}`,
      );
    else if (!place.source.isSound(value.path)) continue;
    else if (rule.mistakes) for (const one of rule.mistakes(given[key])) reportInside(value, one);
    else if (!rule.accepts(given[key])) report(value, `expected ${rule.expected}`);
  }
}

function reportInside(setting: Place, { path, says, atKey }: SettingMistake): void {
  const place = inside(setting, ...path);
  if (atKey && place.keyOffset !== null) place.source.reportAt(place.keyOffset, place.path, says);
  else report(place, says);
}
