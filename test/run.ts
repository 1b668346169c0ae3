/**
 * Runs the tests: what this machine can run, and says what was left out and why. `--real` runs the real parts instead (MariaDB,
 * keepalived, whole sites) and fails when one of them was skipped; `test/real/install` installs what they need.
 */
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { CENSUS_VARIABLE, census } from "./support/stock-clients.ts";

const HERE = import.meta.dirname;
const words = process.argv.slice(2);
const real = words.includes("--real");
const chosen = words.filter((word) => !word.startsWith("--"));

const files = globSync("**/*.test.ts", { cwd: HERE })
  .filter((file) => file.startsWith("real/") === real)
  .filter((file) => chosen.length === 0 || chosen.some((word) => file.includes(word)))
  .sort()
  .map((file) => join(HERE, file));

// Every client of others that the real tests call is counted; a run of all of them fails where one was not.
const counted = real && chosen.length === 0;
const gathered = join(mkdtempSync(join(tmpdir(), "domus-clients-")), "calls");
if (counted) process.env[CENSUS_VARIABLE] = gathered;

const skipped: { readonly name: string; readonly reason: string }[] = [];
let passed = 0;
let failed = 0;

// Real parts share one machine's addresses and two cores: one file after the other.
// A test that hangs is a failure with a name, not a run without an end.
const stream = run({
  files,
  concurrency: real ? 1 : 2,
  timeout: (real ? 20 : 5) * 60_000,
  execArgv: ["--disable-warning=ExperimentalWarning", "--import", join(HERE, "support/seed.ts")],
});
stream.on("test:pass", (event) => {
  if (event.details.type === "suite") return;
  const { skip } = event;
  if (skip === undefined || skip === false) passed++;
  else skipped.push({ name: event.name, reason: typeof skip === "string" ? skip : "no reason given" });
});
let suitesFailed = 0;
stream.on("test:fail", (event) => {
  if (event.details.type === "suite") suitesFailed++;
  else failed++;
});
const reporter = new spec();
stream.compose(reporter).pipe(process.stdout, { end: false });

await new Promise((resolve) => reporter.on("end", resolve));
// A suite whose own preparation failed is a failure, even when none of its tests came to be run.
if (failed === 0) failed = suitesFailed;
if (skipped.length > 0) {
  console.log("\nLeft out:");
  for (const one of skipped) console.log(`  ${one.name}: ${one.reason}`);
}
if (!real && chosen.length === 0) {
  const parts = globSync("real/*.test.ts", { cwd: HERE }).map((file) => relative("real", file).replace(".test.ts", ""));
  console.log(
    `\nNot run here: the real parts (${parts.sort().join(", ")}). On Debian one command installs what they need and runs them: npm run test:debian`,
  );
}
if (failed === 0 && passed === 0) console.log("No test was run: that is a failure.");
if (counted) {
  const { lines, uncalled } = census(gathered);
  console.log(`\nPrograms of others that called ours, or were called beside them:\n${lines.join("\n")}`);
  for (const client of uncalled) console.log(`${client} was never called: that is a failure.`);
  failed += uncalled.length;
}
rmSync(dirname(gathered), { recursive: true });
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
const counts = process.env.DOMUS_TEST_COUNTS;
if (counts) writeFileSync(counts, `${passed} ${failed} ${skipped.length}\n`);
// Where everything was installed for the tests, leaving one out is a failure.
const strict = real || process.env.DOMUS_TEST_STRICT === "1";
process.exitCode = failed > 0 || passed === 0 || (strict && skipped.length > 0) ? 1 : 0;
