/** History by day and month: midnight, ends of months, daylight saving, pauses in looking, flapping, causes; and against a slow reference. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  daysOf,
  type Fact,
  factsOf,
  flapping,
  type HistoryInput,
  historyOf,
  historyPage,
  lengthText,
  levelOf,
  type OutcomeChange,
  outageText,
  percentText,
  type Related,
  type SubjectHistory,
  wallClock,
  worstOf,
} from "../../src/probe/index.ts";

const S = 1000;
const MIN = 60 * S;
const H = 60 * MIN;
const D = 24 * H;
const utc = (text: string): number => Date.parse(`${text}Z`);
const alone = (subject: string): Related => ({ self: subject.split(" ")[1]!, host: null, parts: [] });

const good = (at: number, subject = "alias a"): OutcomeChange => ({ subject, at, outcome: "answers", says: "fine" });
const bad = (at: number, subject = "alias a", says = "refused"): OutcomeChange => ({
  subject,
  at,
  outcome: "failed",
  says,
});

function history(over: Partial<HistoryInput> & Pick<HistoryInput, "from" | "to">) {
  return historyOf({
    zone: "UTC",
    watches: [{ begun: over.from, until: over.to, subjects: ["alias a"] }],
    changes: [good(over.from)],
    facts: [],
    related: alone,
    ...over,
  });
}

/** The only subject there is. */
function only(over: Partial<HistoryInput> & Pick<HistoryInput, "from" | "to">): SubjectHistory {
  const { subjects } = history(over);
  assert.equal(subjects.length, 1);
  return subjects[0]!;
}
const byDay = ({ days }: SubjectHistory) =>
  days.map(({ name, looked, unanswered, outages }) => [name, looked, unanswered, outages]);

