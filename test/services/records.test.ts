/** Records in the SQLite guest: the contract, who may use it, and the merge that all copies share. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import {
  compareEvents,
  type Fields,
  Merged,
  type RecordedEvent,
  type RecordsError,
} from "../../services/records/event.ts";
import { SqliteRecords } from "../../services/records/sqlite-client.ts";
import { recordsContract } from "./records-contract.ts";
import { type Actor, address, SITE, Stage } from "./stage.ts";

let stage: Stage;
let server: Actor;
const ring = [
  { guest: "m1", address: address(4) },
  { guest: "m2", address: address(5) },
];
const files = {
  "etc/database.json": {
    site: SITE,
    port: 3306,
    healthPort: 9306,
    position: 1,
    ring,
    holder: "m2",
    accounts: [
      { guest: "s1", role: "saz" },
      { guest: "g1", role: "gums" },
      { guest: "m1", role: "member" },
    ],
  },
};
const cast = (): Promise<Actor> =>
  stage.cast({ name: "m2", bundle: "sqlite-server", address: address(5), aliases: ["mysql"], files });
const client = async (account: string): Promise<SqliteRecords> =>
  new SqliteRecords({ alias: "mysql", address: address(5), port: 3306, account, tls: await stage.identity(account) });

before(async () => {
  stage = await Stage.open();
  server = await cast();
});
after(() => stage.close());

test("the contract of records, in SQLite; what was answered outlives kill -9", async () => {
  const [one, another] = [await client("s1"), await client("s1")];
  await recordsContract(one, another);
  const before = await one.since("ban", {}, 100);
  await server.kill("SIGKILL");
  await assert.rejects(one.since("ban", {}, 100), (error: RecordsError) => error.code === "away");
  await assert.rejects(one.append("ban", {}, 0), (error: RecordsError) => ["away", "unknown"].includes(error.code));
  server = await cast();
  assert.deepEqual(await one.since("ban", {}, 100), before);
  await Promise.all([one.close(), another.close()]);
});

test("each account uses its own streams and nothing else", async () => {
  const [saz, gums, member] = [await client("s1"), await client("g1"), await client("m1")];
  assert.deepEqual((await gums.since("ban", {}, 1)).length, 1, "GUMS reads the bans");
  await assert.rejects(gums.append("ban", {}, 0), (error: RecordsError) => error.code === "refused");
  await assert.rejects(saz.since("pool", {}, 1), (error: RecordsError) => error.code === "refused");
  await assert.rejects(saz.append("mapping", {}, 0), (error: RecordsError) => error.code === "refused");
  await assert.rejects(member.since("ban", {}, 1), /may not read ban records/);
  assert.deepEqual(await gums.since("mapping", {}, 1), []);
  await Promise.all([saz.close(), gums.close(), member.close()]);
});

test("a stand-by says that it is one", async () => {
  const standby = await stage.cast({ name: "m1", bundle: "standby", address: address(4), files });
  const guest = await stage.identity("s1");
  const { status, json } = await stage.call({ address: standby.address, port: 9306, name: "m1" }, "/health", guest);
  assert.equal(status, 200);
  assert.equal(json.state, "standby");
  assert.equal(json.writable, false);
  assert.equal(json.says, "MariaDB is not installed on this machine; m2 has the one database");
  const other = await stage.call({ address: address(5), port: 9306, name: "m2" }, "/health", guest);
  assert.match(other.body, /"writable":true/);
});

const event = fc.record({
  origin: fc.integer({ min: 1, max: 3 }),
  counter: fc.integer({ min: 1, max: 20 }),
  value: fc.constantFrom("a", "b", "c"),
  action: fc.constantFrom("ban", "unban"),
});

/** Gives events the seq of their origin, in the order of their counters, as a server does. */
function asRecorded(
  raw: readonly { origin: number; counter: number; value: string; action: string }[],
): RecordedEvent[] {
  const seqs = new Map<number, number>();
  return [...raw]
    .sort((a, b) => a.counter - b.counter)
    .map(({ origin, counter, value, action }) => {
      const seq = (seqs.get(origin) ?? 0) + 1;
      seqs.set(origin, seq);
      return { origin, seq, counter, at: "", fields: { value, action } };
    });
}

test("copies that have the same events have the same state, whatever the order and however often they came", () => {
  const keyOf = (fields: Fields): string => fields.value ?? "";
  fc.assert(
    fc.property(fc.array(event, { maxLength: 25 }), fc.infiniteStream(fc.nat()), (raw, choices) => {
      const events = asRecorded(raw);
      const merged = new Merged(keyOf);
      const waiting = [...events, ...events];
      while (waiting.length > 0) {
        const [picked] = waiting.splice(choices.next().value % waiting.length, 1);
        const known = merged.cursor()[String(picked!.origin)] ?? 0;
        assert.equal(merged.take(picked!), picked!.seq === known + 1);
        // What came too early comes again later.
        if (picked!.seq > known + 1) waiting.push(picked!);
      }
      const expected = new Map<string, RecordedEvent>();
      for (const one of [...events].sort(compareEvents)) expected.set(keyOf(one.fields), one);
      assert.deepEqual(merged.events(), [...expected.values()].sort(compareEvents));
      const restored = new Merged(keyOf);
      restored.restore(merged.save());
      assert.deepEqual(restored.save(), merged.save());
    }),
  );
});
