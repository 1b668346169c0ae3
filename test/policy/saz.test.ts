/** SAZ's decision against a slow, obvious reference. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { covers, formatFqan, NameRefused, parseFqan, voOf } from "../../src/grid/index.ts";
import { compileSaz, explainSaz, type SazQuestion, sazEntry, sazGroups, sazKey } from "../../src/policy/index.ts";

test("the decision is the obvious one (5,000 random policies against a slow reference)", () => {
  const vo = fc.constantFrom("cms", "cmsx", "atlas");
  const fqan = fc
    .tuple(
      vo,
      fc.array(fc.constantFrom("us", "usa", "mc"), { maxLength: 2 }),
      fc.option(fc.constantFrom("prod", "pilot")),
    )
    .map(([first, rest, role]) => parseFqan(`/${[first, ...rest].join("/")}${role === null ? "" : `/Role=${role}`}`));
  const dn = fc.constantFrom("/CN=A", "/CN=B", "/CN=A/CN=proxy", "/CN=A/CN=99", "/CN=AB");
  const issuer = fc.constantFrom("https://a.example.org", "https://a.example.org/x");
  // A subject that looks like a person's name is still the issuer's.
  const sub = fc.constantFrom("a", "b", "/CN=A");
  const scope = fc.constantFrom("compute.create", "storage.read:/");
  const entry = fc.oneof(
    dn.map((value) => ({ kind: "dn" as const, value })),
    vo.map((value) => ({ kind: "vo" as const, value })),
    fqan.map((value) => ({ kind: "role" as const, value: formatFqan(value) })),
    fc.constantFrom("/CN=CA1", "/CN=CA2").map((value) => ({ kind: "ca" as const, value })),
    issuer.map((value) => ({ kind: "issuer" as const, value })),
    fc.tuple(issuer, sub).map((parts) => ({ kind: "token" as const, value: parts.join(" ") })),
    fc.tuple(issuer, scope).map((parts) => ({ kind: "scope" as const, value: parts.join(" ") })),
  );
  const common = {
    vo: fc.option(vo),
    fqans: fc.array(fqan.map(formatFqan), { maxLength: 3 }),
    believed: fc.boolean(),
  };
  const question: fc.Arbitrary<SazQuestion> = fc.oneof(
    fc.record({
      ...common,
      subject: dn,
      ca: fc.option(fc.constantFrom("/CN=CA1", "/CN=CA2")),
      above: fc.array(fc.constantFrom("/CN=CA1", "/CN=CA2"), { maxLength: 1 }),
      token: fc.constant(null),
    }),
    fc.record({
      ...common,
      subject: sub,
      ca: fc.constant(null),
      token: fc.record({ issuer, scopes: fc.array(scope, { maxLength: 2 }) }),
    }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom("permit" as const, "deny" as const),
      fc.constantFrom("default" as const, "deny" as const),
      fc.array(entry, { maxLength: 4 }),
      fc.array(entry, { maxLength: 1 }),
      fc.array(entry, { maxLength: 3 }),
      question,
      (fallback, withoutVo, permit, deny, bans, asked) => {
        const speaksOf = (one: { kind: string; value: string }, proxied: boolean): boolean =>
          ({
            dn: () =>
              asked.token === null &&
              (one.value === asked.subject ||
                (proxied &&
                  asked.subject.startsWith(one.value) &&
                  /^(\/CN=(proxy|\d+))+$/.test(asked.subject.slice(one.value.length)))),
            vo: () => asked.vo === one.value || asked.fqans.some((each) => voOf(parseFqan(each)) === one.value),
            role: () => asked.fqans.some((each) => covers(parseFqan(one.value), parseFqan(each))),
            ca: () => asked.ca === one.value || (asked.above ?? []).includes(one.value),
            token: () => one.value === `${asked.token?.issuer} ${asked.subject}`,
            issuer: () => one.value === asked.token?.issuer,
            scope: () => (asked.token?.scopes ?? []).some((each) => one.value === `${asked.token?.issuer} ${each}`),
          })[one.kind]!();
        const homeless = !asked.believed || (asked.vo === null && asked.fqans.length === 0);
        const counts = (kind: string): boolean => asked.believed || (kind !== "vo" && kind !== "role");
        const expected = (): string => {
          if ([...bans, ...deny].some((one) => speaksOf(one, true))) return "Deny";
          if (permit.some((one) => counts(one.kind) && speaksOf(one, false))) return "Permit";
          if (homeless && withoutVo === "deny") return "Deny";
          return fallback === "permit" ? "Permit" : "Deny";
        };
        const banned = new Set(bans.map(({ kind, value }) => sazKey(kind, value)));
        const policy = { default: fallback, withoutVo, permit, deny };
        const look = (key: string): string | undefined => (banned.has(key) ? "" : undefined);
        assert.equal(compileSaz(policy, look)(asked).decision, expected());
        assert.equal(explainSaz(policy, look, asked).decision.decision, expected());
      },
    ),
    { numRuns: 5000 },
  );
});

test("entries name one thing each, and groups of tokens are groups where they are spelt as such", () => {
  const issuer = "https://a.example.org";
  assert.deepEqual(sazEntry({ issuer }), { kind: "issuer", value: issuer });
  assert.deepEqual(sazEntry({ subject: "x", issuer }), { kind: "token", value: `${issuer} x` });
  assert.deepEqual(sazEntry({ issuer, scope: "compute.create" }), { kind: "scope", value: `${issuer} compute.create` });
  assert.deepEqual(sazEntry({ token: `${issuer} x` }), { kind: "token", value: `${issuer} x` });
  for (const wrong of [
    {},
    { issuer: "http://a.example.org" },
    { issuer: "https://a b" },
    { issuer, subject: "a b" },
    { issuer, subject: "" },
    { issuer, subject: "a", scope: "b" },
    { subject: "a" },
    { dn: "/CN=A", issuer },
    { token: issuer },
    { issuer: 7 },
    { constructor: "x" },
  ])
    assert.throws(() => sazEntry(wrong), NameRefused, JSON.stringify(wrong));
  assert.deepEqual(sazGroups(["/fermilab", "/fermilab/nova/Role=x/Capability=NULL", "staff", "/a b"]), [
    "/fermilab",
    "/fermilab/nova/Role=x",
  ]);
});
