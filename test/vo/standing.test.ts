/** What a person is, from what was recorded: each way a membership begins, rests and ends; and the same whatever order the records come in. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { RecordedEvent } from "../../services/records/index.ts";
import { identityKey, namedPerson, VoBook } from "../../services/vo/index.ts";
import { Chronicle } from "../../services/vomrs/chronicle.ts";
import {
  placesOf,
  readVos,
  type Standing,
  standingOf,
  type VoDefinition,
  VoFacts,
  type VoKind,
  whyNotUsable,
} from "../../src/vo/index.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-11-20T12:00:00Z");
const ago = (days: number): string => new Date(NOW - days * DAY).toISOString();

function definition(more: Readonly<Record<string, unknown>> = {}): VoDefinition {
  const read = readVos([
    {
      name: "vo",
      groups: ["/vo/a"],
      roles: ["prod"],
      institutions: [{ name: "Karlsruhe", until: "2027-06-30" }],
      ...more,
    },
  ]);
  assert.ok(read.vos, JSON.stringify(read.mistakes));
  return read.vos[0]!;
}
const RULES = { version: "2", text: "Be kind.", every: "365 days", grace: "14 days" };

type Word = readonly [
  kind: VoKind,
  key: string,
  action: string,
  value?: Readonly<Record<string, unknown>>,
  at?: string,
  actor?: string,
];

function standing(words: readonly Word[], vo = definition(), now = NOW): Standing {
  const facts = new VoFacts();
  for (const [kind, key, action, value = {}, at = ago(100), actor = "olga"] of words)
    facts.put({ vo: "vo", kind, key, action, value, reason: "because", actor, at });
  return standingOf(vo, facts, facts.people.get("p"), now);
}

const APPROVED: Word = ["application", "p", "approved", { until: NOW + 30 * DAY }];
const OF_KARLSRUHE: Word = ["person", "p", "set", { name: "Alice", institution: "Karlsruhe" }];

describe("standing", () => {
  const rules = definition({ rules: RULES });
  const rows: readonly (readonly [
    string,
    readonly Word[],
    VoDefinition,
    Standing["state"],
    Standing["ends"],
    number | null,
  ])[] = [
    ["nobody", [], definition(), "visitor", null, null],
    ["details alone", [OF_KARLSRUHE], definition(), "visitor", null, null],
    ["applied", [["application", "p", "applied"]], definition(), "candidate", null, null],
    ["confirmed", [["application", "p", "confirmed"]], definition(), "applicant", null, null],
    ["denied", [["application", "p", "denied"]], definition(), "denied", null, null],
    ["approved", [APPROVED], definition(), "member", "membership", NOW + 30 * DAY],
    ["approved for good", [["application", "p", "approved", { until: null }]], definition(), "member", null, null],
    ["removed", [["application", "p", "removed"]], definition(), "removed", null, null],
    ["suspended", [APPROVED, ["suspension", "p", "suspend"]], definition(), "suspended", null, null],
    ["lifted", [APPROVED, ["suspension", "p", "resume"]], definition(), "member", "membership", NOW + 30 * DAY],
    ["over", [["application", "p", "approved", { until: NOW }]], definition(), "expired", null, null],
    [
      "institution of the file",
      [APPROVED, OF_KARLSRUHE],
      definition({ institutions: [{ name: "Karlsruhe", until: "2026-11-19" }] }),
      "expired",
      null,
      null,
    ],
    [
      "institution as recorded",
      [APPROVED, OF_KARLSRUHE, ["institution", "Karlsruhe", "set", { until: NOW + DAY }]],
      definition(),
      "member",
      "institution",
      NOW + DAY,
    ],
    [
      "institution for good again",
      [APPROVED, OF_KARLSRUHE, ["institution", "Karlsruhe", "set", { until: null }]],
      definition({ institutions: [{ name: "Karlsruhe", until: "2026-01-01" }] }),
      "member",
      "membership",
      NOW + 30 * DAY,
    ],
    // The rules: never signed, in the grace since the version is in force, since the approval where that is later.
    ["a version nobody has recorded yet", [APPROVED], rules, "member", "rules", NOW + 14 * DAY],
    [
      "a version since yesterday",
      [APPROVED, ["rules", "current", "in force", { version: "2", since: NOW - DAY }]],
      rules,
      "member",
      "rules",
      NOW + 13 * DAY,
    ],
    [
      "a version for a month",
      [APPROVED, ["rules", "current", "in force", { version: "2", since: NOW - 30 * DAY }]],
      rules,
      "unsigned",
      null,
      null,
    ],
    [
      "approved yesterday under an old version",
      [
        ["application", "p", "approved", { until: null }, ago(1)],
        ["rules", "current", "in force", { version: "2", since: NOW - 300 * DAY }],
      ],
      rules,
      "member",
      "rules",
      NOW + 13 * DAY,
    ],
    [
      "renewed yesterday, which is no approval",
      [
        ["application", "p", "approved", { until: null, since: NOW - 300 * DAY }, ago(1)],
        ["rules", "current", "in force", { version: "2", since: NOW - 300 * DAY }],
      ],
      rules,
      "unsigned",
      null,
      null,
    ],
    [
      "signed",
      [APPROVED, ["signature", "p 2", "sign", { at: NOW - 350 * DAY }]],
      rules,
      "member",
      "rules",
      NOW + 15 * DAY,
    ],
    [
      "signed too long ago",
      [APPROVED, ["signature", "p 2", "sign", { at: NOW - 366 * DAY }]],
      rules,
      "unsigned",
      null,
      null,
    ],
    [
      "another version signed long ago, this one since yesterday",
      [
        APPROVED,
        ["signature", "p 1", "sign", { at: NOW - 350 * DAY }],
        ["rules", "current", "in force", { version: "2", since: NOW - DAY }],
      ],
      rules,
      "member",
      "rules",
      NOW + 13 * DAY,
    ],
    [
      "signed for good",
      [APPROVED, ["signature", "p 2", "sign", { at: NOW - 3000 * DAY }]],
      definition({ rules: { ...RULES, every: "never" } }),
      "member",
      "membership",
      NOW + 30 * DAY,
    ],
    [
      "a signature taken back",
      [
        APPROVED,
        ["signature", "p 2", "withdraw"],
        ["rules", "current", "in force", { version: "2", since: NOW - 30 * DAY }],
      ],
      rules,
      "unsigned",
      null,
      null,
    ],
  ];
  for (const [name, words, vo, state, ends, until] of rows)
    it(name, () => {
      const is = standing(words, vo);
      assert.deepEqual([is.state, is.ends, is.until], [state, ends, until]);
      assert.ok(is.says.length > 5);
    });

  it("those the site file names are members for good, without signing", () => {
    const [vo] = [definition({ rules: RULES, members: [{ subject: "/CN=Filip", fqans: ["/vo/a/Role=prod"] }] })];
    const book = new VoBook([vo]);
    const person = book.holder("vo", "/CN=Filip", "/CN=any authority");
    assert.equal(person?.id, namedPerson("vo", "/CN=Filip"));
    assert.deepEqual(standingOf(vo, book.facts("vo"), person, NOW).state, "member");
    assert.deepEqual(placesOf(vo, person!), ["/vo", "/vo/a", "/vo/a/Role=prod"]);
  });

  it("says of each certificate whether it can be used", () => {
    const facts = new VoFacts();
    for (const state of ["asked", "good", "suspended", "removed", "refused", "something of a later version"])
      facts.put({
        vo: "vo",
        kind: "identity",
        key: state,
        action: state,
        value: { person: "p", kind: "certificate", subject: "/CN=a" },
        reason: "lost",
        actor: "",
        at: "",
      });
    const says = [...facts.people.get("p")!.identities.values()].map((one) => whyNotUsable(one));
    assert.deepEqual(says, [
      "this certificate waits for approval",
      null,
      "this certificate is suspended: lost",
      ...Array(3).fill("this certificate is not, or no longer, a member's"),
    ]);
  });
});

/** Words about three people and four certificates, as several servers wrote them. */
const anyWord: fc.Arbitrary<Record<string, string>> = fc.oneof(
  fc.record({
    kind: fc.constant("application"),
    name: fc.constantFrom("p", "q", "r"),
    action: fc.constantFrom("applied", "confirmed", "approved", "denied", "removed", "unheard-of"),
    value: fc.constantFrom("{}", `{"until":${NOW + DAY}}`, `{"until":${NOW - DAY}}`, "nonsense", "[]"),
  }),
  fc.record({
    kind: fc.constant("identity"),
    name: fc.constantFrom("k1", "k2", "k3", "k4"),
    action: fc.constantFrom("asked", "good", "suspended", "removed"),
    value: fc
      .constantFrom("p", "q", "r")
      .map((person) => JSON.stringify({ person, kind: "certificate", subject: "/CN=x", issuer: "/CN=y" })),
  }),
  fc.record({
    kind: fc.constant("suspension"),
    name: fc.constantFrom("p", "q"),
    action: fc.constantFrom("suspend", "resume"),
    value: fc.constant("{}"),
  }),
  fc.record({
    kind: fc.constant("place"),
    name: fc.constantFrom("p /vo/a", "p /vo/a/Role=prod", "q /vo/a"),
    action: fc.constantFrom("asked", "granted", "removed"),
    value: fc.constant("{}"),
  }),
  fc.record({
    kind: fc.constant("person"),
    name: fc.constantFrom("p", "q"),
    action: fc.constantFrom("set", "clear"),
    value: fc.constantFrom('{"name":"A","institution":"Karlsruhe"}', '{"name":7}'),
  }),
  fc.record({
    kind: fc.constant("institution"),
    name: fc.constant("Karlsruhe"),
    action: fc.constant("set"),
    value: fc.constantFrom(`{"until":${NOW - DAY}}`, '{"until":null}'),
  }),
  fc.record({
    kind: fc.constant("attribute"),
    name: fc.constantFrom("p nickname", "/vo/a quota"),
    action: fc.constantFrom("set", "remove"),
    value: fc.constantFrom('{"text":"1"}', '{"text":"2"}'),
  }),
  fc.record({
    kind: fc.constant("signature"),
    name: fc.constantFrom("p 1", "p 2"),
    action: fc.constant("sign"),
    value: fc.constantFrom(`{"at":${NOW - DAY}}`, `{"at":${NOW - 400 * DAY}}`),
  }),
  fc.record({
    kind: fc.constantFrom("rules", "of a later version"),
    name: fc.constant("current"),
    action: fc.constant("in force"),
    value: fc.constantFrom(`{"version":"2","since":${NOW - 30 * DAY}}`, "{}"),
  }),
  fc.record({
    kind: fc.constant("notice"),
    name: fc.constantFrom("p approved 1", "q denied 2"),
    action: fc.constant("sent"),
    value: fc.constant("{}"),
  }),
);

