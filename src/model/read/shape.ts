/**
 * Shapes of YAML, as small readers that report every mistake with its position and go on. A reader returns `undefined` when it has
 * reported one. Own readers instead of a schema library: positions, "did you mean" and units are what people judge us by.
 */
import { isMap, isScalar, isSeq, type Node, type Pair } from "yaml";
import { parseDuration, parseSize } from "../units.ts";
import { nearest, suggestion } from "./nearest.ts";
import { keyText, type Place, type Sentence } from "./source.ts";

/** Deeper nesting than any site needs. */
const DEEPEST = 40;

export type Reader<T> = (place: Place) => T | undefined;
export type ReadValue<R> = R extends Reader<infer T> ? T : never;

/** Reports a mistake at a place. @returns undefined, so that a reader can end with it. */
export function report(place: Place, says: Sentence): undefined {
  const offset = place.node?.range?.[0] ?? place.keyOffset ?? 0;
  place.source.reportAt(offset, place.path, says);
  return undefined;
}

/** @returns the scalar's value as written, for messages. */
function shown(place: Place): string {
  const node = place.source.resolve(place.node);
  if (node === null || (isScalar(node) && node.value === null)) return "nothing";
  if (isMap(node)) return "a mapping";
  if (isSeq(node)) return "a list";
  return isScalar(node) ? JSON.stringify(node.source ?? node.value) : "something else";
}

function scalar(place: Place): unknown {
  const node = place.source.resolve(place.node);
  return isScalar(node) ? node.value : undefined;
}

/** A reader of scalars from one test and the words for what was expected. */
export function scalarOf<T>(expected: string, accept: (value: unknown) => T | undefined): Reader<T> {
  return (place) => {
    const value = accept(scalar(place));
    return value === undefined ? report(place, () => `expected ${expected}, found ${shown(place)}`) : value;
  };
}

