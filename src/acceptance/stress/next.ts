/**
 * What the next server should be: checked, not guessed. Another copy is asked of the planner with the site's own hosts; where it finds no place, with
 * one more host like the largest. Pure.
 */
import {
  type Blueprint,
  emptyInventory,
  type Host,
  type HostName,
  type Service,
  type ServiceName,
  type Site,
  STRATEGIES,
} from "../../model/index.ts";
import { blueprintId, plan } from "../../planner/index.ts";
import { RECIPES } from "../../recipes/index.ts";
import type { StressPart, TierUse } from "../contract.ts";
import { busiest, GENERATOR, MACHINE, OTHERS } from "./tiers.ts";

/** What to add, in a word. */
export const NEXT: Readonly<Record<StressPart["next"]["add"], string>> = {
  copy: "a copy",
  host: "a host",
  client: "more clients",
  nothing: "nothing",
};

/** Whether one more copy of a service has a place. */
export type Room =
  | { readonly kind: "fits"; readonly host: HostName; readonly moves: number }
  /** Only with one more host, like this one. */
  | { readonly kind: "host"; readonly like: HostName; readonly says: string }
  | { readonly kind: "none"; readonly says: string };

/** @returns where one more copy would go, by the planner's word */
export function roomFor(site: Site, blueprint: Blueprint, name: ServiceName): Room {
  const service = site.services.find((one) => one.name === name);
  if (!service) return { kind: "none", says: `${name} is not in the site file` };
  const { maximum } = STRATEGIES[service.strategy];
  if (service.copies >= maximum) return { kind: "none", says: `${service.strategy} has ${maximum} copies at most` };
  const here = planned(withCopy(site, service), blueprint);
  if (here.ok) return fitting(here, service, blueprint);
  const like = largest(site.hosts);
  // Without the name of a copy that does not exist.
  const why = (here.refusals.at(-1) ?? "it has no place").replace(/^.*?: no host: /, "");
  if (!like) return { kind: "none", says: why };
  const there = planned(withCopy({ ...site, hosts: [...site.hosts, another(like, site.hosts)] }, service), blueprint);
  return there.ok ? { kind: "host", like: like.name, says: why } : { kind: "none", says: why };
}

function planned(site: Site, blueprint: Blueprint) {
  return plan(
    {
      site,
      inventory: emptyInventory({ mariadb: "mariadb" in blueprint.bundles }),
      parent: { id: blueprintId(blueprint), blueprint },
      cause: { by: "person", says: "one more copy" },
      version: Object.values(blueprint.bundles)[0] ?? "",
      loopback: null,
      planOnly: true,
    },
    RECIPES,
  );
}

function withCopy(site: Site, service: Service): Site {
  return {
    ...site,
    services: site.services.map((one) => (one.name === service.name ? { ...one, copies: one.copies + 1 } : one)),
  };
}

function fitting(result: Extract<ReturnType<typeof plan>, { ok: true }>, service: Service, before: Blueprint): Room {
  const known = new Set(before.guests.map(({ name }) => name));
  const copy = result.blueprint.guests.find((guest) => guest.service === service.name && !known.has(guest.name))!;
  return { kind: "fits", host: copy.host, moves: result.changes.filter(({ kind }) => kind === "moved").length };
}

function largest(hosts: readonly Host[]): Host | undefined {
  return hosts.filter(({ spare }) => !spare).sort((a, b) => b.memory - a.memory || b.cpus - a.cpus)[0];
}

/** A host that could be bought: like one there is, in a rack and building of its own. */
function another(like: Host, hosts: readonly Host[]): Host {
  let number = 0;
  while (hosts.some(({ name, prefix }) => name === `new${number}` || prefix === `new${number}x`)) number++;
  const name = `new${number}`;
  return {
    ...like,
    name: name as HostName,
    prefix: `${name}x`,
    address: null,
    rack: name,
    building: name,
    spare: false,
  };
}

export interface NextQuestion {
  readonly service: ServiceName;
  readonly saturated: StressPart["saturated"];
  /** Of the step that says who was full. */
  readonly use: readonly TierUse[];
  readonly room: Room;
}

/** @returns what to add, and why */
export function nextServer(question: NextQuestion): StressPart["next"] {
  const { service, saturated, use } = question;
  switch (saturated.tier) {
    case GENERATOR:
      return {
        add: "client",
        says: `nothing of the site: load generators on further machines, to find out what ${service} can do`,
      };
    case OTHERS:
      return {
        add: "nothing",
        says: `nothing can be said of it while other programs fill this machine: test ${service} again when it is quiet`,
      };
    case MACHINE: {
      const most = busiest(use)?.tier ?? `copies of ${service}`;
      const { add, says } = ofTier(most, question);
      return { add, says: `${says}; judged by who took most of the one machine that all share: ${most}` };
    }
    default:
      return ofTier(saturated.tier, question);
  }
}

function ofTier(tier: string, { service, room }: NextQuestion): StressPart["next"] {
  if (tier === `copies of ${service}`) return anotherCopy(service, room);
  if (tier === "host") return { add: "host", says: "another host: all guests of one together use all its processors" };
  if (tier === "directors")
    return {
      add: "host",
      says: `a host with faster processors for the directors: one of the pair carries every connection, and another copy of ${service} would wait behind it`,
    };
  return {
    add: "host",
    says: `a host with faster processors for the ${tier}: another copy of ${service} would wait for it as well`,
  };
}

function anotherCopy(service: ServiceName, room: Room): StressPart["next"] {
  switch (room.kind) {
    case "fits": {
      const moves = room.moves > 0 ? `, and ${room.moves} other guests make room` : "";
      return { add: "copy", says: `another copy of ${service}; it has a place on ${room.host}${moves}` };
    }
    case "host":
      return {
        add: "host",
        says: `another host like ${room.like} for another copy of ${service}, which has no place: ${room.says}`,
      };
    case "none":
      return {
        add: "nothing",
        says: `nothing helps by itself: no further copy of ${service} is possible (${room.says})`,
      };
  }
}
