/**
 * The database: MariaDB in circular replication or Galera; embedded without MariaDB, one SQLite guest (the last copy) and stand-bys
 * that say so. In real guests the same rules are a `my.cnf` and a first-boot SQL text without secrets.
 */
import type { GuestFile } from "../model/index.ts";
import { readVos, type VoDefinition } from "../vo/index.ts";
import { accountStatements, type MariaDbAccount, mariadbSettings } from "./mariadb-settings.ts";
import { portFor } from "./ports.ts";
import type { Recipe, RecipeContext, Rendered } from "./recipe.ts";
import { copyPort, jsonFile, DATABASE_PORT as PORT, seatsOf } from "./surroundings.ts";

/** `etc/database.json`: of `mariadb`, `sqlite-server` and `standby` alike. */
export interface DatabaseConfig {
  /** Organization of the site's authority. */
  readonly site: string;
  readonly port: number;
  /** Where `/health` is asked, over mutual TLS. */
  readonly healthPort: number;
  readonly position: number;
  readonly ring: readonly { readonly guest: string; readonly address: string }[];
  /** Who gets in and for what. */
  readonly accounts: readonly MariaDbAccount[];
  /** Organizations whose people a stock vomsd may read here; absent: there are none. */
  readonly vos?: readonly VoDefinition[];
  /** Guest that has the one database, when MariaDB is not installed. */
  readonly holder: string;
}

export const DATABASE_HEALTH_PORT = 9306;
/** Where Debian's MariaDB may read keys; first boot puts the guest's own there. */
const REAL_TLS = { ca: "/etc/mysql/tls/ca.pem", cert: "/etc/mysql/tls/cert.pem", key: "/etc/mysql/tls/key.pem" };

function accountsOf(context: RecipeContext): readonly MariaDbAccount[] {
  const using = (recipe: "gums" | "saz" | "voms"): readonly MariaDbAccount[] => {
    const services = new Set(
      context.site.services
        .filter((one) => one.recipe === recipe && one.needs.includes(context.service.name))
        .map((one) => one.name),
    );
    return seatsOf(context, recipe)
      .filter((seat) => services.has(seat.service))
      .map((seat) => ({ guest: seat.name, role: recipe }));
  };
  return [
    ...context.copies.map((seat) => ({ guest: seat.name, role: "member" as const })),
    ...using("gums"),
    ...using("saz"),
    ...using("voms"),
  ];
}

function configOf(context: RecipeContext): DatabaseConfig {
  return {
    site: context.site.name,
    port: copyPort(context.service, context.target, PORT),
    healthPort: portFor(context.target, DATABASE_HEALTH_PORT),
    position: context.seat.copy,
    ring: context.copies.map((seat) => ({ guest: seat.name, address: seat.address })),
    accounts: accountsOf(context),
    ...organizationsOf(context),
    holder: context.copies.at(-1)!.name,
  };
}

/** Those of the VOMS services that keep their people here. */
function organizationsOf(context: RecipeContext): Pick<DatabaseConfig, "vos"> {
  const vos = context.site.services
    .filter((one) => one.recipe === "voms" && one.needs.includes(context.service.name))
    .flatMap((one) => readVos(one.settings.vos).vos ?? []);
  return vos.length === 0 ? {} : { vos };
}

function embeddedBundle(context: RecipeContext): string {
  if (context.database === "mariadb") return "mariadb";
  return context.seat.name === context.copies.at(-1)!.name ? "sqlite-server" : "standby";
}

function renderEmbedded(context: RecipeContext): Rendered {
  const config = configOf(context);
  const bundle = embeddedBundle(context);
  return {
    definition: {
      image: null,
      packages: [],
      data: context.database === "mariadb" ? "replicated" : "local",
      program: { kind: "bundle", bundle },
      environment: {},
      ports:
        bundle === "standby" ? { health: config.healthPort } : { database: config.port, health: config.healthPort },
      probe: { kind: "https", port: config.healthPort, path: "/health", status: 200, contains: null },
      watchdog: false,
    },
    files: [jsonFile("etc/database.json", config)],
    secrets: [],
  };
}

