import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { Alias } from "../../services/director/alias.ts";
import { Persistence } from "../../services/director/scheduler.ts";
import type { BlueprintAlias, GuestName } from "../../src/model/index.ts";
import { decodeProxyHeader } from "../../src/world/index.ts";
import { aliasOf, ownAddress, until } from "./harness.ts";

const DIRECTOR = ownAddress(2);
const PLACE = { address: ownAddress(10), port: 8443 };

type Serve = (socket: Socket, n: number) => void;
const sayName: Serve = (socket, n) => void socket.end(`c${n}`);

/** One alias before some copies, in this process. */
class Stage implements AsyncDisposable {
  readonly servers: Server[] = [];
  readonly sockets = new Set<Socket>();
  alias!: Alias;
  readonly writers: (string | null)[] = [];

  static async open(shape: Partial<BlueprintAlias>, serve: Serve, count = 2): Promise<Stage> {
    const stage = new Stage();
    const backends: BlueprintAlias["backends"][number][] = [];
    for (let n = 0; n < count; n++) {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        stage.sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => stage.sockets.delete(socket));
        serve(socket, n);
      });
      server.listen(9000, ownAddress(20 + n));
      await once(server, "listening");
      stage.servers.push(server);
      const check = { kind: "tcp", port: 9000 } as const;
      backends.push({ guest: `c${n}` as GuestName, address: ownAddress(20 + n), port: 9000, check });
    }
    stage.alias = new Alias(
      aliasOf({ ...PLACE, backends, ...shape }),
      DIRECTOR,
      () => {},
      () => stage.writers.push(stage.alias.writer),
    );
    for (const copy of stage.alias.copies) copy.mark("up", "test");
    assert.equal(await stage.alias.bind(), "held");
    return stage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.alias.release();
    for (const socket of this.sockets) socket.destroy();
    for (const server of this.servers) server.close();
  }
}

/** @returns all that was said, or the error's code */
async function call(from = ownAddress(100)): Promise<string> {
  const socket = connect({ ...PLACE, host: PLACE.address, localAddress: from });
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => {
    let code = "";
    socket.on("error", (error: NodeJS.ErrnoException) => {
      code = error.code ?? "error";
    });
    socket.on("close", () => resolve(code || text));
  });
}

async function calls(count: number): Promise<string[]> {
  const all: string[] = [];
  for (let k = 0; k < count; k++) all.push(await call());
  return all;
}

test("round-robin goes round", async () => {
  await using stage = await Stage.open({ scheduler: "round-robin" }, sayName, 3);
  assert.equal(stage.alias.copies.length, 3);
  const seen = await calls(9);
  for (const name of ["c0", "c1", "c2"]) assert.equal(seen.filter((text) => text === name).length, 3);
});

test("least-connections goes to the less busy copy", async () => {
  const waiting: Socket[] = [];
  await using stage = await Stage.open({}, (socket) => void waiting.push(socket));
  const clients = Array.from({ length: 20 }, () => connect(PLACE.port, PLACE.address).on("error", () => {}));
  await until("all are served", () => waiting.length === 20);
  assert.deepEqual(
    stage.alias.copies.map((copy) => copy.counters.active),
    [10, 10],
  );
  for (const client of clients) client.resetAndDestroy();
  // The two ends of a connection close one after the other: the copies' counts follow the alias's.
  await until("all are gone", () =>
    [stage.alias, ...stage.alias.copies].every(({ counters }) => counters.active === 0),
  );
});

test("a client stays where it was while its copy lives", async () => {
  await using stage = await Stage.open({ persistence: 60, scheduler: "round-robin" }, sayName);
  const first = await call(ownAddress(101));
  for (let k = 0; k < 4; k++) assert.equal(await call(ownAddress(101)), first);
  const others = new Set<string>();
  for (let n = 102; n < 110; n++) others.add(await call(ownAddress(n)));
  assert.equal(others.size, 2);
  stage.alias.copies.find((copy) => copy.backend.guest === first)!.mark("down", "test");
  assert.notEqual(await call(ownAddress(101)), first);
});

test("persistence forgets by time, and the longest unseen when it is full", () => {
  const memory = new Persistence(3);
  for (const [at, client] of ["a", "b", "c"].entries()) memory.remember(client, "g", 10, at);
  memory.remember("a", "g", 10, 5);
  memory.remember("d", "g", 10, 6);
  assert.deepEqual(
    ["a", "b", "c", "d"].map((client) => memory.find(client, 7)),
    ["g", null, "g", "g"],
  );
  assert.equal(memory.find("c", 10_003), null);
  assert.equal(memory.size, 2);
});

test("the peer learns who stays where: news at once, the others in turn", () => {
  const [mine, peers] = [new Persistence(), new Persistence()];
  for (let n = 0; n < 500; n++) mine.remember(`10.0.${n >> 8}.${n & 255}`, `c${n % 2}`, 60, 0);
  const tell = () => {
    for (const [client, guest, seconds] of mine.news(1000)) peers.remember(client, guest, seconds, 1000);
  };
  for (let beat = 0; beat < 20; beat++) tell();
  assert.equal(peers.size, 500);
  assert.equal(peers.find("10.0.1.3", 2000), "c1");
  mine.remember("10.0.0.4", "c9", 60, 1500);
  tell();
  assert.equal(peers.find("10.0.0.4", 2000), "c9");
  assert.deepEqual(mine.news(100_000), []);
});

