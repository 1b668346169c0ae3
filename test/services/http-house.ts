import { connect } from "node:net";
import { after, before } from "node:test";
import { type TLSSocket, connect as tlsConnect } from "node:tls";
import { listenMutually, type MutualServerOptions, type RunningServer } from "../../services/http/server.ts";
import type { Log } from "../../services/serving/log.ts";
import { address, type Identity, Stage } from "./stage.ts";

let stage: Stage;
export let identities: Record<"loud" | "quiet" | "server", Identity>;
before(async () => {
  stage = await Stage.open();
  const [loud, quiet, server] = await Promise.all(["ce-loud", "ce-quiet", "s1"].map((name) => stage.identity(name)));
  identities = { loud: loud!, quiet: quiet!, server: server! };
});
after(() => stage.close());

export const OWN = address(70);
const quietLog: Log = () => {};

export async function house(
  over: Partial<MutualServerOptions> & Pick<MutualServerOptions, "routes">,
): Promise<RunningServer & AsyncDisposable> {
  const server = await listenMutually({
    tls: identities.server,
    address: OWN,
    port: 0,
    directors: [],
    log: quietLog,
    ...over,
  });
  return { ...server, [Symbol.asyncDispose]: () => server.close() };
}

export function secure(port: number, who: Identity, from = address(71)): TLSSocket {
  const socket = tlsConnect({ socket: connect({ host: OWN, port, localAddress: from }), ...who, servername: "s1" });
  return socket.on("error", () => {});
}

export const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nhost: s1\r\n${more}\r\n`;

/** Reads until `count` answers have come or the connection is closed. */
export async function answers(
  socket: TLSSocket,
  count: number,
): Promise<{ status: number; head: string; body: string }[]> {
  const all: { status: number; head: string; body: string }[] = [];
  let text = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    text += chunk.toString();
    for (;;) {
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) break;
      const length = Number(/content-length: (\d+)/.exec(text)![1]);
      if (text.length < end + 4 + length) break;
      all.push({
        status: Number(text.slice(9, 12)),
        head: text.slice(0, end),
        body: text.slice(end + 4, end + 4 + length),
      });
      text = text.slice(end + 4 + length);
    }
    if (all.length >= count) break;
  }
  return all;
}
