/**
 * Requests by the thousand: what load clients send. It does what {@link connector} does, with as little work for each call as can be, because a
 * client that is busy measures itself: a question is written out once, and an answer is cut where its head says. Measured beside node:https: a
 * quarter of the processor time for a call on a kept connection, a tenth less for one on a new connection, where the handshake is nearly all.
 *
 * Refused: pipelining, redirects, compression, trailers' contents: no client of ours uses them.
 */
import { connect as tcpConnect } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, connect as tlsConnect } from "node:tls";
import { AnswerReader } from "./answer-reader.ts";
import {
  type Answer,
  connectionSays,
  contextOf,
  type Destination,
  failureCode,
  type Question,
  RequestFailure,
} from "./request.ts";

/** A question as it goes over the wire. */
export interface Written {
  readonly octets: Buffer;
  /** Only what changes nothing may be asked again unseen. */
  readonly reads: boolean;
}

export interface LeanClientOptions {
  readonly to: Omit<Destination, "localAddress" | "preamble">;
  /** Keep connections for the next question, or make a new one each time. */
  readonly keepAlive: boolean;
  /** Addresses of this machine that calls come from, in turn; the system chooses when empty. */
  readonly from?: readonly string[];
}

export class LeanClient {
  readonly #options: LeanClientOptions;
  readonly #context: SecureContext | null;
  readonly #idle: Line[] = [];
  readonly #open = new Set<Line>();
  #turn = 0;
  #closed = false;

  /** @throws Error when certificate and key are none */
  constructor(options: LeanClientOptions) {
    this.#options = options;
    const { scheme, tls } = options.to;
    if (scheme === "http") this.#context = null;
    else this.#context = tls === null ? createSecureContext() : contextOf(tls);
  }

  /** Writes a question out, once for many calls. @throws Error when HTTP has no such method, path or field */
  write({ method, path, headers = {}, body = null }: Omit<Question, "timeoutMs" | "signal" | "keepBytes">): Written {
    const { servername, address, port } = this.#options.to;
    const fields = {
      host: `${servername ?? address}:${port}`,
      connection: this.#options.keepAlive ? "keep-alive" : "close",
      ...headers,
      ...(body === null ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    };
    const lines = [`${method} ${path} HTTP/1.1`, ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`)];
    if (/\s/.test(path) || lines.some((line) => /[^\t\x20-\x7e\x80-\xff]/.test(line)))
      throw new TypeError(`HTTP has no such request: ${method} ${path}`);
    const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
    return { octets: body === null ? head : Buffer.concat([head, Buffer.from(body)]), reads: method === "GET" };
  }

  /**
   * @param timeoutMs for everything, the connection included
   * @throws RequestFailure and nothing else
   */
  ask(question: Written, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => this.#ask(question, timeoutMs, resolve, reject));
  }

  /** Gives up what is under way; nothing can be asked afterwards. */
  close(): void {
    this.#closed = true;
    for (const line of this.#open) line.end(new RequestFailure("answer", "ABORTED", "given up"));
  }

  #ask(
    question: Written,
    timeoutMs: number,
    resolve: (answer: Answer) => void,
    reject: (failure: RequestFailure) => void,
  ): void {
    if (this.#closed) return void reject(new RequestFailure("connect", "ABORTED", "given up"));
    const kept = this.#idle.pop();
    const line = kept ?? this.#connect();
    line.ask(question.octets, timeoutMs, (outcome) => {
      if (!(outcome instanceof RequestFailure)) {
        if (this.#options.keepAlive && !line.gone) this.#idle.push(line);
        else line.end(null);
        return void resolve(outcome);
      }
      // A kept connection that the server closed while the question was on its way.
      if (kept && question.reads && line.silent && outcome.code === "ECONNRESET")
        return void this.#ask(question, timeoutMs, resolve, reject);
      reject(outcome);
    });
  }

  #connect(): Line {
    const { to, from = [] } = this.#options;
    const where = {
      host: to.address,
      port: to.port,
      noDelay: true,
      ...(from.length === 0 ? {} : { localAddress: from[this.#turn++ % from.length]! }),
    };
    const socket =
      this.#context === null
        ? tcpConnect(where)
        : tlsConnect({
            ...where,
            secureContext: this.#context,
            // An address may stand in a certificate but not in the SNI extension (RFC 6066 3).
            ...(to.servername === null ? {} : { servername: to.servername }),
          });
    const line = new Line(socket, this.#context !== null, to.connectTimeoutMs, () => {
      this.#open.delete(line);
      const at = this.#idle.indexOf(line);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    this.#open.add(line);
    return line;
  }
}

type Told = (outcome: Answer | RequestFailure) => void;

/** One connection; one question at a time. */
class Line {
  readonly #socket: Duplex;
  readonly #onGone: () => void;
  readonly #reader = new AnswerReader();
  #stands = false;
  #told: Told | null = null;
  #timer: NodeJS.Timeout | null = null;
  #waiting: Buffer | null = null;
  /** Nothing of an answer has come. */
  silent = true;
  gone = false;

  constructor(socket: Duplex, secure: boolean, connectTimeoutMs: number, onGone: () => void) {
    this.#socket = socket;
    this.#onGone = onGone;
    const late = setTimeout(() => this.#fail("ETIMEDOUT"), connectTimeoutMs);
    socket.once("connect", () => clearTimeout(late));
    socket.once(secure ? "secureConnect" : "connect", () => {
      this.#stands = true;
      if (this.#waiting !== null) socket.write(this.#waiting);
      this.#waiting = null;
    });
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) => this.#fail(failureCode(error), error.message));
    socket.once("end", () => this.#onEnd());
    socket.once("close", () => {
      clearTimeout(late);
      this.#onEnd();
    });
  }

  ask(octets: Buffer, timeoutMs: number, told: Told): void {
    this.#told = told;
    this.silent = true;
    this.#reader.reset();
    this.#timer = setTimeout(
      () => this.#fail("TIMEOUT", `no answer within ${Math.ceil(timeoutMs)} ms`),
      Math.max(1, timeoutMs),
    );
    if (this.#stands) this.#socket.write(octets);
    else this.#waiting = octets;
  }

  /** @param failure what whoever waits is told */
  end(failure: RequestFailure | null): void {
    if (this.gone) return;
    this.gone = true;
    this.#socket.destroy();
    this.#onGone();
    if (failure !== null) this.#tell(failure);
  }

  #tell(outcome: Answer | RequestFailure): void {
    const told = this.#told;
    this.#told = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    told?.(outcome);
  }

  #fail(code: string, fallback = code): void {
    const phase = this.#stands ? "answer" : "connect";
    this.end(new RequestFailure(phase, code, connectionSays(code, fallback)));
  }

  #onData(chunk: Buffer): void {
    // Somebody who speaks unasked is no server that we know.
    if (this.#told === null) return void this.end(null);
    this.silent = false;
    const read = this.#reader.push(chunk);
    if (read === "broken") return void this.#fail("HPE_INVALID", "what it says is no HTTP");
    if (read === "more") return;
    if (this.#reader.last) this.end(null);
    this.#tell(this.#reader.answer());
  }

  /** The far end has closed. */
  #onEnd(): void {
    if (this.gone) return;
    const whole = this.#told !== null && this.#reader.end();
    if (this.#told === null || whole) this.end(null);
    else if (this.silent) this.#fail("ECONNRESET");
    else this.end(new RequestFailure("answer", "ECONNRESET", "its answer was cut"));
    if (whole) this.#tell(this.#reader.answer());
  }
}
