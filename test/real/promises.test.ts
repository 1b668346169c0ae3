/** The benchmarks of the promises that need nothing but this machine: they print what was measured and fail beyond three times the promise. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { HOUSE } from "../support/domus.ts";

describe("promised times", () => {
  for (const name of ["plan", "read", "up"])
    it(`bench/${name}.ts`, async () => {
      const { code, printed } = await new Promise<{ code: number; printed: string }>((resolve) => {
        execFile(
          process.execPath,
          ["--disable-warning=ExperimentalWarning", join(HOUSE, "bench", `${name}.ts`)],
          (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? -1) : 0, printed: stdout + stderr }),
        );
      });
      for (const line of printed.trim().split("\n")) console.log(`# ${line}`);
      assert.equal(code, 0, printed);
      assert.match(printed, /promised </);
    });
});
