import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { createAuthority } from "../../src/pki/index.ts";
import { LeanClient, type LeanClientOptions, RequestFailure } from "../../src/world/index.ts";
import { issue, until } from "../director/harness.ts";

const HERE = "127.0.0.1";

async function listening(server: Server): Promise<{ port: number; [Symbol.dispose]: () => void }> {
  server.listen(0, HERE);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() };
}

function client(port: number, change: Partial<LeanClientOptions> = {}, to: Partial<LeanClientOptions["to"]> = {}) {
  const all = {
    scheme: "http",
    address: HERE,
    port,
    servername: null,
    tls: null,
    connectTimeoutMs: 5000,
    ...to,
  } as const;
  return new LeanClient({ to: all, keepAlive: false, ...change });
}

const get = { method: "GET", path: "/" } as const;
const failing = (call: Promise<unknown>): Promise<RequestFailure> =>
  call.then(
    () => assert.fail("it answered"),
    (error) => {
      assert.ok(error instanceof RequestFailure, String(error));
      return error;
    },
  );

/** Says the same to everybody, in these pieces, whatever was asked. */
const speaker = (pieces: readonly Buffer[], end: boolean): Server =>
  createTcp({ noDelay: true }, async (socket) => {
    socket.on("error", () => {});
    await once(socket, "data");
    for (const piece of pieces) {
      if (piece.length > 0) socket.write(piece);
      // So that pieces arrive as pieces.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (end) socket.end();
  });

/** The same answer with its body by length, in chunks, or until the end. */
const WAYS = {
  length: (body: Buffer) =>
    Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nX: y\r\ncontent-LENGTH:${body.length}\r\n\r\n`), body]),
  chunks: (body: Buffer) =>
    Buffer.concat([
      Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
      ...(body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)};a=b\r\n`), body, Buffer.from("\r\n")]),
      Buffer.from("0\r\nTrailer: one\r\n\r\n"),
    ]),
  end: (body: Buffer) => Buffer.concat([Buffer.from("HTTP/1.0 200\r\n\r\n"), body]),
} as const;

test("an answer is the same however it is cut into pieces, by length, in chunks or until the end", async () => {
  const cuts = fc.uniqueArray(fc.nat(200), { maxLength: 5 });
  const way = fc.constantFrom(...(Object.keys(WAYS) as (keyof typeof WAYS)[]));
  await fc.assert(
    fc.asyncProperty(
      way,
      fc.string({ maxLength: 60, unit: "binary" }),
      cuts,
      fc.boolean(),
      async (name, body, at, early) => {
        const whole = Buffer.concat([
          Buffer.from(early ? "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" : ""),
          WAYS[name](Buffer.from(body)),
        ]);
        const marks = [0, ...at.filter((mark) => mark < whole.length).sort((a, b) => a - b), whole.length];
        const pieces = marks.slice(1).map((mark, index) => whole.subarray(marks[index], mark));
        using server = await listening(speaker(pieces, name === "end"));
        const one = client(server.port);
        const answer = await one.ask(one.write(get), 30_000);
        assert.deepEqual(answer, { status: 200, body: Buffer.from(body).toString("utf8") });
      },
    ),
    { numRuns: 150 },
  );
});

test("what is no HTTP, or cut off, or too long, is told and not taken for an answer", async () => {
  const cases: readonly (readonly [said: string, end: boolean, expected: RegExp])[] = [
    ["SSH-2.0-OpenSSH_9.2\r\n", false, /no HTTP/],
    ["HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n0123456789", false, /no HTTP/],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", false, /no HTTP/],
    [`HTTP/1.1 200 OK\r\nx: ${"y".repeat(20_000)}`, false, /no HTTP/],
    ["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234", true, /was cut/],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n", true, /was cut/],
    ["HTTP/1.1 200", true, /was cut/],
    ["", true, /it cut the connection/],
  ];
  for (const [said, end, expected] of cases) {
    using server = await listening(speaker([Buffer.from(said)], end));
    const one = client(server.port);
    assert.match((await failing(one.ask(one.write(get), 30_000))).message, expected, said.slice(0, 60));
  }
});

