/**
 * A steady load: the population of clients that acceptance tests and `domus load` stand for. Each call is a client with a 500 ms connect
 * timeout, exponential backoff with jitter and a budget of 3 s. Open loop counts each latency from the moment the call was meant to
 * start, so that a service that stands still for a second costs every call of that second, not one. In closed loop nobody means to start a call
 * while he waits; what was not asked then is made up for ({@link Histogram.corrected}), at the interval of the median call. Both say beside it what
 * a call took from when it was begun.
 */
import type { SampleRequest } from "../recipes/index.ts";
import { LeanClient, RequestFailure, type TlsIdentity, type Written } from "../world/index.ts";
import { Histogram } from "./histogram.ts";
import {
  type Attempt,
  type CallOutcome,
  judge,
  type LoadEvent,
  type LoadReport,
  type LoadSecond,
} from "./load-report.ts";

export interface LoadOptions {
  readonly target: { readonly address: string; readonly port: number; readonly servername: string | null };
  /** Who calls; `null` for plain http. */
  readonly tls: TlsIdentity | null;
  /** Sent in turn; see `writeShare`. Not empty. */
  readonly samples: readonly SampleRequest[];
  /** Share of calls that write, 0 to 1; `null`: the samples in turn as they stand. */
  readonly writeShare?: number | null;
  /** `open`: so many calls a second, whatever becomes of them. `closed`: each worker calls again when it has its answer. */
  readonly pace:
    | {
        readonly kind: "open";
        readonly perSecond: number;
        /**
         * `even`: one after the other at equal distance (when silent). `random`: as of clients that know nothing of each other (a Poisson process), but as
         * many as were said in each ten seconds, so that two runs ask the same.
         */
        readonly arrivals?: "even" | "random";
      }
    | { readonly kind: "closed"; readonly workers: number };
  /** Ends after so many calls or seconds, whichever comes first; one of them must be given. */
  readonly calls?: number;
  readonly seconds?: number;
  /** Keep connections, or (when silent) a new one for each call. */
  readonly keepAlive?: boolean;
  /** Addresses of this machine that calls come from, in turn; the system chooses when silent. */
  readonly from?: readonly string[];
  /** Milliseconds for one call with all its repetitions; 3,000 when silent. */
  readonly budgetMs?: number;
  /** Milliseconds; 500 when silent. */
  readonly connectTimeoutMs?: number;
  /** Most calls under way in open loop; later ones wait, and their waiting counts. 2,000 when silent. */
  readonly mostOutstanding?: number;
  /** Repeat within the budget what was refused for the moment (503, 429), as a patient client does; else a refusal is final. */
  readonly repeatRefused?: boolean;
  /** Called when a call has ended; calls that were given up by `signal` are not told. */
  readonly onCall?: (call: LoadEvent) => void;
  /** Called about once a second. */
  readonly onProgress?: (progress: LoadReport) => void;
  readonly signal?: AbortSignal;
  /** 0 to below 1; `Math.random` when silent. */
  readonly random?: () => number;
}

const BACKOFF = { first: 50, most: 800 } as const;
const MOST_EVENTS = 1000;
const MOST_SENTENCES = 50;

/** Times of calls, where a summary is not enough because several processes call. */
export class LoadTimes {
  /** From the moment each call was due; in closed loop the same as {@link LoadTimes.service}. */
  readonly response = new Histogram();
  /** From the moment each call was begun. */
  readonly service = new Histogram();
  /** From due to begun. */
  readonly late = new Histogram();
}

/**
 * Runs a load to its end.
 * @param times filled with each call's
 * @throws TypeError when the options have no end or no samples
 */
export async function runLoad(options: LoadOptions, times = new LoadTimes()): Promise<LoadReport> {
  if (options.samples.length === 0) throw new TypeError("a load needs at least one sample request");
  if (options.calls === undefined && options.seconds === undefined) throw new TypeError("a load needs an end");
  return new LoadRun(options, times).run();
}

class LoadRun {
  readonly #options: LoadOptions;
  readonly #startedAt = Date.now();
  readonly #began = performance.now();
  readonly #processor = process.cpuUsage();
  readonly #turning = performance.eventLoopUtilization();
  readonly #times: LoadTimes;
  readonly #kinds = { read: { answered: 0, refused: 0, lost: 0 }, write: { answered: 0, refused: 0, lost: 0 } };
  readonly #seconds: LoadSecond[] = [];
  readonly #events: LoadEvent[] = [];
  readonly #sentences: Record<string, number> = {};
  readonly #lines = new Map<SampleRequest["scheme"], LeanClient>();
  readonly #written = new Map<SampleRequest, Written>();
  readonly #random: () => number;
  readonly #stop = new AbortController();
  #started = 0;
  /** Calls that were over before the time was up, and those of them that were answered. */
  #inTime = { ended: 0, answered: 0 };
  #repeated = 0;
  #attempts = 0;

