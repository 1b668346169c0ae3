/** A director connects to its copies for months: more often than its address has ports. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { reach } from "../../services/director/relay.ts";
import { LocalPorts } from "../../src/world/index.ts";

const OWN = "127.88.7.2";
const COPY = "127.88.7.5";
/** More than the system has ports to give to one address, within the minute that each stays taken. */
const CONNECTIONS = 36_000;

test("more connections to a copy within a minute than an address has ports", { timeout: 300_000 }, async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, COPY, resolve));
  const { port } = server.address() as { port: number };
  const faults: string[] = [];
  for (let made = 0; made < CONNECTIONS; made++) {
    const reached = await reach(COPY, port, OWN);
    // Whoever ends first has the port for a minute: that is the director when clients end.
    if (reached.ok) reached.socket.end();
    else faults.push(reached.code);
    // Between the same two ends a port may be used again after a second.
    if (made % 6000 === 5999) await new Promise((resolve) => setTimeout(resolve, 600));
  }
  server.close();
  assert.deepEqual(faults, []);
});

test("each end has all ports, in turn; whoever comes back begins elsewhere", () => {
  const ports = new LocalPorts(() => 0);
  const first = Array.from({ length: 12_768 }, () => ports.take("a"));
  assert.equal(new Set(first).size, 12_768);
  assert.deepEqual([first[0], first.at(-1), ports.take("a"), ports.take("b")], [20_000, 32_767, 20_000, 20_000]);
  assert.equal(new LocalPorts(() => 0.5).take("a"), 26_384);
});
