/**
 * The query of a request, as `URLSearchParams` reads it (a test compares the two), made for the hot path: names and values are cut out
 * once, and decoded only where they are asked for.
 */

import { Refusal } from "./answer.ts";

const RESERVED = /[%+]/;

/** application/x-www-form-urlencoded → text; a percent sign that is none is kept, octets that are no UTF-8 become U+FFFD. */
function decode(raw: string): string {
  if (!RESERVED.test(raw)) return raw;
  const blanks = raw.includes("+") ? raw.replaceAll("+", " ") : raw;
  if (!blanks.includes("%")) return blanks;
  try {
    return decodeURIComponent(blanks);
  } catch {
    return new URLSearchParams(`v=${raw}`).get("v") ?? "";
  }
}

export class Query {
  readonly text: string;
  #names: string[] | null = null;
  readonly #values: string[] = [];

  /** @param text what follows the question mark, as sent */
  constructor(text: string) {
    this.text = text;
  }

  /** @returns the first value of a name; `null` when it is not given */
  get(name: string): string | null {
    const at = this.#cut().indexOf(name);
    return at < 0 ? null : decode(this.#values[at]!);
  }

  /** @returns all values of a name, in order */
  getAll(name: string): string[] {
    return this.encoded(name).map(decode);
  }

  /** @returns all values of a name as they were sent: what may be looked up before it is decoded */
  encoded(name: string): readonly string[] {
    const names = this.#cut();
    const found: string[] = [];
    for (let at = names.indexOf(name); at >= 0; at = names.indexOf(name, at + 1)) found.push(this.#values[at]!);
    return found;
  }

  /** @returns the names that are given, each once */
  names(): readonly string[] {
    return [...new Set(this.#cut())];
  }

  #cut(): readonly string[] {
    if (this.#names !== null) return this.#names;
    const { text } = this;
    const names: string[] = [];
    for (let from = 0; from < text.length; ) {
      let end = text.indexOf("&", from);
      if (end < 0) end = text.length;
      if (end > from) {
        const equals = text.indexOf("=", from);
        const cut = equals < 0 || equals > end ? end : equals;
        names.push(decode(text.slice(from, cut)));
        this.#values.push(text.slice(Math.min(cut + 1, end), end));
      }
      from = end + 1;
    }
    this.#names = names;
    return names;
  }
}

/**
 * @returns the one value of a name as it was sent; `null` when it is not given or empty
 * @throws {Refusal} 400 when it is given more than once: two readers could take different ones
 */
export function single(query: Query, name: string): string | null {
  const values = query.encoded(name);
  if (values.length > 1) throw new Refusal(400, `${name} is given ${values.length} times: expected once`);
  return values[0] || null;
}

/** @returns what an encoded value says */
export function decoded(encoded: string): string {
  return decode(encoded);
}
