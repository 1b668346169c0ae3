/**
 * Requests and answers as JSON: bounded on the way in, typed on the way out. A handler either returns an answer or throws a
 * {@link Refusal}; whatever else is thrown is a defect, answered with 500 and no detail, and logged.
 */
import type { HttpRequest } from "./http-reader.ts";

export interface Answer {
  readonly status: number;
  /** JSON text, ready to send. */
  readonly body: string;
  /** Content type where it is not JSON. */
  readonly type?: string;
  /** Entity tag, with its quotation marks. */
  readonly etag?: string;
}

/** A refusal with its status and a sentence the caller may read. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function json(status: number, value: unknown): Answer {
  return { status, body: JSON.stringify(value) };
}

/** The error form of GUMS's JSON calls, used by all programs of the house. */
export function errorAnswer(status: number, message: string): Answer {
  return json(status, { result: "ERROR", message });
}

/** Longest request body, octets. */
export const BODY_LIMIT = 64 * 1024;
/** The same of an operator: a mapping policy of a large site. */
export const OPERATOR_BODY_LIMIT = 4 * 1024 * 1024;
/** Longest request target, characters. */
export const TARGET_LIMIT = 4096;

/**
 * Reads a request's body as a JSON object.
 * @throws {Refusal} 400 when it is no JSON object; one that is too long was refused before
 */
export async function readJson(request: Pick<HttpRequest, "body">): Promise<Readonly<Record<string, unknown>>> {
  let value: unknown;
  try {
    value = JSON.parse(request.body.toString("utf8"));
  } catch {
    throw new Refusal(400, "the body is not JSON");
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new Refusal(400, "the body is not a JSON object");
  return value as Record<string, unknown>;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is refused
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/**
 * A text member of a body.
 * @throws {Refusal} 400 when it is missing, no text, too long, or has what commands a terminal, turns its order round, or is half a character
 */
export function text(
  values: Readonly<Record<string, unknown>>,
  name: string,
  limit: number,
  fallback?: string,
): string {
  const value = values[name] ?? fallback;
  if (typeof value !== "string" || (value === "" && fallback === undefined))
    throw new Refusal(400, `${name} is missing: expected a text of at most ${limit} characters`);
  if (value.length > limit || UNPRINTABLE.test(value) || !value.isWellFormed())
    throw new Refusal(400, `${name}: expected at most ${limit} characters and no control characters`);
  return value;
}
