/**
 * The failover test on the documents' site: ten guests, two hosts, MariaDB in a ring. Everything is killed once, somebody carries it, everything is
 * whole again. Says what it measured.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { AcceptanceReport, FailoverPart, TestReport } from "../../src/acceptance/index.ts";
import { TestDomus } from "../support/domus.ts";
import { whole } from "../support/site.ts";

const SITE = "sites/fermigrid-ha.yaml";
const PARTS = [
  ...["copy fg5x1", "copy fg5x2", "copy fg5x3", "copy fg6x1", "copy fg6x2", "copy fg6x3"],
  ...["database fg5x4", "database fg6x4", "director fg5x0", "director fg6x0", "host fermigrid5", "host fermigrid6"],
];

describe("failover on the documents' site", () => {
  const domus = new TestDomus();
  before(() => domus.must("up", SITE, "--loopback", domus.loopback));
  after(() => domus.destroy());

  it("kills every copy, database server, director and host, and each is carried by the other and whole again", async () => {
    const ran = await domus.domus("accept", "fermigrid-ha", "failover", "--json");
    const [test] = (JSON.parse(ran.stdout) as AcceptanceReport).tests as readonly TestReport<FailoverPart>[];
    assert.ok(test, ran.stderr);
    console.log(`# ${(test.durationMs / 1000).toFixed(0)} s: ${test.says}`);
    for (const { part, says } of test.parts) console.log(`# ${part}: ${says}`);
    for (const { says } of test.findings) console.log(`# ${says}`);
    assert.deepEqual(test.parts.map(({ part }) => part).toSorted(), PARTS);
    for (const part of test.parts) {
      assert.notEqual(part.wholeAfterSeconds, null, `${part.part}: ${part.says}`);
      assert.doesNotMatch(part.tookOver, /nobody/, part.part);
      assert.notEqual(part.tookOver, "", part.part);
      // The database is asked for a connection only.
      for (const { alias, requests } of part.aliases)
        assert.ok(alias === "mysql" || requests > 20, `${part.part}: ${alias}`);
    }
    const named = (name: string) => test.parts.find(({ part }) => part === name)!;
    for (const [dead, other] of [
      ["fg5x0", "fg6x0"],
      ["fg6x0", "fg5x0"],
    ])
      assert.equal(named(`director ${dead}`).tookOver, `${other} holds the aliases`);
    for (const [dead, other] of [
      ["fg5x4", "fg6x4"],
      ["fg6x4", "fg5x4"],
    ])
      assert.equal(named(`database ${dead}`).tookOver, `${other} writes mysql`);
    assert.equal(named("copy fg5x1").tookOver, "fg6x1 for voms and vomrs");
    for (const word of ["fg6x0 holds", "fg6x4 writes", "fg6x1 for", "fg6x2 for", "fg6x3 for"])
      assert.ok(named("host fermigrid5").tookOver.includes(word), named("host fermigrid5").tookOver);
    const failed = test.findings.filter(({ level }) => level === "failed").map(({ says }) => says);
    assert.deepEqual(
      failed.filter((says) => /did not come back|went down again|took over/.test(says)),
      [],
    );
    // Calls and gaps are promised on a machine that has time for them; the report knows when it had not.
    const busy = test.findings.some(({ says }) => /this machine was too busy/.test(says));
    if (!busy) assert.deepEqual([failed, test.passed], [[], true]);
    await whole(domus);
  });
});
