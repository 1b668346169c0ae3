/**
 * Reading and writing: what is written is read back; bytes of any kind give a value or a GridRefused, quickly; what the files of
 * signing policies, vomses and .lsc may say. The material is made here, by the writer, so nothing but Node is needed.
 */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { context, DerReader, readOid, readSerial, readSmallInteger, readTime, TAG } from "../../src/grid/der.ts";
import {
  writeBits,
  writeDer,
  writeGeneralizedTime,
  writeInteger,
  writeNull,
  writeOctets,
  writeOid,
  writeSequence,
  writeTrue,
} from "../../src/grid/der-write.ts";
import {
  attributeCertificatesOf,
  base64Lines,
  type Certificate,
  formatLsc,
  formatOneline,
  formatVomses,
  GridRefused,
  issueAttributeCertificate,
  normalDn,
  orderChain,
  parseLsc,
  parseNamespaces,
  parseOneline,
  parseSigningPolicy,
  parseVomses,
  readAttributeCertificate,
  readCertificate,
  readPemCertificates,
  readRevocationList,
  validateProxyPath,
  verifyAttributeCertificate,
  whyNotSigned,
  writeAttributeCertificates,
  writePem,
} from "../../src/grid/index.ts";
import { readX509Name, writeX509Name } from "../../src/grid/x509-name.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const DAY = 24 * 3600 * 1000;

interface Maker {
  readonly subject: string;
  readonly key: KeyObject;
  readonly certificate: Certificate;
}

const ECDSA = writeSequence(writeOid("1.2.840.10045.4.3.2"));
const extension = (oid: string, value: Buffer): Buffer => writeSequence(writeOid(oid), writeTrue(), writeOctets(value));
const BITS = (octet: number): Buffer => writeDer(TAG.bitString, Buffer.of(0, octet));
const AUTHORITY = [extension("2.5.29.19", writeSequence(writeTrue())), extension("2.5.29.15", BITS(0b0000_0110))];
const PERSON = [extension("2.5.29.15", BITS(0b1000_0000))];
const INHERIT = extension("1.3.6.1.5.5.7.1.14", writeSequence(writeSequence(writeOid("1.3.6.1.5.5.7.21.1"))));

function make(subject: string, by: Maker | null, extensions: readonly Buffer[]): Maker {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const tbs = writeSequence(
    writeDer(context(0), writeInteger("2")),
    writeInteger(createHash("sha256").update(subject).digest("hex").slice(0, 16)),
    ECDSA,
    writeX509Name(parseOneline(by === null ? subject : by.subject)),
    writeSequence(writeGeneralizedTime(NOW - DAY), writeGeneralizedTime(NOW + DAY)),
    writeX509Name(parseOneline(subject)),
    publicKey.export({ format: "der", type: "spki" }),
    writeDer(context(3), writeSequence(...extensions)),
  );
  const der = writeSequence(tbs, ECDSA, writeBits(sign("sha256", tbs, by?.key ?? privateKey)));
  return { subject, key: privateKey, certificate: readCertificate(der) };
}

const root = make("/DC=org/DC=fermigrid/CN=Root", null, AUTHORITY);
const alice = make("/DC=org/DC=fermigrid/OU=People/CN=Alice Example", root, PERSON);
const server = make("/DC=org/DC=fermigrid/OU=Services/CN=voms.fermigrid.test", root, PERSON);
const granted = issueAttributeCertificate({
  holder: alice.certificate,
  issuer: server.certificate,
  key: server.key,
  vo: "fermilab",
  host: "voms.fermigrid.test",
  port: 15001,
  fqans: ["/fermilab/nova/Role=Production", "/fermilab"],
  attributes: [{ name: "nick", value: "Jörg", qualifier: "fermilab" }],
  targets: ["fg5x2.fermigrid.test"],
  now: NOW,
  lifetime: DAY / 2,
});
const proxy = make(`${alice.subject}/CN=1`, alice, [
  INHERIT,
  extension("1.3.6.1.4.1.8005.100.100.5", writeAttributeCertificates([granted])),
]);
const list = (() => {
  const entry = (serial: string): Buffer => writeSequence(writeInteger(serial), writeGeneralizedTime(NOW));
  const tbs = writeSequence(
    writeInteger("1"),
    ECDSA,
    root.certificate.subject.der,
    writeGeneralizedTime(NOW - DAY),
    writeGeneralizedTime(NOW + DAY),
    writeSequence(entry("7F"), entry(alice.certificate.serial)),
  );
  return writeSequence(tbs, ECDSA, writeBits(sign("sha256", tbs, root.key)));
})();
const anchors = [root.certificate];
const trust = [parseLsc("fermilab", "voms.fermigrid.test", `${server.subject}\n${root.subject}\n`)];
const rules = { anchors, trust, now: NOW + 1000, host: "fg5x2.fermigrid.test" };

