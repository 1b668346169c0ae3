import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { reach } from "../../services/director/relay.ts";
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