describe("days", () => {
  test("an outage over midnight is in both days, and begins in the first", () => {
    const from = utc("2026-11-19T00:00:00");
    const found = only({
      from,
      to: from + 2 * D,
      changes: [good(from), bad(from + D - 10 * S), good(from + D + 5 * S)],
    });
    assert.deepEqual(byDay(found), [
      ["2026-11-19", 86_400, 10, 1],
      ["2026-11-20", 86_400, 5, 0],
    ]);
    assert.deepEqual([found.total.unanswered, found.total.outages, found.outages.length], [15, 1, 1]);
    assert.equal(found.days[0]!.share, (86_400 - 10) / 86_400);
  });

  test("an outage that ends at midnight is in the first day alone", () => {
    const from = utc("2026-11-19T00:00:00");
    const found = only({ from, to: from + 2 * D, changes: [good(from), bad(from + D - S), good(from + D)] });
    assert.deepEqual(
      byDay(found).map((day) => day[2]),
      [1, 0],
    );
  });

  test("months are sums of their days: over the end of February in a leap year, and of the year", () => {
    const from = utc("2028-02-28T12:00:00");
    const found = only({
      from,
      to: from + 2 * D,
      changes: [good(from), bad(from + 12 * H - S), good(from + 12 * H + 2 * S)],
    });
    assert.deepEqual(
      found.days.map(({ name }) => name),
      ["2028-02-28", "2028-02-29", "2028-03-01"],
    );
    assert.deepEqual(
      found.months.map(({ name, looked, unanswered, outages }) => [name, looked, unanswered, outages]),
      [
        ["2028-02", 43_200 + 86_400, 3, 1],
        ["2028-03", 43_200, 0, 0],
      ],
    );
    const year = only({
      from: utc("2026-12-31T23:00:00"),
      to: utc("2027-01-01T01:00:00"),
      watches: [{ begun: utc("2026-12-31T23:00:00"), until: utc("2027-01-01T01:00:00"), subjects: ["alias a"] }],
      changes: [good(utc("2026-12-31T23:00:00"))],
    });
    assert.deepEqual(
      year.months.map(({ name, looked }) => [name, looked]),
      [
        ["2026-12", 3600],
        ["2027-01", 3600],
      ],
    );
  });

  const SAVING: readonly (readonly [zone: string, from: string, to: string, hours: readonly number[]])[] = [
    ["Europe/Berlin", "2026-03-28T23:00:00", "2026-03-30T22:00:00", [23, 24]],
    ["Europe/Berlin", "2026-10-23T22:00:00", "2026-10-25T23:00:00", [24, 25]],
    ["America/Chicago", "2026-11-01T05:00:00", "2026-11-02T06:00:00", [25]],
    // The clock goes on half an hour there.
    ["Australia/Lord_Howe", "2026-04-04T13:00:00", "2026-04-05T13:30:00", [24.5]],
    // No midnight: the day begins at one.
    ["America/Santiago", "2026-09-06T04:00:00", "2026-09-07T03:00:00", [23]],
    ["Asia/Kathmandu", "2026-01-01T18:15:00", "2026-01-02T18:15:00", [24]],
    ["UTC", "2026-01-01T00:00:00", "2026-01-03T00:00:00", [24, 24]],
  ];
  for (const [zone, from, to, hours] of SAVING)
    test(`have the hours of their zone: ${zone}, ${from.slice(0, 10)}`, () => {
      const found = only({ from: utc(from), to: utc(to), zone });
      assert.deepEqual(
        found.days.map((day) => (day.to - day.from) / H),
        hours,
      );
      assert.deepEqual(
        found.days.map(({ looked }) => looked / 3600),
        hours,
      );
    });

  test("an outage across the change of clocks is as long as it was", () => {
    const from = utc("2026-10-25T00:00:00");
    // 02:30 summer time to 02:30 winter time: an hour, though the clock says the same.
    const found = only({
      from,
      to: from + 4 * H,
      zone: "Europe/Berlin",
      changes: [good(from), bad(from + H / 2), good(from + 1.5 * H)],
    });
    assert.equal(found.total.unanswered, 3600);
    assert.deepEqual(
      [found.outages[0]!.from, found.outages[0]!.to!].map((at) => wallClock(at, "Europe/Berlin")),
      ["2026-10-25 02:30:00", "2026-10-25 02:30:00"],
    );
  });

  test("a zone that nobody knows is refused in a sentence", () => {
    assert.throws(() => daysOf(0, D, "Mars/Olympus"), /no time zone is called Mars\/Olympus/);
  });
});

describe("pauses in looking", () => {
  const from = utc("2026-11-20T00:00:00");
  const watch = (begun: number, until: number) => ({ begun: from + begun, until: from + until, subjects: ["alias a"] });

  test("are neither good nor bad", () => {
    const found = only({
      from,
      to: from + D,
      watches: [watch(0, 6 * H), watch(18 * H, 24 * H)],
      changes: [good(from)],
    });
    assert.deepEqual([found.total.looked, found.total.share, levelOf(found.days[0]!)], [43_200, 1, "good"]);
    const nobody = only({ from, to: from + 2 * D, watches: [watch(0, H)], changes: [good(from)] });
    assert.deepEqual(
      nobody.days.map((day) => [day.share, levelOf(day)]),
      [
        [1, "good"],
        [null, "none"],
      ],
    );
  });

  test("an outage that reaches into one counts as long as somebody looked, and says so", () => {
    const found = only({
      from,
      to: from + D,
      watches: [watch(0, H), watch(2 * H, 3 * H)],
      changes: [good(from), bad(from + H - 30 * S), good(from + 2 * H + S)],
    });
    assert.deepEqual([found.total.unanswered, found.total.looked], [31, 7200]);
    const [outage] = found.outages;
    assert.deepEqual([outage!.seconds, outage!.unseen], [31, 3600]);
    assert.match(outageText(outage!), /^31 s, and nobody looked for 1 h of it: cause not known/);
  });

  test("looking from the middle of a minute on counts from there", () => {
    const found = only({ from, to: from + H, watches: [watch(47 * S, 60 * S)], changes: [good(from + 47 * S)] });
    assert.equal(found.total.looked, 13);
  });

  test("two who look at once are not counted twice", () => {
    const found = only({ from, to: from + H, watches: [watch(0, 10 * MIN), watch(5 * MIN, 20 * MIN)] });
    assert.equal(found.total.looked, 1200);
  });

  test("a subject is looked at from its first answer on, and until it is no longer asked", () => {
    const { subjects } = history({
      from,
      to: from + D,
      watches: [
        { begun: from, until: from + H, subjects: ["alias a", "guest old"] },
        { begun: from + H, until: from + 3 * H, subjects: ["alias a", "guest new"] },
      ],
      changes: [good(from), bad(from, "guest old"), good(from + 2 * H, "guest new")],
    });
    assert.deepEqual(
      subjects.map(({ subject, total }) => [subject, total.looked, total.unanswered]),
      [
        ["alias a", 3 * 3600, 0],
        ["guest new", 3600, 0],
        ["guest old", 3600, 3600],
      ],
    );
  });

  test("what is so since before the time is known, and still so at its end", () => {
    const found = only({ from, to: from + H, changes: [bad(from - 5 * H)] });
    const [outage] = found.outages;
    assert.deepEqual(
      [found.total.unanswered, outage!.from, outage!.to, outage!.seconds],
      [3600, from - 5 * H, null, 3600],
    );
    assert.equal(found.total.outages, 1);
    assert.match(outageText(outage!), /^1 h so far/);
  });
});

