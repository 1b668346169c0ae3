/**
 * One client's connection after the handshake: octets in, one request at a time out, one answer for each. While a request waits or is
 * being worked on, what the client sends stays in the kernel.
 */
import type { TLSSocket } from "node:tls";
import { type Client, type Readable, readableOf } from "../../src/world/index.ts";
import type { Answer } from "./answer.ts";
import { HttpFault } from "./head.ts";
import { BODY_LIMIT, OPERATOR_BODY_LIMIT } from "./limits.ts";
import type { Peer } from "./peer.ts";
import type { Protocol, RequestReader } from "./protocol.ts";
import type { HttpRequest } from "./reader.ts";
import type { Community } from "./turns.ts";

/** Milliseconds. Slow clients hold nothing for longer: `answer` also ends those that do not read theirs. */
export const TIMEOUTS = {
  handshake: 3000,
  headers: 3000,
  request: 10_000,
  idle: 30_000,
  answer: 30_000,
  close: 3000,
} as const;
/** Milliseconds in which what is left of a refused body is read and thrown away, so that the refusal is not lost in a reset. */
const LINGER = 500;

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  303: "See Other",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** A line end in a value would begin a field, or a body, of somebody else's making. */
const LINE = /^[a-z-]+: [\t\x20-\x7e]*$/;

/** @returns further fields as they stand in a head, without those that cannot stand there */
function linesOf(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .filter((line) => LINE.test(line))
    .map((line) => `${line}\r\n`)
    .join("");
}

const STAYS = `connection: keep-alive\r\nkeep-alive: timeout=${TIMEOUTS.idle / 1000}\r\n\r\n`;
const ENDS = "connection: close\r\n\r\n";
/** Seconds after which a refused caller may come again. */
export const RETRY_AFTER = 1;

