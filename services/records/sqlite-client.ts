/** Records in the SQLite guest, over HTTPS with mutual TLS through the database's alias: `append`, `since`, and orders about pool accounts. */
import { Agent, request } from "node:https";
import type { TLSSocket } from "node:tls";
import { DATABASE_TIMEOUTS } from "./connection.ts";
import { type Cursor, type Fields, type RecordedEvent, type Records, RecordsError, type Stream } from "./event.ts";
import type { DatabaseEnd } from "./mariadb.ts";
import type { PoolAnswer, PoolKnowledge, PoolOrder, PoolRecords } from "./pool-order.ts";

export class SqliteRecords implements Records, PoolRecords {
  readonly #end: DatabaseEnd;
  #agent = new Agent();

  constructor(end: DatabaseEnd) {
    this.#end = end;
    this.renew(end.tls);
  }

  renew(tls: DatabaseEnd["tls"]): void {
    const before = this.#agent;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 2,
      ca: tls.ca,
      cert: tls.cert,
      key: tls.key,
      minVersion: "TLSv1.2",
      // The alias's name is in the certificate of each copy, its address perhaps not.
      servername: this.#end.alias,
    });
    // Calls under way end where they began.
    setTimeout(() => before.destroy(), 2 * DATABASE_TIMEOUTS.query).unref();
  }

  async append(stream: Stream, fields: Fields, after: number): Promise<RecordedEvent> {
    return (await this.#call(`/records/${stream}/append`, { fields, after }, true)) as RecordedEvent;
  }

  async since(stream: Stream, cursor: Cursor, limit: number): Promise<readonly RecordedEvent[]> {
    return (await this.#call(`/records/${stream}/since`, { cursor, limit }, false)) as readonly RecordedEvent[];
  }

  async order(order: PoolOrder, seen: PoolKnowledge): Promise<PoolAnswer> {
    return (await this.#call("/records/pool/order", { order, seen }, true)) as PoolAnswer;
  }

  async about(subject: string): Promise<readonly RecordedEvent[]> {
    return (await this.#call("/records/pool/about", { subject }, false)) as readonly RecordedEvent[];
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  #call(path: string, body: unknown, writes: boolean): Promise<unknown> {
    const name = `the database alias ${this.#end.alias} (${this.#end.address}:${this.#end.port})`;
    const text = JSON.stringify(body);
    return new Promise((resolve, reject) => {
      let sent = false;
      const fail = (says: string): void => {
        call.destroy();
        reject(
          writes && sent
            ? new RecordsError("unknown", `${name} stopped answering: it may have been recorded, repeat it`)
            : new RecordsError("away", `${name} does not answer (${says})`),
        );
      };
      const call = request(
        {
          agent: this.#agent,
          host: this.#end.address,
          port: this.#end.port,
          path,
          method: "POST",
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", (error) => fail(error.message));
          response.on("end", () => {
            clearTimeout(timer);
            try {
              const value = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { message?: string };
              if (response.statusCode === 200) resolve(value);
              else if (response.statusCode === 503)
                reject(new RecordsError("away", `${name} cannot: ${value.message ?? "no reason given"}`));
              else reject(new RecordsError("refused", `${name} refuses: ${value.message ?? response.statusCode}`));
            } catch {
              reject(new RecordsError("refused", `${name} answers nonsense`));
            }
          });
        },
      );
      let timer = setTimeout(
        () => fail(`no connection within ${DATABASE_TIMEOUTS.connect} ms`),
        DATABASE_TIMEOUTS.connect,
      );
      const connected = (): void => {
        sent = true;
        clearTimeout(timer);
        timer = setTimeout(() => fail(`no answer within ${DATABASE_TIMEOUTS.query} ms`), DATABASE_TIMEOUTS.query);
      };
      call.on("socket", (socket) => {
        // A call that waited for its turn gets a connected socket that does not count as reused.
        if ((socket as TLSSocket).authorized) connected();
        else socket.once("secureConnect", connected);
      });
      call.on("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        fail(error.code ?? error.message);
      });
      call.end(text);
    });
  }
}
