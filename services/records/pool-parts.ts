/**
 * Who owns what: each identity and each account of a pool belongs to one position of the ring, by a hash of its name. The position with the
 * greatest of several hashes owns it ("rendezvous"), so a ring that grows takes from the old positions only what the new one owns.
 */
import { hash } from "node:crypto";
import { identityOf } from "./pool-ledger.ts";

/** Octets of a SHA-256 used for each position: ten positions fit, nine are the most a ring has. */
const OCTETS = 3;

/** @returns the position of 0 … positions - 1 that owns this text */
function ownerOf(text: string, positions: number): number {
  const digest = hash("sha256", text, "buffer");
  let owner = 0;
  for (let position = 1; position < positions; position++)
    if (digest.readUIntBE(position * OCTETS, OCTETS) > digest.readUIntBE(owner * OCTETS, OCTETS)) owner = position;
  return owner;
}

/** @returns the position where this identity is asked */
export function identityOwner(pool: string, subject: string, positions: number): number {
  return ownerOf(`identity ${identityOf(pool, subject)}`, positions);
}

/** @returns the one position that ever gives this account */
export function accountOwner(account: string, positions: number): number {
  return ownerOf(`account ${account}`, positions);
}

/** @returns the position that an origin was made for; services/mariadb/install.ts puts it into the last digit */
export function positionOf(origin: number): number {
  return (origin % 10) - 1;
}

interface Part {
  readonly accounts: readonly string[];
  /** All before this one are used. An account that was given stays used, so it only grows. */
  from: number;
}

/** The accounts of pools by owner, with a note of how far each part is used up. */
export class Parts {
  readonly #positions: number;
  readonly #parts = new WeakMap<readonly string[], ReadonlyMap<number, Part>>();

  constructor(positions: number) {
    this.#positions = positions;
  }

  owner(account: string): number {
    return accountOwner(account, this.#positions);
  }

  /**
   * @param accounts of the pool, in the order in which they are to be given; the same array each time, or it is divided each time
   * @returns the next accounts of that position's part which nobody is known to have, at most `limit`
   */
  next(accounts: readonly string[], position: number, used: (account: string) => boolean, limit: number): string[] {
    const part = this.#divide(accounts).get(position);
    if (part === undefined) return [];
    while (part.from < part.accounts.length && used(part.accounts[part.from]!)) part.from++;
    const found: string[] = [];
    for (let index = part.from; index < part.accounts.length && found.length < limit; index++)
      if (!used(part.accounts[index]!)) found.push(part.accounts[index]!);
    return found;
  }

  #divide(accounts: readonly string[]): ReadonlyMap<number, Part> {
    let parts = this.#parts.get(accounts);
    if (parts === undefined) {
      const sorted = Map.groupBy(accounts, (account) => accountOwner(account, this.#positions));
      parts = new Map([...sorted].map(([position, own]) => [position, { accounts: own, from: 0 }]));
      this.#parts.set(accounts, parts);
    }
    return parts;
  }
}
