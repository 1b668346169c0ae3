/**
 * N+1: each host is lost in turn, and each service says what is left of it. A copy that holds what its service needs must survive, what it
 * needs must answer (transitively), and behind an alias a director must survive. Hosts that are unreachable now count as lost already:
 * a proof that forgets them comforts and lies. Racks and buildings are lost too, for the services that ask to be apart by them.
 *
 * Incremental: losing a host changes only the services with a copy on it and those that need them. On sites of more than
 * `EVERY_SERVICE_LISTED` hosts only those are listed, because hosts times services is a list nobody reads.
 */
import type { FailureDomain, HostName, Proof, Service, ServiceName, Survival } from "../model/index.ts";
import type { Seat } from "../recipes/index.ts";
import { directorsOf, isReserve, type Place } from "./ground.ts";
import type { ProofInput } from "./proof-input.ts";
import { proveRestarts } from "./restarts.ts";

/** Up to this many hosts the proof lists every service for every host. */
export const EVERY_SERVICE_LISTED = 64;

interface Verdict {
  readonly outcome: Survival;
  readonly says: string;
}

/** What the losses of one case do to services, worked out from a table of what each service is. */
class Aftermath {
  readonly #input: ProofInput;
  readonly #services: ReadonlyMap<ServiceName, Service>;
  readonly #copies = new Map<ServiceName, Seat[]>();
  readonly #holders = new Map<ServiceName, readonly Seat[]>();
  readonly #directors: Service | null;
  readonly dependents = new Map<ServiceName, Service[]>();

