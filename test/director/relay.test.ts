import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { reach, relay } from "../../services/director/relay.ts";
import { ownAddress } from "./harness.ts";

test("a copy is not called slow when it was our own loop that stood still", async () => {
  const server = createServer((socket) => socket.on("error", () => {}));
  server.listen(9999, ownAddress(60));
  await once(server, "listening");
  for (const stall of [320, 700]) {
    const reaching = reach(ownAddress(60), 9999, ownAddress(61));
    // The kernel connects meanwhile; we only hear of it afterwards.
    for (const until = performance.now() + stall; performance.now() < until; );
    const reached = await reaching;
    assert.ok(reached.ok, JSON.stringify(reached));
    reached.socket.destroy();
  }
  server.close();
});

test("a copy where nothing listens is called so at once", async () => {
  const reached = await reach(ownAddress(62), 9997, ownAddress(61));
  assert.deepEqual(reached, { ok: false, fault: "copy", code: "ECONNREFUSED" });
});

for (const { what, first, end } of [
  { what: "under TLS it is told by a plain end, and what it still says is taken", first: 0x16, end: "ended" },
  { what: "in the clear it is reset: a part must not look like a whole", first: 0x47, end: "ECONNRESET" },
])
  test(`a client whose copy died: ${what}`, async () => {
    const copies = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => {
        socket.write("a part");
        setImmediate(() => socket.resetAndDestroy());
      });
    });
    copies.listen(9996, ownAddress(63));
    await once(copies, "listening");
    const front = createServer({ allowHalfOpen: true }, async (client) => {
      client.on("error", () => {});
      const reached = await reach(ownAddress(63), 9996, ownAddress(61));
      assert.ok(reached.ok);
      relay(client, reached.socket, null, () => {});
    });
    front.listen(9995, ownAddress(64));
    await once(front, "listening");
    const client = connect({ host: ownAddress(64), port: 9995, allowHalfOpen: true });
    const outcome = new Promise<string>((resolve) => {
      client.once("end", () => resolve("ended"));
      client.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "?"));
    });
    client.resume();
    client.write(Buffer.from([first, 3, 1]));
    assert.equal(await outcome, end);
    if (end === "ended") {
      // Twice: the first writing after a reset fails, the second is what kills a program.
      for (let time = 0; time < 2; time++)
        await new Promise<void>((resolve, reject) =>
          client.write("still there", (error) => (error ? reject(error) : resolve())),
        );
    }
    client.destroy();
    await Promise.all([copies, front].map((server) => new Promise((resolve) => server.close(resolve))));
  });