test("answering reads only is an answer; a clock that was set back turns no time round", () => {
  const from = utc("2026-11-20T00:00:00");
  const reads: OutcomeChange = { subject: "alias a", at: from + 10 * S, outcome: "read-only", says: "" };
  assert.equal(only({ from, to: from + H, changes: [good(from), reads] }).total.unanswered, 0);
  const back = only({
    from,
    to: from + H,
    changes: [good(from), bad(from + 100 * S), good(from + 40 * S), bad(from + 90 * S), good(from + 130 * S)],
  });
  assert.equal(back.total.unanswered, 30);
  assert.ok(back.outages.every((one) => one.to === null || one.to >= one.from));
});

describe("causes", () => {
  const from = utc("2026-11-20T12:00:00");
  const event = (at: number, kind: string, about: string, says: string) => ({ at: from + at, kind, about, says });
  const related = (subject: string): Related =>
    subject.startsWith("alias ")
      ? { self: "gums", host: null, parts: ["fg5x2", "fg6x2", "fermigrid5", "fermigrid6"] }
      : subject.startsWith("guest ")
        ? { self: subject.slice(6), host: "fermigrid5", parts: [] }
        : { self: subject.slice(5), host: null, parts: [] };

  function causes(facts: readonly Fact[], changes: readonly OutcomeChange[]): Readonly<Record<string, string>> {
    const { subjects } = history({
      from,
      to: from + H,
      watches: [{ begun: from, until: from + H, subjects: [...new Set(changes.map(({ subject }) => subject))] }],
      changes,
      facts,
      related,
    });
    return Object.fromEntries(
      subjects.flatMap(({ outages }) => outages.map((one) => [one.subject, `${one.cause.kind}: ${one.cause.says}`])),
    );
  }
  const down = (subject: string, at = 10 * MIN) => [
    good(from, subject),
    bad(from + at, subject),
    good(from + at + 8 * S, subject),
  ];

  test("a host that was cut: of its guests, and of the alias", () => {
    const found = causes(
      [],
      [
        ...down("host fermigrid5").map((one) => ({ ...one, says: "host fermigrid5 is cut off from power" })),
        ...down("guest fg5x2"),
        ...down("alias gums"),
      ],
    );
    assert.deepEqual(found, {
      "alias gums": "host: host fermigrid5 is cut off from power",
      "guest fg5x2": "host: host fermigrid5 is cut off from power",
      "host fermigrid5": "host: host fermigrid5 is cut off from power",
    });
  });

  test("a person, a crash, domus up: what concerns the guest itself comes before what happened beside it", () => {
    const at = 10 * MIN;
    const stopped = factsOf(
      [event(at - S, "guest", "fg5x2", "stop by a person"), event(at + S, "ended", "fg5x2", "signal SIGTERM")],
      [],
    );
    assert.equal(causes(stopped, down("guest fg5x2"))["guest fg5x2"], "person: stop by a person");
    const crashed = factsOf(
      [event(at + S, "ended", "fg5x2", "signal SIGKILL"), event(at, "guest", "fg6x3", "stop by a person")],
      [],
    );
    assert.equal(causes(crashed, down("guest fg5x2"))["guest fg5x2"], "ended: fg5x2: signal SIGKILL");
    assert.equal(causes(crashed, down("alias gums"))["alias gums"], "ended: fg5x2: signal SIGKILL");
    const run = factsOf(
      [event(at - 20 * S, "blueprint", "7", "asked by a person"), event(at + MIN, "up", "s", "9 steps")],
      [{ at: from + at - S, step: "guest.retire:fg5x2@fermigrid5", state: "begun" }],
    );
    assert.equal(causes(run, down("guest fg5x2"))["guest fg5x2"], "replaced: domus up made fg5x2 anew");
    assert.equal(
      causes(run, down("guest fg6x3"))["guest fg6x3"],
      "up: a run of domus up (blueprint 7: asked by a person)",
    );
  });

  test("what is nearest to the beginning counts, nothing that happened after the end, and nothing that brings a guest back", () => {
    const at = 10 * MIN;
    const both = factsOf(
      [event(at - 4 * S, "guest", "fg5x2", "stop by a person"), event(at + S, "guest", "fg5x2", "start by a person")],
      [],
    );
    assert.equal(causes(both, down("guest fg5x2"))["guest fg5x2"], "person: stop by a person");
    const crash = factsOf(
      [event(at + S, "ended", "fg5x2", "signal SIGKILL"), event(at + 14 * S, "guest", "fg5x2", "stop by a person")],
      [],
    );
    const cutLater = [good(from, "host fermigrid5"), bad(from + at + 14 * S, "host fermigrid5")];
    const found = causes(crash, [...down("guest fg5x2"), ...cutLater]);
    assert.equal(found["guest fg5x2"], "ended: fg5x2: signal SIGKILL");
  });

  test("an acceptance test's own kills are told apart, and nothing else is put on it", () => {
    const facts = factsOf(
      [
        event(9 * MIN, "acceptance", "failover", "begin"),
        event(10 * MIN + S, "ended", "fg5x2", "signal SIGKILL"),
        event(15 * MIN, "acceptance", "failover", "end"),
      ],
      [],
    );
    const found = history({
      from,
      to: from + H,
      watches: [{ begun: from, until: from + H, subjects: ["guest fg5x2"] }],
      changes: [
        ...down("guest fg5x2", 5 * MIN),
        ...down("guest fg5x2", 10 * MIN).slice(1),
        ...down("guest fg5x2", 30 * MIN).slice(1),
      ],
      facts,
      related,
    }).subjects[0]!;
    assert.deepEqual(
      found.outages.map(({ cause }) => cause.kind),
      ["unknown", "acceptance", "unknown"],
    );
    assert.equal(found.outages[1]!.cause.says, "the acceptance test failover (fg5x2: signal SIGKILL)");
    assert.deepEqual([found.total.unanswered, found.total.tested], [24, 8]);
    assert.equal(found.total.shareApart, (3600 - 24) / (3600 - 8));
    assert.deepEqual(
      worstOf(found.outages, 3).map(({ from: at }) => (at - from) / MIN),
      [5, 30, 10],
      "the tests' own come last",
    );
  });

  test("a day with outages of tests alone is marked as that", () => {
    const facts = factsOf(
      [event(9 * MIN, "acceptance", "failover", "begin"), event(15 * MIN, "acceptance", "failover", "end")],
      [],
    );
    const found = history({ from, to: from + H, changes: down("alias a"), facts, related }).subjects[0]!;
    assert.equal(levelOf(found.days[0]!), "test");
  });

  test("a test or run that was killed ends when the next begins, at the latest after hours", () => {
    const facts = factsOf(
      [
        event(0, "acceptance", "stress", "begin"),
        event(20 * MIN, "acceptance", "stress", "begin"),
        event(30 * MIN, "acceptance", "stress", "end"),
        event(0, "blueprint", "1", "x"),
      ],
      [],
    );
    assert.deepEqual(
      facts.map(({ kind, from: begin, to }) => [kind, (begin - from) / MIN, (to - from) / MIN]),
      [
        ["acceptance", 0, 20],
        ["acceptance", 20, 30],
        ["up", 0, 60],
      ],
    );
    const [forgotten] = factsOf([event(0, "acceptance", "basic", "begin")], []);
    assert.equal((forgotten!.to - forgotten!.from) / H, 2);
    const killed = factsOf(
      [
        event(0, "acceptance", "basic", "begin"),
        event(MIN, "acceptance", "failover", "begin"),
        event(2 * MIN, "acceptance", "failover", "end"),
      ],
      [],
    );
    assert.deepEqual(
      killed.map(({ says, to }) => [says, (to - from) / MIN]),
      [
        ["the acceptance test basic", 1],
        ["the acceptance test failover", 2],
      ],
    );
  });
});

