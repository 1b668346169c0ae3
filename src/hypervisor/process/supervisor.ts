/**
 * The program that stands for a physical host on the embedded default: holds its guests, restarts dead ones, and outlives whoever
 * started it. Arguments: host name, its directory, the directory of sockets, the directory of bundles. No secret is among them.
 */
import { existsSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Fault, type GuestName, type HostName } from "../../model/index.ts";
import { acquireLock } from "../../world/index.ts";
import { onLines, serveHypervisor } from "../wire.ts";
import { ProcessHost } from "./driver.ts";
import { HostDirectory } from "./inventory.ts";

/** A peer's question is one short line. */
interface PeerQuestion {
  readonly op: "end-if-hung";
  readonly guest: GuestName;
  readonly key: string;
}

/** Characters; a name and a token are far below. */
const LONGEST_QUESTION = 4096;

/** Serves the one thing that peers may ask: have a hung guest ended. */
async function servePeers(host: ProcessHost, path: string): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.setTimeout(5000, () => socket.destroy());
    const answer = (line: string) => {
      const reply = (answer: unknown) => socket.writable && socket.write(`${JSON.stringify(answer)}\n`);
      let question: PeerQuestion;
      try {
        question = JSON.parse(line) as PeerQuestion;
        if (question.op !== "end-if-hung" || typeof question.guest !== "string" || typeof question.key !== "string")
          throw new Error();
      } catch {
        return void reply({ ended: false, state: "refused", says: "not a question that peers may ask" });
      }
      host
        .endIfHung(question.guest, question.key)
        .then(reply, (error: Error) => reply({ ended: false, state: "unknown", says: error.message }));
    };
    onLines(socket, answer, LONGEST_QUESTION);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

async function main(): Promise<void> {
  const [name, path, sockets, bundles] = process.argv.slice(2) as [HostName, string, string, string];
  // Sockets are made with this mask, so that nobody else may ever connect.
  process.umask(0o077);
  const lock = await acquireLock(`supervisor ${path}`, `supervisor of ${name}, process ${process.pid}`);
  if ("heldBy" in lock) return;
  const directory = new HostDirectory(path);
  if (existsSync(directory.cutMarker)) throw new Fault("host.cut", { host: name });
  const host = new ProcessHost(name, directory, { bundles, peers: sockets, node: process.execPath });
  await host.boot();
  for (const suffix of ["sock", "peer"]) rmSync(join(sockets, `${name}.${suffix}`), { force: true });
  await servePeers(host, join(sockets, `${name}.peer`));
  await serveHypervisor(host, join(sockets, `${name}.sock`));
  process.on("SIGTERM", () => process.exit(0));
  process.on("SIGINT", () => {});
  process.on("SIGHUP", () => {});
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(3);
});
