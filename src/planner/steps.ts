/**
 * The steps that make a Blueprint true, as a graph: what must be done before what, and how to see that it is done already. The same
 * placement always gives the same steps, whether something of it exists or not, because every step is a check first.
 *
 * A guest that goes elsewhere is retired where it was before it is defined where it will be: it occupies no memory in between, so plans
 * never need parking (live migration does: see `sequence.ts`). Copies of one service are replaced one at a time; where that would make
 * two guests wait for each other's memory, memory wins and the copies overlap.
 */
import {
  type Blueprint,
  type BlueprintAlias,
  type BlueprintGuest,
  type GuestName,
  type HostName,
  type InventoryGuest,
  type Service,
  type ServiceName,
  STEP_KINDS,
  type Step,
  type StepId,
  type StepKind,
} from "../model/index.ts";
import { directorsOf, isReserve, type Place } from "./ground.ts";
import { byCodeUnit } from "./order.ts";
import { guestDigest, redefined } from "./render.ts";

export interface StepsInput {
  readonly services: readonly Service[];
  readonly places: readonly Place[];
  readonly guests: readonly BlueprintGuest[];
  readonly aliases: readonly BlueprintAlias[];
  readonly bundles: Readonly<Record<string, string>>;
  readonly before: Blueprint | null;
  readonly observed: readonly InventoryGuest[];
}

/** A guest that must go from a host, because it is no longer wanted there or must be made anew. */
interface Retirement {
  readonly guest: GuestName;
  readonly host: HostName;
  readonly memory: number;
  /** What must have it gone before it is defined again; `null` when nothing waits. */
  readonly successor: BlueprintGuest | null;
}

const ID = {
  prepare: (host: string) => `host.prepare:${host}` as StepId,
  retire: (guest: string, host: string) => `guest.retire:${guest}@${host}` as StepId,
  define: (guest: string) => `guest.define:${guest}` as StepId,
  start: (guest: string) => `guest.start:${guest}` as StepId,
  ready: (guest: string) => `guest.ready:${guest}` as StepId,
  alias: (alias: string) => `alias.ready:${alias}` as StepId,
};

const CHECKS: Readonly<Record<StepKind, (what: string, host: string) => string>> = {
  "host.prepare": (_, host) => `${host} answers`,
  "guest.retire": (guest, host) => `${guest} is not known to ${host}`,
  "guest.define": (guest, host) => `${host} holds the definition, files and secrets of ${guest}`,
  "guest.start": (guest, host) => `${guest} runs on ${host}`,
  "guest.stop": (guest, host) => `${guest} does not run on ${host}`,
  "guest.ready": (guest) => `${guest} answers its probe`,
  "alias.ready": (alias) => `the alias ${alias} answers`,
  "host.release": (_, host) => `nothing of ${host} runs`,
};

function runs(guest: BlueprintGuest): boolean {
  return guest.definition.program.kind !== "none";
}

/** @returns who must be retired where: what was planned or is seen and does not belong there as it is. */
function retirements(input: StepsInput): readonly Retirement[] {
  const wanted = new Map(input.guests.filter(runs).map((guest) => [guest.name, guest]));
  const versions = { before: input.before?.bundles ?? {}, after: input.bundles };
  const list = new Map<string, Retirement>();
  const old = new Map<string, BlueprintGuest>();
  for (const guest of input.before?.guests ?? []) {
    old.set(guest.name, guest);
    if (!runs(guest)) continue;
    const next = wanted.get(guest.name) ?? null;
    if (next && next.host === guest.host && !redefined(guest, next, versions)) continue;
    list.set(ID.retire(guest.name, guest.host), {
      guest: guest.name,
      host: guest.host,
      memory: guest.definition.memory,
      successor: next,
    });
  }
  for (const seen of input.observed) {
    const id = ID.retire(seen.name, seen.host);
    const next = wanted.get(seen.name) ?? null;
    // What is seen counts, whatever the Blueprint in force says: the run that should have made it so may have been killed.
    if (list.has(id)) continue;
    if (next && next.host === seen.host && guestDigest(next, input.bundles) === seen.digest) continue;
    const memory = old.get(seen.name)?.definition.memory ?? next?.definition.memory ?? 0;
    list.set(id, { guest: seen.name, host: seen.host, memory, successor: next });
  }
  return [...list.values()].sort((a, b) => byCodeUnit(a.guest, b.guest) || byCodeUnit(a.host, b.host));
}

