/**
 * What GUMS and SAZ have in common: a copy that decides from memory, follows its database, keeps an audit record, says how fresh it is,
 * and renews its certificates while it runs. What they decide is theirs.
 */
import { join } from "node:path";
import type { AuditRule, DatabaseAccess, ServingConfig, StaleRule } from "../../src/recipes/index.ts";
import { DecisionRecord } from "../audit/index.ts";
import { errorAnswer, type Handler, json, listenMutually, type MutualServerOptions } from "../http/index.ts";
import {
  type Cursor,
  type Fold,
  type Folding,
  Follower,
  type FollowerOptions,
  openRecords,
  type Records,
  type Stream,
} from "../records/index.ts";
import {
  type Close,
  type Freshness,
  type Guest,
  judgeFreshness,
  type Log,
  readTls,
  requireClientChain,
  type TlsFiles,
  watchTls,
} from "../serving/index.ts";

export { type Believes, compileGatekeepers } from "./gatekeepers.ts";
export { quote, quotedNow } from "./lines.ts";
export { named } from "./named.ts";
export { later, soapAnswer, soapCall, stamp } from "./soap.ts";

export interface DecidingConfig extends ServingConfig {
  readonly database: DatabaseAccess | null;
  readonly stale: StaleRule;
  readonly audit: AuditRule;
}

/** What a copy has to decide with. */
export interface DecidingParts {
  readonly guest: Guest;
  readonly tls: TlsFiles;
  readonly log: Log;
  /** The one connection to the database's alias that all followers share. */
  readonly records: Records;
  /** Follows a stream; it starts with the service. */
  readonly follow: <State extends Fold>(
    stream: Stream,
    folding: Folding<State>,
    options?: Pick<FollowerOptions, "onChange" | "saveEvery">,
  ) => Follower<State>;
  readonly audit: DecisionRecord;
  readonly freshness: () => Freshness;
}

/** What a copy serves. */
export interface Deciding {
  readonly routes: Readonly<Record<string, Handler>>;
  /** Awaited before the port opens: what follows the database by itself. */
  readonly start?: () => Promise<void>;
  /** More for `/health`. */
  readonly about?: () => Readonly<Record<string, unknown>>;
  /** Where its clients are not those of the site: how they speak, who is let in, and which certificate they are shown. */
  readonly door?: Pick<MutualServerOptions, "protocol" | "admit"> & { readonly tls?: (own: TlsFiles) => TlsFiles };
  /** Told about new certificates, for connections of its own. */
  readonly renew?: (tls: TlsFiles) => void;
  readonly close?: () => void | Promise<void>;
}

/** The copy is as fresh as the stream that it has not seen for longest. */
function judgeAll(rule: StaleRule, followers: readonly Follower<Fold>[]): Freshness {
  const oldest = followers.reduce((one, other) =>
    (other.age() ?? Number.POSITIVE_INFINITY) > (one.age() ?? Number.POSITIVE_INFINITY) ? other : one,
  );
  return judgeFreshness(rule, oldest.seen, oldest.fault, oldest.seen + (oldest.age() ?? 0));
}

/** Milliseconds for which a judgement is kept: the clock that goes on while the machine sleeps costs a third of a decision. */
const LATELY = 20;

function lately<Value>(judge: () => Value): () => Value {
  let value: Value;
  let since = Number.NEGATIVE_INFINITY;
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
export async function serveDecisions(
  guest: Guest,
  log: Log,
  config: DecidingConfig,
  build: (parts: DecidingParts) => Deciding,
): Promise<Close> {
  const tls = readTls(guest);
  await requireClientChain(tls, guest.address);
  const records = openRecords(config.database, guest, tls);
  const followers: Follower<Fold>[] = [];
  const audit = new DecisionRecord({
    directory: guest.data,
    retention: config.audit,
    onFault: (says) => log("audit", { says }),
  });
  const judge = (): Freshness => judgeAll(config.stale, followers);
  const freshness = lately(judge);
  const deciding = build({
    guest,
    tls,
    log,
    records,
    follow: (stream, folding, options = {}) => {
      const first = followers.length === 0;
      const follower = new Follower({
        stream,
        ...folding,
        records,
        file: join(guest.data, first ? "snapshot.json" : `snapshot-${stream}.json`),
        // One database: what happens to all streams is said by the first.
        onFault: (says) => log(first ? "database out of sight" : `${stream} records out of sight`, { says }),
        onReturn: () => log(first ? "database in sight" : `${stream} records in sight`),
        onSnapshot: (says) => log("snapshot", { stream, says }),
        ...options,
      });
      followers.push(follower as Follower<Fold>);
      return follower;
    },
    audit,
    freshness,
  });
  await Promise.all([...followers.map((follower) => follower.start()), deciding.start?.()]);
  const cursors = (): Readonly<Record<string, Cursor>> =>
    Object.fromEntries(followers.map((follower) => [follower.stream, follower.cursor()]));
  const { tls: shown = (own: TlsFiles): TlsFiles => own, ...door } = deciding.door ?? {};
  const server = await listenMutually({
    ...door,
    tls: shown(tls),
    address: guest.address,
    port: config.port,
    directors: config.directors,
    communities: config.communities ?? [],
    routes: {
      ...deciding.routes,
      "GET /health": () => {
        const now = judge();
        const { queued, refused } = server.load();
        const about = { ...now, guest: guest.name, cursors: cursors(), auditLost: audit.lost, queued, refused };
        return json(now.state === "stale" ? 503 : 200, { ...about, ...deciding.about?.() });
      },
      "GET /load": ({ peer }) =>
        peer.unit === "operator" ? json(200, server.load()) : errorAnswer(403, "the load is shown to operators"),
    },
    log,
  });
  const unwatch = watchTls(guest, log, (renewed) => {
    server.renew(shown(renewed));
    records.renew(renewed);
    deciding.renew?.(renewed);
  });
  return async () => {
    unwatch();
    await server.close();
    await deciding.close?.();
    for (const follower of followers) await follower.close();
    await audit.close();
  };
}
