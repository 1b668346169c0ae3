/**
 * VOMRS's pages in a real browser, by keyboard alone and without JavaScript: a person applies, a representative approves, groups are asked for and
 * granted. Then axe looks at every page, light and dark, narrow and wide. `DOMUS_SCREENSHOTS=directory` keeps pictures.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Identity } from "../services/stage.ts";
import { definitions, dn, FERMILAB, VomrsWorld } from "../services/vomrs-world.ts";

const CHROMIUM = "/usr/bin/chromium";
const skip = existsSync(CHROMIUM) ? false : `not installed: ${CHROMIUM}; test/real/install`;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = process.env.DOMUS_SCREENSHOTS;

/** What is run in the page, as text: this house knows no browser's types. */
const FOCUSED =
  "[...(document.activeElement.labels ?? []), document.activeElement].map((one) => one.textContent).join(' ').trim()";
const WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth";

interface Findings {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: "light", viewport: { width: 1100, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1100, height: 900 } },
  narrow: { colorScheme: "light", viewport: { width: 360, height: 740 } },
};

describe("pages in a browser", { skip, timeout: 300_000 }, () => {
  let world: VomrsWorld;
  let browser: Browser;
  let origin: string;
  before(async () => {
    world = await VomrsWorld.open(definitions(FERMILAB, { name: "other", title: "Another one" }));
    origin = `https://${world.copies[0]!.address}:8443`;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  after(async () => {
    await browser?.close();
    await world?.close();
  });

  async function opened(as: Identity | null, more: BrowserContextOptions = {}): Promise<Page> {
    const certificate =
      as === null ? {} : { clientCertificates: [{ origin, cert: Buffer.from(as.cert), key: Buffer.from(as.key) }] };
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      javaScriptEnabled: false,
      ...certificate,
      ...more,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    return page;
  }

  /** Goes with the tabulator to what has this name, as somebody does who has no mouse. */
  async function reach(page: Page, name: RegExp): Promise<void> {
    for (let steps = 0; steps < 120; steps++) {
      await page.keyboard.press("Tab");
      const here = await page.evaluate<string>(FOCUSED);
      if (name.test(here)) return;
    }
    assert.fail(`${page.url()}: nothing that is called ${name} can be reached by keyboard`);
  }
  const write = async (page: Page, name: RegExp, text: string): Promise<void> => {
    await reach(page, name);
    await page.keyboard.type(text);
  };
  const press = async (page: Page, name: RegExp): Promise<void> => {
    await reach(page, name);
    await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  };
  const open = async (page: Page, name: RegExp): Promise<void> => {
    await reach(page, name);
    await page.keyboard.press("Enter");
  };

  it("carry people from nobody to member with a role, by keyboard and without scripts", async () => {
    const alice = await opened(world.person("Alice Example"));
    await alice.goto(`${origin}/voms/fermilab`);
    await press(alice, /^Apply for membership$/);
    await write(alice, /^Name/, "Alice Example");
    await write(alice, /^E-mail/, "alice@example.org");
    await write(alice, /^Institution/, "Ferm");
    await write(alice, /^Comment/, "room 12");
    await reach(alice, /I have read version 1/);
    await alice.keyboard.press("Space");
    await press(alice, /^Apply$/);
    assert.match(await alice.getByRole("status").innerText(), /^Applied\./);

    const manfred = await opened(world.person("Manfred Manager"));
    await manfred.goto(`${origin}/voms/fermilab/waiting`);
    await press(manfred, /^Alice Example$/);
    await open(manfred, /^Confirm the address by hand/);
    await write(manfred, /^Reason/, "telephone");
    await press(manfred, /^Confirm the address by hand/);

    const rita = await opened(world.person("Rita Representative"));
    await rita.goto(`${origin}/voms/fermilab`);
    await press(rita, /^Waiting$/);
    await write(rita, /^Reason/, "room 12");
    await press(rita, /^Approve/);
    assert.match(await rita.getByRole("status").innerText(), /Alice Example is a member of fermilab/);

    await alice.goto(`${origin}/voms/fermilab`);
    await press(alice, /^My membership$/);
    await write(alice, /^Group or role/, "/fermilab/nova/Role=P");
    await write(alice, /^What for/, "shifts");
    await press(alice, /^Ask$/);
    await manfred.goto(`${origin}/voms/fermilab/waiting`);
    await press(manfred, /^Grant/);
    await alice.reload();
    assert.match(
      await alice.getByRole("main").innerText(),
      /VOMS gives\s+\/fermilab\s+\/fermilab\/nova\s+\/fermilab\/nova\/Role=Production/,
    );

    // What is wrong is said beside its field, and the browser's own help does not stand in the way of ours.
    const eve = await opened(world.person("Eve Example"));
    await eve.goto(`${origin}/voms/fermilab/apply`);
    await write(eve, /^Name/, "Eve <b>Example</b>");
    await write(eve, /^E-mail/, "eve@localhost");
    await write(eve, /^Institution/, "Karl");
    await press(eve, /^Apply$/);
    assert.match((await eve.getByLabel(/^E-mail/).getAttribute("aria-describedby")) ?? "", /wrong/);
    assert.equal(await eve.getByLabel("Name", { exact: true }).inputValue(), "Eve <b>Example</b>");
    assert.equal(await eve.getByLabel(/^Institution/).inputValue(), "Karlsruhe");
    for (const page of [alice, manfred, rita, eve]) await page.context().close();
  });

  it("have nothing serious for axe, at any width, light or dark", async () => {
    await world.must("ask-certificate", { pem: world.pem("Alice Laptop") }, { as: world.person("Alice Example") });
    await world.must(
      "ask-place",
      { fqan: "/fermilab/minos/analysis", reason: "a paper" },
      { as: world.person("Alice Example") },
    );
    await world.member("Bob Example");
    const { person } = (
      await world.must(
        "apply",
        {
          name: "Carol Candidate",
          email: "carol@example.org",
          institution: "Fermilab",
          comment: "We met in the control room.",
          rules: "1",
        },
        { as: world.person("Carol Candidate") },
      )
    ).json;
    await world.must("confirm-address", { person, reason: "known" }, { as: world.operator });
    await world.must("suspend", { person: dn("Bob Example"), reason: "key lost" }, { as: world.operator });
    await world.must("set-attribute", { owner: "/fermilab/nova", name: "quota", text: "12" }, { as: world.operator });
    const { json } = await world.get("people", { q: "alice" }, { as: world.operator });
    const alice = world.person("Alice Example");
    const manager = world.person("Manfred Manager");
    const pages: readonly (readonly [string, string, Identity | null])[] = [
      ["organizations", "/voms", alice],
      ["front-nobody", "/voms/fermilab", null],
      ["front", "/voms/fermilab", alice],
      ["apply", "/voms/fermilab/apply", world.person("Vera Visitor")],
      ["confirm", `/voms/fermilab/confirm?person=${person}&code=${"0".repeat(32)}`, null],
      ["me", "/voms/fermilab/me", alice],
      ["claimed", "/voms/fermilab/me", world.person("Alice Laptop")],
      ["suspended", "/voms/fermilab/me", world.person("Bob Example")],
      ["waiting", "/voms/fermilab/waiting", manager],
      ["people", "/voms/fermilab/people", manager],
      ["person", `/voms/fermilab/people/${json.people[0].id}`, manager],
      ["institutions", "/voms/fermilab/institutions", manager],
      ["refused", "/voms/fermilab/people", alice],
    ];
    if (pictures) mkdirSync(pictures, { recursive: true });
    const found: string[] = [];
    for (const [look, options] of Object.entries(LOOKS))
      for (const [name, path, as] of pages) {
        const page = await opened(as, { ...options, javaScriptEnabled: true });
        await page.goto(origin + path);
        await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
        await page.evaluate(AXE);
        const { violations } = await page.evaluate<Findings>("axe.run(document)");
        for (const { id, impact, nodes } of violations)
          found.push(`${name} ${look}: ${impact} ${id}: ${nodes[0]!.html.slice(0, 160)} ${nodes[0]!.failureSummary}`);
        const wide = await page.evaluate<boolean>(WIDER);
        if (wide) found.push(`${name} ${look}: wider than the window`);
        if (pictures) await page.screenshot({ path: join(pictures, `${name}-${look}.png`), fullPage: true });
        await page.context().close();
      }
    assert.deepEqual(found, []);
  });
});
