/** What stress reports say to whoever plans machines: calls a day, the mark, what was full, what to add; the newest of each alias counts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AcceptanceReport,
  capacityOf,
  latestCapacity,
  type StressPart,
  type StressStep,
} from "../../src/acceptance/index.ts";
import { fermigrid } from "../planner/sites.ts";

const LATENCY = { p50: 1, p99: 9 } as StressStep["latency"];

const step = (answeredPerSecond: number, kept: boolean, idle: number): StressStep => ({
  kind: "open",
  connections: "new",
  offered: answeredPerSecond,
  seconds: 10,
  answeredPerSecond,
  repeated: 0,
  refused: 0,
  lost: 0,
  latency: LATENCY,
  service: LATENCY,
  lateMs: 0,
  use: [],
  loadAverage: 2.5,
  idle,
  kept,
  says: "",
});

const part = (over: Partial<StressPart>): StressPart => ({
  test: "stress",
  part: `alias ${over.alias ?? "gums"}`,
  service: "gums",
  passed: true,
  says: "",
  requests: 0,
  lost: 0,
  lostAfterRetry: 0,
  gapSeconds: 0,
  callsPerDay: 20_000_000,
  nextServerAt: 15_000_000,
  alias: "gums",
  steps: [step(100, true, 0.5), step(230, true, 0.2), step(400, false, 0), step(900, true, 0.4)],
  knee: { perSecond: 230, p99Ms: 9 },
  saturated: { tier: "copies of gums", share: 0.98, says: "copies of gums used 98 % of their processors" },
  next: { add: "copy", says: "another copy of gums" },
  perProcessor: 300,
  keptPerSecond: null,
  generatorPerSecond: 5000,
  ...over,
});

const report = (startedAt: number, ...parts: readonly StressPart[]) =>
  ({ id: `r${startedAt}`, startedAt, tests: [{ test: "stress", parts }] }) as unknown as AcceptanceReport;

test("calls a day, the mark, load and idle at the heaviest load that was borne, and whether it is enough", () => {
  const [found] = capacityOf([part({})], { id: "r1", startedAt: 1 }, () => ({ callsPerDay: 25_000_000 }));
  assert.deepEqual(
    [found!.callsPerDay, found!.nextServerAt, found!.idle, found!.loadAverage, found!.enough],
    [20_000_000, 15_000_000, 0.2, 2.5, false],
  );
  assert.equal(found!.full, "copies of gums used 98 % of their processors");
  const [silent] = capacityOf(
    [part({ callsPerDay: null, nextServerAt: null, steps: [] })],
    { id: "r1", startedAt: 1 },
    () => ({ callsPerDay: null }),
  );
  // 230 calls a second, and three quarters of that.
  assert.deepEqual(
    [silent!.callsPerDay, silent!.nextServerAt, silent!.idle, silent!.enough],
    [19_872_000, 14_904_000, null, null],
  );
});

test("of each alias the newest measurement, in the site's order, other tests apart", () => {
  const site = fermigrid();
  const basic = { ...part({ alias: "voms" }), test: "basic" } as unknown as StressPart;
  const found = latestCapacity(
    [
      report(300, part({ alias: "saz", callsPerDay: 3 }), basic),
      report(100, part({ alias: "gums", callsPerDay: 1 }), part({ alias: "saz", callsPerDay: 1 })),
      report(200, part({ alias: "gums", callsPerDay: 2 })),
    ],
    site,
  );
  assert.deepEqual(
    found.map(({ alias, callsPerDay, report: id }) => [alias, callsPerDay, id]),
    [
      ["gums", 2, "r200"],
      ["saz", 3, "r300"],
    ],
  );
});
