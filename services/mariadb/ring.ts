/**
 * This server's place in the ring: makes tables and accounts, follows the upstream, looks at both, lifts read_only when it may. Errors of
 * replication are shown and never skipped; only a connection that broke is tried again.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "mysql2/promise";
import { behind, type DatabaseHealth, parsePosition } from "../../src/model/index.ts";
import { accountStatements, changeMaster, type DatabaseConfig } from "../../src/recipes/index.ts";
import { connectOver } from "../records/connection.ts";
import { SCHEMA_NAME, schemaStatements } from "../records/schema.ts";
import type { Guest, Log, TlsFiles } from "../serving/index.ts";
import type { Installation } from "./install.ts";
import { judgeReadiness, type Observation } from "./readiness.ts";

export type RingHealth = DatabaseHealth;

/** Milliseconds between two looks: before it is writable, after. */
const LOOK = { before: 100, after: 500 } as const;
/** Milliseconds the own server has for one answer, and without an answer until the health says so. */
const ANSWER = 2000;
const SILENCE = 1500;
/** Errors of the receiving thread that a new connection can mend: the master restarted, or has not got the position yet. */
const RETRIED = new Set([1236, 1595, 2003, 2013, 2026]);

interface Row {
  readonly [column: string]: unknown;
}

export class Ring {
  readonly #guest: Guest;
  readonly #config: DatabaseConfig;
  readonly #installation: Installation;
  #tls: TlsFiles;
  readonly #log: Log;
  readonly #upstream: DatabaseConfig["ring"][number] | null;
  #root: Connection | null = null;
  #peer: Connection | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #closed = false;
  #writable = false;
  #awaySince: number | null = null;
  #caughtUpBefore: boolean;
  #upstreamSays = "";
  #lookedAt = performance.now();
  #health: RingHealth;

