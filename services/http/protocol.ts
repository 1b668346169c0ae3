/**
 * How the clients of a server speak. HTTP/1.1 as the house takes it is one way; a service whose clients were written long ago brings its own
 * reader and its own words for a refusal, and has the same fairness, bounds and time limits.
 */
import { type Answer, errorAnswer } from "./answer.ts";
import { HttpReader, type Reading } from "./reader.ts";

/** Octets → requests, one at a time. */
export interface RequestReader {
  /** Octets that are kept. */
  readonly held: number;
  /** Whether a request has begun. */
  readonly begun: boolean;
  /** Whether a head was read whose body is not whole. */
  readonly inBody: boolean;
  push(chunk: Buffer): void;
  next(): Reading;
}

export interface Protocol {
  /** @param bodyLimit octets of one body */
  readonly reader: (bodyLimit: number) => RequestReader;
  /** What is said to who is refused, or not understood. */
  readonly complaint: (status: number, says: string) => Answer;
}

export const HTTP: Protocol = { reader: (bodyLimit) => new HttpReader(bodyLimit), complaint: errorAnswer };
