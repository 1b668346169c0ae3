/** When a database server may take writes: the rule, case by case, and what can never happen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { newServerId } from "../../services/mariadb/install.ts";
import { judgeReadiness, type Observation, PATIENCE } from "../../services/mariadb/readiness.ts";
import { behind, parsePosition } from "../../src/model/index.ts";

const start: Observation = {
  now: 10_000,
  writable: false,
  upstream: "answers",
  awaySince: null,
  upstreamSays: "",
  missing: null,
  setBack: false,
  caughtUpBefore: false,
  stopped: null,
  lagSeconds: null,
};
const judge = (some: Partial<Observation>) => judgeReadiness({ ...start, ...some });

test("read-only until it has what its upstream had", () => {
  assert.deepEqual([judge({}).state, judge({}).writable], ["catching-up", false]);
  assert.equal(judge({ missing: [12] }).writable, false);
  assert.deepEqual([judge({ missing: [] }).state, judge({ missing: [] }).writable], ["ok", true]);
});

test("without its upstream it goes on: soon when refused, later and only if it was caught up when silent", () => {
  const since = (ms: number) => ({ awaySince: start.now - ms });
  assert.equal(judge({ upstream: "refused", ...since(0) }).writable, false);
  assert.equal(judge({ upstream: "refused", ...since(PATIENCE.refused) }).writable, true);
  assert.equal(judge({ upstream: "silent", ...since(60_000) }).writable, false);
  assert.match(judge({ upstream: "silent", ...since(60_000) }).says, /never been caught up/);
  assert.equal(judge({ upstream: "silent", caughtUpBefore: true, ...since(PATIENCE.silent - 1) }).writable, false);
  assert.equal(judge({ upstream: "silent", caughtUpBefore: true, ...since(PATIENCE.silent) }).writable, true);
  assert.equal(judge({ upstream: "none" }).writable, true);
});

test("a writer stays one while its upstream comes and goes; lag and errors are shown", () => {
  for (const upstream of ["answers", "refused", "silent", "none"] as const)
    assert.deepEqual(
      [judge({ writable: true, upstream }).state, judge({ writable: true, upstream }).writable],
      ["ok", true],
    );
  assert.deepEqual(
    [judge({ writable: true, lagSeconds: 60 }).state, judge({ writable: true, lagSeconds: 60 }).writable],
    ["catching-up", true],
  );
  assert.equal(judge({ writable: true, stopped: "Duplicate entry" }).state, "replication-stopped");
});

test("with a replication error or data set back nothing ever becomes writable, and ok means writable", () => {
  const any = fc.record({
    now: fc.integer({ min: 0, max: 20_000 }),
    writable: fc.boolean(),
    upstream: fc.constantFrom("answers" as const, "refused" as const, "silent" as const, "none" as const),
    awaySince: fc.option(fc.integer({ min: 0, max: 20_000 })),
    upstreamSays: fc.constant(""),
    missing: fc.option(fc.array(fc.nat(3), { maxLength: 2 })),
    setBack: fc.boolean(),
    caughtUpBefore: fc.boolean(),
    stopped: fc.option(fc.constant("error")),
    lagSeconds: fc.option(fc.nat(100)),
  });
  fc.assert(
    fc.property(any, (seen) => {
      const { state, writable } = judgeReadiness(seen);
      if (seen.setBack) assert.equal(writable, false);
      if (seen.stopped !== null && !seen.writable) assert.equal(writable, false);
      if (state === "ok") assert.equal(writable, true);
      if (writable && !seen.writable && seen.upstream === "answers") assert.deepEqual(seen.missing, []);
    }),
  );
});

test("positions", () => {
  const mine = parsePosition("11-11-5,12-12-7");
  assert.deepEqual(behind(mine, parsePosition("11-11-5,12-12-8,13-13-1"), 0), [12, 13]);
  assert.deepEqual(behind(mine, parsePosition("11-11-9,12-12-7"), 11), []);
  assert.deepEqual(behind(mine, parsePosition(""), 0), []);
});

test("the last digit of an identity is the place in the ring", () => {
  for (let position = 0; position < 9; position++) {
    const id = newServerId(position);
    assert.equal(id % 10, position + 1);
    assert.ok(id > 0 && id < 2 ** 32);
  }
});
