/**
 * One writer at a time. Node has no flock, so the lock is an abstract Unix socket: the kernel frees it with its process, whatever
 * kills that. Whoever is refused asks the holder over the same socket who it is.
 */
import { createHash } from "node:crypto";
import { connect, createServer } from "node:net";

export interface Lock {
  release(): Promise<void>;
}

/**
 * @param what names the thing locked; any length
 * @param holder said to whoever comes second: command and process id, no secret
 * @returns the lock, or the words of the holder
 */
export async function acquireLock(what: string, holder: string): Promise<Lock | { readonly heldBy: string }> {
  const name = `\0domus-${process.getuid?.() ?? 0}-${createHash("sha256").update(what).digest("hex").slice(0, 32)}`;
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    // Whoever asks and does not hang up again must not use up our files: the name is open to every local user.
    const late = setTimeout(() => socket.destroy(), 1000);
    late.unref();
    socket.once("close", () => clearTimeout(late));
    socket.resume();
    socket.end(holder);
  });
  server.maxConnections = 64;
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(true) : reject(error),
    );
    server.listen(name, () => resolve(false));
  });
  if (taken) return { heldBy: await askHolder(name) };
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

function askHolder(name: string): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    const socket = connect({ path: name });
    socket.setTimeout(1000, () => socket.destroy());
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      said = (said + chunk).slice(0, 500);
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(said || "a run that does not say its name"));
  });
}
