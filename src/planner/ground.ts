/**
 * What stands before any choice is made: the hosts with the room they give, and the guests that are wanted. Numbers and indices instead
 * of names, because placement asks about them ten million times on a large site.
 */
import {
  type BlueprintGuest,
  type FailureDomain,
  type Host,
  type HostName,
  type Service,
  STRATEGIES,
} from "../model/index.ts";
import type { PlanInput } from "./contract.ts";

/** A host as placement sees it. */
export interface Place {
  readonly index: number;
  readonly host: Host;
  readonly name: HostName;
  /** Bytes for guests: what exists, without the host's own reserve, times the overcommit the file allows. */
  readonly memory: number;
  /** Guest CPUs at most: the host's CPUs times the ratio. */
  readonly cpus: number;
  readonly reachable: boolean;
  readonly spare: boolean;
  /** Keys of the failure domains; hosts that do not state one share one, since nobody can say that they are apart. */
  readonly domains: Readonly<Record<FailureDomain, string>>;
  /** The same as numbers: equal keys have equal numbers. Placement compares them some ten million times. */
  readonly zones: Readonly<Record<FailureDomain, number>>;
  /** Does the file state this domain? Unknown racks are not apart, but neither are they worth a penalty. */
  readonly stated: Readonly<Record<FailureDomain, boolean>>;
}

/** One guest that is wanted: a copy of a service. */
export interface Want {
  readonly index: number;
  readonly service: Service;
  readonly serviceIndex: number;
  readonly copy: number;
  readonly memory: number;
  readonly cpus: number;
  readonly disk: number;
  /** How sentences call it before it has a name: `saz copy 1`. */
  readonly label: string;
  /** The same copy in the Blueprint in force. */
  readonly held: BlueprintGuest | null;
  /** Index of the host it is on now; -1 when it is new or its host left the site file. */
  readonly current: number;
  /** What it writes is nowhere else, so it cannot go elsewhere. */
  readonly anchored: boolean;
}

export interface Ground {
  readonly places: readonly Place[];
  readonly wants: readonly Want[];
  /** Indices of wants by index of service, in copy order. */
  readonly copies: readonly (readonly number[])[];
  /** A host is unreachable, so hosts kept spare and places kept empty may be used. */
  readonly sparesOpen: boolean;
}

/** @returns the hosts of a site with the room they give; the smaller of declared and found counts. */
export function surveyHosts(site: PlanInput["site"], inventory: PlanInput["inventory"]): readonly Place[] {
  const found = new Map(inventory.hosts.map((host) => [host.name, host]));
  const numbers = new Map<string, number>();
  const zone = (key: string): number => {
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  };
  return site.hosts.map((host, index) => {
    const seen = found.get(host.name);
    const memory = Math.min(host.memory, seen?.memory ?? Number.POSITIVE_INFINITY) - host.reserve;
    const cpus = Math.min(host.cpus, seen?.cpus ?? Number.POSITIVE_INFINITY);
    const building = host.building ?? "?";
    return {
      index,
      host,
      name: host.name,
      memory: Math.max(0, Math.floor(memory * site.rules.memoryOvercommit)),
      cpus: Math.max(0, cpus * site.rules.cpuRatio),
      reachable: seen?.state !== "unreachable",
      spare: host.spare,
      domains: { host: host.name, rack: `${building}/${host.rack ?? "?"}`, building },
      zones: {
        host: index,
        rack: zone(`rack ${building}/${host.rack ?? "?"}`),
        building: zone(`building ${building}`),
      },
      stated: { host: true, rack: host.rack !== null, building: host.building !== null },
    };
  });
}

/** @returns hosts and wanted guests of a plan, in the order of the site file. */
export function survey(input: Pick<PlanInput, "site" | "inventory" | "parent">): Ground {
  const places = surveyHosts(input.site, input.inventory);
  const indexOf = new Map(places.map((place) => [place.name, place.index]));
  const sparesOpen = places.some((place) => !place.reachable);
  const held = new Map<string, BlueprintGuest>();
  for (const guest of input.parent?.blueprint.guests ?? []) held.set(`${guest.service}/${guest.copy}`, guest);
  // A place kept empty is there for the day a host is lost: on that day it takes no room.
  const yields = (service: Service): boolean => sparesOpen && isReserve(service);
  const wants: Want[] = [];
  const copies = input.site.services.map((service, serviceIndex) =>
    Array.from({ length: service.copies }, (_, copy) => {
      const before = held.get(`${service.name}/${copy}`) ?? null;
      const index = wants.length;
      wants.push({
        index,
        service,
        serviceIndex,
        copy,
        memory: yields(service) ? 0 : service.memory,
        cpus: yields(service) ? 0 : service.cpus,
        disk: service.disk,
        label: `${service.name} copy ${copy}`,
        held: before,
        current: before ? (indexOf.get(before.host) ?? -1) : -1,
        anchored: before?.definition.data === "local",
      });
      return index;
    }),
  );
  return { places, wants, copies, sparesOpen };
}

/** Is this service a reserved, empty place: something that answers nothing and is never started? */
export function isReserve(service: Service): boolean {
  return STRATEGIES[service.strategy].quorum === "none";
}

/** The service whose copies are the directors, when the site has a front end. */
export function directorsOf(services: readonly Service[]): Service | null {
  return services.find((service) => service.recipe === "lvs") ?? null;
}
