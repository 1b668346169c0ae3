/** What every repository of records must do, whatever stands behind it. */
import assert from "node:assert/strict";
import { type Fields, Merged, type RecordedEvent, type Records } from "../../services/records/event.ts";

const ban = (value: string, action = "ban"): Fields => ({ kind: "dn", value, action, reason: "r", actor: "a" });
const keyOf = (fields: Fields): string => `${fields.kind} ${fields.value}`;

async function all(records: Records, page = 3): Promise<RecordedEvent[]> {
  const merged = new Merged(keyOf);
  const events: RecordedEvent[] = [];
  for (;;) {
    const found = await records.since("ban", merged.cursor(), page);
    for (const event of found) if (merged.take(event)) events.push(event);
    if (found.length < page) return events;
  }
}

/**
 * Runs the contract.
 * @param one and another: two clients of the same, empty repository
 */
export async function recordsContract(one: Records, another: Records): Promise<void> {
  assert.deepEqual(await one.since("ban", {}, 10), []);

  const first = await one.append("ban", ban("/CN=A"), 0);
  assert.equal(first.seq, 1);
  assert.equal(first.counter, 1);
  const second = await another.append("ban", ban("/CN=A", "unban"), first.counter);
  assert.equal(second.seq, 2);
  assert.ok(second.counter > first.counter, "who has seen an event comes after it");
  assert.deepEqual(await one.since("ban", {}, 10), [first, second]);
  assert.deepEqual(await one.since("ban", { [first.origin]: 1 }, 10), [second], "a cursor leaves out what it covers");
  assert.deepEqual(await one.since("ban", { [first.origin]: 2, 1: 7 }, 10), []);

  // A reader that knows of later events elsewhere writes after them.
  const ahead = await one.append("ban", ban("/CN=B"), 1000);
  assert.equal(ahead.counter, 1001);

  // Many at once through both: seq without gaps, everything there once, whatever page size.
  const written = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? one : another).append("ban", ban(`/CN=${index}`), 0)),
  );
  const events = await all(one);
  assert.deepEqual(
    events.map(({ seq }) => seq),
    Array.from({ length: 23 }, (_, index) => index + 1),
  );
  assert.deepEqual(new Set(events.map(({ counter }) => counter)).size, 23, "one server never gives a counter twice");
  for (const event of written) assert.deepEqual(events[event.seq - 1], event);

  // Text is text.
  const odd = '/CN=O\'Neil \\ "x" ñ 漢 🙂; DROP TABLE ban_event; -- ?';
  const kept = await another.append("ban", ban(odd), 0);
  assert.equal((await one.since("ban", { [kept.origin]: kept.seq - 1 }, 10))[0]!.fields.value, odd);
}
