/**
 * Tells the other copies of SAZ what was recorded, so that a ban is in force on every copy that can be reached, also on one that cannot see
 * its database; their answer is the proof. Copies that cannot be reached find it in the database when they can.
 */
import { Agent, request } from "node:https";
import type { RecordedEvent } from "../records/index.ts";
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

  /** Is this the name of one of the others? */
  knows(guest: string): boolean {
    return this.#others.some((one) => one.guest === guest);
  }

  /** @returns for each other copy whether it has the event; never throws */
  tell(event: RecordedEvent): Promise<readonly CopyState[]> {
    const body = JSON.stringify({ event });
    return Promise.all(this.#others.map((one) => this.#tell(one, body)));
  }

  close(): void {
    this.#agent.destroy();
  }

  #tell(copy: { readonly guest: string; readonly address: string }, body: string): Promise<CopyState> {
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
          method: "POST",
          path: "/saz/json/hear",
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        },
        (response) => {
          let answer = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            answer += chunk;
          });
          response.on("error", (error) => done(false, error.message));
          response.on("end", () => {
            const has = response.statusCode === 200 && answer.includes('"has":true');
            done(has, has ? "in force" : "answers, and has not got it yet");
          });
        },
      );
      const timer = setTimeout(() => call.destroy(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE);
      call.on("error", (error: NodeJS.ErrnoException) => done(false, `not reachable (${error.code ?? error.message})`));
      call.end(body);
    });
  }
}
