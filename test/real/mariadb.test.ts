/**
 * Two real mariadbd in circular replication, each under its agent: both take writes, one is killed under writes and comes back, power is cut
 * between commit and replication, data is lost and made anew. Nothing is lost, nothing is there twice, and read_only holds until caught up.
 */
import assert from "node:assert/strict";
import { cpSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Connection } from "mysql2/promise";
import { findProgram } from "../../services/mariadb/install.ts";
import { connectOver } from "../../services/records/connection.ts";
import { type Fields, Merged, type RecordedEvent } from "../../services/records/event.ts";
import { MariaRecords } from "../../services/records/mariadb.ts";
import { recordsContract } from "../services/records-contract.ts";
import { type Actor, address, type Identity, SITE, Stage, until } from "../services/stage.ts";

const missing = findProgram(["mariadbd"]) === null ? "mariadbd is not installed on this machine" : false;
const options = { skip: missing, timeout: 120_000 };

const ring = ["m1", "m2"].map((guest, index) => ({ guest, address: address(4 + index) }));
const accounts = [
  ...ring.map(({ guest }) => ({ guest, role: "member" })),
  { guest: "s1", role: "saz" },
  { guest: "g1", role: "gums" },
];
let stage: Stage;
let servers: Actor[] = [];
let operator: Identity;

const cast = (position: number, wait = true): Promise<Actor> =>
  stage.cast({
    name: ring[position]!.guest,
    bundle: "mariadb",
    address: ring[position]!.address,
    aliases: ["mysql"],
    files: {
      "etc/database.json": { site: SITE, port: 3306, healthPort: 9306, position, ring, accounts, holder: "m2" },
    },
    wait,
  });
const records = async (position: number): Promise<MariaRecords> =>
  new MariaRecords({
    alias: "mysql",
    address: ring[position]!.address,
    port: 3306,
    account: "s1",
    tls: await stage.identity("s1"),
  });
const health = async (position: number): Promise<Record<string, unknown>> =>
  (await stage.call({ ...ring[position]!, port: 9306, name: ring[position]!.guest }, "/health", operator)).json;
const settled = (position: number): Promise<void> =>
  until(async () => {
    const { state, peers } = await health(position);
    return state === "ok" && (peers as { connected: boolean }[]).every(({ connected }) => connected);
  });
const ban = (value: string, action = "ban"): Fields => ({ kind: "dn", value, action, reason: "", actor: "test" });
const ids = (events: readonly RecordedEvent[]): string[] => events.map(({ origin, seq }) => `${origin}:${seq}`).sort();
const everything = async (position: number): Promise<readonly RecordedEvent[]> => {
  const client = await records(position);
  try {
    return await client.since("ban", {}, 100_000);
  } finally {
    await client.close();
  }
};
/** Waits until both have the same events. */
const alike = (): Promise<void> =>
  until(async () => JSON.stringify(ids(await everything(0))) === JSON.stringify(ids(await everything(1))));
/** The database's own root, by socket, as its administrator sees it. */
const asRoot = async (position: number): Promise<Connection> => {
  const { createConnection } = await import("mysql2/promise");
  const { userInfo } = await import("node:os");
  return createConnection({
    socketPath: join(servers[position]!.data, "mariadb", "sock"),
    user: userInfo().username,
    multipleStatements: true,
  });
};

before(async () => {
  if (missing) return;
  stage = await Stage.open();
  operator = await stage.identity("olga", "operator");
  servers = await Promise.all([cast(0), cast(1)]);
  await Promise.all([settled(0), settled(1)]);
});
after(() => stage?.close());

test("the contract of records, in MariaDB", options, async () => {
  const [one, another] = [await records(0), await records(0)];
  await recordsContract(one, another);
  await Promise.all([one.close(), another.close()]);
  await alike();
});

