/**
 * Ports for many connections that begin at one address of ours. The system gives a socket that is bound to an address a port that nobody else has
 * there, whomever the connection is for: a minute after its end a port is still taken, so 28,000 of them are 470 connections a second, and when they
 * run out each further one is looked for among all, which takes milliseconds and stops everything. A port that is named may be shared by
 * connections to different ends, and between the same two ends again after a second (tcp(7), tcp_tw_reuse on loopback).
 */

/** Below the system's own choices (`ip_local_port_range`), so that neither is in the other's way. */
const RANGE = { first: 20_000, last: 32_767 } as const;
const COUNT = RANGE.last - RANGE.first + 1;

export class LocalPorts {
  readonly #next = new Map<string, number>();
  readonly #random: () => number;

  /** @param random 0 to below 1: a program that comes back does not begin where the one before it did */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** @param end whom the connection is for: address and port. @returns the port that was not used for the longest time */
  take(end: string): number {
    const next = this.#next.get(end) ?? Math.floor(this.#random() * COUNT);
    this.#next.set(end, (next + 1) % COUNT);
    return RANGE.first + next;
  }
}
