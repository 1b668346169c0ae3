/**
 * What still fits on the hosts there are: how many more guests of a size, how many of them so that any one host may still be lost, which
 * resource is used up first on which host, where another copy of a service could go. The reasons are those of placement and of the proof:
 * nothing here decides by rules of its own. Numbers are of placements that were found and proved, never of a sum of free memory.
 */
import {
  type Blueprint,
  type BlueprintGuest,
  formatSize,
  type GuestName,
  type HostName,
  type Inventory,
  type Service,
  type ServiceName,
  type Site,
  STRATEGIES,
} from "../model/index.ts";
import { bestPlace } from "./choose.ts";
import { objection } from "./filters.ts";
import { isReserve, type Place, survey, surveyHosts, type Want } from "./ground.ts";
import { Ledger } from "./ledger.ts";
import { proveRestarts, type Restartable } from "./restarts.ts";

/** Of one guest: bytes of memory, and processors. */
export interface Shape {
  readonly memory: number;
  readonly cpus: number;
}

export interface FitsInput {
  readonly site: Site;
  readonly inventory: Inventory;
  readonly blueprint: Pick<Blueprint, "guests">;
}

export interface HostRoom {
  readonly host: HostName;
  /** Bytes for guests, and how many of them are free. */
  readonly memory: number;
  readonly memoryFree: number;
  readonly cpus: number;
  readonly cpusFree: number;
  /** Why it takes no new guests; empty when it does. */
  readonly closed: string;
}

export type Binding = "memory" | "processors" | "both";

export interface HostFit {
  readonly host: HostName;
  readonly more: number;
  /** What is used up first. */
  readonly binds: Binding;
}

export interface Fit {
  readonly shape: Shape;
  /** Guests that fit beside those there are. */
  readonly more: number;
  readonly byHost: readonly HostFit[];
  /** Of them, so many that after the loss of any one host every guest that can restart elsewhere still fits. */
  readonly safely: number;
  /** Why it is not one more; what is not so even now comes first. */
  readonly says: string;
  /** Who cannot restart elsewhere for other reasons than room, by lost host (`fermigrid5/fg5x2`): room changes nothing for them. */
  readonly excused: ReadonlySet<string>;
}

/** More than that are not counted: nobody asks. */
export const MOST_COUNTED = 10_000;

export function shapeText({ memory, cpus }: Shape): string {
  return `${formatSize(memory)}, ${Number(cpus.toFixed(2))} ${cpus === 1 ? "CPU" : "CPUs"}`;
}

/** @returns what each host has left, and whether new guests may come */
export function roomOf({ site, inventory, blueprint }: FitsInput): readonly HostRoom[] {
  const services = new Map(site.services.map((service) => [service.name, service]));
  const places = surveyHosts(site, inventory);
  // Once a host is lost, places kept empty and hosts kept spare are there to be used.
  const open = places.some((place) => !place.reachable);
  return places.map((place) => {
    const here = blueprint.guests.filter(
      ({ host, service }) =>
        host === place.name && !(open && services.has(service) && isReserve(services.get(service)!)),
    );
    const used = (amount: (guest: BlueprintGuest) => number) => here.reduce((sum, guest) => sum + amount(guest), 0);
    return {
      host: place.name,
      memory: place.memory,
      memoryFree: place.memory - used((guest) => guest.definition.memory),
      cpus: place.cpus,
      cpusFree: place.cpus - used((guest) => guest.definition.cpus),
      closed: place.reachable
        ? place.spare && !open
          ? "kept spare until another host is unreachable"
          : ""
        : "unreachable",
    };
  });
}

function hostFit(room: HostRoom, shape: Shape): HostFit {
  const count = (free: number, each: number): number =>
    each <= 0 ? MOST_COUNTED : Math.max(0, Math.floor(free / each + 1e-9));
  const byMemory = count(room.memoryFree, shape.memory);
  const byCpus = count(room.cpusFree, shape.cpus);
  return {
    host: room.host,
    more: room.closed ? 0 : Math.min(byMemory, byCpus),
    binds: byMemory === byCpus ? "both" : byMemory < byCpus ? "memory" : "processors",
  };
}

