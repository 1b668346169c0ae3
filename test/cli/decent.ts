/** What the tests of the command line share: a shell as people use it, and what holds for every answer, good or bad. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { HOUSE, type Ran, type TestDomus } from "../support/domus.ts";

export const ESC = "\u001b";

/** @returns runs a line through a shell with the state of this Domus, as people do who pipe and redirect */
export function shellOf(domus: TestDomus): (line: string, environment?: NodeJS.ProcessEnv) => Ran {
  return (line, environment = {}) => {
    const ran = spawnSync("bash", ["-c", line], {
      cwd: HOUSE,
      encoding: "utf8",
      env: { ...domus.environment, ...environment },
    });
    return { code: ran.status ?? -1, stdout: ran.stdout, stderr: ran.stderr };
  };
}

/** No stack trace, no defect, no command to the terminal, an exit status of ours. */
export function decent(ran: Ran, words: string): Ran {
  for (const text of [ran.stdout, ran.stderr]) {
    assert.doesNotMatch(text, /^\s*at .*\.[cm]?[tj]s:\d+/m, `a stack trace: domus ${words}\n${text}`);
    assert.doesNotMatch(text, /defect in Domus|"defect"/, `domus ${words}\n${text}`);
    assert.ok(!text.includes(ESC), `a command to the terminal: domus ${words}`);
  }
  assert.ok([0, 1, 2, 3].includes(ran.code), `exit ${ran.code}: domus ${words}`);
  return ran;
}
