/**
 * Carries octets between a client and a copy until both have said all: backpressure by the streams' own, each direction closed on its
 * own (half-close), and a connection that breaks on one side is reset on the other, so that a cut answer never looks like a whole one.
 *
 * Under TLS it cannot: an end that TLS itself has not announced is known for a cut. There a client whose copy died is told by a plain end, and
 * what it still says is read for a moment. A reset would not let it come again: programs of the grid (voms-proxy-init) die of the signal that
 * the kernel sends to who writes after a reset.
 */
import { connect, type Socket } from "node:net";
import { LocalPorts, type ReadTurns, readableOf } from "../../src/world/index.ts";
import { TIMING } from "./timing.ts";

export interface Relay {
  readonly bytesIn: () => number;
  readonly bytesOut: () => number;
  /** Resets both sides. */
  readonly cut: () => void;
}

/** Whose fault a failed connection is. `own`: no port or file descriptor left here; the copy is not to blame. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  "EADDRNOTAVAIL",
  "EADDRINUSE",
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EAGAIN",
  "EACCES",
  "EPERM",
]);

export type Reached =
  | { readonly ok: true; readonly socket: Socket }
  | { readonly ok: false; readonly fault: "copy" | "own"; readonly code: string };

const ports = new LocalPorts();
/** A port of ours that is somebody's after all, or was used for the same copy a moment ago. */
const PORT_TAKEN: ReadonlySet<string> = new Set(["EADDRINUSE", "EADDRNOTAVAIL"]);
/** More would mean that it is not the port. */
const PORTS_TRIED = 8;

/**
 * Connects to a copy; nothing is sent.
 * @param from our own address: the copy believes PROXY headers from it alone
 */
export async function reach(address: string, port: number, from: string): Promise<Reached> {
  for (let tried = 1; ; tried++) {
    const reached = await reachFrom(address, port, from, ports.take(`${address}:${port}`));
    if (reached.ok || !PORT_TAKEN.has(reached.code) || tried === PORTS_TRIED) return reached;
  }
}

function reachFrom(address: string, port: number, from: string, localPort: number): Promise<Reached> {
  return new Promise((resolve) => {
    const socket = connect({
      host: address,
      port,
      localAddress: from,
      localPort,
      allowHalfOpen: true,
      noDelay: true,
    });
    const fail = (code: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ ok: false, fault: OWN_FAULTS.has(code) ? "own" : "copy", code });
    };
    let timer: NodeJS.Timeout;
    // A loop that stood still (a storm of connections, a busy machine) runs its timers before it hears of what has long been connected:
    // what looked like the copy's slowness was ours, and would move the writer.
    const wait = () => {
      const began = performance.now();
      timer = setTimeout(() => {
        if (performance.now() - began - TIMING.connect > TIMING.stall) wait();
        else setImmediate(() => socket.connecting && fail("ETIMEDOUT"));
      }, TIMING.connect);
    };
    wait();
    const onError = (error: NodeJS.ErrnoException) => fail(error.code ?? "EIO");
    socket.once("error", onError);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      socket.on("error", () => {});
      resolve({ ok: true, socket });
    });
  });
}

/** First octet of a TLS record that begins a handshake (RFC 8446 5.1). */
const TLS_HANDSHAKE = 0x16;
/** Milliseconds in which a client whose copy died is still read from, and nothing made of it. */
const LINGER = 2000;

function letGo(client: Socket): void {
  if (client.destroyed) return;
  client.unpipe();
  client.end();
  client.resume();
  const timer = setTimeout(() => client.destroy(), LINGER);
  client.once("end", () => client.destroy());
  client.once("close", () => clearTimeout(timer));
}

/**
 * @param client accepted and not yet read from
 * @param copy connected and not yet written to
 * @param header goes to the copy in front of everything; `null` is nothing
 * @param onClose told once, when both sides are closed
 * @param turns by which connections of one address are read when too many of them speak at once
 */
export function relay(
  client: Socket,
  copy: Socket,
  header: Buffer | null,
  onClose: () => void,
  turns: ReadTurns<string> | null = null,
  address = "",
): Relay {
  const head = header?.length ?? 0;
  let open = 2;
  let secure = false;
  client.once("data", (chunk: Buffer) => {
    secure = chunk[0] === TLS_HANDSHAKE;
  });
  const join = (one: Socket, other: Socket) => {
    const readable = readableOf(one);
    // What a copy answers comes at the copy's pace already: only what clients send is read by turns.
    const byTurns = one === client ? turns : null;
    if (byTurns !== null) {
      byTurns.join(address, readable);
      one.on("data", () => byTurns.spoke(address, readable));
    }
    one.on("close", () => {
      byTurns?.leave(address, readable);
      // Closed before it said all, or before it took all: the other must not believe that this was the end.
      if (!one.readableEnded || !one.writableFinished) {
        if (other === client && secure) letGo(client);
        else other.resetAndDestroy();
      }
      if (--open === 0) onClose();
    });
  };
  join(client, copy);
  join(copy, client);
  if (header) copy.write(header);
  client.pipe(copy);
  copy.pipe(client);
  return {
    bytesIn: () => Math.max(0, copy.bytesWritten - head),
    bytesOut: () => copy.bytesRead,
    cut: () => {
      client.resetAndDestroy();
      copy.resetAndDestroy();
    },
  };
}
