/**
 * The short notations of a table of systems: names of machines (`gratia[1-3,5-9]`, `gp (fnpcsrv[3-5])`, `gw???`) and guests of each
 * (`8+(6*6) = 44`: one machine with eight, six with six each). Pure text to values; mistakes are sentences with their place in the text.
 */

/** What is wrong with a text, and at which of its characters, counted from 0. */
export interface TextMistake {
  readonly at: number;
  readonly says: string;
}

export interface Machines {
  readonly names: readonly string[];
  /** Some of the name is not said (`?`, `*`): then nobody can count. */
  readonly vague: boolean;
}

/** More machines or guests than that are in no table. */
export const MOST_MACHINES = 100_000;

const WORD = /[A-Za-z0-9._?*-]/;

/**
 * @param text names apart by commas or blanks; a name in front of brackets with a blank between is a label: `gp (fnpcsrv[3-5])`
 * @returns every machine by name, in the order of the text
 */
export function readMachines(text: string): Machines | TextMistake {
  const labelled = /^\s*[^()[\]]+\s\(([^()]*)\)\s*$/.exec(text);
  const offset = labelled ? text.indexOf("(") + 1 : 0;
  const inner = labelled ? labelled[1]! : text;
  const names: string[] = [];
  let vague = false;
  let at = 0;
  while (at < inner.length) {
    if (/[\s,]/.test(inner[at]!)) {
      at++;
      continue;
    }
    let heads = [""];
    const begin = at;
    while (at < inner.length && !/[\s,]/.test(inner[at]!)) {
      if (inner[at] === "[") {
        const end = inner.indexOf("]", at);
        if (end < 0) return { at: offset + at, says: "this bracket is not closed" };
        const choices = readRanges(inner.slice(at + 1, end), offset + at + 1);
        if ("says" in choices) return choices;
        if (heads.length * choices.length + names.length > MOST_MACHINES)
          return { at: offset + begin, says: `more than ${MOST_MACHINES} machines` };
        heads = heads.flatMap((head) => choices.map((choice) => head + choice));
        at = end + 1;
        continue;
      }
      const character = inner[at]!;
      if (!WORD.test(character))
        return { at: offset + at, says: `${JSON.stringify(character)} is in no name of a machine` };
      if (character === "?" || character === "*") vague = true;
      heads = heads.map((head) => head + character);
      at++;
    }
    names.push(...heads);
  }
  if (names.length === 0) return { at: offset, says: "expected the name of a machine, such as fermigrid[0-6]" };
  return vague ? { names: [], vague } : { names, vague };
}

/** `1-3,5-9` → each number, as wide as the range's beginning is written: `01-10`. */
function readRanges(text: string, offset: number): readonly string[] | TextMistake {
  const found: string[] = [];
  let at = offset;
  for (const part of text.split(",")) {
    const match = /^\s*([A-Za-z0-9]+)\s*(?:-\s*([A-Za-z0-9]+)\s*)?$/.exec(part);
    if (!match) return { at, says: "expected numbers or ranges in brackets, such as [1-3,5]" };
    const [, first, last] = match;
    if (last === undefined) found.push(first!);
    else {
      const [low, high] = [Number(first), Number(last)];
      if (!/^\d{1,9}$/.test(first!) || !/^\d{1,9}$/.test(last) || low > high)
        return { at, says: `${part.trim()} is no range of numbers` };
      if (high - low + found.length >= MOST_MACHINES) return { at, says: `more than ${MOST_MACHINES} machines` };
      for (let number = low; number <= high; number++) found.push(String(number).padStart(first!.length, "0"));
    }
    at += part.length + 1;
  }
  return found;
}

export interface GuestTerms {
  /** Guests of each machine that the terms speak of; empty when there is only a total. */
  readonly perHost: readonly number[];
  /** Behind the equals sign, or the only number. */
  readonly total: number | null;
  readonly about: boolean;
}

const MOST_GUESTS = 10_000_000;

/** Reads `8+(6*6) = 44`, `2*5`, `13`, `~30`. A product is machines times guests on each. */
export function readGuests(text: string): GuestTerms | TextMistake {
  return new GuestReader(text).read();
}

class GuestReader {
  readonly #tokens: readonly { readonly word: string; readonly at: number }[];
  readonly #end: number;
  #next = 0;
  #mistake: TextMistake | null = null;

  constructor(text: string) {
    this.#end = text.trimEnd().length;
    this.#tokens = [...text.matchAll(/\d+|[^\s\d]/g)].map((match) => ({ word: match[0], at: match.index }));
  }

  read(): GuestTerms | TextMistake {
    const about = this.#take("~");
    const perHost = this.#sum();
    const lone = this.#next === (about ? 2 : 1);
    let total: number | null = null;
    if (!this.#mistake && this.#take("=")) total = this.#number("the total");
    if (!this.#mistake && this.#next < this.#tokens.length)
      this.#fail(`${JSON.stringify(this.#tokens[this.#next]!.word)} does not belong here`);
    if (this.#mistake) return this.#mistake;
    return lone && total === null ? { perHost: [], total: perHost[0]!, about } : { perHost, total, about };
  }

  #sum(): number[] {
    const terms = this.#term();
    while (!this.#mistake && this.#take("+")) {
      terms.push(...this.#term());
      if (terms.length > MOST_MACHINES) this.#fail(`more than ${MOST_MACHINES} machines`);
    }
    return terms;
  }

  #term(): number[] {
    if (this.#mistake) return [];
    if (this.#take("(")) {
      const inner = this.#sum();
      if (!this.#mistake && !this.#take(")")) this.#fail("expected ) here");
      return inner;
    }
    const number = this.#number("a number of guests");
    if (this.#mistake || !(this.#take("*") || this.#take("x") || this.#take("×"))) return [number];
    const each = this.#term();
    if (number < 1 || number * each.length > MOST_MACHINES) {
      this.#fail(`expected machines times guests, with 1 to ${MOST_MACHINES} machines`);
      return [];
    }
    return Array.from({ length: number }, () => each).flat();
  }

  #number(what: string): number {
    const token = this.#tokens[this.#next];
    if (!token || !/^\d/.test(token.word)) {
      this.#fail(`expected ${what}`);
      return 0;
    }
    const value = Number(token.word);
    if (value > MOST_GUESTS) this.#fail(`${token.word} guests are more than any site has`);
    else this.#next++;
    return value;
  }

  #take(word: string): boolean {
    if (this.#tokens[this.#next]?.word !== word) return false;
    this.#next++;
    return true;
  }

  #fail(says: string): void {
    this.#mistake ??= { at: this.#tokens[this.#next]?.at ?? this.#end, says };
  }
}
