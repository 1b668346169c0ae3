/**
 * A plan: site, inventory and the Blueprint in force become the next Blueprint, or refusals. Everything here is order of work; what is
 * decided is decided in the files it calls.
 */
import {
  type Blueprint,
  type BlueprintGuest,
  digest,
  formatSize,
  type GuestName,
  type Secret,
  type ServiceName,
  type Site,
} from "../model/index.ts";
import type { Seat } from "../recipes/index.ts";
import { giveAddresses, networkOf, targetOf } from "./addresses.ts";
import { changesBetween } from "./changes.ts";
import { whyNot } from "./choose.ts";
import type { PlanInput, PlanResult, RecipeBook } from "./contract.ts";
import { type Ground, isReserve, survey, type Want } from "./ground.ts";
import { macAddresses, nameGuests, uuidOf } from "./names.ts";
import { byName } from "./order.ts";
import { type Placement, place } from "./place.ts";
import { prove } from "./prove.ts";
import { bundlesOf, databaseOf, type Frame, renderAliases, renderGuests } from "./render.ts";
import { collectSecrets, reference } from "./secrets.ts";
import { stepsOf } from "./steps.ts";

/** Refusals a person can still read; the rest is counted. */
const REFUSALS_SHOWN = 20;

function refused(refusals: readonly string[]): PlanResult {
  const shown = refusals.slice(0, REFUSALS_SHOWN);
  if (refusals.length > shown.length) shown.push(`and ${refusals.length - shown.length} more refusals`);
  return { ok: false, refusals: shown };
}

/** What can be said before anything is placed: unknown recipes, what the embedded default cannot run. */
function unfit(
  input: PlanInput,
  recipes: RecipeBook,
): { readonly refusals: readonly string[]; readonly warnings: readonly string[] } {
  const refusals: string[] = [...circles(input.site)];
  const limits: string[] = [];
  const target = targetOf(input.site);
  for (const service of input.site.services) {
    if (isReserve(service)) continue;
    const recipe = recipes.get(service.recipe);
    if (!recipe) {
      refusals.push(
        `${service.name}: no recipe is called ${service.recipe}; there are ${[...recipes.keys()].join(", ")}`,
      );
      continue;
    }
    const limit = target === "embedded" ? recipe.embeddedRefusal(service) : null;
    if (limit !== null) limits.push(`${service.name}: ${limit}`);
  }
  if (target === "real" && input.site.network.cidr === null) {
    limits.push(
      `network.cidr: hosts with a hypervisor need a network of the site; a loopback network exists on one machine only`,
    );
  }
  const { cidr } = networkOf(input.site, input.loopback, input.parent?.blueprint.network ?? null);
  if (target === "embedded" && !cidr.startsWith("127.")) {
    limits.push(
      `network ${cidr}: the embedded default has the addresses of 127.0.0.0/8 only; choose one with --loopback 127.x.y.0/24`,
    );
  }
  return input.planOnly ? { refusals, warnings: limits } : { refusals: [...refusals, ...limits], warnings: [] };
}

/** Services that need each other in a circle would wait for ever; whoever reads a file says so first, with the line. */
function circles(site: Site): readonly string[] {
  const services = new Map(site.services.map((service) => [service.name, service]));
  const settled = new Set<ServiceName>();
  for (let again = true; again; ) {
    again = false;
    for (const { name, needs } of site.services) {
      if (settled.has(name) || !needs.every((need) => settled.has(need) || !services.has(need))) continue;
      settled.add(name);
      again = true;
    }
  }
  const stuck = site.services.filter((service) => !settled.has(service.name)).map((service) => service.name);
  return stuck.length > 0 ? [`needs: ${stuck.join(", ")} wait for each other in a circle`] : [];
}

