/** Texts that sites keep beside certificates: vomses, .lsc, signing policies and namespaces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatLsc,
  formatVomses,
  GridRefused,
  parseLsc,
  parseNamespaces,
  parseSigningPolicy,
  parseVomses,
  readPemCertificates,
  readRevocationList,
  whyNotSigned,
} from "../../src/grid/index.ts";
import { codeOf } from "./refusals.ts";

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
