/** Asks the other copies of SAZ whether they have an event: the proof that a ban is in force. The question makes them look at once. */
import { Agent, request } from "node:https";
import type { TlsFiles } from "../serving/index.ts";

export interface CopyState {
  readonly guest: string;
  readonly has: boolean;
  readonly says: string;
}

/** Milliseconds one copy has for its answer; a ban's own answer waits no longer. */
const PATIENCE = 900;

export class Copies {
  readonly #others: readonly { readonly guest: string; readonly address: string }[];
  readonly #port: number;
  #agent = new Agent();

  constructor(others: readonly { readonly guest: string; readonly address: string }[], port: number) {
    this.#others = others;
    this.#port = port;
  }

  /** Shows these certificates from the next connection on. */
  renew(tls: TlsFiles): void {
    this.#agent.destroy();
    this.#agent = new Agent({
      ca: tls.ca,
      cert: tls.cert,
      key: tls.key,
      keepAlive: true,
      maxSockets: 4,
      minVersion: "TLSv1.2",
    });
  }

  /** @returns for each other copy whether it has the event; never throws */
  ask(origin: number, seq: number): Promise<readonly CopyState[]> {
    return Promise.all(this.#others.map((one) => this.#ask(one, origin, seq)));
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(copy: { readonly guest: string; readonly address: string }, origin: number, seq: number): Promise<CopyState> {
    return new Promise((resolve) => {
      const done = (has: boolean, says: string): void => {
        clearTimeout(timer);
        resolve({ guest: copy.guest, has, says });
      };
      const call = request(
        {
          agent: this.#agent,
          host: copy.address,
          port: this.#port,
          servername: copy.guest,
          path: `/saz/json/cursor?origin=${origin}&seq=${seq}`,
        },
        (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            body += chunk;
          });
          response.on("error", (error) => done(false, error.message));
          response.on("end", () => {
            const has = response.statusCode === 200 && body.includes('"has":true');
            done(has, has ? "in force" : "answers, and has not got it yet");
          });
        },
      );
      const timer = setTimeout(() => call.destroy(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE);
      call.on("error", (error: NodeJS.ErrnoException) => done(false, `not reachable (${error.code ?? error.message})`));
      call.end();
    });
  }
}
