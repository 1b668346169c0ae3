/**
 * The HTTPS server every program of the house stands on: mutual TLS under the site's authority, behind the director or not, fair to its
 * communities, bounded in what it takes and in how long it waits, shut down without cutting answers off.
 *
 * Not node:https: it reads and answers whatever a connection has sent in one go, so that who sends most is served most. Here handshakes
 * take turns by address ({@link HandshakeGate}) and calls by community ({@link Turns}) before any work is done for them.
 */
import { constants } from "node:crypto";
import { createServer as createFront, type Socket } from "node:net";
import { setDefaultHighWaterMark } from "node:stream";
import { createServer, type TLSSocket } from "node:tls";
import type { CommunityRule } from "../../src/recipes/index.ts";
import { acceptBehindDirector, type Client, plainAddress, ReadTurns } from "../../src/world/index.ts";
import type { TlsFiles } from "../serving/guest.ts";
import type { Log } from "../serving/log.ts";
import { type Answer, errorAnswer, Refusal } from "./answer.ts";
import { compileCommunities } from "./communities.ts";
import { Connection, RETRY_AFTER, type Service, TIMEOUTS } from "./connection.ts";
import { HANDSHAKE_LIMITS, HandshakeGate, type HandshakeLimits } from "./handshakes.ts";
import { type Load, loadOf } from "./load.ts";
import { type Peer, peerOf } from "./peer.ts";
import { listenOn } from "./plain.ts";
import { HTTP, type Protocol } from "./protocol.ts";
import { Query } from "./query.ts";
import type { HttpRequest } from "./reader.ts";
import { type Community, TURN_LIMITS, type TurnLimits, Turns } from "./turns.ts";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  readonly peer: Peer;
  /** Address of the client, as the director or the connection tells it. */
  readonly from: string;
  readonly request: HttpRequest;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

export interface MutualServerOptions {
  readonly tls: TlsFiles;
  readonly address: string;
  readonly port: number;
  /** Addresses of the directors, whose connections begin with a PROXY header; empty where none stand in front. */
  readonly directors: readonly string[];
  /** `METHOD /path` → what to do. */
  readonly routes: Readonly<Record<string, Handler>>;
  /** What is said to calls no route knows; 404 when silent. */
  readonly otherwise?: Handler;
  /**
   * Who is at the other end, where that is not the site's authority's word alone: then no certificate is asked for by name, none is demanded and none is
   * believed: whoever comes in is judged by this function and by the handlers. The name is the community's where no rule speaks of it.
   */
  readonly admit?: (socket: TLSSocket, client: Client) => Peer;
  /** Shares; without rules every certificate is a community of its own. */
  readonly communities?: readonly CommunityRule[];
  readonly limits?: Partial<TurnLimits>;
  readonly handshakes?: Partial<HandshakeLimits>;
  /** How clients speak; HTTP when silent. */
  readonly protocol?: Protocol;
  readonly log: Log;
}

/**
 * Connections one program holds at most; more are refused by closing at once. Above the 5,000 that a director gives one copy when the
 * site file is silent: below it, the director's own checks would be refused first, and the copy be called down with all it serves.
 */
export const CONNECTIONS = 6000;
/**
 * Octets of a connection that are read ahead: with {@link CONNECTIONS} of them, 100 MB. It is set for the whole process, because `tls.Server`
 * lets nobody say it for its own sockets; it was Node's own number for twenty versions.
 */
const READ_AHEAD = 16 * 1024;
/** Milliseconds between looks at the clock and the connections, and between lines in the log about refused clients. */
const EVERY = { sweep: 250, refusals: 5000 } as const;

export interface RunningServer {
  readonly port: number;
  /** Takes new keys without losing a connection. */
  readonly renew: (tls: TlsFiles) => void;
  /** Who is served, who is refused, how long they wait. */
  readonly load: () => Load;
  readonly close: () => Promise<void>;
}

