/** What the stress test makes of its figures: tables of measured and made-up cases, the documents' own among them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { StressStep, TierUse } from "../../src/acceptance/index.ts";
import { generatorsFor, shareOf, together } from "../../src/acceptance/stress/generators.ts";
import { between, broken, dayOf, kneeOf, lowestBroken } from "../../src/acceptance/stress/judging.ts";
import {
  idleBetween,
  type Moment,
  neededBy,
  processorsOf,
  tierOf,
  usesBetween,
} from "../../src/acceptance/stress/meter.ts";
import { nextServer, type Room, roomFor } from "../../src/acceptance/stress/next.ts";
import { findingsOf, partOf } from "../../src/acceptance/stress/part.ts";
import { CLIENTS, RAMP, scheduleOf } from "../../src/acceptance/stress/schedule.ts";
import { busiest, type Saturation, saturatedTier } from "../../src/acceptance/stress/tiers.ts";
import { openSite } from "../../src/cli/open.ts";
import { planSite } from "../../src/controller/index.ts";
import {
  type Blueprint,
  emptyInventory,
  type GuestName,
  OBJECTIVES,
  type ServiceName,
  type Site,
} from "../../src/model/index.ts";
import { Histogram, type LatencySummary, type LoadReport } from "../../src/probe/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";

const GUMS = "gums" as ServiceName;
const latency = (p99: number): LatencySummary => ({
  count: 1000,
  mean: p99 / 3,
  p50: p99 / 4,
  p90: p99 / 2,
  p99,
  p999: p99,
  max: p99,
});

function step(kind: StressStep["kind"], offered: number, kept: boolean, more: Partial<StressStep> = {}): StressStep {
  return {
    kind,
    connections: "new",
    offered,
    seconds: 3,
    answeredPerSecond: kept ? offered : offered * 0.9,
    repeated: 0,
    refused: 0,
    lost: 0,
    latency: latency(kept ? 20 : 900),
    service: latency(15),
    lateMs: 1,
    use: [],
    loadAverage: 1,
    idle: 0.5,
    kept,
    says: kept ? "" : "99 % within 900 ms, 500 ms allowed",
    ...more,
  };
}

const use = (name: string, tier: string, processors: number, of = 1): TierUse => ({
  name,
  tier,
  processors,
  of,
  memory: null,
});

describe("a step", () => {
  const counted = {
    waiting: { calls: 50, usual: 4 },
    calls: 1000,
    refused: 0,
    lost: 0,
    latency: latency(40),
  };
  const rows: readonly (readonly [what: string, change: Partial<typeof counted>, lost: number, says: RegExp | ""])[] = [
    ["keeps up", {}, 0, ""],
    ["is slow, and has as many under way as slow ones do", { waiting: { calls: 90, usual: 45 } }, 0, ""],
    [
      "falls behind though each answer is short",
      { waiting: { calls: 71, usual: 20 } },
      0,
      /71 of 1,000 calls still waited at its end/,
    ],
    ["answers too late", { latency: latency(501) }, 0, /99 % within 501 ms, 500 ms allowed/],
    ["loses a call", { lost: 1 }, 0, /1 calls lost and 0 refused of 1,000, 0 % allowed/],
    ["loses what may be lost", { lost: 1 }, 0.001, ""],
    ["refuses, which is no service either", { refused: 20 }, 0.01, /20 refused/],
    ["answers nothing", { calls: 0, latency: latency(0) }, 1, /nothing was answered/],
  ];
  for (const [what, change, lost, says] of rows)
    test(what, () => {
      const said = broken({ ...counted, ...change }, { ...OBJECTIVES, lost });
      if (says === "") assert.equal(said, "");
      else assert.match(said, says);
    });
  test("in closed loop nobody asks more than is answered", () => {
    assert.equal(broken({ ...counted, waiting: null }, OBJECTIVES), "");
  });
});

describe("the knee", () => {
  const rows: readonly (readonly [
    what: string,
    steps: readonly StressStep[],
    knee: number | null,
    limit: number | null,
  ])[] = [
    ["nothing yet", [], null, null],
    ["nothing broke", [step("open", 100, true), step("open", 200, true)], 200, null],
    ["between", [step("open", 100, true), step("open", 200, true), step("open", 300, false)], 200, 300],
    [
      "a busy moment that did not come again",
      [
        step("open", 100, false),
        step("open", 100, true),
        step("open", 200, true),
        step("open", 240, false),
        step("open", 240, false),
      ],
      200,
      240,
    ],
    [
      "nothing above what broke counts",
      [step("open", 100, true), step("open", 200, false), step("open", 300, true)],
      100,
      200,
    ],
    ["closed loops say nothing of it", [step("closed", 48, false), step("open", 100, true)], 100, null],
    [
      "kept connections neither",
      [step("open", 100, true), step("closed", 16, true, { connections: "kept", answeredPerSecond: 9000 })],
      100,
      null,
    ],
    [
      "a soak that broke breaks what held for a moment",
      [step("open", 100, true), step("open", 140, true), step("open", 160, true), step("soak", 120, false)],
      100,
      120,
    ],
    [
      "and the next soak, which held",
      [step("open", 100, true), step("open", 160, true), step("soak", 120, false), step("soak", 75, true)],
      100,
      120,
    ],
    ["not even the least", [step("open", 100, false), step("open", 50, false)], null, 50],
  ];
  for (const [what, steps, knee, limit] of rows)
    test(what, () => {
      assert.equal(kneeOf(steps)?.offered ?? null, knee);
      assert.equal(lowestBroken(steps)?.offered ?? null, limit);
    });
  test("is a load that held, below every load that broke for good, whatever was measured", () => {
    const any = fc.array(
      fc.record({ offered: fc.integer({ min: 1, max: 40 }), kept: fc.boolean(), soak: fc.boolean() }),
    );
    fc.assert(
      fc.property(any, (list) => {
        const steps = list.map(({ offered, kept, soak }) => step(soak ? "soak" : "open", offered, kept));
        const [knee, limit] = [kneeOf(steps), lowestBroken(steps)];
        if (knee) assert.ok(knee.kept && (limit === null || knee.offered < limit.offered));
        const next = between(steps);
        if (next !== null) assert.ok(knee!.offered < next && next < limit!.offered);
      }),
    );
  });
  test("the next server is due at three quarters: the documents' ten million a day", () => {
    assert.deepEqual(dayOf(10_000_000 / 86_400), { callsPerDay: 10_000_000, nextServerAt: 7_500_000 });
  });
});

/** GUMS of the documents at its maximum: load 9.5 and 15 % idle in its copies, 92 % idle in directors and databases. */
const GUMS_2007 = [
  use("fg5x2", "copies of gums", 1.7, 2),
  use("fg6x2", "copies of gums", 1.7, 2),
  use("fg5x0", "directors", 0.08),
  use("fg5x4", "database", 0.16, 2),
  use("load generator", "load generator", 0.3),
];

