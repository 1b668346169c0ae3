/**
 * What the stock clients of VOMS send, as requests. The C client begins with the octet `0` (a habit of GSI: "no delegation") in a TLS record of its
 * own; it ends the lines of its HTTP/1.0 with bare line feeds; when the REST call fails it comes back with one XML element instead, as servers
 * before 2011 took it. The Java client speaks HTTP/1.1. A director's check does too.
 *
 * Bare line feeds are mended into what {@link HttpReader} takes, so that there is one reader of HTTP in the house. Refused: taking both endings in
 * one head, which is how two readers come to differ.
 */
import { type Answer, HttpFault, HttpReader, type Protocol, type Reading, type RequestReader } from "../http/index.ts";
import { complaint } from "./words.ts";

/** Method of the older protocol's requests, which have none. */
export const LEGACY = "LEGACY";
/** Octets of one element of the older protocol: a few hundred in practice. */
const LONGEST_ELEMENT = 16 * 1024;
const LONGEST_HEAD = 16 * 1024;

const NOTHING = Buffer.alloc(0);
const ZERO = 0x30;
const LF = 0x0a;
const CR = 0x0d;
const LESS = 0x3c;

const END = Buffer.from("</voms>");
const BARE_END = Buffer.from("\n\n");

export class VomsReader implements RequestReader {
  readonly #http: HttpReader;
  #octets: Buffer = NOTHING;
  /** `null` until the first octets tell. */
  #speaks: "http" | "bare" | "xml" | null = null;
  #greeted = false;

  constructor(bodyLimit: number) {
    this.#http = new HttpReader(bodyLimit);
  }

  get held(): number {
    return this.#octets.length + this.#http.held;
  }

  get begun(): boolean {
    return this.#octets.length > 0 || this.#http.begun;
  }

  get inBody(): boolean {
    return this.#http.inBody;
  }

  push(chunk: Buffer): void {
    if (this.#speaks === "http") return void this.#http.push(chunk);
    this.#octets = this.#octets.length === 0 ? chunk : Buffer.concat([this.#octets, chunk]);
  }

  next(): Reading {
    this.#speaks ??= this.#listen();
    switch (this.#speaks) {
      case null:
        return this.#octets.length > LONGEST_HEAD ? new HttpFault(400, "the first line does not end") : "more";
      case "http":
        return this.#http.next();
      case "xml":
        return this.#element();
      case "bare":
        return this.#bare();
    }
  }

  #listen(): "http" | "bare" | "xml" | null {
    if (!this.#greeted && this.#octets[0] === ZERO) {
      this.#greeted = true;
      this.#octets = this.#octets.subarray(1);
    }
    if (this.#octets.length === 0) return null;
    if (this.#octets[0] === LESS) return "xml";
    const end = this.#octets.indexOf(LF);
    if (end < 0) return null;
    if (end === 0 || this.#octets[end - 1] === CR) {
      this.#http.push(this.#octets);
      this.#octets = NOTHING;
      return "http";
    }
    return "bare";
  }

  #element(): Reading {
    const end = this.#octets.indexOf(END);
    if (end < 0)
      return this.#octets.length > LONGEST_ELEMENT
        ? new HttpFault(413, `a request has at most ${LONGEST_ELEMENT} octets`)
        : "more";
    const body = this.#octets.subarray(0, end + END.length);
    this.#octets = NOTHING;
    return { method: LEGACY, target: "/", headers: {}, body, stays: false };
  }

  #bare(): Reading {
    const end = this.#octets.indexOf(BARE_END);
    if (end < 0) return this.#octets.length > LONGEST_HEAD ? new HttpFault(431, "the head is too long") : "more";
    const head = this.#octets.toString("latin1", 0, end);
    this.#octets = NOTHING;
    if (head.includes("\r")) return new HttpFault(400, "lines of a head end in one way");
    this.#http.push(Buffer.from(`${head.replaceAll("\n", "\r\n")}\r\n\r\n`, "latin1"));
    const reading = this.#http.next();
    return typeof reading === "string" ? new HttpFault(400, "a request without a body was expected") : reading;
  }
}

/** Refusals in words that VOMS clients show to people. */
export const VOMS_PROTOCOL: Protocol = {
  reader: (bodyLimit) => new VomsReader(bodyLimit),
  complaint: (status, says): Answer => complaint(status, says),
};