/** The hosts of so many new guests, in the order in which they come: always the one with room for most of them. */
function seats(byHost: readonly HostFit[]): readonly HostName[] {
  const left = byHost.map(({ host, more }) => ({ host, more }));
  const total = Math.min(
    MOST_COUNTED,
    left.reduce((sum, one) => sum + one.more, 0),
  );
  return Array.from({ length: total }, () => {
    let best = left[0]!;
    for (const one of left) if (one.more > best.more) best = one;
    best.more--;
    return best.host;
  });
}

const NEW = "new guest" as ServiceName;

/** A service of one guest that may restart anywhere: what a new guest is to the proof. */
function newcomer(index: number): Service {
  return {
    name: `${NEW} ${index + 1}` as ServiceName,
    title: NEW,
    recipe: "generic",
    strategy: "single",
    mode: null,
    kind: "appliance",
    copies: 1,
    memory: 0,
    cpus: 0,
    disk: 0,
    alias: null,
    also: null,
    needs: [],
    hosts: [],
    forbid: [],
    slot: null,
    apart: "host",
    probe: null,
    settings: {},
    own: null,
  };
}

/** The guests and services of the proof with some new ones. */
class Expansion {
  readonly #input: FitsInput;
  readonly #places: readonly Place[];
  readonly #shape: Shape;
  readonly #hosts: readonly HostName[];
  /** Who cannot restart elsewhere whatever room there is: nobody counts on it. */
  readonly excused: ReadonlySet<string>;

  constructor(input: FitsInput, shape: Shape, hosts: readonly HostName[], excused?: ReadonlySet<string>) {
    this.#input = input;
    this.#places = surveyHosts(input.site, input.inventory);
    this.#shape = shape;
    this.#hosts = hosts;
    if (excused) this.excused = excused;
    else {
      const { restarts, cramped } = this.#prove(0);
      const homeless = restarts.filter(({ onto }) => onto === null).map(({ host, guest }) => `${host}/${guest}`);
      this.excused = new Set(homeless.filter((one) => !cramped.has(one)));
    }
  }

  #prove(count: number): ReturnType<typeof proveRestarts> {
    const { site, blueprint } = this.#input;
    const { memory, cpus } = this.#shape;
    const services = Array.from({ length: count }, (_, index) => newcomer(index));
    const guests = services.map(
      ({ name }, index): Restartable => ({
        name: name as string as GuestName,
        service: name,
        copy: 0,
        host: this.#hosts[index]!,
        definition: { memory, cpus, data: "none" },
      }),
    );
    return proveRestarts({
      site: { services: [...site.services, ...services] },
      places: this.#places,
      guests: [...blueprint.guests, ...guests],
    });
  }

  /** @returns who cannot restart beside so many new guests although he should, and why; `null` when nobody */
  stranded(count: number): string | null {
    const found = this.#prove(count).restarts.find(
      ({ host, guest, onto }) => onto === null && !this.excused.has(`${host}/${guest}`),
    );
    if (!found) return null;
    const says = found.guest.startsWith(NEW)
      ? `a new guest ${found.says.slice(found.says.indexOf("cannot"))}`
      : found.says;
    return `without ${found.host}, ${says}`;
  }
}

/**
 * How many more guests of a shape fit; deterministic.
 * @param excused of the same site before a purchase ({@link Fit.excused}): a purchase is judged by what could restart without it
 */
