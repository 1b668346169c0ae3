/**
 * How long the documents' ten guests need from `domus up` to a site that answers: the first time with databases to make, then again after
 * `down`, which keeps them (median of three). Run by `bin/node bench/up.ts`.
 */
import { TestDomus } from "../test/support/domus.ts";
import { median, verdict } from "./verdict.ts";

const SITE = "sites/fermigrid-ha.yaml";
/** Seconds. */
const PROMISE = 5;

const domus = new TestDomus();
const up = async (): Promise<number> =>
  (await domus.json("up", SITE, "--loopback", domus.loopback)).milliseconds / 1000;
try {
  console.log(`ten guests, databases made: ${(await up()).toFixed(1)} s`);
  const again: number[] = [];
  for (let run = 0; run < 3; run++) {
    await domus.must("down");
    again.push(await up());
  }
  const seconds = median(again);
  console.log(
    `ten guests, database initialisation apart: ${seconds.toFixed(1)} s (median of 3)  ${verdict(seconds, PROMISE, "s")}`,
  );
} finally {
  await domus.destroy();
}
