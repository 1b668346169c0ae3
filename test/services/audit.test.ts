/** The record of decisions: nothing cut, nothing twice, bounded, and found again. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { type AuditRecord, DecisionRecord, searchAudit } from "../../services/audit/index.ts";
import { listSegments } from "../../services/audit/segments.ts";

const BEGIN = Date.parse("2026-11-20T03:00:00Z");
const KEEP = { keep: 90 * 86_400, space: 2 ** 30 };
let directory: string;
let faults: string[];
let now: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "domus-audit-"));
  faults = [];
  now = BEGIN;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (more: { segment?: number; retention?: { keep: number; space: number } } = {}): DecisionRecord =>
  new DecisionRecord({ directory, retention: KEEP, onFault: (says) => faults.push(says), now: () => now, ...more });
const line = (account: string, subject = "/CN=Alice"): string =>
  JSON.stringify({ at: new Date(now).toISOString(), subject, account, rule: "nova" });
const find = async (equal: Record<string, string>, from = 0, to = Number.MAX_SAFE_INTEGER, limit = 1e6) => {
  const records: AuditRecord[] = [];
  const answer = await searchAudit(directory, { from, to, equal }, (record) => records.push(record) < limit);
  return { ...answer, records };
};

test("lines are found over many segments, compressed and not, in the order of time, each once", async () => {
  const record = open({ segment: 2000 });
  for (let minute = 0; minute < 200; minute++) {
    now = BEGIN + minute * 60_000;
    record.write(line(minute % 2 === 0 ? "novapro" : "nova"));
    record.flush();
  }
  assert.ok(listSegments(directory).length > 3);
  const during = await find({ account: "novapro" });
  await record.close();
  assert.equal(during.records.length, 100);
  assert.ok(readdirSync(directory).some((name) => name.endsWith(".zst")));
  const all = await find({});
  assert.deepEqual(
    all.records.map((one) => one.at),
    Array.from({ length: 200 }, (_, minute) => new Date(BEGIN + minute * 60_000).toISOString()),
  );
  const at = await find({ account: "novapro" }, BEGIN + 12 * 60_000 - 30_000, BEGIN + 12 * 60_000 + 30_000);
  assert.deepEqual(
    at.records.map((one) => one.at),
    ["2026-11-20T03:12:00.000Z"],
  );
  assert.equal(all.oldest, "2026-11-20T03:00:00.000Z");
  const some = await find({}, 0, Number.MAX_SAFE_INTEGER, 7);
  assert.equal(some.records.length, 7);
  assert.equal(some.more, true);
  assert.deepEqual(faults, []);
});

test("text inside another field is no match, and names with quotes are found", async () => {
  const record = open();
  const odd = '/CN="account":"novapro"\\';
  record.write(line("nova", odd));
  record.write(line("novapro"));
  await record.close();
  assert.equal((await find({ account: "novapro" })).records.length, 1);
  assert.equal((await find({ subject: odd })).records.length, 1);
});

test("age and space are bounded, the oldest go first", async () => {
  const record = open({ segment: 1000, retention: { keep: 3600, space: 2000 } });
  for (let minute = 0; minute < 300; minute++) {
    now = BEGIN + minute * 60_000;
    record.write(line("nova"));
    record.flush();
    // Compression is asynchronous: each segment has its turn before the next.
    if (minute % 10 === 9) await find({});
  }
  await record.close();
  await open({ retention: { keep: 3600, space: 2000 } }).close();
  const kept = listSegments(directory);
  assert.ok(kept.reduce((sum, segment) => sum + segment.size, 0) <= 2000);
  for (const segment of kept) assert.ok(segment.until >= now - 3600_000);
  assert.ok((await find({})).records.length < 300);
});

test("a cut last line, a half-made compressed file and damage cost nothing else", async () => {
  const first = open();
  first.write(line("nova"));
  await first.close();
  appendFileSync(join(directory, "audit.log"), '{"at":"2026-11-20T03:00:0');
  writeFileSync(join(directory, "audit-1000000000000.log.zst.new"), "half");
  const second = open();
  second.write(line("novapro"));
  await second.close();
  const found = await find({});
  assert.equal(found.records.length, 2);
  assert.equal(found.damaged, 1);
  assert.deepEqual(readdirSync(directory), ["audit.log"]);
});

test("lines of one turn are written together, before the next turn", async () => {
  const record = open();
  record.write(line("nova"));
  record.write(line("nova"));
  assert.equal(statSync(join(directory, "audit.log")).size, 0);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.ok(statSync(join(directory, "audit.log")).size > 0);
  await record.close();
});

test("lines written before the clock was set back are found by their own time", async () => {
  const record = open({ segment: 300 });
  now = BEGIN + 3_600_000;
  for (let count = 0; count < 3; count++) record.write(line("novapro"));
  record.flush();
  now = BEGIN;
  record.write(line("nova"));
  await record.close();
  assert.equal(listSegments(directory).length, 1);
  assert.equal((await find({ account: "novapro" }, BEGIN + 1_800_000)).records.length, 3);
});

test("a record that was moved away, or closed without room for the next, goes on", async () => {
  const record = open({ segment: 100 });
  record.write(line("nova"));
  record.flush();
  rmSync(join(directory, "audit.log"));
  for (let count = 0; count < 5; count++) {
    record.write(line("novapro"));
    record.flush();
  }
  assert.equal(record.lost, 0);
  await record.close();
  assert.equal((await find({ account: "novapro" })).records.length, 5);
});

test("a damaged segment is counted and hides nothing else", async () => {
  const record = open({ segment: 100 });
  for (const account of ["nova", "minos", "novapro"]) {
    now += 1000;
    record.write(line(account));
    record.flush();
  }
  await record.close();
  const [first, second] = listSegments(directory);
  assert.ok(first!.compressed && second!.compressed);
  truncateSync(first!.path, first!.size - 9);
  writeFileSync(second!.path, "no compressed text");
  const found = await find({ account: "novapro" });
  assert.equal(found.records.length, 1);
  assert.equal(found.damaged, 2);
});

test("a full disk does not keep a record with a cut last line from being opened", () => {
  writeFileSync(join(directory, "audit.log"), '{"at":"2026-11-20T03:00:0');
  const before = statSync(join(directory, "audit.log")).size;
  const record = open();
  // Nothing is written until there is a decision: a disk without room costs lines, never the start.
  assert.equal(statSync(join(directory, "audit.log")).size, before);
  return record.close();
});

test("what comes after the end is written into nobody else's file", async () => {
  const record = open();
  await record.close();
  // Takes the number that the record has given back.
  const other = openSync(join(directory, "other"), "w+");
  record.write(line("late"));
  record.flush();
  closeSync(other);
  assert.equal(statSync(join(directory, "other")).size, 0);
});
