/** Bans, mappings, members and pool accounts as append-only events, in MariaDB or SQLite, followed in memory. */
import type { DatabaseAccess } from "../../src/recipes/index.ts";
import type { Guest, TlsFiles } from "../serving/index.ts";
import { NoRecords } from "./absent.ts";
import type { Records } from "./event.ts";
import { MariaRecords } from "./mariadb.ts";
import type { PoolServer } from "./pools.ts";
import { SqliteRecords } from "./sqlite-client.ts";

export * from "./event.ts";
export * from "./follower.ts";
export * from "./pool-ledger.ts";
export * from "./pools.ts";
export * from "./refusals.ts";

/** @returns the repository that the guest's configuration names */
export function openRecords(access: DatabaseAccess | null, guest: Guest, tls: TlsFiles): Records {
  if (access === null) return new NoRecords();
  const end = { alias: access.alias, address: access.address, port: access.port, account: guest.name, tls };
  return access.kind === "mariadb" ? new MariaRecords(end) : new SqliteRecords(end);
}

/**
 * The servers to be asked for pool accounts: those of the ring, each at its own address under its own name, or the one database behind
 * the alias.
 */
export function poolServers(access: DatabaseAccess | null, guest: Guest, tls: TlsFiles): readonly PoolServer[] {
  if (access === null) return [];
  const { alias, address, port, kind, servers = [] } = access;
  if (servers.length > 0)
    return [...servers]
      .sort((a, b) => a.position - b.position)
      .map(({ guest: server, position, ...where }) => {
        const place = { position, size: servers.length };
        return {
          guest: server,
          records: new MariaRecords({ alias: server, ...where, account: guest.name, tls, place }),
        };
      });
  const end = { alias, address, port, account: guest.name, tls };
  return [{ guest: alias, records: kind === "mariadb" ? new MariaRecords(end) : new SqliteRecords(end) }];
}
