/**
 * What GUMS and SAZ have in common: a copy that decides from memory, follows its database, keeps an audit record, says how fresh it is,
 * and renews its certificates while it runs. What they decide is theirs.
 */
import { join } from "node:path";
import type { DatabaseAccess, ServingConfig, StaleRule } from "../../src/recipes/index.ts";
import { type Fields, Follower, openRecords, type Stream } from "../records/index.ts";
import {
  Audit,
  type Close,
  errorAnswer,
  type Freshness,
  type Guest,
  type Handler,
  json,
  judgeFreshness,
  type Log,
  listenMutually,
  readTls,
  requireClientChain,
  type TlsFiles,
  watchTls,
} from "../serving/index.ts";

export { Names, quote, quotedNow } from "./names.ts";

export interface DecidingConfig extends ServingConfig {
  readonly database: DatabaseAccess | null;
  readonly stale: StaleRule;
}

/** What a copy has to decide with. */
export interface DecidingParts {
  readonly guest: string;
  readonly follower: Follower;
  readonly audit: Audit;
  readonly freshness: () => Freshness;
}

export interface Decider {
  readonly stream: Stream;
  /** What an event speaks of: the last event of a key counts. */
  readonly keyOf: (fields: Fields) => string;
  readonly routes: (parts: DecidingParts, tls: TlsFiles) => Readonly<Record<string, Handler>>;
  /** Told about new certificates, for connections of its own. */
  readonly renew?: (tls: TlsFiles) => void;
  readonly close?: () => void;
}

/** Milliseconds for which a judgement is kept: the clock that goes on while the machine sleeps costs a third of a decision. */
const LATELY = 20;

function lately<Value>(judge: () => Value): () => Value {
  let value = judge();
  let since = performance.now();
  return () => {
    const now = performance.now();
    if (now - since > LATELY) {
      value = judge();
      since = now;
    }
    return value;
  };
}

/**
 * Starts a copy.
 * @throws StartRefused when the certificates do not work or Node hides the client's chain; the system's error when the port is taken
 */
export async function serveDecisions(guest: Guest, log: Log, config: DecidingConfig, decider: Decider): Promise<Close> {
  const tls = readTls(guest);
  await requireClientChain(tls, guest.address);
  const records = openRecords(config.database, guest, tls);
  const follower = new Follower({
    stream: decider.stream,
    keyOf: decider.keyOf,
    records,
    file: join(guest.data, "snapshot.json"),
    onFault: (says) => log("database out of sight", { says }),
    onReturn: () => log("database in sight"),
    onSnapshot: (says) => log("snapshot", { says }),
  });
  await follower.start();
  const audit = new Audit(join(guest.data, "audit.log"), (says) => log("audit", { says }));
  const judge = (): Freshness =>
    judgeFreshness(config.stale, follower.seen, follower.fault, follower.seen + (follower.age() ?? 0));
  const freshness = lately(judge);
  const server = await listenMutually({
    tls,
    address: guest.address,
    port: config.port,
    directors: config.directors,
    communities: config.communities ?? [],
    routes: {
      ...decider.routes({ guest: guest.name, follower, audit, freshness }, tls),
      "GET /health": () => {
        const now = judge();
        const { queued, refused } = server.load();
        const about = { ...now, guest: guest.name, cursor: follower.cursor(), auditLost: audit.lost, queued, refused };
        return json(now.state === "stale" ? 503 : 200, about);
      },
      "GET /load": ({ peer }) =>
        peer.unit === "operator" ? json(200, server.load()) : errorAnswer(403, "the load is shown to operators"),
    },
    log,
  });
  const unwatch = watchTls(guest, log, (renewed) => {
    server.renew(renewed);
    records.renew(renewed);
    decider.renew?.(renewed);
  });
  return async () => {
    unwatch();
    await server.close();
    decider.close?.();
    await follower.close();
    audit.close();
  };
}
