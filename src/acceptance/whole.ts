/**
 * Is a site whole? Not only: does it answer; everything that was there before a kill is there again, so that the next kill meets what people
 * planned. Pure: one rule over what was seen.
 */
import type { SiteObservation } from "../controller/index.ts";
import { type Blueprint, type DirectorStatus, hasAll, type Position, parsePosition } from "../model/index.ts";
import { type DatabaseSighting, directorsOf } from "../probe/index.ts";
import { runs } from "./failover/victims.ts";

export interface View {
  readonly blueprint: Blueprint;
  readonly seen: SiteObservation;
  readonly directors: readonly DirectorStatus[];
  readonly databases: readonly DatabaseSighting[];
  /** What servers had some moments ago: who is caught up has all of it now. */
  readonly mark: readonly Position[];
  /** Doors at which nobody answers. */
  readonly shut: readonly { readonly door: string; readonly says: string }[];
}

/** Something that is not as it should be, in one sentence. */
export interface Missing {
  /** Guest, host or alias. */
  readonly about: string;
  readonly says: string;
  /** The guest itself does not run or answer: no word of somebody else's about it. */
  readonly down?: true;
}

/** Seconds behind its upstream at which a server that gets writes all the time still counts as caught up. */
const LAG = 1;

/** @returns what is missing, the causes before what follows from them; nothing when the site is whole */
export function missingOf(view: View): readonly Missing[] {
  return [...hosts(view), ...guests(view), ...directors(view), ...databases(view), ...doors(view)];
}

function hosts({ blueprint, seen }: View): readonly Missing[] {
  const used = new Set(blueprint.guests.filter(runs).map(({ host }) => host));
  return seen.hosts
    .filter(({ name, state }) => used.has(name) && state !== "up")
    .map(({ name, says }) => ({ about: name, says }));
}

function guests({ seen }: View): readonly Missing[] {
  return seen.guests.flatMap(({ guest, status, probe }) => {
    if (!runs(guest)) return [];
    const about = guest.name;
    if (status === null) return [{ about, says: `${about} is not known to its host` }];
    if (status.state !== "running") {
      const says = `${about} does not run (${[status.state, status.lastEnd].filter(Boolean).join(": ")})`;
      return [{ about, says, down: true }];
    }
    if (probe.outcome === "answers") return [];
    if (probe.outcome === "read-only") return [{ about, says: `${about} reads only: ${probe.says}` }];
    return [{ about, says: `${about} does not answer: ${probe.says}`, down: true }];
  });
}

function directors({ blueprint, directors: said }: View): readonly Missing[] {
  const all = directorsOf(blueprint);
  if (all.length === 0) return [];
  const silent = all
    .filter(({ name }) => !said.some(({ guest }) => guest === name))
    .map(({ name }) => ({ about: name, says: `director ${name} does not say how it is` }));
  const active = said.filter(({ role }) => role === "active");
  const roles =
    active.length === 1
      ? said
          .filter(({ role }) => role !== "active" && role !== "standby")
          .map(({ guest, role }) => ({ about: guest, says: `director ${guest} is ${role}, not yet a standby` }))
      : [{ about: all[0]!.service, says: `${active.length} directors are active, one should be` }];
  const alone = said
    .filter(({ peer }) => peer !== null && peer.state !== "alive")
    .map(({ guest, peer }) => ({
      about: guest,
      says: `director ${guest} does not hear ${peer!.guest}: ${peer!.state}`,
    }));
  const loose = active.flatMap(({ guest, aliases }) =>
    aliases
      .filter(({ held }) => !held)
      .map(({ name, says }) => ({ about: name, says: `director ${guest} does not hold ${name}: ${says}` })),
  );
  const copies = said.flatMap(({ guest, aliases }) =>
    aliases.flatMap(({ name, copies }) =>
      copies
        .filter(({ state }) => state !== "up")
        .map((copy) => ({
          about: copy.guest,
          says: `director ${guest} sees ${copy.guest} of ${name} ${copy.state}: ${copy.says}`,
        })),
    ),
  );
  return [...silent, ...roles, ...alone, ...loose, ...copies];
}

function databases({ databases: servers, mark }: View): readonly Missing[] {
  return servers.flatMap(({ guest, health }): readonly Missing[] => {
    if (health === null) return [{ about: guest, says: `database ${guest} does not say how it is` }];
    if (health.state !== "ok") return [{ about: guest, says: `database ${guest} is ${health.state}: ${health.says}` }];
    const loose = health.peers.find(({ connected }) => !connected);
    if (loose) return [{ about: guest, says: `database ${guest} does not follow ${loose.guest}: ${loose.says}` }];
    if (health.peers.length > 0 && (health.lagSeconds ?? Number.POSITIVE_INFINITY) > LAG)
      return [{ about: guest, says: `database ${guest} is ${health.lagSeconds ?? "an unknown number of"} s behind` }];
    const own = parsePosition(health.gtid);
    return mark.every((theirs) => hasAll(own, theirs))
      ? []
      : [{ about: guest, says: `database ${guest} has not yet everything that the others have` }];
  });
}

const doors = ({ shut }: View): readonly Missing[] =>
  shut.map(({ door, says }) => ({ about: door, says: `${door} does not answer its clients: ${says}` }));
