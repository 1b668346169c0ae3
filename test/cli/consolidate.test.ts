/** `domus consolidate`: text, JSON and a page from a table of systems and from a site; a changed row changes what is said. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { HOUSE, TestDomus } from "../support/domus.ts";
import { decent } from "./decent.ts";

const domus = new TestDomus();
const files = mkdtempSync(join(tmpdir(), "dc-"));
after(async () => {
  await domus.destroy();
  rmSync(files, { recursive: true, force: true });
});

const TABLE = "sites/fermigrid-2009-inventory.yaml";
const run = async (...words: string[]) => decent(await domus.domus("consolidate", ...words), words.join(" "));

/** The documents' table with one line changed. */
function changed(line: string, by: string): string {
  const text = readFileSync(join(HOUSE, TABLE), "utf8");
  assert.equal(text.split(line).length, 2, `${line} is not once in the table`);
  const path = join(files, "changed.yaml");
  writeFileSync(path, text.replace(line, by));
  return path;
}

describe("domus consolidate", () => {
  it("says the documents' numbers, the definitions, the caveat, and the two slips", async () => {
    const ran = await run(TABLE);
    assert.equal(ran.code, 0);
    assert.match(ran.stdout, /^FermiGrid, 01-Dec-2009: 203 guests on 46 hosts, 4\.4 for each: 157 machines fewer/);
    assert.match(ran.stdout, /4\.4 to 8 \(~4-8x\)\n.*203\/46 = 4\.4.*most guests on one host \(8\)/);
    assert.match(ran.stdout, /6\.3 to 16 \(~6-16x\)\n.*203\/\(46−14\) = 6\.3.*2·8 = 16/);
    assert.match(ran.stdout, /Giving up the second copies removes guests too/);
    assert.match(ran.stdout, /inventory\.yaml:21:13: rows\[1\]\.guests: 5 terms for 8 machines/);
    assert.match(ran.stdout, /inventory\.yaml:42:13: rows\[5\]\.system: fcdf0, fcdf1, fcdf2 stand in fcdf\[0-5\]/);
    assert.match(ran.stdout, /power +73 kW +24 kW +49 kW +200 W a machine; 250 W a host and 10 W a guest; times 1\.8/);
  });

  it("gives machines what the contract says", async () => {
    const found = await domus.json("consolidate", TABLE);
    assert.deepEqual([found.physical, found.virtual, found.rows.length], [46, 203, 11]);
    assert.equal(found.factor, 203 / 46);
    assert.deepEqual(
      found.ranges.map(({ name, low, high }: { name: string; low: number; high: number }) => [name, low, high]),
      [
        ["two copies", 203 / 46, 8],
        ["one copy", 203 / 32, 16],
      ],
    );
    assert.equal(found.warnings.length, 2);
    assert.deepEqual(found.assumptions.cooling, { value: 1.8, from: "default" });
  });

  it("follows a changed row: totals, both ranges, money", async () => {
    const before = await domus.json("consolidate", TABLE);
    const after = await domus.json("consolidate", changed("guests: 8+7+7+7+7 = 36", "guests: 12+7+7+7+7 = 40"));
    assert.deepEqual([after.physical, after.virtual, after.ranges[0].high, after.ranges[1].high], [46, 207, 12, 24]);
    assert.deepEqual([after.ranges[0].low, after.ranges[1].low], [207 / 46, 207 / 32]);
    assert.equal(after.savings.purchase.before - before.savings.purchase.before, 4 * 2000);
    const unpaired = await domus.json("consolidate", changed("pairs: fermigrid[1-6]", "pairs: false"));
    assert.deepEqual([unpaired.pairs, unpaired.ranges[0].low, unpaired.ranges[1].low], [22, 203 / 46, 203 / 35]);
  });

  it("assumes what the file says, and options before that, and says which", async () => {
    const file = changed("rows:", "assumptions: { price-per-kwh: 0.5, cooling: 1.2, currency: CHF }\nrows:");
    const found = await domus.json("consolidate", file, "--cooling", "1.5", "--years", "3");
    const { "price-per-kwh": price, cooling, years, life } = found.assumptions;
    assert.deepEqual(
      [price, cooling, years, life],
      [
        { value: 0.5, from: "the file" },
        { value: 1.5, from: "--cooling" },
        { value: 3, from: "--years" },
        { value: 4, from: "default" },
      ],
    );
    assert.equal(found.savings.byYear.length, 4);
    const text = await run(file, "--currency", "$");
    assert.match(text.stdout, /price-per-kwh +0\.5 \$ +paid for a kilowatt-hour +the file/);
  });

  it("reports on a site itself, from its file or as it is in force, and leaves no trace", async () => {
    const found = await domus.json("consolidate", "sites/fermigrid-ha.yaml");
    assert.deepEqual([found.physical, found.virtual, found.pairs], [2, 10, 2]);
    assert.deepEqual([found.needs.unvirtualized.hosts, found.needs.virtualized.hosts], [10, 2]);
    const text = await run("sites/fermigrid-ha.yaml");
    assert.match(
      text.stdout,
      /without virtualization: 10 copies on a machine each\n +with it: 2 hosts, proved minimal/,
    );
    assert.equal(existsSync(join(domus.state, "fermigrid-ha")), false);
  });

  it("writes a page that stands alone, the same bytes each time", async () => {
    const page = join(files, "report.html");
    const ran = await run(TABLE, "--html", page);
    assert.match(ran.stdout, new RegExp(`Written: ${page}`));
    const text = readFileSync(page, "utf8");
    assert.match(text, /<title>Consolidation: FermiGrid, 01-Dec-2009<\/title>/);
    assert.match(text, /6\.3 to 16 \(~6-16x\)/);
    assert.doesNotMatch(text, /<script|src=|href="(?!#)|url\(/);
    assert.equal(text.match(/<svg class="plot"/g)!.length, 5);
    await run(TABLE, "--html", page);
    assert.equal(readFileSync(page, "utf8"), text);
    const hostile = await run(changed("title: FermiGrid", 'title: "<script>alert(1)</script>"'), "--html", page);
    assert.equal(hostile.code, 0);
    assert.doesNotMatch(readFileSync(page, "utf8"), /<script/);
  });

  it("refuses nonsense in one go, with its places, and words that are no assumption", async () => {
    const bad = await run(changed("guests: 4*6 = 24", "guests: 4*6 = many"));
    assert.deepEqual([bad.code, bad.stdout], [2, ""]);
    assert.match(bad.stderr, /changed\.yaml:27:19: rows\[2\]\.guests: expected the total/);
    const refusals: readonly (readonly [says: RegExp, ...words: string[]])[] = [
      [/--cooling expects a number from 1 to 10, found "0\.9"/, TABLE, "--cooling", "0.9"],
      [/--years expects a whole number from 1 to 50, found "2\.5"/, TABLE, "--years", "2.5"],
      [/--currency expects a code or sign/, TABLE, "--currency", "money"],
      [/--html .*: there is no directory/, TABLE, "--html", join(files, "no/report.html")],
      [/--html .*: it is a directory/, TABLE, "--html", files],
      [/there is no such file/, "sites/none.yaml"],
      [/missing required argument 'inventory'/],
    ];
    for (const [says, ...words] of refusals) {
      const ran = await run(...words);
      assert.deepEqual([ran.code, ran.stdout], [2, ""], words.join(" "));
      assert.match(ran.stderr, says);
    }
  });
});
