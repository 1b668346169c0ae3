/**
 * Pages that `--html` writes, in a real browser: axe looks at each, light, dark and narrow, and nothing is wider than the screen.
 * `DOMUS_SCREENSHOTS=directory` keeps pictures.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium } from "playwright-core";
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
