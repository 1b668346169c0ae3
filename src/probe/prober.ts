/**
 * A prober: asks the same question at fixed spacing and says how long nobody answered. Open loop: a slow answer never delays the next
 * question, because a prober that waits sees one slow answer where a client population sees a hundred.
 * A gap runs from the last good answer before to the first good answer after: what a person at the other end would have felt.
 */
import { connect } from "node:net";
import type { Probe } from "../model/index.ts";
import { connector, RequestFailure, type TlsIdentity } from "../world/index.ts";
import { probeGuest, readAnswer } from "./checks.ts";

/** One question. It must end within the time and never throw. */
export type Ask = (
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<{ readonly good: boolean; readonly says: string }>;

export interface ProberOptions {
  readonly ask: Ask;
  /** Milliseconds from one question to the next; 20 when silent. */
  readonly spacingMs?: number;
  /** Milliseconds until a question counts as failed; 2,000 when silent. */
  readonly timeoutMs?: number;
  /** Most questions under way; further ones count as withheld, and as failed in gaps. 500 when silent. */
  readonly mostOutstanding?: number;
  /** A pause this long between good answers is a gap even when no question failed (a machine that stood still); 10 spacings, at least 100 ms. */
  readonly pauseMs?: number;
  readonly onSample?: (sample: ProbeSample) => void;
  readonly onGap?: (gap: Gap) => void;
  readonly signal?: AbortSignal;
}

/** Milliseconds since the prober's start. */
export interface ProbeSample {
  readonly askedAt: number;
  readonly endedAt: number;
  readonly outcome: "good" | "failed" | "withheld";
  readonly says: string;
}

/** Milliseconds since the prober's start; `failed` counts the questions that failed in it, `says` is what the first of them saw. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly ms: number;
  readonly failed: number;
  readonly says: string;
  /** No good answer came before the prober was stopped. */
  readonly open: boolean;
}

export interface ProberReport {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly asked: number;
  readonly good: number;
  readonly failed: number;
  readonly withheld: number;
  readonly gaps: readonly Gap[];
  readonly longestGapMs: number;
  /** The last samples, in order of their end; older ones are thrown away. */
  readonly samples: readonly ProbeSample[];
}

export interface Prober {
  /** Resolves after so many more good answers; rejects when the prober is stopped before. */
  readonly good: (count: number) => Promise<void>;
  readonly report: () => ProberReport;
  /** Stops asking; what is under way is given up and not counted. */
  readonly stop: () => ProberReport;
}

const MOST_SAMPLES = 50_000;
const MOST_GAPS = 10_000;