/** No tickets, no sessions: a resumed session would show the leaf of the client's chain alone. */
function context({ ca, cert, key }: TlsFiles, open: boolean) {
  // Authorities that a server names are those whose certificates browsers offer to their users: who admits others names none.
  return {
    ...(open ? {} : { ca }),
    cert,
    key,
    minVersion: "TLSv1.2" as const,
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** @returns a function that answers a call; 404 and 405 where no route knows it */
function router(options: MutualServerOptions): Handler {
  const routes = new Map(Object.entries(options.routes));
  return (call) => {
    const handler = routes.get(`${call.method} ${call.path}`) ?? options.otherwise;
    if (handler) return handler(call);
    const methods = [...routes.keys()].filter((route) => route.endsWith(` ${call.path}`));
    return methods.length > 0
      ? errorAnswer(405, `${call.path} takes ${methods.map((route) => route.split(" ")[0]).join(", ")}`)
      : errorAnswer(404, `nothing is at ${call.path.slice(0, 100)}`);
  };
}

/** A defect is logged and answered without detail. */
function answerToThrown(error: unknown, log: Log): Answer {
  if (error instanceof Refusal) return errorAnswer(error.status, error.message);
  log("defect", { says: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  return errorAnswer(500, "a defect in this program; its log says more");
}

class MutualServer implements Service {
  closing = false;
  now = performance.now();
  readonly protocol: Protocol;
  readonly turns: Turns;
  readonly gate: HandshakeGate;
  readonly reading = new ReadTurns<Community>((community) => this.turns.roomFor(community));
  readonly connections = new Set<Connection>();
  readonly front = createFront({ noDelay: true, highWaterMark: READ_AHEAD });
  readonly #secure;
  readonly #options: MutualServerOptions;
  readonly #handle: Handler;
  readonly #classifier;
  /** By the near far-end, which is the director's and is the same on the TLS socket and on the plain one below it. */
  readonly #doors = new Map<string, { readonly client: Client; readonly socket: Socket }>();
  readonly #sweeper: NodeJS.Timeout;
  readonly #refusals = { count: 0, address: "", logged: 0 };
  dropped = 0;

  constructor(options: MutualServerOptions) {
    setDefaultHighWaterMark(false, READ_AHEAD);
    this.#options = options;
    this.protocol = options.protocol ?? HTTP;
    this.#handle = router(options);
    this.#classifier = compileCommunities(options.communities ?? []);
    this.turns = new Turns({ ...TURN_LIMITS, ...options.limits });
    this.#secure = createServer({
      ...context(options.tls, options.admit !== undefined),
      requestCert: true,
      rejectUnauthorized: options.admit === undefined,
      handshakeTimeout: TIMEOUTS.handshake,
      allowHalfOpen: true,
    });
    this.#secure.on("secureConnection", (socket) => this.#onSecure(socket));
    this.#secure.on("tlsClientError", (_error, socket) => socket.destroy());
    this.gate = new HandshakeGate(
      { ...HANDSHAKE_LIMITS, ...options.handshakes },
      (socket) => this.#secure.emit("connection", socket),
      (address) => this.#onRefused(address),
      () => this.turns.shared,
    );
    this.front.maxConnections = CONNECTIONS;
    this.front.on("drop", () => this.dropped++);
    acceptBehindDirector(
      this.front,
      { directors: options.directors, onRefused: (says) => options.log("connection refused", { says }) },
      (socket, client) => {
        const key = nearEnd(socket);
        this.#doors.set(key, { client, socket });
        socket.once("close", () => this.#doors.delete(key));
        this.gate.offer(socket, client);
      },
    );
    this.#sweeper = setInterval(() => this.#sweep(), EVERY.sweep).unref();
  }

  renew(tls: TlsFiles): void {
    this.#secure.setSecureContext(context(tls, this.#options.admit !== undefined));
  }

  heard(connection: Connection): void {
    this.reading.spoke(connection.home, connection.readable);
  }

  take(connection: Connection, request: HttpRequest, behind: boolean): void {
    const mark = request.target.indexOf("?");
    const query = new Query(mark < 0 ? "" : request.target.slice(mark + 1));
    const { client, peer } = connection;
    if (this.#classifier.needsQuery)
      connection.community = this.turns.community(
        this.#classifier.classify({ address: client.address, peer: peer.name, query }),
      );
    const { community } = connection;
    community.accepted++;
    if (connection.surplus) return void this.#refuse(connection, `has ${this.turns.limits.connections} connections`);
    const call: Call = {
      method: request.method === "HEAD" ? "GET" : request.method,
      path: mark < 0 ? request.target : request.target.slice(0, mark),
      query,
      peer,
      from: client.address,
      request,
    };
    // A director's check is answered at once: a copy that is busy is not dead.
    if (client.check || this.turns.mayRunAtOnce(behind)) return void this.#run(connection, call);
    this.turns.put({
      community,
      since: performance.now(),
      run: () => {
        this.#run(connection, call);
        this.reading.goOn(connection.home);
      },
      refuse: () => this.#refuse(connection, `has ${this.turns.limits.waitingOfCommunity} calls waiting`),
    });
  }

  async close(): Promise<void> {
    this.closing = true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        for (const connection of this.connections) connection.destroy();
      }, TIMEOUTS.close);
      this.front.close(() => {
        clearTimeout(timer);
        resolve();
      });
      this.gate.close();
      for (const connection of this.connections) connection.closeIdle();
    });
    clearInterval(this.#sweeper);
    this.turns.close();
  }

  #run(connection: Connection, call: Call): void {
    if (connection.gone) return;
    const { community } = connection;
    if (community.outside >= this.turns.limits.outside)
      return void this.#refuse(connection, `has ${community.outside} calls under way`);
    if (connection.home.unread > this.turns.limits.unread)
      return void this.#refuse(connection, `has not read ${connection.home.unread} octets of its answers`);
    let answer: Answer | Promise<Answer>;
    try {
      answer = this.#handle(call);
    } catch (error) {
      answer = answerToThrown(error, this.#options.log);
    }
    if (!(answer instanceof Promise)) return void this.#answer(connection, community, answer);
    community.outside++;
    void answer
      .catch((error: unknown) => answerToThrown(error, this.#options.log))
      .then((later) => {
        community.outside--;
        this.#answer(connection, community, later);
      });
  }

  #answer(connection: Connection, community: Community, answer: Answer): void {
    community.answered++;
    connection.answer(answer);
  }

  #refuse(connection: Connection, why: string): void {
    if (connection.gone) return;
    const { community } = connection;
    community.refused++;
    this.#onRefused(connection.client.address);
    connection.refuse(`${community.name} is over its share (${why}): try again after ${RETRY_AFTER} s`);
  }

  #onSecure(socket: TLSSocket): void {
    const door = this.#doors.get(nearEnd(socket));
    // Gone between the handshake and now.
    if (door === undefined) return void socket.destroy();
    this.gate.done(door.socket);
    const { client } = door;
    const peer = this.#options.admit?.(socket, client) ?? peerOf(socket);
    const community = this.turns.community(
      this.#classifier.classify({ address: client.address, peer: peer.name, query: null }),
    );
    const connection = new Connection(socket, client, peer, community, this);
    this.connections.add(connection);
    socket.on("error", () => {});
    socket.once("close", () => this.connections.delete(connection));
    // A director that looks is no community: the only one there is stays alone.
    if (!client.check) {
      connection.surplus = !this.turns.enter(community);
      this.reading.join(community, connection.readable);
      socket.once("close", () => {
        this.turns.leave(community);
        this.reading.leave(community, connection.readable);
      });
    }
    if (this.closing) connection.closeIdle();
  }

  /** One line for many: who floods must not fill the log too. */
  #onRefused(address: string): void {
    this.#refusals.count++;
    this.#refusals.address = address;
  }

  #sweep(): void {
    this.now = performance.now();
    for (const connection of this.connections) connection.expire(this.now);
    if (this.closing) for (const connection of this.connections) connection.closeIdle();
    const { count, address, logged } = this.#refusals;
    if (count === 0 || this.now - logged < EVERY.refusals) return;
    Object.assign(this.#refusals, { count: 0, logged: this.now });
    this.#options.log("clients refused", { count, last: address });
  }
}

function nearEnd(socket: {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}): string {
  return `${plainAddress(socket.remoteAddress ?? "")} ${socket.remotePort}`;
}

/**
 * Starts to listen.
 * @returns once the port is open
 * @throws the system's error (EADDRINUSE, EADDRNOTAVAIL) when it cannot be opened
 */
export async function listenMutually(options: MutualServerOptions): Promise<RunningServer> {
  const server = new MutualServer(options);
  await listenOn(server.front, options.port, options.address);
  const bound = server.front.address();
  return {
    port: bound !== null && typeof bound === "object" ? bound.port : options.port,
    renew: (tls) => server.renew(tls),
    load: () => loadOf(server),
    close: () => server.close(),
  };
}