test("a body is kept up to 64 KiB, and read to its end", async () => {
  using server = await listening(createHttp((_, answer) => void answer.end("x".repeat(300_000))));
  const one = client(server.port, { keepAlive: true });
  const asked = one.write(get);
  assert.equal((await one.ask(asked, 30_000)).body.length, 65_536);
  assert.equal((await one.ask(asked, 30_000)).body.length, 65_536);
  one.close();
});

test("connections are kept, and one that the server has closed is made anew unseen", async () => {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createHttp((incoming, answer) => {
    incoming.resume();
    answer.end(incoming.method);
  });
  server.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
  });
  using at = await listening(server);
  const one = client(at.port, { keepAlive: true });
  const asked = one.write(get);
  for (let call = 0; call < 20; call++) assert.equal((await one.ask(asked, 30_000)).status, 200);
  assert.equal(connections, 1);
  const posted = one.write({ method: "POST", path: "/", headers: { "content-type": "text/plain" }, body: "ü" });
  assert.equal((await one.ask(posted, 30_000)).body, "POST");
  for (const socket of sockets) socket.resetAndDestroy();
  assert.equal((await one.ask(asked, 30_000)).body, "GET");
  assert.equal(connections, 2);
  one.close();
  await failing(one.ask(asked, 30_000));
  const other = client(at.port);
  for (let call = 0; call < 5; call++) await other.ask(other.write(get), 30_000);
  assert.equal(connections, 7);
});

test("failures say whether the connection stood; closing gives up what is under way", async () => {
  const closed = await listening(createTcp());
  closed[Symbol.dispose]();
  const away = client(closed.port);
  const refused = await failing(away.ask(away.write(get), 30_000));
  assert.deepEqual([refused.phase, refused.code], ["connect", "ECONNREFUSED"]);
  let heard = 0;
  using silent = await listening(
    createTcp((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => heard++);
    }),
  );
  const one = client(silent.port);
  const late = await failing(one.ask(one.write(get), 30));
  assert.deepEqual([late.phase, late.code], ["answer", "TIMEOUT"]);
  const before = heard;
  const given = one.ask(one.write(get), 30_000);
  await until("it was asked", () => heard > before);
  one.close();
  assert.equal((await failing(given)).code, "ABORTED");
});

test("mutual TLS: the server's name counts, and calls come from the addresses that were given, in turn", async () => {
  const authority = await createAuthority("t", Date.now());
  const own = await issue(authority, "gums", [HERE]);
  const tls = await issue(authority, "operator", []);
  const seen = new Set<string>();
  const serve: RequestListener = (incoming, answer) => {
    seen.add(incoming.socket.remoteAddress!);
    answer.end("fine");
  };
  using at = await listening(createHttps({ ...own, requestCert: true, rejectUnauthorized: true }, serve));
  const from = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
  const https = { scheme: "https", tls } as const;
  const one = client(at.port, { from }, { ...https, servername: "gums" });
  for (let call = 0; call < 6; call++) assert.equal((await one.ask(one.write(get), 30_000)).body, "fine");
  assert.deepEqual([...seen].sort(), from);
  const byAddress = client(at.port, {}, https);
  assert.equal((await byAddress.ask(byAddress.write(get), 30_000)).status, 200);
  const misled = client(at.port, {}, { ...https, servername: "saz" });
  assert.equal((await failing(misled.ask(misled.write(get), 30_000))).phase, "connect");
  const stranger = await issue(await createAuthority("u", Date.now()), "operator", []);
  const unknown = client(at.port, {}, { ...https, servername: "gums", tls: { ...stranger, ca: tls.ca } });
  await failing(unknown.ask(unknown.write(get), 30_000));
});

test("what HTTP has no words for is not sent", () => {
  const one = client(1);
  for (const path of ["/a b", "/a\r\nx: y", "/ü\u0000"])
    assert.throws(() => one.write({ method: "GET", path }), /HTTP/);
  assert.throws(() => one.write({ ...get, headers: { x: "a\r\nb: c" } }), /HTTP/);
});
