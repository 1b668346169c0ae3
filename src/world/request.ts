/**
 * One HTTP or HTTPS request, bounded in time and size: what directors ask copies, the controller asks guests, and load clients send.
 * Why not `fetch`: it cannot connect from a given address, present a client certificate, put a PROXY header in front, or say whether
 * a failure came before or after the connection stood. Redirects, cookies and compression are refused: none of ours use them.
 */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { type Socket, connect as tcpConnect } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, connect as tlsConnect } from "node:tls";

/** Who we are to the far end and whom we believe, PEM; `context` saves parsing the three for each connection. */
export interface TlsIdentity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly context?: SecureContext;
}

/** How to reach a server; kept apart from the question so that one connector serves many questions. */
export interface Destination {
  readonly scheme: "http" | "https";
  readonly address: string;
  readonly port: number;
  /** The name the server's certificate must carry; `null` checks it for the address. */
  readonly servername: string | null;
  readonly tls: TlsIdentity | null;
  /** Connect from this address; the system chooses when `null`. */
  readonly localAddress: string | null;
  /** Octets sent in front of everything, such as a PROXY header; `null` is nothing. */
  readonly preamble: Buffer | null;
  /** Milliseconds until TCP (not TLS) must stand. */
  readonly connectTimeoutMs: number;
}

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | null;
  /** Milliseconds for everything, the connection included. */
  readonly timeoutMs: number;
  /** Octets of the answer's body that are kept; the rest is thrown away. 64 KiB when silent. */
  readonly keepBytes?: number;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** `connect`: nothing was sent. `answer`: the connection stood and then failed, was cut, or stayed silent. */
export class RequestFailure extends Error {
  override readonly name = "RequestFailure";
  readonly phase: "connect" | "answer";
  /** System code such as ECONNREFUSED, or TIMEOUT, ABORTED, TLS. */
  readonly code: string;

  constructor(phase: "connect" | "answer", code: string, says: string) {
    super(says);
    this.phase = phase;
    this.code = code;
  }
}

/** Sends questions to one destination, over one kept connection after the other or a new one for each. */
export interface Connector {
  /** @throws RequestFailure and nothing else */
  readonly ask: (question: Question) => Promise<Answer>;
  readonly close: () => void;
}

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "it cut the connection",
  EPIPE: "it cut the connection",
  ETIMEDOUT: "no connection in time",
  EADDRNOTAVAIL: "this machine has no such address or no port left",
  EMFILE: "this process has too many open files",
};

/** @returns one sentence for a system error code, without the address. */
export function connectionSays(code: string, fallback = code): string {
  return SENTENCES[code] ?? fallback;
}

/** @returns the system's code of a failure, or TLS where the two ends did not agree. */
export function failureCode(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === undefined ? "TLS" : code.startsWith("ERR_TLS") || code.startsWith("ERR_SSL") ? "TLS" : code;
}

/** State of one connection that the failure sentence needs: whether it ever stood. */
const stood = new WeakMap<Duplex, boolean>();

/** Reading the three takes as long as a whole handshake: once for each identity, whoever connects with it. */
const contexts = new WeakMap<TlsIdentity, SecureContext>();

/** @returns what connections with this identity share. @throws Error when certificate and key are none */
export function contextOf(tls: TlsIdentity): SecureContext {
  const context = tls.context ?? contexts.get(tls) ?? createSecureContext({ ca: tls.ca, cert: tls.cert, key: tls.key });
  contexts.set(tls, context);
  return context;
}

