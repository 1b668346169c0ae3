/**
 * What people write into forms and programs into JSON, read the same way: every field has a kind, a limit and a sentence, and all that is wrong is
 * said at once, each beside its field.
 */
import {
  DN_LIMIT,
  FQAN_LIMIT,
  formatFqan,
  GridRefused,
  NameRefused,
  normalDn,
  parseFqan,
} from "../../src/grid/index.ts";
import { Refusal, text } from "../http/index.ts";

export type FieldKind = keyof typeof KINDS;

export interface Field {
  readonly kind: FieldKind;
  /** For people, beside the field. */
  readonly label: string;
  readonly help?: string;
  readonly required?: boolean;
  /** What browsers may fill in by themselves. */
  readonly autocomplete?: string;
}

export type Fields = Readonly<Record<string, Field>>;

/** Several fields are wrong: sentences by their names. */
export class FormRefused extends Refusal {
  readonly fields: Readonly<Record<string, string>>;
  constructor(fields: Readonly<Record<string, string>>, status = 400) {
    super(
      status,
      Object.entries(fields)
        .map(([name, says]) => `${name}: ${says}`)
        .join("; "),
    );
    this.fields = fields;
  }
}

export type Value = string | number | boolean | null | readonly string[];

/** What was read; a field that may be missing and is, is not in it. */
export class Input {
  readonly #values: ReadonlyMap<string, Value>;
  constructor(values: ReadonlyMap<string, Value>) {
    this.#values = values;
  }
  has(name: string): boolean {
    return this.#values.has(name);
  }
  text(name: string): string {
    const value = this.#values.get(name);
    return typeof value === "string" ? value : "";
  }
  list(name: string): readonly string[] {
    const value = this.#values.get(name);
    return Array.isArray(value) ? value : [];
  }
  checked(name: string): boolean {
    return this.#values.get(name) === true;
  }
  /** @returns milliseconds since the epoch, `null` for never, `undefined` when nothing was said */
  moment(name: string): number | null | undefined {
    const value = this.#values.get(name);
    return value === undefined || value === null || typeof value === "number" ? value : undefined;
  }
}

/** One address of one person, as SMTP servers everywhere take it; nothing that could become a second one or a field of a message. */
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.)+[A-Za-z0-9-]{2,63}$/;
const PEM_LIMIT = 32 * 1024;
/** How many lines of a list. */
const LINES = 64;

const inOneLine = (value: unknown): unknown =>
  typeof value === "string" ? value.replace(/\s*[\r\n]+\s*/g, " ").trim() : value;
const line =
  (limit: number) =>
  (value: unknown): string =>
    text({ value: inOneLine(value) }, "value", limit);

function matching(expression: RegExp, limit: number, expected: string) {
  return (value: unknown): string => {
    const read = line(limit)(value);
    if (!expression.test(read)) throw new Refusal(400, `expected ${expected}`);
    return read;
  };
}

function name(value: unknown): string {
  return normalDn(line(DN_LIMIT)(value));
}

function fqan(value: unknown): string {
  return formatFqan(parseFqan(line(FQAN_LIMIT)(value)));
}

function day(value: unknown): number | null {
  const read = line(40)(value);
  if (read === "never") return null;
  // A day is over at its end.
  const at = /^\d{4}-\d{2}-\d{2}$/.test(read)
    ? Date.parse(`${read}T23:59:59Z`)
    : /^\d{4}-\d{2}-\d{2}T/.test(read)
      ? Date.parse(read)
      : Number.NaN;
  if (Number.isNaN(at)) throw new Refusal(400, 'expected a day such as 2027-06-30, or "never"');
  return at;
}

function pem(value: unknown): string {
  if (typeof value !== "string" || value.length > PEM_LIMIT || !value.includes("-----BEGIN CERTIFICATE-----"))
    throw new Refusal(400, "expected a certificate that begins with -----BEGIN CERTIFICATE-----");
  // A private key is nobody's business: it is not read, and not kept.
  if (value.includes("PRIVATE KEY")) throw new Refusal(400, "this has a private key in it: give the certificate alone");
  return value;
}

function lines(value: unknown): readonly string[] {
  const given = Array.isArray(value) ? value : typeof value === "string" ? value.split(/[\s,]+/) : [null];
  if (given.length > LINES) throw new Refusal(400, `expected at most ${LINES}`);
  return [...new Set(given.filter((one) => one !== "").map(fqan))];
}

function checked(value: unknown): boolean {
  if (value === true || value === "yes" || value === "on") return true;
  if (value === false || value === "no") return false;
  throw new Refusal(400, "expected yes or no");
}

/** How each kind is read. */
const KINDS = {
  line: line(200),
  sentence: line(500),
  essay: line(1000),
  email: matching(EMAIL, 254, "an e-mail address such as alice@example.org"),
  phone: matching(/^[0-9+ ()/.-]{3,40}$/, 40, "a telephone number such as +49 721 608 0"),
  dn: name,
  person: (value: unknown): string =>
    typeof value === "string" && value.includes("=") ? name(value) : line(80)(value),
  fqan,
  fqans: lines,
  owner: (value: unknown): string =>
    typeof value === "string" && value.includes("=") && !value.includes("/Role=")
      ? name(value)
      : line(FQAN_LIMIT)(value),
  attribute: matching(/^[A-Za-z0-9_.:-]{1,64}$/, 64, "a name of letters, digits, dots, dashes such as nickname"),
  certificate: matching(/^[0-9a-f]{64}$/, 64, "the id of a certificate, as it is listed"),
  code: matching(/^[0-9a-f]{32}$/, 32, "the code as it stands in the e-mail, 32 letters and digits"),
  pem,
  day,
  check: checked,
} as const satisfies Record<string, (value: unknown) => Value>;

/** Characters that fields of browsers take, where that helps people. */
export const LONGEST: Readonly<Partial<Record<FieldKind, number>>> = {
  line: 200,
  sentence: 500,
  essay: 1000,
  email: 254,
  phone: 40,
  code: 32,
};

/**
 * @param given names and values as they came; empty texts count as not given
 * @throws {FormRefused} with every field that is wrong, missing or not known
 */
export function readInput(fields: Fields, given: Readonly<Record<string, unknown>>): Input {
  const values = new Map<string, Value>();
  const wrong: Record<string, string> = {};
  for (const unknown of Object.keys(given))
    if (!Object.hasOwn(fields, unknown)) wrong[unknown.slice(0, 40)] = "nothing is known of this field";
  for (const [field, { kind, required = false, label }] of Object.entries(fields)) {
    const value = given[field];
    if (value === undefined || value === null || (typeof value === "string" && value.trim() === "")) {
      if (required) wrong[field] = kind === "check" ? "this has to be agreed to" : `${label} is missing`;
      continue;
    }
    try {
      values.set(field, KINDS[kind](value));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof NameRefused || error instanceof GridRefused)) throw error;
      wrong[field] = error.message.replace(/^value(?: is missing)?: /, "");
    }
    if (required && kind === "check" && values.get(field) === false) wrong[field] = "this has to be agreed to";
  }
  if (Object.keys(wrong).length > 0) throw new FormRefused(wrong);
  return new Input(values);
}