/** @returns the steps, each after everything it waits for. */
export function stepsOf(input: StepsInput): readonly Step[] {
  const { guests, aliases, services } = input;
  const reachable = new Map(input.places.map((place) => [place.name, place.reachable]));
  const goes = retirements(input);
  const after = new Map<StepId, StepId[]>();
  const steps: Omit<Step, "after">[] = [];
  const add = (
    id: StepId,
    kind: StepKind,
    on: Partial<Pick<Step, "guest" | "host" | "alias">>,
    waits: readonly StepId[],
  ): void => {
    const what = on.alias ?? on.guest ?? "";
    const check = CHECKS[kind](what, on.host ?? "");
    steps.push({
      id,
      kind,
      guest: on.guest ?? null,
      host: on.host ?? null,
      alias: on.alias ?? null,
      check,
      undo: STEP_KINDS[kind].undo,
    });
    after.set(id, [...new Set(waits)]);
  };

  const inUse = new Set<HostName>([...guests.map((guest) => guest.host), ...goes.map((one) => one.host)]);
  const inFile = input.places.map((place) => place.name).filter((name) => inUse.delete(name));
  for (const host of [...inFile, ...[...inUse].sort(byCodeUnit)]) add(ID.prepare(host), "host.prepare", { host }, []);
  for (const one of goes) {
    add(ID.retire(one.guest, one.host), "guest.retire", { guest: one.guest, host: one.host }, [ID.prepare(one.host)]);
  }
  const retired = Map.groupBy(goes, (one) => one.guest);
  const waitsFor = needsOf(services, guests, aliases, reachable);
  for (const guest of guests.filter(runs)) {
    const own = (retired.get(guest.name) ?? []).filter((one) => holdsBack(one, guest, reachable.get(one.host)));
    const on = { guest: guest.name, host: guest.host };
    add(ID.define(guest.name), "guest.define", on, [
      ID.prepare(guest.host),
      ...own.map((one) => ID.retire(one.guest, one.host)),
    ]);
    add(ID.start(guest.name), "guest.start", on, [ID.define(guest.name), ...waitsFor(guest.service)]);
    add(ID.ready(guest.name), "guest.ready", on, [ID.start(guest.name)]);
  }
  const directors = directorsOf(services);
  const copies = Map.groupBy(guests.filter(runs), (guest) => guest.service);
  for (const alias of aliases) {
    const held = directors && directors.name !== alias.service ? (copies.get(directors.name) ?? []) : [];
    const waits = [...standing(held, reachable), ...standing(copies.get(alias.service) ?? [], reachable)];
    add(
      ID.alias(alias.name),
      "alias.ready",
      { alias: alias.name },
      waits.map((guest) => ID.ready(guest.name)),
    );
  }
  const tight = waitForMemory(input, goes, after);
  oneAtATime(copies, retired, after, tight);
  return inOrder(steps, after);
}

/**
 * Must the old one be gone before the new one is made? Where its host answers, always. Where the host is silent, nothing that keeps data
 * may start twice, so it waits for the fence; what keeps none goes on. A host that left the site file is gone by a person's word.
 */
function holdsBack(one: Retirement, next: BlueprintGuest, reachable: boolean | undefined): boolean {
  if (one.host === next.host || reachable === true) return true;
  return reachable === false && next.definition.data !== "none";
}

/** Of these guests those that can be expected to answer; all of them when none can. */
function standing(
  guests: readonly BlueprintGuest[],
  reachable: ReadonlyMap<HostName, boolean>,
): readonly BlueprintGuest[] {
  const up = guests.filter((guest) => reachable.get(guest.host) !== false);
  return up.length > 0 ? up : guests;
}