describe("whatever order the records come in", () => {
  const vo = definition({ rules: RULES, members: [{ subject: "/CN=Filip" }] });
  const eventsOf = (words: readonly Record<string, string>[]): readonly RecordedEvent[] => {
    const seqs = new Map<number, number>();
    return words.map((fields, at) => {
      const origin = (at % 3) + 1;
      seqs.set(origin, (seqs.get(origin) ?? 0) + 1);
      return {
        origin,
        seq: seqs.get(origin)!,
        counter: Math.floor(at / 2) + 1,
        at: ago(10),
        fields: { vo: "vo", reason: "", actor: "a", ...fields },
      };
    });
  };
  /** Everything anybody can see in a book. */
  const picture = (book: VoBook): unknown => {
    const facts = book.facts("vo");
    const people = [...facts.people.values()]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((person) => ({
        ...person,
        standing: standingOf(vo, facts, person, NOW),
        places: placesOf(vo, person),
        asked: [...person.places.values()].sort((a, b) => (a.fqan < b.fqan ? -1 : 1)),
        identities: [...person.identities.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
        signatures: [...person.signatures].sort(),
        attributes: [...person.attributes].sort(),
        notices: [...person.notices].sort(),
      }));
    const empty = (one: (typeof people)[number]): boolean =>
      one.application === null &&
      one.details === null &&
      one.identities.length === 0 &&
      one.asked.length === 0 &&
      one.notices.length === 0 &&
      one.signatures.length === 0 &&
      one.attributes.length === 0 &&
      one.suspension === null;
    return {
      // Of somebody whose certificate became another one's, an empty sheet may be left, which says nothing.
      people: people.filter((one) => !empty(one)),
      holders: ["k1", "k2", "k3", "k4", identityKey("certificate", "/CN=Filip", null)].map(
        (key) => facts.holderOf(key)?.id,
      ),
      institutions: [...facts.institutions],
      rules: facts.rules,
      attributes: [...facts.attributesOf("/vo/a")],
    };
  };

  it("the book is the same, also from a snapshot in the middle, and told twice", () => {
    const some = fc.array(anyWord, { maxLength: 40 });
    fc.assert(
      fc.property(some, fc.infiniteStream(fc.nat()), (words, chance) => {
        const events = eventsOf(words);
        const plain = new VoBook([vo]);
        for (const event of events) assert.equal(plain.take(event), true);

        // Each origin's in its own order, else in any; some learned before their turn.
        const mixed = new Chronicle([vo]);
        const lanes = [1, 2, 3].map((origin) => events.filter((event) => event.origin === origin));
        while (lanes.some((lane) => lane.length > 0)) {
          const open = lanes.filter((lane) => lane.length > 0);
          const lane = open[chance.next().value % open.length]!;
          if (chance.next().value % 4 === 0) mixed.learn(lane.at(-1)!);
          mixed.take(lane.shift()!);
        }
        assert.deepEqual(picture(mixed), picture(plain));

        const restored = new Chronicle([vo]);
        restored.restore(JSON.parse(JSON.stringify(mixed.save())));
        assert.deepEqual(picture(restored), picture(plain));
        for (const event of events) assert.equal(restored.take(event), false, "told twice");
        assert.deepEqual(picture(restored), picture(plain));
        // The record has every word once.
        for (const person of ["p", "q", "r", ""])
          assert.deepEqual(restored.history("vo", person), mixed.history("vo", person));
        const told = ["p", "q", "r", ""].reduce((sum, person) => sum + mixed.history("vo", person).length, 0);
        assert.equal(told, events.length);
      }),
      { numRuns: 300 },
    );
  });
});
