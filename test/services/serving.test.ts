/** What all programs share: slow clients hold nothing, certificates are renewed live, audit files rotate, a bad start says why. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { judgeFreshness } from "../../services/serving/freshness.ts";
import { LineLog } from "../../services/serving/line-log.ts";
import { OPEN_SAZ } from "../../src/policy/index.ts";
import { type Actor, address, type Identity, Stage } from "./stage.ts";

let stage: Stage;
let actor: Actor;
let guest: Identity;
const config = {
  port: 15001,
  directors: [address(2)],
  database: null,
  stale: { after: 60, decides: "go-on" },
  audit: { keep: 86_400, space: 2 ** 24 },
  copies: [],
};
const files = { "etc/saz.json": config, "etc/policy.json": OPEN_SAZ };
before(async () => {
  stage = await Stage.open();
  guest = await stage.identity("ce1");
  actor = await stage.cast({
    name: "v1",
    bundle: "saz",
    address: address(40),
    files,
  });
});
after(() => stage.close());

const secure = () => connectTls({ host: address(40), port: 15001, ...guest, servername: "v1" }).on("error", () => {});

test("a client that does not go on is let go: before TLS, in the head, behind a director", async () => {
  const plain = connect({ host: address(40), port: 15001 });
  const slow = secure();
  slow.on("secureConnect", () => slow.write("GET / HTTP/1.1\r\nhost:"));
  const silent = connect({ host: address(40), port: 15001, localAddress: address(2) });
  const closed = (socket: NodeJS.EventEmitter): Promise<unknown> =>
    new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
  slow.resume();
  plain.resume();
  silent.resume();
  await Promise.all([plain, slow, silent].map(closed));
});

test("garbage ends its connection and nothing else", async () => {
  for (const octets of [Buffer.alloc(4096, 0xff), Buffer.from("GET / HTTP/1.0\r\n\r\n")]) {
    const socket = connect({ host: address(40), port: 15001 }, () => socket.write(octets));
    await new Promise((resolve) =>
      socket
        .on("error", () => {})
        .on("close", resolve)
        .resume(),
    );
  }
  const answer = await stage.call({ address: address(40), port: 15001, name: "v1" }, "/", guest);
  assert.equal(answer.status, 404);
});

test("certificates are renewed without losing a connection", async () => {
  const serial = (): Promise<string> =>
    new Promise((resolve) => {
      const socket = secure();
      socket.on("secureConnect", () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
    });
  const held = secure();
  await new Promise((resolve) => held.once("secureConnect", resolve));
  const before = await serial();
  const renewed = await stage.identity("v1", "operator", [address(40)]);
  for (const part of ["cert", "key"] as const) writeFileSync(join(actor.root, "etc/tls", `${part}.pem`), renewed[part]);
  await actor.says("certificates renewed");
  assert.notEqual(await serial(), before);
  const answered = new Promise<string>((resolve) => held.once("data", (data: Buffer) => resolve(data.toString())));
  held.write("GET / HTTP/1.1\r\nhost: v1\r\nconnection: close\r\n\r\n");
  assert.match(await answered, /404/);
  // A key that does not fit leaves the old ones in use.
  writeFileSync(join(actor.root, "etc/tls/key.pem"), (await stage.identity("other")).key);
  await actor.says("certificates not renewed");
  assert.match(await serial(), /^[0-9A-F]+$/);
});

test("a program that cannot start says why in one line and ends with 3", async () => {
  const bad = await stage.cast({ name: "x1", bundle: "gums", address: address(41), files: {}, wait: false });
  assert.equal(await bad.ended, 3);
  assert.match(bad.lines.join("\n"), /"cannot start","says":".*policy\.json: ENOENT/);
  const taken = await stage.cast({
    name: "x2",
    bundle: "saz",
    address: address(40),
    files,
    wait: false,
  });
  assert.equal(await taken.ended, 3);
  assert.match(taken.lines.join("\n"), /EADDRINUSE/);
  assert.doesNotMatch(taken.lines.join("\n"), /\n\s+at /);
});

test("audit files rotate and the oldest go", () => {
  const directory = mkdtempSync(join(tmpdir(), "domus-audit-"));
  const audit = new LineLog(join(directory, "audit.log"), assert.fail, { file: 100, kept: 2 });
  for (let index = 0; index < 10; index++) {
    audit.write(JSON.stringify({ index, text: "x".repeat(60) }));
    audit.flush();
  }
  audit.close();
  assert.deepEqual(readdirSync(directory).sort(), ["audit.log", "audit.log.1", "audit.log.2"]);
  const kept = ["audit.log.2", "audit.log.1", "audit.log"].map(
    (name) => (JSON.parse(readFileSync(join(directory, name), "utf8")) as { index: number }).index,
  );
  assert.deepEqual(kept, [7, 8, 9]);
  rmSync(directory, { recursive: true });
});

test("freshness: sees, does not see, has not seen for too long", () => {
  const now = 1_800_000_000_000;
  const judge = (decides: "refuse" | "go-on", seconds: number | null, fault: string | null) =>
    judgeFreshness({ after: 60, decides }, seconds === null ? 0 : now - seconds * 1000, fault, now).state;
  assert.equal(judge("refuse", 0.2, null), "ok");
  assert.equal(judge("refuse", 0.5, "away"), "ok");
  // Nobody said that anything is wrong, and nobody asks any more.
  assert.equal(judge("refuse", 30, null), "read-only");
  assert.equal(judge("refuse", 61, null), "stale");
  assert.equal(judge("refuse", 2, "away"), "read-only");
  assert.equal(judge("refuse", 61, "away"), "stale");
  assert.equal(judge("go-on", 61, "away"), "read-only");
  assert.equal(judge("refuse", null, "away"), "stale");
  assert.equal(judge("go-on", null, "away"), "read-only");
});
