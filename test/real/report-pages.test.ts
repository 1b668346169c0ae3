/**
 * Pages that `--html` writes, in a real browser: axe looks at each, light, dark and narrow, and nothing is wider than the screen.
 * `DOMUS_SCREENSHOTS=directory` keeps pictures.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium } from "playwright-core";
import { factsOf, historyOf, historyPage, type OutcomeChange, type RecordedEvent } from "../../src/probe/index.ts";
import { TestDomus } from "../support/domus.ts";

const CHROMIUM = "/usr/bin/chromium";
const skip = existsSync(CHROMIUM) ? false : `not installed: ${CHROMIUM}; test/real/install`;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = process.env.DOMUS_SCREENSHOTS;
const WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth";

interface Findings {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly failureSummary: string }[];
  }[];
}

const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: "light", viewport: { width: 1150, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1150, height: 900 } },
  narrow: { colorScheme: "light", viewport: { width: 360, height: 740 } },
};

/** A page of so many days, with outages of every kind, and a pause. */
function availability(days: number, now: number): string {
  const from = now - Math.max(1, days) * DAY;
  const subjects = ["alias gums", "alias voms", "guest fg5x2", "guest fg6x2", "host fermigrid5"];
  const changes: OutcomeChange[] = subjects.map((subject) => ({ subject, at: from, outcome: "answers", says: "fine" }));
  const events: RecordedEvent[] = [];
  for (let day = 1; day < days; day += 3) {
    const subject = subjects[day % subjects.length]!;
    const at = from + day * DAY + day * 1000;
    const about = subject.split(" ")[1]!;
    const lasts = (day % 7) * 40_000 + 2000;
    changes.push({ subject, at, outcome: "failed", says: "https://127.0.0.1:8443/health: nothing listens there" });
    changes.push({ subject, at: at + lasts, outcome: "answers", says: "200" });
    if (day % 2 === 0) events.push({ at, kind: "ended", about, says: "signal SIGKILL" });
    if (day % 4 === 1)
      events.push(
        { at: at - 1000, kind: "acceptance", about: "failover", says: "begin" },
        { at: at + lasts, kind: "acceptance", about: "failover", says: "end" },
      );
  }
  const watch = (begin: number, end: number) => ({ begun: from + begin * DAY, until: from + end * DAY, subjects });
  const history = historyOf({
    from,
    to: now,
    zone: "Europe/Berlin",
    watches: days === 0 ? [] : [watch(0, days * 0.4), watch(days * 0.6, days)],
    changes: days === 0 ? [] : changes,
    facts: factsOf(events, []),
    related: (subject) => ({
      self: subject.split(" ")[1]!,
      host: subject.startsWith("guest") ? "fermigrid5" : null,
      parts: [],
    }),
  });
  const titles = new Map([["guest fg5x2", "gums copy 0 on fermigrid5"]]);
  return historyPage(history, {
    site: "fermigrid-ha",
    lead: "How it was.",
    titles,
    command: "domus status --html x.html",
  });
}
const DAY = 86_400_000;

describe("report pages in a browser", { skip, timeout: 300_000 }, () => {
  const files = mkdtempSync(join(tmpdir(), "drp-"));
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  after(async () => {
    await browser?.close();
    rmSync(files, { recursive: true, force: true });
  });

  /** Opens a page in every look; scripts of its own it has none, and nothing is fetched. */
  async function judge(name: string, file: string): Promise<void> {
    for (const [look, options] of Object.entries(LOOKS)) {
      // The page's own policy forbids scripts, and axe is one.
      const context = await browser.newContext({ ...options, bypassCSP: true, offline: true });
      const page = await context.newPage();
      const fetched: string[] = [];
      page.on("request", (request) => fetched.push(request.url()));
      await page.goto(pathToFileURL(file).href);
      if (pictures) {
        mkdirSync(pictures, { recursive: true });
        await page.screenshot({ path: join(pictures, `${name}-${look}.png`), fullPage: true });
      }
      assert.equal(fetched.length, 1, `${name} fetched ${fetched.join(", ")}`);
      assert.equal(await page.evaluate<boolean>(WIDER), false, `${name} is wider than the screen: ${look}`);
      await page.evaluate(AXE);
      const { violations } = await page.evaluate<Findings>("axe.run()");
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.failureSummary}`),
        [],
        `${name}, ${look}`,
      );
      await context.close();
    }
  }

  it("availability: four hundred days, a fortnight, and nothing at all", async () => {
    const now = Date.UTC(2026, 10, 20, 12);
    for (const days of [400, 14, 0]) {
      const file = join(files, `history-${days}.html`);
      writeFileSync(file, availability(days, now));
      await judge(`availability-${days}`, file);
    }
  });

  it("consolidation: the documents' table, Karlsruhe's, and a site", async () => {
    const domus = new TestDomus();
    try {
      for (const given of ["fermigrid-2009-inventory", "karlsruhe-2007-inventory", "fermigrid-ha"]) {
        const file = join(files, `${given}.html`);
        await domus.must("consolidate", `sites/${given}.yaml`, "--html", file);
        await judge(`consolidation-${given}`, file);
      }
    } finally {
      await domus.destroy();
    }
  });
});
