import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { BlueprintAlias, GuestName } from "../../src/model/index.ts";
import { aliasOf, endStopped, ownAddress, Pairing, until } from "./harness.ts";

const ALIAS = ownAddress(10);
const ports = [8443, 3306] as const;
const copies: Server[] = [];
let aliases: BlueprintAlias[] = [];

before(async () => {
  for (const n of [20, 21]) {
    for (const port of ports) {
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.end(`copy ${n}`);
      });
      server.listen(port, ownAddress(n));
      await once(server, "listening");
      copies.push(server);
    }
  }
  aliases = ports.map((port) =>
    aliasOf({
      name: `a${port}` as never,
      address: ALIAS,
      port,
      distribution: port === 3306 ? "one-writer" : "all",
      backends: [20, 21].map((n) => ({
        guest: `c${n}` as GuestName,
        address: ownAddress(n),
        port,
        check: { kind: "tcp", port },
      })),
    }),
  );
});
after(() => {
  for (const server of copies) server.close();
});

async function call(port: number): Promise<string> {
  const socket = connect(port, ALIAS);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  await once(socket, "close");
  return text;
}

const answers = () => until("the alias answers", () => call(8443).catch(() => ""));

async function pair(): Promise<Pairing> {
  const house = await new Pairing().prepare(aliases);
  house.start(0);
  house.start(1);
  await house.role(0, "active");
  await house.role(1, "standby");
  return house;
}

test("the first copy becomes active, the other stands by warm", async () => {
  await using house = await pair();
  await answers();
  const standby = await until("the standby knows its copies", async () => {
    const status = await house.status(1);
    return status.aliases.every((alias) => alias.copies.every((copy) => copy.state === "up")) ? status : null;
  });
  assert.ok(standby.aliases.every((alias) => !alias.held));
  assert.equal(standby.peer?.role, "active");
});

test("a killed director: the other takes over, the killed one returns as standby, and loses nothing by it", async () => {
  await using house = await pair();
  await answers();
  house.signal(0, "SIGKILL");
  const active = await house.role(1, "active");
  assert.match(active.lastTakeover!.reason, /cut|nothing listens/);
  assert.ok(active.lastTakeover!.tookMs < 5000, `${active.lastTakeover!.tookMs} ms`);
  await answers();
  assert.equal(house.asked.length, 0);
  house.start(0);
  const returned = await house.role(0, "standby");
  assert.ok(returned.term < active.term);
  assert.equal((await house.status(1)).role, "active");
});

test("a stopped director is ended by its host's supervisor, asked with the one right key", async () => {
  await using house = await pair();
  await house.supervise(0, endStopped);
  house.signal(0, "SIGSTOP");
  const active = await house.role(1, "active");
  assert.match(active.lastTakeover!.reason, /hung and was ended: stopped/);
  assert.ok(active.lastTakeover!.tookMs >= 700);
  assert.ok(house.asked[0]!.silenceMs >= 700);
  await answers();
  assert.ok(!house.log(1).includes(house.asked[0]!.key), "the key is in no log");
});

test("no takeover while the supervisor says that the peer is starved; a wrong word changes nothing", async () => {
  await using house = await pair();
  await house.supervise(0, () => ({ ended: false, state: "starved", says: "it gets no time" }));
  house.signal(0, "SIGSTOP");
  await until("it was asked some times", () => house.asked.length >= 4);
  assert.equal((await house.status(1)).role, "standby");
  house.signal(0, "SIGCONT");
  await until("the peer is alive again", async () => (await house.status(1)).peer?.state === "alive");
  assert.equal((await house.status(0)).role, "active");
  assert.equal((await house.status(1)).lastTakeover, null);
});

test("without a supervisor the kernel is the referee: who holds the addresses keeps them", async () => {
  await using house = await pair();
  house.signal(0, "SIGSTOP");
  await until("the standby has tried", () => house.log(1).includes("still held by somebody else"));
  assert.equal((await house.status(1)).role, "standby");
  house.signal(0, "SIGKILL");
  await house.role(1, "active");
});

test("a director that is told to stop hands over", async () => {
  await using house = await pair();
  house.signal(0, "SIGTERM");
  const active = await house.role(1, "active");
  assert.match(active.lastTakeover!.reason, /left/);
  await answers();
});

test("the writer survives a takeover, and the loss of both directors", async () => {
  await using house = await pair();
  assert.equal(await until("a writer", () => call(3306).catch(() => "")), "copy 20");
  const first = copies[1]!;
  first.close();
  assert.equal(
    await until("the other writer", async () => ((await call(3306)) === "copy 21" ? "copy 21" : "")),
    "copy 21",
  );
  first.listen(3306, ownAddress(20));
  const writerOf = async (i: number) => (await house.status(i)).aliases[1]!.copies.find((copy) => copy.writer)?.guest;
  await until("the standby knows the writer", async () => (await writerOf(1)) === "c21");
  house.signal(0, "SIGKILL");
  await house.role(1, "active");
  assert.equal(await call(3306), "copy 21");
  house.signal(1, "SIGKILL");
  house.start(1);
  await house.role(1, "active");
  assert.equal(await until("it answers", () => call(3306).catch(() => "")), "copy 21");
});

test("of two directors that come back together, the one that knows the later writer is believed", async () => {
  await using house = await new Pairing().prepare(aliases);
  const remember = (i: number, term: number, writer: string) =>
    writeFileSync(
      join(house.directory, ["fg5x0", "fg6x0"][i]!, "data/writers.json"),
      JSON.stringify({ term, writers: { a3306: writer } }),
    );
  remember(0, 3, "c20");
  remember(1, 4, "c21");
  house.start(1);
  house.start(0);
  const active = await until("one of them is active", async () => {
    const both = await Promise.all([house.status(0), house.status(1)]);
    return both.find((status) => status.role === "active");
  });
  assert.equal(active.term, 5);
  assert.equal(active.aliases[1]!.copies.find((copy) => copy.writer)?.guest, "c21");
});

test("an address that a foreign program holds is said and taken later; the others are served", async () => {
  await using house = await new Pairing().prepare(aliases);
  const foreign = createServer().listen(3306, ALIAS);
  await once(foreign, "listening");
  house.start(0);
  const active = await house.role(0, "active");
  assert.deepEqual(
    active.aliases.map((alias) => alias.held),
    [true, false],
  );
  assert.match(active.aliases[1]!.says, /another program holds/);
  await answers();
  foreign.close();
  await until("it is taken", async () => (await house.status(0)).aliases[1]!.held);
});

test("SIGHUP takes a changed pool without cutting what runs", async () => {
  await using house = await pair();
  await answers();
  house.configure(aliases.map((alias) => ({ ...alias, backends: alias.backends.slice(1) })));
  house.signal(0, "SIGHUP");
  await until("one copy is left", async () => (await house.status(0)).aliases[0]!.copies.length === 1);
  assert.equal(await call(8443), "copy 21");
  assert.equal((await house.status(0)).role, "active");
});

test("a configuration that makes no sense is refused with its place", async () => {
  await using house = await new Pairing().prepare([{ ...aliases[0]!, port: 0 }]);
  house.start(0);
  assert.match(
    await until("it has said why", () => house.log(0)),
    /director: etc\/director\.json: aliases\[0\]\.port: expected a port, found 0/,
  );
});
