/** What a clone is, the same for every driver that makes it from an order. */
import { Fault, type GuestName } from "../model/index.ts";
import type { CloneIdentity, GuestOrder, GuestState } from "./contract.ts";

/**
 * @param taken whether somebody has the new name
 * @returns the order of the copy: nobody starts it by himself, and nobody holds a key to it
 * @throws Fault `guest.wrong-state` unless the original is stopped and the name is free
 */
export function cloneOrder(
  original: GuestOrder,
  state: GuestState,
  identity: CloneIdentity,
  taken: boolean,
): GuestOrder {
  const name: GuestName = original.name;
  if (state !== "stopped")
    throw new Fault("guest.wrong-state", { guest: name, state, action: "clone", remedy: `Stop ${name} first.` });
  if (taken) throw new Fault("guest.wrong-state", { guest: identity.name, state: "there", action: "be made" });
  return { ...original, ...identity, peerKey: null, autostart: false, digest: `clone of ${original.digest}` };
}