  constructor(options: LoadOptions, times: LoadTimes) {
    this.#options = options;
    this.#times = times;
    this.#random = options.random ?? Math.random;
    const { target, tls, keepAlive = false, from = [], connectTimeoutMs = 500 } = options;
    for (const sample of options.samples) {
      const { scheme } = sample;
      const to = { scheme, ...target, tls, connectTimeoutMs };
      const line = this.#lines.get(scheme) ?? new LeanClient({ to, keepAlive, from });
      this.#lines.set(scheme, line);
      const headers: Record<string, string> =
        sample.body === null ? {} : { "content-type": sample.type ?? "application/json" };
      this.#written.set(sample, line.write({ method: sample.method, path: sample.path, headers, body: sample.body }));
    }
  }

  async run(): Promise<LoadReport> {
    const { pace, signal, onProgress } = this.#options;
    const onAbort = () => {
      this.#stop.abort();
      for (const line of this.#lines.values()) line.close();
    };
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const progress = onProgress && setInterval(() => onProgress(this.#report()), 1000);
    try {
      if (pace.kind === "open") await this.#open(pace.perSecond, pace.arrivals ?? "even");
      else await Promise.all(Array.from({ length: pace.workers }, () => this.#worker()));
    } finally {
      clearInterval(progress);
      signal?.removeEventListener("abort", onAbort);
      for (const line of this.#lines.values()) line.close();
    }
    return this.#report();
  }

  #now(): number {
    return performance.now() - this.#began;
  }

  /** @param at milliseconds since the start at which a call would begin */
  #over(at: number): boolean {
    const { calls = Number.POSITIVE_INFINITY, seconds = Number.POSITIVE_INFINITY } = this.#options;
    return this.#stop.signal.aborted || this.#started >= calls || at >= seconds * 1000;
  }

  async #worker(): Promise<void> {
    while (!this.#over(this.#now())) await this.#call(this.#now());
  }

  async #open(perSecond: number, arrivals: "even" | "random"): Promise<void> {
    const most = this.#options.mostOutstanding ?? 2000;
    let running = 0;
    let onEnd = (): void => {};
    const ended = () => {
      running--;
      onEnd();
    };
    const fewerThan = (count: number): Promise<void> =>
      new Promise((resolve) => {
        onEnd = () => running < count && resolve();
        onEnd();
      });
    const { seconds = Number.POSITIVE_INFINITY } = this.#options;
    const times = arrivals === "even" ? evenly(perSecond) : randomly(perSecond, seconds, this.#random);
    for (const meant of times) {
      if (this.#over(meant)) break;
      const wait = meant - this.#now();
      if (wait > 0) await this.#sleep(wait);
      if (running >= most) await fewerThan(most);
      if (this.#stop.signal.aborted) break;
      running++;
      void this.#call(meant).finally(ended);
    }
    await fewerThan(1);
  }

  #sample(call: number): SampleRequest {
    const { samples, writeShare = null } = this.#options;
    if (writeShare === null) return samples[call % samples.length]!;
    const kind = this.#random() < writeShare ? "write" : "read";
    const fitting = samples.filter((sample) => sample.kind === kind);
    const choice = fitting.length > 0 ? fitting : samples;
    return choice[call % choice.length]!;
  }

  /** @param meant milliseconds since the start at which it was to begin */
  async #call(meant: number): Promise<void> {
    const call = this.#started++;
    const sample = this.#sample(call);
    const began = this.#now();
    const budget = this.#options.budgetMs ?? 3000;
    let attempts = 0;
    let outcome: CallOutcome = "lost";
    let says = "";
    for (let backoff: number = BACKOFF.first; ; backoff = Math.min(backoff * 2, BACKOFF.most)) {
      const left = began + budget - this.#now();
      if (left <= 0) break;
      attempts++;
      const attempt = await this.#attempt(sample, left);
      if (attempt.end !== "answered") says = attempt.says;
      const passing = attempt.end === "refused" && attempt.passing && this.#options.repeatRefused === true;
      outcome = attempt.end === "again" ? "lost" : attempt.end;
      if (attempt.end !== "again" && !passing) break;
      // A call that we gave up ourselves is no call the service lost.
      if (this.#stop.signal.aborted) return void this.#started--;
      await this.#sleep(Math.min(backoff * (0.5 + this.#random() / 2), Math.max(0, began + budget - this.#now())));
    }
    const at = this.#now();
    this.#times.service.add(at - began);
    this.#times.late.add(began - meant);
    this.#note({ at, call, kind: sample.kind, outcome, attempts, tookMs: at - meant, says });
  }

  async #attempt(sample: SampleRequest, timeoutMs: number): Promise<Attempt> {
    try {
      const answer = await this.#lines.get(sample.scheme)!.ask(this.#written.get(sample)!, timeoutMs);
      return judge(sample, answer.status, answer.body);
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      return { end: "again", says: error.message };
    }
  }

  #note(event: LoadEvent): void {
    this.#options.onCall?.(event);
    this.#kinds[event.kind][event.outcome]++;
    this.#attempts += event.attempts;
    if (event.attempts > 1) this.#repeated++;
    if (event.at <= (this.#options.seconds ?? Number.POSITIVE_INFINITY) * 1000) {
      this.#inTime.ended++;
      if (event.outcome === "answered") this.#inTime.answered++;
    }
    this.#times.response.add(event.tookMs);
    const second = Math.floor(event.at / 1000);
    this.#seconds[second] ??= { second, answered: 0, refused: 0, lost: 0, repeated: 0, maxMs: 0 };
    const row = this.#seconds[second];
    row[event.outcome]++;
    if (event.attempts > 1) row.repeated++;
    row.maxMs = Math.max(row.maxMs, Math.round(event.tookMs * 10) / 10);
    if (event.outcome !== "answered") {
      // What is left of a budget differs each time and says nothing.
      const says = event.says.replace(/within \d+ ms/, "in time");
      const known = says in this.#sentences || Object.keys(this.#sentences).length < MOST_SENTENCES;
      const sentence = known ? says : "something else";
      this.#sentences[sentence] = (this.#sentences[sentence] ?? 0) + 1;
    }
    if ((event.outcome !== "answered" || event.attempts > 1) && this.#events.length < MOST_EVENTS)
      this.#events.push(event);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#stop;
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (signal.aborted) done();
      else signal.addEventListener("abort", done);
    });
  }

  #report(): LoadReport {
    const { read, write } = this.#kinds;
    const sum = (outcome: CallOutcome) => read[outcome] + write[outcome];
    const ended = sum("answered") + sum("refused") + sum("lost");
    const durationMs = this.#now();
    const limitMs = (this.#options.seconds ?? Number.POSITIVE_INFINITY) * 1000;
    const { response, service, late } = this.#times;
    const { user, system } = process.cpuUsage(this.#processor);
    const spread = this.#options.pace.kind === "open" ? response : service.corrected(service.percentile(0.5));
    return {
      startedAt: this.#startedAt,
      durationMs: Math.round(durationMs),
      calls: ended,
      answered: sum("answered"),
      refused: sum("refused"),
      lost: sum("lost"),
      byKind: { read: { ...read }, write: { ...write } },
      repeated: this.#repeated,
      attempts: this.#attempts,
      latency: spread.summary(),
      service: service.summary(),
      answeredPerSecond: (this.#inTime.answered * 1000) / Math.max(1, Math.min(durationMs, limitMs)),
      waiting: ended - this.#inTime.ended,
      callsPerDay: Math.round((sum("answered") / Math.max(durationMs, 1)) * 86_400_000),
      client: {
        processors: (user + system) / 1000 / Math.max(durationMs, 1),
        busy: performance.eventLoopUtilization(this.#turning).utilization,
        lateMs: Math.round(late.percentile(0.99) * 100) / 100,
      },
      seconds: this.#seconds.filter((row) => row !== undefined).map((row) => ({ ...row })),
      events: [...this.#events],
      sentences: { ...this.#sentences },
      aborted: this.#stop.signal.aborted,
    };
  }
}

function* evenly(rate: number): Generator<number> {
  for (let call = 0; ; call++) yield (call * 1000) / rate;
}

/** Seconds in which as many calls come as were said. */
const WINDOW = 10;

/** Calls of a Poisson process of which their number is known are spread like so many numbers drawn at once, in order. */
function* randomly(rate: number, seconds: number, random: () => number): Generator<number> {
  for (let from = 0; from < seconds; from += WINDOW) {
    const time = Math.min(WINDOW, seconds - from);
    const gaps = Array.from({ length: Math.max(1, Math.round(rate * time)) + 1 }, () => -Math.log(1 - random()));
    const scale = (1000 * time) / gaps.reduce((sum, gap) => sum + gap, 0);
    let at = from * 1000;
    for (const gap of gaps.slice(0, -1)) {
      at += gap * scale;
      yield at;
    }
  }
}
