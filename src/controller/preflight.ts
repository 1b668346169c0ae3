/** Addresses are looked at before anything is started: a clash is named with its holder and the remedy. Embedded default only. */
import { readFileSync } from "node:fs";
import { TAG } from "../hypervisor/index.ts";
import { type Blueprint, Fault } from "../model/index.ts";
import { describeHolder, type Listener, listenerInTheWay, listListeners } from "../world/index.ts";

interface Wanted {
  readonly what: string;
  readonly address: string;
  readonly port: number;
}

function wantedBy(blueprint: Blueprint): readonly Wanted[] {
  return [
    ...blueprint.aliases.map((alias) => ({ what: `alias ${alias.name}`, address: alias.address, port: alias.port })),
    ...blueprint.guests.flatMap((guest) =>
      Object.entries(guest.definition.ports).map(([purpose, port]) => ({
        what: `${guest.name}, ${purpose}`,
        address: guest.address,
        port,
      })),
    ),
  ];
}

/** @returns the tag of the guest that a process belongs to, or `null`. */
function guestTag(pid: number): string | null {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
    return environment.find((entry) => entry.startsWith(`${TAG}=`))?.slice(TAG.length + 1) ?? null;
  } catch {
    return null;
  }
}

/**
 * @param ownKeys keys of this site's hosts: what they hold is in nobody's way
 * @throws Fault `address.taken`
 */
export function refuseTakenAddresses(blueprint: Blueprint, ownKeys: ReadonlySet<string>): void {
  const listeners = listListeners();
  const holders = new Map<string, ReturnType<typeof describeHolder>>();
  const holderOf = (listener: Listener) => {
    const known = holders.get(listener.inode) ?? describeHolder(listener);
    holders.set(listener.inode, known);
    return known;
  };
  for (const wanted of wantedBy(blueprint)) {
    const listener = listenerInTheWay(listeners, wanted.address, wanted.port);
    if (!listener) continue;
    const holder = holderOf(listener);
    const tag = holder.pid === null ? null : guestTag(holder.pid);
    const [key, guest] = tag?.split("/") ?? [];
    if (key && ownKeys.has(key)) continue;
    const everywhere = listener.address === "0.0.0.0" || listener.address === "::";
    throw new Fault("address.taken", {
      address: wanted.address,
      port: String(wanted.port),
      what: wanted.what,
      holder: guest ? `guest ${guest} of another Domus, ${holder.says}` : holder.says,
      remedy: guest
        ? "Take that site down (with its DOMUS_STATE), or give this one another network: --loopback 127.x.y.0/24."
        : everywhere
          ? `Stop it, or let it listen on one address only: on all addresses it blocks port ${wanted.port} everywhere.`
          : "Stop it, or give the site another network: --loopback 127.x.y.0/24.",
    });
  }
}
