/** Names and FQANs: what is equal, what is refused, and that nothing is lost on the way between the two spellings. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  covers,
  formatFqan,
  formatFullFqan,
  formatOneline,
  formatRfc2253,
  NameRefused,
  normalDn,
  parseFqan,
  parseOneline,
  parseRfc2253,
  voOf,
  withProxyParents,
} from "../../src/grid/index.ts";

const type = fc.constantFrom("CN", "OU", "O", "DC", "C", "emailAddress", "UID");
const value = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((text) => !/\/[^/]*=/.test(text) && text.isWellFormed());
const name = fc.array(fc.record({ type, value }, { noNullPrototype: true }), { minLength: 1, maxLength: 6 });

test("one line and RFC 2253 carry the same name there and back", () => {
  fc.assert(
    fc.property(name, (rdns) => {
      assert.deepEqual(parseOneline(formatOneline(rdns)), rdns);
      assert.deepEqual(parseRfc2253(formatRfc2253(rdns)), rdns);
      assert.equal(normalDn(formatRfc2253(rdns)), formatOneline(rdns));
    }),
  );
});

test("the normal form of a normal form is itself", () => {
  fc.assert(fc.property(name, (rdns) => assert.equal(normalDn(formatOneline(rdns)), formatOneline(rdns))));
});

test("any text gives a name or a NameRefused, nothing else", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      for (const read of [normalDn, parseFqan]) {
        try {
          read(text);
        } catch (error) {
          assert.ok(error instanceof NameRefused, String(error));
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("spellings of the same name meet", () => {
  const alice = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
  for (const spelling of [
    alice,
    "CN=Alice Example,OU=People,DC=fermigrid,DC=org",
    "cn=Alice Example, ou=People, dc=fermigrid, dc=org",
    'CN="Alice Example", OU=People, DC=fermigrid, DC=org',
  ])
    assert.equal(normalDn(spelling), alice);
  assert.equal(normalDn("/CN=A/Email=a@b.c"), normalDn("E=a@b.c,CN=A"));
  assert.equal(normalDn("/CN=J\\xC3\\xB6rg"), normalDn("CN=Jörg"));
  assert.equal(normalDn("CN=J\\C3\\B6rg"), normalDn("CN=Jörg"));
});

test("a slash inside a value is part of it; a value that could pass for two parts is refused", () => {
  assert.deepEqual(parseOneline("/O=x/CN=host/fg5x2.example.org"), [
    { type: "O", value: "x" },
    { type: "CN", value: "host/fg5x2.example.org" },
  ]);
  assert.throws(() => normalDn("CN=Eve/CN=Alice,O=x"), NameRefused);
  assert.throws(() => normalDn("CN=a+OU=b"), NameRefused);
});

test("a backslash before a printable character's number is not that character", () => {
  // OpenSSL prints a value with these four characters and no other one so: it must not pass for Alice.
  for (const name of ["/CN=\\x41lice", "/CN=Alice\\x20Example", "/CN=a\\x2FCN=b"])
    assert.throws(() => normalDn(name), NameRefused, name);
  assert.equal(normalDn("/CN=a\\x5Cx41"), "/CN=a\\x5Cx41");
  assert.equal(normalDn("CN=a\\\\x41"), "/CN=a\\x5Cx41");
});

test("a proxy's name leads to its owner's, and only by removing proxy parts", () => {
  assert.deepEqual(withProxyParents("/CN=Alice/CN=proxy/CN=1234"), [
    "/CN=Alice/CN=proxy/CN=1234",
    "/CN=Alice/CN=proxy",
    "/CN=Alice",
  ]);
  assert.deepEqual(withProxyParents("/CN=Alice/CN=Bob"), ["/CN=Alice/CN=Bob"]);
});

const part = fc.stringMatching(/^[a-z][a-z0-9._-]{0,6}$/);
const fqan = fc.record(
  {
    group: fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`),
    role: fc.option(part),
  },
  { noNullPrototype: true },
);

test("FQANs survive both spellings", () => {
  fc.assert(
    fc.property(fqan, (one) => {
      assert.deepEqual(parseFqan(formatFqan(one)), one);
      assert.deepEqual(parseFqan(formatFullFqan(one)), one);
      assert.equal(voOf(one), one.group.split("/")[1]);
      assert.ok(covers(one, one));
    }),
  );
});

test("boundaries: a group is not a prefix of a longer word", () => {
  const covered = (rule: string, asked: string): boolean => covers(parseFqan(rule), parseFqan(asked));
  assert.equal(covered("/cms/us", "/cms/usfoo"), false);
  assert.equal(covered("/cms/us", "/cms/us"), true);
  assert.equal(covered("/cms/us", "/cms/us/sub/Role=pilot"), true);
  assert.equal(covered("/cms/us", "/cms"), false);
  assert.equal(covered("/cms/us", "/cms/us/Role=NULL/Capability=NULL"), true);
  assert.equal(covered("/cms/us/Role=pilot", "/cms/us/Role=pilot/Capability=NULL"), true);
  assert.equal(covered("/cms/us/Role=pilot", "/cms/us"), false);
  assert.equal(covered("/cms/us/Role=pilot", "/cms/us/sub/Role=pilot"), false);
  assert.equal(covered("/cms/us/Role=pilot", "/cms/us/Role=pilots"), false);
});
