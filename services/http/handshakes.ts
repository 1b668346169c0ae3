/**
 * Who may begin a TLS handshake, and when. A handshake costs twenty calls, and nothing is known of the client yet but its address, so
 * addresses take turns: connections wait unread until octets of them have come, then in a bounded queue for each address; one begins in each
 * turn of the loop, so that the calls of those who are connected come in between. Who cannot be served is told by a TLS alert at once and let go a
 * little later, each at a moment of his own: those who are refused together would come back together, and the kernel hands all of them over in one
 * turn of the loop. What does not begin as TLS does is refused before any of its machinery is made.
 * Directors' own checks pass by: a copy that is busy is not dead.
 */
import type { Socket } from "node:net";
import { type Client, FairQueue } from "../../src/world/index.ts";

export interface HandshakeLimits {
  /** Connections that wait for their turn, of one address and in all. */
  readonly waitingOfAddress: number;
  readonly waiting: number;
  /** Handshakes under way, of one address and in all. */
  readonly begunOfAddress: number;
  readonly begun: number;
  /** Of those of one address, how many may be younger than so many milliseconds, while others have connections. */
  readonly young: { readonly most: number; readonly for: number };
  /** Connections of one address, from the first octet to the last. */
  readonly openOfAddress: number;
  /** Milliseconds a connection waits for its turn. */
  readonly patience: number;
  /** Milliseconds a client has for its first octet. */
  readonly silence: number;
  /** Milliseconds a handshake under way is left alone while others wait for its place. */
  readonly stuck: number;
  /** Milliseconds between a refusal and the end of the connection: at least, and by chance more than that. */
  readonly leaving: { readonly least: number; readonly more: number };
  /** Refused connections that have not ended yet; above it they end at once. */
  readonly left: number;
}

/**
 * A second of waiting is what clients bear; about 2,000 handshakes are done in one. Slow networks need many under way; but all that are under
 * way may go on in the same turn of the loop, at a third of a millisecond each, and an address that never goes on must not have them all. Nor
 * may four such addresses: who does not go on gives its place to those who wait, before their patience ends.
 *
 * Those that have just begun are those that go on together: clients nearby, who answer within a millisecond. Three of them are a millisecond of
 * work in one turn; sixteen were six, and more with what else came. Clients far away are spread out by their distance.
 */
export const HANDSHAKE_LIMITS: HandshakeLimits = {
  waitingOfAddress: 1024,
  waiting: 2048,
  begunOfAddress: 16,
  begun: 64,
  young: { most: 3, for: 20 },
  openOfAddress: 3000,
  patience: 1500,
  silence: 3000,
  stuck: 500,
  leaving: { least: 100, more: 900 },
  left: 1024,
};

/** A TLS record with a handshake in it, of any version there ever was (RFC 8446 5.1). */
const isHandshake = (octets: Buffer): boolean => octets[0] === 0x16 && (octets.length < 2 || octets[1] === 0x03);

/** Fatal alert 80 (internal_error), RFC 8446 6: what a server may say before it has said anything. */
const ALERT = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x50]);

/** What is known of an address: its connections, and its handshakes under way by when they began. */
interface Account {
  open: number;
  readonly begun: Set<Arrival>;
}

type Refusal = "crowded" | "late" | "garbage";

interface Arrival {
  readonly socket: Socket;
  readonly client: Client;
  since: number;
  over: boolean;
}

export class HandshakeGate {
  /**
   * `silent`: no octet came. `crowded`: too many of its address or in all. `late`: no turn within the patience. `garbage`: it is no TLS.
   * `failed`: the handshake itself.
   */
  readonly counters = { begun: 0, done: 0, silent: 0, crowded: 0, late: 0, garbage: 0, failed: 0 };
  readonly #limits: HandshakeLimits;
  readonly #begin: (socket: Socket, client: Client) => void;
  readonly #onRefused: (address: string, end: Refusal) => void;
  readonly #queue: FairQueue<Arrival>;
  /** Connections of each address: all, and those in a handshake. */
  readonly #addresses = new Map<string, Account>();
  readonly #silent = new Set<Arrival>();
  /** Refused, and not ended yet. */
  readonly #leaving = new Map<Socket, NodeJS.Timeout>();
  /** Those in a handshake, the oldest first; `since` is when it began. */
  readonly #underWay = new Set<Arrival>();
  readonly #sweeper: NodeJS.Timeout;
  readonly #shared: () => boolean;
  #later: NodeJS.Timeout | null = null;
  #begun = 0;
  #pumping = false;

  /**
   * @param begin starts TLS on the connection; {@link HandshakeGate.done} is called when it stands
   * @param shared whether others than the one who floods have connections
   */
  constructor(
    limits: HandshakeLimits,
    begin: (socket: Socket, client: Client) => void,
    onRefused: (address: string, end: Refusal) => void = () => {},
    shared: () => boolean = () => true,
  ) {
    this.#shared = shared;
    this.#limits = limits;
    this.#begin = begin;
    this.#onRefused = onRefused;
    this.#queue = new FairQueue({ lane: limits.waitingOfAddress, all: limits.waiting });
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(250, limits.patience / 4)).unref();
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get underWay(): number {
    return this.#begun;
  }

  get silent(): number {
    return this.#silent.size;
  }