function open(to: Destination): Socket {
  const socket = tcpConnect({
    host: to.address,
    port: to.port,
    noDelay: true,
    ...(to.localAddress === null ? {} : { localAddress: to.localAddress }),
  });
  const late = setTimeout(() => {
    socket.destroy(Object.assign(new Error("connect"), { code: "ETIMEDOUT" }));
  }, to.connectTimeoutMs);
  socket.once("connect", () => clearTimeout(late));
  socket.once("close", () => clearTimeout(late));
  if (to.preamble) socket.write(to.preamble);
  if (to.scheme === "http") {
    socket.once("connect", () => stood.set(socket, true));
    return socket;
  }
  const secured = tlsConnect({
    socket,
    ...(to.tls ? { secureContext: contextOf(to.tls) } : {}),
    // An address may stand in a certificate but not in the SNI extension (RFC 6066 3).
    ...(to.servername === null ? { host: to.address } : { servername: to.servername }),
  });
  socket.on("error", (error) => secured.destroy(error));
  secured.once("secureConnect", () => stood.set(secured, true));
  return secured;
}

/**
 * @param to where, and as whom
 * @param keepAlive keep the connection for the next question (checks, steady clients), or make a new one each time
 */
export function connector(to: Destination, keepAlive: boolean): Connector {
  const agent = to.scheme === "https" ? new SecureAgent({ keepAlive }) : new PlainAgent({ keepAlive });
  agent.createConnection = () => open(to);
  const send = to.scheme === "https" ? secureRequest : plainRequest;
  const host = to.servername ?? to.address;

  const attempt = (question: Question): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (question.signal?.aborted) return reject(new RequestFailure("connect", "ABORTED", "given up"));
      const call = send({
        agent,
        method: question.method,
        path: question.path,
        host: to.address,
        port: to.port,
        headers: {
          host: `${host}:${to.port}`,
          ...question.headers,
          ...(question.body == null ? {} : { "content-length": String(Buffer.byteLength(question.body)) }),
        },
      });
      let done = false;
      const finish = (outcome: Answer | RequestFailure) => {
        if (done) return;
        done = true;
        clearTimeout(timer);
        question.signal?.removeEventListener("abort", onAbort);
        if (outcome instanceof RequestFailure) {
          call.destroy();
          reject(outcome);
        } else resolve(outcome);
      };
      const phase = () => (call.socket && (call.reusedSocket || stood.get(call.socket)) ? "answer" : "connect");
      const timer = setTimeout(
        () => finish(new RequestFailure(phase(), "TIMEOUT", `no answer within ${Math.ceil(question.timeoutMs)} ms`)),
        question.timeoutMs,
      );
      const onAbort = () => finish(new RequestFailure(phase(), "ABORTED", "given up"));
      question.signal?.addEventListener("abort", onAbort, { once: true });
      const onError = (error: Error) => {
        const code = failureCode(error);
        const failure = new RequestFailure(phase(), code, connectionSays(code, error.message));
        // A kept connection the server closed while the question was on its way; only reading may be asked twice unseen.
        if (call.reusedSocket && question.method === "GET" && (code === "ECONNRESET" || code === "EPIPE") && !done) {
          done = true;
          clearTimeout(timer);
          question.signal?.removeEventListener("abort", onAbort);
          return resolve(attempt(question));
        }
        finish(failure);
      };
      call.on("error", onError);
      call.on("response", (incoming: IncomingMessage) => {
        const kept: Buffer[] = [];
        let room = question.keepBytes ?? 65536;
        incoming.on("data", (chunk: Buffer) => {
          if (room > 0) kept.push(chunk.subarray(0, room));
          room -= chunk.length;
        });
        incoming.on("error", onError);
        incoming.on("end", () =>
          finish({ status: incoming.statusCode ?? 0, body: Buffer.concat(kept).toString("utf8") }),
        );
        incoming.on("close", () => finish(new RequestFailure("answer", "ECONNRESET", "its answer was cut")));
      });
      call.end(question.body ?? undefined);
    });
  return {
    ask: (question) =>
      attempt(question).catch((error: Error) => {
        if (error instanceof RequestFailure) throw error;
        // A path or header that HTTP does not allow is told before anything is sent.
        throw new RequestFailure("connect", "INVALID", error.message);
      }),
    close: () => agent.destroy(),
  };
}
