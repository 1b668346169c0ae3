/**
 * The HTTPS server every program of the house stands on: mutual TLS under the site's authority, behind the director or not, bounded
 * in what it takes and in how long it waits, shut down without cutting answers off. Bare node:https, because the handshake is the
 * limit and a framework only adds to it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server as HttpsServer } from "node:https";
import type { Server } from "node:net";
import type { TLSSocket } from "node:tls";
import { houseDoor } from "../../src/world/index.ts";
import { type Answer, errorAnswer, Refusal, TARGET_LIMIT } from "./answer.ts";
import type { TlsFiles } from "./guest.ts";
import type { Log } from "./log.ts";
import { type Peer, peerOf } from "./peer.ts";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly peer: Peer;
  /** Address of the client, as the director or the connection tells it. */
  readonly from: string;
  readonly request: IncomingMessage;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

export interface MutualServerOptions {
  readonly tls: TlsFiles;
  readonly address: string;
  readonly port: number;
  /** Addresses of the directors, whose connections begin with a PROXY header; empty where none stand in front. */
  readonly directors: readonly string[];
  /** `METHOD /path` → what to do. */
  readonly routes: Readonly<Record<string, Handler>>;
  /** What is said to calls no route knows; 404 when silent. */
  readonly otherwise?: Handler;
  readonly log: Log;
}

/** Milliseconds. Slow clients hold nothing for longer: `idle` also ends those that do not read their answer. */
const TIMEOUTS = { handshake: 3000, headers: 3000, request: 10_000, idle: 30_000, close: 3000 } as const;
/**
 * Connections one program holds at most; more are refused by closing at once. Above the 5,000 that a director gives one copy when the
 * site file is silent: below it, the director's own checks would be refused first, and the copy be called down with all it serves.
 */
export const CONNECTIONS = 6000;

/** What every HTTP server of the house says of slow clients. */
export const SLOW_CLIENTS = {
  headersTimeout: TIMEOUTS.headers,
  requestTimeout: TIMEOUTS.request,
  keepAliveTimeout: TIMEOUTS.idle,
  maxHeaderSize: 16 * 1024,
  connectionsCheckingInterval: 500,
  noDelay: true,
} as const;

export interface RunningServer {
  readonly port: number;
  /** Takes new keys without losing a connection. */
  readonly renew: (tls: TlsFiles) => void;
  readonly close: () => Promise<void>;
}

function context(tls: TlsFiles) {
  return { ca: tls.ca, cert: tls.cert, key: tls.key, minVersion: "TLSv1.2" as const };
}

async function answerTo(call: Call, options: MutualServerOptions): Promise<Answer> {
  const handler = options.routes[`${call.method} ${call.path}`] ?? options.otherwise;
  if (handler) return handler(call);
  const methods = Object.keys(options.routes).filter((route) => route.endsWith(` ${call.path}`));
  return methods.length > 0
    ? errorAnswer(405, `${call.path} takes ${methods.map((route) => route.split(" ")[0]).join(", ")}`)
    : errorAnswer(404, `nothing is at ${call.path.slice(0, 100)}`);
}

/** Sends what a handler returned or threw; a defect is logged and answered without detail. */
export function send(response: ServerResponse, answer: Answer, head: boolean): void {
  const length = Buffer.byteLength(answer.body);
  response.writeHead(answer.status, { "content-type": "application/json", "content-length": length });
  response.end(head ? undefined : answer.body);
}

export function answerToThrown(error: unknown, log: Log): Answer {
  if (error instanceof Refusal) return errorAnswer(error.status, error.message);
  log("defect", { says: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  return errorAnswer(500, "a defect in this program; its log says more");
}

/**
 * Starts to listen.
 * @returns once the port is open
 * @throws the system's error (EADDRINUSE, EADDRNOTAVAIL) when it cannot be opened
 */
export async function listenMutually(options: MutualServerOptions): Promise<RunningServer> {
  const server: HttpsServer = createServer({
    ...context(options.tls),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: TIMEOUTS.handshake,
    ...SLOW_CLIENTS,
  });
  server.maxHeadersCount = 64;
  const door = houseDoor(server, {
    directors: options.directors,
    onRefused: (says) => options.log("connection refused", { says }),
  });
  door.front.maxConnections = CONNECTIONS;

  trackConnections(server);

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const head = request.method === "HEAD";
    const socket = request.socket as TLSSocket;
    const target = request.url ?? "/";
    if (target.length > TARGET_LIMIT) {
      send(response, errorAnswer(414, `an address has at most ${TARGET_LIMIT} characters`), head);
      return;
    }
    const mark = target.indexOf("?");
    const call: Call = {
      method: head ? "GET" : (request.method ?? "GET"),
      path: mark < 0 ? target : target.slice(0, mark),
      query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
      peer: peerOf(socket),
      from: door.clientOf(socket).address,
      request,
    };
    answerTo(call, options)
      .catch((error: unknown) => answerToThrown(error, options.log))
      .then((answer) => {
        // What is left of a refused body is not read: the connection ends with the answer.
        if (!request.complete) response.shouldKeepAlive = false;
        send(response, answer, head);
      });
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  server.on("tlsClientError", (_error, socket) => socket.destroy());

  await listenOn(door.front, options.port, options.address);
  return {
    port: options.port,
    renew: (tls) => server.setSecureContext(context(tls)),
    close: () => closeGently(door.front, server),
  };
}

/**
 * Node's HTTP servers keep account of their connections (time limits, closing the idle ones) from the moment they listen. Ours never
 * listen, connections are handed to them, so they are told. A connection on which nothing moves is ended too: a client that asks and
 * does not read would otherwise hold it for good.
 */
export function trackConnections(
  server: { emit(event: "listening"): boolean; timeout: number },
  idle: number = TIMEOUTS.idle,
): void {
  server.timeout = idle;
  server.emit("listening");
}

/** @returns once the server listens; the system's error otherwise */
export function listenOn(server: Server, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: address, backlog: 1024 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Takes no more connections, lets answers under way finish, then closes what is left. */
export function closeGently(
  front: Server,
  http: { closeIdleConnections(): void; closeAllConnections(): void },
): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => http.closeAllConnections(), TIMEOUTS.close);
    front.close(() => {
      clearTimeout(timer);
      resolve();
    });
    // Connections come by hand-over, so the HTTP server's own list is what counts.
    const sweep = setInterval(() => http.closeIdleConnections(), 50);
    front.once("close", () => clearInterval(sweep));
    http.closeIdleConnections();
  });
}