  constructor(
    guest: Guest,
    config: DatabaseConfig,
    installation: Installation,
    tls: TlsFiles,
    log: Log,
    caughtUp: boolean,
  ) {
    this.#guest = guest;
    this.#config = config;
    this.#installation = installation;
    this.#tls = tls;
    this.#log = log;
    this.#caughtUpBefore = caughtUp;
    const size = config.ring.length;
    this.#upstream = size > 1 ? config.ring[(config.position + size - 1) % size]! : null;
    this.#health = {
      state: "starting",
      writable: false,
      says: "the database starts",
      lagSeconds: null,
      peers: [],
      gtid: "",
      serverId: installation.serverId,
    };
  }

  /** What is known; a server that has stopped answering (hung, not dead) is not passed off as well. */
  get health(): RingHealth {
    const silent = performance.now() - this.#lookedAt;
    if (silent < SILENCE) return this.#health;
    return {
      ...this.#health,
      state: "starting",
      writable: false,
      says: `the server has not answered for ${Math.round(silent / 100) / 10} s`,
    };
  }

  /** Makes what must be there, begins to follow and to look. */
  async start(): Promise<void> {
    this.#root = await this.connectRoot();
    await this.#ask(`CREATE DATABASE IF NOT EXISTS ${SCHEMA_NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
    await this.#ask(`USE ${SCHEMA_NAME}`);
    for (const statement of schemaStatements("mariadb")) await this.#ask(statement);
    await this.#dropStrangers();
    for (const statement of accountStatements(this.#config.site, this.#config.accounts)) await this.#ask(statement);
    if (this.#upstream) {
      await this.#ask("STOP SLAVE");
      await this.#ask(changeMaster(this.#upstream, this.#guest.name, this.#config.port, this.#installation.tls));
      await this.#ask("START SLAVE");
    }
    await this.look();
    const again = (): void => {
      if (this.#closed) return;
      this.#timer = setTimeout(
        () => void this.look().finally(again),
        this.#writable && this.#health.state === "ok" ? LOOK.after : LOOK.before,
      );
    };
    again();
  }

  /** Looks once at server and upstream and does what follows. Never throws: a server that does not answer shows in the health. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        if (this.#closed) return;
        // Whatever broke it (somebody ended it, the server hung): a new connection costs little, and an old one never comes back.
        this.#root?.destroy();
        this.#root = null;
        if (this.#health.state !== "starting")
          this.#log("state", { state: "starting", says: `the server does not answer: ${(error as Error).message}` });
        this.#health = {
          ...this.#health,
          state: "starting",
          writable: false,
          says: `the server does not answer: ${(error as Error).message}`,
        };
      })
      .finally(() => {
        this.#looking = null;
      });
    return this.#looking;
  }

  /** A connection of the administrator's, outside of the binary log. */
  async connectRoot(): Promise<Connection> {
    const { createConnection } = await import("mysql2/promise");
    const root = await createConnection({
      socketPath: this.#installation.socket,
      user: this.#installation.administrator,
      supportBigNumbers: true,
      connectTimeout: ANSWER,
    });
    root.on("error", () => {});
    // What an agent makes is not in the binary log: each server makes it itself, so nobody can be in conflict about it.
    await root.query({ sql: "SET SESSION sql_log_bin = 0", timeout: ANSWER });
    return root;
  }

  /** New certificates, from the next connection on: of this server, of its replication, and of our looks at the upstream. */
  renew(tls: TlsFiles): void {
    this.#tls = tls;
    this.#ask("FLUSH SSL").catch((error: unknown) => {
      this.#log("certificates not renewed", { says: (error as Error).message });
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#root?.destroy();
    this.#peer?.destroy();
  }

  async #ask(sql: string): Promise<Row[]> {
    if (this.#root === null) throw new Error("there is no connection to it");
    const [rows] = await this.#root.query({ sql, timeout: ANSWER });
    return Array.isArray(rows) ? (rows as Row[]) : [];
  }

  /** A guest that is no longer of the site loses its account; what it holds of a certificate is worth nothing here then. */
  async #dropStrangers(): Promise<void> {
    const known = new Set(this.#config.accounts.map(({ guest }) => guest));
    for (const { User: user } of await this.#ask("SELECT User FROM mysql.global_priv WHERE Host = '%'"))
      if (!known.has(String(user))) {
        this.#log("account dropped", { account: user });
        await this.#ask(`DROP USER ${this.#root!.escape(user)}@'%'`);
      }
  }

  async #look(): Promise<void> {
    // The upstream first: what it has of ours we had before, so a commit between the two questions never looks like data set back.
    const theirs = await this.#askUpstream();
    this.#root ??= await this.connectRoot();
    const [own] = await this.#ask("SELECT @@gtid_current_pos AS gtid, @@gtid_binlog_pos AS written, @@read_only AS ro");
    const slave: Row = this.#upstream ? ((await this.#ask("SHOW SLAVE STATUS"))[0] ?? {}) : {};
    const gtid = String(own!.gtid);
    this.#writable = Number(own!.ro) === 0;
    const observation = this.#observe(gtid, String(own!.written), slave, theirs);
    const readiness = judgeReadiness(observation);
    if (readiness.writable !== this.#writable) {
      await this.#ask(`SET GLOBAL read_only = ${readiness.writable ? 0 : 1}`);
      this.#writable = readiness.writable;
      this.#log(readiness.writable ? "takes writes" : "takes no writes", { says: readiness.says, gtid });
    }
    if (observation.missing?.length === 0 && !this.#caughtUpBefore) {
      writeFileSync(join(this.#guest.data, "mariadb", CAUGHT_UP), "", { mode: 0o600 });
      this.#caughtUpBefore = true;
    }
    if (readiness.state !== this.#health.state) this.#log("state", { state: readiness.state, says: readiness.says });
    this.#lookedAt = performance.now();
    const connected = slave.Slave_IO_Running === "Yes";
    this.#health = {
      state: readiness.state,
      writable: this.#writable,
      says: readiness.says,
      lagSeconds: observation.lagSeconds,
      peers: this.#upstream
        ? [
            {
              guest: this.#upstream.guest,
              connected,
              says: connected ? "replicates" : String(slave.Last_IO_Error || "not connected"),
            },
          ]
        : [],
      gtid,
      serverId: this.#installation.serverId,
    };
    const errno = Number(slave.Last_IO_Errno ?? 0);
    if (slave.Slave_IO_Running === "No" && RETRIED.has(errno)) await this.#ask("START SLAVE IO_THREAD");
  }

  #observe(gtid: string, written: string, slave: Row, theirs: string | "refused" | "silent" | null): Observation {
    const now = performance.now();
    const answers = theirs !== null && theirs !== "refused" && theirs !== "silent";
    if (answers || theirs === null) this.#awaySince = null;
    else this.#awaySince ??= now;
    const own = this.#installation.serverId;
    const mine = parsePosition(gtid);
    const target = answers ? parsePosition(theirs) : null;
    const sqlErrno = Number(slave.Last_SQL_Errno ?? 0);
    const ioErrno = Number(slave.Last_IO_Errno ?? 0);
    // Commits that the upstream has already thrown away cannot come by waiting: somebody must copy its data.
    const purged = ioErrno === 1236 && /purged|too old/i.test(String(slave.Last_IO_Error));
    const ioStopped = slave.Slave_IO_Running === "No" && ioErrno !== 0 && (purged || !RETRIED.has(ioErrno));
    return {
      now,
      writable: this.#writable,
      upstream: this.#upstream === null ? "none" : answers ? "answers" : (theirs as "refused" | "silent"),
      awaySince: this.#awaySince,
      upstreamSays: this.#upstreamSays,
      missing: target === null ? null : behind(mine, target, own),
      // By the binary log: what comes back around the ring moves the current position although it is not applied.
      setBack: target !== null && (target.get(own) ?? 0n) > (parsePosition(written).get(own) ?? 0n),
      caughtUpBefore: this.#caughtUpBefore,
      stopped:
        sqlErrno !== 0
          ? `replication stopped: ${slave.Last_SQL_Error} (${sqlErrno})`
          : ioStopped
            ? `replication stopped: ${slave.Last_IO_Error} (${ioErrno})`
            : null,
      lagSeconds: typeof slave.Seconds_Behind_Master === "number" ? slave.Seconds_Behind_Master : null,
    };
  }

  /** @returns what the upstream has in its binary log, or how it is away; `null` in a ring of one */
  async #askUpstream(): Promise<string | "refused" | "silent" | null> {
    if (this.#upstream === null) return null;
    try {
      this.#peer ??= await this.#connectUpstream(this.#upstream);
      const [rows] = await this.#peer.query({ sql: "SELECT @@gtid_binlog_pos AS gtid", timeout: 1000 });
      return String((rows as Row[])[0]!.gtid);
    } catch (error) {
      this.#peer?.destroy();
      this.#peer = null;
      const { code = "", message } = error as NodeJS.ErrnoException;
      this.#upstreamSays = message;
      // A server that lets nobody in yet (it is making its accounts) counts as silent: it may well have commits.
      return code === "ECONNREFUSED" || code === "ECONNRESET" ? "refused" : "silent";
    }
  }

  async #connectUpstream(upstream: { readonly guest: string; readonly address: string }): Promise<Connection> {
    const connection = await connectOver({
      name: upstream.guest,
      address: upstream.address,
      port: this.#config.port,
      user: this.#guest.name,
      tls: this.#tls,
    });
    connection.on("error", () => {
      this.#peer = null;
    });
    return connection;
  }
}

/** Its presence says that this data has once had all its upstream had. */
export const CAUGHT_UP = "caught-up";
