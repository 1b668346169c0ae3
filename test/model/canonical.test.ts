/** Canonical JSON: one text for one value, whoever wrote it down in which order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson, digest } from "../../src/model/index.ts";

const value = fc.jsonValue({ maxDepth: 5, noUnicodeString: false });

/** The same thing with the members of every object in another order. */
function shuffled(thing: unknown): unknown {
  if (Array.isArray(thing)) return thing.map(shuffled);
  if (thing === null || typeof thing !== "object") return thing;
  return Object.fromEntries(
    Object.entries(thing)
      .reverse()
      .map(([key, member]) => [key, shuffled(member)]),
  );
}

test("reads back as what it was", () => {
  fc.assert(
    fc.property(value, (one) => assert.deepEqual(JSON.parse(canonicalJson(one)), JSON.parse(JSON.stringify(one)))),
  );
});

test("is the same for any order of keys, and its digest too", () => {
  fc.assert(
    fc.property(value, (one) => {
      assert.equal(canonicalJson(shuffled(one)), canonicalJson(one));
      assert.equal(digest(shuffled(one)), digest(one));
    }),
  );
});

test("differs where things differ, also in the order of a list", () => {
  fc.assert(
    fc.property(value, value, (one, other) => {
      const same = canonicalJson(one) === canonicalJson(other);
      assert.equal(same, digest(one) === digest(other));
      assert.equal(same, JSON.stringify(sorted(one)) === JSON.stringify(sorted(other)));
    }),
  );
  assert.notEqual(canonicalJson([1, 2]), canonicalJson([2, 1]));
});

function sorted(thing: unknown): unknown {
  if (Array.isArray(thing)) return thing.map(sorted);
  if (thing === null || typeof thing !== "object") return thing;
  // An object stays apart from a list, also when both are empty.
  return [
    "object",
    ...Object.entries(thing)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [`key ${key}`, sorted(member)]),
  ];
}

test("knows no locale, leaves out what is undefined, and has no blanks", () => {
  assert.equal(
    canonicalJson({ b: 1, a: [{ d: null, c: undefined }], ä: "ä", Z: true, "\u{10000}": 0, "\uffff": 0 }),
    '{"Z":true,"a":[{"d":null}],"b":1,"ä":"ä","\u{10000}":0,"\uffff":0}',
  );
  assert.equal(digest({}), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
});

test("a member named like something every object has is a member", () => {
  const one = JSON.parse('{"toString":1,"__proto__":{"b":1,"a":2},"constructor":3}');
  assert.equal(canonicalJson(one), '{"__proto__":{"a":2,"b":1},"constructor":3,"toString":1}');
});
