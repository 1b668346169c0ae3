/** `domus accept SITE basic` finds and names a copy that is slow, answers wrongly or comes and goes, and nothing else. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { AcceptanceReport, Finding } from "../../src/acceptance/index.ts";
import { eventually } from "../support/eventually.ts";
import { type Mood, Trial } from "./trial.ts";

describe("basic", { timeout: 300_000 }, () => {
  let trial: Trial;
  before(async () => {
    trial = new Trial();
    await trial.up();
  });
  after(() => trial.close());

  async function basic(): Promise<AcceptanceReport> {
    return (await trial.domus.json("accept", trial.site, "basic", "--for", "4s")) as AcceptanceReport;
  }
  const failed = ({ tests }: AcceptanceReport): readonly Finding[] =>
    tests.flatMap(({ findings }) => findings.filter(({ level }) => level === "failed"));

  it("passes a healthy site, names every copy and alias, keeps the report and its page", async () => {
    const ran = await trial.domus.domus("accept", trial.site, "basic");
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /trial passed basic/);
    for (const part of ["copy onex0", "copy twox0", "copy onex1", "copy twox1", "alias web"])
      assert.match(ran.stdout, new RegExp(`✔ ${part} `));
    const kept = (await trial.domus.json("accept", trial.site, "reports")) as { id: string; file: string }[];
    assert.equal(kept.length, 1);
    const page = readFileSync(kept[0]!.file.replace(/json$/, "html"), "utf8");
    assert.match(page, /copy onex1/);
    assert.doesNotMatch(page, /<script|src="http|href="http|url\(/);
    const report = (await trial.domus.json("accept", trial.site, "show", "last")) as AcceptanceReport;
    assert.equal(report.id, kept[0]!.id);
    for (const part of report.tests[0]!.parts) {
      for (const key of [
        "test",
        "service",
        "passed",
        "requests",
        "lost",
        "lostAfterRetry",
        "gapSeconds",
        "callsPerDay",
      ])
        assert.ok(key in part, key);
      assert.ok(part.requests > 10, part.part);
      assert.equal(part.lost, 0);
    }
  });

  const spoiled: readonly (readonly [mood: Mood, says: RegExp])[] = [
    ["slow 400", /copy twox1 is slow: its middle answer takes \d+ ms, that of its fastest peer/],
    ["wrong", /copy twox1 never gave a right answer: .*its answer does not contain "the right answer"/],
    ["broken", /copy twox1 never gave a right answer: .*status 500/],
    ["dies 12", /copy twox1 comes and goes/],
  ];
  for (const [mood, says] of spoiled)
    it(`names the copy that is spoiled (${mood}), and no other`, async () => {
      trial.spoil("twox1", mood);
      const report = await basic();
      trial.spoil("twox1", "well");
      const findings = failed(report);
      assert.equal(report.passed, false);
      assert.match(findings.map((one) => one.says).join("\n"), says);
      // What else is said is about the same copy: the director sends it nothing, its own probe fails. Who is connected to it when it dies feels it
      // through the alias too.
      const concerned = mood.startsWith("dies") ? /^(copy twox1|alias web)$/ : /^copy twox1$/;
      for (const { about } of findings) assert.match(about, concerned, JSON.stringify(findings));
      const status = await eventually("the copy is well again", async () => {
        const seen = await trial.domus.json("status", trial.site);
        return seen.well && seen.aliases[0].copies.every(({ state }: { state: string }) => state === "up") && seen;
      });
      assert.equal(status.well, true);
    });

  it("compares with an earlier report, and says what became worse", async () => {
    trial.spoil("onex1", "broken");
    await basic();
    const ran = await trial.domus.domus("accept", trial.site, "compare", "2", "last");
    trial.spoil("onex1", "well");
    assert.equal(ran.code, 2, "several begin with 2");
    const kept = (await trial.domus.json("accept", trial.site, "reports")) as { id: string }[];
    const compared = await trial.domus.domus("accept", trial.site, "compare", kept[0]!.id, "last");
    assert.match(compared.stdout, /basic copy onex1 +passed +yes → no +worse/);
    assert.match(compared.stdout, /It passed then, and does not now/);
    assert.equal(compared.code, 1);
  });

  it("ends when it is interrupted, with what was seen until then", async () => {
    const child = trial.domus.start("domus", ["accept", trial.site, "basic", "--json"]);
    const began = new Promise((resolve) => child.stderr!.once("data", resolve));
    let out = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    await Promise.race([began, ended, busy(trial)]);
    child.kill("SIGINT");
    assert.equal(await ended, 1);
    const report = JSON.parse(out) as AcceptanceReport;
    assert.equal(report.passed, false);
    assert.ok(report.tests.every(({ interrupted }) => interrupted));
  });

  const mistakes: readonly (readonly [words: readonly string[], code: number, says: RegExp])[] = [
    [["trial", "basics"], 2, /no test is called basics: expected basic, failover, stress, all/],
    [["nowhere", "basic"], 2, /nowhere/],
    [["trial", "show", "2001"], 2, /no acceptance report 2001: kept are 2/],
    [["trial", "basic", "now"], 2, /basic takes no now/],
    [["trial"], 2, /missing required argument 'what'/],
  ];
  for (const [words, code, says] of mistakes)
    it(`says what is wrong with: accept ${words.join(" ")}`, async () => {
      const ran = await trial.domus.domus("accept", ...words);
      assert.equal(ran.code, code);
      assert.match(ran.stderr, says);
    });

  it("tests only what is up", async () => {
    await trial.domus.must("down", trial.site);
    const ran = await trial.domus.domus("accept", trial.site, "basic");
    assert.match(ran.stderr, /trial is down/);
    assert.ok(existsSync(join(trial.domus.state, "trial")));
    await trial.up();
  });
});

/** Until the test has the site's lock: then it has begun. */
async function busy(trial: Trial): Promise<void> {
  await eventually("the test has begun", async () => {
    const ran = await trial.domus.domus("status", trial.site, "--json");
    const { events } = JSON.parse(ran.stdout) as { events: { kind: string; says: string }[] };
    return events[0]?.kind === "acceptance" && events[0].says === "begin";
  });
}
