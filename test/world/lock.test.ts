/** The lock's name is open to every local user: who asks and stays is let go. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { acquireLock } from "../../src/world/index.ts";

test("a lock says who holds it, and lets go of whoever stays on the line", { timeout: 60_000 }, async () => {
  const what = `test ${process.pid}`;
  const lock = await acquireLock(what, "the holder");
  assert.ok("release" in lock);
  assert.deepEqual(await acquireLock(what, "another"), { heldBy: "the holder" });
  const name = `\0domus-${process.getuid!()}-${createHash("sha256").update(what).digest("hex").slice(0, 32)}`;
  const stays = connect({ path: name, allowHalfOpen: true });
  // It reads the words and never ends its own side.
  stays.on("error", () => {}).resume();
  let written: Error | null | undefined;
  await once(stays, "end");
  while (!written) {
    written = await new Promise((resolve) => stays.write("x", resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.match((written as NodeJS.ErrnoException).code ?? "", /EPIPE|ECONNRESET/);
  await lock.release();
  const again = await acquireLock(what, "again");
  assert.ok("release" in again);
  await again.release();
});
