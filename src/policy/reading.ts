/**
 * Reading plain values (what YAML or JSON gave) with every mistake at its own place. A reader says what is wrong and returns `null`; the
 * next value is read all the same, so that one mistake does not hide another.
 */
import { formatFqan, NameRefused, normalDn, parseFqan } from "../grid/index.ts";
import { type SettingMistake, suggestion } from "../model/index.ts";

export type Path = readonly (string | number)[];
export type Fields = Readonly<Record<string, unknown>>;

/** An account's or Unix group's name, as `useradd` takes it. */
export const ACCOUNT_PATTERN = /^(?!root$)[a-z_][a-z0-9_-]{0,31}$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: a name that commands a terminal is none
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** @returns whether a text is one line without anything that commands a terminal, neither empty nor in blanks */
export function isLine(value: unknown, longest: number): value is string {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= longest &&
    value.trim() === value &&
    !UNPRINTABLE.test(value)
  );
}

/** @returns whether a text can name a group, mapper or mapping: commas separate names in lists of `gums.config` */
export function isName(value: unknown): value is string {
  return isLine(value, 100) && !value.includes(",");
}

export function isRecord(value: unknown): value is Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return isRecord(value) ? "a mapping" : JSON.stringify(value).slice(0, 80);
}

/** As many as are ever shown of one file; past them, none is worth its sentence. */
const MOST = 200;

export class Reading {
  readonly mistakes: SettingMistake[] = [];

  say(path: Path, says: string | (() => string), atKey = false): null {
    if (this.mistakes.length >= MOST) return null;
    const one = { path, says: typeof says === "string" ? says : says() };
    this.mistakes.push(atKey ? { ...one, atKey } : one);
    return null;
  }

  expected(path: Path, expected: string, found: unknown): null {
    const key = path.at(-1);
    if (found === undefined && typeof key === "string")
      return this.say(path.slice(0, -1), `${key} is missing: expected ${expected}`);
    return this.say(path, `expected ${expected}, found ${shown(found)}`);
  }

  /** @returns the value where it is a mapping; its unknown keys are named */
  record(value: unknown, path: Path, known: readonly string[], expected: string): Fields | null {
    if (!isRecord(value)) return this.expected(path, expected, value);
    for (const key of Object.keys(value))
      if (!known.includes(key)) this.say([...path, key], () => `unknown key${suggestion(key, known)}`, true);
    return value;
  }

  /** @returns what could be read of a list; silence is an empty one */
  list<Item>(
    value: unknown,
    path: Path,
    expected: string,
    read: (item: unknown, path: Path) => Item | null,
  ): readonly Item[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.expected(path, expected, value);
      return [];
    }
    return value.flatMap((item: unknown, index) => {
      const one = read(item, [...path, index]);
      return one === null ? [] : [one];
    });
  }

  /** @returns a text, or `null` for what is none; with `otherwise`, silence is that */
  line(fields: Fields, key: string, path: Path, expected: string, longest = 200): string | null {
    const value = fields[key];
    if (value === undefined) return this.say(path, `${key} is missing`);
    return isLine(value, longest) ? value : this.expected([...path, key], expected, value);
  }

  optionalLine(fields: Fields, key: string, path: Path, expected: string, longest = 500): string | null {
    return fields[key] === undefined ? null : this.line(fields, key, path, expected, longest);
  }

  name(fields: Fields, path: Path): string | null {
    const value = fields.name;
    if (value === undefined) return this.say(path, "name is missing");
    return isName(value) ? value : this.expected([...path, "name"], "a name in one line, without a comma", value);
  }

  account(value: unknown, path: Path, what = "an account such as novapro"): string | null {
    return typeof value === "string" && ACCOUNT_PATTERN.test(value) ? value : this.expected(path, what, value);
  }

  unixGroup(fields: Fields, path: Path): string | null {
    return fields.group === undefined ? null : this.account(fields.group, [...path, "group"], "a Unix group like nova");
  }

  /** A name of a certificate in normal form, or a token's issuer and subject with a blank between (kept as they are). */
  subject(value: unknown, path: Path): string | null {
    if (typeof value !== "string") return this.expected(path, "a name such as /DC=org/CN=Alice", value);
    if (/^https:\/\/\S+ \S.*$/.test(value) && isLine(value, 1024)) return value;
    return this.refusable(path, "a name such as /DC=org/CN=Alice", () => normalDn(value));
  }

  fqan(value: unknown, path: Path): string | null {
    if (typeof value !== "string") return this.expected(path, "an FQAN such as /fermilab/nova", value);
    return this.refusable(path, "an FQAN such as /fermilab/nova", () => formatFqan(parseFqan(value)));
  }

  /** A group of a VO, without role. */
  voGroup(value: unknown, path: Path): string | null {
    if (typeof value !== "string") return this.expected(path, "a group such as /fermilab/nova", value);
    const read = this.refusable(path, "a group such as /fermilab/nova", () => parseFqan(value));
    if (read?.role != null) return this.say(path, "expected a group without a role: write the role as role:");
    return read?.group ?? null;
  }

  flag(fields: Fields, key: string, path: Path, otherwise: boolean): boolean {
    const value = fields[key];
    if (value === undefined || typeof value === "boolean") return value ?? otherwise;
    this.expected([...path, key], "true or false", value);
    return otherwise;
  }

  choice<Word extends string>(
    fields: Fields,
    key: string,
    path: Path,
    words: readonly Word[],
    otherwise: Word | null,
  ): Word | null {
    const value = fields[key];
    if (value === undefined && otherwise !== null) return otherwise;
    if (words.includes(value as Word)) return value as Word;
    const hint = typeof value === "string" ? suggestion(value, words) : "";
    return this.say(
      [...path, key],
      `expected ${words.join(", ")}, found ${shown(value)}${hint.startsWith("; did") ? hint : ""}`,
    );
  }

  /** References to things of one list. */
  references(value: unknown, path: Path, what: string, known: readonly string[]): readonly string[] {
    const names = new Set(known);
    return this.list(value, path, `a list of names of ${what}`, (item, at) => {
      if (typeof item !== "string") return this.expected(at, `the name of one of ${what}`, item);
      return names.has(item) ? item : this.say(at, () => `${what} has no ${shown(item)}${suggestion(item, known)}`);
    });
  }

  /** Names stand once each. */
  unique(items: readonly (readonly [name: string, path: Path])[]): void {
    const seen = new Set<string>();
    for (const [name, path] of items) {
      if (seen.has(name)) this.say([...path, "name"], `${JSON.stringify(name)} is given twice`);
      seen.add(name);
    }
  }

  private refusable<Value>(path: Path, expected: string, read: () => Value): Value | null {
    try {
      return read();
    } catch (error) {
      if (error instanceof NameRefused) return this.say(path, `expected ${expected}: ${error.message}`);
      throw error;
    }
  }
}
