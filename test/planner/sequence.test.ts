/** The order of live moves: in whatever order the graph allows, no host is ever over its memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { GuestName, HostName } from "../../src/model/index.ts";
import { type Berth, type Carriage, type Move, sequenceMoves } from "../../src/planner/index.ts";
import { TRIES } from "./random.ts";
import { GiB } from "./sites.ts";

const berth = (name: string, memory: number): Berth => ({ name: name as HostName, memory: memory * GiB });
const carriage = (guest: string, memory: number, from: string, to: string): Carriage => ({
  guest: guest as GuestName,
  memory: memory * GiB,
  from: from as HostName,
  to: to as HostName,
  group: guest,
});

/** Runs the graph: begins moves as soon as it may, ends them as `choose` says, and looks at every host at every moment. */
function run(
  berths: readonly Berth[],
  carriages: readonly Carriage[],
  moves: readonly Move[],
  choose: (count: number) => number,
): void {
  const room = new Map(berths.map((one) => [one.name, one.memory]));
  const memory = new Map(carriages.map((one) => [one.guest, one.memory]));
  const used = new Map<HostName, number>();
  const at = new Map(carriages.map((one) => [one.guest, one.from]));
  const add = (host: HostName, amount: number): void => {
    used.set(host, (used.get(host) ?? 0) + amount);
    assert.ok(used.get(host)! <= room.get(host)!, `${host} is over its memory`);
  };
  for (const one of carriages) add(one.from, one.memory);
  const over = new Set<string>();
  const open = new Set(moves);
  const busy: Move[] = [];
  while (open.size > 0 || busy.length > 0) {
    for (const move of open) {
      if (!move.after.every((id) => over.has(id))) continue;
      assert.equal(at.get(move.guest), move.from);
      add(move.to, memory.get(move.guest)!);
      open.delete(move);
      busy.push(move);
    }
    assert.ok(busy.length > 0, "the graph waits for itself");
    const [done] = busy.splice(choose(busy.length), 1);
    add(done!.from, -memory.get(done!.guest)!);
    at.set(done!.guest, done!.to);
    over.add(done!.id);
  }
  for (const one of carriages) {
    assert.equal(at.get(one.guest), one.to);
    assert.ok(moves.filter((move) => move.guest === one.guest).length <= 2);
  }
}

test("two that must swap park one on a third host", () => {
  const berths = [berth("a", 4), berth("b", 4), berth("c", 4)];
  const carriages = [carriage("x", 4, "a", "b"), carriage("y", 4, "b", "a")];
  const sequence = sequenceMoves(berths, carriages);
  assert.ok(sequence.ok);
  assert.deepEqual(
    sequence.moves.map((move) => move.says),
    ["y waits on c so that x can go to b", "x goes from a to b", "y goes from c to a"],
  );
  run(berths, carriages, sequence.moves, () => 0);
});

test("where nobody can be parked, those that block are named", () => {
  const sequence = sequenceMoves(
    [berth("a", 4), berth("b", 4)],
    [carriage("x", 4, "a", "b"), carriage("y", 4, "b", "a")],
  );
  assert.ok(!sequence.ok);
  assert.deepEqual(sequence.blocked, ["x", "y"]);
  assert.match(
    sequence.says[0]!,
    /^x cannot go from a to b: needs 4 GiB on b, 0 B free; in the way: y 4 GiB; no other host/,
  );
});

test("somebody who only stands there is moved away and back when nothing else helps", () => {
  const berths = [berth("a", 4), berth("b", 4), berth("c", 4)];
  const carriages = [
    carriage("x", 4, "a", "b"),
    carriage("y", 4, "b", "a"),
    carriage("z", 2, "c", "c"),
    carriage("w", 0.5, "a", "a"),
  ];
  const sequence = sequenceMoves([berth("a", 5), berth("b", 4), berth("c", 4), berth("d", 2)], carriages);
  assert.ok(sequence.ok || sequence.says.length > 0);
  assert.equal(sequenceMoves(berths, carriages.slice(0, 3)).ok, false);
});

test("copies of one service never meet on the way", () => {
  const berths = [berth("a", 8), berth("b", 8)];
  const pair = [carriage("x", 1, "a", "b"), { ...carriage("y", 1, "b", "a"), group: "x" }].map((one) => ({
    ...one,
    group: "pair",
  }));
  assert.equal(sequenceMoves(berths, pair, (_, host, others) => !others.includes(host)).ok, false);
  const third = sequenceMoves([...berths, berth("c", 8)], pair, (_, host, others) => !others.includes(host));
  assert.ok(!third.ok || third.moves.length === 3);
});

const yards = fc
  .record({
    rooms: fc.array(fc.integer({ min: 4, max: 12 }), { minLength: 2, maxLength: 6 }),
    guests: fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(5), fc.nat(5)), { maxLength: 14 }),
  })
  .map(({ rooms, guests }) => {
    const berths = rooms.map((room, index) => berth(`h${index}`, room));
    const before = rooms.map(() => 0);
    const later = rooms.map(() => 0);
    const carriages = guests.flatMap(([memory, a, b], index) => {
      const [from, to] = [a % rooms.length, b % rooms.length];
      // Both the beginning and the end must be legal; what lies between is what is tested.
      if (before[from]! + memory > rooms[from]! || later[to]! + memory > rooms[to]!) return [];
      before[from]! += memory;
      later[to]! += memory;
      return [carriage(`g${index}`, memory, `h${from}`, `h${to}`)];
    });
    return { berths, carriages };
  });

test("no host is over its memory at any moment, everybody arrives, nobody moves more than twice", () => {
  let parked = 0;
  let solved = 0;
  fc.assert(
    fc.property(yards, fc.infiniteStream(fc.nat(100)), ({ berths, carriages }, stream) => {
      const sequence = sequenceMoves(berths, carriages);
      if (!sequence.ok)
        return assert.ok(sequence.blocked.length > 0 && sequence.says.length === sequence.blocked.length);
      solved++;
      parked += sequence.moves.filter((move) => move.parking).length;
      run(berths, carriages, sequence.moves, (count) => stream.next().value! % count);
    }),
    { ...TRIES, numRuns: 1000 },
  );
  assert.ok(parked > 20, `${parked} parked: the test would be empty`);
  assert.ok(solved > 700, `${solved} of 1000 solved`);
});
