/** What is killed, and what next: every copy, database server, director and host, whoever serves first. Pure. */
import type { Blueprint, BlueprintGuest, DirectorStatus, GuestName, HostName, ServiceName } from "../../model/index.ts";
import { databasesOf, directorsOf } from "../../probe/index.ts";
import type { FailoverPart } from "../contract.ts";

export interface Victim {
  readonly kind: FailoverPart["kind"];
  /** The guest or the host. */
  readonly name: string;
  /** `copy fg5x2`. */
  readonly part: string;
  /** `null`: it is no single service's. */
  readonly service: ServiceName | null;
  readonly host: HostName;
  /** Guests that die with it. */
  readonly guests: readonly GuestName[];
}

/** From what takes least with it to what takes most. */
const ORDER: readonly Victim["kind"][] = ["copy", "database", "director", "host"];

/** @returns whether anything runs in it: a reserved, empty place cannot be killed */
export const runs = ({ definition }: BlueprintGuest): boolean => definition.program.kind !== "none";

/** @returns everything to be killed; hosts without a guest are left out, since nothing would end with them */
export function victimsOf(blueprint: Blueprint): readonly Victim[] {
  const directors = new Set(directorsOf(blueprint).map(({ name }) => name));
  const databases = new Set(databasesOf(blueprint).map(({ name }) => name));
  const guests = blueprint.guests.filter(runs).map(({ name, service, host }): Victim => {
    const kind = directors.has(name) ? "director" : databases.has(name) ? "database" : "copy";
    return { kind, name, part: `${kind} ${name}`, service: kind === "director" ? null : service, host, guests: [name] };
  });
  const hosts = blueprint.hosts.map(({ name }): Victim => {
    const held = blueprint.guests.filter((guest) => guest.host === name && runs(guest));
    return { kind: "host", name, part: `host ${name}`, service: null, host: name, guests: held.map((one) => one.name) };
  });
  const all = [...guests, ...hosts.filter((host) => host.guests.length > 0)];
  return ORDER.flatMap((kind) => all.filter((victim) => victim.kind === kind));
}

/**
 * The one whose death costs most goes first: the active director, the writing server, the host with the active director. Killing it makes the
 * other one serve, so that each of a pair dies while it serves.
 * @param left not yet killed, in order
 */
export function nextVictim(left: readonly Victim[], directors: readonly DirectorStatus[]): Victim | undefined {
  const alike = left.filter(({ kind }) => kind === left[0]?.kind);
  const active = directors.find(({ role }) => role === "active");
  const writers = new Set(
    active?.aliases.flatMap(({ copies }) => copies.filter(({ writer }) => writer).map(({ guest }) => guest)),
  );
  const serves: Readonly<Record<Victim["kind"], (victim: Victim) => boolean>> = {
    copy: () => false,
    database: ({ name }) => writers.has(name),
    director: ({ name }) => name === active?.guest,
    host: ({ guests }) => guests.some((guest) => guest === active?.guest),
  };
  return alike.find((victim) => serves[victim.kind](victim)) ?? alike[0];
}
