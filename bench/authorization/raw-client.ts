/**
 * A client as cheap as can be, so that it is never what is measured: TLS sockets and prebuilt requests, answers cut by their length.
 * `node:https` costs three times as much for each call.
 */
import { connect as tcpConnect } from "node:net";
import { createSecureContext, type SecureContext, type TLSSocket, connect as tlsConnect } from "node:tls";

export interface Target {
  readonly address: string;
  readonly port: number;
  readonly servername: string;
  /** Address the connections come from. */
  readonly from: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What came of one call: an HTTP status, or how it failed. */
export type Outcome = number | "alert" | "reset" | "closed" | "timeout";

const contexts = new WeakMap<Target, SecureContext>();

function contextOf(target: Target): SecureContext {
  let context = contexts.get(target);
  if (context === undefined) {
    context = createSecureContext({ ca: target.ca, cert: target.cert, key: target.key });
    contexts.set(target, context);
  }
  return context;
}

/** @returns a GET as it goes over the wire */
export function prebuild(host: string, path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\naccept: application/json\r\n\r\n`);
}

/** @returns a POST of XML as it goes over the wire, with the fields that ARC sends */
export function prebuildPost(host: string, path: string, body: string): Buffer {
  const fields = `host: ${host}\r\ncontent-type: text/xml\r\nsoapaction: ""\r\ncontent-length: ${Buffer.byteLength(body)}`;
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${fields}\r\n\r\n${body}`);
}

/** One connection; calls on it are answered in order. */
export class RawConnection {
  readonly socket: TLSSocket;
  /** Told once, when it stands. */
  onStanding: () => void = () => {};
  /** Told of each answer. */
  onAnswer: (status: number) => void = () => {};
  /** Told once, when it is gone. */
  onEnd: (how: Exclude<Outcome, number>) => void = () => {};
  standing = false;
  #rest = "";

  constructor(target: Target) {
    const plain = tcpConnect({ host: target.address, port: target.port, localAddress: target.from, noDelay: true });
    let how: Exclude<Outcome, number> = "closed";
    const onError = (error: NodeJS.ErrnoException): void => {
      how = error.code?.includes("SSL") ? "alert" : "reset";
      this.socket.destroy();
    };
    this.socket = tlsConnect({ socket: plain, servername: target.servername, secureContext: contextOf(target) });
    plain.on("error", onError);
    this.socket.on("error", onError);
    this.socket.once("secureConnect", () => {
      this.standing = true;
      this.onStanding();
    });
    this.socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    this.socket.once("close", () => this.onEnd(how));
  }

  send(request: Buffer): void {
    this.socket.write(request);
  }

  /** Closes without leaving a port waiting for a minute. */
  close(): void {
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#rest = this.#rest === "" ? chunk.toString("latin1") : this.#rest + chunk.toString("latin1");
    for (;;) {
      const end = this.#rest.indexOf("\r\n\r\n");
      if (end < 0) return;
      const at = this.#rest.indexOf("content-length: ") + 16;
      const length = Number(this.#rest.slice(at, this.#rest.indexOf("\r", at)));
      if (this.#rest.length < end + 4 + length) return;
      const status = Number(this.#rest.slice(9, 12));
      this.#rest = this.#rest.slice(end + 4 + length);
      this.onAnswer(status);
    }
  }
}

/** Counts outcomes and remembers times. */
export class Tally {
  readonly outcomes: Record<string, number> = {};
  /** Milliseconds of calls that were answered with 200, and of those that were refused. */
  readonly good: number[] = [];
  readonly refused: number[] = [];

  add(outcome: Outcome, milliseconds: number): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    const list = outcome === 200 ? this.good : this.refused;
    if (list.length < 500_000) list.push(milliseconds);
  }

  report() {
    return { outcomes: this.outcomes, good: percentiles(this.good), refused: percentiles(this.refused) };
  }
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function percentiles(times: readonly number[]): Percentiles {
  const sorted = Float64Array.from(times).sort();
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
