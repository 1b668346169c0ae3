/**
 * Shapes of YAML, as small readers that report every mistake with its position and go on. A reader returns `undefined` when it has
 * reported one. Own readers instead of a schema library: positions, "did you mean" and units are what people judge us by.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { parseDuration, parseSize } from "../units.ts";
import { suggestion } from "./nearest.ts";

export interface Diagnostic {
  /** Name of the file as it was given. */
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** `hosts[1].memory`; empty for the whole file. */
  readonly path: string;
  readonly says: string;
}

/** @returns `site.yaml:7:11: hosts[1].memory: expected a size like 16 GiB`. */
export function formatDiagnostic(one: Diagnostic): string {
  return `${one.file}:${one.line}:${one.column}: ${one.path ? `${one.path}: ` : ""}${one.says}`;
}

/** Deeper nesting than any site needs; stops anchors that contain themselves. */
const DEEPEST = 40;
/** Values read in one file, anchors unfolded: stops a small file from becoming a huge one. */
const MOST_VALUES = 2_000_000;
/** Mistakes reported for one file. */
const MOST = 200;

/** A file being read: positions, anchors, and what was found wrong. */
export class Source {
  readonly file: string;
  readonly diagnostics: Diagnostic[] = [];
  private budget = MOST_VALUES;
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed;

  constructor(file: string, text: string) {
    this.file = file;
    this.document = parseDocument(text, {
      lineCounter: this.lines,
      prettyErrors: false,
      uniqueKeys: true,
      merge: false,
      version: "1.2",
    });
    for (const error of this.document.errors)
      this.reportAt(error.pos[0], "", error.message.split("\n")[0]!.replace(/\s+at line.*$/, ""));
  }

  get top(): Place {
    return { source: this, node: (this.document.contents as Node | null) ?? null, path: "", depth: 0, keyOffset: null };
  }

  reportAt(offset: number, path: string, says: string): void {
    if (this.diagnostics.length >= MOST) return;
    const { line, col } = this.lines.linePos(offset);
    this.diagnostics.push({
      file: this.file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      path,
      says: clip(says),
    });
  }

  /** @returns false when the file unfolds into more values than any site has. */
  spend(values: number): boolean {
    this.budget -= values + 1;
    return this.budget > 0;
  }

  resolve(node: Node | null): Node | null {
    return isAlias(node) ? ((node.resolve(this.document) as Node | undefined) ?? null) : node;
  }
}

/** A place in a file: what stands there and how one gets there. */
export interface Place {
  readonly source: Source;
  readonly node: Node | null;
  readonly path: string;
  readonly depth: number;
  /** Where its key stands, for places whose value is missing. */
  readonly keyOffset: number | null;
}

export type Reader<T> = (place: Place) => T | undefined;
export type ReadValue<R> = R extends Reader<infer T> ? T : never;

/** Reports a mistake at a place. @returns undefined, so that a reader can end with it. */
export function report(place: Place, says: string): undefined {
  const offset = place.node?.range?.[0] ?? place.keyOffset ?? 0;
  place.source.reportAt(offset, place.path, says);
  return undefined;
}

function clip(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters of a bad file must not reach a terminal
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "�");
  return clean.length > 300 ? `${clean.slice(0, 297)}…` : clean;
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
    return value === undefined ? report(place, `expected ${expected}, found ${shown(place)}`) : value;
  };
}

export const text = (expected = "text", longest = 4096): Reader<string> =>
  scalarOf(expected, (value) =>
    typeof value === "string" && value.length > 0 && value.length <= longest
      ? value
      : typeof value === "number"
        ? String(value)
        : undefined,
  );

export const longText: Reader<string> = scalarOf("text", (value) =>
  value === null
    ? ""
    : typeof value === "string"
      ? value
      : typeof value === "number" || typeof value === "boolean"
        ? String(value)
        : undefined,
);

export const matching = <T extends string>(expected: string, pattern: RegExp): Reader<T> =>
  scalarOf(expected, (value) => {
    const written = typeof value === "number" ? String(value) : value;
    return typeof written === "string" && pattern.test(written) ? (written as T) : undefined;
  });

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
      `expected ${words.join(", ")}, found ${shown(place)}${typeof value === "string" ? near(value, words) : ""}`,
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
    if (place.depth > DEEPEST || !place.source.spend(node.items.length)) return report(place, "nested too deeply");
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
  if (place.depth > DEEPEST || !place.source.spend(node.items.length)) return report(place, "nested too deeply");
  return (node.items as Pair<Node, Node | null>[]).flatMap((pair) => {
    const keyNode = place.source.resolve(pair.key);
    const keyOffset = pair.key?.range?.[0] ?? node.range?.[0] ?? 0;
    if (!isScalar(keyNode) || keyNode.value === null || typeof keyNode.value === "object") {
      place.source.reportAt(keyOffset, place.path, "expected a plain key");
      return [];
    }
    const key = String(keyNode.value);
    const path = place.path ? `${place.path}.${key}` : key;
    return [{ key, keyOffset, value: { ...place, node: pair.value, path, depth: place.depth + 1, keyOffset } }];
  });
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
    let whole = true;
    for (const { key, keyOffset, value } of found) {
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (!field) {
        place.source.reportAt(keyOffset, value.path, `unknown key${suggestion(key, known)}`);
        continue;
      }
      places.set(key, value);
      const read = field.read(value);
      if (read === undefined && !field.meanwhile) whole = false;
      values[key] = read === undefined ? field.meanwhile?.value : read;
    }
    for (const key of known) {
      if (places.has(key)) continue;
      const otherwise = fields[key]!.otherwise;
      if (otherwise) values[key] = otherwise.value;
      else {
        if (!fields[key]!.meanwhile) whole = false;
        values[key] = fields[key]!.meanwhile?.value;
        report(place, `${key} is missing`);
      }
    }
    return whole ? ({ ...values, place, at: (key: string) => places.get(key) ?? place } as Record_<F>) : undefined;
  };
}

/** A mapping whose keys people choose. */
export function dictionary<T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (place) => {
    const found = entries(place);
    if (!found) return undefined;
    const values: [string, T][] = [];
    for (const { key, value } of found) {
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
  return typeof value === "bigint" || value === undefined ? null : value;
};
