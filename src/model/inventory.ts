/** The Inventory: what is, perhaps stale. Planning reads it and nothing else of the world. */
import type { GuestName, HostName } from "./ids.ts";

export interface InventoryGuest {
  readonly name: GuestName;
  readonly host: HostName;
  readonly running: boolean;
  /** SHA-256 of the definition the host holds. */
  readonly digest: string;
}

export interface InventoryHost {
  readonly name: HostName;
  /** `unreachable` hosts keep their guests on the books and get no new ones. */
  readonly state: "reachable" | "unreachable";
  /** Bytes that exist; the site file's declaration wins where it is smaller. */
  readonly memory: number | null;
  readonly cpus: number | null;
}

export interface Inventory {
  readonly hosts: readonly InventoryHost[];
  readonly guests: readonly InventoryGuest[];
  /** What the embedded default finds on this machine. */
  readonly programs: { readonly mariadb: boolean };
}

/** What is assumed of hosts nobody has looked at yet. */
export function emptyInventory(programs: Inventory["programs"]): Inventory {
  return { hosts: [], guests: [], programs };
}