/** Memory and processors of the whole site: the shortest answer to "why does it not fit". */
function wholeSite(ground: Ground): readonly string[] {
  const places = ground.places.filter((one) => one.reachable && (!one.spare || ground.sparesOpen));
  const guests = ground.wants.filter((want) => ground.places[want.current]?.reachable !== false);
  const needs = { memory: 0, cpus: 0 };
  for (const want of guests) {
    needs.memory += want.memory;
    needs.cpus += want.cpus;
  }
  const memory = places.reduce((sum, one) => sum + one.memory, 0);
  const cpus = places.reduce((sum, one) => sum + one.cpus, 0);
  const what = `the whole site: ${guests.length} guests need`;
  const refusals: string[] = [];
  if (needs.memory > memory) {
    const missing = formatSize(needs.memory - memory);
    refusals.push(
      `${what} ${formatSize(needs.memory)}, the ${places.length} hosts that may be used give ${formatSize(memory)}: ${missing} missing`,
    );
  }
  if (needs.cpus > cpus + 1e-9) {
    refusals.push(
      `${what} ${needs.cpus} CPUs, the ${places.length} hosts that may be used give ${cpus}: ${Number((needs.cpus - cpus).toFixed(2))} missing`,
    );
  }
  return refusals;
}

/** Sentences for guests without a host; guests that could not move because of their data say so. */
function homelessRefusals(ground: Ground, placement: Placement, nameOf: (want: Want) => string): readonly string[] {
  const short = wholeSite(ground);
  return [
    ...short,
    ...placement.homeless.map((index) => {
      const want = ground.wants[index]!;
      const reason = placement.because.get(index);
      const why = want.held && reason ? `cannot stay (${reason}) and finds ` : "";
      if (want.anchored)
        return `${nameOf(want)}: cannot stay (${reason}) and cannot move: its data is on ${want.held?.host} and nowhere else`;
      return `${nameOf(want)}: ${why}no host: ${whyNot(placement.ledger, want)}`;
    }),
  ];
}

/** One sentence for each placement. */
function reasonFor(want: Want, ground: Ground, placement: Placement): string {
  const here = ground.places[placement.ledger.at[want.index]!]!;
  const reason = placement.because.get(want.index);
  const pinned = want.service.hosts.length > 0 ? "; the file pins it" : "";
  if (want.held && want.held.host === here.name) {
    if (want.anchored) return `stays on ${here.name}: its data is there and nowhere else${pinned}`;
    return `stays on ${here.name}: nothing asks for a move${pinned}`;
  }
  if (want.held)
    return `moves from ${want.held.host} to ${here.name}: ${reason ?? "another guest needs its room"}${pinned}`;
  const apart =
    ground.copies[want.serviceIndex]!.length > 1 ? `, another ${want.service.apart} than its other copies` : "";
  return pinned
    ? `born on ${here.name}${pinned}`
    : `born on ${here.name}: the best balance of the hosts that may take it${apart}`;
}

function seatsOf(
  ground: Ground,
  placement: Placement,
  names: readonly (GuestName | null)[],
  addresses: ReadonlyMap<GuestName, string>,
): readonly Seat[] {
  return ground.wants
    .map((want): Seat => {
      const name = names[want.index]!;
      const host = ground.places[placement.ledger.at[want.index]!]!.name;
      return { name, service: want.service.name, host, address: addresses.get(name)!, copy: want.copy };
    })
    .sort(byName);
}

function copiesOf(site: Site, seats: readonly Seat[]): ReadonlyMap<ServiceName, readonly Seat[]> {
  const copies = new Map<ServiceName, Seat[]>(site.services.map((service) => [service.name, []]));
  for (const seat of seats) copies.get(seat.service)!.push(seat);
  for (const list of copies.values()) list.sort((a, b) => a.copy - b.copy);
  return copies;
}

/** Kept guests are run and moved, never replaced: what the file says anew about one is said back and not done. */
function keepKept(
  guests: readonly BlueprintGuest[],
  before: Blueprint | null,
): { readonly guests: readonly BlueprintGuest[]; readonly warnings: readonly string[] } {
  const old = new Map(before?.guests.map((guest) => [guest.name, guest]));
  const warnings: string[] = [];
  const result = guests.map((guest) => {
    const known = old.get(guest.name);
    if (guest.definition.kind !== "kept" || known?.definition.kind !== "kept") return guest;
    const { definition, files, secrets } = known;
    const same = { ...guest, definition, files, secrets };
    if (digest(same) !== digest(guest)) warnings.push(`${guest.name} is kept: its changed definition is not applied`);
    return same;
  });
  return { guests: result, warnings };
}

/** A kept guest goes on with the secrets it has, also where the file would now give it others. */
function withSecretsOfKept(
  secrets: readonly Secret[],
  guests: readonly BlueprintGuest[],
  before: Blueprint | null,
): readonly Secret[] {
  const known = new Set(secrets.map(reference));
  const used = new Set(guests.flatMap((guest) => guest.secrets));
  const missing = (before?.secrets ?? []).filter(
    (secret) => used.has(reference(secret)) && !known.has(reference(secret)),
  );
  return missing.length === 0 ? secrets : [...secrets, ...missing].sort(byName);
}

