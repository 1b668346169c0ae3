/**
 * Who used how much of which processors between two moments: each guest by its host's word, this machine and the load generator by the kernel's. Guests
 * of hosts that do not answer are left out.
 */
import { availableParallelism } from "node:os";
import type { Hypervisor } from "../../hypervisor/index.ts";
import type {
  Blueprint,
  BlueprintAlias,
  BlueprintGuest,
  GuestName,
  HostName,
  ServiceName,
  Site,
} from "../../model/index.ts";
import { directorsOf } from "../../probe/index.ts";
import { type MachineTimes, machineTimes } from "../../world/index.ts";
import type { TierUse } from "../contract.ts";
import type { Subject } from "../subject.ts";
import type { Generators } from "./generators.ts";
import { GENERATOR, MACHINE, OTHERS } from "./tiers.ts";

/** With more guests than this on other machines only those that a call passes are looked at: looking costs as well. */
const MOST_LOOKED_AT = 40;

export interface GuestUse {
  readonly cpuSeconds: number;
  /** Bytes resident. */
  readonly memory: number;
}

export interface Moment {
  /** Milliseconds, of a clock that only goes forward. */
  readonly at: number;
  /** Each as it was at a moment of its own: on a busy machine a host's answer takes its time. */
  readonly guests: ReadonlyMap<GuestName, GuestUse & { readonly at: number }>;
  readonly generator: GuestUse;
  /** Processor seconds of this process. */
  readonly own: number;
  readonly machine: MachineTimes;
}

/** Where things run, as far as figures depend on it. */
export interface Ground {
  readonly site: Site;
  readonly blueprint: Blueprint;
  /** Processors of this machine, and whether the site's hosts are on it. */
  readonly cpus: number;
  readonly shared: boolean;
  readonly generators: number;
}

export class Meter {
  readonly ground: Ground;
  readonly #subject: Subject;
  readonly #generators: Generators;
  readonly #hosts = new Map<HostName, Promise<Hypervisor>>();

  constructor(subject: Subject, generators: Generators, shared: boolean) {
    this.#subject = subject;
    this.#generators = generators;
    const { site, blueprint } = subject;
    this.ground = { site, blueprint, cpus: availableParallelism(), shared, generators: generators.count };
  }

