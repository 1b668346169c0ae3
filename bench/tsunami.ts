/**
 * An authorization tsunami: one community asks far more than a service can do, without manners. `bin/node bench/tsunami.ts --help`.
 * A process of its own, from an address of its own, with the least priority, so that what others lose they lose to the service and not to
 * the processor that the generator takes; its own processor time is told.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, connect as tcpConnect } from "node:net";
import { setPriority } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { parseArgs } from "node:util";
import { type Outcome, prebuild, RawConnection, Tally, type Target } from "./authorization/raw-client.ts";

const HELP = `bin/node bench/tsunami.ts --address A --port N --servername NAME --tls DIRECTORY [options]

  --address, --port   where the service or its alias is: an address in 127/8 and nothing else
  --servername        name in its certificate
  --tls               directory with ca.pem, cert.pem, key.pem of the community that floods
  --from              address the connections come from, such as 127.0.0.66
  --mode              new        a new mutual-TLS connection for each call, as fast as they go
                      kept       kept connections, each asks again as soon as it is answered
                      pipelined  kept connections that do not wait for answers
                      hello      begins handshakes and never goes on
                      junk       random octets
                      silent     connects and says nothing
  --connections       at a time (default 256)
  --path              file with one path a line, or one path (default /health)
  --seconds           how long (default 10)
  --nice              priority (default 19, the least)

Prints one line of JSON: what came of the calls, milliseconds until an answer and until a refusal, processor seconds used.`;

const { values } = parseArgs({
  options: {
    address: { type: "string", default: "" },
    port: { type: "string", default: "8443" },
    servername: { type: "string", default: "" },
    tls: { type: "string", default: "" },
    from: { type: "string", default: "127.0.0.1" },
    mode: { type: "string", default: "new" },
    connections: { type: "string", default: "256" },
    path: { type: "string", default: "/health" },
    seconds: { type: "string", default: "10" },
    nice: { type: "string", default: "19" },
    help: { type: "boolean", default: false },
  },
});

const refuse = (says: string): never => {
  process.stderr.write(`tsunami: ${says}\n`);
  process.exit(2);
};
if (values.help) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}
// A flood is for one's own machine.
if (!/^127(\.\d{1,3}){3}$/.test(values.address)) refuse(`--address: expected one in 127/8, found "${values.address}"`);
if (values.tls === "") refuse("--tls: expected a directory; see --help");

const pem = (part: string): string => readFileSync(join(values.tls, `${part}.pem`), "utf8");
const target: Target = {
  address: values.address,
  port: Number(values.port),
  servername: values.servername,
  from: values.from,
  ca: pem("ca"),
  cert: pem("cert"),
  key: pem("key"),
};
const paths = values.path.startsWith("/") && !values.path.startsWith("//") ? readPaths(values.path) : [values.path];

function readPaths(given: string): readonly string[] {
  try {
    return readFileSync(given, "utf8").split("\n").filter(Boolean);
  } catch {
    return [given];
  }
}

const requests = paths.map((path) => prebuild(values.servername, path));
const tally = new Tally();
let running = true;
let sent = 0;
let turn = 0;
const request = (): Buffer => requests[turn++ % requests.length]!;

function fresh(): void {
  const since = performance.now();
  const connection = new RawConnection(target);
  let outcome: Outcome | null = null;
  sent++;
  connection.onStanding = () => connection.send(request());
  connection.onAnswer = (status) => {
    outcome = status;
    tally.add(status, performance.now() - since);
    connection.close();
  };
  connection.onEnd = (how) => {
    if (outcome === null) tally.add(how, performance.now() - since);
    if (running) setImmediate(fresh);
  };
}

function kept(): void {
  const connection = new RawConnection(target);
  let since = performance.now();
  const ask = (): void => {
    since = performance.now();
    sent++;
    connection.send(request());
  };
  connection.onStanding = ask;
  connection.onAnswer = (status) => {
    tally.add(status, performance.now() - since);
    if (status === 200 && running) ask();
  };
  connection.onEnd = (how) => {
    tally.add(how, performance.now() - since);
    if (running) setImmediate(kept);
  };
}

const batch = (): Buffer[] => Array.from({ length: BATCH }, () => request());
/** Questions in one write of {@link pipelined}. */
const BATCH = 32;

function pipelined(): void {
  const connection = new RawConnection(target);
  const pour = (): void => {
    while (running && !connection.socket.destroyed) {
      sent += BATCH;
      if (!connection.socket.write(Buffer.concat(batch()))) return;
    }
  };
  connection.onStanding = () => {
    connection.socket.on("drain", pour);
    pour();
  };
  connection.onAnswer = (status) => tally.add(status, 0);
  connection.onEnd = (how) => {
    tally.add(how, 0);
    if (running) setImmediate(pipelined);
  };
}

/** Connects, says `words`, and waits until it is let go. */
function raw(words: Buffer): void {
  const since = performance.now();
  sent++;
  const socket = tcpConnect({ host: target.address, port: target.port, localAddress: target.from });
  let how: Outcome = "closed";
  /** When it was told; the end of the connection may come later. */
  let told = Number.NaN;
  socket.on("connect", () => words.length > 0 && socket.write(words));
  socket.on("data", (chunk: Buffer) => {
    if (chunk[0] === 0x15) {
      how = "alert";
      told = performance.now();
    }
    // The server has done its part of the handshake: on to the next, it may keep this one for as long as it likes.
    else if (words.length > 0 && running) setImmediate(raw, words);
  });
  socket.on("error", () => {
    how = "reset";
  });
  socket.on("close", () => {
    tally.add(how, (how === "alert" ? told : performance.now()) - since);
    if (running && (how !== "closed" || words.length === 0 || socket.bytesRead === 0)) setImmediate(raw, words);
  });
}

/** @returns what a client says first, caught from one */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.once("data", (octets: Buffer) => {
        socket.destroy();
        server.close();
        resolve(octets);
      });
      socket.on("error", () => {});
    });
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      tlsConnect({ host: "127.0.0.1", port, servername: target.servername }).on("error", () => {});
    });
  });
}

const hello = await clientHello();
const MODES: Readonly<Record<string, () => void>> = {
  new: fresh,
  kept,
  pipelined,
  hello: () => raw(hello),
  junk: () => raw(Buffer.from(Array.from({ length: 512 }, () => Math.floor(Math.random() * 256)))),
  silent: () => raw(Buffer.alloc(0)),
};
const start = MODES[values.mode] ?? refuse(`--mode: expected one of ${Object.keys(MODES).join(", ")}`);

setPriority(Number(values.nice));
try {
  // Where the kernel weighs sessions against each other (sched(7), autogroup), the priority of a process counts inside its own alone.
  writeFileSync("/proc/self/autogroup", values.nice);
} catch {
  // No such kernel.
}
const [began, used] = [performance.now(), process.cpuUsage()];
const finish = (): void => {
  running = false;
  const { user, system } = process.cpuUsage(used);
  const seconds = (performance.now() - began) / 1000;
  const report = { mode: values.mode, seconds, sent, ...tally.report(), cpuSeconds: (user + system) / 1e6 };
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
};
process.once("SIGTERM", finish);
for (let index = 0; index < Number(values.connections); index++) start();
process.stdout.write("begun\n");
setTimeout(finish, Number(values.seconds) * 1000);
