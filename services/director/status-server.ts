/** `GET /health` and `GET /status` over mutual TLS at the director's own address: whoever holds a certificate of the site may read. */
import { createServer, type Server } from "node:https";
import type { DirectorHealth, DirectorStatus } from "../../src/model/index.ts";
import type { TlsIdentity } from "../../src/world/index.ts";

export interface StatusSource {
  readonly health: () => DirectorHealth;
  readonly status: () => DirectorStatus;
}

/** @returns the listening server; the promise fails when the port is taken */
export async function openStatus(
  at: { readonly address: string; readonly port: number },
  identity: TlsIdentity,
  source: StatusSource,
): Promise<Server> {
  const { ca, cert, key } = identity;
  const server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (question, answer) => {
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
    if (question.method !== "GET") return say(405, { message: "only GET is answered here" });
    const route = routes[question.url ?? ""];
    if (!route) return say(404, { message: "there are /health and /status" });
    route();
  });
  server.maxConnections = 64;
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: at.address, port: at.port, exclusive: true }, resolve);
  });
  return server;
}
