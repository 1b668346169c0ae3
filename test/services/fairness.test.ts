/**
 * One community floods, the others are served: by order and counters, never by the clock. Handshakes by address, refusals with a reason,
 * limits of everything that waits, and no session that is resumed.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { type TLSSocket, connect as tlsConnect } from "node:tls";
import { compileCommunities } from "../../services/http/communities.ts";
import { Query } from "../../services/http/query.ts";
import type { Call } from "../../services/http/server.ts";
import { readCommunities } from "../../src/recipes/index.ts";
import { encodeLocalHeader } from "../../src/world/index.ts";
import { answers, get, house, identities, OWN, secure } from "./http-house.ts";
import { address } from "./stage.ts";

/** Keeps the processor: what a slow decision is. */
function busy(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const served: string[] = [];
const slow = ({ peer }: Call) => {
  served.push(peer.name);
  busy(2);
  return { status: 200, body: "{}" };
};

test("while one community floods, another's call is among the next", async () => {
  await using server = await house({ routes: { "GET /slow": slow } });
  served.length = 0;
  const quiet = secure(server.port, identities.quiet);
  const loud = Array.from({ length: 20 }, () => secure(server.port, identities.loud));
  await Promise.all([quiet, ...loud].map((socket) => once(socket, "secureConnect")));
  for (const socket of loud) socket.resume().write(get("/slow").repeat(20));
  // Asked when the flood is well under way, ten times, one after the other.
  while (served.length < 40) await new Promise((resolve) => setImmediate(resolve));
  for (let call = 0; call < 10; call++) {
    const before = served.length;
    quiet.write(get("/slow"));
    assert.equal((await answers(quiet, 1))[0]!.status, 200);
    const at = served.indexOf("ce-quiet", before);
    // Read in the next turn of the loop, served in the turn after that, while hundreds of the other's wait.
    assert.ok(at - before <= 40, `served as number ${at - before} after it was sent`);
  }
  const load = server.load();
  const of = (name: string) => load.communities.find((one) => one.name === name)!;
  assert.equal(of("ce-quiet").refused, 0);
  assert.equal(of("ce-quiet").answered, 10);
  assert.ok(served.length < 400, "the flood was still going on");
  for (const socket of [quiet, ...loud]) socket.destroy();
});

test("shares are by weight: two communities that always ask are served as the site file says", async () => {
  const communities = readCommunities([
    { name: "experiment", share: 3, certificates: ["ce-quiet"] },
    { name: "rest", addresses: ["127.0.0.0/8"] },
  ])!;
  await using server = await house({ routes: { "GET /slow": slow }, communities });
  served.length = 0;
  const sockets = (["loud", "quiet"] as const).flatMap((who) =>
    Array.from({ length: 12 }, () => secure(server.port, identities[who])),
  );
  await Promise.all(sockets.map((socket) => once(socket, "secureConnect")));
  for (const socket of sockets) socket.resume().write(get("/slow").repeat(100));
  while (served.length < 900) await new Promise((resolve) => setImmediate(resolve));
  const quiet = served.slice(60, 900).filter((name) => name === "ce-quiet").length / 840;
  assert.ok(quiet > 0.6 && quiet < 0.88, `${quiet} of the calls: expected three quarters`);
  assert.deepEqual(
    server
      .load()
      .communities.map(({ name, share }) => [name, share])
      .sort(),
    [
      ["experiment", 3],
      ["rest", 1],
    ],
  );
  for (const socket of sockets) socket.destroy();
});

test("a full queue refuses at once with a reason and lets go; nobody else is refused", async () => {
  await using server = await house({ routes: { "GET /slow": slow }, limits: { waitingOfCommunity: 4 } });
  const quiet = secure(server.port, identities.quiet);
  const loud = Array.from({ length: 60 }, () => secure(server.port, identities.loud));
  await Promise.all([quiet, ...loud].map((socket) => once(socket, "secureConnect")));
  busy(5);
  for (const socket of loud) socket.write(get("/slow"));
  quiet.write(get("/slow"));
  const all = (await Promise.all(loud.map((socket) => answers(socket, 1)))).map((list) => list[0]!);
  const refused = all.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0 && refused.length < 60, `${refused.length} refused`);
  assert.match(refused[0]!.head, /retry-after: 1\r\nconnection: close/);
  const said = JSON.parse(refused[0]!.body) as { result: string; message: string };
  assert.equal(said.result, "ERROR");
  assert.equal(said.message, "ce-loud is over its share (has 4 calls waiting): try again after 1 s");
  assert.equal((await answers(quiet, 1))[0]!.status, 200);
  assert.equal(server.load().refused, refused.length);
  for (const socket of [quiet, ...loud]) socket.destroy();
});