/** @returns the code of a refusal; anything else thrown fails the test */
function codeOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    assert.ok(error instanceof GridRefused, error instanceof Error ? String(error.stack) : String(error));
    return error.code;
  }
}

/** Everything that reads bytes, to its end. */
const READERS: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  certificate: (bytes) => attributeCertificatesOf(readCertificate(bytes)),
  path: (bytes) => validateProxyPath([bytes, alice.certificate], anchors, { now: NOW }),
  attributes: (bytes) => verifyAttributeCertificate(readAttributeCertificate(bytes), alice.certificate, rules),
  list: (bytes) => readRevocationList(bytes),
  name: (bytes) => readX509Name(new DerReader(bytes).next(TAG.sequence, "name")),
};

test("what was made is read, validated and believed", () => {
  const path = validateProxyPath([proxy.certificate, alice.certificate], anchors, { now: NOW });
  assert.equal(path.identity, alice.subject);
  assert.equal(path.notAfter, NOW + DAY);
  const [ac] = attributeCertificatesOf(path.certificates[0]!);
  const membership = verifyAttributeCertificate(ac!, path.endEntity, rules);
  assert.deepEqual(membership, {
    vo: "fermilab",
    authority: "fermilab://voms.fermigrid.test:15001",
    fqans: ["/fermilab/nova/Role=Production/Capability=NULL", "/fermilab/Role=NULL/Capability=NULL"],
    attributes: [{ name: "nick", value: "Jörg", qualifier: "fermilab" }],
    issuer: server.subject,
    issuerAuthority: root.subject,
    notBefore: NOW,
    notAfter: NOW + DAY / 2,
  });
  const crls = [readRevocationList(list)];
  assert.equal(
    codeOf(() => validateProxyPath([alice.certificate], anchors, { now: NOW, crls })),
    "revoked",
  );
});

test("the mistakes that grants can have are refused", () => {
  const base = {
    holder: alice.certificate,
    issuer: server.certificate,
    key: server.key,
    vo: "fermilab",
    host: "h",
    port: 1,
  };
  const grant = { ...base, fqans: ["/fermilab"], now: NOW, lifetime: DAY };
  for (const wrong of [
    { vo: "fermi lab" },
    { fqans: [] },
    { fqans: ["/cms"] },
    { fqans: ["/fermilab/../x y"] },
    { port: 0 },
    { host: "h:1/" },
    { lifetime: 0 },
    { lifetime: Number.NaN },
    { now: NOW + 2 * DAY },
    { targets: [] },
    { targets: ["a b"] },
    { serial: "0" },
    { serial: "zz" },
    { serial: "1".repeat(41) },
    { key: alice.key },
    { key: "no key" },
  ])
    assert.notEqual(
      codeOf(() => issueAttributeCertificate({ ...grant, ...wrong })),
      null,
      JSON.stringify(wrong),
    );
  assert.equal(
    codeOf(() => issueAttributeCertificate(grant)),
    null,
  );
});

test("an attribute certificate is believed only as a whole and by those it is meant for", () => {
  const ac = readAttributeCertificate(granted);
  const lsc = (text: string) => [parseLsc("fermilab", "voms.fermigrid.test", text)];
  const verdict = (over: Partial<Parameters<typeof verifyAttributeCertificate>[2]>, holder = alice) =>
    codeOf(() => verifyAttributeCertificate(ac, holder.certificate, { ...rules, ...over }));
  assert.equal(verdict({}), null);
  assert.equal(verdict({ host: "FG5X2.fermigrid.test" }), null);
  assert.equal(verdict({ host: "fg5x3.fermigrid.test" }), "target");
  assert.equal(
    codeOf(() => verifyAttributeCertificate(ac, alice.certificate, { anchors, trust, now: NOW })),
    "target",
  );
  assert.equal(verdict({ now: NOW - 4 * 60_000 }), null);
  assert.equal(verdict({ now: NOW - 6 * 60_000 }), "not-yet-valid");
  assert.equal(verdict({ now: NOW + DAY / 2 + 1 }), "expired");
  assert.equal(verdict({ anchors: [] }), "untrusted");
  assert.equal(verdict({ trust: [] }), "issuer");
  assert.equal(verdict({ trust: lsc(`${server.subject}\n/CN=Another\n`) }), "issuer");
  assert.equal(
    verdict({ trust: lsc(`/CN=a\n/CN=b\n------ NEXT CHAIN ------\n${server.subject}\n${root.subject}\n`) }),
    null,
  );
  assert.equal(verdict({ trust: { vo: "fermilab", certificates: [server.certificate] } }), null);
  assert.equal(verdict({ trust: { vo: "cms", certificates: [server.certificate] } }), "issuer");
  assert.equal(verdict({ trust: { vo: "fermilab", certificates: [alice.certificate] } }), "issuer");
  assert.equal(verdict({}, server), "holder");
});

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

