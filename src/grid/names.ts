/**
 * Names as they are sent, read once: the same ten thousand people ask all day, and reading a name costs more than deciding about it.
 * Bounded in number and in characters, in two generations: what is not asked for again is forgotten, a stranger who sends a new name each
 * time costs himself the reading and others at most one.
 */

/** Of one generation. Names are short; long ones fill a generation sooner. */
const LIMITS = { names: 16_384, characters: 4 * 1024 * 1024 } as const;

export class Names<Value> {
  readonly #read: (text: string) => Value;
  readonly #limits: { readonly names: number; readonly characters: number };
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #characters = 0;

  /** @param read what it throws is thrown to who asks, and not remembered */
  constructor(read: (text: string) => Value, limits: { readonly names: number; readonly characters: number } = LIMITS) {
    this.#read = read;
    this.#limits = limits;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(text: string): Value {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    let value = this.#old.get(text);
    if (value === undefined) value = this.#read(text);
    this.#keep(text, value);
    return value;
  }

  #keep(text: string, value: Value): void {
    if (text.length > this.#limits.characters / 16) return;
    if (this.#young.size >= this.#limits.names || this.#characters + text.length > this.#limits.characters) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#characters += text.length;
    // A piece of a request holds the whole request in memory: what is kept is a copy.
    this.#young.set(Buffer.from(text, "utf8").toString("utf8"), value);
  }
}
