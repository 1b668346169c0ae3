/**
 * How MariaDB is set up, embedded and in real guests alike: one table of settings and one list of accounts, so that what is tested on
 * processes is what runs in machines. Pure.
 *
 * Circular replication has two writers and no referee. What keeps it safe: a server id, GTID domain and auto-increment offset of its
 * own for each; every commit on disk before it is answered (sync_binlog, innodb_flush_log_at_trx_commit); read_only at start, lifted by
 * the agent once the peer's commits are in; replication errors stop replication and are shown, never skipped.
 */

export interface MariaDbPlace {
  readonly mode: "circular" | "galera";
  /** 0 for the first copy. */
  readonly position: number;
  /** Members of the ring in copy order. */
  readonly ring: readonly { readonly guest: string; readonly address: string }[];
  readonly address: string;
  readonly port: number;
  /** Identity in replication; unique over all members and over all lives of a data directory. */
  readonly serverId: number;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** `small`: a process among others on one machine; `own`: a guest of its own with so many bytes. */
  readonly size: "small" | { readonly memory: number };
}

export type SettingTable = readonly (readonly [name: string, value: string])[];

const MIB = 1024 ** 2;

/** Common to both modes. */
function common(place: MariaDbPlace): SettingTable {
  return [
    ["bind_address", place.address],
    ["port", String(place.port)],
    ["skip_name_resolve", "ON"],
    ["local_infile", "OFF"],
    ["symbolic_links", "OFF"],
    ["character_set_server", "utf8mb4"],
    ["collation_server", "utf8mb4_bin"],
    ["sql_mode", "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO"],
    ["default_storage_engine", "InnoDB"],
    ["ssl_ca", place.tls.ca],
    ["ssl_cert", place.tls.cert],
    ["ssl_key", place.tls.key],
    ["tls_version", "TLSv1.2,TLSv1.3"],
    ["require_secure_transport", "ON"],
    ["innodb_flush_log_at_trx_commit", "1"],
    ["sync_binlog", "1"],
    ["binlog_format", "ROW"],
    ["log_bin", "binlog"],
    ["server_id", String(place.serverId)],
    ["max_connections", "200"],
    ["connect_timeout", "5"],
    ["wait_timeout", "600"],
    ["performance_schema", "OFF"],
    ...sized(place.size),
  ];
}

function sized(size: MariaDbPlace["size"]): SettingTable {
  if (size === "small")
    return [
      ["innodb_buffer_pool_size", "16M"],
      ["innodb_log_file_size", "8M"],
      ["innodb_log_buffer_size", "2M"],
      // Kernel queues for asynchronous I/O are few for each machine: several servers on one would fail to start.
      ["innodb_use_native_aio", "0"],
      ["key_buffer_size", "1M"],
      ["aria_pagecache_buffer_size", "1M"],
      ["table_open_cache", "128"],
      ["thread_cache_size", "4"],
    ];
  return [["innodb_buffer_pool_size", `${Math.floor(size.memory / 2 / MIB)}M`]];
}

function circular(place: MariaDbPlace): SettingTable {
  return [
    ["read_only", "ON"],
    ["auto_increment_increment", String(place.ring.length)],
    ["auto_increment_offset", String(place.position + 1)],
    ["gtid_domain_id", String(place.serverId)],
    ["gtid_strict_mode", "ON"],
    ["log_slave_updates", "ON"],
    ["skip_slave_start", "ON"],
    ["slave_net_timeout", "5"],
    ["slave_exec_mode", "STRICT"],
    ["slave_max_allowed_packet", "64M"],
    ["relay_log", "relay"],
    ["relay_log_recovery", "ON"],
    ["sync_relay_log", "1"],
    ["expire_logs_days", "14"],
  ];
}