/** A reader of text. A number counts as it is written: `1.10` is not `1.1`, and `007` not `7`. */
function written<T>(expected: string, accept: (text: string, plain: boolean) => T | undefined): Reader<T> {
  return (place) => {
    const node = place.source.resolve(place.node);
    const value = isScalar(node) ? node.value : undefined;
    const plain = typeof value === "number" || typeof value === "boolean";
    const text = plain ? String((isScalar(node) && node.source) || value) : value;
    const read = typeof text === "string" ? accept(text, typeof value === "boolean") : undefined;
    return read === undefined ? report(place, () => `expected ${expected}, found ${shown(place)}`) : read;
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a title that commands the terminal is none
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** One line of text, shown to people: nothing in it commands a terminal. */
export const text = (expected = "text", longest = 4096): Reader<string> =>
  written(`${expected} in one line`, (value, flag) =>
    !flag && value.length > 0 && value.length <= longest && !CONTROL.test(value) ? value : undefined,
  );

/** Text for programs, of any length and form; no program can be handed the character NUL. */
export const longText: Reader<string> = (place) => {
  const node = place.source.resolve(place.node);
  if (node === null || (isScalar(node) && node.value === null)) return "";
  return anyText(place);
};
const anyText = written("text without the character NUL", (value) => (value.includes("\0") ? undefined : value));

/** A word on a command line. */
export const argument = (expected: string, longest: number): Reader<string> =>
  written(`${expected} without the character NUL`, (value, flag) =>
    !flag && value.length > 0 && value.length <= longest && !value.includes("\0") ? value : undefined,
  );

export const matching = <T extends string>(expected: string, pattern: RegExp): Reader<T> =>
  written(expected, (value, flag) => (!flag && pattern.test(value) ? (value as T) : undefined));

export const integer = (least: number, most: number): Reader<number> =>
  scalarOf(`a whole number from ${least} to ${most}`, (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= least && value <= most ? value : undefined,
  );

export const ratio = (least: number, most: number): Reader<number> =>
  scalarOf(`a number from ${least} to ${most}`, (value) =>
    typeof value === "number" && value >= least && value <= most ? value : undefined,
  );

export const flag: Reader<boolean> = scalarOf("true or false", (value) =>
  typeof value === "boolean" ? value : undefined,
);

export const size: Reader<number> = scalarOf("a size like 16 GiB", (value) =>
  value === 0 ? 0 : typeof value === "string" ? (parseSize(value) ?? undefined) : undefined,
);

export const duration: Reader<number> = scalarOf("a time like 60 s", (value) =>
  value === 0 ? 0 : typeof value === "string" ? (parseDuration(value) ?? undefined) : undefined,
);

export function choice<const T extends string>(...words: readonly T[]): Reader<T> {
  return (place) => {
    const value = scalar(place);
    if (typeof value === "string" && (words as readonly string[]).includes(value)) return value as T;
    return report(
      place,
      () => `expected ${words.join(", ")}, found ${shown(place)}${typeof value === "string" ? near(value, words) : ""}`,
    );
  };
}

function near(written: string, words: readonly string[]): string {
  const hint = suggestion(written, words);
  return hint.startsWith("; did") ? hint : "";
}

/** A list of anything; one mistake does not hide the next. */
export function list<T>(item: Reader<T>, most = 20_000, least = 0): Reader<readonly T[]> {
  return (place) => {
    const node = place.source.resolve(place.node);
    if (!isSeq(node)) return report(place, `expected a list, found ${shown(place)}`);
    if (node.items.length > most) return report(place, `expected at most ${most} entries, found ${node.items.length}`);
    if (tooMuch(place, node.items.length)) return undefined;
    if (node.items.length < least)
      return report(place, `expected at least ${least} ${least === 1 ? "entry" : "entries"}, found none`);
    const values: T[] = [];
    node.items.forEach((entry, index) => {
      const value = item({
        ...place,
        node: entry as Node | null,
        path: `${place.path}[${index}]`,
        depth: place.depth + 1,
        keyOffset: node.range?.[0] ?? null,
      });
      if (value !== undefined) values.push(value);
    });
    return values;
  };
}

/** The entries of a mapping as places, with their keys as text. */
export function entries(
  place: Place,
): readonly { readonly key: string; readonly keyOffset: number; readonly value: Place }[] | undefined {
  const node = place.source.resolve(place.node);
  if (!isMap(node)) return report(place, `expected a mapping, found ${shown(place)}`);
  if (tooMuch(place, node.items.length)) return undefined;
  const first = new Map<string, number>();
  return (node.items as Pair<Node, Node | null>[]).flatMap((pair) => {
    const keyOffset = pair.key?.range?.[0] ?? node.range?.[0] ?? 0;
    const key = keyText(place.source, pair);
    if (key === null) {
      place.source.reportAt(keyOffset, place.path, "expected a plain key");
      return [];
    }
    const path = place.path ? `${place.path}.${key}` : key;
    const before = first.get(key);
    if (before !== undefined) {
      place.source.reportAt(keyOffset, path, `given twice, first in line ${place.source.lineOf(before)}`);
      return [];
    }
    first.set(key, keyOffset);
    return [{ key, keyOffset, value: { ...place, node: pair.value, path, depth: place.depth + 1, keyOffset } }];
  });
}

/** Reports a place that is nested too deeply, or the first that makes the file too large once its anchors are unfolded. */
function tooMuch(place: Place, values: number): boolean {
  if (place.depth > DEEPEST) {
    report(place, "nested too deeply");
    return true;
  }
  if (place.source.spend(values)) return false;
  place.source.reportAt(0, "", "too large: its anchors unfold into more values than any site has");
  return true;
}

/** @returns the keys of a mapping, read or not; empty for everything else. */
export function keysOf(place: Place): readonly string[] {
  const node = place.source.resolve(place.node);
  if (!isMap(node)) return [];
  return (node.items as Pair<Node, Node | null>[]).flatMap((pair) => keyText(place.source, pair) ?? []);
}

/** @returns how many entries a list or mapping has, read or not. */
export function entryCount(place: Place): number {
  const node = place.source.resolve(place.node);
  return isMap(node) || isSeq(node) ? node.items.length : 0;
}

export interface Field<T> {
  readonly read: Reader<T>;
  /** What stands there when the file is silent; a field without it must be given. */
  readonly otherwise?: { readonly value: T };
  /** What reading goes on with after a mistake, so that one mistake does not hide the next. */
  readonly meanwhile?: { readonly value: T };
}
export const required = <T>(read: Reader<T>, meanwhile?: T): Field<T> =>
  meanwhile === undefined ? { read } : { read, meanwhile: { value: meanwhile } };
export const optional = <T, const D>(read: Reader<T>, value: D): Field<T | D> => ({
  read,
  otherwise: { value },
  meanwhile: { value },
});

type Fields = Readonly<Record<string, Field<unknown>>>;
type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };
export type Record_<F extends Fields> = Values<F> & { readonly place: Place; readonly at: (key: string) => Place };

/** A mapping with known keys: unknown ones are named with the nearest right one, missing ones are named too. */
export function record<F extends Fields>(fields: F): Reader<Record_<F>> {
  const known = Object.keys(fields);
  return (place) => {
    const found = entries(place);
    if (!found) return undefined;
    const places = new Map<string, Place>();
    const values: Record<string, unknown> = {};
    const misspelt = new Set<string>();
    let whole = true;
    for (const { key, keyOffset, value } of found) {
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (!field) {
        place.source.reportAt(keyOffset, value.path, () => `unknown key${suggestion(key, known)}`);
        const meant = nearest(key, known);
        if (meant !== null) misspelt.add(meant);
        continue;
      }
      places.set(key, value);
      const read = field.read(value);
      if (read === undefined && !field.meanwhile) whole = false;
      values[key] = read === undefined ? field.meanwhile?.value : read;
    }
    for (const key of known) {
      if (places.has(key)) continue;
      // Whoever wrote `memroy` has not forgotten `memory`.
      if (misspelt.has(key)) place.source.blame(place.path ? `${place.path}.${key}` : key);
      const otherwise = fields[key]!.otherwise;
      if (otherwise) values[key] = otherwise.value;
      else {
        if (!fields[key]!.meanwhile) whole = false;
        values[key] = fields[key]!.meanwhile?.value;
        if (!misspelt.has(key)) report(place, `${key} is missing`);
      }
    }
    return whole ? ({ ...values, place, at: (key: string) => places.get(key) ?? place } as Record_<F>) : undefined;
  };
}

/**
 * A mapping whose keys people choose.
 * @param refuse says what is wrong with a key, or nothing
 */
export function dictionary<T>(
  item: Reader<T>,
  refuse: (key: string) => string | null = () => null,
): Reader<Readonly<Record<string, T>>> {
  return (place) => {
    const found = entries(place);
    if (!found) return undefined;
    const values: [string, T][] = [];
    for (const { key, keyOffset, value } of found) {
      const says = refuse(key);
      if (says !== null) place.source.reportAt(keyOffset, value.path, says);
      const read = item(value);
      if (read !== undefined) values.push([key, read]);
    }
    return Object.fromEntries(values);
  };
}

/** Anything that JSON can hold; what it means is somebody else's to say. */
export const anything: Reader<unknown> = (place) => {
  const node = place.source.resolve(place.node);
  if (isMap(node)) return dictionary(anything)(place);
  if (isSeq(node)) return list(anything)(place);
  const value = isScalar(node) ? node.value : null;
  if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return value;
  return report(place, () => `expected text, a number, true or false, found ${shown(place)}`);
};
