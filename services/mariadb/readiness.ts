/**
 * When may this server take writes, and what does its health say? One pure rule over what was observed.
 *
 * It starts read_only. It becomes writable when it has every commit its upstream had when it was asked. If the upstream is away it must
 * still become writable, or a lost host would cost all writes: at once when connections are refused (nobody is there to be behind of),
 * after a wait when nothing answers (a cut network) and only if this data has been caught up before. What the upstream
 * may have committed and not sent is then missing until it returns; the tables are such that it merges (services/records).
 */

/** What one look at the server and its upstream gave. */
export interface Observation {
  /** Milliseconds, of any steady clock. */
  readonly now: number;
  readonly writable: boolean;
  /** `none`: a ring of one. */
  readonly upstream: "answers" | "refused" | "silent" | "none";
  /** Milliseconds at which the upstream began to be refused or silent; `null` while it answers. */
  readonly awaySince: number | null;
  /** What the upstream or the system said last when it did not answer. */
  readonly upstreamSays: string;
  /** Domains in which this server lacks commits the upstream had; `null` while not known. */
  readonly missing: readonly number[] | null;
  /** True when the upstream has commits of this server's own that it does not have itself: its data was set back. */
  readonly setBack: boolean;
  readonly caughtUpBefore: boolean;
  /** Sentence of a replication error that stopped a thread; `null` when none did. */
  readonly stopped: string | null;
  readonly lagSeconds: number | null;
}

export interface Readiness {
  readonly state: "ok" | "catching-up" | "replication-stopped";
  /** Should it take writes now? */
  readonly writable: boolean;
  readonly says: string;
}

/** Milliseconds of refusal, and of silence, after which the upstream counts as away. */
export const PATIENCE = { refused: 400, silent: 5000 } as const;
/** Seconds of lag above which a writable server is not the one to send writes to. */
export const LAG_LIMIT = 5;

export function judgeReadiness(seen: Observation): Readiness {
  if (seen.setBack)
    return {
      state: "replication-stopped",
      writable: false,
      says: "the upstream has commits of this server that it does not have itself: its data was set back; make it anew from the upstream",
    };
  if (seen.stopped !== null) return { state: "replication-stopped", writable: seen.writable, says: seen.stopped };
  if (seen.writable) {
    const lag = seen.lagSeconds ?? 0;
    return lag > LAG_LIMIT
      ? { state: "catching-up", writable: true, says: `${lag} s behind its upstream` }
      : {
          state: "ok",
          writable: true,
          says: seen.upstream === "answers" ? "caught up" : "goes on without its upstream",
        };
  }
  const away = seen.awaySince === null ? 0 : seen.now - seen.awaySince;
  const rules: Readonly<Record<Observation["upstream"], () => Readiness>> = {
    none: () => ({ state: "ok", writable: true, says: "the only server" }),
    answers: () =>
      seen.missing !== null && seen.missing.length === 0
        ? { state: "ok", writable: true, says: "caught up" }
        : { state: "catching-up", writable: false, says: "fetches what its upstream has" },
    refused: () =>
      away >= PATIENCE.refused
        ? { state: "ok", writable: true, says: "goes on without its upstream, which refuses connections" }
        : { state: "catching-up", writable: false, says: "its upstream refuses connections" },
    silent: () =>
      away >= PATIENCE.silent && seen.caughtUpBefore
        ? { state: "ok", writable: true, says: `goes on without its upstream, silent for ${Math.round(away / 1000)} s` }
        : {
            state: "catching-up",
            writable: false,
            says: seen.caughtUpBefore
              ? `its upstream does not answer (${seen.upstreamSays})`
              : `its upstream does not answer (${seen.upstreamSays}), and this data has never been caught up with it`,
          },
  };
  return rules[seen.upstream]();
}
