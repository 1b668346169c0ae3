/** What the house's servers that stand on node:http share: slow clients hold nothing, connections are counted, an end cuts nothing off. */
import type { Server } from "node:net";
import { TIMEOUTS } from "./connection.ts";

/** What every HTTP server of the house says of slow clients. */
export const SLOW_CLIENTS = {
  headersTimeout: TIMEOUTS.headers,
  requestTimeout: TIMEOUTS.request,
  keepAliveTimeout: TIMEOUTS.idle,
  maxHeaderSize: 16 * 1024,
  connectionsCheckingInterval: 500,
  noDelay: true,
} as const;

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