  async look(alias: BlueprintAlias): Promise<Moment> {
    const { blueprint, shared } = this.ground;
    const all = shared || blueprint.guests.length <= MOST_LOOKED_AT;
    const wanted = blueprint.guests.filter((guest) => all || !tierOf(this.ground, alias, guest).startsWith("other"));
    const seen = await Promise.all(
      wanted.map(async ({ name, host }) => {
        try {
          const { cpuSeconds, memory } = await (await this.#hypervisor(host)).statistics(name);
          return [[name, { cpuSeconds, memory, at: performance.now() }] as const];
        } catch {
          // Perhaps its host's supervisor has been started anew: the next look connects again.
          this.#hosts.delete(host);
          return [];
        }
      }),
    );
    const { user, system } = process.cpuUsage();
    return {
      at: performance.now(),
      guests: new Map(seen.flat()),
      generator: this.#generators.use(),
      own: (user + system) / 1e6,
      machine: machineTimes(),
    };
  }

  #hypervisor(host: HostName): Promise<Hypervisor> {
    const known = this.#hosts.get(host) ?? this.#subject.hypervisor(host);
    this.#hosts.set(host, known);
    known.catch(() => this.#hosts.delete(host));
    return known;
  }
}

/** @returns what a service needs to answer, directly or not */
export function neededBy(site: Site, name: ServiceName): ReadonlySet<ServiceName> {
  const found = new Set<ServiceName>();
  const follow = (one: ServiceName): void => {
    for (const need of site.services.find((service) => service.name === one)?.needs ?? []) {
      if (found.has(need)) continue;
      found.add(need);
      follow(need);
    }
  };
  follow(name);
  return found;
}

/** @returns the tier of a guest, for calls through this alias */
export function tierOf(
  { site, blueprint }: Pick<Ground, "site" | "blueprint">,
  alias: BlueprintAlias,
  guest: BlueprintGuest,
): string {
  if (guest.service === alias.service) return `copies of ${alias.service}`;
  if (directorsOf(blueprint).some(({ name }) => name === guest.name)) return "directors";
  if (!neededBy(site, alias.service).has(guest.service)) return "other services";
  const service = site.services.find(({ name }) => name === guest.service);
  return service?.recipe === "mysql" ? "database" : `copies of ${guest.service}`;
}

/** @returns processors a guest may use: a program of the house uses one, those of others as many as there are */
export function processorsOf({ site, cpus, shared }: Ground, { service, definition }: BlueprintGuest): number {
  const { program } = definition;
  const second = site.services.find(({ name }) => name === service)?.also ? 1 : 0;
  const known = program.kind === "bundle" && program.bundle !== "mariadb" ? 1 + second : definition.cpus;
  return Math.min(definition.cpus, known, shared ? cpus : Number.POSITIVE_INFINITY);
}

/** @returns what everybody used between two moments; rows in the order in which a call passes, then hosts, then this machine */
export function usesBetween(ground: Ground, alias: BlueprintAlias, before: Moment, after: Moment): readonly TierUse[] {
  const rate = (from: number, to: number, [since, until]: readonly [number, number] = [before.at, after.at]): number =>
    Math.round((Math.max(0, to - from) / Math.max(0.001, (until - since) / 1000)) * 1000) / 1000;
  const guests = ground.blueprint.guests.flatMap((guest) => {
    const [old, young] = [before.guests.get(guest.name), after.guests.get(guest.name)];
    if (!old || !young) return [];
    const processors = rate(old.cpuSeconds, young.cpuSeconds, [old.at, young.at]);
    return [{ guest, tier: tierOf(ground, alias, guest), processors, memory: young.memory }];
  });
  const rows = guests
    .filter(({ tier }) => tier !== "other services")
    .map(({ guest, tier, processors, memory }) => ({
      name: guest.name as string,
      tier,
      processors,
      of: processorsOf(ground, guest),
      memory,
    }));
  const order = ["directors", `copies of ${alias.service}`];
  const place = ({ tier }: TierUse): number => (order.indexOf(tier) + order.length + 1) % (order.length + 1);
  const others = guests.filter(({ tier }) => tier === "other services");
  const sum = (list: readonly { readonly processors: number }[]): number =>
    Math.round(list.reduce((all, { processors }) => all + processors, 0) * 1000) / 1000;
  const generator = rate(before.generator.cpuSeconds, after.generator.cpuSeconds);
  const busy = rate(before.machine.busy, after.machine.busy);
  const ours = rate(before.own, after.own) + generator + (ground.shared ? sum(guests) : 0);
  return [
    { name: GENERATOR, tier: GENERATOR, processors: generator, of: ground.generators, memory: after.generator.memory },
    ...rows.sort((a, b) => place(a) - place(b)),
    ...(others.length === 0
      ? []
      : [
          {
            name: `${others.length} guests`,
            tier: "other services",
            processors: sum(others),
            of: others.reduce((all, { guest }) => all + processorsOf(ground, guest), 0),
            memory: others.reduce((all, { memory }) => all + memory, 0),
          },
        ]),
    ...hostRows(ground, guests),
    { name: "this machine", tier: MACHINE, processors: Math.min(busy, ground.cpus), of: ground.cpus, memory: null },
    {
      name: OTHERS,
      tier: OTHERS,
      processors: Math.max(0, Math.round((busy - ours) * 1000) / 1000),
      of: ground.cpus,
      memory: null,
    },
  ];
}

/** What all guests of a host used together. Hosts that share this machine have no processors but its own. */
function hostRows(
  { site, shared, cpus: here }: Ground,
  guests: readonly { readonly guest: BlueprintGuest; readonly processors: number; readonly memory: number }[],
): readonly TierUse[] {
  return site.hosts.flatMap(({ name, cpus }) => {
    const own = guests.filter(({ guest }) => guest.host === name);
    if (own.length === 0) return [];
    return [
      {
        name,
        tier: "host",
        processors: Math.round(own.reduce((all, { processors }) => all + processors, 0) * 1000) / 1000,
        of: shared ? Math.min(cpus, here) : cpus,
        memory: own.reduce((all, { memory }) => all + memory, 0),
      },
    ];
  });
}

/** @returns share of this machine's processors that rested between two moments, 0 to 1 */
export function idleBetween(before: Moment, after: Moment): number {
  const idle = after.machine.idle - before.machine.idle;
  const all = idle + after.machine.busy - before.machine.busy;
  return all <= 0 ? 1 : Math.min(1, Math.max(0, idle / all));
}
