/** The consolidation report: the documents' numbers to the digit, and ranges that follow their definitions whatever row is changed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Assumptions, defaultAssumptions, readSystems, type SystemsRow } from "../../src/model/index.ts";
import { type Consolidation, consolidate, figuresOf, rangeText, systemsOf } from "../../src/planner/index.ts";
import { HOUSE } from "../support/domus.ts";
import { ask, fermigrid, host, planned, service, site } from "./sites.ts";

function rowsOf(file: string): readonly SystemsRow[] {
  const reading = readSystems({ file, text: readFileSync(join(HOUSE, "sites", file), "utf8") });
  assert.ok(reading.ok);
  return reading.inventory.rows;
}

const report = (rows: readonly SystemsRow[], over: Partial<Assumptions> = {}) =>
  consolidate(rows, { ...defaultAssumptions(), ...over });

describe("the documents' tables", () => {
  test("FermiGrid, 01-Dec-2009: 46 physical, 203 virtual, ~4-8x, and ~6-16x without second copies", () => {
    const found = report(rowsOf("fermigrid-2009-inventory.yaml"));
    assert.deepEqual([found.physical, found.virtual, found.pairs], [46, 203, 28]);
    assert.equal(found.factor, 203 / 46);
    assert.deepEqual(
      found.ranges.map(({ low, high, highAtLeast }) => [low, high, highAtLeast]),
      [
        [203 / 46, 8, false],
        [203 / (46 - 14), 16, false],
      ],
    );
    assert.deepEqual(found.ranges.map(rangeText), ["4.4 to 8 (~4-8x)", "6.3 to 16 (~6-16x)"]);
    assert.deepEqual(
      found.ranges.map(({ definition }) => definition),
      [
        "low: all guests / all hosts (203/46 = 4.4); high: most guests on one host (8)",
        "low: all guests / (hosts − half of the hosts that hold pairs) (203/(46−14) = 6.3); high: twice the most guests on one host (2·8 = 16)",
      ],
    );
    assert.match(found.ranges[1].caveat, /removes guests too/);
    assert.deepEqual(
      found.rows.map(({ physical, virtual, pairs }) => [physical, virtual, pairs]),
      [
        [7, 44, 6],
        [8, 22, 8],
        [4, 24, 4],
        [2, 10, 2],
        [6, 26, 6],
        [3, 13, 0],
        [2, 10, 2],
        [3, 12, 0],
        [5, 36, 0],
        [1, 1, 0],
        [5, 5, 0],
      ],
    );
  });

  test("Karlsruhe, 2007: 10 hosts with 80 guests, 4 with 40, about 30 with 55; the fullest host only from below", () => {
    const found = report(rowsOf("karlsruhe-2007-inventory.yaml"));
    assert.deepEqual(
      found.rows.map(({ physical, virtual, factor, fullest, fullestAtLeast, about }) => [
        physical,
        virtual,
        factor,
        fullest,
        fullestAtLeast,
        about,
      ]),
      [
        [10, 80, 8, 8, true, false],
        [4, 40, 10, 10, true, false],
        [30, 55, 55 / 30, 2, true, true],
      ],
    );
    assert.deepEqual([found.physical, found.virtual, found.about], [44, 175, true]);
    assert.deepEqual(rangeText(found.ranges[0]), "4.0 to at least 10 (~4-10x)");
    assert.match(found.ranges[1].caveat, /No row says that its hosts hold pairs/);
  });

  test("a site's own plan is a table too: the documents' ten guests on two hosts", () => {
    const of = fermigrid();
    const found = report(systemsOf(of, planned(ask(of)).blueprint));
    assert.deepEqual([found.physical, found.virtual, found.pairs], [2, 10, 2]);
    assert.deepEqual(found.ranges.map(rangeText), ["5.0 (~5x)", "10.0 (~10x)"]);
    const spare = site(
      [host("a"), host("b")],
      [service("one", { copies: 1, strategy: "single" }), service("kept-free", { strategy: "spare", copies: 1 })],
    );
    const rows = systemsOf(spare, planned(ask(spare)).blueprint);
    assert.deepEqual(
      [report(rows).virtual, report(rows).pairs],
      [1, 0],
      "a reserved place is no guest, one copy is no pair",
    );
  });
});

const someRow: fc.Arbitrary<SystemsRow> = fc
  .record({
    perHost: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 }),
    told: fc.boolean(),
    share: fc.integer({ min: 0, max: 12 }),
  })
  .map(({ perHost, told, share }) => ({
    name: "row",
    hosts: [],
    physical: perHost.length,
    virtual: perHost.reduce((sum, one) => sum + one, 0),
    perHost: told ? perHost : [],
    groups: [],
    pairs: Math.min(share, perHost.length),
    technology: null,
    services: null,
    note: null,
    about: false,
  }));

/** The definitions of the mission, written down a second time. */
function byDefinition(rows: readonly SystemsRow[]): readonly (readonly [low: number, high: number])[] {
  let hosts = 0;
  let guests = 0;
  let pairs = 0;
  let fullest = 0;
  for (const row of rows) {
    hosts += row.physical;
    guests += row.virtual;
    pairs += row.pairs;
    for (const one of row.perHost) if (one > fullest) fullest = one;
    // Nobody can put seven guests on three hosts with two on each.
    if (Math.ceil(row.virtual / row.physical) > fullest) fullest = Math.ceil(row.virtual / row.physical);
  }
  return [
    [guests / hosts, fullest],
    [guests / (hosts - pairs / 2), 2 * fullest],
  ];
}