test("nobody gets in without his certificate, and nobody does what is not his", options, async () => {
  const root = await asRoot(0);
  const [users] = await root.query("SELECT User, Host FROM mysql.global_priv WHERE User IN ('', 'root')");
  assert.deepEqual(users, [{ User: "root", Host: "localhost" }]);
  const [tests] = await root.query("SHOW DATABASES LIKE 'test'");
  assert.deepEqual(tests, []);
  await root.end();
  const end = { name: "mysql", address: ring[0]!.address, port: 3306 };
  const as = async (user: string, identity: string) =>
    connectOver({ ...end, user, tls: await stage.identity(identity), database: "domus" });
  await assert.rejects(as("s1", "g1"), /Access denied/, "another guest's certificate");
  await assert.rejects(as("root", "s1"), /Access denied|not allowed/);
  const strangers = await Stage.open();
  const forged = { ...(await strangers.identity("s1")), ca: operator.ca };
  await strangers.close();
  await assert.rejects(connectOver({ ...end, user: "s1", tls: forged }), "another authority's certificate");
  const gums = await as("g1", "g1");
  await gums.query("SELECT * FROM ban_event, ban_head");
  await assert.rejects(gums.query("INSERT INTO ban_head VALUES (1, 1)"), /denied/);
  await assert.rejects(gums.query("SELECT * FROM seen_event"), /denied/);
  await assert.rejects(gums.query("UPDATE pool_event SET account = 'root'"), /denied/);
  await assert.rejects(gums.query("DELETE FROM mapping_event"), /denied/);
  gums.destroy();
});

test("both take writes at once and end with the same events", options, async () => {
  const clients = [await records(0), await records(1)];
  const written = await Promise.all(
    Array.from({ length: 40 }, (_, index) => clients[index % 2]!.append("ban", ban(`/CN=both ${index}`), 0)),
  );
  assert.equal(new Set(ids(written)).size, 40);
  await alike();
  const found = new Set(ids(await everything(1)));
  for (const id of ids(written)) assert.ok(found.has(id), id);
  await Promise.all(clients.map((client) => client.close()));
});

test(
  "killed under writes it comes back read-only, fetches what it lacks, and nothing is lost or there twice",
  options,
  async () => {
    const [first, second] = [await records(0), await records(1)];
    const answered: RecordedEvent[] = [];
    for (let index = 0; index < 30; index++) answered.push(await second.append("ban", ban(`/CN=k ${index}`), 0));
    const during = Promise.allSettled(
      Array.from({ length: 30 }, (_, index) => second.append("ban", ban(`/CN=d ${index}`), 0)),
    );
    await servers[1]!.kill("SIGKILL");
    for (const outcome of await during) if (outcome.status === "fulfilled") answered.push(outcome.value);
    for (let index = 0; index < 30; index++) answered.push(await first.append("ban", ban(`/CN=m ${index}`), 0));
    assert.equal((await health(0)).state, "ok", "the survivor goes on");

    servers[1] = await cast(1, false);
    // From the first moment it answers: whenever it is writable it has all that the survivor had.
    const needed = new Set(ids(await everything(0)));
    await until(async () => {
      try {
        return (await health(1)).writable === true;
      } catch {
        return false;
      }
    });
    const there = new Set(ids(await everything(1)));
    for (const id of needed) assert.ok(there.has(id), `${id} was missing when it became writable`);
    assert.equal((await servers[1]!.says("takes writes")).says, "caught up");
    await Promise.all([settled(0), settled(1)]);
    await alike();
    const events = await everything(0);
    assert.equal(new Set(ids(events)).size, events.length, "nothing twice");
    const found = new Set(ids(events));
    for (const id of ids(answered)) assert.ok(found.has(id), `${id} was answered and is lost`);
    await Promise.all([first.close(), second.close()]);
  },
);

