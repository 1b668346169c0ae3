/** The fair queue: bounded, first in first out in a lane, work-conserving, and each lane served within its share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FairQueue } from "../../src/world/index.ts";

const KEYS = ["a", "b", "c", "d"] as const;
interface Item {
  readonly key: string;
  readonly n: number;
}

test("nothing is lost, doubled or out of order, and the limits hold, whatever is put and taken", () => {
  const step = fc.oneof(
    fc.record({ put: fc.constantFrom(...KEYS), weight: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ cost: fc.double({ min: 0, max: 40, noNaN: true }) }),
    fc.record({ without: fc.constantFrom(...KEYS) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 6 }), (steps, lane) => {
      const limits = { lane, all: 12 };
      const queue = new FairQueue<Item>(limits);
      const model = new Map<string, number[]>(KEYS.map((key) => [key, []]));
      const size = () => [...model.values()].reduce((sum, items) => sum + items.length, 0);
      let n = 0;
      for (const one of steps) {
        if ("put" in one) {
          const before = size();
          const result = queue.put(one.put, one.weight, { key: one.put, n: ++n });
          const own = model.get(one.put)!;
          if (result.outcome === "refused") {
            assert.ok(own.length === lane || before === limits.all);
            continue;
          }
          if (result.outcome === "displaced") {
            const longest = Math.max(...[...model.values()].map((items) => items.length));
            assert.equal(before, limits.all);
            assert.equal(model.get(result.key)!.length, longest);
            assert.equal(model.get(result.key)!.pop(), result.displaced.n);
            assert.ok(own.length < longest - 1);
          }
          own.push(n);
        } else if ("without" in one) {
          const item = queue.take((key) => key !== one.without);
          if (item === undefined) assert.equal(size(), model.get(one.without)!.length);
          else {
            assert.notEqual(item.key, one.without);
            assert.equal(model.get(item.key)!.shift(), item.n);
          }
        } else {
          const item = queue.take();
          // Work-conserving: as long as something waits, something is served.
          assert.equal(item === undefined, size() === 0);
          if (item === undefined) continue;
          queue.charge(one.cost);
          assert.equal(model.get(item.key)!.shift(), item.n);
        }
        assert.equal(queue.size, size());
        for (const key of KEYS) assert.equal(queue.waiting(key), model.get(key)!.length);
      }
      assert.equal([...queue.drain()].length, size());
      assert.equal(queue.size, 0);
    }),
  );
});

test("lanes that always have something are served by weight, within one round", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 5 }), (weights) => {
      const queue = new FairQueue<number>({ lane: 1000, all: 10_000 });
      weights.forEach((weight, lane) => {
        for (let item = 0; item < 500; item++) queue.put(String(lane), weight, lane);
      });
      const served = weights.map(() => 0);
      const round = weights.reduce((sum, weight) => sum + weight, 0);
      for (let taken = 1; taken <= round * 50; taken++) {
        served[queue.take()!]!++;
        weights.forEach((weight, lane) => {
          const due = (taken * weight) / round;
          assert.ok(Math.abs(served[lane]! - due) <= 2 * Math.max(...weights), `${served} after ${taken}`);
        });
      }
    }),
  );
});

test("who costs more gets fewer turns: shares are of the work, not of the items", () => {
  const queue = new FairQueue<"dear" | "cheap">({ lane: 10_000, all: 20_000 });
  for (let item = 0; item < 5000; item++) for (const key of ["dear", "cheap"] as const) queue.put(key, 1, key);
  const served = { dear: 0, cheap: 0 };
  for (let taken = 0; taken < 2200; taken++) {
    const item = queue.take()!;
    served[item]++;
    if (item === "dear") queue.charge(10);
  }
  assert.ok(Math.abs(served.cheap / served.dear - 10) < 1, JSON.stringify(served));
});

test("one item of a quiet lane is served at once, however long the other lanes are", () => {
  const queue = new FairQueue<string>({ lane: 100_000, all: 200_000 });
  for (let item = 0; item < 50_000; item++) queue.put("loud", 1, "loud");
  for (let round = 0; round < 1000; round++) {
    queue.put("quiet", 1, "quiet");
    assert.ok([queue.take(), queue.take(), queue.take()].includes("quiet"));
  }
});

test("what has waited too long is taken out from the front of each lane", () => {
  const queue = new FairQueue<number>({ lane: 10, all: 100 });
  for (const since of [1, 2, 3]) for (const key of ["a", "b"]) queue.put(key, 1, since);
  assert.deepEqual([...queue.expired((since) => since < 3)], [1, 2, 1, 2]);
  assert.equal(queue.size, 2);
  assert.deepEqual([...queue.expired(() => true)], [3, 3]);
  assert.equal(queue.lanes, 0);
});
