/** Bans and manual mappings as append-only events, in MariaDB or SQLite, followed in memory. */
import type { DatabaseAccess } from "../../src/recipes/index.ts";
import type { Guest, TlsFiles } from "../serving/index.ts";
import { NoRecords } from "./absent.ts";
import type { Records } from "./event.ts";
import { MariaRecords } from "./mariadb.ts";
import { SqliteRecords } from "./sqlite-client.ts";

export * from "./event.ts";
export * from "./follower.ts";
export * from "./refusals.ts";

/** @returns the repository that the guest's configuration names */
export function openRecords(access: DatabaseAccess | null, guest: Guest, tls: TlsFiles): Records {
  if (access === null) return new NoRecords();
  const end = { alias: access.alias, address: access.address, port: access.port, account: guest.name, tls };
  return access.kind === "mariadb" ? new MariaRecords(end) : new SqliteRecords(end);
}