let dateSecond = 0;
let dateText = "";
/** @returns `date: …`, made once a second */
function dateLine(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = `\r\ndate: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateText;
}

/** What a connection asks of the server it belongs to. */
export interface Service {
  /** Whether the server is about to end. */
  readonly closing: boolean;
  /** Milliseconds, a quarter of a second old at most. */
  readonly now: number;
  readonly protocol: Protocol;
  /** Octets of this connection came. */
  readonly heard: (connection: Connection) => void;
  /** Gets each request; must lead to one call of {@link Connection.answer}. `behind`: it was sent before the last answer. */
  readonly take: (connection: Connection, request: HttpRequest, behind: boolean) => void;
}

/** What is waited for, by which time limits are kept. */
type Phase = "idle" | "head" | "request" | "working" | "writing" | "lingering";
const PATIENCE: Readonly<Record<Phase, number>> = {
  idle: TIMEOUTS.idle,
  head: TIMEOUTS.headers,
  request: TIMEOUTS.request,
  working: Number.POSITIVE_INFINITY,
  writing: TIMEOUTS.answer,
  lingering: LINGER,
};

export class Connection {
  readonly client: Client;
  readonly peer: Peer;
  /** Its community by certificate and address: by it connections are counted and read. */
  readonly home: Community;
  /** Changes with the request only where rules speak of VOs. */
  community: Community;
  /** More connections than its community may have: its first call is refused. */
  surplus = false;
  /** How others keep it from being read. */
  readonly readable: Readable = { hold: () => this.#hold("waits"), release: () => this.#release("waits") };
  readonly #inner: Readable;
  /** Why it is not read: others' turn it is (`waits`), whole requests are left over (`full`). */
  readonly #held = { waits: false, full: false };
  readonly #socket: TLSSocket;
  readonly #service: Service;
  readonly #reader: RequestReader;
  #phase: Phase;
  #since: number;
  #unwritten = 0;
  /** What of {@link Community.unread} is this connection's. */
  #unread = 0;
  #head = false;
  #stays = true;
  /** The client has said that it sends nothing more. */
  #ended = false;

  constructor(socket: TLSSocket, client: Client, peer: Peer, community: Community, service: Service) {
    this.client = client;
    this.peer = peer;
    this.home = community;
    this.community = community;
    this.#socket = socket;
    this.#inner = readableOf(socket);
    this.#service = service;
    // Whole policies come from operators alone.
    this.#reader = service.protocol.reader(peer.unit === "operator" ? OPERATOR_BODY_LIMIT : BODY_LIMIT);
    // The first request has the time of a head: who connects has something to ask.
    this.#phase = "head";
    this.#since = service.now;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("end", () => this.#onEnd());
    socket.on("drain", () => this.#onDrain());
    socket.once("close", () => this.#countUnread(0));
  }

  get gone(): boolean {
    return this.#socket.destroyed;
  }

  /** Ends it when it has been in its phase for too long. @returns whether it did */
  expire(now: number): boolean {
    if (this.#unread > 0 && !this.gone) this.#countUnread(this.#socket.writableLength);
    if (now - this.#since <= PATIENCE[this.#phase]) return false;
    if (this.#phase === "writing" && this.#socket.writableLength < this.#unwritten) {
      this.#unwritten = this.#socket.writableLength;
      this.#since = now;
      return false;
    }
    this.#socket.destroy();
    return true;
  }

  /** Ends it now if nothing is under way, otherwise after its answer. */
  closeIdle(): void {
    if (this.#phase === "idle" || this.#phase === "head") this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Sends the one answer to the request under way. */
  answer(answer: Answer): void {
    const stays = this.#stays && !this.#service.closing && !this.#ended;
    this.#write(answer, stays, "");
    if (!stays) return void this.#leave(false);
    if (this.#socket.writableNeedDrain) {
      this.#enter("writing");
      this.#unwritten = this.#socket.writableLength;
    } else this.#goOn();
  }

  /** Sends a refusal in place of the answer and lets the client go: coming back costs it a place at the door. */
  refuse(says: string): void {
    this.#write(this.#service.protocol.complaint(429, says), false, `retry-after: ${RETRY_AFTER}\r\n`);
    this.#leave(false);
  }

  #write(answer: Answer, stays: boolean, more: string): void {
    const { status, body, type = "application/json", etag, headers, bare } = answer;
    if (this.#socket.destroyed) return;
    if (bare) return void this.#socket.write(body);
    const length = Buffer.byteLength(body);
    // RFC 9110 8.6: with 304, a length would be that of what was not sent.
    const content = status === 304 ? "" : `\r\ncontent-type: ${type}\r\ncontent-length: ${length}`;
    const head = `HTTP/1.1 ${status} ${REASONS[status] ?? "Answer"}${content}${dateLine()}${etag === undefined ? "" : `etag: ${etag}\r\n`}${headers === undefined ? "" : linesOf(headers)}${more}${stays ? STAYS : ENDS}`;
    // One write is one TLS record, and one system call.
    // ASCII is written as it is; counting its octets has told whether it is.
    this.#socket.write(this.#head ? head : head + body, length === body.length ? "latin1" : "utf8");
    this.#countUnread(this.#socket.writableLength);
  }

  #countUnread(octets: number): void {
    this.home.unread += octets - this.#unread;
    this.#unread = octets;
  }

  #onData(chunk: Buffer): void {
    if (this.#phase === "lingering") return;
    this.#service.heard(this);
    this.#reader.push(chunk);
    if (this.#phase === "working" || this.#phase === "writing") this.#hold("full");
    else this.#advance(false);
  }

  #hold(why: "waits" | "full"): void {
    this.#held[why] = true;
    this.#inner.hold();
  }

  #release(why: "waits" | "full"): void {
    this.#held[why] = false;
    if (!this.#held.waits && !this.#held.full) this.#inner.release();
  }

  #onEnd(): void {
    this.#ended = true;
    if (this.#phase !== "working" && this.#phase !== "writing") this.#socket.end();
  }

  #onDrain(): void {
    this.#countUnread(this.#socket.writableLength);
    if (this.#phase === "writing") this.#goOn();
  }

  /** The answer is out: on to what came in the meantime. */
  #goOn(): void {
    this.#enter("idle");
    if (this.#reader.begun) this.#advance(true);
    if (this.#held.full && this.#phase !== "working" && this.#phase !== "writing") this.#release("full");
  }

  #advance(behind: boolean): void {
    const reading = this.#reader.next();
    if (reading === "more" || reading === "continue") {
      if (this.#phase === "idle") this.#enter("head");
      if (this.#phase === "head" && this.#reader.inBody) this.#enter("request");
      if (reading === "continue") this.#socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    } else if (reading instanceof HttpFault) {
      this.#head = false;
      this.#write(this.#service.protocol.complaint(reading.status, reading.says), false, "");
      this.#leave(true);
    } else {
      this.#head = reading.method === "HEAD";
      this.#stays = reading.stays;
      this.#enter("working");
      this.#service.take(this, reading, behind);
    }
  }

  /** @param unread octets may still come that nobody wants: they are thrown away for a moment, so that no reset overtakes the answer */
  #leave(unread: boolean): void {
    this.#enter("lingering");
    if (unread) {
      this.#release("full");
      this.#socket.end();
    } else {
      // Gone as soon as the answer is out; who does not read it has as long as any slow reader.
      this.#since += TIMEOUTS.answer - LINGER;
      this.#socket.destroySoon();
    }
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#service.now;
  }
}
