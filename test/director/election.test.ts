import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decide, type Evidence, type View } from "../../services/director/election.ts";
import { TIMING } from "../../services/director/timing.ts";

const role = fc.constantFrom("starting", "standby", "active", "leaving") as fc.Arbitrary<View["role"]>;
const ms = fc.nat({ max: 10_000 });
const evidence: fc.Arbitrary<Evidence> = fc.oneof(
  fc.record({ kind: fc.constant("none" as const) }),
  fc.record({ kind: fc.constant("heard" as const), role, term: fc.nat(5), copy: fc.constantFrom(0, 1) }),
  fc.record({ kind: fc.constant("gone" as const), surely: fc.boolean() }),
  fc.record({ kind: fc.constant("silent" as const), forMs: ms }),
);
const view: fc.Arbitrary<View> = fc.record({
  role,
  copy: fc.constantFrom(0, 1),
  term: fc.nat(5),
  age: ms,
  headless: ms,
  peer: evidence,
});

test("nobody takes from a living active, nor asks for its end", () => {
  fc.assert(
    fc.property(view, (seen) => {
      fc.pre(seen.peer.kind === "heard" && seen.peer.role === "active");
      assert.ok(!["take", "ask"].includes(decide(seen)));
    }),
  );
});

test("nobody asks for an end before the silence is long enough, and an active never does", () => {
  fc.assert(
    fc.property(view, (seen) => {
      if (decide(seen) !== "ask") return;
      assert.ok(seen.peer.kind === "silent" && seen.peer.forMs >= TIMING.silence);
      assert.ok(seen.role === "starting" || seen.role === "standby");
    }),
    { numRuns: 1000 },
  );
});

test("of two that hear each other exactly one goes, whatever their terms", () => {
  const alone = fc.constantFrom("starting", "standby") as fc.Arbitrary<View["role"]>;
  fc.assert(
    fc.property(alone, alone, fc.nat(5), fc.nat(5), (first, second, one, two) => {
      const hears = (other: View["role"], term: number, copy: number): Evidence => ({
        kind: "heard",
        role: other,
        term,
        copy,
      });
      const base = { age: 1000, headless: 1000 };
      assert.equal(decide({ ...base, role: first, copy: 0, term: one, peer: hears(second, two, 1) }), "take");
      assert.equal(decide({ ...base, role: second, copy: 1, term: two, peer: hears(first, one, 0) }), "wait");
    }),
  );
});

test("of two that are both active exactly one yields", () => {
  fc.assert(
    fc.property(fc.nat(5), fc.nat(5), (one, two) => {
      const base = { age: 1000, headless: 0, role: "active" as const };
      const yields = [
        decide({ ...base, copy: 0, term: one, peer: { kind: "heard", role: "active", term: two, copy: 1 } }),
        decide({ ...base, copy: 1, term: two, peer: { kind: "heard", role: "active", term: one, copy: 0 } }),
      ].filter((decision) => decision === "yield");
      assert.equal(yields.length, 1);
    }),
  );
});

test("a director that has just started gives the other a moment; one that stood by does not wait", () => {
  const refused = { kind: "gone", surely: false } as const;
  const base = { copy: 1, term: 0, headless: 0, peer: refused };
  assert.equal(decide({ ...base, role: "starting", age: TIMING.alone - 1 }), "wait");
  assert.equal(decide({ ...base, role: "starting", age: TIMING.alone }), "take");
  assert.equal(decide({ ...base, role: "standby", age: 1 }), "take");
});