test(
  "power cut between commit and replication: the event comes back with its server and merges the same everywhere",
  options,
  async () => {
    const [first, second] = [await records(0), await records(1)];
    const known = await everything(1);
    const top = Math.max(...known.map(({ counter }) => counter));
    const root = await asRoot(1);
    // The peer receives nothing any more: what the first commits now is on its own disk only.
    await root.query("STOP SLAVE IO_THREAD");
    const alone = await first.append("ban", ban("/CN=between"), top);
    await servers[0]!.kill("SIGKILL");
    await root.end();
    const meanwhile = await second.append("ban", ban("/CN=between", "unban"), top);
    assert.equal(alone.counter, meanwhile.counter, "neither has seen the other: only the shared order decides");
    assert.ok(!ids(await everything(1)).includes(ids([alone])[0]!));

    servers[0] = await cast(0);
    const again = await asRoot(1);
    await again.query("START SLAVE IO_THREAD");
    await again.end();
    await Promise.all([settled(0), settled(1)]);
    await alike();
    const winner = alone.origin > meanwhile.origin ? alone : meanwhile;
    for (const position of [0, 1]) {
      const merged = new Merged((fields) => fields.value ?? "");
      for (const event of await everything(position)) merged.take(event);
      assert.deepEqual(merged.get("/CN=between"), winner);
    }
    await Promise.all([first.close(), second.close()]);
  },
);

test("data that was lost is made anew under a new identity and filled from the peer", options, async () => {
  const before = ids(await everything(1));
  const { serverId: old } = await health(0);
  await servers[0]!.kill("SIGKILL");
  rmSync(join(servers[0]!.data, "mariadb"), { recursive: true });
  servers[0] = await cast(0);
  await settled(0);
  assert.notEqual((await health(0)).serverId, old);
  assert.deepEqual(ids(await everything(0)), before);
  const client = await records(0);
  const fresh = await client.append("ban", ban("/CN=after"), 0);
  assert.equal(fresh.seq, 1);
  await client.close();
  await Promise.all([settled(0), settled(1)]);
  await alike();
});

test(
  "a half-made data directory is made anew; SIGTERM ends cleanly; a dead mariadbd ends its agent",
  options,
  async () => {
    assert.equal(await servers[0]!.kill("SIGTERM"), 0);
    await servers[1]!.kill("SIGKILL");
    rmSync(join(servers[1]!.data, "mariadb", "identity.json"));
    rmSync(join(servers[1]!.data, "mariadb", "data", "ibdata1"));
    servers[0] = await cast(0);
    const alone = await servers[0].says("takes writes");
    assert.match(String(alone.says), /without its upstream, which refuses connections/);
    servers[1] = await cast(1);
    await Promise.all([settled(0), settled(1)]);
    await alike();
    const { pid } = await servers[1]!.says("mariadbd");
    process.kill(pid as number, "SIGKILL");
    assert.equal(await servers[1]!.ended, 1);
  },
);

test("after that the host starts it again", options, async () => {
  servers[1] = await cast(1);
  await Promise.all([settled(0), settled(1)]);
});

test(
  "a table of an earlier version takes what a newer server writes, and gets what it lacks at the next start",
  options,
  async () => {
    const earlier = await asRoot(0);
    await earlier.query("SET SESSION sql_log_bin = 0; ALTER TABLE domus.mapping_event DROP COLUMN mapper");
    await earlier.end();
    const tls = await stage.identity("g1");
    const gums = ring.map(
      ({ address: at }) => new MariaRecords({ alias: "mysql", address: at, port: 3306, account: "g1", tls }),
    );
    const fields = { action: "add", subject: "/CN=earlier", account: "e", mapper: "" };
    const written = await gums[1]!.append("mapping", fields, 0);
    const root = await asRoot(0);
    const count = async () =>
      Number(((await root.query("SELECT COUNT(*) AS n FROM domus.mapping_event"))[0] as { n: number }[])[0]!.n);
    await until(async () => (await count()) === 1);
    await root.end();
    await servers[0]!.kill("SIGKILL");
    servers[0] = await cast(0);
    await Promise.all([settled(0), settled(1)]);
    const [found] = await gums[0]!.since("mapping", {}, 10);
    assert.deepEqual([found!.origin, found!.fields.mapper], [written.origin, ""]);
    await gums[0]!.append("member", { group: "staff", action: "add", subject: "/CN=m" }, 0);
    assert.equal((await gums[0]!.since("member", {}, 1))[0]!.fields.group, "staff");
    await Promise.all(gums.map((client) => client.close()));
  },
);