const SAMPLES = {
  proxy: proxy.certificate.der,
  person: alice.certificate.der,
  granted,
  list,
  name: alice.certificate.subject.der,
};

test("any bytes give a value or a GridRefused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const read of Object.values(READERS)) codeOf(() => read(Buffer.from(bytes)));
    }),
    { numRuns: 500 },
  );
});

test("valid bytes with a few octets changed, cut or doubled give a value or a GridRefused", () => {
  const samples = Object.values(SAMPLES);
  const change = fc.record({
    at: fc.nat(),
    octet: fc.integer({ min: 0, max: 255 }),
    how: fc.constantFrom("set", "cut", "double"),
  });
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 4 }), (sample, changes) => {
      let bytes: Buffer = Buffer.from(sample);
      for (const { at, octet, how } of changes) {
        const place = at % Math.max(1, bytes.length);
        if (how === "set") bytes[place] = octet;
        else if (how === "cut") bytes = bytes.subarray(0, place);
        else bytes = Buffer.concat([bytes.subarray(0, place), bytes]);
        if (bytes.length > 20_000) break;
      }
      for (const read of Object.values(READERS)) codeOf(() => read(Buffer.from(bytes)));
    }),
    { numRuns: 2000 },
  );
});

test("no single flipped bit of what was signed is believed", () => {
  const believed: string[] = [];
  for (let bit = 0; bit < granted.length * 8; bit += 7) {
    const bytes = Buffer.from(granted);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    if (codeOf(() => READERS.attributes!(bytes)) === null) believed.push(`attributes ${bit}`);
  }
  const { der } = proxy.certificate;
  for (let bit = 0; bit < der.length * 8; bit += 13) {
    const bytes = Buffer.from(der);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    if (codeOf(() => READERS.path!(bytes)) === null) believed.push(`path ${bit}`);
  }
  assert.deepEqual(believed, []);
});

test("what could take long does not", () => {
  const started = process.cpuUsage();
  // Nested as deep as the octets allow, and a length that promises more than there is.
  let nested = writeNull();
  for (let depth = 0; depth < 5000; depth++) nested = writeSequence(nested);
  for (const read of Object.values(READERS)) {
    codeOf(() => read(nested));
    codeOf(() => read(Buffer.from("3084ffffffff", "hex")));
    codeOf(() => read(Buffer.alloc(200_000, 0x30)));
  }
  // A pattern that makes backtracking matchers run for ever.
  const policies = parseNamespaces(`TO Issuer "/CN=a" PERMIT Subject "${".*a".repeat(300)}"`);
  assert.notEqual(whyNotSigned(policies, "/CN=a", `/CN=${"a".repeat(250)}`), null);
  // A PEM text of nothing but beginnings.
  codeOf(() => readPemCertificates("-----BEGIN CERTIFICATE-----\n".repeat(50_000)));
  // Thirty authorities of one name that could all have issued each other.
  const circle = Array.from({ length: 31 }, () => make("/CN=Same", root, AUTHORITY).certificate);
  assert.equal(
    codeOf(() =>
      validateProxyPath([make("/CN=x", { ...root, subject: "/CN=Same" }, PERSON).certificate, ...circle], [], {
        now: NOW,
      }),
    ),
    "signature",
  );
  const { user } = process.cpuUsage(started);
  assert.ok(user < 5_000_000, `${user} µs`);
});

test("chains are cut out of PEM and put in order", () => {
  const pem = (one: Maker): string => writePem("CERTIFICATE", one.certificate.der);
  const text = `Bag of things\n${pem(root)}${writePem("PRIVATE KEY", Buffer.from("secret"))}${pem(proxy)}\r\n${pem(alice)}`;
  const read = readPemCertificates(text);
  assert.deepEqual(
    orderChain(read).map(({ subject }) => subject.normal),
    [proxy, alice, root].map(({ subject }) => subject),
  );
  for (const wrong of [
    "",
    "nothing",
    "-----BEGIN CERTIFICATE-----\n",
    "-----BEGIN CERTIFICATE-----\nA=B\n-----END CERTIFICATE-----\n",
  ])
    assert.equal(
      codeOf(() => readPemCertificates(wrong)),
      "pem",
    );
  assert.match(base64Lines(granted), /^(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/=]{1,64}\n$/);
  assert.deepEqual(Buffer.from(base64Lines(granted), "base64"), granted);
});

