import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type ConnectionOptions, connect as tlsConnect } from "node:tls";
import type { BlueprintAlias, GuestName } from "../../src/model/index.ts";
import { createAuthority } from "../../src/pki/index.ts";
import { probeGuest } from "../../src/probe/index.ts";
import { aliasOf, endStopped, issue, ownAddress, Pairing, processState, until } from "./harness.ts";

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

const pair = () => Pairing.ready(aliases);

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

test("a client stays with its copy across a takeover", async () => {
  const place = { ...aliases[0]!, persistence: 300, scheduler: "round-robin" } as const;
  await using house = await Pairing.ready([place]);
  const before = await answers();
  // Two more heartbeats: by then the other one has been told.
  const heard = (await house.status(0)).aliases[0]!.copies[0]!.checks.ok;
  await until("a second has gone", async () => (await house.status(0)).aliases[0]!.copies[0]!.checks.ok >= heard + 2);
  house.signal(0, "SIGKILL");
  await house.role(1, "active");
  for (let k = 0; k < 4; k++) assert.equal(await call(8443), before);
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
  // On a busy machine the one that knows less may be up long before the other, and then it cannot be told.
  await until("the one that knows is up", () => house.status(1));
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

test("only the peer is heard, and only the site's own may read", async () => {
  await using house = await pair();
  const stranger = await issue(house.authority, "c20", [ownAddress(20)]);
  // From the peer's address, which anybody on this machine can take.
  const from = { localAddress: ownAddress(3) } as ConnectionOptions;
  const line = tlsConnect({ host: ownAddress(2), port: 9400, servername: "fg5x0", ...stranger, ...from });
  line.on("error", () => {});
  const closed = once(line, "close");
  const lie = { guest: "fg6x0", role: "active", term: 99, copy: 0, writers: {}, writersTerm: 99 };
  line.write(`${JSON.stringify(lie)}\n`);
  await closed;
  const noise = connect(9400, ownAddress(2));
  noise.on("error", () => {});
  noise.end("GET / HTTP/1.1\r\n\r\n");
  noise.resume();
  await new Promise((resolve) => noise.once("close", resolve));
  assert.match(house.log(0), /heartbeat line from somebody else/);
  assert.equal((await house.status(0)).role, "active");
  const health = { kind: "https", port: 9401, path: "/health", status: 200, contains: null } as const;
  for (const i of [0, 1]) {
    const seen = await probeGuest(health, ownAddress(2 + i), house.operator);
    assert.equal(seen.outcome, "answers", seen.says);
  }
  assert.equal((await probeGuest(health, ownAddress(2), null)).outcome, "failed");
  const other = await issue(await createAuthority("u", Date.now()), "operator", []);
  const forged = { ...other, ca: house.operator.ca };
  assert.equal((await probeGuest(health, ownAddress(2), forged)).outcome, "failed");
});

test("a standby that stood still itself does not call the other one silent", async () => {
  await using house = await pair();
  await house.supervise(0, endStopped);
  for (let k = 0; k < 3; k++) {
    house.signal(1, "SIGSTOP");
    await until("it stands", () => processState(house.pid(1)) === "T");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    house.signal(1, "SIGCONT");
    await until("it has noticed", () => house.log(1).split("stood still").length > k + 1);
    await until("it hears", async () => (await house.status(1)).peer?.state === "alive");
  }
  assert.equal(house.asked.length, 0);
  assert.equal((await house.status(0)).role, "active");
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
