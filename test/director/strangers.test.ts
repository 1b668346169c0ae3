/** The director's own ports are open to every local user: who sends nothing, garbage or slowly takes nothing from who asks. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { type ConnectionOptions, connect as tlsConnect } from "node:tls";
import { ownAddress, Pairing, until } from "./harness.ts";

test("strangers on the status and heartbeat ports", { timeout: 120_000 }, async () => {
  await using pair = new Pairing();
  await pair.prepare([]);
  pair.start(0);
  await pair.role(0, "active");
  const strangers: Socket[] = [];
  const open = (port: number, count: number, words: Buffer | string) => {
    for (let number = 0; number < count; number++) {
      const socket = connect({ host: ownAddress(2), port, localAddress: ownAddress(99) });
      socket.on("error", () => {}).on("connect", () => socket.write(words));
      strangers.push(socket);
    }
  };
  open(9401, 200, "");
  open(9401, 100, Buffer.from([0x16, 3, 1, 2, 0]));
  open(9401, 100, "GET /status HTTP/1.1\r\nx: ");
  open(9400, 300, "");
  // A line from anywhere but the peer's address costs no handshake, whatever certificate it would show.
  const forged = tlsConnect({
    host: ownAddress(2),
    port: 9400,
    localAddress: ownAddress(98),
    servername: "fg5x0",
    ...pair.identities[1]!,
  } as ConnectionOptions);
  let stood = false;
  forged.on("secureConnect", () => {
    stood = true;
  });
  forged.on("error", () => {});
  await new Promise((resolve) => forged.once("close", resolve));
  assert.equal(stood, false);
  assert.equal((await pair.status(0)).role, "active");

  pair.start(1);
  await pair.role(1, "standby");
  await until("both hear each other", async () => (await pair.status(0)).peer?.state === "alive");
  // They are let go, so that nobody holds a place for good.
  await until("all strangers are gone", () => {
    for (const socket of strangers) if (!socket.destroyed) socket.resume();
    return strangers.every((socket) => socket.destroyed);
  });
});
