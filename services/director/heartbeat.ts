/**
 * The line between the two directors: each connects to the other over mutual TLS and says every 100 ms what it is. Our own line out
 * and the peer's line in both tell at once, by a reset, that the peer is dead; nothing else is concluded here.
 * One TCP line each way, not datagrams: a reset is the fastest and surest news of a death on one kernel.
 */
import { connect as tcpConnect } from "node:net";
import { createServer, type Server, type TLSSocket, connect as tlsConnect } from "node:tls";
import type { DirectorRole } from "../../src/model/index.ts";
import { plainAddress, type TlsIdentity } from "../../src/world/index.ts";
import type { Log } from "./log.ts";
import { TIMING } from "./timing.ts";

/** One line of JSON. */
export interface Beat {
  readonly guest: string;
  readonly role: DirectorRole;
  readonly term: number;
  readonly copy: number;
  /** Alias → guest that gets all connections, of one-writer aliases. */
  readonly writers: Readonly<Record<string, string>>;
  /** The term in which the writers were last known to be so. */
  readonly writersTerm: number;
  /** Which clients stay with which copy, by alias: the latest, and some of the others in turn. Only an active says it. */
  readonly stays?: Readonly<Record<string, unknown>>;
}

export interface LineEvents {
  readonly onBeat: (beat: Beat) => void;
  /** The peer's end of a line was cut: most likely it died. */
  readonly onCut: () => void;
  /** Nothing listens at the peer's port. */
  readonly onRefused: () => void;
}

export interface Line {
  /** Says it now, to the peer, if the line stands. */
  readonly say: (beat: Beat) => void;
  /** Tries the line out at once instead of at the next heartbeat. */
  readonly retry: () => void;
  readonly renew: (identity: TlsIdentity) => void;
  readonly close: () => void;
}

export interface LineOptions {
  readonly own: { readonly address: string; readonly port: number };
  readonly peer: { readonly guest: string; readonly address: string; readonly port: number };
  readonly identity: TlsIdentity;
  readonly events: LineEvents;
  readonly log: Log;
}

/** @returns a beat, or `null` when the line is none of ours */
export function parseBeat(text: string): Beat | null {
  try {
    const beat = JSON.parse(text) as Beat;
    const sound =
      typeof beat.guest === "string" &&
      ["starting", "standby", "active", "leaving"].includes(beat.role) &&
      Number.isSafeInteger(beat.term) &&
      Number.isSafeInteger(beat.copy) &&
      Number.isSafeInteger(beat.writersTerm) &&
      typeof beat.writers === "object" &&
      beat.writers !== null &&
      (beat.stays === undefined || (typeof beat.stays === "object" && beat.stays !== null));
    return sound ? beat : null;
  } catch {
    return null;
  }
}

/** Longest line taken from a peer; a thousand one-writer aliases and a full share of clients stay below. */
const LONGEST_LINE = 256 * 1024;

/** Lines taken at a time: the peer has one, and old ones that are not yet closed after a quarrel. */
const MOST_LINES = 256;

function readBeats(socket: TLSSocket, onBeat: (beat: Beat) => void): void {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const beat = parseBeat(text.slice(0, end));
      text = text.slice(end + 1);
      if (beat) onBeat(beat);
    }
    if (text.length > LONGEST_LINE) socket.destroy();
  });
}

/** @returns the line and the server it listens with; the promise fails when the own port is taken */
export async function openLine(options: LineOptions): Promise<Line> {
  const { own, peer, events, log } = options;
  let identity = options.identity;
  let out: TLSSocket | null = null;
  let ready = false;
  let closed = false;

  const server: Server = createServer({
    ca: identity.ca,
    cert: identity.cert,
    key: identity.key,
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: 5000,
  });
  // The peer calls from its own address: nobody else costs us a handshake, and strangers cannot take up all places.
  server.on("connection", (socket) => {
    if (plainAddress(socket.remoteAddress ?? "") !== peer.address) socket.destroy();
  });
  server.maxConnections = MOST_LINES;
  server.on("secureConnection", (socket) => {
    const who = socket.getPeerCertificate().subject?.CN;
    socket.on("error", () => {});
    if (who !== peer.guest) {
      log("warning", "a heartbeat line from somebody else was refused", { from: String(who) });
      return socket.destroy();
    }
    readBeats(socket, events.onBeat);
    socket.on("close", () => closed || events.onCut());
  });
  server.on("tlsClientError", () => {});

  const connect = () => {
    if (closed || out) return;
    const raw = tcpConnect({ host: peer.address, port: peer.port, localAddress: own.address, noDelay: true });
    const socket = tlsConnect({
      socket: raw,
      servername: peer.guest,
      ...(identity.context ? { secureContext: identity.context } : {}),
    });
    out = socket;
    const late = setTimeout(() => socket.destroy(), TIMING.link);
    raw.on("error", (error: NodeJS.ErrnoException) => {
      socket.destroy();
      if (error.code === "ECONNREFUSED") events.onRefused();
    });
    socket.on("error", () => {});
    socket.on("secureConnect", () => {
      clearTimeout(late);
      if (socket.getPeerCertificate().subject?.CN !== peer.guest) return socket.destroy();
      ready = true;
    });
    socket.on("close", () => {
      clearTimeout(late);
      raw.destroy();
      const stood = ready;
      [out, ready] = [null, false];
      if (closed || !stood) return;
      events.onCut();
      connect();
    });
    socket.resume();
  };

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: own.address, port: own.port, exclusive: true }, resolve);
  });
  server.on("error", (error) => log("error", "the heartbeat port failed", { reason: error.message }));
  connect();

  return {
    say: (beat) => {
      if (out && ready) {
        // A peer that does not read must not fill our memory: beats are news, old ones are worth nothing.
        if (out.writableLength < LONGEST_LINE) out.write(`${JSON.stringify(beat)}\n`);
      } else connect();
    },
    retry: connect,
    renew: (next) => {
      identity = next;
      server.setSecureContext({ ca: next.ca, cert: next.cert, key: next.key });
    },
    close: () => {
      closed = true;
      server.close();
      out?.destroy();
    },
  };
}
