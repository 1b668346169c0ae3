/** Threads beside the loop have the least priority, the loop keeps its own. In a process of its own, because it cannot be taken back. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("every thread but the loop's stands behind", { skip: process.platform !== "linux" }, () => {
  const module = join(import.meta.dirname, "../../src/world/quiet-background.ts");
  const program = `
    import { readdirSync } from "node:fs";
    import { getPriority } from "node:os";
    import { quietBackground } from ${JSON.stringify(module)};
    const own = getPriority();
    const behind = await quietBackground();
    const priorities = readdirSync("/proc/self/task").map((thread) => [Number(thread) === process.pid, getPriority(Number(thread))]);
    console.log(JSON.stringify({ own, behind, priorities }));`;
  const said = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  const { own, behind, priorities } = JSON.parse(said) as {
    own: number;
    behind: number;
    priorities: readonly (readonly [boolean, number])[];
  };
  assert.ok(behind > 0);
  assert.equal(priorities.length, behind + 1);
  for (const [loop, priority] of priorities) assert.equal(priority, loop ? own : 19);
});