/** Starts at once. */
export function startProber(options: ProberOptions): Prober {
  const spacing = options.spacingMs ?? 20;
  const timeoutMs = options.timeoutMs ?? 2000;
  const most = options.mostOutstanding ?? 500;
  const pause = options.pauseMs ?? Math.max(100, spacing * 10);
  const startedAt = Date.now();
  const began = performance.now();
  const now = () => performance.now() - began;
  const counts = { asked: 0, good: 0, failed: 0, withheld: 0 };
  const gaps: Gap[] = [];
  let samples: ProbeSample[] = [];
  let lastGood = 0;
  let failing: { count: number; says: string } | null = null;
  let outstanding = 0;
  let stopped = false;
  let waiters: { left: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  const given = new AbortController();

  const gapUntil = (to: number, open: boolean): Gap | null => {
    const ms = to - lastGood;
    if (failing === null && ms < pause) return null;
    const says = failing?.says ?? "no answer came";
    return { from: lastGood, to, ms, failed: failing?.count ?? 0, says, open };
  };
  const note = (sample: ProbeSample) => {
    counts[sample.outcome]++;
    samples.push(sample);
    if (samples.length > 2 * MOST_SAMPLES) samples = samples.slice(-MOST_SAMPLES);
    if (sample.outcome !== "good") {
      // A question asked before the last good answer tells of an outage that is already over.
      if (sample.askedAt >= lastGood)
        failing = { count: (failing?.count ?? 0) + 1, says: failing?.says ?? sample.says };
    } else {
      const gap = gapUntil(sample.endedAt, false);
      if (gap && gaps.length < MOST_GAPS) {
        gaps.push(gap);
        options.onGap?.(gap);
      }
      failing = null;
      lastGood = sample.endedAt;
      for (const waiter of waiters) if (--waiter.left <= 0) waiter.resolve();
      waiters = waiters.filter((waiter) => waiter.left > 0);
    }
    options.onSample?.(sample);
  };
  const askOne = async () => {
    const askedAt = now();
    counts.asked++;
    if (outstanding >= most) {
      return note({ askedAt, endedAt: askedAt, outcome: "withheld", says: `${most} questions are still unanswered` });
    }
    outstanding++;
    const seen = await options.ask(timeoutMs, given.signal);
    outstanding--;
    if (!stopped) note({ askedAt, endedAt: now(), outcome: seen.good ? "good" : "failed", says: seen.says });
  };

  let due = 0;
  let timer: NodeJS.Timeout;
  const tick = () => {
    // Questions that our own lateness delayed are asked at once, but not a heap of them after a long sleep of this machine.
    for (let burst = 0; due <= now() && burst < 10; burst++, due += spacing) void askOne();
    if (due <= now()) due = now() + spacing;
    timer = setTimeout(tick, Math.max(1, due - now()));
  };
  tick();

  const report = (): ProberReport => {
    const open = gapUntil(now(), true);
    const all = open ? [...gaps, open] : [...gaps];
    return {
      startedAt,
      durationMs: now(),
      ...counts,
      gaps: all,
      longestGapMs: all.reduce((longest, gap) => Math.max(longest, gap.ms), 0),
      samples: samples.slice(-MOST_SAMPLES),
    };
  };
  const stop = (): ProberReport => {
    const last = report();
    if (stopped) return last;
    stopped = true;
    clearTimeout(timer);
    given.abort();
    for (const waiter of waiters) waiter.reject(new Error("the prober was stopped"));
    return last;
  };
  options.signal?.addEventListener("abort", () => void stop(), { once: true });
  return {
    good: (left) => new Promise((resolve, reject) => waiters.push({ left, resolve, reject })),
    report,
    stop,
  };
}

/**
 * @param servername the name the certificate must carry, the alias's; `null` checks the address
 * @param readOnlyIsGood whether an answer that reads only counts as service
 */
export function askProbe(
  probe: Probe,
  address: string,
  tls: TlsIdentity | null,
  servername: string | null,
  readOnlyIsGood = true,
): Ask {
  return async (timeoutMs, signal) => {
    const { outcome, says } = await probeGuest(probe, address, tls, { timeoutMs, servername, signal });
    return { good: outcome === "answers" || (readOnlyIsGood && outcome === "read-only"), says };
  };
}

/** Questions over one connection before the next one is made. */
const KEPT_FOR = 25;

/**
 * The same question over connections that are kept for a while, as a steady client has them: it costs a tenth of a handshake each time, so that
 * many doors can be asked every 20 ms without filling the machine. A connection that breaks is replaced by the next question.
 * @param questions over one connection, before a new one is made
 */
export function askKept(
  probe: Extract<Probe, { kind: "http" | "https" }>,
  address: string,
  tls: TlsIdentity | null,
  servername: string | null,
  questions = KEPT_FOR,
): Ask {
  const to = { scheme: probe.kind, address, port: probe.port, servername, tls, localAddress: null, preamble: null };
  const open = (connectTimeoutMs: number) => ({
    connection: connector({ ...to, connectTimeoutMs }, true),
    asked: 0,
    waiting: 0,
  });
  let current: ReturnType<typeof open> | null = null;
  return async (timeoutMs, signal) => {
    current ??= open(timeoutMs);
    const line = current;
    if (++line.asked >= questions) current = null;
    line.waiting++;
    try {
      const { status, body } = await line.connection.ask({ method: "GET", path: probe.path, timeoutMs, signal });
      const { outcome, says } = readAnswer(probe, status, body);
      return { good: outcome !== "failed", says };
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      // Whatever else waits on it ends by itself; the next question goes another way.
      if (current === line) current = null;
      return { good: false, says: error.message };
    } finally {
      if (--line.waiting === 0 && current !== line) line.connection.close();
    }
  };
}

/** For services that speak first (MariaDB): a connection alone proves only that a kernel answers. */
export function askGreeting(address: string, port: number): Ask {
  return (timeoutMs, signal) =>
    new Promise((resolve) => {
      const socket = connect({ host: address, port });
      const end = (good: boolean, says: string) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        socket.destroy();
        resolve({ good, says });
      };
      const onAbort = () => end(false, "given up");
      const timer = setTimeout(() => end(false, `silent for ${timeoutMs} ms`), timeoutMs);
      signal.addEventListener("abort", onAbort, { once: true });
      socket.once("data", () => end(true, "it greets"));
      socket.on("error", (error: NodeJS.ErrnoException) => end(false, error.code ?? error.message));
      socket.on("close", () => end(false, "it hung up without a word"));
    });
}
