/** Reports are values: compared, kept, drawn, and nothing that somebody is called becomes markup. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import {
  type AcceptanceReport,
  acceptancePage,
  compareReports,
  findReport,
  keepReport,
  listReports,
  readReport,
  reportBefore,
  reportId,
} from "../../src/acceptance/index.ts";
import { comparisonLines, reportLines, sparkText } from "../../src/cli/commands/accept-text.ts";
import { Fault } from "../../src/model/index.ts";
import { sampleReport } from "./sample-report.ts";

const earlier = sampleReport();
const later = sampleReport(true);

describe("the page of a report", () => {
  const page = acceptancePage(later, compareReports(earlier, later));
  it("names every part, every finding and every objective", () => {
    for (const test of later.tests) for (const { part } of test.parts) assert.ok(page.includes(part), part);
    for (const says of ["comes and goes", "did not pass", "Since the last time", "2 min", "Full first", "77.8 million"])
      assert.ok(page.includes(says), says);
  });
  it("stands alone: nothing is fetched, nothing runs, and names are text", () => {
    for (const word of page.match(/<script|<link|<img|<iframe|\son[a-z]+=|url\(|@import/gi) ?? []) assert.fail(word);
    assert.ok(!page.includes("<b>bob"));
    assert.ok(page.includes("&lt;b&gt;bob&lt;/b&gt;"));
    assert.ok(page.includes('Content-Security-Policy" content="default-src &#39;none&#39;'));
  });
  it("is the same for the same report", () => {
    assert.equal(acceptancePage(later, null), acceptancePage(structuredClone(later), null));
  });
});

describe("comparing", () => {
  it("says what became worse, and is silent about what two runs differ anyway", () => {
    const { changes } = compareReports(earlier, later);
    const told = changes.filter(({ verdict }) => verdict !== "same");
    assert.deepEqual(
      told.map(({ part, what, before, after, verdict }) => [part, what, before, after, verdict]),
      [
        ["copy fg6x2", "passed", 1, 0, "worse"],
        ["copy fg6x2", "calls lost after retry", 0, 12, "worse"],
        ["copy fg6x2", "longest gap", 0, 1.2, "worse"],
      ],
    );
    const back = compareReports(later, earlier).changes.filter(({ verdict }) => verdict !== "same");
    assert.ok(back.every(({ verdict }) => verdict === "better"));
  });
  const without = (report: AcceptanceReport, drop: (part: string) => boolean): AcceptanceReport => ({
    ...report,
    tests: report.tests.map((test) => ({ ...test, parts: test.parts.filter(({ part }) => !drop(part)) })),
  });
  it("tells parts that are new and parts that are gone", () => {
    const less = without(earlier, (part) => part === "copy fg6x2");
    const verdicts = (before: AcceptanceReport, now: AcceptanceReport) =>
      new Set(
        compareReports(before, now)
          .changes.filter(({ part }) => part === "copy fg6x2")
          .map(({ verdict }) => verdict),
      );
    assert.deepEqual(verdicts(less, earlier), new Set(["new"]));
    assert.deepEqual(verdicts(earlier, less), new Set(["gone"]));
  });
  it("says nothing of a test that only one of them ran", () => {
    const basicOnly = { ...earlier, tests: earlier.tests.filter(({ test }) => test === "basic") };
    assert.ok(compareReports(basicOnly, later).changes.every(({ test }) => test === "basic"));
  });
  it("reads as lines", () => {
    const lines = comparisonLines(compareReports(earlier, later)).join("\n");
    assert.match(lines, /3 of \d+ figures changed/);
    assert.match(lines, /It passed then, and does not now/);
  });
});

describe("keeping", () => {
  const state = mkdtempSync(join(tmpdir(), "dr-"));
  after(() => rmSync(state, { recursive: true, force: true }));

  it("lists, finds, and keeps the last hundred", () => {
    for (let day = 0; day < 103; day++) {
      const startedAt = Date.UTC(2026, 0, 1 + day, 12, 0, 0);
      keepReport(state, { ...earlier, startedAt, id: reportId(startedAt, "all") }, "<html>");
    }
    const kept = listReports(state);
    assert.equal(kept.length, 100);
    assert.equal(kept[0]!.id, "2026-01-04T120000Z-all");
    assert.equal(findReport(state, "last").id, "2026-04-13T120000Z-all");
    assert.equal(findReport(state, "2026-02-01").id, "2026-02-01T120000Z-all");
    assert.equal(reportBefore(state, Date.UTC(2026, 1, 1), ["stress"])?.id, "2026-01-31T120000Z-all");
    assert.equal(reportBefore(state, Date.UTC(2025, 1, 1), ["stress"]), null);
  });
  it("says which report cannot be read, and why", () => {
    const refuses = (word: string, says: RegExp) =>
      assert.throws(
        () => findReport(state, word),
        (error) => error instanceof Fault && says.test(error.message),
      );
    refuses("2026-02", /28 begin like that/);
    refuses("1999", /kept are .*2026-04-13/);
    for (const text of ["{", "{}", '{"format":2,"tests":[]}']) {
      writeFileSync(join(state, "reports", "2027-01-01T000000Z-all.json"), text);
      assert.throws(() => readReport(listReports(state).at(-1)!), Fault);
    }
  });
});

describe("in lines", () => {
  it("has a line for each part and each finding", () => {
    const lines = reportLines(later).join("\n");
    for (const test of later.tests)
      for (const { part } of test.parts) assert.ok(lines.includes(part.replace("alias ", "")), part);
    assert.match(lines, /did not pass basic, failover, stress/);
    assert.match(lines, /! every copy says/);
  });
  it("draws calls as bars, and what was lost as a cross", () => {
    const one = (answered: number, lost = 0) => ({ answered, lost, repeated: 0 });
    assert.equal(sparkText([one(0), one(5), one(10), one(9, 1)]), "▁▅█✗");
    assert.equal(sparkText([]), "");
    assert.equal(sparkText(Array.from({ length: 300 }, () => one(1))).length, 30);
  });
});
