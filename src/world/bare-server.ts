/** A server that does nothing but answer: what a client can do at all is measured against it. */
import { createServer as createPlain, type RequestListener } from "node:http";
import { createServer as createSecure } from "node:https";
import type { AddressInfo } from "node:net";

export interface BareServerOptions {
  /** Its own certificate and the authority of its clients, PEM; `null`: plain HTTP. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | null;
  readonly address: string;
  readonly body: string;
}

/** @returns the port it listens on; it serves until the process ends */
export async function startBareServer({ tls, address, body }: BareServerOptions): Promise<number> {
  const length = Buffer.byteLength(body);
  const answer: RequestListener = (request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "application/json", "content-length": length });
    response.end(body);
  };
  const server =
    tls === null
      ? createPlain({ noDelay: true }, answer)
      : createSecure({ ...tls, requestCert: true, rejectUnauthorized: true, noDelay: true }, answer);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port: 0, backlog: 1024 }, resolve);
  });
  return (server.address() as AddressInfo).port;
}
