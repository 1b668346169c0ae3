/** Sizes and times as people write them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatSize, parseDuration, parseSize } from "../../src/model/index.ts";

const UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
const SECONDS = { s: 1, min: 60, h: 3600, d: 86_400 };

test("a whole number of any unit is that many bytes, with blanks or without", () => {
  fc.assert(
    fc.property(fc.nat(8000), fc.constantFrom(...Object.entries(UNITS)), fc.nat(3), (amount, [unit, bytes], blanks) => {
      assert.equal(parseSize(`${amount}${" ".repeat(blanks)}${unit}`), amount * bytes);
      assert.equal(parseSize(` ${amount} ${unit} `), amount * bytes);
    }),
  );
});

test("what is said of a size reads as that size, to a hundredth", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 45), (bytes) => {
      const again = parseSize(formatSize(bytes));
      assert.ok(again !== null, formatSize(bytes));
      assert.ok(Math.abs(again - bytes) <= Math.max(bytes * 0.0051, 0.5), `${bytes}: ${formatSize(bytes)} is ${again}`);
    }),
  );
  for (const written of ["512 MiB", "1 GiB", "1.5 GiB", "16 GiB", "2 TiB", "9 B"])
    assert.equal(formatSize(parseSize(written)!), written);
});

test("what is not a size is none: no unit, another case, another sign, another number", () => {
  const wrong = [
    "",
    "1",
    "GiB",
    "1 gib",
    "1 GIB",
    "1 G",
    "1 KB",
    "1 kib",
    "-1 GiB",
    "+1 GiB",
    "1e3 B",
    "0x10 B",
    ".5 GiB",
    "1. GiB",
    "1,5 GiB",
  ];
  for (const text of [
    ...wrong,
    "1 GiB GiB",
    "1 GiB\u0000",
    "Infinity B",
    "NaN B",
    "9999999999 TiB",
    "1.0001 GiB",
    "1 constructor",
  ])
    assert.equal(parseSize(text), null, text);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = parseSize(text);
      assert.ok(bytes === null || (Number.isSafeInteger(bytes) && bytes >= 0 && /[A-Za-z]/.test(text)));
    }),
  );
});

test("times: every unit, and nothing without one", () => {
  fc.assert(
    fc.property(fc.nat(9999), fc.constantFrom(...Object.entries(SECONDS)), (amount, [unit, seconds]) => {
      assert.equal(parseDuration(`${amount} ${unit}`), amount * seconds);
      assert.equal(parseDuration(`${amount}${unit}`), amount * seconds);
    }),
  );
  assert.equal(parseDuration("250 ms"), 0.25);
  for (const text of ["", "60", "s", "1 m", "1 S", "-1 s", "1 week", "1:30", "1 s s", "1 toString"])
    assert.equal(parseDuration(text), null, text);
});
