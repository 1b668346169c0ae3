/** SAZ's decision against a slow, obvious reference. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { covers, formatFqan, parseFqan, voOf } from "../../src/grid/index.ts";
import { compileSaz, explainSaz, sazKey } from "../../src/policy/index.ts";

test("the decision is the obvious one (1,000 random policies against a slow reference)", () => {
  const vo = fc.constantFrom("cms", "cmsx", "atlas");
  const fqan = fc
    .tuple(
      vo,
      fc.array(fc.constantFrom("us", "usa", "mc"), { maxLength: 2 }),
      fc.option(fc.constantFrom("prod", "pilot")),
    )
    .map(([first, rest, role]) => parseFqan(`/${[first, ...rest].join("/")}${role === null ? "" : `/Role=${role}`}`));
  const dn = fc.constantFrom("/CN=A", "/CN=B", "/CN=A/CN=proxy", "/CN=A/CN=99", "/CN=AB");
  const entry = fc.oneof(
    dn.map((value) => ({ kind: "dn" as const, value })),
    vo.map((value) => ({ kind: "vo" as const, value })),
    fqan.map((value) => ({ kind: "role" as const, value: formatFqan(value) })),
    fc.constantFrom("/CN=CA1", "/CN=CA2").map((value) => ({ kind: "ca" as const, value })),
  );
  const question = fc.record({
    subject: dn,
    vo: fc.option(vo),
    fqans: fc.array(fqan.map(formatFqan), { maxLength: 3 }),
    ca: fc.option(fc.constantFrom("/CN=CA1", "/CN=CA2")),
  });
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
              one.value === asked.subject ||
              (proxied &&
                asked.subject.startsWith(one.value) &&
                /^(\/CN=(proxy|\d+))+$/.test(asked.subject.slice(one.value.length))),
            vo: () => asked.vo === one.value || asked.fqans.some((each) => voOf(parseFqan(each)) === one.value),
            role: () => asked.fqans.some((each) => covers(parseFqan(one.value), parseFqan(each))),
            ca: () => asked.ca === one.value,
          })[one.kind]!();
        const homeless = asked.vo === null && asked.fqans.length === 0;
        const expected = (): string => {
          if ([...bans, ...deny].some((one) => speaksOf(one, true))) return "Deny";
          if (permit.some((one) => speaksOf(one, false))) return "Permit";
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
    { numRuns: 1000 },
  );
});