export function fitOf(input: FitsInput, shape: Shape, excused?: ReadonlySet<string>): Fit {
  const byHost = roomOf(input).map((room) => hostFit(room, shape));
  const hosts = seats(byHost);
  const expansion = new Expansion(input, shape, hosts, excused);
  const base = { shape, more: hosts.length, byHost, excused: expansion.excused };
  const already = expansion.stranded(0);
  if (already !== null) return { ...base, safely: 0, says: `not even now: ${already}` };
  // So many go, so many do not: halved until they are neighbours.
  let safely = 0;
  let beyond = hosts.length + 1;
  let reason = fullSentence(byHost);
  for (let middle = hosts.length; beyond - safely > 1; middle = Math.floor((safely + beyond) / 2)) {
    const stranded = expansion.stranded(middle);
    if (stranded === null) safely = middle;
    else {
      beyond = middle;
      reason = `with ${middle}: ${stranded}`;
    }
  }
  return { ...base, safely, says: reason };
}

/** What is used up on which host: why no guest more fits. */
function fullSentence(byHost: readonly HostFit[]): string {
  const WORDS: Readonly<Record<Binding, string>> = {
    memory: "memory",
    processors: "processors",
    both: "memory and processors",
  };
  const groups = Map.groupBy(byHost, ({ binds }) => binds);
  return [...groups]
    .map(([binds, hosts]) => {
      const where = hosts.length > 4 ? `${hosts.length} hosts` : hosts.map(({ host }) => host).join(", ");
      return `${WORDS[binds]} used up first on ${where}`;
    })
    .join("; ");
}

/** The shapes of a site's own guests, the largest first, each with the services that have it. */
export function shapesOf(site: Site): readonly { readonly shape: Shape; readonly services: readonly ServiceName[] }[] {
  const real = site.services.filter((service) => !isReserve(service) && service.memory > 0);
  const groups = Map.groupBy(real, ({ memory, cpus }) => `${memory}/${cpus}`);
  return [...groups.values()]
    .map((services) => ({
      shape: { memory: services[0]!.memory, cpus: services[0]!.cpus },
      services: services.map(({ name }) => name),
    }))
    .sort((a, b) => b.shape.memory - a.shape.memory || b.shape.cpus - a.shape.cpus);
}

export interface AnotherCopy {
  readonly service: ServiceName;
  readonly host: HostName | null;
  /** Where it would go, or every reason why it cannot be. */
  readonly says: string;
}

/** @returns for each service whether one more copy could be had on the hosts there are */
export function anotherCopyOf({ site, inventory, blueprint }: FitsInput): readonly AnotherCopy[] {
  const real = site.services.filter((service) => !isReserve(service));
  const grown = { ...site, services: site.services.map((one) => ({ ...one, copies: one.copies + 1 })) };
  const parent = { id: "" as never, blueprint: { guests: blueprint.guests } as Blueprint };
  const ground = survey({ site: grown, inventory, parent });
  const ledger = new Ledger(ground, (index) => ground.wants[index]!.held?.name ?? ground.wants[index]!.label);
  for (const want of ground.wants)
    if (want.current >= 0 && want.copy < want.service.copies - 1) ledger.put(want.index, want.current);
  return real.map((service) => {
    const { maximum } = STRATEGIES[service.strategy];
    if (service.copies >= maximum)
      return {
        service: service.name,
        host: null,
        says: `${service.strategy} has ${maximum} ${maximum === 1 ? "copy" : "copies"} at most`,
      };
    const want = ground.wants.find((one) => one.service.name === service.name && one.copy === service.copies)!;
    const place = bestPlace(ledger, want, "balance");
    if (place >= 0)
      return { service: service.name, host: ground.places[place]!.name, says: `on ${ground.places[place]!.name}` };
    return { service: service.name, host: null, says: obstacles(ledger, want) };
  });
}

/** Every host's reason; those that the file rules out are said once. */
function obstacles(ledger: Ledger, want: Want): string {
  const said = ledger.ground.places.flatMap((place) => {
    const filter = objection(ledger, want, place);
    return filter && filter.name !== "pinned" ? [filter.says(ledger, want, place)] : [];
  });
  const shown = said.length > 6 ? [...said.slice(0, 5), `and ${said.length - 5} more hosts like that`] : said;
  const pinned = want.service.hosts.length > 0 ? [`the file pins it to ${want.service.hosts.join(", ")}`] : [];
  return [...pinned, ...shown].join("; ");
}
