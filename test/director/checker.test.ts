import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { Alias } from "../../services/director/alias.ts";
import { Checker } from "../../services/director/checker.ts";
import { watchLoop } from "../../services/director/lag.ts";
import type { GuestName } from "../../src/model/index.ts";
import { createAuthority } from "../../src/pki/index.ts";
import { houseDoor } from "../../src/world/index.ts";
import { aliasOf, issue, ownAddress, until } from "./harness.ts";

const DIRECTOR = ownAddress(2);
const COPY = ownAddress(20);

/** A copy of the house behind its door: mutual TLS, PROXY header from the director; `answer` decides what it says. */
async function stage(answer: () => { status: number; body: string } | "nothing") {
  const authority = await createAuthority("t", Date.now());
  const own = await issue(authority, "c0", [COPY]);
  const seen = { connections: 0, questions: 0, checks: 0, refusals: [] as string[] };
  const sockets = new Set<Socket>();
  const server = createServer({ ...own, requestCert: true, rejectUnauthorized: true }, (incoming, outgoing) => {
    seen.questions++;
    if (door.clientOf(incoming.socket).check) seen.checks++;
    const said = answer();
    if (said !== "nothing") outgoing.writeHead(said.status).end(said.body);
  });
  const door = houseDoor(server, { directors: [DIRECTOR], onRefused: (says) => seen.refusals.push(says) });
  door.front.on("connection", (socket) => {
    seen.connections++;
    sockets.add(socket);
    socket.on("error", () => {});
  });
  door.front.listen(8443, COPY);
  await once(door.front, "listening");
  const check = { kind: "https", port: 8443, path: "/health", status: 200, contains: "fine" } as const;
  const alias = new Alias(
    aliasOf({
      address: ownAddress(10),
      port: 8443,
      proxyProtocol: true,
      backends: [{ guest: "c0" as GuestName, address: COPY, port: 8443, check }],
    }),
    DIRECTOR,
    () => {},
    () => {},
  );
  const die = () => {
    door.front.close();
    for (const socket of sockets) socket.destroy();
  };
  const loop = watchLoop(() => {});
  const checker = new Checker(DIRECTOR, loop);
  checker.watch([alias], await issue(authority, "fg5x0", [DIRECTOR]));
  return {
    alias,
    copy: alias.copies[0]!,
    seen,
    die,
    [Symbol.dispose]: () => {
      checker.close();
      loop.stop();
      alias.release();
      die();
    },
  };
}

test("checks keep one connection, say that they are checks, and believe the answer", async () => {
  let status = 200;
  let body = "all is fine";
  using at = await stage(() => ({ status, body }));
  await until("it is up", () => at.copy.state === "up");
  await until("some checks", () => at.copy.checks.ok >= 4);
  assert.equal(at.seen.connections, 1);
  assert.equal(at.seen.checks, at.seen.questions);
  assert.deepEqual(at.seen.refusals, []);
  status = 503;
  await until("it is down", () => at.copy.state === "down");
  assert.match(at.copy.says, /status 503, expected 200/);
  [status, body] = [200, "all is lost"];
  await until("it says why", () => at.copy.says.includes("does not contain"));
  body = "fine again";
  await until("it is up again", () => at.copy.state === "up");
});

test("a copy that hangs is down after two timeouts, and its connections are cut", async () => {
  let hangs = false;
  using at = await stage(() => (hangs ? "nothing" : { status: 200, body: "fine" }));
  await until("it is up", () => at.copy.state === "up");
  await at.alias.bind();
  const client = connect(8443, ownAddress(10));
  const cut = once(client, "error");
  await until("a client is served", () => at.copy.relays.size === 1);
  hangs = true;
  await cut;
  assert.equal(at.copy.state, "down");
  assert.match(at.copy.says, /no answer within 1000 ms/);
});

test("a copy that is gone is down at the first check that is refused", async () => {
  using at = await stage(() => ({ status: 200, body: "fine" }));
  await until("it is up", () => at.copy.state === "up");
  at.die();
  await until("it is down", () => at.copy.state === "down");
  assert.equal(at.copy.says, "nothing listens there");
  assert.ok(at.copy.checks.failed <= 2);
});