describe("flapping", () => {
  const now = utc("2026-11-20T12:00:00");
  const changes = (count: number, every: number, end = now) =>
    Array.from({ length: count }, (_, index) => {
      const at = end - (count - 1 - index) * every;
      return index % 2 === 0 ? bad(at, "guest x") : good(at, "guest x");
    });

  test("more than six changes within an hour, not six; and not when it has been quiet since, nor in an acceptance test", () => {
    assert.deepEqual(flapping(changes(6, MIN), [], now), []);
    const [found] = flapping(changes(7, MIN), [], now);
    assert.deepEqual([found!.subject, found!.changes, found!.last.says], ["guest x", 7, "refused"]);
    assert.deepEqual(flapping(changes(7, 11 * MIN), [], now), [], "seven in more than an hour");
    assert.deepEqual(flapping(changes(9, MIN, now - 11 * MIN), [], now), [], "quiet for eleven minutes");
    const test: Fact = { kind: "acceptance", about: "", says: "", from: now - 20 * MIN, to: now - 30 * S };
    assert.deepEqual(flapping(changes(9, MIN), [test], now), []);
  });

  test("thirty thousand changes: exact sums, every outage, and in moments", () => {
    const from = utc("2026-11-01T00:00:00");
    const list = Array.from({ length: 30_000 }, (_, index) => (index % 2 === 0 ? good : bad)(from + index * 10 * S));
    const facts = factsOf(
      Array.from({ length: 5000 }, (_, index) => ({
        at: from + index * MIN,
        kind: "ended",
        about: "a",
        says: "signal SIGKILL",
      })),
      [],
    );
    const found = only({ from, to: from + 4 * D, changes: list, facts });
    // Until the last change but one: each second ten seconds are bad; nothing changed after that.
    const whole = 30_000 * 10;
    assert.equal(found.total.unanswered, whole / 2 + (4 * 86_400 - whole));
    assert.equal(found.outages.length, 15_000);
    assert.equal(
      found.days.reduce((sum, day) => sum + day.outages, 0),
      15_000,
    );
    assert.equal(found.outages[7]!.cause.kind, "ended");
  });
});