test("calls that wait for something outside are bounded for each community and hold nobody else up", async () => {
  let finish = (): void => {};
  const later = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const wait = async () => {
    await later;
    return { status: 200, body: "{}" };
  };
  await using server = await house({ routes: { "POST /wait": wait, "GET /slow": slow }, limits: { outside: 3 } });
  const loud = Array.from({ length: 5 }, () => secure(server.port, identities.loud));
  const post = "POST /wait HTTP/1.1\r\nhost: s1\r\ncontent-length: 2\r\n\r\n{}";
  for (const socket of loud) socket.write(post);
  const refused = await Promise.any(loud.map(async (socket) => (await answers(socket, 1))[0]!));
  assert.equal(refused.status, 429);
  const quiet = secure(server.port, identities.quiet);
  quiet.write(get("/slow"));
  assert.equal((await answers(quiet, 1))[0]!.status, 200);
  finish();
  for (const socket of [quiet, ...loud]) socket.destroy();
});

test("handshakes of an address that never goes on leave the others theirs", async () => {
  const handshakes = {
    begun: 4,
    begunOfAddress: 2,
    waitingOfAddress: 3,
    waiting: 100,
    patience: 60_000,
    stuck: 60_000,
  };
  await using server = await house({ routes: { "GET /slow": slow }, handshakes });
  const hello = await clientHello();
  const stuck: Socket[] = [];
  const told: Buffer[] = [];
  for (let count = 0; count < 12; count++) {
    const socket = connect({ host: OWN, port: server.port, localAddress: address(72) });
    socket.on("error", () => {}).on("data", (octets: Buffer) => octets[0] === 0x15 && told.push(octets));
    socket.write(hello);
    stuck.push(socket);
  }
  // Two are under way, three wait, the others are told by an alert.
  while (told.length < 7) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual([...told[0]!], [0x15, 3, 3, 0, 2, 2, 80]);
  const { handshakes: counted } = server.load();
  assert.deepEqual([counted.underWay, counted.waiting, counted.crowded], [2, 3, 7]);
  const quiet = secure(server.port, identities.quiet, address(73));
  quiet.write(get("/slow"));
  assert.equal((await answers(quiet, 1))[0]!.status, 200);
  for (const socket of [quiet, ...stuck]) socket.destroy();
});

test("handshakes that do not go on, from as many addresses as it takes, give their places to those who wait", async () => {
  // Two addresses fill all places and could shut everybody else out, again and again, each time until a handshake's own three seconds are over.
  const handshakes = { begun: 4, begunOfAddress: 2, patience: 1500, stuck: 100 };
  await using server = await house({ routes: { "GET /slow": slow }, handshakes });
  const hello = await clientHello();
  const stuck = [77, 78].flatMap((last) =>
    Array.from({ length: 3 }, () => connect({ host: OWN, port: server.port, localAddress: address(last) })),
  );
  for (const socket of stuck) socket.on("error", () => {}).write(hello);
  while (server.load().handshakes.begun! < 4) await new Promise((resolve) => setTimeout(resolve, 1));
  const quiet = secure(server.port, identities.quiet, address(79));
  quiet.write(get("/slow"));
  assert.equal((await answers(quiet, 1))[0]?.status, 200);
  for (const socket of [quiet, ...stuck]) socket.destroy();
});

