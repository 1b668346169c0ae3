/** DER and the names in it: what is written is read back, and nothing that is not DER is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DerReader, readOid, readSerial, readSmallInteger, readTime, TAG } from "../../src/grid/der.ts";
import { writeDer, writeGeneralizedTime, writeInteger, writeOid, writeSequence } from "../../src/grid/der-write.ts";
import { formatOneline, normalDn } from "../../src/grid/index.ts";
import { readX509Name, writeX509Name } from "../../src/grid/x509-name.ts";
import { codeOf } from "./refusals.ts";

test("names survive DER, and the normal form with them", () => {
  const type = fc.constantFrom("CN", "OU", "O", "DC", "C", "emailAddress", "UID", "1.2.3.4");
  const value = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .filter((text) => !/\/[^/]*=/.test(text) && text.isWellFormed());
  fc.assert(
    fc.property(
      fc.array(fc.record({ type, value }, { noNullPrototype: true }), { minLength: 1, maxLength: 6 }),
      (rdns) => {
        const name = readX509Name(new DerReader(writeX509Name(rdns)).next(TAG.sequence, "name"));
        assert.deepEqual(name.rdns, rdns);
        assert.equal(name.normal, formatOneline(rdns));
        assert.equal(normalDn(name.normal), name.normal);
      },
    ),
  );
});

test("encodings of one name meet; what the one line cannot carry is refused", () => {
  const name = (...pairs: readonly (readonly [tag: number, text: Buffer])[]): Buffer =>
    writeSequence(
      ...pairs.map(([tag, text]) => writeDer(TAG.set, writeSequence(writeOid("2.5.4.3"), writeDer(tag, text)))),
    );
  const read = (bytes: Buffer): string => readX509Name(new DerReader(bytes).next(TAG.sequence, "name")).normal;
  for (const [tag, bytes] of [
    [TAG.utf8String, Buffer.from("Jörg", "utf8")],
    [TAG.t61String, Buffer.from("Jörg", "latin1")],
    [TAG.bmpString, Buffer.from("Jörg", "utf16le").swap16()],
    [TAG.universalString, Buffer.from("0000004a000000f60000007200000067", "hex")],
  ] as const)
    assert.equal(read(name([tag, bytes])), "/CN=J\\xC3\\xB6rg");
  for (const wrong of [
    name([TAG.utf8String, Buffer.from("Eve/CN=Alice")]),
    name([TAG.utf8String, Buffer.from([0xff])]),
    name([TAG.printableString, Buffer.from([0xe4])]),
    name([TAG.bmpString, Buffer.from([0xd8, 0x00])]),
    name([TAG.bitString, Buffer.from([0, 1])]),
    name([TAG.utf8String, Buffer.alloc(0)]),
    writeSequence(),
    writeSequence(
      writeDer(
        TAG.set,
        ...["2.5.4.3", "2.5.4.10"].map((oid) =>
          writeSequence(writeOid(oid), writeDer(TAG.utf8String, Buffer.from("a"))),
        ),
      ),
    ),
  ])
    assert.equal(
      codeOf(() => read(wrong)),
      "name",
    );
});

test("numbers, identifiers and times survive DER", () => {
  const one = (bytes: Buffer) => new DerReader(bytes).next(null, "value");
  fc.assert(
    fc.property(fc.nat(), fc.bigInt({ min: 0n, max: 2n ** 160n - 1n }), (small, large) => {
      assert.equal(readSmallInteger(one(writeInteger(small.toString(16))), "n"), small);
      assert.equal(BigInt(`0x${readSerial(one(writeInteger(large.toString(16))), "n")}`), large);
    }),
  );
  const arcs = fc.array(fc.nat(), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.nat(2), fc.nat(39), arcs, (first, second, rest) => {
      const oid = [first, second, ...rest].join(".");
      assert.equal(readOid(one(writeOid(oid)), "oid"), oid);
    }),
  );
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true }), (date) => {
      const seconds = Math.floor(date.getTime() / 1000) * 1000;
      assert.equal(readTime(one(writeGeneralizedTime(date.getTime())), "time"), seconds);
    }),
  );
});

test("only DER is DER", () => {
  const refused = (hex: string, read: (reader: DerReader) => unknown): void =>
    assert.equal(
      codeOf(() => read(new DerReader(Buffer.from(hex, "hex")))),
      "der",
      hex,
    );
  for (const hex of ["", "30", "3080", "308100", "30820001ff", "3085000000000000", "3f010000", "300200"])
    refused(hex, (reader) => reader.next(null, "value"));
  for (const hex of ["0200", "02020001", "0202ff80", "020180"])
    refused(hex, (reader) => readSerial(reader.next(null, "n"), "n"));
  for (const hex of ["0600", "060180", "06032a8001"])
    refused(hex, (reader) => readOid(reader.next(null, "oid"), "oid"));
  for (const text of ["20260230000000Z", "20261301000000Z", "20260101240000Z", "2026010100000Z", "20260101000000+"])
    refused(writeDer(TAG.generalizedTime, Buffer.from(text)).toString("hex"), (reader) =>
      readTime(reader.next(null, "t"), "t"),
    );
});