/** What each service's guests wait for before they start: the aliases of what they need, or its copies where there is none. */
function needsOf(
  services: readonly Service[],
  guests: readonly BlueprintGuest[],
  aliases: readonly BlueprintAlias[],
  reachable: ReadonlyMap<HostName, boolean>,
): (service: ServiceName) => readonly StepId[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  // What is needed of a service is what stands behind its own alias, the first; a second program is nobody's need.
  const aliasOf = new Map(aliases.map((alias) => [alias.service, alias] as const).reverse());
  const copies = Map.groupBy(guests, (guest) => guest.service);
  const directors = directorsOf(services);
  const known = new Map<ServiceName, readonly StepId[]>();
  return (name) => {
    const before = known.get(name);
    if (before) return before;
    // Directors hold no needs: an alias they carry may be one of them.
    const needs = name === directors?.name ? [] : (byName.get(name)?.needs ?? []);
    const waits = needs.flatMap((need): StepId[] => {
      const alias = aliasOf.get(need);
      const needed = byName.get(need);
      if (!needed || isReserve(needed)) return [];
      return alias
        ? [ID.alias(alias.name)]
        : standing(copies.get(need) ?? [], reachable).map((guest) => ID.ready(guest.name));
    });
    known.set(name, waits);
    return waits;
  };
}

/** Where old and new guests do not fit together, the new ones start after the old ones are gone. @returns whether any has to. */
function waitForMemory(input: StepsInput, goes: readonly Retirement[], after: Map<StepId, StepId[]>): boolean {
  let tight = false;
  const leaving = Map.groupBy(goes, (one) => one.host);
  if (leaving.size === 0) return tight;
  const here = Map.groupBy(input.guests.filter(runs), (guest) => guest.host);
  for (const place of input.places) {
    const leavers = leaving.get(place.name) ?? [];
    if (leavers.length === 0) continue;
    const was = new Map(leavers.map((one) => [one.guest, one.memory]));
    let together = 0;
    for (const guest of here.get(place.name) ?? [])
      together += Math.max(guest.definition.memory, was.get(guest.name) ?? 0);
    for (const one of leavers) if (one.successor?.host !== place.name) together += one.memory;
    if (together <= place.memory) continue;
    const known = new Set(input.before?.guests.filter((guest) => guest.host === place.name).map((guest) => guest.name));
    for (const guest of here.get(place.name) ?? []) {
      const grows =
        !known.has(guest.name) || guest.definition.memory > (was.get(guest.name) ?? guest.definition.memory);
      if (!grows) continue;
      const start = after.get(ID.start(guest.name))!;
      for (const one of leavers) {
        const id = ID.retire(one.guest, one.host);
        if (one.guest !== guest.name && !start.includes(id)) start.push(id);
      }
      tight = true;
    }
  }
  return tight;
}

/** The next copy of a service is retired only when the one before it answers again, unless that would be waiting in a circle. */
function oneAtATime(
  copies: ReadonlyMap<ServiceName, readonly BlueprintGuest[]>,
  retired: ReadonlyMap<GuestName, readonly Retirement[]>,
  after: Map<StepId, StepId[]>,
  tight: boolean,
): void {
  for (const guests of copies.values()) {
    const replaced = guests.filter((guest) => retired.has(guest.name)).sort((a, b) => a.copy - b.copy);
    replaced.forEach((guest, index) => {
      const previous = replaced[index - 1];
      if (!previous) return;
      const ready = ID.ready(previous.name);
      for (const one of retired.get(guest.name)!) {
        const id = ID.retire(one.guest, one.host);
        if (tight && leadsTo(ready, id, after)) continue;
        after.get(id)!.push(ready);
      }
    });
  }
}

/** Does `from` wait, over any number of steps, for `target`? */
function leadsTo(from: StepId, target: StepId, after: ReadonlyMap<StepId, readonly StepId[]>): boolean {
  const seen = new Set<StepId>([from]);
  for (const id of seen) {
    if (id === target) return true;
    for (const next of after.get(id) ?? []) seen.add(next);
  }
  return false;
}

/** Every step after what it waits for, otherwise as they were made. */
function inOrder(
  steps: readonly Omit<Step, "after">[],
  after: ReadonlyMap<StepId, readonly StepId[]>,
): readonly Step[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const done = new Set<StepId>();
  const ordered: Step[] = [];
  const opened = new Set<StepId>();
  for (const { id: root } of steps) {
    const stack: StepId[] = [root];
    while (stack.length > 0) {
      const id = stack.at(-1)!;
      const open = (after.get(id) ?? []).filter((one) => !done.has(one));
      if (open.length > 0 && !done.has(id)) {
        if (opened.has(id)) throw new Error(`steps wait in a circle at ${id}`);
        opened.add(id);
        stack.push(...open.reverse());
        continue;
      }
      stack.pop();
      if (done.has(id)) continue;
      done.add(id);
      ordered.push({ ...byId.get(id)!, after: after.get(id)! });
    }
  }
  return ordered;
}
