/** Addresses and networks as numbers and back. */
import assert from "node:assert/strict";
import { isIPv4 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { formatIpv4, parseIpv4, parseNetwork, usableIn } from "../../src/model/index.ts";

const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test("an address is written as it is read", () => {
  fc.assert(fc.property(address, (number) => assert.equal(parseIpv4(formatIpv4(number)), number)));
  fc.assert(fc.property(fc.ipV4(), (text) => assert.equal(formatIpv4(parseIpv4(text)!), text)));
  assert.deepEqual(
    ["0.0.0.0", "127.0.0.1", "128.0.0.0", "255.255.255.255"].map(parseIpv4),
    [0, 2130706433, 2147483648, 4294967295],
  );
});

test("nothing else is an address: one way to write each, as the rest of the machine understands it", () => {
  const wrong = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.1.1.-1",
    "1.2.3.4 ",
    "1.2.3.4/8",
    "0x7f.0.0.1",
    "1..2.3",
    "::1",
    "1.2.3.4\n",
  ];
  for (const text of [...wrong, "127.0.0.01", "010.0.0.1", "1.2.3.\u0664"])
    assert.equal(parseIpv4(text), null, JSON.stringify(text));
  const near = fc
    .array(fc.constantFrom("0", "1", "2", "5", "9", ".", "256", "01"), { maxLength: 12 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(near, (text) => assert.equal(parseIpv4(text) !== null, isIPv4(text), text)),
    { numRuns: 2000 },
  );
});

test("a network has its first address, its size, and every address in it but two for use", () => {
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 32 }), address, (any, bits, offset) => {
      const size = 2 ** (32 - bits);
      const base = any - (any % size);
      const network = parseNetwork(`${formatIpv4(base)}/${bits}`);
      assert.deepEqual(network, { base, bits, size });
      const inside = base + (offset % size);
      assert.equal(usableIn(network!, inside), inside !== base && inside !== base + size - 1);
      assert.equal(usableIn(network!, base + size), false);
      assert.equal(usableIn(network!, base - 1), false);
      if (any !== base) assert.equal(parseNetwork(`${formatIpv4(any)}/${bits}`), null, "not its first address");
    }),
  );
  for (const text of [
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0.1/24",
    "/8",
    "10.0.0/8",
    "10.0.0.0/8/8",
    "10.0.0.0/008",
  ])
    assert.equal(parseNetwork(text), null, text);
});
