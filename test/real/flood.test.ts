/**
 * A flood on real processes, through real directors: none of the quiet community's calls is refused or fails, whatever the flood does. How much
 * longer they take is measured by `bench/authorization.ts`; here only a bound that a busy machine does not break.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { askQuietly, FLOODS, type Flood, startTsunami } from "../../bench/authorization/flood.ts";
import { House } from "../../bench/authorization/house.ts";
import { residentMiB } from "../../bench/authorization/processes.ts";
import { median } from "../../bench/verdict.ts";

const ROUNDS = 3;
const MILLISECONDS = 1500;
/** Milliseconds that a busy machine adds to any 99th percentile, and how many times it may grow besides. */
const NOISE = 50;
const TIMES = 20;
/** MiB that a program may have after all floods. */
const MEMORY = 1024;

let house: House;
before(async () => {
  house = await House.open();
});
after(() => house?.close());

for (const flood of Object.keys(FLOODS) as Flood[])
  test(`flood: ${FLOODS[flood].says}`, { timeout: 180_000 }, async () => {
    const times: { before: number[]; during: number[] } = { before: [], during: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const calm = await askQuietly(house, "gums", "front end", "kept", MILLISECONDS);
      const stop = await startTsunami(house, flood, "gums", "front end", 120);
      const stormy = await askQuietly(house, "gums", "front end", "kept", MILLISECONDS);
      const tsunami = await stop();
      assert.ok(tsunami.sent > 0);
      for (const { report } of [calm, stormy]) assert.deepEqual(Object.keys(report.outcomes), ["200"]);
      times.before.push(calm.report.good.p99);
      times.during.push(stormy.report.good.p99);
    }
    const [calm, stormy] = [median(times.before), median(times.during)];
    assert.ok(stormy <= NOISE + TIMES * calm, `99th percentile ${stormy} ms, without the flood ${calm} ms`);
    for (const [name, pid] of Object.entries(house.processes("gums", "front end")))
      assert.ok(residentMiB(pid) < MEMORY, `${name} has ${Math.round(residentMiB(pid))} MiB`);
  });