  constructor(input: ProofInput) {
    this.#input = input;
    const real = input.site.services.filter((service) => !isReserve(service));
    this.#services = new Map(real.map((service) => [service.name, service]));
    for (const guest of input.guests) {
      if (!this.#services.has(guest.service)) continue;
      const copies = this.#copies.get(guest.service) ?? [];
      copies.push({
        name: guest.name,
        service: guest.service,
        host: guest.host,
        address: guest.address,
        copy: guest.copy,
      });
      this.#copies.set(guest.service, copies);
    }
    for (const [name, copies] of this.#copies) {
      copies.sort((a, b) => a.copy - b.copy);
      const recipe = input.recipes.get(this.#services.get(name)!.recipe);
      this.#holders.set(name, recipe?.holders(input.database, copies) ?? copies);
    }
    this.#directors = directorsOf(real);
    for (const service of real) {
      const needs = [...service.needs, ...(service.alias && this.#directors ? [this.#directors.name] : [])];
      for (const need of needs) this.dependents.set(need, [...(this.dependents.get(need) ?? []), service]);
    }
  }

  copiesOf(service: ServiceName): readonly Seat[] {
    return this.#copies.get(service) ?? [];
  }

  /** What is left of one service; `known` holds what is worked out already, and is added to. */
  judge(service: Service, lost: (host: HostName) => boolean, known: Map<ServiceName, Verdict>): Verdict {
    const before = known.get(service.name);
    if (before) return before;
    const verdict = this.#judge(service, lost, known);
    known.set(service.name, verdict);
    return verdict;
  }

  #judge(service: Service, lost: (host: HostName) => boolean, known: Map<ServiceName, Verdict>): Verdict {
    const copies = this.copiesOf(service.name);
    const left = copies.filter((seat) => !lost(seat.host));
    if (left.length === 0) {
      return { outcome: "lost", says: copies.length === 1 ? "its only copy is gone" : "all its copies are gone" };
    }
    const holders = (this.#holders.get(service.name) ?? copies).filter((seat) => !lost(seat.host));
    if (holders.length === 0) {
      const were = (this.#holders.get(service.name) ?? []).map((seat) => `${seat.name} on ${seat.host}`).join(", ");
      return { outcome: "lost", says: `what it keeps is held by ${were} alone` };
    }
    const named = holders.map((seat) => `${seat.name} on ${seat.host}`);
    const stands = named.length > 4 ? `${named.slice(0, 4).join(", ")} and ${named.length - 4} more` : named.join(", ");
    if (service.alias && this.#directors && service !== this.#directors) {
      if (this.judge(this.#directors, lost, known).outcome !== "answers") {
        return { outcome: "lost", says: `${stands} would answer, but no director holds its alias` };
      }
    }
    for (const need of service.needs) {
      const needed = this.#services.get(need);
      if (!needed) continue;
      const { outcome } = this.judge(needed, lost, known);
      if (outcome === "answers") continue;
      const without = this.#input.recipes.get(service.recipe)?.withoutNeeds ?? "lost";
      const gone = outcome === "lost" ? `${need} is lost` : `${need} reads only`;
      const then = { answers: "goes on without it", "read-only": "goes on reading", lost: "cannot go on" }[without];
      if (without !== "answers") return { outcome: without, says: `${stands} ${then}: ${gone}` };
    }
    return { outcome: "answers", says: `${stands} ${left.length === copies.length ? "is not touched" : "goes on"}` };
  }

  /** Services whose verdict may change when these hosts are lost: those with a copy there, and whatever needs them. */
  touched(hosted: readonly ServiceName[], skip: (service: ServiceName) => boolean): ReadonlySet<ServiceName> {
    const touched = new Set(hosted);
    for (const name of touched) {
      if (skip(name)) continue;
      for (const dependent of this.dependents.get(name) ?? []) touched.add(dependent.name);
    }
    return touched;
  }
}

/** @returns what each lost host means for each service, and which guests could restart where. */
export function prove(input: ProofInput): { readonly proof: Proof; readonly warnings: readonly string[] } {
  const { site, places, guests } = input;
  const services = site.services.filter((service) => !isReserve(service));
  const aftermath = new Aftermath(input);
  const down = new Set(places.filter((place) => !place.reachable).map((place) => place.name));
  const hostedOn = new Map<HostName, Set<ServiceName>>();
  for (const guest of guests) {
    const hosted = hostedOn.get(guest.host) ?? new Set<ServiceName>();
    hosted.add(guest.service);
    hostedOn.set(guest.host, hosted);
  }
  const calm = new Map<ServiceName, Verdict>();
  for (const service of services) aftermath.judge(service, (host) => down.has(host), calm);
  const besides = (gone: (host: HostName) => boolean): string => {
    const others = [...down].filter((host) => !gone(host));
    return others.length > 0 ? ` (and ${others.join(", ")}, unreachable already)` : "";
  };
  const entries: Proof["services"][number][] = [];
  const warnings: string[] = [];
  const everything = places.length <= EVERY_SERVICE_LISTED;
  const names = new Set(services.map((service) => service.name));
  const byName = new Map(services.map((service) => [service.name, service]));
  let survives = services.every((service) => calm.get(service.name)!.outcome === "answers");

  for (const place of places) {
    const lost = (host: HostName): boolean => host === place.name || down.has(host);
    const hosted = [...(hostedOn.get(place.name) ?? [])].filter((name) => names.has(name));
    const known = new Map<ServiceName, Verdict>();
    // A service with a copy here that keeps its outcome changes nothing for those that need it: they keep theirs.
    const still = (name: ServiceName): boolean =>
      aftermath.judge(byName.get(name)!, lost, known).outcome === calm.get(name)!.outcome;
    const touched = aftermath.touched(hosted, still);
    for (const service of everything ? services : services.filter((one) => touched.has(one.name))) {
      const verdict = touched.has(service.name) ? aftermath.judge(service, lost, known) : calm.get(service.name)!;
      if (verdict.outcome !== "answers") survives = false;
      const changed = verdict.outcome !== calm.get(service.name)!.outcome;
      if (!everything && !changed && !hosted.includes(service.name)) continue;
      entries.push({
        name: service.name,
        host: place.name,
        outcome: verdict.outcome,
        says: `without ${place.name}${besides((host) => host === place.name)}: ${service.name} ${WORDS[verdict.outcome]}: ${verdict.says}`,
      });
    }
  }
  for (const service of services) {
    const now = calm.get(service.name)!;
    if (now.outcome !== "answers")
      warnings.push(`${service.name} ${WORDS[now.outcome]} even with every reachable host up: ${now.says}`);
  }
  proveDomains(input, aftermath, services, down, besides, entries, warnings);
  const { restarts, warnings: cramped } = proveRestarts(input);
  return {
    proof: { survivesAnyOneHost: survives, services: entries, restarts },
    warnings: [...warnings, ...cramped],
  };
}

const WORDS: Readonly<Record<Survival, string>> = {
  answers: "answers",
  "read-only": "answers reads only",
  lost: "is lost",
};

/** Racks and buildings lost whole, for the services that ask to be apart by them; `host` is then `rack A`. */
function proveDomains(
  input: ProofInput,
  aftermath: Aftermath,
  services: readonly Service[],
  down: ReadonlySet<HostName>,
  besides: (gone: (host: HostName) => boolean) => string,
  entries: Proof["services"][number][],
  warnings: string[],
): void {
  for (const apart of ["rack", "building"] satisfies FailureDomain[]) {
    const asking = services.filter((service) => service.apart === apart);
    if (asking.length === 0) continue;
    const members = new Map<string, Place[]>();
    for (const place of input.places) {
      if (place.stated[apart]) members.set(place.domains[apart], [...(members.get(place.domains[apart]) ?? []), place]);
    }
    for (const [key, places] of members) {
      const gone = new Set([...places.map((place) => place.name), ...down]);
      const label = `${apart} ${apart === "rack" ? key.replace(/^\?\//, "") : key}`;
      const known = new Map<ServiceName, Verdict>();
      for (const service of asking) {
        const verdict = aftermath.judge(service, (host) => gone.has(host), known);
        const hosted = aftermath
          .copiesOf(service.name)
          .some((seat) => places.some((place) => place.name === seat.host));
        if (verdict.outcome === "answers" && !hosted && input.places.length > EVERY_SERVICE_LISTED) continue;
        const says = `without ${label}${besides((host) => places.some((place) => place.name === host))}: ${service.name} ${WORDS[verdict.outcome]}: ${verdict.says}`;
        entries.push({ name: service.name, host: label as HostName, outcome: verdict.outcome, says });
        if (verdict.outcome !== "answers") warnings.push(says);
      }
    }
  }
}
