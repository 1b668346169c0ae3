/**
 * One connection to a libvirt daemon: calls with many under way at once, events, streams, and a heart that is listened to. A connection that
 * failed once fails every call from then on with the same sentence; whoever wants another one opens it.
 */
import type { Duplex } from "node:stream";
import { type HypervisorAddress, readAddress } from "./address.ts";
import { KEEP_ALIVE, type Packet, PacketReader, PROGRAMS, STATUSES, TYPES, writePacket } from "./message.ts";
import {
  EVENTS,
  type LifecycleEvent,
  PROCEDURES,
  type Procedure,
  procedureName,
  type RemoteError,
  remoteError,
} from "./procedures.ts";
import { openTransport } from "./transport.ts";
import { XdrFault, XdrReader, XdrWriter } from "./xdr.ts";

/** What a daemon says no with. Numbers are libvirt's (`virterror.h`): 42 is a domain that is not there. */
export class LibvirtError extends Error {
  override readonly name = "LibvirtError";
  readonly code: number;
  readonly origin: number;

  constructor(procedure: string, { code, origin, message }: Pick<RemoteError, "code" | "origin" | "message">) {
    super(message ?? `${procedure} failed with ${code}`);
    this.code = code;
    this.origin = origin;
  }
}

/** Numbers of {@link LibvirtError} that callers tell apart. */
export const CODES = {
  internal: 1,
  unsupported: 3,
  operationFailed: 9,
  domainExists: 35,
  noDomain: 42,
  noPool: 49,
  noVolume: 50,
  operationInvalid: 55,
} as const;

/** The connection is gone: nothing is known of the calls that were under way. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

export interface ConnectionOptions {
  /** Milliseconds between two looks at a silent connection, and how often it may stay silent. */
  readonly keepAlive?: { readonly every: number; readonly misses: number };
  /** Milliseconds a call may take. Starting a guest under emulation takes seconds; copying its disk has a stream. */
  readonly patience?: number;
}

const DEFAULTS = { keepAlive: { every: 5000, misses: 3 }, patience: 120_000 } as const;
const POLKIT = 2;

interface Waiting {
  readonly procedure: string;
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class LibvirtConnection {
  readonly address: HypervisorAddress;
  readonly #stream: Duplex;
  readonly #packets = new PacketReader();
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: LifecycleEvent) => void>();
  readonly #onLost = new Set<(why: ConnectionLost) => void>();
  readonly #patience: number;
  readonly #heart: NodeJS.Timeout;
  #serial = 0;
  #misses = 0;
  #lost: ConnectionLost | null = null;

