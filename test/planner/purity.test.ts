/** Planning may not look at the world: its sources are searched for every way in, and two processes must give the same bytes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { blueprintId } from "../../src/planner/index.ts";
import { ask, fermigrid, planned } from "./sites.ts";

const folder = join(import.meta.dirname, "../../src/planner");
const WAYS_OUT =
  /\b(Date|performance|process|localeCompare|toLocale\w*|Intl|setTimeout|fetch)\b|Math\.random|from "node:(?!crypto")/;

test("no clock, no chance, no locale, no file, no process", () => {
  for (const name of readdirSync(folder)) {
    const code = readFileSync(join(folder, name), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    assert.doesNotMatch(code, WAYS_OUT, name);
  }
  assert.match("new Date()", WAYS_OUT);
});

test("another process, another time zone, another locale: the same bytes", () => {
  const script = `
    import { blueprintId } from "./src/planner/index.ts";
    import { ask, fermigrid, planned } from "./test/planner/sites.ts";
    console.log(blueprintId(planned(ask(fermigrid())).blueprint));`;
  const env = { PATH: "/nowhere", TZ: "Asia/Kathmandu", LC_ALL: "tr_TR.UTF-8", HOME: "/nowhere" };
  const cwd = join(folder, "../..");
  const said = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd,
    env,
    encoding: "utf8",
  });
  assert.equal(said.trim(), blueprintId(planned(ask(fermigrid())).blueprint));
});
