/**
 * What one copy gives out and another takes back: tokens in forms and codes in e-mails, made with a key that every copy has. Nothing is kept
 * anywhere for them.
 *
 * A client certificate is sent with every request, whoever made the browser send it, so each form carries a token that is bound to the caller
 * and to a day. A code in an e-mail follows from the key and from what is recorded of the application, so that any copy can write the
 * e-mail; in the records stands its digest alone.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** Milliseconds a page may lie open before its forms are sent. */
const FORM_LIFE = 12 * 3600 * 1000;

/** What a code is made from. */
export interface Coded {
  readonly vo: string;
  readonly person: string;
  readonly email: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

const same = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
};

export class Sealing {
  readonly #key: Buffer;

  /** @param key hexadecimal, as the house delivers its tokens */
  constructor(key: string) {
    this.#key = Buffer.from(key.trim(), "hex");
    if (this.#key.length < 32) throw new RangeError("the key of forms has fewer than 32 octets");
  }

  /** @returns a token for the forms of this caller, good for {@link FORM_LIFE} at least */
  formToken(caller: string, now: number): string {
    return this.#mac("form", caller, String(Math.floor(now / FORM_LIFE)));
  }

  isFormToken(token: string, caller: string, now: number): boolean {
    const turn = Math.floor(now / FORM_LIFE);
    return [turn, turn - 1].some((one) => same(token, this.#mac("form", caller, String(one))));
  }

  /** @returns what shows that a sentence in an address is ours and meant for this caller */
  seal(sentence: string, caller: string): string {
    return this.#mac("said", caller, sentence).slice(0, 32);
  }

  isSeal(seal: string, sentence: string, caller: string): boolean {
    return same(seal, this.seal(sentence, caller));
  }

  /** @returns the code that proves that an e-mail was read */
  code({ vo, person, email, until }: Coded): string {
    return this.#mac("code", vo, person, email, String(until)).slice(0, 32);
  }

  #mac(...parts: readonly string[]): string {
    return createHmac("sha256", this.#key).update(JSON.stringify(parts)).digest("hex");
  }
}

/** @returns what is recorded of a code */
export function digestOf(code: string): string {
  return createHash("sha256").update(code).digest("hex");
}

/** @returns whether a code is the one with this digest */
export function isCode(code: string, digest: string): boolean {
  return same(digestOf(code), digest);
}
