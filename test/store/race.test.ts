/** Two commands that are the first of a site at the same moment, and a store that was lost or half recovered: nothing is made twice. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const STORE = join(import.meta.dirname, "../../src/store/index.ts");
const WORLD = join(import.meta.dirname, "../../src/world/index.ts");
const run = promisify(execFile);

test("stores opened at once by many agree on schema and secrets", { timeout: 120_000 }, async () => {
  const base = mkdtempSync(join(tmpdir(), "ds-"));
  try {
    for (let round = 0; round < 5; round++) {
      const directory = join(base, String(round));
      const script = `
        const { Store } = await import(${JSON.stringify(STORE)});
        const { realClock } = await import(${JSON.stringify(WORLD)});
        await new Promise((resolve) => setTimeout(resolve, ${Date.now() + 900} - Date.now()));
        const store = await Store.open(${JSON.stringify(directory)}, realClock);
        const value = await store.secrets.get("authority@1", () => String(Math.random()));
        await store.close();
        console.log(value);`;
      const ran = await Promise.all(
        Array.from({ length: 4 }, () =>
          run(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script]),
        ),
      );
      const values = new Set(ran.map(({ stdout }) => stdout.trim()));
      assert.equal(values.size, 1, [...values].join(" "));
      assert.deepEqual(readdirSync(join(directory, "secrets")).sort(), ["authority%401.sealed", "master.key"]);
    }
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
