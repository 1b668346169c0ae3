/** Anything at all: reading ends with a policy or with mistakes, never with an exception, and every mistake leads somewhere. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import {
  compileGums,
  EMPTY_STATE,
  importGumsConfig,
  policyToSite,
  readGumsPolicy,
  stateOf,
} from "../../src/policy/index.ts";

const CONFIG = readFileSync(join(import.meta.dirname, "gums.config"), "utf8");
const KEYS = [
  "voms-servers",
  "user-groups",
  "account-mappers",
  "mappings",
  "hosts",
  "banned",
  "groups",
  "manual",
  "name",
  "voms",
  "role",
  "match",
  "without-fqan",
  "server",
  "members",
  "token",
  "mapped",
  "account",
  "people",
  "pool",
  "accounts",
  "group",
  "use",
  "subject",
  "fqan",
  "issuer",
  "url",
  "access",
  "description",
  "__proto__",
  "constructor",
];
const WORDS = [
  "a",
  "b",
  "/a",
  "/a/Role=b",
  "*",
  "/CN=a",
  "https://a",
  "https://a b",
  "exact",
  "role",
  "x1-3",
  "x1-99999999",
  "",
  " ",
  "\n",
];

/** Values of the keys and words that mean something, in every wrong place. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom<unknown>(...WORDS, null, true, 7),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie("any"), { maxKeys: 5 }),
  ),
})).any;

test("any value as a policy", () => {
  let read = 0;
  fc.assert(
    fc.property(
      fc.oneof(value, fc.dictionary(fc.constantFrom(...KEYS.slice(0, 8)), value, { maxKeys: 4 })),
      (given) => {
        const { policy, mistakes } = readGumsPolicy(given);
        if (policy === undefined) {
          assert.ok(mistakes.length > 0 && mistakes.length <= 200);
          for (const { path, says } of mistakes) assert.ok(Array.isArray(path) && says.length > 5);
          return;
        }
        read++;
        assert.deepEqual(readGumsPolicy(policyToSite(policy)).policy, policy);
        compileGums(
          policy,
          stateOf(EMPTY_STATE),
        )({ subject: "/CN=a", fqan: "/a", believed: true, host: "a", token: null });
      },
    ),
    { numRuns: 5000, seed: 11 },
  );
  assert.ok(read > 5, String(read));
});

test("a gums.config with pieces cut out, doubled and exchanged", () => {
  const cut = fc.nat(CONFIG.length);
  const piece = fc.tuple(
    cut,
    fc.nat(5),
    fc.constantFrom("", "x", "1", " ", "/", "?", "<", "'", "&", "\0", "\n", "name='x'", "<!--", "]]>", "<a/>"),
  );
  let whole = 0;
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 2 }), (pieces) => {
      let text = CONFIG;
      for (const [from, length, instead] of pieces) text = text.slice(0, from) + instead + text.slice(from + length);
      const { policy, mistakes } = importGumsConfig(text);
      if (policy) {
        whole++;
        assert.deepEqual(readGumsPolicy(policyToSite(policy)).policy, policy);
      } else for (const { line, column, says } of mistakes) assert.ok(line >= 1 && column >= 1 && says.length > 5);
    }),
    { numRuns: 1500, seed: 11 },
  );
  assert.ok(whole > 100, String(whole));
});
