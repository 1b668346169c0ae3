/** `GET /health` and `GET /status` over mutual TLS at the director's own address: whoever holds a certificate of the site may read. */
import { createServer, type Server } from "node:https";
import type { DirectorHealth, DirectorStatus } from "../../src/model/index.ts";
import type { TlsIdentity } from "../../src/world/index.ts";

export interface StatusSource {
  readonly health: () => DirectorHealth;
  readonly status: () => DirectorStatus;
}

/** Milliseconds: the port is open to every local user, and who does not go on must make room for those who ask. */
const LIMITS = {
  handshakeTimeout: 3000,
  headersTimeout: 3000,
  requestTimeout: 5000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 250,
  maxHeaderSize: 8192,
} as const;
const MOST_CONNECTIONS = 1024;

/** @returns the listening server; the promise fails when the port is taken */
export async function openStatus(
  at: { readonly address: string; readonly port: number },
  identity: TlsIdentity,
  source: StatusSource,
): Promise<Server> {
  const { ca, cert, key } = identity;
  const options = { ca, cert, key, requestCert: true, rejectUnauthorized: true, ...LIMITS };
  const server = createServer(options, (question, answer) => {
    const say = (status: number, body: unknown) => {
      answer.writeHead(status, { "content-type": "application/json" });
      answer.end(`${JSON.stringify(body)}\n`);
    };
    const routes: Readonly<Record<string, () => void>> = {
      "/health": () => {
        const health = source.health();
        say(health.state === "active" || health.state === "standby" ? 200 : 503, health);
      },
      "/status": () => say(200, source.status()),
    };
    if (!question.complete) answer.shouldKeepAlive = false;
    if (question.method !== "GET") return say(405, { message: "only GET is answered here" });
    const route = routes[question.url ?? ""];
    if (!route) return say(404, { message: "there are /health and /status" });
    route();
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: at.address, port: at.port, exclusive: true }, resolve);
  });
  return server;
}
