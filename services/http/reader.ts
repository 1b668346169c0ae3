/**
 * Octets of one connection → requests, one at a time: nothing behind a request is looked at before that request is answered, so that who
 * sends a hundred at once waits like everybody else. The same octets give the same requests wherever they are cut. Pure.
 */

import {
  type Fields,
  HEAD_LIMITS,
  type Headers,
  HttpFault,
  type RequestLine,
  readFields,
  readRequestLine,
} from "./head.ts";
import { BODY_LIMIT } from "./limits.ts";
import { Octets } from "./octets.ts";

export interface HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  readonly body: Buffer;
  /** Whether the connection may stay open after the answer. */
  readonly stays: boolean;
}

/** `more`: octets are missing. `continue`: the same, and the client waits for `100 Continue`. */
export type Reading = HttpRequest | HttpFault | "more" | "continue";

const NOTHING = Buffer.alloc(0);
const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");
/** Empty lines before a request, as some clients send after a body (RFC 9112 2.2). */
const LEADING = 2;
/** Digits of a chunk's size: more than any body that is taken. */
const CHUNK_DIGITS = 8;

/** A head whose body is not yet whole. */
interface Pending {
  readonly line: RequestLine;
  readonly fields: Fields;
  readonly body: Buffer;
  /** Octets of the body that are there. */
  filled: number;
}

export class HttpReader {
  readonly #octets = new Octets();
  /** Where the search for the end of the head goes on. */
  #searched = 0;
  #leading = 0;
  #pending: Pending | null = null;
  readonly #bodyLimit: number;
  /** The fields of the last request: a steady client sends the same ones again. */
  #known = { block: "\0", minor: 1 as 0 | 1, fields: null as unknown as Fields };

  /** @param bodyLimit octets of one body */
  constructor(bodyLimit: number = BODY_LIMIT) {
    this.#bodyLimit = bodyLimit;
  }

  /** Octets that are kept. */
  get held(): number {
    return this.#octets.held + (this.#pending?.body.length ?? 0);
  }

  /** Whether a request has begun. */
  get begun(): boolean {
    return this.#octets.length > 0 || this.#pending !== null;
  }

  /** Whether a head was read whose body is not whole. */
  get inBody(): boolean {
    return this.#pending !== null;
  }

  /** @param chunk is the caller's again afterwards */
  push(chunk: Uint8Array): void {
    this.#octets.push(chunk);
  }

  /** @returns the next request if it is whole; after a fault nothing more can be read from this connection */
  next(): Reading {
    const reading = this.#pending === null ? this.#readHead() : this.#readBody(this.#pending);
    if (reading === "more") this.#octets.fit();
    return reading;
  }

  #readHead(): Reading {
    while (this.#octets.at(0) === 13 && this.#octets.at(1) === 10) {
      if (++this.#leading > LEADING) return new HttpFault(400, "empty lines instead of a request");
      this.#octets.skip(2);
      this.#searched = 0;
    }
    const end = this.#octets.indexOf(HEAD_END, this.#searched);
    if (end < 0) {
      if (this.#octets.length > HEAD_LIMITS.octets)
        return new HttpFault(431, `a head has at most ${HEAD_LIMITS.octets} octets`);
      this.#searched = Math.max(0, this.#octets.length - 3);
      return "more";
    }
    if (end > HEAD_LIMITS.octets) return new HttpFault(431, `a head has at most ${HEAD_LIMITS.octets} octets`);
    const head = this.#octets.text(end + 2);
    this.#octets.skip(end + 4);
    this.#searched = 0;
    this.#leading = 0;
    const lineEnd = head.indexOf("\r\n");
    const line = readRequestLine(head.slice(0, lineEnd));
    if (line instanceof HttpFault) return line;
    const fields = this.#fieldsOf(head.slice(lineEnd + 2), line.minor);
    if (fields instanceof HttpFault) return fields;
    if (fields.length === 0) return requestOf(line, fields, NOTHING);
    // The room for a body is taken when octets of it come, not when somebody announces them.
    this.#pending = { line, fields, body: NOTHING, filled: 0 };
    const reading = this.#readBody(this.#pending);
    return reading === "more" && fields.expects ? "continue" : reading;
  }

  #fieldsOf(block: string, minor: 0 | 1): Fields | HttpFault {
    if (block === this.#known.block && minor === this.#known.minor) return this.#known.fields;
    const fields = readFields(block, minor, this.#bodyLimit);
    if (!(fields instanceof HttpFault)) this.#known = { block, minor, fields };
    return fields;
  }

  #readBody(pending: Pending): Reading {
    const body = pending.fields.length < 0 ? this.#readChunks(pending) : this.#readLength(pending);
    if (body === "more" || body instanceof HttpFault) return body;
    this.#pending = null;
    return requestOf(pending.line, pending.fields, body);
  }

  #readLength(pending: Pending): Buffer | "more" {
    const { length } = pending.fields;
    if (this.#octets.length < length) return "more";
    const body = Buffer.allocUnsafe(length);
    this.#octets.copy(body, 0, 0, length);
    this.#octets.skip(length);
    return body;
  }

  /** RFC 9112 7.1 without extensions and trailers: nobody here uses them, and they are where readers differ. */
  #readChunks(pending: Pending): Buffer | "more" | HttpFault {
    for (;;) {
      const end = this.#octets.indexOf(LINE_END);
      if (end > CHUNK_DIGITS || (end < 0 && this.#octets.length > CHUNK_DIGITS + 1))
        return new HttpFault(400, "a chunk does not begin with its size");
      if (end < 0) return "more";
      const digits = this.#octets.text(end);
      if (!/^[0-9A-Fa-f]+$/.test(digits)) return new HttpFault(400, "a chunk does not begin with its size");
      const size = Number.parseInt(digits, 16);
      if (pending.filled + size > this.#bodyLimit)
        return new HttpFault(413, `a body has at most ${this.#bodyLimit} octets`);
      const from = end + 2;
      if (this.#octets.length < from + size + 2) return this.#shortOf(from, size);
      if (this.#octets.at(from + size) !== 13 || this.#octets.at(from + size + 1) !== 10)
        return new HttpFault(
          400,
          size === 0 ? "fields after the last chunk are not taken" : "a chunk is longer than its size",
        );
      if (size > 0) {
        const body = pending.filled + size > pending.body.length ? this.#grow(pending, size) : pending.body;
        this.#octets.copy(body, pending.filled, from, size);
        pending.filled += size;
      }
      this.#octets.skip(from + size + 2);
      if (size === 0) return pending.body.subarray(0, pending.filled);
    }
  }

  /** What can already be said of a chunk that is not whole. */
  #shortOf(from: number, size: number): "more" | HttpFault {
    if (size === 0 && this.#octets.length > from && this.#octets.at(from) !== 13)
      return new HttpFault(400, "fields after the last chunk are not taken");
    return "more";
  }

  #grow(pending: Pending, size: number): Buffer {
    const body = Buffer.alloc(Math.min(this.#bodyLimit, Math.max(1024, (pending.filled + size) * 2)));
    pending.body.copy(body, 0, 0, pending.filled);
    (pending as { body: Buffer }).body = body;
    return body;
  }
}

function requestOf(line: RequestLine, fields: Fields, body: Buffer): HttpRequest {
  const stays = line.minor === 1 ? !fields.close : fields.keepAlive && !fields.close;
  return { method: line.method, target: line.target, headers: fields.headers, body, stays };
}
