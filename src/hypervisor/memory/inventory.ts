/** What exists on a host in memory; a table of states and what each order does to them. */
import type { GuestName } from "../../model/index.ts";
import type { GuestState, GuestStatus } from "../contract.ts";
import type { MemoryDocument } from "./definition.ts";

export interface MemoryGuest extends MemoryDocument {
  state: GuestState;
  wanted: GuestStatus["wanted"];
  lastEnd: string | null;
  instance: number | null;
  restarts: number;
  snapshots: Map<string, readonly string[]>;
  console: string;
}

export type MemoryInventory = Map<GuestName, MemoryGuest>;

/** Which states each order accepts, and the state it leads to. States it leaves alone are goals already reached. */
export const TRANSITIONS = {
  start: { from: ["stopped", "crashed"], done: ["running"], to: "running" },
  stop: { from: ["running", "suspended", "crashed", "saved"], done: ["stopped"], to: "stopped" },
  suspend: { from: ["running"], done: ["suspended"], to: "suspended" },
  resume: { from: ["suspended"], done: ["running"], to: "running" },
  save: { from: ["running", "suspended"], done: ["saved"], to: "saved" },
  restore: { from: ["saved"], done: ["running"], to: "running" },
} as const satisfies Record<string, { from: readonly GuestState[]; done: readonly GuestState[]; to: GuestState }>;

export function statusOf(name: GuestName, guest: MemoryGuest): GuestStatus {
  return {
    name,
    state: guest.state,
    digest: guest.order.digest,
    address: guest.order.address,
    wanted: guest.wanted,
    instance: guest.instance === null ? null : String(guest.instance),
    restarts: guest.restarts,
    lastEnd: guest.lastEnd,
  };
}
