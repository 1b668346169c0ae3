/** `domus size`: from a file, from a site in force with a kept stress report, and for a site that does not fit. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { emptyInventory, readSite, type SiteName } from "../../src/model/index.ts";
import { plan } from "../../src/planner/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";
import { Store } from "../../src/store/index.ts";
import { realClock } from "../../src/world/index.ts";
import { TestDomus } from "../support/domus.ts";
import { decent } from "./decent.ts";

const domus = new TestDomus();
const files = mkdtempSync(join(tmpdir(), "dz-"));
after(async () => {
  await domus.destroy();
  rmSync(files, { recursive: true, force: true });
});
const run = async (...words: string[]) => decent(await domus.domus("size", ...words), words.join(" "));

const SITE = `site: small
hosts:
  - { name: north, prefix: nx, cpus: 4, memory: 8 GiB, reserve: 1 GiB }
  - { name: south, prefix: sx, cpus: 4, memory: 8 GiB, reserve: 1 GiB }
services:
  lvs: { recipe: lvs, strategy: active-standby }
  wiki: { alias: { name: wiki, port: 80 }, memory: 2 GiB, pages: { /index.html: hello }, probe: { http: /, port: 80 }, objectives: { calls-per-day: 1000000 } }
`;

function file(text: string): string {
  const path = join(files, "small.yaml");
  writeFileSync(path, text);
  return path;
}

describe("domus size", () => {
  it("says what a file's site has room for, and leaves no trace", async () => {
    const ran = await run(file(SITE));
    assert.equal(ran.code, 0);
    assert.match(
      ran.stdout,
      /^small: 4 guests on 2 hosts; 4 more of 2 GiB, 1 CPU fit, but only 2 so that any one host may/,
    );
    assert.match(ran.stdout, /wiki +no: north already has copy 0 \(nx1\); south already has copy 1 \(sx1\)/);
    assert.match(ran.stdout, /another host like north \(8 GiB, 4 CPUs\) +\+3/);
    assert.match(ran.stdout, /not measured yet: domus accept small stress/);
    const asked = await domus.json("size", file(SITE), "--guest", "512 MiB, 2 cpus");
    assert.deepEqual(
      asked.fits.map(({ shape, more, safely }: { shape: unknown; more: number; safely: number }) => [
        shape,
        more,
        safely,
      ]),
      [[{ memory: 512 * 1024 ** 2, cpus: 2 }, 14, 7]],
    );
    assert.equal(existsSync(join(domus.state, "small")), false);
  });

  it("says what must be bought where a site does not fit, exit 1", async () => {
    const ran = await run(file(SITE.replaceAll("memory: 8 GiB", "memory: 3 GiB").replace("    ", "")));
    assert.equal(ran.code, 1);
    assert.match(ran.stdout, /^small: its 4 guests do not fit on its 2 hosts/);
    assert.match(ran.stdout, /✗ .*lacks/);
  });

  it("of a site in force: its own blueprint, and what its newest stress test measured", async () => {
    const reading = readSite({ file: "small.yaml", text: SITE }, RECIPES);
    assert.ok(reading.ok);
    const directory = join(domus.state, "small");
    const store = await Store.open(directory, realClock);
    const result = plan(
      {
        site: reading.site,
        inventory: emptyInventory({ mariadb: true }),
        parent: null,
        cause: { by: "person", says: "asked in a test" },
        version: "0.1.0",
        loopback: null,
      },
      RECIPES,
    );
    assert.ok(result.ok);
    await store.adopt(result.blueprint);
    await store.close();
    writeFileSync(join(directory, "site.json"), JSON.stringify(reading.site));
    mkdirSync(join(directory, "reports"));
    const id = "2026-11-20T184012Z-stress";
    const part = {
      test: "stress",
      part: "alias wiki",
      service: "wiki",
      alias: "wiki",
      callsPerDay: 900_000,
      nextServerAt: 675_000,
      steps: [{ kept: true, answeredPerSecond: 10, loadAverage: 3.25, idle: 0.1 }],
      knee: { perSecond: 10.4, p99Ms: 120 },
      saturated: { tier: "copies of wiki", share: 1, says: "copies of wiki had nothing left" },
      next: { add: "copy", says: "another copy of wiki" },
    };
    const report = {
      format: 1,
      id,
      startedAt: Date.UTC(2026, 10, 20, 18, 40),
      tests: [{ test: "stress", parts: [part] }],
    };
    writeFileSync(join(directory, "reports", `${id}.json`), JSON.stringify(report));
    writeFileSync(join(directory, "reports", "2026-11-20T184013Z-stress.json"), "{");
    const ran = await run("small" satisfies string as SiteName);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /as it is in force \(blueprint 1\)/);
    assert.match(
      ran.stdout,
      /wiki: 900,000 calls a day \(10\.4\/s, 99 % within 120 ms; processors 10 % idle, load 3\.[23]\), less than the 1 million that the file asks for/,
    );
    assert.match(
      ran.stdout,
      /plan the next server at 680,000 a day: another copy of wiki\n +no host can take it now: north already/,
    );
    assert.match(ran.stdout, /full first: copies of wiki had nothing left; measured 2026-11-20/);
    assert.match(ran.stdout, /! no acceptance report 2026-11-20T184013Z-stress/);
  });

  it("refuses what is no shape and no site", async () => {
    for (const shape of ["2", "2GiB,0cpu", "many", "2GiB;1", ""]) {
      const ran = await run(file(SITE), "--guest", shape);
      assert.deepEqual([ran.code, ran.stdout], [2, ""], shape);
      assert.match(ran.stderr, /--guest expects a guest like 2GiB,1cpu/);
    }
    assert.equal((await run("nowhere")).code, 2);
  });
});
