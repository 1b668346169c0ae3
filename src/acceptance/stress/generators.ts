/** Load generators: as many processes as this machine can spare, told the same and counted together. */
import { Histogram, type LoadReport } from "../../probe/index.ts";
import { PAGE_SIZE, readProcess, TICKS_PER_SECOND, type TlsIdentity } from "../../world/index.ts";
import { LineChild } from "./child.ts";
import type { LoadEnd, LoadTask } from "./task.ts";

/** More of them would only be more to read. */
const MOST = 8;

/**
 * @param cpus of this machine
 * @param shared the servers are on it too
 */
export function generatorsFor(cpus: number, shared: boolean): number {
  return Math.max(1, Math.min(MOST, shared ? Math.floor(cpus / 2) : cpus - 1));
}

const SUMMED = ["calls", "answered", "refused", "lost", "repeated", "waiting", "answeredPerSecond"] as const;
type Summed = (typeof SUMMED)[number];

/** What all generators together have seen of one run. */
export interface Together extends Pick<LoadReport, Summed | "sentences"> {
  readonly response: Histogram;
  readonly service: Histogram;
  readonly late: Histogram;
}

export class Generators {
  readonly #children: readonly LineChild[];
  readonly #tls: TlsIdentity;
  #runs = 0;

  private constructor(children: readonly LineChild[], tls: TlsIdentity) {
    this.#children = children;
    this.#tls = tls;
  }

  /** @throws ChildEnded when one does not start */
  static async start(count: number, { ca, cert, key }: TlsIdentity): Promise<Generators> {
    const children = Array.from({ length: count }, () => new LineChild("generator"));
    const all = new Generators(children, { ca, cert, key });
    try {
      for (const child of children) child.send({ tls: { ca, cert, key } });
      await Promise.all(children.map((child) => child.line()));
      return all;
    } catch (error) {
      await all.close();
      throw error;
    }
  }

  get count(): number {
    return this.#children.length;
  }

  get pids(): readonly number[] {
    return this.#children.map(({ pid }) => pid);
  }

  get tls(): TlsIdentity {
    return this.#tls;
  }

  /** Processor seconds and resident bytes of all. */
  use(): { readonly cpuSeconds: number; readonly memory: number } {
    const seen = this.#children.map(({ pid }) => readProcess(pid));
    return {
      cpuSeconds: seen.reduce((sum, one) => sum + (one?.cpuTicks ?? 0), 0) / TICKS_PER_SECOND,
      memory: seen.reduce((sum, one) => sum + (one?.residentPages ?? 0), 0) * PAGE_SIZE,
    };
  }

  /**
   * Has the generators call together, each its share.
   * @param only so many of them
   * @throws ChildEnded when one ends before it has said what it saw, also because it was told to by {@link Generators.close}
   */
  async run(options: LoadTask["options"], only = this.count): Promise<Together> {
    const run = ++this.#runs;
    const children = this.#children.slice(0, only);
    const ends = children.map(async (child, index) => {
      const share = shareOf(options, index, children.length);
      if (share === null) return null;
      child.send({ run, options: share } satisfies LoadTask);
      return JSON.parse(await child.line()) as LoadEnd;
    });
    return together((await Promise.all(ends)).filter((one) => one !== null));
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.close()));
  }
}

/** @returns one generator's part; `null` when there is none left for it */
export function shareOf(options: LoadTask["options"], index: number, of: number): LoadTask["options"] | null {
  const { pace } = options;
  if (pace.kind === "open") return { ...options, pace: { ...pace, perSecond: pace.perSecond / of } };
  const workers = Math.floor(pace.workers / of) + (index < pace.workers % of ? 1 : 0);
  return workers === 0 ? null : { ...options, pace: { ...pace, workers } };
}

/** @returns what several saw, as if it had been one */
export function together(ends: readonly LoadEnd[]): Together {
  const [response, service, late] = [new Histogram(), new Histogram(), new Histogram()];
  const sentences: Record<string, number> = {};
  for (const { report, times } of ends) {
    response.merge(times.response);
    service.merge(times.service);
    late.merge(times.late);
    for (const [says, count] of Object.entries(report.sentences)) sentences[says] = (sentences[says] ?? 0) + count;
  }
  const sums = Object.fromEntries(
    SUMMED.map((what) => [what, ends.reduce((all, { report }) => all + report[what], 0)]),
  ) as Record<Summed, number>;
  return { ...sums, sentences, response, service, late };
}