  private constructor(address: HypervisorAddress, stream: Duplex, options: ConnectionOptions) {
    this.address = address;
    this.#stream = stream;
    this.#patience = options.patience ?? DEFAULTS.patience;
    const { every, misses } = options.keepAlive ?? DEFAULTS.keepAlive;
    stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    stream.on("error", (error) => this.#lose(error.message));
    stream.on("close", () => this.#lose("the daemon hung up"));
    this.#heart = setInterval(() => this.#beat(misses), every).unref();
  }

  /**
   * @param text the hypervisor's address
   * @throws ConnectionLost when it cannot be reached or is no libvirt, LibvirtError when it says no
   */
  static async open(text: string, options: ConnectionOptions = {}): Promise<LibvirtConnection> {
    const address = readAddress(text);
    if (typeof address === "string") throw new ConnectionLost(`${text}: ${address}`);
    let stream: Duplex;
    try {
      stream = await openTransport(address);
    } catch (error) {
      throw new ConnectionLost((error as Error).message, { cause: error });
    }
    const connection = new LibvirtConnection(address, stream, options);
    try {
      await connection.#authenticate();
      await connection.call(PROCEDURES.open, { name: address.uri, flags: 0 });
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  get lost(): ConnectionLost | null {
    return this.#lost;
  }

  /** @throws LibvirtError, ConnectionLost */
  async call<Takes, Gives>(procedure: Procedure<Takes, Gives>, takes: Takes): Promise<Gives> {
    const into = new XdrWriter();
    procedure.takes.write(into, takes);
    const body = await this.#ask(procedure.name, procedure.number, into.done());
    try {
      return procedure.gives.read(new XdrReader(body));
    } catch (error) {
      if (error instanceof XdrFault)
        throw new LibvirtError(procedure.name, {
          code: CODES.internal,
          origin: 0,
          message: `its answer to ${procedure.name} is not what was expected: ${error.message}`,
        });
      throw error;
    }
  }

  /**
   * Tells of every domain that starts, stops, is defined or forgotten.
   * @returns a function that ends it
   */
  async onLifecycle(listener: (event: LifecycleEvent) => void): Promise<() => void> {
    if (this.#listeners.size === 0)
      await this.call(PROCEDURES.eventRegister, { event: EVENTS.lifecycle.event, domain: null });
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Called once, when the connection is gone. */
  onLost(listener: (why: ConnectionLost) => void): void {
    this.#onLost.add(listener);
  }

  close(): void {
    this.#lose("closed");
  }

  async #authenticate(): Promise<void> {
    const kinds = await this.call(PROCEDURES.authenticationList, null);
    if (kinds.length === 0 || kinds.includes(0)) return;
    if (kinds.includes(POLKIT)) return void (await this.call(PROCEDURES.authenticationPolkit, null));
    throw new ConnectionLost(
      `${this.address.uri}: the daemon wants a password (SASL), which Domus does not send: use TLS certificates or SSH`,
    );
  }

  #ask(name: string, procedure: number, body: Buffer): Promise<Buffer> {
    if (this.#lost) return Promise.reject(this.#lost);
    const serial = ++this.#serial;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#lose(`no answer to ${name} within ${this.#patience / 1000} s`),
        this.#patience,
      );
      this.#waiting.set(serial, { procedure: name, resolve, reject, timer });
      this.#send({ program: PROGRAMS.remote, procedure, type: TYPES.call, serial, status: STATUSES.ok, body });
    });
  }

  #send(packet: Packet): void {
    this.#stream.write(writePacket(packet));
  }

  #onData(chunk: Buffer): void {
    this.#misses = 0;
    try {
      for (const packet of this.#packets.push(chunk)) this.#onPacket(packet);
    } catch (error) {
      this.#lose(`whoever answers is no libvirt daemon: ${(error as Error).message}`);
    }
  }

  #onPacket(packet: Packet): void {
    if (packet.program === PROGRAMS.keepAlive) this.#onKeepAlive(packet);
    else if (packet.type === TYPES.message) this.#onEvent(packet);
    else if (packet.type === TYPES.reply) this.#onReply(packet);
  }

  #onReply({ serial, status, body }: Packet): void {
    const waiting = this.#waiting.get(serial);
    // An answer that nobody waits for any more.
    if (waiting === undefined) return;
    this.#waiting.delete(serial);
    clearTimeout(waiting.timer);
    if (status === STATUSES.ok) waiting.resolve(body);
    else waiting.reject(new LibvirtError(waiting.procedure, remoteError.read(new XdrReader(body))));
  }

  #onKeepAlive({ procedure }: Packet): void {
    if (procedure === KEEP_ALIVE.ping) this.#send(keepAlive(KEEP_ALIVE.pong));
  }

  #onEvent({ procedure, body }: Packet): void {
    if (procedure !== EVENTS.lifecycle.number) return;
    const event = EVENTS.lifecycle.reads.read(new XdrReader(body));
    for (const listener of this.#listeners) listener(event);
  }

  /** Silence is asked about; a daemon that does not answer that is gone, whatever TCP says. */
  #beat(misses: number): void {
    if (this.#misses++ < misses) {
      this.#send(keepAlive(KEEP_ALIVE.ping));
      return;
    }
    const under = [...this.#waiting.values()].map(({ procedure }) => procedure);
    this.#lose(`the daemon is silent${under.length > 0 ? ` (under way: ${under.join(", ")})` : ""}`);
  }

  #lose(why: string): void {
    if (this.#lost) return;
    this.#lost = new ConnectionLost(`${this.address.uri}: ${why}`);
    clearInterval(this.#heart);
    this.#stream.destroy();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(this.#lost);
    }
    this.#waiting.clear();
    for (const listener of this.#onLost) listener(this.#lost);
    this.#listeners.clear();
  }
}

const keepAlive = (procedure: number): Packet => ({
  program: PROGRAMS.keepAlive,
  procedure,
  type: TYPES.message,
  serial: 0,
  status: STATUSES.ok,
  body: Buffer.alloc(0),
});

export { procedureName };