/** Second by second: what history must be, written down as slowly as one can. */
function reference(input: HistoryInput): { readonly looked: number; readonly unanswered: number } {
  let looked = 0;
  let unanswered = 0;
  for (let at = input.from; at < input.to; at += S) {
    let state: string | null = null;
    for (const change of input.changes) if (change.at <= at) state = change.outcome;
    const seen = input.watches.some(({ begun, until }) => begun <= at && at < until);
    if (!seen || state === null) continue;
    looked++;
    if (state === "failed") unanswered++;
  }
  return { looked, unanswered };
}

test("whatever is recorded, sums are those of a slow reference, and days, months and outages add up to them", () => {
  const from = utc("2026-03-28T22:50:00");
  const recorded = fc.record({
    marks: fc.array(fc.tuple(fc.integer({ min: -100, max: 4000 }), fc.constantFrom("answers", "failed", "read-only")), {
      maxLength: 12,
    }),
    watches: fc.array(fc.tuple(fc.nat(4000), fc.nat(1500)), { maxLength: 5 }),
    zone: fc.constantFrom("UTC", "Europe/Berlin", "Pacific/Auckland"),
  });
  let told = 0;
  fc.assert(
    fc.property(recorded, ({ marks, watches, zone }) => {
      const input: HistoryInput = {
        from,
        to: from + 4000 * S,
        zone,
        watches: watches.map(([at, length]) => ({
          begun: from + at * S,
          until: from + (at + length) * S,
          subjects: ["alias a"],
        })),
        changes: marks
          .toSorted((a, b) => a[0] - b[0])
          .map(([at, outcome]) => ({ subject: "alias a", at: from + at * S, outcome, says: "" }) as OutcomeChange),
        facts: [],
        related: alone,
      };
      const expected = reference(input);
      const [found] = historyOf(input).subjects;
      assert.deepEqual({ looked: found?.total.looked ?? 0, unanswered: found?.total.unanswered ?? 0 }, expected);
      if (!found) return;
      const sum = (
        of: readonly { readonly looked: number; readonly unanswered: number }[],
        key: "looked" | "unanswered",
      ) => Math.round(of.reduce((total, one) => total + one[key], 0));
      for (const key of ["looked", "unanswered"] as const) {
        assert.equal(sum(found.days, key), expected[key]);
        assert.equal(sum(found.months, key), expected[key]);
      }
      assert.equal(Math.round(found.outages.reduce((total, one) => total + one.seconds, 0)), expected.unanswered);
      if (expected.unanswered > 0) told++;
    }),
    { numRuns: 400 },
  );
  assert.ok(told > 100, `${told} histories had an outage: the test would be empty`);
});

