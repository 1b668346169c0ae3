/**
 * Certificates, lists and attribute certificates: what is written is read back; bytes of any kind give a value or a GridRefused, quickly.
 * The material is made here, by the writer, so nothing but Node is needed.
 */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { context, DerReader, TAG } from "../../src/grid/der.ts";
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
  issueAttributeCertificate,
  orderChain,
  parseLsc,
  parseNamespaces,
  parseOneline,
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
import { codeOf } from "./refusals.ts";

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

test("any bytes give a value or a GridRefused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const read of Object.values(READERS)) codeOf(() => read(Buffer.from(bytes)));
    }),
    { numRuns: 500 },
  );
});

const SAMPLES = {
  proxy: proxy.certificate.der,
  person: alice.certificate.der,
  granted,
  list,
  name: alice.certificate.subject.der,
};

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