test("vomses and .lsc are read as they are written", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9.-]{0,10}$/);
  const dn = word.map((text) => `/DC=org/CN=host/${text}`);
  const endpoint = fc.record(
    { alias: word, host: word, port: fc.integer({ min: 1, max: 65535 }), dn, vo: word },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(endpoint, { maxLength: 5 }), (all) => assert.deepEqual(parseVomses(formatVomses(all)), all)),
  );
  const chains = fc.array(fc.array(dn, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(word, word, chains, (vo, host, chains) => {
      const trust = { vo, host, chains };
      assert.deepEqual(parseLsc(vo, host, formatLsc(trust)), trust);
    }),
  );
  const at = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      if (error instanceof GridRefused) return `${error.line}:${error.column}`;
    }
    return "nothing";
  };
  assert.equal(
    at(() => parseVomses('\n"a" "b" "70000" "/CN=x" "v"')),
    "2:10",
  );
  assert.equal(
    at(() => parseVomses('"a" "b" "7000" "CN" "v"')),
    "1:17",
  );
  assert.equal(
    at(() => parseVomses('"a" "b"')),
    "1:1",
  );
  assert.equal(
    at(() => parseLsc("v", "h", "/CN=a\n")),
    "2:1",
  );
  assert.equal(
    at(() => parseLsc("v", "h", "/CN=a\n no name\n")),
    "2:2",
  );
});

test("signing policies say where they are wrong, and deny what they do not permit", () => {
  const eacl = `# comment
 access_id_CA      X509         '/C=US/O=Globus/CN=CA'
 pos_rights        globus        CA:sign
 cond_subjects     globus       '"/C=us/O=Globus/*"  "/C=US/O=Globus/Email=*"'
`;
  const policies = parseSigningPolicy(eacl + eacl.replace("CN=CA", "CN=B"));
  assert.equal(policies.length, 2);
  const may = (subject: string, authority = "/C=US/O=Globus/CN=CA"): boolean =>
    whyNotSigned(policies, authority, subject) === null;
  assert.ok(may("/C=us/O=Globus/CN=x/CN=y"));
  assert.ok(may("/C=US/O=Globus/emailAddress=a@b"));
  assert.ok(!may("/C=US/O=Globus/CN=x"));
  assert.ok(!may("/C=us/O=Globus"));
  assert.ok(!may("/C=us/O=Globus/CN=x", "/CN=other"));
  const spaces = parseNamespaces(
    '#NAMESPACES-VERSION: 1.0\nTO Issuer SELF \\\n  PERMIT Subject "/DC=ch/DC=cern/OU=[A-Z][a-z]+ Units/.*"\nto issuer "/CN=x" deny subject "/CN=\\."',
    "/DC=ch/CN=CA",
  );
  assert.equal(whyNotSigned(spaces, "/DC=ch/CN=CA", "/DC=ch/DC=cern/OU=Organic Units/CN=a"), null);
  assert.notEqual(whyNotSigned(spaces, "/DC=ch/CN=CA", "/DC=ch/DC=cern/OU=O Units/CN=a"), null);
  const at = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      if (error instanceof GridRefused) return `${error.line}:${error.column}`;
      throw error;
    }
    return "nothing";
  };
  assert.equal(
    at(() => parseSigningPolicy("")),
    "1:1",
  );
  assert.equal(
    at(() => parseSigningPolicy(eacl.replace("pos_rights", "neg_rights"))),
    "3:2",
  );
  assert.equal(
    at(() => parseSigningPolicy(eacl.replace('"/C=us', "/C=us"))),
    "4:50",
  );
  assert.equal(
    at(() => parseSigningPolicy(`${eacl}\naccess_id_CA`)),
    "6:13",
  );
  assert.equal(
    at(() => parseSigningPolicy(eacl.replace("CA'", "CA"))),
    "2:33",
  );
  assert.equal(
    at(() => parseNamespaces('TO Issuer "/CN=a" PERMIT Subject "(a|b)"')),
    "1:35",
  );
  assert.equal(
    at(() => parseNamespaces('TO Issuer "/CN=a" PERMIT Subject "/CN=\\d"')),
    "1:40",
  );
  assert.equal(
    at(() => parseNamespaces('TO Issuer SELF PERMIT Subject "/CN=a"')),
    "1:11",
  );
});

test("any text gives a policy or a GridRefused with its place", () => {
  const words = fc.constantFrom(
    "access_id_CA",
    "X509",
    "'/CN=a'",
    "pos_rights",
    "globus",
    "CA:sign",
    "cond_subjects",
    "'\"/CN=*\"'",
    "TO",
    "Issuer",
    "PERMIT",
    "Subject",
    '"/CN=[a-"',
    "#",
    "\\",
    "\n",
    "\f",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.array(words, { maxLength: 14 }).map((all) => all.join(" ")),
  );
  fc.assert(
    fc.property(text, (text) => {
      for (const read of [parseSigningPolicy, parseNamespaces, parseVomses, readPemCertificates, readRevocationList])
        codeOf(() => read(text as never));
      codeOf(() => parseLsc("v", "h", text));
    }),
    { numRuns: 1000 },
  );
});
