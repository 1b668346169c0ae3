/**
 * From places to guests: asks each recipe what goes into each guest, and adds what every guest has (its certificate, its hosts file).
 * Recipes decide contents, this file decides nothing but their frame.
 */
import type { Backend, BlueprintAlias, BlueprintGuest, GuestFile, Secret, ServiceName, Site } from "../model/index.ts";
import { aliasesOf, canonicalJson, digest } from "../model/index.ts";
import { portFor, type Recipe, type RecipeContext, type Rendered, type Seat } from "../recipes/index.ts";
import type { RecipeBook } from "./contract.ts";
import { isReserve } from "./ground.ts";
import { byCodeUnit, byName } from "./order.ts";
import { certificateOf, inForce, reference } from "./secrets.ts";

/** Files that change under a running guest without replacing it. */
export const LIVE_FILES: readonly string[] = ["etc/hosts"];

/** Above this many guests a hosts file names only what its guest needs: everybody in every file would grow with the square. */
export const EVERYBODY_IN_HOSTS = 256;

export interface Frame {
  readonly site: Site;
  readonly recipes: RecipeBook;
  readonly target: RecipeContext["target"];
  readonly database: RecipeContext["database"];
  /** In order of name. */
  readonly seats: readonly Seat[];
  readonly copies: ReadonlyMap<ServiceName, readonly Seat[]>;
}

/** @returns what is asked of the database: on the embedded default it depends on what this machine has. */
export function databaseOf(target: RecipeContext["target"], mariadb: boolean): RecipeContext["database"] {
  return target === "real" || mariadb ? "mariadb" : "sqlite";
}

/** @returns each alias of the site with its backends; in the order of the file. */
export function renderAliases(
  frame: Frame,
  addressOf: ReadonlyMap<string, string>,
): { readonly aliases: readonly BlueprintAlias[]; readonly refusals: readonly string[] } {
  const refusals: string[] = [];
  const aliases = aliasesOf(frame.site).flatMap(({ service, alias }): BlueprintAlias[] => {
    const recipe = frame.recipes.get(service.recipe);
    if (!recipe) return [];
    const on = { target: frame.target, database: frame.database };
    const shape = alias === service.alias ? recipe.alias(service, on) : (recipe.also?.shape(alias, on) ?? null);
    if (!shape) {
      refusals.push(`${service.name}: the recipe ${recipe.name} cannot stand behind an alias`);
      return [];
    }
    const port = portFor(frame.target, shape.port);
    // A copy without the data is no backend: it could answer nothing.
    const holders = recipe.holders(frame.database, frame.copies.get(service.name) ?? []);
    const backends = holders.map(
      (seat): Backend => ({ guest: seat.name, address: seat.address, port, check: shape.check }),
    );
    return [
      {
        name: alias.name,
        service: service.name,
        address: addressOf.get(alias.name) ?? "",
        port: portFor(frame.target, alias.port),
        scheduler: alias.scheduler,
        persistence: alias.persistence,
        connections: alias.connections,
        connectionsPerCopy: alias.connectionsPerCopy,
        distribution: shape.distribution,
        proxyProtocol: shape.proxyProtocol,
        backends,
      },
    ];
  });
  return { aliases, refusals };
}

/** The hosts file of a guest: localhost, then guests and aliases, so that names work without any name server. */
function hostsFile(seats: readonly Seat[], aliases: readonly BlueprintAlias[]): GuestFile {
  const lines = [
    "127.0.0.1 localhost",
    ...seats.map((seat) => `${seat.address} ${seat.name}`),
    ...aliases.map((alias) => `${alias.address} ${alias.name}`),
  ];
  return { path: "etc/hosts", content: `${lines.join("\n")}\n` };
}

/** Chooses the hosts file of each service: everybody on a site of common size, only what it needs on a large one. */
function hostsFiles(frame: Frame, aliases: readonly BlueprintAlias[]): (seat: Seat) => GuestFile {
  if (frame.seats.length <= EVERYBODY_IN_HOSTS) {
    const everybody = hostsFile(frame.seats, aliases);
    return () => everybody;
  }
  const services = new Map(frame.site.services.map((service) => [service.name, service]));
  const aliasesOfService = Map.groupBy(aliases, (alias) => alias.service);
  const files = new Map<ServiceName, GuestFile>();
  return (seat) => {
    const known = files.get(seat.service);
    if (known) return known;
    const near = [seat.service, ...(services.get(seat.service)?.needs ?? [])];
    const seats = near.flatMap((name) => frame.copies.get(name) ?? []).sort(byName);
    const file = hostsFile(
      seats,
      near.flatMap((name) => aliasesOfService.get(name) ?? []),
    );
    files.set(seat.service, file);
    return file;
  };
}

