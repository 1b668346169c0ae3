/** What stands in a request's body: JSON objects, their texts and moments, bounded. */
import { Refusal } from "./answer.ts";
import type { HttpRequest } from "./reader.ts";

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

/**
 * A moment in a body or query, as ISO 8601 with its day.
 * @returns milliseconds since the epoch
 * @throws {Refusal} 400 when it is missing or none
 */
export function moment(value: unknown, name: string): number {
  const at = typeof value === "string" && /^\d{4}-\d{2}-\d{2}T/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) throw new Refusal(400, `${name}: expected a time such as 2026-11-20T03:12:00Z`);
  return at;
}
