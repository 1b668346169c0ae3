/**
 * Carries the Hypervisor interface over a Unix socket, one JSON object a line, so that a host outlives whoever gives the orders.
 * Used by the process driver (supervisor) and by the kill tests (memory hosts in a process of their own). JSON lines instead of a
 * schema language: both ends are always the same version or adjacent ones, and a person can read the wire.
 */
import { connect as connectSocket, createServer, type Server, type Socket } from "node:net";
import { Fault, type FaultCode } from "../model/index.ts";
import type { Capabilities } from "./capabilities.ts";
import { type Hypervisor, type HypervisorEvent, OPERATIONS, type Operation } from "./contract.ts";

/** Longest line either end accepts, in characters: a definition with its files is far below. */
const LONGEST_LINE = 16 * 1024 * 1024;

type Request = { readonly id: number; readonly op: Operation | "hello"; readonly parameters: readonly unknown[] };
type Reply = {
  readonly id: number;
  readonly value?: unknown;
  readonly fault?: { readonly code: FaultCode; readonly about: Readonly<Record<string, string>> };
  readonly defect?: string;
};
type Message = Reply | { readonly event: HypervisorEvent };

/** Answers that wait for a client that does not read, in octets; above it the client is let go. */
const MOST_UNREAD = 64 * 1024 * 1024;

/**
 * Milliseconds within which a supervisor that takes a connection must say what it can, and within which it must carry an order out (a
 * grace that the order gives comes on top). The kernel takes connections for a supervisor that is stopped, so silence must end somewhere.
 */
const PATIENCE = { hello: 5000, order: 60_000 } as const;

const SILENT = "its supervisor has the connection and gives no answer";

/** @returns whether this is the fault of a supervisor that runs and is silent: starting another one would not help */
export function isSilence(error: unknown): error is Fault {
  return error instanceof Fault && error.code === "host.unreachable" && Boolean(error.about.reason?.startsWith(SILENT));
}

/**
 * Splits a stream into lines; ends the connection when one is too long.
 * @param longest characters of one line
 */
export function onLines(socket: Socket, onLine: (line: string) => void, longest = LONGEST_LINE): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    // Only the new part can end a line: looking at all of a long one again and again takes time by its square.
    let end = chunk.indexOf("\n");
    end = end < 0 ? -1 : rest.length + end;
    rest += chunk;
    while (end >= 0) {
      onLine(rest.slice(0, end));
      rest = rest.slice(end + 1);
      end = rest.indexOf("\n");
    }
    if (rest.length > longest) {
      rest = "";
      socket.destroy(new Error("line too long"));
    }
  });
}

/**
 * Serves a hypervisor on a socket. The caller makes the socket's directory private.
 * @returns the listening server
 */
export async function serveHypervisor(hypervisor: Hypervisor, path: string): Promise<Server> {
  const server = createServer((socket) => void serveOne(hypervisor, socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return server;
}

async function serveOne(hypervisor: Hypervisor, socket: Socket): Promise<void> {
  const send = (message: Message) => {
    if (socket.writableLength > MOST_UNREAD) socket.destroy();
    if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
  };
  socket.on("error", () => socket.destroy());
  const unsubscribe = await hypervisor.events((event) => send({ event }));
  socket.on("close", unsubscribe);
  onLines(socket, (line) => void answer(hypervisor, line).then(send));
}

async function answer(hypervisor: Hypervisor, line: string): Promise<Reply> {
  let id = 0;
  try {
    const request = JSON.parse(line) as Request;
    id = request.id;
    if (request.op === "hello") return { id, value: hypervisor.capabilities };
    if (!OPERATIONS.includes(request.op)) return { id, defect: `no operation is called ${request.op}` };
    const operation = hypervisor[request.op] as (...parameters: readonly unknown[]) => Promise<unknown>;
    return { id, value: (await operation.apply(hypervisor, request.parameters as unknown[])) ?? null };
  } catch (error) {
    if (error instanceof Fault) return { id, fault: { code: error.code, about: error.about } };
    return { id, defect: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Connects to a served hypervisor.
 * @param path of the Unix socket
 * @param who named in the fault when it does not answer
 * @throws Fault `host.unreachable`
 */
export async function connectHypervisor(path: string, who: string): Promise<Hypervisor> {
  const socket = connectSocket({ path });
  const waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }
  >();
  const listeners = new Set<(event: HypervisorEvent) => void>();
  let lost: Fault | null = null;
  const lose = (reason: string) => {
    lost ??= new Fault("host.unreachable", { host: who, reason });
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(lost);
    }
    waiting.clear();
    socket.destroy();
  };
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (error) => reject(new Fault("host.unreachable", { host: who, reason: reasonOf(error) })));
  });
  socket.on("error", (error) => lose(reasonOf(error)));
  socket.on("close", () => lose("its supervisor went away"));
  onLines(socket, (line) => {
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch {
      return lose("its supervisor talks nonsense");
    }
    if ("event" in message) {
      for (const listener of listeners) listener(message.event);
      return;
    }
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    clearTimeout(call?.timer);
    if (message.fault) call?.reject(new Fault(message.fault.code, message.fault.about));
    else if (message.defect) call?.reject(new Error(`${who}: ${message.defect}`));
    else call?.resolve(message.value);
  });
  let last = 0;
  const call = (op: Request["op"], parameters: readonly unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      if (lost) return reject(lost);
      const id = ++last;
      const patience = op === "hello" ? PATIENCE.hello : PATIENCE.order + graceOf(parameters);
      const timer = setTimeout(() => lose(`${SILENT} within ${Math.round(patience / 1000)} s`), patience);
      waiting.set(id, { resolve, reject, timer });
      socket.write(`${JSON.stringify({ id, op, parameters } satisfies Request)}\n`);
    });
  const capabilities = (await call("hello", [])) as Capabilities;
  const operations = Object.fromEntries(
    OPERATIONS.map((op) => [op, (...parameters: readonly unknown[]) => call(op, parameters)]),
  ) as unknown as Pick<Hypervisor, Operation>;
  return {
    ...operations,
    capabilities,
    events: async (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      socket.destroy();
    },
  };
}

/** @returns milliseconds that an order itself allows a guest before it is carried out */
function graceOf(parameters: readonly unknown[]): number {
  const options = parameters.at(-1) as { readonly graceSeconds?: unknown } | null | undefined;
  return typeof options?.graceSeconds === "number" ? options.graceSeconds * 1000 : 0;
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const REASONS: Readonly<Record<string, string>> = {
    ENOENT: "its supervisor does not run",
    ECONNREFUSED: "its supervisor does not run",
    EACCES: "its supervisor belongs to somebody else",
  };
  return REASONS[error.code ?? ""] ?? error.message;
}
