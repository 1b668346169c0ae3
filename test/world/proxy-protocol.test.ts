import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeProxyHeader,
  encodeLocalHeader,
  encodeProxyHeader,
  LONGEST_HEADER,
  plainAddress,
} from "../../src/world/index.ts";

const port = fc.integer({ min: 0, max: 65535 });
const both = fc
  .oneof(fc.tuple(fc.ipV4(), fc.ipV4()), fc.tuple(fc.ipV6(), fc.ipV6()))
  .chain(([a, b]) =>
    fc.tuple(fc.record({ address: fc.constant(a), port }), fc.record({ address: fc.constant(b), port })),
  );
const canonical = (address: string) =>
  address.includes(":") ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;

test("the octets of an IPv4 header are those of the specification", () => {
  const header = encodeProxyHeader({
    source: { address: "192.0.2.7", port: 51000 },
    destination: { address: "::ffff:127.88.3.9", port: 8443 },
  });
  assert.equal(header.toString("hex"), "0d0a0d0a000d0a515549540a2111000cc0000207" + "7f580309" + "c738" + "20fb");
});

test("what is encoded is decoded, whatever follows it", () => {
  fc.assert(
    fc.property(both, fc.uint8Array({ maxLength: 600 }), ([source, destination], rest) => {
      const header = encodeProxyHeader({ source, destination });
      const decoded = decodeProxyHeader(Buffer.concat([header, rest]));
      assert.deepEqual(decoded, {
        state: "complete",
        length: header.length,
        proxied: {
          source: { ...source, address: plainAddress(canonical(source.address)) },
          destination: { ...destination, address: plainAddress(canonical(destination.address)) },
        },
      });
    }),
    { examples: [] },
  );
});

test("every piece of a header is incomplete and asks for no more than it needs", () => {
  fc.assert(
    fc.property(both, ([source, destination]) => {
      const header = encodeProxyHeader({ source, destination });
      for (let cut = 0; cut < header.length; cut++) {
        const decoded = decodeProxyHeader(header.subarray(0, cut));
        assert.equal(decoded.state, "incomplete");
        assert.ok(decoded.state === "incomplete" && decoded.need > cut && decoded.need <= header.length);
      }
    }),
    { numRuns: 20 },
  );
});

test("garbage never throws and is never taken for a header", () => {
  const signature = encodeLocalHeader().subarray(0, 12);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (noise, signed) => {
      const decoded = decodeProxyHeader(signed ? Buffer.concat([signature, noise]) : Buffer.from(noise));
      if (!signed && noise.length > 0 && noise[0] !== 0x0d) assert.equal(decoded.state, "invalid");
      if (decoded.state === "complete") assert.ok(decoded.length <= LONGEST_HEADER);
    }),
    { numRuns: 2000 },
  );
});

test("a sender's own connection carries no client", () => {
  assert.deepEqual(decodeProxyHeader(encodeLocalHeader()), { state: "complete", length: 16, proxied: null });
});

test("families of different kinds, and what is no address, are refused", () => {
  const source = { address: "10.0.0.1", port: 1 };
  assert.throws(() => encodeProxyHeader({ source, destination: { address: "fe80::1", port: 1 } }), TypeError);
  assert.throws(() => encodeProxyHeader({ source, destination: { address: "voms", port: 1 } }), TypeError);
});
