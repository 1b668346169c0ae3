/** A database server that hangs: whoever stands behind a question that is never answered must not wait for good. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Link } from "../../services/records/connection.ts";

/** As the driver does: destroying a connection tells nobody who waits in its queue. */
function hung(): { link: Link; destroyed: () => number; ends: () => number } {
  let destroyed = 0;
  let ends = 0;
  const link = new Link({ destroy: () => destroyed++ }, () => ends++);
  return { link, destroyed: () => destroyed, ends: () => ends };
}

test("the end of a connection ends every question on it, once", async () => {
  const { link, destroyed, ends } = hung();
  const never = () => new Promise<never>(() => {});
  const waiting = [link.use(never), link.use(never)];
  const why = new Error("no answer in time");
  link.end(why);
  link.end(new Error("later"));
  for (const one of waiting) await assert.rejects(one, why);
  await assert.rejects(
    link.use(async () => "not asked any more"),
    why,
  );
  assert.deepEqual([destroyed(), ends()], [1, 1]);
});

test("what is answered is answered", async () => {
  const { link } = hung();
  assert.equal(await link.use(async () => 7), 7);
  await assert.rejects(
    link.use(async () => {
      throw new Error("refused");
    }),
    /refused/,
  );
  link.end(new Error("over"));
});
