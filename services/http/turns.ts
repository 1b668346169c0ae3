/**
 * Whose call is next. Nothing waits: a call is answered where it is read. Otherwise it waits in its community's queue, and a slice of work
 * is done in each turn of the loop, so that what others send is read in between. Communities pay with the time their calls took.
 */
import { FairQueue } from "../../src/world/index.ts";
import type { Belonging } from "./communities.ts";
import { Waiting } from "./waiting.ts";

export interface TurnLimits {
  /** Calls of one community that wait, and in all. */
  readonly waitingOfCommunity: number;
  readonly waiting: number;
  /** Calls of one community that wait, beyond which the next ones of a crowd stay in the kernel. */
  readonly ahead: number;
  /** Calls of one community that wait for something outside, such as a database. */
  readonly outside: number;
  /** Connections of one community. */
  readonly connections: number;
  /** Octets of answers that the clients of one community have not taken yet. */
  readonly unread: number;
  /** Milliseconds of work in one turn of the loop: while one community has connections, and while several have. */
  readonly slice: { readonly alone: number; readonly shared: number };
}

/**
 * A thousand calls are some fifty milliseconds of work: who waits longer has given up, or should. What waits in memory outlives collections and
 * makes them long, so a crowd on kept connections has few calls there.
 */
export const TURN_LIMITS: TurnLimits = {
  waitingOfCommunity: 1024,
  waiting: 8192,
  ahead: 64,
  outside: 64,
  connections: 3000,
  unread: 32 * 1024 * 1024,
  slice: { alone: 0.4, shared: 0.15 },
};

/** Calls answered where they are read, in one turn of the loop: as many as a slice, without looking at the clock. */
const AT_ONCE = 8;
/** Communities without a rule that are remembered; those with nothing open go first. */
const REMEMBERED = 1024;

export class Community {
  readonly name: string;
  readonly own: boolean;
  share: number;
  connections = 0;
  outside = 0;
  /** Octets of answers that wait in memory, because its clients do not read. */
  unread = 0;
  accepted = 0;
  answered = 0;
  refused = 0;
  readonly waiting = new Waiting();

  constructor({ name, own, share }: Belonging) {
    this.name = name;
    this.own = own;
    this.share = share;
  }
}

/** A call that waits. */
export interface Job {
  readonly community: Community;
  readonly since: number;
  /** Does the work; nothing when its connection is gone. */
  readonly run: () => void;
  /** Tells the caller that there is no room. */
  readonly refuse: () => void;
}

export class Turns {
  readonly #limits: TurnLimits;
  readonly #queue: FairQueue<Job>;
  readonly #communities = new Map<string, Community>();
  readonly #minute = setInterval(() => this.#turn(), 60_000).unref();
  #atOnce = 0;
  #scheduled = false;
  /** Communities that have connections. */
  #inhabited = 0;

  constructor(limits: TurnLimits = TURN_LIMITS) {
    this.#limits = limits;
    this.#queue = new FairQueue({ lane: limits.waitingOfCommunity, all: limits.waiting }, 0.1);
  }

  get limits(): TurnLimits {
    return this.#limits;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get communities(): Iterable<Community> {
    return this.#communities.values();
  }

  /** Whether calls of a crowd may be read for which there is no time yet. */
  roomFor(community: Community): boolean {
    return this.waitingOf(community) < this.#limits.ahead;
  }

  waitingOf(community: Community): number {
    return this.#queue.waiting(keyOf(community));
  }

  community(belonging: Belonging): Community {
    const key = keyOf(belonging);
    let community = this.#communities.get(key);
    if (community === undefined) {
      if (this.#communities.size >= REMEMBERED) this.#forget();
      community = new Community(belonging);
      this.#communities.set(key, community);
    }
    return community;
  }

  /** Whether several communities have connections. */
  get shared(): boolean {
    return this.#inhabited > 1;
  }

  /**
   * Whether a call may be answered where it is read; it counts as one then.
   * @param behind it was sent before the one in front of it on its connection was answered
   */
  mayRunAtOnce(behind: boolean): boolean {
    if (behind || this.#queue.size > 0 || this.#atOnce >= AT_ONCE) return false;
    this.#atOnce++;
    this.#schedule();
    return true;
  }

  /** A connection more. @returns whether the community may have it */
  enter(community: Community): boolean {
    if (community.connections++ === 0) this.#inhabited++;
    return community.connections <= this.#limits.connections;
  }

  leave(community: Community): void {
    if (--community.connections === 0) this.#inhabited--;
  }

  put(job: Job): void {
    const { community } = job;
    const put = this.#queue.put(keyOf(community), community.share, job);
    if (put.outcome === "refused") return void job.refuse();
    if (put.outcome === "displaced") put.displaced.refuse();
    this.#schedule();
  }

  close(): void {
    clearInterval(this.#minute);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#slice);
  }

  readonly #slice = (): void => {
    this.#scheduled = false;
    this.#atOnce = 0;
    let now = performance.now();
    const end = now + (this.shared ? this.#limits.slice.shared : this.#limits.slice.alone);
    while (now < end) {
      const job = this.#queue.take();
      if (job === undefined) return;
      job.community.waiting.add(now - job.since);
      job.run();
      const after = performance.now();
      this.#queue.charge(after - now);
      now = after;
    }
    if (this.#queue.size > 0) this.#schedule();
  };

  #turn(): void {
    for (const community of this.#communities.values()) community.waiting.turn();
  }

  /** Forgets the one without a rule and without a connection that came first; when there is none, the number grows with the connections. */
  #forget(): void {
    for (const [key, community] of this.#communities) {
      if (!community.own || community.connections > 0 || community.outside > 0) continue;
      this.#communities.delete(key);
      return;
    }
  }
}

/** A rule's name and a certificate's may be the same word. */
function keyOf({ name, own }: { readonly name: string; readonly own: boolean }): string {
  return own ? `certificate ${name}` : name;
}
