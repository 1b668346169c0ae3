/**
 * Octets of one connection that wait to be understood: put in behind, taken from the front. They are copied into rooms that are used again:
 * Node reads into slabs of 64 KB, and one piece that waits keeps its slab until it is old. Beside a heap of 14 MB a hundred of them already
 * call for a whole collection, of 3 to 10 milliseconds.
 */

const NOTHING = Buffer.alloc(0);
/** Octets of the smallest room and of the largest that is kept for the next connection; each size is twice the one before. */
const ROOM = { least: 4096, most: 128 * 1024 } as const;
/** Octets in rooms that nobody uses. */
const KEPT = 16 * 1024 * 1024;

const free = new Map<number, Buffer[]>();
let kept = 0;

function take(octets: number): Buffer {
  let size: number = ROOM.least;
  while (size < octets) size *= 2;
  const room = free.get(size)?.pop();
  if (room === undefined) return Buffer.allocUnsafeSlow(size);
  kept -= size;
  return room;
}

function give(room: Buffer): void {
  const size = room.length;
  if (size === 0 || size > ROOM.most || kept + size > KEPT) return;
  kept += size;
  const rooms = free.get(size);
  if (rooms === undefined) free.set(size, [room]);
  else rooms.push(room);
}

export class Octets {
  #room: Buffer = NOTHING;
  #from = 0;
  #to = 0;

  get length(): number {
    return this.#to - this.#from;
  }

  /** Octets of memory that are taken for them. */
  get held(): number {
    return this.#room.length;
  }

  push(chunk: Uint8Array): void {
    if (this.#to + chunk.length > this.#room.length) this.#move(this.length + chunk.length);
    this.#room.set(chunk, this.#to);
    this.#to += chunk.length;
  }

  /** @returns the octet at a place from the front */
  at(index: number): number | undefined {
    return index < this.length ? this.#room[this.#from + index] : undefined;
  }

  /** @returns where `needle` begins, from the front; -1 when it is not there as a whole */
  indexOf(needle: Buffer, from = 0): number {
    // What stands in the room behind the end is old: a find that reaches into it is none, and one that does not would have come before.
    const found = this.#room.indexOf(needle, this.#from + from);
    return found < 0 || found + needle.length > this.#to ? -1 : found - this.#from;
  }

  /** @returns one character an octet */
  text(length: number): string {
    return this.#room.toString("latin1", this.#from, this.#from + length);
  }

  copy(target: Uint8Array, at: number, from: number, length: number): void {
    target.set(this.#room.subarray(this.#from + from, this.#from + from + length), at);
  }

  /** The first octets are understood. */
  skip(length: number): void {
    this.#from += length;
    if (this.#from < this.#to) return;
    this.#from = 0;
    this.#to = 0;
    this.leave();
  }

  /** Nothing more is to be understood for now: no more memory than what waits needs. */
  fit(): void {
    if (this.#room.length > ROOM.least && this.length * 4 <= this.#room.length) this.#move(this.length);
  }

  /** Gives the room back, when nothing is in it. */
  leave(): void {
    if (this.length > 0) return;
    give(this.#room);
    this.#room = NOTHING;
  }

  #move(octets: number): void {
    const before = this.#room;
    const room = take(octets);
    room.set(before.subarray(this.#from, this.#to));
    this.#to -= this.#from;
    this.#from = 0;
    this.#room = room;
    give(before);
  }
}
