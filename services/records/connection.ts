/** Connections to MariaDB over mutual TLS, bounded in time, the server's name checked against its certificate. */
import "./require.ts";
import { connect } from "node:net";
import type { Connection } from "mysql2/promise";

/** Milliseconds. */
export const DATABASE_TIMEOUTS = { connect: 500, query: 1000 } as const;

export interface ServerEnd {
  /** Name that must stand in the server's certificate: the alias's, or a guest's. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly database?: string;
}

/**
 * Opens a connection with READ COMMITTED, so that a poll holds no gap locks and a transaction sees what is committed when it asks.
 * @throws the driver's or the system's error, after 500 ms at the latest for the connection and 500 ms for the session
 */
export async function connectOver(end: ServerEnd): Promise<Connection> {
  const { createConnection } = await import("mysql2/promise");
  const socket = connect({ host: end.address, port: end.port, noDelay: true, keepAlive: true });
  const opening = createConnection({
    // Given as a stream, because the driver would check the certificate against "localhost" when the host is an address.
    stream: () => socket,
    host: end.name,
    user: end.user,
    ...(end.database === undefined ? {} : { database: end.database }),
    ssl: { ca: end.tls.ca, cert: end.tls.cert, key: end.tls.key, minVersion: "TLSv1.2", verifyIdentity: true },
    supportBigNumbers: true,
    charset: "utf8mb4_bin",
  });
  // A server may take the connection and then say nothing (a hung one behind a director): bounded from outside too.
  const connection = await bounded(opening, DATABASE_TIMEOUTS.connect, () => socket.destroy());
  try {
    await connection.query({
      sql: "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
      timeout: DATABASE_TIMEOUTS.connect,
    });
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return connection;
}

/**
 * A connection whose end ends everything that was asked on it. The driver forgets what waits in its queue when a connection is destroyed, and
 * a query's own time begins when its turn comes: whoever stood behind a query that a hung server never answered would wait for good.
 */
export class Link {
  readonly #connection: Pick<Connection, "destroy">;
  readonly #waiting = new Set<(why: unknown) => void>();
  readonly #onEnd: () => void;
  #why: unknown = null;

  /** @param onEnd told once */
  constructor(connection: Pick<Connection, "destroy">, onEnd: () => void) {
    this.#connection = connection;
    this.#onEnd = onEnd;
  }

  /** @returns what the work gives; rejects with why the link ended when that comes first */
  use<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#why !== null) return Promise.reject(this.#why);
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      work()
        .then(resolve, reject)
        .finally(() => this.#waiting.delete(reject));
    });
  }

  end(why: unknown): void {
    if (this.#why !== null) return;
    this.#why = why;
    this.#connection.destroy();
    this.#onEnd();
    for (const reject of this.#waiting) reject(why);
  }
}

/** Waits no longer than told, then gives up and calls `giveUp`. */
function bounded<Result>(work: Promise<Result>, milliseconds: number, giveUp: () => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(Object.assign(new Error(`no answer within ${milliseconds} ms`), { code: "ETIMEDOUT" }));
      giveUp();
    }, milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
