/** Full disks, clocks that are set, clients that ask and do not read: services go on, and nothing that was whole becomes a part. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it, test } from "node:test";
import { DecisionRecord } from "../../services/audit/index.ts";
import { closeGently, listenOn, trackConnections } from "../../services/http/plain.ts";
import type { RecordedEvent, Records } from "../../services/records/event.ts";
import { Follower, replaceFile } from "../../services/records/follower.ts";
import { MariaRecords } from "../../services/records/mariadb.ts";
import { SqliteFile } from "../../services/records/sqlite-file.ts";
import { LineLog } from "../../services/serving/line-log.ts";
import { houseDoor } from "../../src/world/index.ts";
import { eventually } from "../support/eventually.ts";

const asRoot = process.getuid?.() === 0 ? false : "only root can mount a small disk";
const fields = { kind: "dn", value: "/CN=A", action: "ban", reason: "", actor: "test" };
const event = (seq: number): RecordedEvent => ({ origin: 1, seq, counter: seq, at: "", fields });

/** Records that answer until they are told to stop. */
class Stub implements Records {
  away = false;
  events: RecordedEvent[] = [event(1)];
  async append(): Promise<RecordedEvent> {
    throw new Error("not asked for");
  }
  async since(): Promise<readonly RecordedEvent[]> {
    if (this.away) throw new Error("away");
    return this.events;
  }
  renew(): void {}
  async close(): Promise<void> {}
}

describe("a full disk", { skip: asRoot }, () => {
  const disk = mkdtempSync(join(tmpdir(), "domus-full-"));
  if (!asRoot) execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]);
  after(() => {
    execFileSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true });
  });
  const ballast = join(disk, "ballast");
  /** Leaves so many KiB. */
  const fill = (room: number): void => {
    rmSync(ballast, { force: true });
    const { bsize, bavail } = JSON.parse(
      execFileSync(process.execPath, [
        "-e",
        `const s = require("fs").statfsSync(${JSON.stringify(disk)}); console.log(JSON.stringify({ bsize: s.bsize, bavail: s.bavail }))`,
      ]).toString(),
    ) as { bsize: number; bavail: number };
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bsize * bavail - room * 1024)));
  };

  it("never puts a part in the place of a whole file", () => {
    const file = join(disk, "whole");
    replaceFile(file, "old");
    fill(8);
    assert.throws(() => replaceFile(file, "x".repeat(40_000)), /ENOSPC/);
    assert.equal(readFileSync(file, "utf8"), "old");
    fill(8);
    replaceFile(file, "new");
    assert.equal(readFileSync(file, "utf8"), "new");
    rmSync(ballast);
  });

  it("leaves a program's log whole lines", () => {
    const said: string[] = [];
    const file = join(disk, "audit.log");
    const audit = new LineLog(file, (says) => said.push(says));
    const write = (count: number): void => {
      for (let index = 0; index < count; index++) audit.write(JSON.stringify({ index, text: "x".repeat(90) }));
      audit.flush();
    };
    write(3);
    fill(8);
    write(300);
    assert.equal(audit.lost, 300);
    rmSync(ballast);
    write(3);
    audit.close();
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).index),
      [0, 1, 2, 0, 1, 2],
    );
    assert.equal(said.length, 2, said.join("; "));
  });

  it("leaves the record of decisions one JSON text a line", async () => {
    const said: string[] = [];
    const directory = join(disk, "decisions");
    mkdirSync(directory);
    const record = new DecisionRecord({
      directory,
      retention: { keep: 3600, space: 2 ** 20 },
      onFault: (says) => said.push(says),
    });
    const write = (count: number): void => {
      for (let index = 0; index < count; index++) record.write(JSON.stringify({ index, text: "x".repeat(90) }));
      record.flush();
    };
    write(3);
    fill(8);
    write(300);
    assert.equal(record.lost, 300);
    rmSync(ballast);
    write(3);
    await record.close();
    const lines = readFileSync(join(directory, "audit.log"), "utf8").trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).index),
      [0, 1, 2, 0, 1, 2],
    );
    assert.equal(said.length, 2, said.join("; "));
    rmSync(directory, { recursive: true });
  });

  it("is said once by whoever keeps a snapshot, and the snapshot follows when there is room", async () => {
    const said: string[] = [];
    const records = new Stub();
    const file = join(disk, "snapshot.json");
    const follower = new Follower({
      stream: "ban",
      keyOf: ({ value }) => value ?? "",
      records,
      file,
      onFault: (says) => said.push(`database: ${says}`),
      onSnapshot: (says) => said.push(says),
    });
    fill(0);
    records.events = Array.from({ length: 200 }, (_, index) => ({
      ...event(index + 1),
      fields: { ...fields, value: `/CN=${index} ${"x".repeat(200)}` },
    }));
    // Written beside the service: the word comes when the disk has answered.
    for (let times = 0; times < 20 || said.length === 0; times++) {
      await follower.poll();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(said.length, 1, said.join("; "));
    assert.match(said[0]!, /ENOSPC/);
    rmSync(ballast);
    await follower.close();
    assert.equal(said.length, 2);
    assert.equal(JSON.parse(readFileSync(file, "utf8")).state.events.length, 200);
    rmSync(file);
  });

  it("is what the one SQLite file says, and it goes on when there is room", () => {
    const file = new SqliteFile(join(disk, "records.sqlite"));
    const first = file.append("ban", fields, 0);
    fill(0);
    let said = "";
    for (let times = 0; times < 50 && said === ""; times++)
      try {
        file.append("ban", { ...fields, reason: "y".repeat(500) }, 0);
      } catch (error) {
        said = (error as Error).message;
      }
    assert.match(said, /full/);
    rmSync(ballast);
    const last = file.append("ban", fields, 0);
    const seqs = file.since("ban", {}, 1000).map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      Array.from({ length: last.seq - first.seq + 1 }, (_, index) => first.seq + index),
    );
    file.close();
  });
});