describe("the tier that is full", () => {
  const seen: Saturation = {
    use: GUMS_2007,
    idle: 0.6,
    loadAverage: 9.5,
    shared: false,
    copies: "copies of gums",
    perSecond: 115.7,
    generatorPerSecond: 1000,
  };
  const shared = [
    use("load generator", "load generator", 0.62),
    use("fg5x0", "directors", 0.31),
    use("fg5x2", "copies of gums", 0.5),
    use("fg6x2", "copies of gums", 0.49),
    use("fg5x4", "database", 0.02, 2),
    use("this machine", "machine", 1.98, 2),
    use("other programs", "other programs", 0.04, 2),
  ];
  const rows: readonly (readonly [what: string, change: Partial<Saturation>, tier: string, says: RegExp])[] = [
    [
      "GUMS in 2007: its copies",
      {},
      "copies of gums",
      /1\.7 of 2 and 1\.7 of 2.*directors 0\.08 of 1.*database 0\.16 of 2/,
    ],
    [
      "SAZ in 2007: nothing idle",
      { use: GUMS_2007.map((one) => (one.tier.startsWith("copies") ? { ...one, processors: 2 } : one)) },
      "copies of gums",
      /2 of 2/,
    ],
    [
      "a director",
      { use: [use("d", "directors", 0.97), use("a", "copies of gums", 0.5)] },
      "directors",
      /directors 0\.97 of 1 processors used; copies of gums 0\.5 of 1/,
    ],
    [
      "a database",
      { use: [use("d", "directors", 0.3), use("a", "copies of gums", 0.5), use("m", "database", 1.9, 2)] },
      "database",
      /1\.9 of 2/,
    ],
    [
      "one copy alone",
      { use: [use("a", "copies of gums", 0.99), use("b", "copies of gums", 0.1)] },
      "copies of gums",
      /b had half of theirs to spare: calls are not spread evenly/,
    ],
    [
      "a host, by the sum of its guests",
      { use: [use("a", "copies of gums", 0.6), use("h", "host", 3.9, 4)] },
      "host",
      /3\.9 of 4/,
    ],
    [
      "a host and who fills it: the guest is named",
      { use: [use("a", "copies of gums", 0.9), use("h", "host", 3.9, 4)] },
      "copies of gums",
      /0\.9 of 1/,
    ],
    [
      "the load generator's own processor",
      { use: [use("a", "copies of gums", 0.4), use("g", "load generator", 0.97)] },
      "load generator",
      /the service could do more/,
    ],
    [
      "as many calls as the generator can ask",
      { perSecond: 810, use: [use("a", "copies of gums", 0.4)] },
      "load generator",
      /81 % of the 1,000/,
    ],
    [
      "a machine that all share",
      { use: shared, idle: 0.01, shared: true, perSecond: 600, generatorPerSecond: 1000 },
      "machine",
      /share its 2 processors, 1 % idle, load average 9\.5; of them copies of gums took 50 %, load generator took 31 %, directors took 16 %/,
    ],
    [
      "a machine that programs of others have filled",
      {
        use: shared.map((one) => ({ ...one, processors: one.processors * (one.tier === "other programs" ? 35 : 0.3) })),
        idle: 0.01,
        shared: true,
        perSecond: 100,
      },
      "other programs",
      /not the site: .*other programs took 70 %/,
    ],
    [
      "a machine that all share, and a generator that has nothing left whatever the machine",
      { use: shared, idle: 0.01, shared: true, perSecond: 960, generatorPerSecond: 1000 },
      "load generator",
      /could do more/,
    ],
    [
      "hosts that share a machine are none of their own",
      {
        use: [use("a", "copies of gums", 0.5), use("h", "host", 1.9, 2)],
        idle: 0.3,
        shared: true,
      },
      "copies of gums",
      /nobody's were full/,
    ],
    [
      "a large machine that all share: the copies",
      { use: [...GUMS_2007, use("this machine", "machine", 4, 16)], idle: 0.75, shared: true },
      "copies of gums",
      /1\.7 of 2/,
    ],
    [
      "nobody: calls wait inside the copies",
      { use: [use("a", "copies of gums", 0.03), use("d", "directors", 0.02)], idle: 0.9 },
      "copies of gums",
      /nobody's were full.*wait inside the copies/,
    ],
    ["nothing is known of anybody", { use: [], generatorPerSecond: 0 }, "copies of gums", /nobody's were full/],
  ];
  for (const [what, change, tier, says] of rows)
    test(what, () => {
      const found = saturatedTier({ ...seen, ...change });
      assert.equal(found.tier, tier);
      assert.match(found.says, says);
      assert.ok(found.share >= 0 && found.share <= 1, `${found.share}`);
    });
  test("of those that serve: who took most", () => assert.equal(busiest(shared)?.tier, "copies of gums"));
});

function site(name: string): { readonly site: Site; readonly blueprint: Blueprint } {
  const read = openSite(`sites/${name}.yaml`);
  const known = { target: null, inventory: emptyInventory({ mariadb: true }), recipes: RECIPES, version: "0.1.0" };
  const result = planSite(read, known, {
    loopback: null,
    planOnly: false,
    mariadb: true,
    cause: { by: "person", says: "a test" },
  });
  assert.ok(result.ok);
  return { site: read, blueprint: result.blueprint };
}

const changed = (of: Site, name: string, change: Partial<Site["services"][number]>): Site => ({
  ...of,
  services: of.services.map((one) => (one.name === name ? { ...one, ...change } : one)),
});

describe("the next server", () => {
  const documents = site("fermigrid-ha");

  test("a third copy of GUMS on the documents' two hosts: each has one already, so a third host", () => {
    const room = roomFor(documents.site, documents.blueprint, GUMS);
    assert.equal(room.kind, "host");
    assert.ok(room.kind === "host" && room.like === "fermigrid5");
    assert.match(room.says, /fermigrid5 already has copy 0 \(fg5x2\).*fermigrid6 already has copy 1 \(fg6x2\)/);
  });
  test("with a third host there is a place, and the planner says where", () => {
    const third = {
      ...documents.site.hosts[0]!,
      name: "fermigrid7",
      prefix: "fg7x",
      rack: "C",
    } as Site["hosts"][number];
    const hosts = { ...documents.site, hosts: [...documents.site.hosts, third] };
    assert.deepEqual(roomFor(hosts, documents.blueprint, GUMS), { kind: "fits", host: "fermigrid7", moves: 0 });
    // It has too little memory: a host like the others is wanted again.
    const small = { ...hosts, hosts: [...documents.site.hosts, { ...third, memory: 2 * 1024 ** 3 }] };
    const room = roomFor(small, documents.blueprint, GUMS);
    assert.equal(room.kind, "host");
    assert.match(room.kind === "host" ? room.says : "", /fermigrid7 lacks/);
  });
  test("strategies that have no third copy have none", () => {
    const pair = roomFor(documents.site, documents.blueprint, "lvs" as ServiceName);
    assert.deepEqual(pair, { kind: "none", says: "active-standby has 2 copies at most" });
    assert.equal(roomFor(documents.site, documents.blueprint, "nobody" as ServiceName).kind, "none");
  });
  test("a service pinned to its hosts finds no place even with another host", () => {
    const pinned = changed(documents.site, "gums", { hosts: documents.site.hosts.map(({ name }) => name) });
    assert.equal(roomFor(pinned, documents.blueprint, GUMS).kind, "none");
  });

  const fits: Room = { kind: "fits", host: "fermigrid7" as never, moves: 0 };
  const needsHost: Room = { kind: "host", like: "fermigrid5" as never, says: "both have one" };
  const none: Room = { kind: "none", says: "2 copies at most" };
  const rows: readonly (readonly [tier: string, room: Room, add: string, says: RegExp])[] = [
    ["copies of gums", fits, "copy", /another copy of gums; it has a place on fermigrid7/],
    ["copies of gums", { ...fits, moves: 2 } as Room, "copy", /2 other guests make room/],
    [
      "copies of gums",
      needsHost,
      "host",
      /another host like fermigrid5 for another copy of gums.*no place: both have one/,
    ],
    ["copies of gums", none, "nothing", /2 copies at most/],
    ["directors", fits, "host", /faster processors for the directors.*another copy of gums would wait behind it/],
    ["database", fits, "host", /faster processors for the database/],
    ["host", fits, "host", /another host/],
    ["other programs", fits, "nothing", /test gums again when it is quiet/],
    ["load generator", fits, "client", /load generators on further machines/],
    ["machine", fits, "copy", /another copy of gums.*the one machine that all share: copies of gums/],
  ];
  for (const [tier, room, add, says] of rows)
    test(`${tier} full, room: ${room.kind}`, () => {
      const saturated = { tier, share: 0.9, says: "" };
      const next = nextServer({ service: GUMS, saturated, use: GUMS_2007, room });
      assert.equal(next.add, add);
      assert.match(next.says, says);
    });
});

describe("a part", () => {
  const question = {
    alias: "gums",
    service: GUMS,
    objectives: OBJECTIVES,
    shared: false,
    generatorPerSecond: 1000,
    room: { kind: "host", like: "fermigrid5" as never, says: "both have one" } as Room,
  };
  const documents = 10_000_000 / 86_400;
  const held = [
    step("closed", 16, true, { answeredPerSecond: 120, use: GUMS_2007, idle: 0.6 }),
    step("open", documents, true),
    step("open", 130, false, { use: GUMS_2007 }),
    step("soak", documents * 0.75, true, { seconds: 12 }),
    step("closed", 16, true, { connections: "kept", answeredPerSecond: 900 }),
  ];

  test("says what the documents said: ten million a day, the copies full, the third server at 7.5 million", () => {
    const part = partOf({ ...question, climbed: { steps: held, whole: true } })!;
    assert.ok(part.passed);
    assert.deepEqual([part.callsPerDay, part.nextServerAt], [10_000_000, 7_500_000]);
    assert.equal(part.saturated.tier, "copies of gums");
    assert.equal(part.saturated.share, 0.85);
    assert.equal(part.next.add, "host");
    assert.match(part.says, /up to 116 calls a second, 10 million a day.*at 130 they broke.*75 % of it, for 12 s held/);
    assert.equal(part.keptPerSecond, 900);
    // 120 calls a second by 3.4 processors of two copies.
    assert.equal(part.perProcessor, 35);
    assert.deepEqual(findingsOf(part, OBJECTIVES, new Map()), []);
  });
  test("fails when the mark does not hold, when less is possible than the site promises, when nothing held", () => {
    const soaked = [step("open", 40, true), ...held.slice(0, 3), step("soak", 87, false), step("soak", 60, false)];
    const shaky = partOf({ ...question, climbed: { steps: soaked, whole: true } })!;
    assert.ok(!shaky.passed);
    assert.match(findingsOf(shaky, OBJECTIVES, new Map())[0]!.says, /the mark of 60 calls a second does not hold/);
    const promised = { ...OBJECTIVES, callsPerDay: 20_000_000 };
    const poor = partOf({ ...question, objectives: promised, climbed: { steps: held, whole: true } })!;
    assert.ok(!poor.passed);
    assert.match(findingsOf(poor, promised, new Map())[0]!.says, /10 million calls a day, the objective is 20 million/);
    const nothing = partOf({ ...question, climbed: { steps: [step("open", 5, false)], whole: true } })!;
    assert.ok(!nothing.passed);
    assert.deepEqual([nothing.callsPerDay, nothing.knee.perSecond], [0, 0]);
    const said = findingsOf(nothing, OBJECTIVES, new Map([["the database is away", 12]])).map(({ says }) => says);
    assert.match(said[0]!, /at no load that was tried/);
    assert.match(said[1]!, /the database is away \(12 times\)/);
  });
  test("a first limit that did not hold for longer is replaced by one that did, and that is said", () => {
    const soaked = [step("open", 60, true), ...held.slice(0, 3), step("soak", 87, false), step("soak", 45, true)];
    const part = partOf({ ...question, climbed: { steps: soaked, whole: true } })!;
    assert.ok(part.passed);
    assert.equal(part.knee.perSecond, 60);
    const [finding] = findingsOf(part, OBJECTIVES, new Map());
    assert.deepEqual([finding!.level, /did not hold for longer/.test(finding!.says)], ["warning", true]);
  });
  test("an interrupted one says so, and is none before anything was asked in open loop", () => {
    const part = partOf({ ...question, climbed: { steps: held.slice(0, 2), whole: false } })!;
    assert.match(part.says, /interrupted before the mark was held/);
    assert.equal(partOf({ ...question, climbed: { steps: held.slice(0, 1), whole: false } }), null);
  });
  test("other programs that took the machine are said", () => {
    const disturbed = held.map((one) => ({
      ...one,
      use: [...one.use, use("other programs", "other programs", 0.9, 2)],
    }));
    const part = partOf({ ...question, climbed: { steps: disturbed, whole: true } })!;
    assert.match(
      findingsOf(part, OBJECTIVES, new Map())[0]!.says,
      /other programs of this machine took up to 0\.9 of its processors/,
    );
  });
});

describe("who used what", () => {
  const { site: of, blueprint } = site("fermigrid-ha");
  const ground = { site: of, blueprint, cpus: 2, shared: true, generators: 1 };
  const alias = blueprint.aliases.find(({ name }) => name === "gums")!;
  const guest = (name: string) => blueprint.guests.find((one) => one.name === name)!;

  test("tiers are those that a call passes", () => {
    assert.deepEqual([...neededBy(of, GUMS)], ["mysql"]);
    const tiers = ["fg5x0", "fg5x1", "fg5x2", "fg5x3", "fg5x4"].map((name) => tierOf(ground, alias, guest(name)));
    assert.deepEqual(tiers, ["directors", "other services", "copies of gums", "other services", "database"]);
  });
  test("a program of the house uses one processor, a database all it has, and nobody more than the machine", () => {
    assert.equal(guest("fg5x2").definition.cpus, 2);
    assert.equal(processorsOf(ground, guest("fg5x2")), 1);
    assert.equal(processorsOf(ground, guest("fg5x4")), 2);
    assert.equal(processorsOf({ ...ground, cpus: 1 }, guest("fg5x4")), 1);
    // VOMS and VOMRS are two programs, its guest has one processor.
    assert.equal(processorsOf(ground, guest("fg5x1")), 1);
    assert.equal(processorsOf(ground, { ...guest("fg5x1"), definition: { ...guest("fg5x1").definition, cpus: 4 } }), 2);
  });

  const moment = (at: number, cpu: number): Moment => ({
    at: at * 1000,
    guests: new Map(
      blueprint.guests.map(({ name }, index) => [name, { cpuSeconds: cpu * (index + 1), memory: 1000, at: at * 1000 }]),
    ),
    generator: { cpuSeconds: cpu, memory: 5 },
    own: cpu / 10,
    machine: { busy: cpu * 60, idle: cpu * 20 },
  });
  test("is what was used between two moments; what nobody else used is other programs'", () => {
    const rows = usesBetween(ground, alias, moment(10, 1), moment(12, 1.02));
    const row = (name: string) => rows.find((one) => one.name === name)!;
    assert.deepEqual(
      rows.slice(0, 3).map(({ tier }) => tier),
      ["load generator", "directors", "directors"],
    );
    const place = blueprint.guests.findIndex(({ name }) => name === "fg5x2") + 1;
    assert.equal(row("fg5x2").processors, 0.01 * place);
    assert.equal(row("load generator").processors, 0.01);
    assert.equal(row("this machine").processors, 0.6);
    // 55 parts of the guests, one of the generator, a tenth of a part of who judges: of sixty.
    assert.equal(row("other programs").processors, 0.039);
    assert.equal(row("4 guests").tier, "other services");
    assert.deepEqual(
      rows.filter(({ tier }) => tier === "host").map(({ name, of: cpus }) => [name, cpus]),
      [
        ["fermigrid5", 2],
        ["fermigrid6", 2],
      ],
    );
    assert.equal(idleBetween(moment(10, 1), moment(12, 1.02)).toFixed(6), "0.250000");
  });
  test("where hosts have processors of their own, each is the sum of its guests", () => {
    const rows = usesBetween({ ...ground, shared: false }, alias, moment(10, 1), moment(12, 1.02));
    const hosts = rows.filter(({ tier }) => tier === "host");
    assert.deepEqual(
      hosts.map(({ name, of: cpus }) => [name, cpus]),
      [
        ["fermigrid5", 4],
        ["fermigrid6", 4],
      ],
    );
    assert.equal(Math.round(hosts.reduce((sum, { processors }) => sum + processors, 0) * 100), 55);
    // Only the generator and who judges are on this machine then.
    assert.equal(rows.find(({ tier }) => tier === "other programs")!.processors, 0.589);
  });
  test("a guest that was started anew, or that nobody can be asked about, spoils nothing", () => {
    const after = new Map(moment(12, 1.02).guests);
    after.delete("fg6x2" as GuestName);
    after.set("fg5x2" as GuestName, { cpuSeconds: 0, memory: 1, at: 12_000 });
    const rows = usesBetween(ground, alias, moment(10, 1), { ...moment(12, 1.02), guests: after });
    assert.equal(rows.find(({ name }) => name === "fg5x2")!.processors, 0);
    assert.equal(
      rows.some(({ name }) => name === "fg6x2"),
      false,
    );
  });
});

describe("generators", () => {
  test("several are told their shares and counted as one", () => {
    const task = { target: { address: "", port: 1, servername: null }, samples: [], secure: false };
    const open = { ...task, pace: { kind: "open", perSecond: 90 } } as const;
    assert.deepEqual(
      [0, 1, 2].map((index) => shareOf(open, index, 3)!.pace),
      Array(3).fill({ kind: "open", perSecond: 30 }),
    );
    const closed = { ...task, pace: { kind: "closed", workers: 4 } } as const;
    const counts = [0, 1, 2].map((index) => (shareOf(closed, index, 3)!.pace as typeof closed.pace).workers);
    assert.deepEqual(counts, [2, 1, 1]);
    assert.equal(shareOf({ ...task, pace: { kind: "closed", workers: 1 } }, 1, 3), null);
    const times = new Histogram();
    for (let ms = 1; ms <= 100; ms++) times.add(ms);
    const report = {
      calls: 100,
      answered: 99,
      refused: 0,
      lost: 1,
      repeated: 2,
      waiting: 3,
      answeredPerSecond: 49.5,
      sentences: { no: 1 },
    } as unknown as LoadReport;
    const end = { run: 1, report, times: { response: times.value(), service: times.value(), late: times.value() } };
    const both = together([end, end]);
    assert.deepEqual([both.calls, both.answered, both.lost, both.repeated, both.waiting], [200, 198, 2, 4, 6]);
    assert.deepEqual(both.sentences, { no: 2 });
    assert.equal(both.response.summary().count, 200);
    assert.equal(both.answeredPerSecond, 99);
  });
  test("servers on the same machine are left half of it", () => {
    assert.deepEqual(
      [1, 2, 4, 16, 64].map((cpus) => generatorsFor(cpus, true)),
      [1, 1, 2, 8, 8],
    );
    assert.deepEqual(
      [1, 2, 4, 16].map((cpus) => generatorsFor(cpus, false)),
      [1, 1, 3, 8],
    );
  });
});

test("a schedule takes as long as was said, for few aliases and many, and no step is without time", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 5, max: 7200 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 2 }),
      (seconds, aliases, schemes) => {
        fc.pre(seconds / aliases >= 5);
        const { limit, warmUp, step: one, bisections, closed, soak, kept } = scheduleOf(seconds, aliases, schemes);
        for (const time of [limit, warmUp, one, closed, soak]) assert.ok(time > 0.05, `${time}`);
        const steps = RAMP.length + 2 + bisections;
        const all = limit * schemes + aliases * (warmUp + closed * CLIENTS.length + steps * one + soak + kept);
        assert.ok(all < seconds * 1.15 && all > seconds * 0.4, `${all} of ${seconds}`);
      },
    ),
  );
});