const ends = ({ ranges }: Consolidation) => ranges.map(({ low, high }) => [low, high]);

describe("changing a row", () => {
  test("changes the ranges as the definitions say", () => {
    const rows = fc.array(someRow, { minLength: 1, maxLength: 8 });
    let moved = 0;
    fc.assert(
      fc.property(rows, someRow, fc.nat(), (before, changed, at) => {
        const after = before.with(at % before.length, changed);
        assert.deepEqual(ends(report(before)), byDefinition(before));
        assert.deepEqual(ends(report(after)), byDefinition(after));
        if (JSON.stringify(byDefinition(before)) !== JSON.stringify(byDefinition(after))) moved++;
      }),
      { numRuns: 300 },
    );
    assert.ok(moved > 150, `${moved} of 300 changes moved a range: the test would be empty`);
  });

  test("one guest more, one host more, one host with pairs more: each end goes where it must", () => {
    const rows = rowsOf("fermigrid-2009-inventory.yaml");
    const changed = (over: Partial<SystemsRow>) => report(rows.with(0, { ...rows[0]!, ...over })).ranges;
    const [fuller] = changed({ virtual: 45, perHost: [9, 6, 6, 6, 6, 6, 6] });
    assert.deepEqual([fuller.low, fuller.high], [204 / 46, 9]);
    const [wider, without] = changed({ physical: 8, perHost: [8, 6, 6, 6, 6, 6, 6, 0] });
    assert.deepEqual([wider.low, wider.high, without.low], [203 / 47, 8, 203 / 33]);
    assert.equal(
      changed({ pairs: 7 })[1].low,
      203 / (46 - 14.5),
      "half of 29 hosts is 14.5: the definition does not round",
    );
  });

  test("a row that could hide a fuller host makes the high end a lower bound, and no other", () => {
    const [row] = rowsOf("fermigrid-2009-inventory.yaml");
    const told = { ...row!, physical: 2, virtual: 10, perHost: [8, 2] };
    const open = (virtual: number) => report([told, { ...told, virtual, perHost: [] }]).ranges[0];
    assert.deepEqual([open(8).high, open(8).highAtLeast], [8, false], "eight guests cannot be more than eight on one");
    assert.deepEqual([open(9).high, open(9).highAtLeast], [8, true]);
    assert.deepEqual([open(20).high, open(20).highAtLeast], [10, true]);
  });
});

describe("energy, space, money", () => {
  const of = report(rowsOf("fermigrid-2009-inventory.yaml"), {
    "watts-per-machine": 100,
    "watts-per-host": 300,
    "watts-per-guest": 10,
    cooling: 2,
    "units-per-machine": 2,
    "units-per-host": 4,
    "price-per-machine": 1000,
    "price-per-host": 3000,
    "price-per-kwh": 0.1,
    life: 4,
    years: 8,
  });

  test("are reckoned from the rows and what is assumed", () => {
    const { savings } = of;
    assert.deepEqual(savings.machines, { before: 203, after: 46 });
    // 203·100 W·2; (46·300 + 203·10) W·2
    assert.deepEqual(savings.kilowatts, { before: 40.6, after: 31.66 });
    assert.deepEqual(savings.energy, { before: 355_656, after: 277_341.6 });
    assert.deepEqual(savings.rackUnits, { before: 406, after: 184 });
    assert.deepEqual(savings.purchase, { before: 203_000, after: 138_000 });
    assert.deepEqual(savings.energyPrice, { before: 35_565.6, after: 27_734.16 });
    assert.equal(savings.byYear.length, 9);
    assert.deepEqual(savings.byYear[0], { year: 0, before: 203_000, after: 138_000 });
    // Bought again after the fourth year, not on its last day.
    assert.deepEqual(savings.byYear[4], { year: 4, before: 345_262.4, after: 248_936.64 });
    assert.deepEqual(savings.byYear[5], { year: 5, before: 583_828, after: 414_670.8 });
    assert.deepEqual(savings.byYear[8], { year: 8, before: 690_524.8, after: 497_873.28 });
  });

  test("are said with two digits, each with what it is reckoned from", () => {
    const figures = Object.fromEntries(figuresOf(of).map((one) => [one.name, one]));
    assert.deepEqual(figures.power, {
      name: "power",
      before: "41 kW",
      after: "32 kW",
      saved: "8.9 kW",
      because: "100 W a machine; 300 W a host and 10 W a guest; times 2 for cooling and supply",
    });
    assert.equal(figures["paid in 8 years"]!.before, "690,000 EUR");
    assert.equal(figures.machines!.saved, "157");
    const dear = report(rowsOf("karlsruhe-2007-inventory.yaml"), { "price-per-host": 100_000 });
    assert.match(figuresOf(dear).find(({ name }) => name === "purchase")!.saved, /^4.1 million EUR more$/);
  });
});
