/** Reading by turns: nobody is held in quiet times, a crowd is read some at a time, everybody gets a turn, and it ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Readable, ReadTurns } from "../../src/world/index.ts";

class Source implements Readable {
  held = false;
  hold(): void {
    this.held = true;
  }
  release(): void {
    this.held = false;
  }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const crowd = (turns: ReadTurns<string>, key: string, count: number): Source[] =>
  Array.from({ length: count }, () => {
    const source = new Source();
    turns.join(key, source);
    return source;
  });

test("few at a time are never held, nor are the connections of others", async () => {
  const turns = new ReadTurns<string>(undefined, { atOnce: 4, calm: 1000, rotate: 1000 });
  const [loud, quiet] = [crowd(turns, "loud", 100), crowd(turns, "quiet", 3)];
  for (let round = 0; round < 50; round++) {
    for (const source of loud.slice(0, 4)) turns.spoke("loud", source);
    await turn();
  }
  assert.equal(turns.crowded, 0);
  for (const source of loud) turns.spoke("loud", source);
  for (const source of quiet) turns.spoke("quiet", source);
  assert.equal(turns.crowded, 1);
  assert.equal(loud.filter(({ held }) => !held).length, 4);
  assert.ok(quiet.every(({ held }) => !held));
});

test("a key that is alone keeps nobody waiting, and is never read by turns", () => {
  const turns = new ReadTurns<string>(undefined, { atOnce: 4, calm: 1000, rotate: 1000 });
  const sources = crowd(turns, "loud", 100);
  for (const source of sources) turns.spoke("loud", source);
  assert.equal(turns.crowded, 0);
  crowd(turns, "quiet", 1);
  turns.spoke("loud", sources[0]!);
  assert.equal(turns.crowded, 1);
});

test("each that speaks gives its place to the one that waited longest", async () => {
  const turns = new ReadTurns<string>(undefined, { atOnce: 4, calm: 1000, rotate: 1000 });
  crowd(turns, "quiet", 1);
  const sources = crowd(turns, "loud", 20);
  for (const source of sources) turns.spoke("loud", source);
  const spoken = new Map<Source, number>();
  for (let round = 0; round < 50; round++) {
    await turn();
    const read = sources.filter(({ held }) => !held);
    assert.equal(read.length, 4);
    for (const source of read) {
      spoken.set(source, (spoken.get(source) ?? 0) + 1);
      turns.spoke("loud", source);
    }
  }
  const counts = sources.map((source) => spoken.get(source) ?? 0);
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
  // One that goes gives its place too.
  const read = sources.find(({ held }) => !held)!;
  turns.leave("loud", read);
  assert.equal(sources.filter((source) => source !== read && !source.held).length, 4);
});

test("silent ones give their place too, and in calm times all are read again", async () => {
  const turns = new ReadTurns<string>(undefined, { atOnce: 2, calm: 30, rotate: 1 });
  crowd(turns, "quiet", 1);
  const sources = crowd(turns, "loud", 9);
  for (const source of sources) turns.spoke("loud", source);
  assert.equal(turns.crowded, 1);
  const had = new Set<Source>();
  while (turns.crowded > 0) {
    for (const source of sources) if (!source.held) had.add(source);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(had.size > 2);
  assert.ok(sources.every(({ held }) => !held));
});

test("a crowd for which there is no room stays unread, is not taken for calm, and goes on when there is", async () => {
  let room = true;
  const turns = new ReadTurns<string>(() => room, { atOnce: 4, calm: 40, rotate: 1 });
  crowd(turns, "quiet", 1);
  const sources = crowd(turns, "loud", 20);
  for (const source of sources) turns.spoke("loud", source);
  const read = (): Source[] => sources.filter(({ held }) => !held);
  room = false;
  for (const source of read()) turns.spoke("loud", source);
  assert.equal(read().length, 0);
  const since = performance.now();
  while (performance.now() - since < 120) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(turns.crowded, 1);
  assert.equal(read().length, 0);
  room = true;
  turns.goOn("loud");
  assert.equal(read().length, 4);
});