test("what is no TLS is told so at once, nothing of TLS is made for it, and it is let go a little later", async () => {
  await using server = await house({
    routes: { "GET /n": () => ({ status: 200, body: "{}" }) },
    handshakes: { leaving: { least: 600, more: 100 }, left: 20 },
  });
  const stayed = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const socket = connect({ host: OWN, port: server.port, localAddress: address(75) }).on("error", () => {});
      socket.write("GET / HTTP/1.1\r\n\r\n");
      const [said] = (await once(socket, "data")) as [Buffer];
      // A fatal alert: the other side knows that it is refused.
      assert.deepEqual([said[0], said[5]], [0x15, 2]);
      const told = performance.now();
      socket.resume();
      await once(socket, "close");
      return performance.now() - told;
    }),
  );
  const { handshakes } = server.load();
  assert.deepEqual([handshakes.garbage, handshakes.begun], [40, 0]);
  // Those above the bound may end at once: nobody holds connections by being refused.
  assert.ok(stayed.filter((after) => after > 100).length >= 20, stayed.map(Math.round).join(" "));
  const fine = secure(server.port, identities.quiet);
  fine.write(get("/n"));
  assert.equal((await answers(fine, 1))[0]!.status, 200);
  fine.destroy();
});

test("who connects and says nothing holds no handshake, and is let go", async () => {
  await using server = await house({
    routes: { "GET /slow": slow },
    handshakes: { begun: 2, patience: 200, silence: 300 },
  });
  const silent = Array.from({ length: 20 }, () => connect({ host: OWN, port: server.port, localAddress: address(74) }));
  await Promise.all(silent.map((socket) => once(socket.on("error", () => {}).resume(), "connect")));
  while (server.load().handshakes.unheard! < 20) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(server.load().handshakes.underWay, 0);
  const socket = secure(server.port, identities.quiet, address(74));
  socket.write(get("/slow"));
  assert.equal((await answers(socket, 1))[0]!.status, 200);
  await Promise.all(silent.map((one) => (one.destroyed ? null : once(one, "close"))));
  assert.equal(server.load().handshakes.silent, 20);
  socket.destroy();
});

test("a director's check passes by a crowd at the door and a crowd of calls", async () => {
  await using server = await house({
    routes: { "GET /slow": slow, "GET /health": () => ({ status: 200, body: "{}" }) },
    directors: [address(75)],
    handshakes: { begun: 1, begunOfAddress: 1, patience: 60_000 },
  });
  const hello = await clientHello();
  const stuck = Array.from({ length: 5 }, () => connect({ host: OWN, port: server.port, localAddress: address(76) }));
  for (const socket of stuck) socket.on("error", () => {}).write(hello);
  while (server.load().handshakes.underWay !== 1) await new Promise((resolve) => setTimeout(resolve, 1));
  const plain = connect({ host: OWN, port: server.port, localAddress: address(75) });
  plain.write(encodeLocalHeader());
  const check = tlsConnect({ socket: plain, ...identities.quiet, servername: "s1" }).on("error", () => {});
  check.write(get("/health"));
  assert.equal((await answers(check, 1))[0]!.status, 200);
  for (const socket of [check, ...stuck]) socket.destroy();
});