test("words: shares are never rounded up to all, lengths have two parts at most", () => {
  assert.deepEqual([1, 0.999999, 0.99984, 0.5, 0, null].map(percentText), [
    "100 %",
    "99.999 %",
    "99.98 %",
    "50.00 %",
    "0.00 %",
    "–",
  ]);
  assert.deepEqual([0.94, 17.4, 200, 7500, 273_600, 3600].map(lengthText), [
    "0.9 s",
    "17 s",
    "3 min 20 s",
    "2 h 5 min",
    "3 d 4 h",
    "1 h",
  ]);
});

test("the page has every subject, month and outage, and nothing that people wrote as markup", () => {
  const from = utc("2026-10-30T00:00:00");
  const found = history({
    from,
    to: from + 3 * D,
    changes: [good(from), bad(from + H, "alias a", "<script>alert(1)</script>"), good(from + H + 5 * S)],
  });
  const page = historyPage(found, {
    site: "x",
    lead: "How it was.",
    titles: new Map([["alias a", "<b>"]]),
    command: "domus status",
  });
  assert.match(page, /2026-10[\s\S]*2026-11/);
  assert.match(page, /2026-10-30: 99\.994 %, 5 s without an answer in 1 outage/);
  assert.match(page, /&lt;script&gt;/);
  assert.doesNotMatch(page, /<script|<b>/);
  const empty = historyPage(history({ from, to: from + D, watches: [], changes: [] }), {
    site: "x",
    lead: "",
    titles: new Map(),
    command: "",
  });
  assert.match(empty, /Nobody looked in this time/);
});
