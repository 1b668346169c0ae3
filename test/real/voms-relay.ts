/**
 * A server that knows the older protocol alone, as servers before 2011: it breaks the REST call off and carries everything else to ours, in the
 * name of the one person whose key it has. So the stock clients come to speak that protocol, and read our answers to it.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";

export interface Relay {
  readonly port: number;
  /** Calls of each kind that came. */
  readonly seen: { rest: number; legacy: number };
  close(): Promise<void>;
}

interface Pair {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * @param address where it listens
 * @param shows what clients are shown
 * @param to where ours is
 * @param as whose certificate is shown there
 */
export async function oldServer(
  address: string,
  shows: Pair,
  to: { readonly address: string; readonly port: number },
  as: { readonly cert: string; readonly key: string },
): Promise<Relay> {
  const seen = { rest: 0, legacy: 0 };
  const server = createServer({ ...shows, requestCert: true, rejectUnauthorized: false }, (client: TLSSocket) => {
    client.on("error", () => {});
    let heard = Buffer.alloc(0);
    const listen = (chunk: Buffer): void => {
      heard = Buffer.concat([heard, chunk]);
      const text = heard.toString("latin1").replace(/^0/, "");
      if (text === "") return;
      client.off("data", listen);
      if (!text.startsWith("<")) {
        seen.rest++;
        return void client.destroy();
      }
      seen.legacy++;
      const ours = connect({
        host: to.address,
        port: to.port,
        ca: shows.ca,
        ...as,
        checkServerIdentity: () => undefined,
      });
      ours.on("error", () => client.destroy());
      ours.write(heard);
      client.pipe(ours);
      ours.pipe(client);
    };
    client.on("data", listen);
  });
  server.listen(0, address);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
