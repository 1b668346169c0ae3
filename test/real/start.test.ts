/** `npm start`, as a stranger types it: the site comes up, real calls are shown, advice is given, Ctrl-C leaves nothing running. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { after, describe, it } from "node:test";
import { HOUSE, TestDomus } from "../support/domus.ts";

/** Starts `npm start` and waits until it says what to try. */
async function npmStart(
  domus: TestDomus,
  ...words: readonly string[]
): Promise<{ child: ChildProcess; printed: string; over: Promise<string> }> {
  const child = spawn("npm", ["start", "--", ...words, "--loopback", domus.loopback], {
    cwd: HOUSE,
    env: domus.environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let printed = "";
  const over = new Promise<string>((resolve) => child.on("close", () => resolve(printed)));
  await new Promise<void>((resolve, reject) => {
    const onText = (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes("domus-lab heal") && printed.includes("why each guest is where it is")) resolve();
    };
    child.stdout.on("data", onText);
    child.stderr.on("data", onText);
    child.on("close", (code) => reject(new Error(`npm start ended with ${code}:\n${printed}`)));
  });
  return { child, printed, over };
}

for (const [example, calls] of [
  [
    "fermigrid-ha",
    [
      /who is Nora.*novapro/,
      /may Mallory use the site\?\s+Permit/,
      /ban Mallory\s+in force on/,
      /may Mallory use the site\?\s+Deny/,
    ],
  ],
  ["wiki", [/GET http:\/\/127.*200 Our wiki/]],
] as const)
  describe(`npm start -- ${example}`, () => {
    const domus = new TestDomus();
    after(() => domus.destroy());

    it("shows real calls, says what to try, and Ctrl-C takes the site down", async () => {
      const { child, printed, over } = await npmStart(domus, example);
      for (const call of calls) assert.match(printed, call);
      console.log(`# ${printed.split("\n").find((line) => /up in /.test(line))}`);
      assert.ok(domus.processes().length >= 6);
      // The printed command does what it says.
      const cut = /bin\/domus-lab cut (\S+)/.exec(printed)![1]!;
      await domus.lab("cut", cut);
      await domus.lab("heal", cut);
      process.kill(-child.pid!, "SIGINT");
      assert.match(await over, /is down; its data stays/);
      assert.deepEqual(domus.processes(), []);
    });

    it("leaves it running when detached", async () => {
      const child = spawn("npm", ["start", "--", example, "--detach", "--loopback", domus.loopback], {
        cwd: HOUSE,
        env: domus.environment,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const code = await new Promise((resolve) => child.on("close", resolve));
      assert.equal(code, 0);
      assert.ok(domus.processes().length >= 6);
      await domus.must("down");
      assert.deepEqual(domus.processes(), []);
    });
  });
