/**
 * One alias: an address and port of its own, its copies, and the rule by which each new connection finds one.
 * A client's octets stay in the kernel until a copy is connected, so that a copy that cannot be reached costs the client nothing but
 * the time of one refused connection. Never SO_REUSEPORT: that only one director holds the address is what makes takeover safe.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { BlueprintAlias, CopyState, DirectorAliasStatus } from "../../src/model/index.ts";
import { encodeProxyHeader, ReadTurns } from "../../src/world/index.ts";
import { Arrivals } from "./arrivals.ts";
import { Copy, Counters } from "./copy.ts";
import type { Log } from "./log.ts";
import { type Relay, reach, relay } from "./relay.ts";
import { Persistence, SCHEDULERS, type Stay } from "./scheduler.ts";

/** Addresses in the status, those that were refused most. */
const SHOWN = 10;

/** `taken`: somebody else listens there. */
export type BindResult = "held" | "taken" | { readonly failed: string };

export class Alias {
  shape: BlueprintAlias;
  copies: readonly Copy[];
  /** Why it is not held, for people. */
  says = "";
  readonly counters = new Counters();
  readonly #own: string;
  readonly #log: Log;
  readonly #onWriter: () => void;
  readonly #persistence = new Persistence();
  readonly #open = new Set<Relay>();
  readonly #clients = new Set<Socket>();
  readonly #reading = new ReadTurns<string>();
  readonly #arrivals = new Arrivals(() => this.shape, {
    serve: (client, address) =>
      this.#serve(client, address).catch((error: Error) => {
        this.#log("error", "a connection could not be served", { alias: this.shape.name, reason: error.message });
        client.resetAndDestroy();
      }),
    refuse: (client) => this.#refuse(client),
  });
  #server: Server | null = null;
  #turn = 0;
  #writer: string | null = null;

  /**
   * @param own this director's address, from which copies are reached
   * @param onWriter told when the writer of a one-writer alias has changed
   */
  constructor(shape: BlueprintAlias, own: string, log: Log, onWriter: () => void) {
    this.shape = shape;
    this.#own = own;
    this.#log = log;
    this.#onWriter = onWriter;
    this.copies = shape.backends.map((backend) => this.#newCopy(backend));
  }

  get held(): boolean {
    return this.#server !== null;
  }

  get writer(): string | null {
    return this.shape.distribution === "one-writer" ? this.#writer : null;
  }

  /** Binds the address; connections are served from then on. Idempotent. */
  bind(): Promise<BindResult> {
    if (this.#server) return Promise.resolve("held");
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true });
    server.on("connection", (client) => this.#arrivals.offer(client));
    return new Promise((resolve) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const taken = error.code === "EADDRINUSE";
        this.says = taken ? "another program holds this address and port" : error.message;
        resolve(taken ? "taken" : { failed: error.message });
      });
      server.listen({ host: this.shape.address, port: this.shape.port, exclusive: true, backlog: 4096 }, () => {
        server.removeAllListeners("error");
        server.on("error", (error) => this.#log("error", "an alias cannot accept", { reason: error.message }));
        this.#server = server;
        this.says = "";
        resolve("held");
      });
    });
  }

  /** Gives the address up; open connections are reset, because a director that is not active must not carry any. */
  release(): void {
    this.#server?.close();
    this.#server = null;
    this.#arrivals.release();
    for (const client of this.#clients) client.resetAndDestroy();
    for (const relay of [...this.#open]) relay.cut();
  }

  /** Takes over a new set of copies and limits (same address and port) without touching what runs. */
  reshape(shape: BlueprintAlias): void {
    const key = (copy: { guest: string; address: string; port: number }) =>
      `${copy.guest} ${copy.address} ${copy.port}`;
    const known = new Map(this.copies.map((copy) => [key(copy.backend), copy]));
    this.copies = shape.backends.map((backend) => {
      const copy = known.get(key(backend)) ?? this.#newCopy(backend);
      copy.backend = backend;
      return copy;
    });
    this.shape = shape;
    this.#settleWriter();
  }

  /** Believes what the active director says about the writer. */
  adoptWriter(guest: string): void {
    if (this.held || this.#writer === guest || !this.copies.some((copy) => copy.backend.guest === guest)) return;
    this.#writer = guest;
    this.#onWriter();
  }

  /** Which clients stay where, for the peer; nothing when this director does not serve them. */
  stays(): readonly Stay[] {
    return this.held && this.shape.persistence > 0 ? this.#persistence.news(performance.now()) : [];
  }

  /** Believes what the active director says about clients. */
  adoptStays(stays: readonly Stay[]): void {
    if (this.held || this.shape.persistence === 0) return;
    for (const [client, guest, seconds] of stays) {
      this.#persistence.remember(client, guest, Math.min(seconds, this.shape.persistence), performance.now());
    }
  }

  status(): DirectorAliasStatus {
    return {
      name: this.shape.name,
      address: this.shape.address,
      port: this.shape.port,
      held: this.held,
      says: this.says,
      counters: { ...this.counters.report(this.#open), active: this.#arrivals.active },
      waiting: this.#arrivals.waiting,
      busiest: this.#arrivals.busiest(SHOWN),
      copies: this.copies.map((copy) => copy.status(copy.backend.guest === this.writer)),
    };
  }

  #newCopy(backend: BlueprintAlias["backends"][number]): Copy {
    return new Copy(backend, (copy, before) => this.#onCopy(copy, before));
  }

  #onCopy(copy: Copy, before: CopyState): void {
    this.#log(copy.state === "down" ? "warning" : "info", `copy is ${copy.state}`, {
      alias: this.shape.name,
      copy: copy.backend.guest,
      before,
      says: copy.says,
    });
    this.#settleWriter();
  }

  /** The writer stays until it fails and does not come back by itself: each move may cost writes that were not yet replicated. */
  #settleWriter(): void {
    // A standby has no say: two directors that see different copies must not have two writers.
    if (this.shape.distribution !== "one-writer" || !this.held) return;
    const at = this.copies.findIndex((copy) => copy.backend.guest === this.#writer);
    const present = this.copies[at];
    if (present && present.state !== "down") return;
    const order = this.copies.map((_, step) => this.copies[(at + 1 + step) % this.copies.length]!);
    const next = order.find((copy) => copy.state === "up") ?? order.find((copy) => copy.state === "unknown");
    if (!next || next === present) return;
    this.#writer = next.backend.guest;
    for (const copy of this.copies) if (copy !== next) copy.cut();
    this.#log("info", "the writer has changed", { alias: this.shape.name, writer: this.#writer });
    this.#onWriter();
  }

  #choose(client: string, tried: ReadonlySet<Copy>): Copy | undefined {
    const free = (copy: Copy) => !tried.has(copy) && copy.counters.active < this.shape.connectionsPerCopy;
    if (this.shape.distribution === "one-writer") {
      this.#settleWriter();
      return this.copies.find((copy) => copy.backend.guest === this.#writer && copy.state !== "down" && free(copy));
    }
    const candidates = (["up", "unknown"] as const)
      .map((state) => this.copies.filter((copy) => copy.state === state && free(copy)))
      .find((list) => list.length > 0);
    if (!candidates) return undefined;
    if (this.shape.persistence > 0) {
      const place = this.#persistence.find(client, performance.now());
      const same = candidates.find((copy) => copy.backend.guest === place);
      if (same) return same;
    }
    return SCHEDULERS[this.shape.scheduler](candidates, this.#turn++);
  }

  async #serve(client: Socket, address: string): Promise<void> {
    this.counters.active++;
    this.#clients.add(client);
    client.once("close", () => {
      this.counters.active--;
      this.#clients.delete(client);
    });
    const source = { address, port: client.remotePort ?? 0 };
    const tried = new Set<Copy>();
    while (!client.destroyed) {
      const copy = this.#choose(source.address, tried);
      if (!copy) return this.#refuse(client);
      tried.add(copy);
      copy.counters.active++;
      const reached = await reach(copy.backend.address, copy.backend.port, this.#own);
      if (!reached.ok) {
        copy.counters.active--;
        copy.counters.failedConnects++;
        this.counters.failedConnects++;
        if (reached.fault === "own") {
          this.#log("error", "no connection can be made", { alias: this.shape.name, code: reached.code });
          return this.#refuse(client);
        }
        this.#onUnreachable(copy, reached.code);
        this.counters.retried++;
        copy.counters.retried++;
        continue;
      }
      const stale = this.shape.distribution === "one-writer" && copy.backend.guest !== this.#writer;
      if (client.destroyed || stale || !this.held) {
        copy.counters.active--;
        reached.socket.resetAndDestroy();
        if (stale && this.held) continue;
        client.resetAndDestroy();
        return;
      }
      return this.#carry(client, source, copy, reached.socket);
    }
  }

  #carry(client: Socket, source: { address: string; port: number }, copy: Copy, upstream: Socket): void {
    if (this.shape.persistence > 0) {
      this.#persistence.remember(source.address, copy.backend.guest, this.shape.persistence, performance.now());
    }
    this.counters.accepted++;
    copy.counters.accepted++;
    const header = this.shape.proxyProtocol
      ? encodeProxyHeader({ source, destination: { address: this.shape.address, port: this.shape.port } })
      : null;
    const onClose = () => {
      this.#open.delete(link);
      copy.relays.delete(link);
      copy.counters.active--;
      for (const counters of [this.counters, copy.counters]) {
        counters.bytesIn += link.bytesIn();
        counters.bytesOut += link.bytesOut();
      }
    };
    const link = relay(client, upstream, header, onClose, this.#reading, source.address);
    this.#open.add(link);
    copy.relays.add(link);
  }

  /** Refused is dead. Slow may be busy: the last copy that is left is kept, and its check decides. */
  #onUnreachable(copy: Copy, code: string): void {
    const others = this.copies.some((other) => other !== copy && other.state === "up");
    if (code === "ETIMEDOUT" && !others) return;
    copy.mark("down", `a client's connection to it failed (${code})`);
  }

  #refuse(client: Socket): void {
    this.counters.refused++;
    client.resetAndDestroy();
  }
}