const EMPTY_PLACE: Rendered = {
  definition: {
    image: null,
    packages: [],
    data: "none",
    program: { kind: "none" },
    environment: {},
    ports: {},
    probe: { kind: "running" },
    watchdog: false,
  },
  files: [],
  secrets: [],
};

export interface Birth {
  readonly seat: Seat;
  readonly birthHost: BlueprintGuest["birthHost"];
  readonly mac: string;
  readonly uuid: string;
}

/** @returns the guests in order of name, and every secret they ask for. */
export function renderGuests(
  frame: Frame,
  births: readonly Birth[],
  aliases: readonly BlueprintAlias[],
  secretsBefore: ReadonlyMap<string, Secret>,
): {
  readonly guests: readonly BlueprintGuest[];
  readonly asked: readonly Secret[];
  readonly refusals: readonly string[];
} {
  const services = new Map(frame.site.services.map((service) => [service.name, service]));
  const byService = Map.groupBy(aliases, (alias) => alias.service);
  const hostsFor = hostsFiles(frame, aliases);
  const asked: Secret[] = [];
  const refusals: string[] = [];
  const guests = births.map(({ seat, birthHost, mac, uuid }): BlueprintGuest => {
    const service = services.get(seat.service)!;
    const copies = frame.copies.get(seat.service)!;
    const empty = isReserve(service);
    const recipe = frame.recipes.get(service.recipe) as Recipe;
    const rendered = empty
      ? EMPTY_PLACE
      : recipe.render({
          site: frame.site,
          service,
          seat,
          copies,
          seats: frame.seats,
          aliases,
          target: frame.target,
          database: frame.database,
        });
    const secrets = empty
      ? []
      : [
          certificateOf(seat, byService.get(seat.service) ?? [], secretsBefore),
          ...rendered.secrets.map((one) => inForce(one, secretsBefore)),
        ];
    asked.push(...secrets);
    const files = empty ? [] : [...rendered.files, hostsFor(seat)].sort((a, b) => byCodeUnit(a.path, b.path));
    files.forEach((file, index) => {
      if (file.path === files[index - 1]?.path)
        refusals.push(`${seat.name} (${service.name}): two files are called ${file.path}`);
    });
    return {
      name: seat.name,
      service: seat.service,
      copy: seat.copy,
      birthHost,
      host: seat.host,
      address: seat.address,
      mac,
      uuid,
      definition: {
        kind: service.kind,
        memory: service.memory,
        cpus: service.cpus,
        disk: service.disk,
        ipv6: frame.site.network.ipv6,
        ...rendered.definition,
      },
      files,
      secrets: [...new Set(secrets.map(reference))].sort(byCodeUnit),
      // A disk that another host can open must not be started by whoever comes up first.
      autostart: !empty && service.strategy !== "mirrored",
    };
  });
  return { guests, asked, refusals };
}

/** @returns the version of each bundle in use. */
export function bundlesOf(guests: readonly BlueprintGuest[], version: string): Readonly<Record<string, string>> {
  const names = new Set<string>();
  for (const { definition } of guests) if (definition.program.kind === "bundle") names.add(definition.program.bundle);
  return Object.fromEntries([...names].sort(byCodeUnit).map((name) => [name, version]));
}

/**
 * SHA-256 of everything that makes a guest what it is: its program's version too, but not where it is and not the files that change under
 * it. A host that holds a guest of this digest holds the right one.
 */
export function guestDigest(guest: BlueprintGuest, bundles: Readonly<Record<string, string>>): string {
  const { name, service, copy, address, mac, uuid, definition, secrets, autostart } = guest;
  const files = guest.files.filter((file) => !LIVE_FILES.includes(file.path));
  const version = definition.program.kind === "bundle" ? bundles[definition.program.bundle] : null;
  return digest({ name, service, copy, address, mac, uuid, definition, secrets, autostart, files, version });
}

/** Must the guest be made anew: is it another guest, or does its program come in another version? */
export function redefined(
  before: BlueprintGuest,
  after: BlueprintGuest,
  versions: { readonly before: Readonly<Record<string, string>>; readonly after: Readonly<Record<string, string>> },
): boolean {
  const { program } = after.definition;
  if (program.kind === "bundle" && versions.before[program.bundle] !== versions.after[program.bundle]) return true;
  // The same text is cheaper to compare than two digests.
  const text = (guest: BlueprintGuest): string =>
    canonicalJson({
      ...guest,
      host: "",
      birthHost: "",
      files: guest.files.filter((file) => !LIVE_FILES.includes(file.path)),
    });
  return text(before) !== text(after);
}
