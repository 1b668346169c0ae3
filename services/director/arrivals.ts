/**
 * New connections of one alias before they are given to a copy. They wait unread, by address, and a few begin in each turn of the loop, in
 * turn over the addresses: a storm from one address delays neither the next address's connection nor the octets of those who are connected.
 * An address may hold half of the alias's connections: with all of them it could shut everybody else out.
 */
import type { Socket } from "node:net";
import { FairQueue, plainAddress } from "../../src/world/index.ts";

export interface ArrivalLimits {
  /** Connections of the alias, waiting or carried. */
  readonly connections: number;
}

export interface ArrivalEvents {
  /** Finds a copy for it; resolved when it is carried or refused. */
  readonly serve: (client: Socket, address: string) => Promise<void>;
  /** No room, or no turn in time: to be reset. */
  readonly refuse: (client: Socket) => void;
}

/** Connections that begin in one turn of the loop, and that look for a copy at the same time. */
const BEGIN = { turn: 4, searching: 256 } as const;
/** Connections of one address that wait. */
const WAITING = 1024;
/** Milliseconds a connection waits for its turn: longer than clients do, it is a client that has gone. */
const PATIENCE = 3000;
/** An alias with fewer connections than this is small on purpose, and perhaps for one client. */
const SMALL = 64;
/** Addresses of which refusals are remembered. */
const REMEMBERED = 1024;

interface Arrival {
  readonly client: Socket;
  readonly address: string;
  readonly since: number;
}

/** @returns connections that one address may have */
export function shareOfAddress(connections: number): number {
  return Math.min(connections, Math.max(SMALL, Math.ceil(connections / 2)));
}

export class Arrivals {
  readonly #limits: () => ArrivalLimits;
  readonly #events: ArrivalEvents;
  readonly #queue = new FairQueue<Arrival>({ lane: WAITING, all: 8 * WAITING });
  readonly #open = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  #active = 0;
  #searching = 0;
  #pumping = false;

  /** @param limits asked each time: they change while it runs */
  constructor(limits: () => ArrivalLimits, events: ArrivalEvents) {
    this.#limits = limits;
    this.#events = events;
  }

  /** Connections that wait or are carried. */
  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Addresses with the most connections and those that were refused most, for people. */
  busiest(most: number): readonly { readonly address: string; readonly open: number; readonly refused: number }[] {
    return [...new Set([...this.#open.keys(), ...this.#refused.keys()])]
      .map((address) => ({
        address,
        open: this.#open.get(address) ?? 0,
        refused: this.#refused.get(address) ?? 0,
      }))
      .sort((a, b) => b.refused - a.refused || b.open - a.open)
      .slice(0, most);
  }

  /** @param client accepted and not read from */
  offer(client: Socket): void {
    client.on("error", () => {});
    // Gone before it was accepted: nobody is there to be served, and there is no address to pass on.
    if (client.remoteAddress === undefined) return void client.destroy();
    const address = plainAddress(client.remoteAddress);
    const { connections } = this.#limits();
    const open = this.#open.get(address) ?? 0;
    const arrival = { client, address, since: performance.now() };
    if (this.#active >= connections || open >= shareOfAddress(connections)) return void this.#refuse(arrival);
    this.#active++;
    this.#open.set(address, open + 1);
    client.once("close", () => {
      this.#active--;
      const left = this.#open.get(address)! - 1;
      if (left === 0) this.#open.delete(address);
      else this.#open.set(address, left);
    });
    const put = this.#queue.put(address, 1, arrival);
    if (put.outcome === "refused") return void this.#refuse(arrival);
    if (put.outcome === "displaced") this.#refuse(put.displaced);
    this.#pump();
  }

  /** Resets those that wait. */
  release(): void {
    for (const { client } of this.#queue.drain()) client.resetAndDestroy();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      for (let begun = 0; begun < BEGIN.turn && this.#searching < BEGIN.searching; ) {
        const arrival = this.#queue.take();
        if (arrival === undefined) return;
        if (arrival.client.destroyed) continue;
        if (performance.now() - arrival.since > PATIENCE) this.#refuse(arrival);
        else {
          begun++;
          this.#begin(arrival);
        }
      }
      if (this.#queue.size > 0 && this.#searching < BEGIN.searching) this.#pump();
    });
  }

  #begin({ client, address }: Arrival): void {
    this.#searching++;
    void this.#events.serve(client, address).finally(() => {
      this.#searching--;
      if (this.#queue.size > 0) this.#pump();
    });
  }

  #refuse({ client, address }: Arrival): void {
    const before = this.#refused.get(address) ?? 0;
    this.#refused.delete(address);
    if (this.#refused.size >= REMEMBERED) {
      const oldest = this.#refused.keys().next();
      if (!oldest.done) this.#refused.delete(oldest.value);
    }
    this.#refused.set(address, before + 1);
    this.#events.refuse(client);
  }
}
