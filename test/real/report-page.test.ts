/** The page of an acceptance report in a real browser, without a network: axe finds nothing, at any width, light or dark. `DOMUS_SCREENSHOTS=directory` keeps pictures. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Browser, type BrowserContextOptions, chromium } from "playwright-core";
import { acceptancePage, compareReports } from "../../src/acceptance/index.ts";
import { sampleReport } from "../acceptance/sample-report.ts";

const CHROMIUM = "/usr/bin/chromium";
const skip = existsSync(CHROMIUM) ? false : `not installed: ${CHROMIUM}; test/real/install`;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = process.env.DOMUS_SCREENSHOTS;

interface Findings {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: "light", viewport: { width: 1200, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1200, height: 900 } },
  narrow: { colorScheme: "light", viewport: { width: 360, height: 740 } },
};

const PAGES: Readonly<Record<string, string>> = {
  passed: acceptancePage(sampleReport(), null),
  "not-passed": acceptancePage(sampleReport(true), compareReports(sampleReport(), sampleReport(true))),
};

describe("the page of a report in a browser", { skip, timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), "dp-"));
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  after(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const [name, page] of Object.entries(PAGES))
    for (const [look, options] of Object.entries(LOOKS))
      it(`${name}, ${look}`, async () => {
        const file = join(directory, `${name}.html`);
        writeFileSync(file, page);
        // axe is put in from outside: the page's own policy lets nothing run.
        const context = await browser.newContext({ ...options, offline: true, bypassCSP: true });
        const tab = await context.newPage();
        const asked: string[] = [];
        tab.on("request", (request) => asked.push(request.url()));
        await tab.goto(`file://${file}`);
        for (const details of await tab.locator("summary").all()) await details.click();
        if (pictures) {
          mkdirSync(pictures, { recursive: true });
          await tab.screenshot({ path: join(pictures, `report-${name}-${look}.png`), fullPage: true });
        }
        assert.deepEqual(asked, [`file://${file}`], "a report fetches nothing");
        assert.equal(
          await tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"),
          false,
          "the page is wider than the window",
        );
        await tab.evaluate(AXE);
        const { violations } = await tab.evaluate<Findings>("axe.run(document)");
        assert.deepEqual(
          violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary}`),
          [],
        );
        await context.close();
      });
});
