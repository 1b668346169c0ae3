/** `domus status --history`: what a store with some days in it says, in text, JSON and on a page; flapping is a trouble. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { inLine } from "../../src/cli/history.ts";
import { emptyInventory, type ProbeOutcome, readSite } from "../../src/model/index.ts";
import { plan } from "../../src/planner/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";
import { Store } from "../../src/store/index.ts";
import { TestDomus } from "../support/domus.ts";
import { decent } from "./decent.ts";

const domus = new TestDomus();
const files = mkdtempSync(join(tmpdir(), "dh-"));
after(async () => {
  await domus.destroy();
  rmSync(files, { recursive: true, force: true });
});
const run = async (...words: string[]) => decent(await domus.domus("status", ...words), words.join(" "));

const SITE = `site: small
hosts:
  - { name: north, prefix: nx, cpus: 4, memory: 8 GiB }
  - { name: south, prefix: sx, cpus: 4, memory: 8 GiB }
services:
  lvs: { recipe: lvs, strategy: active-standby }
  wiki: { alias: { name: wiki, port: 80 }, pages: { /index.html: hello }, probe: { http: /, port: 80 } }
`;
const H = 3_600_000;
const D = 24 * H;

describe("domus status --history", () => {
  /** Noon of three days ago, UTC. */
  const begun = Math.floor(Date.now() / D) * D - 3 * D + 12 * H;
  const date = (days: number): string => new Date(begun + days * D).toISOString().slice(0, 10);

  before(async () => {
    const reading = readSite({ file: "small.yaml", text: SITE }, RECIPES);
    assert.ok(reading.ok);
    const cause = { by: "person", says: "asked in a test" } as const;
    const made = plan(
      {
        site: reading.site,
        inventory: emptyInventory({ mariadb: true }),
        parent: null,
        cause,
        version: "0.1.0",
        loopback: null,
      },
      RECIPES,
    );
    assert.ok(made.ok);
    let now = begun - H;
    const directory = join(domus.state, "small");
    const store = await Store.open(directory, { now: () => now, sleep: async () => {} });
    await store.adopt(made.blueprint);
    await store.setPhase("up");
    writeFileSync(join(directory, "site.json"), JSON.stringify(reading.site));
    const names = [
      "alias wiki",
      ...made.blueprint.guests.map(({ name }) => `guest ${name}`),
      "host north",
      "host south",
    ];
    const look = (at: number, failing: Readonly<Record<string, string>> = {}) => {
      now = at;
      return store.recordProbes(
        names.map((subject) => ({
          subject,
          result: {
            outcome: (failing[subject] ? "failed" : "answers") as ProbeOutcome,
            says: failing[subject] ?? "fine",
            milliseconds: 1,
          },
        })),
      );
    };
    const watch = async (from: number, seconds: number, failing: Readonly<Record<string, string>> = {}) => {
      for (let at = 0; at <= seconds; at += 10) await look(from + at * 1000, failing);
    };
    // Day one: a host is cut for a minute. Day two: a test kills a copy. Then nobody looks for a day.
    await watch(begun, 600);
    await watch(begun + 610_000, 50, {
      "host north": "host north is cut off from power",
      "guest nx1": "no route",
      "alias wiki": "refused",
    });
    await watch(begun + 670_000, 300);
    await look(begun + D);
    await store.event("acceptance", "failover", "begin");
    now += 1000;
    await store.event("ended", "sx1", "signal SIGKILL");
    await look(begun + D + 2000, { "guest sx1": "refused" });
    await look(begun + D + 9000);
    await store.event("acceptance", "failover", "end");
    await watch(begun + D + 10_000, 60);
    // And now somebody flaps.
    const end = Date.now();
    for (let index = 0; index < 9; index++)
      await look(end - (9 - index) * 12_000, index % 2 ? { "guest sx1": "reset" } : {});
    await store.close();
  });

  it("shows each day, what answered, and the worst outages with their causes; the tests' own apart", async () => {
    const ran = await run("small", "--history", "--from", date(0), "--utc");
    assert.equal(ran.code, 0);
    assert.match(
      ran.stdout,
      /^small, \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d: alias wiki answered least, 9\d\.\d\d % of the time \(1 min without an answer\)/,
    );
    assert.match(ran.stdout, /days and times of UTC; ■ every look was answered, .*· nobody looked/);
    assert.match(ran.stdout, /alias wiki +✗■.{2,3} +9\d\.\d\d % +1 min +1/);
    assert.match(ran.stdout, /guest nx1 .*\n/);
    assert.match(
      ran.stdout,
      new RegExp(`${date(0)} 12:10:10 +alias wiki +1 min: host north is cut off from power; the probe said: refused`),
    );
    assert.match(
      ran.stdout,
      /guest sx1 +7 s: the acceptance test failover \(sx1: signal SIGKILL\); the probe said: refused/,
    );
    assert.match(ran.stdout, /guest sx1 +■t.{2,3} +.* apart from tests\)/);
  });

  it("gives machines every day, month and outage; the short form stands in status", async () => {
    const long = await domus.json("status", "small", "--history", "--from", date(0), "--to", date(1), "--utc");
    assert.equal(long.zone, "UTC");
    const wiki = long.subjects.find(({ subject }: { subject: string }) => subject === "alias wiki");
    assert.deepEqual(
      wiki.days.map(({ name, outages, unanswered }: Record<string, unknown>) => [name, outages, unanswered]),
      [[date(0), 1, 60]],
    );
    assert.equal(wiki.outages[0].cause.kind, "host");
    const now = await domus.json("status", "small");
    const brief = now.history.subjects.find(({ subject }: { subject: string }) => subject === "guest sx1");
    assert.equal(brief.days.length, 30);
    assert.equal(brief.tested, 7);
    assert.ok(brief.share < brief.shareApart && brief.shareApart < 1);
  });

  it("draws a long time a week a mark, and adds its months up", async () => {
    const ran = await run("small", "--history", "--days", "100", "--utc");
    assert.match(ran.stdout, /one mark a week, its worst day/);
    assert.match(ran.stdout, /alias wiki +·+.*✗.* +9\d\.\d\d %/);
    assert.match(ran.stdout, /Months\n +\d{4}-\d\d +\d{4}-\d\d.*\n +alias wiki +–/);
    assert.deepEqual(inLine(["good", "none", "bad", "good", "none", "none", "warn", "test"], 3), [
      "good",
      "bad",
      "warn",
    ]);
    assert.deepEqual(inLine(["good", "none"], 1), ["good", "none"]);
    assert.deepEqual(inLine(["good", "test", "none"], 3), ["test"]);
  });

  it("names who flaps as a trouble", async () => {
    const { troubles } = await domus.json("status", "small");
    assert.ok(
      troubles.some((one: string) =>
        /^guest sx1 flaps: [789] changes within an hour, the last at \d\d:\d\d:\d\d \(/.test(one),
      ),
      troubles.join("\n"),
    );
  });

  it("writes a page", async () => {
    const page = join(files, "history.html");
    const ran = await run("small", "--html", page, "--days", "4");
    assert.match(ran.stdout, /Written: .*history\.html/);
    const text = readFileSync(page, "utf8");
    assert.match(text, /<title>Availability of small<\/title>/);
    assert.match(text, /the acceptance test failover \(sx1: signal/);
    assert.doesNotMatch(text, /<script|src=/);
  });

  it("refuses times that make no sense", async () => {
    const refusals: readonly (readonly [says: RegExp, ...words: string[]])[] = [
      [/--days expects a whole number from 1 to 401/, "--days", "0"],
      [/not both/, "--days", "3", "--from", "2026-01-01"],
      [/ends before it begins/, "--from", "2026-02-01", "--to", "2026-01-01"],
      [/--from expects a moment/, "--from", "soon"],
      [/401 days at most/, "--from", "2001-01-01"],
    ];
    for (const [says, ...words] of refusals) {
      const ran = await run("small", "--history", ...words);
      assert.deepEqual([ran.code, ran.stdout], [2, ""], words.join(" "));
      assert.match(ran.stderr, says);
    }
  });
});
