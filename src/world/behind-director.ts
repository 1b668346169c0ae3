/**
 * The door of a program of the house: who is at the other end of a connection when directors stand in between.
 * A connection from a director's address must begin with a PROXY header, and only such a connection may: a header sent by anybody
 * else reaches the program as ordinary octets, where TLS refuses them. So nobody gives himself another's address.
 * Refused: looking for a header on every connection ("if it is there, believe it"), which lets any client forge its address.
 */
import { createServer, type Server, type Socket } from "node:net";
import { decodeProxyHeader, type Endpoint, LONGEST_HEADER, plainAddress } from "./proxy-protocol.ts";

export interface DoorOptions {
  /** Addresses of the site's directors, such as `127.88.3.2`. */
  readonly directors: readonly string[];
  /** Milliseconds a director has for its header; 3,000 when silent. */
  readonly headerTimeoutMs?: number;
  /** Told about connections that were closed because their header was missing, wrong or late. */
  readonly onRefused?: (says: string) => void;
}

/** Who is at the far end. `check` is true for a director's own connection (a health check). */
export interface Client extends Endpoint {
  readonly check: boolean;
}

/**
 * Listens to a plain server's connections and hands each on together with its client.
 * @param front a `net.createServer(...)` without a connection listener of its own
 * @param onConnection gets a socket nothing was lost from (`server.emit("connection", socket)` hands it to a TLS, HTTPS or HTTP server)
 */
export function acceptBehindDirector(
  front: Server,
  options: DoorOptions,
  onConnection: (socket: Socket, client: Client) => void,
): void {
  const directors = new Set(options.directors.map(plainAddress));
  front.on("connection", (socket: Socket) => {
    const from: Client = {
      address: plainAddress(socket.remoteAddress ?? ""),
      port: socket.remotePort ?? 0,
      check: false,
    };
    if (directors.has(from.address)) readHeader(socket, from, options, onConnection);
    else onConnection(socket, from);
  });
}

function readHeader(
  socket: Socket,
  director: Client,
  options: DoorOptions,
  onConnection: (socket: Socket, client: Client) => void,
): void {
  let received = Buffer.alloc(0);
  const timeout = options.headerTimeoutMs ?? 3000;
  const timer = setTimeout(() => refuse(`no complete header within ${timeout} ms`), timeout);
  const release = () => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("end", onEnd);
    socket.off("error", onEnd);
    socket.off("close", release);
  };
  const refuse = (says: string) => {
    release();
    socket.on("error", () => {});
    socket.destroy();
    options.onRefused?.(`connection from director ${director.address}: ${says}`);
  };
  const onEnd = () => refuse("it ended before its header was complete");
  const onReadable = () => {
    for (;;) {
      const decoded = decodeProxyHeader(received);
      if (decoded.state === "invalid") return refuse(decoded.says);
      if (decoded.state === "complete") {
        release();
        const rest = received.subarray(decoded.length);
        if (rest.length > 0) socket.unshift(rest);
        const client = decoded.proxied
          ? { ...decoded.proxied.source, check: false }
          : { address: director.address, port: director.port, check: true };
        return onConnection(socket, client);
      }
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      received = Buffer.concat([received, chunk]);
      if (received.length > LONGEST_HEADER && decodeProxyHeader(received).state === "incomplete") {
        return refuse("its header does not end");
      }
    }
  };
  socket.on("readable", onReadable);
  socket.on("end", onEnd);
  socket.on("error", onEnd);
  socket.on("close", release);
}

/** What {@link houseDoor} gives: listen on `front`, ask `clientOf` in the request handler. */
export interface HouseDoor {
  readonly front: Server;
  /**
   * @param socket the connection as the program sees it: the TLS socket or the plain one, still open
   * @returns the client; the socket's own far end when the connection did not come through this door
   */
  readonly clientOf: (socket: {
    readonly remoteAddress?: string | undefined;
    readonly remotePort?: number | undefined;
  }) => Client;
}

/**
 * The whole of it for an HTTP, HTTPS or TLS server: `houseDoor(server, …).front.listen(port, address)` in place of `server.listen`.
 * @param server gets each connection by its `connection` event; it never listens itself
 */
export function houseDoor(
  server: { emit(event: "connection", socket: Socket): boolean },
  options: DoorOptions,
): HouseDoor {
  // By the near far-end, which is the director's and is the same on the TLS socket and on the plain one below it.
  const clients = new Map<string, Client>();
  const front = createServer({ noDelay: true });
  acceptBehindDirector(front, options, (socket, client) => {
    const key = `${plainAddress(socket.remoteAddress ?? "")} ${socket.remotePort}`;
    clients.set(key, client);
    socket.once("close", () => clients.delete(key));
    server.emit("connection", socket);
  });
  return {
    front,
    clientOf: (socket) => {
      const address = plainAddress(socket.remoteAddress ?? "");
      const port = socket.remotePort ?? 0;
      return clients.get(`${address} ${port}`) ?? { address, port, check: false };
    },
  };
}