  /** @param socket accepted, and not read from beyond a director's header */
  offer(socket: Socket, client: Client): void {
    const arrival: Arrival = { socket, client, since: performance.now(), over: false };
    const account = this.#accountOf(client.address);
    account.open++;
    socket.on("error", () => {});
    socket.once("close", () => {
      arrival.over = true;
      this.#silent.delete(arrival);
      if (--account.open === 0) this.#addresses.delete(client.address);
    });
    if (client.check) return void this.#start(arrival);
    if (account.open > this.#limits.openOfAddress) return void this.#refuse(arrival, "crowded");
    this.#silent.add(arrival);
    const onReadable = (): void => {
      socket.off("readable", onReadable);
      socket.off("end", onEnd);
      this.#silent.delete(arrival);
      if (arrival.over) return;
      const first: Buffer | null = socket.read();
      if (first !== null && !isHandshake(first)) return void this.#refuse(arrival, "garbage");
      if (first !== null) socket.unshift(first);
      this.#enqueue(arrival);
    };
    const onEnd = (): void => void socket.destroy();
    socket.on("readable", onReadable);
    socket.once("end", onEnd);
  }

  close(): void {
    clearInterval(this.#sweeper);
    if (this.#later) clearTimeout(this.#later);
    for (const { socket } of [...this.#queue.drain(), ...this.#silent]) socket.destroy();
    for (const socket of this.#leaving.keys()) socket.destroy();
  }

  #accountOf(address: string): Account {
    let account = this.#addresses.get(address);
    if (account === undefined) {
      account = { open: 0, begun: new Set() };
      this.#addresses.set(address, account);
    }
    return account;
  }

  #enqueue(arrival: Arrival): void {
    arrival.since = performance.now();
    const put = this.#queue.put(arrival.client.address, 1, arrival);
    if (put.outcome === "refused") return void this.#refuse(arrival, "crowded");
    if (put.outcome === "displaced") this.#refuse(put.displaced, "crowded");
    this.#pump();
  }

  /** One begins in each turn of the loop; the loop goes on turning as long as somebody can. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      if (this.#startNext() && this.#queue.size > 0) this.#pump();
    });
  }

  #startNext(): boolean {
    const { begun, begunOfAddress, patience } = this.#limits;
    const now = performance.now();
    const shared = this.#shared();
    const mayBegin = (address: string): boolean => {
      const mine = this.#addresses.get(address)?.begun;
      if (mine === undefined) return true;
      return mine.size < begunOfAddress && !(shared && this.#crowdOfYoung(mine, now));
    };
    while (this.#begun < begun) {
      const arrival = this.#queue.take(mayBegin);
      if (arrival === undefined) {
        // Some may only be too young: they grow up whether or not anything happens.
        if (this.#queue.size > 0) this.#later ??= setTimeout(() => this.#grown(), this.#limits.young.for).unref();
        return false;
      }
      if (arrival.over) continue;
      if (performance.now() - arrival.since > patience) {
        this.#refuse(arrival, "late");
        continue;
      }
      this.#start(arrival);
      return true;
    }
    return false;
  }

  #crowdOfYoung(begun: ReadonlySet<Arrival>, now: number): boolean {
    const { most, for: age } = this.#limits.young;
    if (begun.size < most) return false;
    let young = 0;
    for (const { since } of begun) if (now - since < age) young++;
    return young >= most;
  }

  #grown(): void {
    this.#later = null;
    this.#pump();
  }

  #start(arrival: Arrival): void {
    const { socket, client } = arrival;
    const account = this.#accountOf(client.address);
    arrival.since = performance.now();
    this.#underWay.add(arrival);
    this.#begun++;
    account.begun.add(arrival);
    this.counters.begun++;
    let ended = false;
    const end = (how: "done" | "failed"): void => {
      if (ended) return;
      ended = true;
      socket.off("close", onClose);
      this.#underWay.delete(arrival);
      this.#begun--;
      account.begun.delete(arrival);
      this.counters[how]++;
      if (this.#queue.size > 0) this.#pump();
    };
    const onClose = (): void => end("failed");
    socket.once("close", onClose);
    this.#ends.set(socket, () => end("done"));
    this.#begin(socket, client);
  }

  readonly #ends = new WeakMap<Socket, () => void>();

  /** The handshake of this connection stands. */
  done(socket: Socket): void {
    this.#ends.get(socket)?.();
  }

  #refuse(arrival: Arrival, end: Refusal): void {
    const { socket, client } = arrival;
    this.counters[end]++;
    this.#silent.delete(arrival);
    arrival.over = true;
    this.#onRefused(client.address, end);
    const { leaving, left } = this.#limits;
    if (this.#leaving.size >= left) {
      socket.write(ALERT);
      return void socket.destroySoon();
    }
    // Nothing it says is read any more, and its end is noticed by the timer alone.
    socket.write(ALERT);
    const timer = setTimeout(() => socket.destroy(), leaving.least + Math.random() * leaving.more);
    this.#leaving.set(socket, timer);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#leaving.delete(socket);
    });
  }

  #sweep(): void {
    const now = performance.now();
    for (const arrival of this.#queue.expired(({ over, since }) => over || now - since > this.#limits.patience))
      if (!arrival.over) this.#refuse(arrival, "late");
    for (const arrival of this.#silent) {
      // In order of arrival: the first that still has time ends the look.
      if (now - arrival.since <= this.#limits.silence) break;
      this.counters.silent++;
      arrival.socket.destroy();
    }
    this.#endStuck(now);
  }

  /** Those that hold a place somebody waits for, and have not gone on for a while. */
  #endStuck(now: number): void {
    const { begun, begunOfAddress, stuck } = this.#limits;
    let waiting = this.#queue.size;
    for (const { socket, client, since } of this.#underWay) {
      if (waiting === 0 || now - since <= stuck) return;
      if (client.check) continue;
      const { address } = client;
      const inTheWay =
        this.#begun >= begun ||
        (this.#accountOf(address).begun.size >= begunOfAddress && this.#queue.waiting(address) > 0);
      if (!inTheWay) continue;
      waiting--;
      // Its end frees the place: `close` follows at once, in the same turn of the loop.
      socket.destroy();
    }
  }
}
