/**
 * The one database of a machine without MariaDB: a SQLite file that belongs to this guest, served over mutual TLS with the operations of
 * the repository (append, since, orders about pool accounts) and nothing else. It dies with its host; the copies of GUMS and SAZ then go on read-only.
 */
import { join } from "node:path";
import { type DatabaseConfig, RECORD_RIGHTS } from "../../src/recipes/index.ts";
import { type Call, errorAnswer, type Handler, json, listenMutually, Refusal, readJson, text } from "../http/index.ts";
import { type Cursor, type Fields, PAGE, RecordsError, STREAMS, type Stream } from "../records/event.ts";
import { CANDIDATES, type PoolKnowledge, type PoolOrder } from "../records/pool-order.ts";
import { SqliteFile } from "../records/sqlite-file.ts";
import { readConfig, readTls, runProgram, watchTls } from "../serving/index.ts";

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

function readOrder(value: unknown): PoolOrder {
  const given = (value ?? {}) as Record<string, unknown>;
  const limits = STREAMS.pool;
  const pool = text(given, "pool", limits.pool);
  const subject = text(given, "subject", limits.subject);
  const actor = text(given, "actor", limits.actor, "");
  if (given.action === "release") {
    const account = text(given, "account", limits.account);
    return { action: "release", pool, subject, account, actor, reason: text(given, "reason", limits.reason, "") };
  }
  const { candidates } = given;
  if (given.action !== "assign" || !Array.isArray(candidates) || candidates.length > CANDIDATES)
    throw new Refusal(400, `order: expected assign with at most ${CANDIDATES} candidates, or release`);
  const names = candidates.map((account: unknown) => text({ account }, "account", limits.account));
  return { action: "assign", pool, subject, candidates: names, actor };
}

function readKnowledge(value: unknown): PoolKnowledge {
  const { counter, heads } = (value ?? {}) as Record<string, unknown>;
  if (!Number.isSafeInteger(counter)) throw new Refusal(400, "seen.counter: expected a counter");
  return { counter: counter as number, heads: readCursor(heads) };
}

/** A full disk or a damaged file is the outside's fault: said with its sentence, and the caller may try again. */
function orAway<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SQLITE_ERROR")
      throw new Refusal(503, `the database file: ${(error as Error).message}`);
    if (error instanceof RecordsError) throw new Refusal(409, error.message);
    throw error;
  }
}

runProgram(async (guest, log) => {
  const config = readConfig<DatabaseConfig>(guest, "database.json");
  const tls = readTls(guest);
  const file = new SqliteFile(join(guest.data, "records.sqlite"));
  const streamsOf = (right: "reads" | "writes", role: keyof typeof RECORD_RIGHTS): readonly string[] =>
    right === "writes" ? RECORD_RIGHTS[role].writes : [...RECORD_RIGHTS[role].writes, ...RECORD_RIGHTS[role].reads];
  const allowed = new Set(
    (["reads", "writes"] as const).flatMap((right) =>
      config.accounts.flatMap(({ guest: name, role }) =>
        streamsOf(right, role).map((stream) => `${name} ${right} ${stream}`),
      ),
    ),
  );

  const only =
    (right: "reads" | "writes", stream: Stream, work: (body: Readonly<Record<string, unknown>>) => unknown): Handler =>
    async ({ peer, request }: Call) => {
      if (peer.unit !== "guest" || !allowed.has(`${peer.name} ${right} ${stream}`))
        return errorAnswer(
          403,
          `${peer.name || "this certificate"} may not ${right === "reads" ? "read" : "write"} ${stream} records`,
        );
      return json(200, work(await readJson(request)));
    };

  const routes: Record<string, Handler> = {};
  for (const stream of Object.keys(STREAMS) as Stream[]) {
    routes[`POST /records/${stream}/append`] = only("writes", stream, ({ fields, after }) => {
      if (!Number.isSafeInteger(after)) throw new Refusal(400, "after: expected a counter");
      return orAway(() => file.append(stream, readFields(stream, fields), after as number));
    });
    routes[`POST /records/${stream}/since`] = only("reads", stream, ({ cursor, limit }) =>
      orAway(() =>
        file.since(stream, readCursor(cursor), Math.min(PAGE, Math.max(1, Math.trunc(Number(limit)) || PAGE))),
      ),
    );
  }

  routes["POST /records/pool/order"] = only("writes", "pool", ({ order, seen }) =>
    orAway(() => file.order(readOrder(order), readKnowledge(seen))),
  );
  routes["POST /records/pool/about"] = only("reads", "pool", (body) =>
    orAway(() => file.about(text(body, "subject", STREAMS.pool.subject))),
  );

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
