/**
 * GUMS and SAZ on the documents' site, as operators and clients have them: every command through the alias, and a copy, a director and
 * each database server killed while clients with a budget of three seconds call both. Hosts are cut in site.test.ts.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { signal } from "../../src/world/index.ts";
import { TestDomus } from "../support/domus.ts";
import { type Status, tell, underLoad, whole } from "../support/site.ts";

const SITE = "sites/fermigrid-ha.yaml";

/** Who is killed under load, by what the status says of it. */
const VICTIMS: readonly { readonly what: string; readonly guest: (status: Status) => string }[] = [
  { what: "a copy of GUMS", guest: () => "fg5x2" },
  { what: "a copy of SAZ", guest: () => "fg6x3" },
  {
    what: "the active director",
    guest: (status) => status.aliases.find((alias) => alias.name === "gums")!.heldBy!,
  },
  { what: "the writing database server", guest: (status) => database(status, true) },
  { what: "the other database server", guest: (status) => database(status, false) },
];

function database(status: Status, writer: boolean): string {
  const copies = status.aliases.find((alias) => alias.name === "mysql")!.copies;
  return copies.find((copy) => copy.writer === writer)!.guest;
}

describe("GUMS and SAZ on the documents' site", () => {
  const domus = new TestDomus();
  before(async () => {
    await domus.must("up", SITE, "--loopback", domus.loopback);
    await whole(domus);
  });
  after(() => domus.destroy());

  for (const { what, guest } of VICTIMS)
    it(`loses no call while ${what} is killed`, async () => {
      const name = guest(await whole(domus));
      const shown = (await domus.json("guest", "show", name)) as { status: { instance: string } };
      const kill = async (): Promise<void> => void signal(Number(shown.status.instance), "SIGKILL");
      const [gums, saz] = await Promise.all([
        underLoad(domus, ["gums", "--rate", "30"], 400, kill),
        underLoad(domus, ["saz", "--rate", "30"], 400, async () => {}),
      ]);
      tell(`${what} (${name}) killed, gums`, gums);
      tell(`${what} (${name}) killed, saz`, saz);
      for (const load of [gums, saz]) {
        assert.equal(load.lost, 0, "every call answers within its budget of 3 s");
        assert.equal(load.answered, load.calls, JSON.stringify(load.sentences));
      }
    });

  it("is whole again after all of them", async () => void (await whole(domus)));
});
