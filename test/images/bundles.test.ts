/** Bundles: every program that a Blueprint names can be built, loads, comes out the same again, and knows nothing of this machine. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { homedir, hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { BundleCache } from "../../src/images/index.ts";
import { emptyInventory, readSite } from "../../src/model/index.ts";
import { plan } from "../../src/planner/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";
import { HOUSE } from "../support/domus.ts";

const run = promisify(execFile);
const base = mkdtempSync(join(tmpdir(), "db-"));
after(() => rmSync(base, { recursive: true, force: true }));

/** What the example sites run, with MariaDB and without, and what stands for the hardware. */
function named(): readonly string[] {
  const bundles = new Set(["supervisor"]);
  for (const name of readdirSync(join(HOUSE, "sites")).filter((one) => /(?<!-inventory)\.yaml$/.test(one))) {
    const reading = readSite({ file: name, text: readFileSync(join(HOUSE, "sites", name), "utf8") }, RECIPES);
    assert.ok(reading.ok, name);
    for (const mariadb of [true, false]) {
      const planned = plan(
        {
          site: reading.site,
          inventory: emptyInventory({ mariadb }),
          parent: null,
          cause: { by: "person", says: "test" },
          version: "0",
          loopback: null,
          planOnly: true,
        },
        RECIPES,
      );
      assert.ok(planned.ok, planned.ok ? "" : planned.refusals.join("\n"));
      for (const bundle of Object.keys(planned.blueprint.bundles)) bundles.add(bundle);
      for (const { definition } of planned.blueprint.guests)
        if (definition.program.kind === "bundle") assert.ok(planned.blueprint.bundles[definition.program.bundle]);
    }
  }
  return [...bundles].sort();
}

/** Asked for inside a `try` by the MariaDB client when it prints its own packets, which nobody here turns on. */
const OPTIONAL = new Set(["cardinal"]);

const BUNDLES = named();
const first = new BundleCache(join(base, "first"));
const built = new Map<string, string>();
before(async () => {
  await Promise.all(BUNDLES.map(async (bundle) => built.set(bundle, await first.file(bundle))));
});

it("the example sites name the programs that the house has", () => {
  for (const bundle of [
    "director",
    "gums",
    "saz",
    "static-site",
    "voms",
    "mariadb",
    "sqlite-server",
    "standby",
    "supervisor",
  ])
    assert.ok(BUNDLES.includes(bundle), `${bundle} is in no example: ${BUNDLES.join(", ")}`);
});

for (const bundle of BUNDLES)
  describe(`bundle ${bundle}`, () => {
    const path = () => join(first.directory, built.get(bundle)!);
    const text = () => readFileSync(path(), "utf8");

    it("is one private file, named by its content", () => {
      assert.match(built.get(bundle)!, new RegExp(`^${bundle}-[0-9a-f]{12}\\.mjs$`));
      assert.equal(statSync(path()).mode & 0o777, 0o600);
    });

    it("needs nothing but Node: every module it loads is in it or comes with Node", async () => {
      await run(process.execPath, ["--check", path()]);
      const known = new Set(builtinModules);
      const asked = [
        ...text().matchAll(
          /^import\s[^;]*?from\s*"([^"]+)"|^import\s*"([^"]+)"|(?:__require|\brequire)\("([^"]+)"\)|\bimport\("([^"]+)"\)/gm,
        ),
      ].map((match) => match[1] ?? match[2] ?? match[3] ?? match[4]!);
      assert.ok(asked.length > 0);
      // Parts of packages ask only when they are first used, long after loading: without this they would find no `require`.
      if (/\b(?:__)?require\("/.test(text()))
        assert.match(text(), /^import \{ createRequire .*const require = __createRequire\(import\.meta\.url\);$/m);
      for (const module of asked)
        assert.ok(
          module.startsWith("node:") || known.has(module) || OPTIONAL.has(module),
          `${bundle} asks for ${module}`,
        );
    });

    it("knows no path of this machine", () => {
      for (const secret of [HOUSE, base, homedir(), hostname()].filter((one) => one.length > 5))
        assert.ok(!text().includes(secret), `${bundle} contains ${secret}`);
      assert.doesNotMatch(text(), /sourceMappingURL|node_modules\/\.|file:\/\/\/[a-z]/);
    });
  });

it("loads up to where it asks for its guest's configuration, far from the clone", async () => {
  const away = mkdtempSync(join(base, "away-"));
  await Promise.all(
    BUNDLES.map(async (bundle) => {
      const ran = await run(process.execPath, [join(first.directory, built.get(bundle)!)], {
        cwd: away,
        env: {},
        timeout: 4000,
      }).then(
        () => "",
        (error: { stderr: string; stdout: string; killed?: boolean }) => `${error.stdout}${error.stderr}`,
      );
      assert.doesNotMatch(
        ran,
        /Dynamic require|Cannot find (?:module|package)|is not defined|SyntaxError|ERR_MODULE/,
        `${bundle}: ${ran}`,
      );
    }),
  );
});

it("a second build gives the same bytes, and a second question builds nothing", async () => {
  const second = new BundleCache(join(base, "a place with blanks", "second"));
  for (const bundle of BUNDLES) {
    const name = await second.file(bundle);
    assert.equal(name, built.get(bundle));
    assert.ok(readFileSync(join(second.directory, name)).equals(readFileSync(join(first.directory, name))));
    assert.equal(first.file(bundle), first.file(bundle));
  }
});

it("a bundle that does not exist is refused", async () => {
  await assert.rejects(new BundleCache(join(base, "third")).file("no-such-service"));
  assert.ok(existsSync(base));
});