test("a hung server is not passed off as well, and a write to it is refused in time", options, async () => {
  const client = await records(0);
  await client.append("ban", ban("/CN=hung"), 0);
  const { pid } = await servers[0]!.says("mariadbd");
  process.kill(pid as number, "SIGSTOP");
  try {
    const began = performance.now();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, (_, index) => client.append("ban", ban(`/CN=hung ${index}`), 0)),
    );
    assert.ok(performance.now() - began < 2000, `${performance.now() - began} ms`);
    for (const outcome of outcomes) {
      assert.ok(outcome.status === "rejected");
      assert.match(String(outcome.reason.code), /away|unknown/);
    }
    await until(async () => (await health(0)).writable === false);
    assert.match(String((await health(0)).says), /has not answered for|does not answer/);
  } finally {
    process.kill(pid as number, "SIGCONT");
  }
  await settled(0);
  // The client waits a little longer after each failure: it is asked again until it is through.
  await until(() =>
    client.append("ban", ban("/CN=woken"), 0).then(
      () => true,
      () => false,
    ),
  );
  await client.close();
});

test("a guest that is no longer of the site loses its account", options, async () => {
  const root = await asRoot(0);
  await root.query("SET SESSION sql_log_bin = 0; CREATE USER 'gone'@'%'");
  await root.end();
  await servers[0]!.kill("SIGTERM");
  servers[0] = await cast(0);
  await servers[0].says("account dropped");
  await settled(0);
});

test("data that was set back (an old copy of the disk) is shown and never takes writes", options, async () => {
  await Promise.all([settled(0), settled(1)]);
  await servers[0]!.kill("SIGTERM");
  const [disk, copy] = [join(servers[0]!.data, "mariadb"), join(servers[0]!.data, "copy")];
  cpSync(disk, copy, { recursive: true, filter: (path) => !path.endsWith("/sock") });
  servers[0] = await cast(0);
  await settled(0);
  const client = await records(0);
  await client.append("ban", ban("/CN=later"), 0);
  await client.close();
  await alike();
  await servers[0].kill("SIGKILL");
  const current = join(servers[0].data, "current");
  renameSync(disk, current);
  renameSync(copy, disk);
  servers[0] = await cast(0);
  await until(async () => (await health(0)).state === "replication-stopped");
  const shown = await health(0);
  assert.equal(shown.writable, false);
  assert.match(String(shown.says), /was set back/);
  await servers[0].kill("SIGKILL");
  rmSync(disk, { recursive: true });
  renameSync(current, disk);
  servers[0] = await cast(0);
  await Promise.all([settled(0), settled(1)]);
});

test("an agent whose own connection is ended makes a new one", options, async () => {
  const root = await asRoot(0);
  const agents = "SELECT id FROM information_schema.processlist WHERE host = 'localhost' AND id <> CONNECTION_ID()";
  const ids = async () => ((await root.query(agents))[0] as { id: number }[]).map(({ id }) => Number(id));
  const before = await ids();
  assert.equal(before.length, 1);
  await root.query(`KILL ${before[0]}`);
  await until(async () => (await ids()).some((id) => id !== before[0]));
  await settled(0);
  assert.equal((await health(0)).writable, true);
  await root.end();
});

test("a conflict stops replication and is shown, never skipped", options, async () => {
  const [one, two] = [await asRoot(0), await asRoot(1)];
  const make = "CREATE TABLE domus.conflict (id INT PRIMARY KEY) ENGINE=InnoDB";
  await one.query(make);
  await until(async () => (await two.query("SHOW TABLES FROM domus LIKE 'conflict'"))[0].toString() !== "");
  await two.query("SET SESSION sql_log_bin = 0; INSERT INTO domus.conflict VALUES (1)");
  await one.query("INSERT INTO domus.conflict VALUES (1)");
  await until(async () => (await health(1)).state === "replication-stopped");
  const shown = await health(1);
  assert.match(String(shown.says), /replication stopped: .*Duplicate entry/);
  const [errors] = await two.query("SELECT @@slave_skip_errors AS skipped");
  assert.deepEqual(errors, [{ skipped: "OFF" }]);
  await Promise.all([one.end(), two.end()]);
});
