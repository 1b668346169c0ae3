/** New connections at the front end: by address in turn, an address has half of the alias at most, and who was refused is told. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { Alias } from "../../services/director/alias.ts";
import { Arrivals, shareOfAddress } from "../../services/director/arrivals.ts";
import type { Backend, GuestName } from "../../src/model/index.ts";
import { aliasOf, ownAddress, until } from "./harness.ts";

/** As much of a socket as the arrivals look at. */
class Caller extends EventEmitter {
  destroyed = false;
  reset = false;
  readonly remoteAddress: string;
  constructor(address: string) {
    super();
    this.remoteAddress = address;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
  resetAndDestroy(): void {
    this.reset = true;
    this.destroy();
  }
}

function stage(connections: number) {
  const served: string[] = [];
  const arrivals = new Arrivals(() => ({ connections }), {
    serve: async (_client, address) => void served.push(address),
    refuse: (client) => client.resetAndDestroy(),
  });
  const offer = (address: string): Caller => {
    const caller = new Caller(address);
    arrivals.offer(caller as unknown as Socket);
    return caller;
  };
  return { served, arrivals, offer };
}

test("a storm from one address delays the next address's connection by a turn, not by the storm", async () => {
  const { served, arrivals, offer } = stage(10_000);
  for (let count = 0; count < 500; count++) offer("10.0.0.1");
  offer("10.0.0.2");
  assert.equal(served.length, 0, "accepting does no work");
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(served.length <= 4, `${served.length} began in one turn`);
  assert.ok(served.includes("10.0.0.2"), served.join());
  await until("all are served", () => served.length === 501);
  assert.equal(arrivals.waiting, 0);
});

test("an address has its share and no more; what goes makes room; small aliases are not shared out", () => {
  assert.deepEqual([1, 3, 64, 100, 128, 10_000].map(shareOfAddress), [1, 3, 64, 64, 64, 5000]);
  const { arrivals, offer } = stage(200);
  const loud = Array.from({ length: 130 }, () => offer("10.0.0.1"));
  assert.equal(loud.filter(({ reset }) => reset).length, 30);
  assert.equal(offer("10.0.0.2").reset, false);
  assert.deepEqual(arrivals.busiest(1), [{ address: "10.0.0.1", open: 100, refused: 30 }]);
  loud[0]!.destroy();
  assert.equal(offer("10.0.0.1").reset, false);
  assert.equal(arrivals.active, 101);
  for (let number = 0; number < 3000; number++) offer(`10.1.${number >> 8}.${number & 255}`);
  assert.ok(arrivals.busiest(5000).length < 1300, "what is remembered of the refused is bounded");
});

test("a crowd of relays of one address is read by turns, and not an octet is lost", async () => {
  const copy = createServer((socket) => void socket.on("error", () => {}).pipe(socket));
  copy.listen(7008, ownAddress(32));
  await once(copy, "listening");
  const backend = {
    guest: "c0" as GuestName,
    address: ownAddress(32),
    port: 7008,
    check: { kind: "running" },
  } as Backend;
  const place = { address: ownAddress(33), port: 7008 };
  const alias = new Alias(
    aliasOf({ ...place, backends: [backend] }),
    ownAddress(2),
    () => {},
    () => {},
  );
  assert.equal(await alias.bind(), "held");
  const words = Buffer.alloc(200_000, "0123456789");
  const echo = async (): Promise<boolean> => {
    const client = connect({ host: place.address, port: place.port, localAddress: ownAddress(102) });
    client.end(words);
    const back: Buffer[] = [];
    for await (const chunk of client) back.push(chunk as Buffer);
    return Buffer.concat(back).equals(words);
  };
  assert.ok((await Promise.all(Array.from({ length: 150 }, echo))).every(Boolean));
  await until("all are gone", () => alias.counters.active === 0);
  alias.release();
  copy.close();
});

test("an alias tells who was refused", async () => {
  const copy = createServer((socket) => void socket.on("error", () => {}));
  copy.listen(7007, ownAddress(30));
  await once(copy, "listening");
  const backend = {
    guest: "c0" as GuestName,
    address: ownAddress(30),
    port: 7007,
    check: { kind: "running" },
  } as Backend;
  const place = { address: ownAddress(31), port: 7007 };
  const alias = new Alias(
    aliasOf({ ...place, connections: 66, backends: [backend] }),
    ownAddress(2),
    () => {},
    () => {},
  );
  assert.equal(await alias.bind(), "held");
  const clients = Array.from({ length: 65 }, () =>
    connect({ host: place.address, port: place.port, localAddress: ownAddress(100) }).on("error", () => {}),
  );
  await until("one is refused", () => alias.counters.refused === 1 && alias.counters.accepted === 64);
  const other = connect({ host: place.address, port: place.port, localAddress: ownAddress(101) });
  await until("another address is served", () => alias.counters.accepted === 65);
  assert.deepEqual(alias.status().busiest, [
    { address: ownAddress(100), open: 64, refused: 1 },
    { address: ownAddress(101), open: 1, refused: 0 },
  ]);
  for (const client of [other, ...clients]) client.destroy();
  alias.release();
  copy.close();
});
