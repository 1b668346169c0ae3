/**
 * Requests and answers as JSON: bounded on the way in, typed on the way out. A handler either returns an answer or throws a
 * {@link Refusal}; whatever else is thrown is a defect, answered with 500 and no detail, and logged.
 */

export interface Answer {
  readonly status: number;
  /** JSON text, ready to send. */
  readonly body: string;
  /** Content type where it is not JSON. */
  readonly type?: string;
  /** Entity tag, with its quotation marks. */
  readonly etag?: string;
  /** The body alone goes out, for clients older than HTTP; the connection ends with it. */
  readonly bare?: true;
  /** More fields, such as `location`; a value with a line end is a defect and is not sent. */
  readonly headers?: Readonly<Record<string, string>>;
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