test("a log that cannot be rotated keeps its own file, and nobody else's", () => {
  const above = mkdtempSync(join(tmpdir(), "domus-audit-"));
  const directory = join(above, "data");
  mkdirSync(directory);
  const audit = new LineLog(join(directory, "audit.log"), () => {}, { file: 50, kept: 1 });
  audit.write("x".repeat(60));
  audit.flush();
  // Stands for a disk without room for one more file.
  renameSync(directory, `${directory}-away`);
  audit.write("y".repeat(60));
  audit.flush();
  assert.equal(audit.lost, 1);
  // Takes the lowest free number, which is the record's if that was given back.
  const other = openSync(join(above, "other"), "w+");
  renameSync(`${directory}-away`, directory);
  audit.write("z".repeat(60));
  audit.flush();
  audit.close();
  writeFileSync(other, "mine");
  closeSync(other);
  assert.equal(readFileSync(join(above, "other"), "utf8"), "mine");
  rmSync(above, { recursive: true });
});

test("a clock that is set back neither makes an old snapshot young nor puts off a connection", async (context) => {
  const records = new Stub();
  const directory = mkdtempSync(join(tmpdir(), "domus-clock-"));
  const follower = new Follower({ stream: "ban", keyOf: () => "", records, file: join(directory, "snapshot.json") });
  await follower.poll();
  records.away = true;

  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const tls = { ca: "", cert: "", key: "" };
  const away = new MariaRecords({ alias: "mysql", address: "127.0.0.1", port, account: "s1", tls });
  await assert.rejects(away.since("ban", {}, 1));
  const before = connections;

  const real = Date.now;
  context.mock.method(Date, "now", () => real() - 3_600_000);
  await eventually(
    "it tries again",
    async () => {
      await assert.rejects(away.since("ban", {}, 1));
      return connections > before;
    },
    10_000,
  );
  await follower.poll();
  await eventually("it grows old", () => (follower.age() ?? 0) >= 300, 10_000);
  context.mock.method(Date, "now", () => real() + 3_600_000);
  assert.ok(follower.age()! < 1_800_000, "set forth, it is not an hour old");
  await Promise.all([follower.close(), away.close()]);
  server.close();
  rmSync(directory, { recursive: true });
});

test("a client that asks and does not read holds nothing for good", async () => {
  const server = createHttp((_, answer) => answer.end("x".repeat(20_000_000)));
  trackConnections(server, 300);
  const gone = new Promise<string>((resolve) => {
    server.on("connection", (socket: Socket) => socket.once("close", () => resolve("let go")));
  });
  const { front } = houseDoor(server, { directors: [] });
  await listenOn(front, 0, "127.0.0.1");
  const client = connect({ host: "127.0.0.1", port: (front.address() as { port: number }).port });
  client.on("error", () => {}).pause();
  client.write("GET / HTTP/1.1\r\nhost: w1\r\n\r\n");
  assert.equal(await gone, "let go");
  client.destroy();
  await closeGently(front, server);
});