/**
 * Plans a site.
 * @param input what people want, what is, and what was planned before.
 * @param recipes what services put into guests, by name.
 * @returns the next Blueprint with what it changes, or every reason why there is none. Same input, same bytes.
 */
export function plan(input: PlanInput, recipes: RecipeBook): PlanResult {
  const { site } = input;
  const first = unfit(input, recipes);
  if (first.refusals.length > 0) return refused(first.refusals);
  const ground = survey(input);
  // While a placement is refused, guests are called by the name they would have had in it.
  let names: readonly (GuestName | null)[] = ground.wants.map((want) => want.held?.name ?? null);
  const placement = place(ground, (index) => names[index] ?? ground.wants[index]!.label, input.cause.by);
  const named = nameGuests(ground, placement.ledger.at, input);
  names = named.names;
  if (placement.homeless.length > 0) {
    return refused(
      homelessRefusals(ground, placement, (want) => (want.held ? `${want.held.name} (${want.label})` : want.label)),
    );
  }
  if (named.refusals.length > 0) return refused(named.refusals);

  const before = input.parent?.blueprint ?? null;
  const target = targetOf(site);
  const network = networkOf(site, input.loopback, before?.network ?? null);
  const inNamingOrder = names as readonly GuestName[];
  const addresses = giveAddresses(site, network, inNamingOrder, before);
  if (addresses.refusals.length > 0) return refused(addresses.refusals);
  const seats = seatsOf(ground, placement, names, addresses.guests);
  const frame: Frame = {
    site,
    recipes,
    target,
    database: databaseOf(target, input.inventory.programs.mariadb),
    seats,
    copies: copiesOf(site, seats),
  };
  const { aliases, refusals: faceless } = renderAliases(frame, addresses.aliases);
  const macs = macAddresses(site, inNamingOrder, before?.guests ?? []);
  const wantOf = new Map(ground.wants.map((want) => [names[want.index]!, want]));
  const births = seats.map((seat) => {
    const held = wantOf.get(seat.name)!.held;
    return {
      seat,
      birthHost: held?.birthHost ?? seat.host,
      mac: macs.get(seat.name)!,
      uuid: uuidOf(site.name, seat.name),
    };
  });
  const secretsBefore = new Map(before?.secrets.map((secret) => [secret.name, secret]));
  const { guests: rendered, asked, refusals: doubled } = renderGuests(frame, births, aliases, secretsBefore);
  const { guests, warnings: kept } = keepKept(rendered, before);
  const { secrets: collected, refusals: disagreeing } = collectSecrets(asked);
  const secrets = withSecretsOfKept(collected, guests, before);
  const late = [...faceless, ...doubled, ...disagreeing];
  if (late.length > 0) return refused(late);

  const bundles = bundlesOf(guests, input.version);
  const { proof, warnings } = prove({ site, places: ground.places, guests, recipes, database: frame.database });
  const steps = stepsOf({
    services: site.services,
    places: ground.places,
    guests,
    aliases,
    bundles,
    before,
    observed: input.inventory.guests,
  });
  const blueprint: Blueprint = {
    format: 1,
    site: site.name,
    siteDigest: digest(site),
    inventoryDigest: digest(input.inventory),
    number: (before?.number ?? 0) + 1,
    parent: input.parent?.id ?? null,
    cause: input.cause,
    bundles,
    network,
    hosts: site.hosts.map((host) => ({
      name: host.name,
      hypervisor: host.hypervisor,
      address: addresses.hosts.get(host.name)!,
    })),
    guests,
    aliases,
    secrets,
    reasons: guests.map((guest) => ({
      guest: guest.name,
      says: reasonFor(wantOf.get(guest.name)!, ground, placement),
    })),
    proof,
    steps,
  };
  const because = (guest: string): string | null =>
    placement.because.get(wantOf.get(guest as GuestName)!.index) ?? null;
  return {
    ok: true,
    blueprint,
    changes: changesBetween(before, blueprint, because),
    warnings: [...first.warnings, ...placement.warnings, ...kept, ...warnings],
  };
}
