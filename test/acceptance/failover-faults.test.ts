/** Sites with one fault each: the failover test finds it and names it in words. */
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pairSite } from "./failover-sites.ts";
import { failedIn, failover, standing, warnedIn } from "./failover-stage.ts";

describe("a copy that does not come back", () => {
  const site = standing(pairSite, { fault: "refuses", objectives: "{ lost: 90 %, gap: 60 s, whole: 1 s }" });

  it("is named with its last end; the test stops, and says what it left out", async () => {
    const report = await failover(site, { deadSeconds: 1 });
    assert.equal(report.passed, false);
    assert.deepEqual(
      report.parts.map(({ part, passed, wholeAfterSeconds }) => ({ part, passed, wholeAfterSeconds })),
      [{ part: "copy n1", passed: false, wholeAfterSeconds: null }],
    );
    const [never] = failedIn(report).filter((says) => /did not come back/.test(says));
    assert.match(never!, /^copy n1: n1 did not come back: n1 does not run \(crashed: ended with status 1\)/);
    assert.match(never!, /its host has started it again \d+ times?, ended with status 1/);
    assert.match(never!, /the objective "whole" allows 1\.00 s/);
    assert.ok(
      warnedIn(report).some((says) => /^copy s1, .*host north and host south not tested: .*not whole again/.test(says)),
    );
    assert.equal(report.parts[0]!.lostAfterRetry, 0, "the other copy carries the load all the while");
    const refused = await failover(site, { deadSeconds: 1 });
    assert.deepEqual([refused.passed, refused.parts.length], [false, 0]);
    assert.match(refused.says, /^the site is not whole, so nothing was killed: n1 does not run/);
  });
});

describe("a copy that comes back and does not stay", () => {
  const site = standing(pairSite, { fault: "flaps", objectives: "{ lost: 90 %, gap: 60 s, whole: 3 s }" });

  it("is named: it went down again while it should have been whole", async () => {
    const report = await failover(site, { deadSeconds: 1, parts: ["copy s1"] });
    assert.equal(report.passed, false);
    assert.ok(
      failedIn(report).some((says) => /^copy s1: s1 came back and went down again/.test(says)),
      failedIn(report).join("\n"),
    );
  });
});

describe("a pair whose copies lean on each other", () => {
  const shared = mkdtempSync(join(tmpdir(), "dt-leans-"));
  const site = standing(pairSite, { fault: "leans", shared, objectives: "{ lost: 0 %, gap: 1 s, whole: 120 s }" });

  it("loses calls when one dies, and fails by the objectives, in words", async () => {
    const report = await failover(site, { parts: ["copy n1"] });
    assert.equal(report.passed, false);
    const [part] = report.parts;
    assert.ok(part!.lostAfterRetry > 0 && part!.gapSeconds > 1);
    assert.ok(part!.timeline.some(({ lost }) => lost > 0));
    assert.notEqual(part!.wholeAfterSeconds, null);
    const failed = failedIn(report);
    assert.ok(
      failed.some((says) =>
        /^copy n1: app lost \d+ calls? of \d+ after their repetitions \([\d.]+ %.*\); the objective "lost" allows 0 %; first seen: \w/.test(
          says,
        ),
      ),
      failed.join("\n"),
    );
    assert.ok(
      failed.some((says) => /app was without service for [\d.]+ s; the objective "gap" allows 1\.00 s/.test(says)),
    );
    assert.ok(warnedIn(report).some((says) => /marked s1 of app down too, .* after the kill: status 500/.test(says)));
    assert.match(report.says, /objectives not kept: copy n1$/);
  });
});