/** `[mysqld]` section of a real guest. */
export function domusCnf(context: RecipeContext): string {
  const config = configOf(context);
  const mode = context.service.mode ?? "circular";
  const settings = mariadbSettings({
    mode,
    position: config.position,
    ring: config.ring,
    address: "0.0.0.0",
    port: config.port,
    // Galera members must share one server id; a ring's must differ.
    serverId: mode === "galera" ? 1 : config.position + 1,
    tls: REAL_TLS,
    size: { memory: context.service.memory },
  });
  const says =
    mode === "circular"
      ? "# Circular replication: read_only is lifted by the agent once this server has what its peer has."
      : "# Galera: the majority decides; two members need a third box running garbd.";
  return `# Written by Domus for ${context.seat.name}. Changes here are lost when the guest is replaced.\n${says}\n[mysqld]\n${settings.map(([name, value]) => `${name} = ${value}\n`).join("")}`;
}

/** SQL for the first boot: no secret stands in it, because accounts are certificates. */
export function firstBootSql(context: RecipeContext): string {
  const config = configOf(context);
  const upstream = config.ring[(config.position + config.ring.length - 1) % config.ring.length]!;
  const circular = (context.service.mode ?? "circular") === "circular" && config.ring.length > 1;
  const lines = [
    "SET SESSION sql_log_bin = 0;",
    "DROP DATABASE IF EXISTS test;",
    "DELETE FROM mysql.global_priv WHERE User = '';",
    "FLUSH PRIVILEGES;",
    "CREATE DATABASE IF NOT EXISTS domus CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;",
    // Grants on tables need the tables: the agent makes them and the accounts of their users.
    ...accountStatements(
      config.site,
      config.accounts.filter(({ role }) => role === "member"),
    ).map((statement) => `${statement};`),
    ...(circular
      ? [`${changeMaster(upstream, config.ring[config.position]!.guest, config.port, REAL_TLS)};`, "START SLAVE;"]
      : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** @returns the statement that points a member of the ring at its upstream; the certificate is the only proof */
export function changeMaster(
  upstream: { readonly guest: string; readonly address: string },
  account: string,
  port: number,
  tls: { readonly ca: string; readonly cert: string; readonly key: string },
): string {
  const text = (value: string): string => `'${value.replace(/[\\']/g, "\\$&")}'`;
  return (
    `CHANGE MASTER TO MASTER_HOST=${text(upstream.address)}, MASTER_PORT=${port}, MASTER_USER=${text(account)}, ` +
    `MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=1, MASTER_SSL=1, ` +
    `MASTER_SSL_CA=${text(tls.ca)}, MASTER_SSL_CERT=${text(tls.cert)}, MASTER_SSL_KEY=${text(tls.key)}, MASTER_SSL_VERIFY_SERVER_CERT=1`
  );
}

function renderReal(context: RecipeContext): Rendered {
  const config = configOf(context);
  const galera = context.service.mode === "galera";
  const files: readonly GuestFile[] = [
    { path: "etc/mysql/conf.d/domus.cnf", content: domusCnf(context) },
    { path: "etc/domus/first-boot.sql", content: firstBootSql(context) },
    jsonFile("etc/database.json", config),
  ];
  return {
    definition: {
      image: null,
      packages: galera ? ["mariadb-server", "galera-4", "rsync"] : ["mariadb-server"],
      data: "replicated",
      program: { kind: "command", command: ["/usr/sbin/mariadbd"] },
      environment: {},
      ports: { database: config.port, health: config.healthPort, ...(galera ? { replication: 4567 } : {}) },
      probe: { kind: "tcp", port: config.port },
      watchdog: false,
    },
    files,
    secrets: [],
  };
}

export const mysql: Recipe = {
  name: "mysql",
  title: "The database: MariaDB, replicated",
  defaults: { strategy: "replicated-database", memory: 4 * 1024 ** 3, cpus: 2, disk: 20 * 1024 ** 3, port: PORT },
  settings: {},
  withoutNeeds: "answers",
  holders: (database, copies) => (database === "sqlite" ? copies.slice(-1) : copies),
  alias: (service, { target }) => ({
    port: copyPort(service, target, PORT),
    // A stand-by is well and has no database: what counts is whether this copy takes writes.
    check: {
      kind: "https",
      port: portFor(target, DATABASE_HEALTH_PORT),
      path: "/health",
      status: 200,
      contains: '"writable":true',
    },
    distribution: "one-writer",
    proxyProtocol: false,
  }),
  render: (context) => (context.target === "embedded" ? renderEmbedded(context) : renderReal(context)),
  embeddedRefusal: (service) =>
    service.mode === "galera"
      ? `${service.name}: Galera runs in real guests only; the embedded default has circular replication (mode: circular)`
      : null,
  samples: [],
};