function galera(place: MariaDbPlace): SettingTable {
  const members = place.ring.map((member) => member.address).join(",");
  const { ca, cert, key } = place.tls;
  return [
    ["innodb_autoinc_lock_mode", "2"],
    ["wsrep_on", "ON"],
    ["wsrep_provider", "/usr/lib/galera/libgalera_smm.so"],
    ["wsrep_cluster_name", "domus"],
    ["wsrep_cluster_address", `gcomm://${members}`],
    ["wsrep_node_name", place.ring[place.position]!.guest],
    ["wsrep_node_address", place.address],
    ["wsrep_sst_method", "rsync"],
    ["wsrep_sync_wait", "1"],
    ["wsrep_provider_options", `"socket.ssl_ca=${ca};socket.ssl_cert=${cert};socket.ssl_key=${key}"`],
    ["log_slave_updates", "ON"],
  ];
}

/** @returns every setting in the order in which it is written */
export function mariadbSettings(place: MariaDbPlace): SettingTable {
  return [...common(place), ...(place.mode === "circular" ? circular(place) : galera(place))];
}

/** An account that is a guest's certificate: no password exists. */
export interface MariaDbAccount {
  readonly guest: string;
  /** What it may do. */
  readonly role: "member" | "gums" | "saz" | "voms";
}

const SCHEMA = "domus";

/** Which streams of records (services/records) each role writes, and which it only reads. */
export const RECORD_RIGHTS: Readonly<
  Record<MariaDbAccount["role"], { readonly writes: readonly string[]; readonly reads: readonly string[] }>
> = {
  member: { writes: [], reads: [] },
  // GUMS reads the bans, so that the files it makes leave banned people out.
  gums: { writes: ["mapping", "member", "pool"], reads: ["ban"] },
  saz: { writes: ["ban", "seen"], reads: [] },
  // Whoever is banned from the site gets no attributes either.
  voms: { writes: ["vo"], reads: ["ban"] },
};

/** @returns what a role is granted, statement by statement; `@` stands for the account. Nobody may change or delete an event. */
function grantsOf(role: MariaDbAccount["role"]): readonly string[] {
  const { writes, reads } = RECORD_RIGHTS[role];
  return [
    ...(role === "member" ? ["GRANT REPLICATION SLAVE, SLAVE MONITOR, BINLOG MONITOR ON *.* TO @"] : []),
    ...writes.flatMap((stream) => [
      `GRANT SELECT, INSERT ON ${SCHEMA}.${stream}_event TO @`,
      `GRANT SELECT, INSERT, UPDATE ON ${SCHEMA}.${stream}_head TO @`,
    ]),
    ...reads.flatMap((stream) => [
      `GRANT SELECT ON ${SCHEMA}.${stream}_event TO @`,
      `GRANT SELECT ON ${SCHEMA}.${stream}_head TO @`,
    ]),
  ];
}

/** Names that stand in SQL are DNS labels (model/ids.ts); anything else is a defect, not an input. */
function quoted(name: string): string {
  if (!/^[a-z0-9][a-z0-9 .-]*$/.test(name)) throw new TypeError(`${JSON.stringify(name)} cannot be a name in SQL`);
  return `'${name}'`;
}

/**
 * Statements that bring the accounts to what they should be; safe to repeat, and kept out of the binary log because each server has its
 * own. Only the site's authority, and only the guest of that name, gets in.
 * @param site name of the site: organization of its authority
 */
export function accountStatements(site: string, accounts: readonly MariaDbAccount[]): readonly string[] {
  return accounts.flatMap(({ guest, role }) => {
    const account = `${quoted(guest)}@'%'`;
    const subject = `'/O=${quoted(site).slice(1, -1)}/OU=guest/CN=${guest}'`;
    const issuer = `'/O=${site}/CN=${site} authority'`;
    return [
      `CREATE USER IF NOT EXISTS ${account} REQUIRE SUBJECT ${subject} AND ISSUER ${issuer}`,
      `ALTER USER ${account} REQUIRE SUBJECT ${subject} AND ISSUER ${issuer} WITH MAX_USER_CONNECTIONS 32`,
      ...grantsOf(role).map((grant) => grant.replace("@", account)),
    ];
  });
}
