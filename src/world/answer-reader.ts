/** Cuts answers of HTTP/1.1 out of the octets of one connection: by length, in chunks, or until the connection ends. RFC 9112 6. */
import type { Answer } from "./request.ts";

/** Octets of a body that are kept; the rest is counted and thrown away. */
const KEPT = 64 * 1024;
/** Longest head of an answer, octets; node:http takes as many. */
const LONGEST_HEAD = 16 * 1024;
/** Longest line of a chunk's length, or of a trailer. */
const LONGEST_LINE = 1024;

const BLANK = Buffer.from("\r\n\r\n");
const NOTHING: Buffer = Buffer.alloc(0);

/** What is read next. `trailer`: lines after the last chunk, until an empty one. */
type Next = "head" | "body" | "until-end" | "chunk-length" | "chunk" | "chunk-end" | "trailer" | "whole" | "broken";

export class AnswerReader {
  #next: Next = "head";
  #rest: Buffer = NOTHING;
  #left = 0;
  #status = 0;
  #kept: Buffer[] = [];
  #room = KEPT;
  /** The server says that nothing comes after this answer. */
  last = false;

  /** Makes ready for the next answer. */
  reset(): void {
    this.#next = "head";
    this.#rest = NOTHING;
    this.#kept = [];
    this.#room = KEPT;
    this.last = false;
  }

  answer(): Answer {
    const body = this.#kept.length === 1 ? this.#kept[0]! : Buffer.concat(this.#kept);
    return { status: this.#status, body: body.toString("utf8") };
  }

  /** @returns whether the answer is whole; what comes after it is thrown away */
  push(chunk: Buffer): "more" | "whole" | "broken" {
    let octets = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = NOTHING;
    for (;;) {
      const used = this.#step(octets);
      if (this.#next === "broken") return "broken";
      if (this.#next === "whole") {
        // Octets that nobody asked for: the connection cannot be trusted with a next question.
        if (used < octets.length) this.last = true;
        return "whole";
      }
      if (used < 0) {
        this.#rest = octets;
        return "more";
      }
      octets = octets.subarray(used);
      if (octets.length === 0) return "more";
    }
  }

  /** The connection has ended. @returns whether that makes the answer whole */
  end(): boolean {
    return this.#next === "until-end";
  }

  /** @returns octets used; -1 when more are needed first */
  #step(octets: Buffer): number {
    switch (this.#next) {
      case "head":
        return this.#head(octets);
      case "until-end":
        this.#keep(octets);
        return octets.length;
      case "body":
      case "chunk": {
        const part = octets.length > this.#left ? octets.subarray(0, this.#left) : octets;
        this.#keep(part);
        this.#left -= part.length;
        if (this.#left === 0) this.#next = this.#next === "body" ? "whole" : "chunk-end";
        return part.length;
      }
      default:
        return this.#line(octets);
    }
  }

  #keep(octets: Buffer): void {
    if (this.#room <= 0) return;
    this.#kept.push(octets.length > this.#room ? octets.subarray(0, this.#room) : octets);
    this.#room -= octets.length;
  }

  #head(octets: Buffer): number {
    const end = octets.indexOf(BLANK);
    if (end < 0) {
      if (octets.length > LONGEST_HEAD || !"HTTP/1.".startsWith(octets.toString("latin1", 0, 7))) this.#next = "broken";
      return -1;
    }
    const text = octets.toString("latin1", 0, end);
    const first = /^HTTP\/1\.([01]) (\d{3})(?: [^\r\n]*)?(?:\r\n|$)/.exec(text);
    if (first === null) {
      this.#next = "broken";
      return -1;
    }
    this.#status = Number(first[2]);
    // 100 and 103 go before the answer itself.
    if (this.#status < 200 && this.#status !== 101) return end + BLANK.length;
    const connection = field(text, "connection")?.toLowerCase() ?? "";
    this.last = first[1] === "0" ? !connection.includes("keep-alive") : connection.includes("close");
    this.#next = this.#bodyAfter(text);
    if (this.#next === "until-end") this.last = true;
    return end + BLANK.length;
  }

  #bodyAfter(head: string): Next {
    if (this.#status === 204 || this.#status === 304) return "whole";
    const coding = field(head, "transfer-encoding");
    if (coding !== null) return /(?:^|,)\s*chunked\s*$/i.test(coding) ? "chunk-length" : "until-end";
    const length = field(head, "content-length");
    if (length === null) return "until-end";
    if (!/^\d{1,15}$/.test(length)) return "broken";
    this.#left = Number(length);
    return this.#left === 0 ? "whole" : "body";
  }

  #line(octets: Buffer): number {
    const end = octets.indexOf("\r\n");
    if (end < 0 || end > LONGEST_LINE) {
      if (end > LONGEST_LINE || octets.length > LONGEST_LINE) this.#next = "broken";
      return -1;
    }
    const text = octets.toString("latin1", 0, end);
    if (this.#next === "chunk-end") this.#next = text === "" ? "chunk-length" : "broken";
    else if (this.#next === "trailer") this.#next = text === "" ? "whole" : "trailer";
    else {
      const length = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(text);
      this.#left = length === null ? 0 : Number.parseInt(length[1]!, 16);
      this.#next = length === null ? "broken" : this.#left === 0 ? "trailer" : "chunk";
    }
    return end + 2;
  }
}

/** @returns a field's value, or `null`; the first where it stands twice */
function field(head: string, name: string): string | null {
  for (let at = head.indexOf("\r\n"); at >= 0; ) {
    const from = at + 2;
    at = head.indexOf("\r\n", from);
    const colon = from + name.length;
    if (head.charCodeAt(colon) !== 0x3a) continue;
    if (head.slice(from, colon).toLowerCase() === name) return head.slice(colon + 1, at < 0 ? undefined : at).trim();
  }
  return null;
}
