/**
 * The one database of a machine without MariaDB: a SQLite file that belongs to this guest, served over mutual TLS with the operations of
 * the repository (append, since) and nothing else. It dies with its host; the copies of GUMS and SAZ then go on read-only.
 */
import { join } from "node:path";
import type { DatabaseConfig, MariaDbAccount } from "../../src/recipes/index.ts";
import { type Cursor, type Fields, PAGE, STREAMS, type Stream } from "../records/event.ts";
import { SqliteFile } from "../records/sqlite-file.ts";
import {
  type Call,
  errorAnswer,
  type Handler,
  json,
  listenMutually,
  Refusal,
  readConfig,
  readJson,
  readTls,
  runProgram,
  text,
  watchTls,
} from "../serving/index.ts";

/** Which account writes which stream. */
const STREAM_OF: Readonly<Record<MariaDbAccount["role"], Stream | null>> = {
  gums: "mapping",
  saz: "ban",
  member: null,
};

function readCursor(value: unknown): Cursor {
  if (value === null || typeof value !== "object") throw new Refusal(400, "cursor: expected { origin: seq }");
  const entries = Object.entries(value);
  const fits = ([origin, seq]: [string, unknown]): boolean => /^\d{1,10}$/.test(origin) && Number.isSafeInteger(seq);
  if (entries.length > 1000 || !entries.every(fits)) throw new Refusal(400, "cursor: expected { origin: seq }");
  return value as Cursor;
}

function readFields(stream: Stream, value: unknown): Fields {
  const given = (value ?? {}) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(STREAMS[stream]).map(([name, limit]) => [name, text(given, name, limit, "")]),
  );
}

/** A full disk or a damaged file is the outside's fault: said with its sentence, and the caller may try again. */
function orAway<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SQLITE_ERROR")
      throw new Refusal(503, `the database file: ${(error as Error).message}`);
    throw error;
  }
}

runProgram(async (guest, log) => {
  const config = readConfig<DatabaseConfig>(guest, "database.json");
  const tls = readTls(guest);
  const file = new SqliteFile(join(guest.data, "records.sqlite"));
  const allowed = new Set(
    config.accounts.flatMap(({ guest: name, role }) =>
      STREAM_OF[role] === null ? [] : [`${name} ${STREAM_OF[role]}`],
    ),
  );

  const only =
    (stream: Stream, work: (body: Readonly<Record<string, unknown>>) => unknown): Handler =>
    async ({ peer, request }: Call) => {
      if (peer.unit !== "guest" || !allowed.has(`${peer.name} ${stream}`))
        return errorAnswer(403, `${peer.name || "this certificate"} may not use ${stream} records`);
      return json(200, work(await readJson(request)));
    };

  const routes: Record<string, Handler> = {};
  for (const stream of Object.keys(STREAMS) as Stream[]) {
    routes[`POST /records/${stream}/append`] = only(stream, ({ fields, after }) => {
      if (!Number.isSafeInteger(after)) throw new Refusal(400, "after: expected a counter");
      return orAway(() => file.append(stream, readFields(stream, fields), after as number));
    });
    routes[`POST /records/${stream}/since`] = only(stream, ({ cursor, limit }) =>
      orAway(() =>
        file.since(stream, readCursor(cursor), Math.min(PAGE, Math.max(1, Math.trunc(Number(limit)) || PAGE))),
      ),
    );
  }

  const server = await listenMutually({ tls, address: guest.address, port: config.port, directors: [], routes, log });
  const health = await listenMutually({
    tls,
    address: guest.address,
    port: config.healthPort,
    directors: [],
    routes: {
      "GET /health": () =>
        json(200, {
          state: "ok",
          writable: true,
          lagSeconds: 0,
          peers: [],
          origin: file.origin,
          says: "one SQLite file: it is lost to the site while this host is away",
        }),
    },
    log,
  });
  const unwatch = watchTls(guest, log, (renewed) => {
    server.renew(renewed);
    health.renew(renewed);
  });
  return async () => {
    unwatch();
    await Promise.all([server.close(), health.close()]);
    file.close();
  };
});