test("a copy that refuses costs the client nothing", async () => {
  await using stage = await Stage.open({ scheduler: "round-robin" }, sayName);
  stage.servers[0]!.close();
  await once(stage.servers[0]!, "close");
  assert.deepEqual(new Set(await calls(6)), new Set(["c1"]));
  assert.equal(stage.alias.copies[0]!.state, "down");
  assert.equal(stage.alias.counters.retried, 1);
  assert.equal(stage.alias.counters.refused, 0);
});

test("limits refuse at once and are counted", async () => {
  await using stage = await Stage.open({ connections: 3, connectionsPerCopy: 1 }, () => {});
  const clients = [0, 1].map(() => connect(PLACE.port, PLACE.address).on("error", () => {}));
  await until("two are served", () => stage.alias.counters.accepted === 2);
  assert.equal(await call(), "ECONNRESET");
  assert.equal(stage.alias.counters.refused, 1);
  stage.alias.shape = { ...stage.alias.shape, connections: 2, connectionsPerCopy: 10 };
  assert.equal(await call(), "ECONNRESET");
  assert.equal(stage.alias.counters.refused, 2);
  for (const client of clients) client.destroy();
});

test("one writer gets everything, the next takes over, and nobody fails back", async () => {
  await using stage = await Stage.open({ distribution: "one-writer" }, (socket) => void socket.write("here"));
  const client = connect(PLACE.port, PLACE.address);
  const broken = new Promise((resolve) => client.on("error", resolve));
  await once(client, "data");
  assert.equal(stage.alias.writer, "c0");
  stage.alias.copies[0]!.mark("down", "test");
  await broken;
  assert.equal(stage.alias.writer, "c1");
  stage.alias.copies[0]!.mark("up", "test");
  const again = connect(PLACE.port, PLACE.address);
  await once(again, "data");
  assert.equal(stage.alias.copies[1]!.counters.active, 1);
  assert.deepEqual(stage.writers, ["c0", "c1"]);
  again.destroy();
});

test("half-close: a client that has said all still gets the answer, and the other way round", async () => {
  await using _ = await Stage.open({}, (socket) => {
    let size = 0;
    socket.on("data", (chunk) => {
      size += chunk.length;
    });
    socket.on("end", () => socket.end(`${size} octets`));
  });
  const client = connect({ port: PLACE.port, host: PLACE.address, allowHalfOpen: true });
  client.end(Buffer.alloc(100_000));
  let text = "";
  client.on("data", (chunk) => {
    text += chunk;
  });
  await once(client, "end");
  assert.equal(text, "100000 octets");
});

test("large transfers both ways arrive whole, through a slow reader too", async () => {
  const size = 24 * 1024 * 1024;
  const sent = randomBytes(size);
  const digest = createHash("sha256").update(sent).digest("hex");
  await using stage = await Stage.open({}, (socket) => void socket.pipe(socket));
  const client = connect({ port: PLACE.port, host: PLACE.address, allowHalfOpen: true });
  client.end(sent);
  const hash = createHash("sha256");
  let count = 0;
  for await (const chunk of client) {
    hash.update(chunk);
    count += chunk.length;
    if (count < 4 * 1024 * 1024) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(count, size);
  assert.equal(hash.digest("hex"), digest);
  await until("it is counted", () => stage.alias.counters.bytesOut === size);
  assert.equal(stage.alias.counters.bytesIn, size);
});

test("a cut answer does not look like a whole one", async () => {
  await using _ = await Stage.open({}, (socket) => {
    socket.write("half of it", () => setImmediate(() => socket.resetAndDestroy()));
  });
  assert.equal(await call(), "ECONNRESET");
});

test("the PROXY header goes in front, and the copy sees the director's own address", async () => {
  let seen = Buffer.alloc(0);
  let from = "";
  await using _ = await Stage.open({ proxyProtocol: true }, (socket) => {
    from = socket.remoteAddress ?? "";
    socket.on("data", (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
    });
    socket.on("end", () => socket.end());
  });
  const client = connect({ port: PLACE.port, host: PLACE.address, localAddress: ownAddress(111) });
  await once(client, "connect");
  const port = client.localPort;
  client.end("and then the call");
  client.resume();
  await once(client, "close");
  const header = decodeProxyHeader(seen);
  assert.equal(from, DIRECTOR);
  assert.deepEqual(header.state === "complete" && header.proxied, {
    source: { address: ownAddress(111), port },
    destination: PLACE,
  });
  assert.equal(seen.subarray(header.state === "complete" ? header.length : 0).toString(), "and then the call");
});

test("released: the address is free, and what ran is reset", async () => {
  await using stage = await Stage.open({}, (socket) => void socket.write("here"));
  const client = connect(PLACE.port, PLACE.address);
  const broken = new Promise((resolve) => client.on("error", resolve));
  await once(client, "data");
  stage.alias.release();
  await broken;
  assert.equal(await call(), "ECONNREFUSED");
  assert.equal(await stage.alias.bind(), "held");
  const other = new Alias(
    stage.alias.shape,
    DIRECTOR,
    () => {},
    () => {},
  );
  assert.equal(await other.bind(), "taken");
});

test("clients that are gone before they are served harm nobody", async () => {
  await using stage = await Stage.open({ proxyProtocol: true }, sayName);
  for (let k = 0; k < 300; k++) {
    const client = connect(PLACE.port, PLACE.address);
    client.on("error", () => {});
    client.once("connect", () => client.resetAndDestroy());
  }
  await until("all are forgotten", () => stage.alias.counters.active === 0 && stage.alias.copies.every(isIdle));
  assert.match(await call(), /c\d$/);
});

const isIdle = (copy: Alias["copies"][number]) => copy.counters.active === 0 && copy.relays.size === 0;
