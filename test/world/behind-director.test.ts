import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer, request as httpsRequest } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test } from "node:test";
import { connect as tlsConnect } from "node:tls";
import { createAuthority, issueCertificate } from "../../src/pki/index.ts";
import { encodeLocalHeader, encodeProxyHeader, houseDoor } from "../../src/world/index.ts";

const DIRECTOR = "127.0.0.1";
const header = encodeProxyHeader({
  source: { address: "192.0.2.7", port: 51000 },
  destination: { address: "127.88.3.9", port: 8443 },
});

async function plainHouse(options: { headerTimeoutMs?: number; directors?: string[] } = {}) {
  const refusals: string[] = [];
  const server = createHttpServer((incoming, answer) => {
    answer.setHeader("connection", "close");
    answer.end(JSON.stringify(door.clientOf(incoming.socket)));
  });
  const door = houseDoor(server, {
    directors: options.directors ?? [DIRECTOR],
    headerTimeoutMs: options.headerTimeoutMs ?? 20_000,
    onRefused: (says) => refusals.push(says),
  });
  door.front.listen(0, "127.0.0.1");
  await once(door.front, "listening");
  const port = (door.front.address() as AddressInfo).port;
  return { port, refusals, [Symbol.asyncDispose]: async () => void door.front.close() };
}

async function talk(port: number, pieces: readonly Buffer[]): Promise<string> {
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await closed;
  return text;
}

const ask = Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n");

test("a director's connection is the client's, in one piece or octet by octet", async () => {
  await using house = await plainHouse();
  const whole = Buffer.concat([header, ask]);
  for (const pieces of [[whole], [header, ask], [...whole].map((octet) => Buffer.from([octet]))]) {
    assert.match(await talk(house.port, pieces), /\{"address":"192\.0\.2\.7","port":51000,"check":false\}$/);
  }
  assert.match(await talk(house.port, [encodeLocalHeader(), ask]), /"address":"127\.0\.0\.1".*"check":true/);
});

test("a director without a header is refused, and so is a late, a wrong and a cut one", async () => {
  await using house = await plainHouse({ headerTimeoutMs: 300 });
  assert.equal(await talk(house.port, [ask]), "");
  assert.equal(await talk(house.port, [header.subarray(0, 20)]), "");
  const socket = connect(house.port, "127.0.0.1");
  socket.end(header.subarray(0, 5));
  socket.resume();
  await once(socket, "close");
  assert.equal(house.refusals.length, 3);
  assert.match(house.refusals[0]!, /does not begin with/);
  assert.match(house.refusals[1]!, /within 300 ms/);
  assert.match(house.refusals[2]!, /ended before/);
});

test("anybody else is who he is, and a header he sends is not believed", async () => {
  await using house = await plainHouse({ directors: ["192.0.2.1"] });
  assert.match(await talk(house.port, [ask]), /"address":"127\.0\.0\.1"/);
  assert.match(await talk(house.port, [Buffer.concat([header, ask])]), /^HTTP\/1\.1 400/);
});

test("mutual TLS goes on where the header ends", async () => {
  const authority = await createAuthority("t", Date.now());
  const subject = { commonName: "g", unit: "guest", dns: ["g"], ip: ["127.0.0.1"] } as const;
  const own = await issueCertificate(authority, subject, Date.now());
  const tls = { ca: authority.certificate, cert: own.certificate, key: own.key };
  const server = createHttpsServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (incoming, answer) => {
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      size += chunk.length;
    });
    incoming.on("end", () => answer.end(JSON.stringify({ ...door.clientOf(incoming.socket), size })));
  });
  const door = houseDoor(server, { directors: [DIRECTOR] });
  door.front.listen(0, "127.0.0.1");
  await once(door.front, "listening");
  const { port } = door.front.address() as AddressInfo;
  const body = Buffer.alloc(300_000, 7);
  const raw = connect(port, "127.0.0.1");
  raw.write(header);
  const secured = tlsConnect({ ...tls, socket: raw, servername: "g" });
  const call = httpsRequest({ method: "POST", createConnection: () => secured, headers: { connection: "close" } });
  call.end(body);
  const [answer] = await once(call, "response");
  let text = "";
  for await (const chunk of answer) text += chunk;
  assert.deepEqual(JSON.parse(text), { address: "192.0.2.7", port: 51000, check: false, size: body.length });
  secured.destroy();
  door.front.close();
});
