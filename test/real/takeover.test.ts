/** The front end's promise on a real site: the figures are the benchmark's, the gate is three times the promise. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { HOUSE } from "../support/domus.ts";

/** Three times the promise of one second, milliseconds: a busy machine must not fail a change. */
const GATE = 3000;

function bench(
  ...words: readonly string[]
): Promise<Record<string, number> & Record<string, { count: number; medianMs: number; maxMs: number }>> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", join(HOUSE, "bench/takeover.ts"), "--json", ...words],
      (_, stdout, stderr) => {
        try {
          resolve(JSON.parse(stdout));
        } catch {
          reject(new Error(`${stdout}\n${stderr}`));
        }
      },
    );
  });
}

describe("the pair of directors", () => {
  it("has the alias back after twenty kills and twenty freezes", async () => {
    const results = await bench("--kills", "20", "--freezes", "20");
    for (const what of ["killed", "frozen"] as const) {
      const { count, medianMs, maxMs } = results[what]!;
      console.log(
        `# ${what} ${count} times: without an answer median ${medianMs} ms, longest ${maxMs} ms (promise 1000 ms)`,
      );
      assert.equal(count, 20);
      assert.ok(medianMs < GATE, `${what}: ${medianMs} ms`);
    }
  });

  it("is never taken for dead on a busy machine", async () => {
    const { seconds, burners, falseTakeovers } = await bench("--idle", "120");
    console.log(
      `# idle ${seconds} s with ${burners} burners: ${falseTakeovers} false takeovers (ten minutes: bench/takeover.ts --idle 600)`,
    );
    assert.equal(falseTakeovers, 0);
  });
});
