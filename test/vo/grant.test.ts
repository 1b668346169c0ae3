/** What a member is given for what he asks, by vomsd's rules: all his groups always, roles only when asked for, what is asked first comes first. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { NameRefused } from "../../src/grid/index.ts";
import { type GrantWarning, grant, parseOrder, parseWish } from "../../src/vo/index.ts";

const HAS = ["/vo", "/vo/a", "/vo/b", "/vo/a/Role=prod", "/vo/Role=admin", "/vo/b/Role=prod"];
const wishes = (legacy: boolean, ...texts: readonly string[]) => texts.map((text) => parseWish(text, legacy));

/** Wishes as the REST call has them, or as commands of the older protocol; what comes of them. */
const ROWS: readonly {
  readonly rest?: readonly string[];
  readonly legacy?: readonly string[];
  readonly order?: readonly string[];
  readonly shown?: readonly string[];
  readonly is: readonly string[] | string;
  readonly warnings?: readonly GrantWarning[];
}[] = [
  { rest: [], legacy: [], is: ["/vo", "/vo/a", "/vo/b"] },
  { rest: ["/vo"], legacy: ["G/vo"], is: ["/vo", "/vo/a", "/vo/b"] },
  { rest: ["/vo/b"], legacy: ["G/vo/b"], is: ["/vo/b", "/vo", "/vo/a"] },
  { rest: ["/vo/a/Role=prod"], legacy: ["B/vo/a:prod"], is: ["/vo/a/Role=prod", "/vo", "/vo/a", "/vo/b"] },
  { rest: ["/vo/a/Role=prod/Capability=NULL"], is: ["/vo/a/Role=prod", "/vo", "/vo/a", "/vo/b"] },
  { rest: ["/vo/Role=NULL"], is: ["/vo", "/vo/a", "/vo/b"] },
  { rest: ["/Role=prod"], legacy: ["Rprod"], is: ["/vo", "/vo/a", "/vo/b", "/vo/a/Role=prod", "/vo/b/Role=prod"] },
  { rest: ["/"], legacy: ["A"], is: ["/vo", "/vo/a", "/vo/b", "/vo/Role=admin", "/vo/a/Role=prod", "/vo/b/Role=prod"] },
  {
    rest: ["all"],
    legacy: ["Gall"],
    is: ["/vo", "/vo/a", "/vo/b", "/vo/Role=admin", "/vo/a/Role=prod", "/vo/b/Role=prod"],
  },
  { rest: ["/vo/b", "/vo/a/Role=prod"], is: ["/vo/b", "/vo/a/Role=prod", "/vo", "/vo/a"] },
  { rest: ["/vo/c"], legacy: ["G/vo/c"], is: "unsatisfied" },
  { rest: ["/vo/a", "/vo/a/Role=king"], is: "unsatisfied" },
  { rest: ["/Role=king"], legacy: ["Rking"], is: "unsatisfied" },
  { rest: ["/other"], is: "unsatisfied" },
  { rest: ["/vo"], order: ["/vo/b", "/vo/a"], is: ["/vo/b", "/vo/a", "/vo"] },
  // An order is a wish about the place, not about what is given.
  { rest: ["/vo"], order: ["/vo/a/Role=prod"], is: ["/vo", "/vo/a", "/vo/b"], warnings: ["not-first"] },
  { rest: ["/vo/a"], shown: ["/vo", "/vo/b"], is: ["/vo", "/vo/b"], warnings: ["not-first", "subset"] },
  { rest: ["/vo"], shown: ["/vo", "/vo/a", "/vo/b"], is: ["/vo", "/vo/a", "/vo/b"] },
  { rest: ["/vo"], shown: ["/vo/c"], is: "empty" },
];

describe("what a member is given", () => {
  for (const { rest, legacy, order = [], shown = [], is, warnings = [] } of ROWS)
    for (const [words, old] of [
      [rest, false],
      [legacy, true],
    ] as const)
      if (words !== undefined)
        it(`${old ? "legacy" : "rest"} [${words}] order [${order}] shown [${shown}]`, () => {
          const given = grant(HAS, wishes(old, ...words), order, shown);
          if (typeof is === "string") assert.equal(given.refused, is);
          else
            assert.deepEqual(
              [given.refused, given.refused ? [] : given.fqans, given.refused ? [] : given.warnings],
              [undefined, is, warnings],
            );
        });

  it("refuses what is no wish with a sentence", () => {
    for (const [text, legacy] of [
      ["Xvo", true],
      ["", true],
      ["vo", false],
      ["/vo/a:", false],
      ["/vo/a:a b", false],
      ["R", true],
      ["B/vo:NULL/x", true],
      [`/vo/${"x".repeat(600)}`, false],
    ] as const)
      assert.throws(() => parseWish(text, legacy), NameRefused, text);
    assert.equal(parseOrder(" /vo/a:prod "), "/vo/a/Role=prod");
    assert.throws(() => parseOrder("a"), NameRefused);
  });

  it("property: never more than he has, every group he has unless less was shown, no role that was not asked for, nothing twice", () => {
    const fqan = fc.constantFrom(...HAS, "/vo/c", "/vo/c/Role=x");
    const wish = fc.constantFrom(
      "/vo",
      "/vo/a",
      "/vo/b",
      "/vo/a/Role=prod",
      "/vo/Role=admin",
      "/Role=prod",
      "/",
      "/vo/c",
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(fqan),
        fc.array(wish, { maxLength: 4 }),
        fc.array(fqan, { maxLength: 3 }),
        fc.uniqueArray(fqan, { maxLength: 3 }),
        (has, texts, order, shown) => {
          const given = grant(has, wishes(false, ...texts), order, shown);
          if (given.refused) return;
          assert.equal(new Set(given.fqans).size, given.fqans.length);
          for (const one of given.fqans) assert.ok(has.includes(one) && (shown.length === 0 || shown.includes(one)));
          for (const group of has.filter((one) => !one.includes("/Role=")))
            assert.ok(given.fqans.includes(group) || (shown.length > 0 && !shown.includes(group)));
          for (const role of given.fqans.filter((one) => one.includes("/Role=")))
            assert.ok(
              texts.some((text) => text === "/" || text === role || (text.startsWith("/Role=") && role.endsWith(text))),
            );
        },
      ),
    );
  });
});