test("answers that nobody reads fill no memory: who does not read is refused, the others are served", async () => {
  const large = "x".repeat(4 * 1024 * 1024);
  await using server = await house({
    routes: { "GET /large": () => ({ status: 200, body: large }), "GET /slow": slow },
    limits: { unread: 5 * 1024 * 1024 },
  });
  const loud: TLSSocket[] = [];
  for (let count = 0; count < 8; count++) {
    const socket = secure(server.port, identities.loud).pause();
    await once(socket, "secureConnect");
    socket.write(get("/large"));
    loud.push(socket);
  }
  const of = (name: string) => server.load().communities.find((one) => one.name === name);
  while ((of("ce-loud")?.accepted ?? 0) < 8) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(of("ce-loud")!.refused >= 5, `${of("ce-loud")!.refused} refused`);
  const quiet = secure(server.port, identities.quiet);
  quiet.write(get("/slow"));
  assert.equal((await answers(quiet, 1))[0]!.status, 200);
  // Gone with their connections, not for good.
  for (const socket of loud) socket.destroy();
  while (of("ce-loud")!.connections > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const again = secure(server.port, identities.loud);
  again.write(get("/slow"));
  assert.equal((await answers(again, 1))[0]!.status, 200);
  for (const socket of [quiet, again]) socket.destroy();
});

test("a crowd is read by turns, and every call of it is answered", async () => {
  await using server = await house({ routes: { "GET /n": () => ({ status: 200, body: "{}" }) } });
  const crowd = Array.from({ length: 200 }, (_, n) => secure(server.port, identities.loud, address(80 + (n % 20))));
  // Somebody else is there: a crowd that is alone keeps nobody waiting.
  const other = secure(server.port, identities.quiet, address(110));
  await Promise.all([...crowd, other].map((socket) => once(socket, "secureConnect")));
  other.write(get("/n"));
  await answers(other, 1);
  let most = 0;
  const counted = await Promise.all(
    crowd.map(async (socket) => {
      let answered = 0;
      for (let call = 0; call < 20; call++) {
        socket.write(get("/n"));
        answered += (await answers(socket, 1)).length;
        most = Math.max(most, server.load().crowded);
      }
      return answered;
    }),
  );
  assert.equal(
    counted.reduce((sum, answered) => sum + answered, 0),
    4000,
  );
  assert.equal(most, 1, "it was never crowded");
  assert.equal(server.load().refused, 0);
  for (const socket of [...crowd, other]) socket.destroy();
});

test("communities: the first rule of which everything matches; strangers are their own", () => {
  const rules = readCommunities([
    { name: "cms", share: 2, vos: ["cms"], certificates: ["*.example.org"] },
    { name: "site", addresses: ["10.1.0.0/16", "2001:db8::/32"] },
  ])!;
  const { classify } = compileCommunities(rules);
  const name = (peer: string, from: string, query: string) =>
    classify({ peer, address: from, query: new Query(query) }).name;
  assert.equal(name("ce.example.org", "10.9.0.1", "vo=cms"), "cms");
  assert.equal(name("ce.example.org", "10.9.0.1", "voms-fqan=%2Fcms%2FRole%3Dx"), "cms");
  assert.equal(name("ce.example.org", "10.1.7.1", "vo=cmsx"), "site");
  assert.equal(name("evil.example.com", "2001:db8::7", "vo=cms"), "site");
  assert.equal(name("evil.example.com", "192.0.2.1", "vo=cms"), "evil.example.com");
  for (const bad of [
    {},
    [{ name: "x" }],
    [{ name: "x", vos: [] }],
    [{ name: "x", addresses: ["10.1.0.0/33"] }],
    [{ name: "x", addresses: ["10.1.0"] }],
    [{ name: "x", addresses: ["host"] }],
    [{ name: "x", share: 0, vos: ["a"] }],
    [{ name: "x", vos: ["a"], more: 1 }],
    [
      { name: "x", vos: ["a"] },
      { name: "x", vos: ["b"] },
    ],
  ])
    assert.equal(readCommunities(bad), null, JSON.stringify(bad));
  assert.deepEqual(readCommunities(undefined), []);
});

/** @returns what a client says first */
async function clientHello(): Promise<Buffer> {
  const { createServer } = await import("node:net");
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = tlsConnect({ host: "127.0.0.1", port, ...identities.quiet }).on("error", () => {});
  const [socket] = (await once(server, "connection")) as [Socket];
  const [octets] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return octets;
}
