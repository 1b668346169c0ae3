/**
 * The documents' site as a user has it: ten guests, real directors, real MariaDB in a ring; hosts cut under load, everything killed, all
 * power lost. Each part says what it measured.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { SUPERVISOR_TAG } from "../../src/hypervisor/index.ts";
import { findTagged, signal } from "../../src/world/index.ts";
import { ended, TestDomus } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";
import { type Status, tell, underLoad, whole } from "../support/site.ts";

const SITE = "sites/fermigrid-ha.yaml";
const MALLORY = "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example";
describe("the documents' site", () => {
  const domus = new TestDomus();
  before(async () => {
    const began = performance.now();
    await domus.must("up", SITE, "--loopback", domus.loopback);
    console.log(
      `# up, ten guests, database initialisation included: ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
  });
  after(() => domus.destroy());

  it("is up, ten guests on two hosts, each of them alive", async () => {
    const status = await whole(domus);
    assert.equal(status.guests.length, 10);
    assert.ok(
      status.guests.every((guest) => guest.outcome === "answers"),
      JSON.stringify(status.guests),
    );
    assert.equal((await domus.domus("status")).code, 0);
  });

  it("changes nothing the second time", async () => {
    const before = domus.processes();
    const again = await domus.json("up", SITE, "--loopback", domus.loopback);
    assert.deepEqual(
      { changed: again.changed, adopted: again.adopted, failed: again.failed },
      { changed: 0, adopted: false, failed: [] },
    );
    assert.deepEqual(new Set(domus.processes()), new Set(before));
  });

  it("maps, permits, bans on every copy, refuses, lifts the ban", async () => {
    const mapped = await domus.json(
      "map",
      "/DC=org/DC=fermigrid/OU=People/CN=Nora Example",
      "--fqan",
      "/fermilab/nova/Role=Production",
    );
    assert.equal(mapped.username, "novapro");
    assert.equal((await domus.json("authorize", MALLORY)).decision, "Permit");
    const ban = await domus.json("ban", MALLORY);
    assert.deepEqual(
      ban.copies.map((copy: { has: boolean }) => copy.has),
      [true, true],
    );
    assert.equal((await domus.json("authorize", MALLORY)).decision, "Deny");
    assert.equal((await domus.domus("authorize", MALLORY)).code, 1);
    await domus.must("unban", MALLORY);
    assert.equal((await domus.json("authorize", MALLORY)).decision, "Permit");
  });

  for (const host of ["fermigrid5", "fermigrid6"])
    it(`goes on while ${host} is cut under load, and is whole after it is healed`, async () => {
      const reads = await underLoad(domus, ["gums", "--rate", "40"], 1000, () => domus.lab("cut", host));
      tell(`${host} cut, reads`, reads);
      assert.equal(reads.lost, 0, "every read answers within its budget of 3 s");
      assert.equal(reads.answered, reads.calls);
      const status = (await domus.json("status")) as Status;
      for (const alias of status.aliases)
        assert.ok(
          alias.heldBy?.startsWith(host === "fermigrid5" ? "fg6" : "fg5"),
          `${alias.name} is held by ${alias.heldBy}`,
        );
      await domus.lab("heal", host);
      await whole(domus);
    });

  it("answers or refuses every write while the database's host is cut", async () => {
    const status = (await domus.json("status")) as Status;
    const writer = status.aliases.find((alias) => alias.name === "mysql")!.copies.find((copy) => copy.writer)!.guest;
    const host = writer.startsWith("fg5") ? "fermigrid5" : "fermigrid6";
    const writes = await underLoad(domus, ["saz", "--rate", "20", "--writes", "50%"], 600, () =>
      domus.lab("cut", host),
    );
    tell(`${host} with the writing database cut, half writes`, writes);
    assert.equal(writes.lost, 0);
    for (const says of Object.keys(writes.sentences)) assert.match(says, /\w+ \w+/, "a refusal is a sentence");
    await domus.lab("heal", host);
    await whole(domus);
  });

  it("notices guests that die and has them again", async () => {
    const status = (await domus.json("guest", "show", "fg5x2")) as { status: { instance: string } };
    signal(Number(status.status.instance), "SIGKILL");
    await eventually("the host has started it again", async () => {
      const now = (await domus.json("guest", "show", "fg5x2")) as {
        status: { instance: string | null; restarts: number };
      };
      return now.status.instance !== null && now.status.instance !== status.status.instance && now.status.restarts >= 1;
    });
    await whole(domus);
  });

  it("serves and fails over with Domus dead: supervisors stand for hardware, nothing else of it runs", async () => {
    // Nothing of Domus runs between commands: only supervisors and guests are left.
    const before = (await domus.json("status")) as Status;
    const holder = before.aliases.find((alias) => alias.name === "gums")!.heldBy!;
    const shown = (await domus.json("guest", "show", holder)) as { status: { instance: string } };
    const load = await underLoad(
      domus,
      ["gums", "--rate", "40"],
      400,
      async () => void signal(Number(shown.status.instance), "SIGKILL"),
    );
    tell(`director ${holder} killed with Domus dead`, load);
    assert.equal(load.lost, 0);
    const later = (await domus.json("status")) as Status;
    assert.notEqual(later.aliases.find((alias) => alias.name === "gums")!.heldBy, holder);
    await whole(domus);
  });

  it("keeps answering when every supervisor is killed too, and they adopt what runs", async () => {
    const guests = () => domus.hostDirectories().flatMap((directory) => directory.processes().map((one) => one.pid));
    const before = new Set(guests());
    for (const directory of domus.hostDirectories())
      for (const one of findTagged(SUPERVISOR_TAG, `${directory.key}/`)) signal(one.pid, "SIGKILL");
    const mapped = await domus.json(
      "map",
      "/DC=org/DC=fermigrid/OU=People/CN=Nora Example",
      "--fqan",
      "/fermilab/nova",
    );
    assert.equal(mapped.result, "OK");
    const again = await domus.json("up", SITE, "--loopback", domus.loopback);
    assert.deepEqual(again.failed, []);
    assert.deepEqual(new Set(guests()), before, "adopted, not started again");
  });

  it("comes back by itself when all power was cut, with Domus not running", async () => {
    await domus.must("ban", MALLORY);
    await domus.lab("cut", "fermigrid5");
    await domus.lab("cut", "fermigrid6");
    assert.equal(domus.processes().length, 0);
    await domus.lab("heal", "fermigrid6");
    await domus.lab("heal", "fermigrid5");
    await whole(domus);
    assert.equal((await domus.json("authorize", MALLORY)).decision, "Deny", "what was written before is there");
    await domus.must("unban", MALLORY);
  });

  it("mends what is missing while somebody serves, and keeps the history", async () => {
    const serve = domus.start("domus", ["serve", "--json"]);
    const served = ended(serve);
    const [directory] = domus.hostDirectories();
    for (const one of findTagged(SUPERVISOR_TAG, `${directory!.key}/`)) signal(one.pid, "SIGKILL");
    const early = served.then((ran) => Promise.reject(new Error(`serve ended: ${JSON.stringify(ran)}`)));
    early.catch(() => {});
    const restored = eventually(
      "the supervisor is restored",
      () => findTagged(SUPERVISOR_TAG, `${directory!.key}/`).length === 1,
    );
    await Promise.race([restored, early]);
    await eventually("history is kept", async () =>
      ((await domus.json("status")) as { availability: readonly { asked: number }[] }).availability.some(
        (one) => one.asked > 2,
      ),
    );
    serve.kill("SIGINT");
    assert.equal((await served).code, 0);
  });

  it("goes down and leaves nothing running, data kept", async () => {
    await domus.must("down");
    assert.deepEqual(domus.processes(), []);
    await domus.must("down");
    const began = performance.now();
    await domus.must("up", SITE, "--loopback", domus.loopback);
    console.log(`# up again, database initialisation apart: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    assert.equal((await domus.json("authorize", MALLORY)).decision, "Permit");
    await domus.must("down", "--destroy-data", "--yes");
    assert.deepEqual(domus.processes(), []);
  });
});

describe("the documents' site without MariaDB", () => {
  const domus = new TestDomus();
  before(() => domus.must("up", SITE, "--loopback", domus.loopback, "--no-mariadb"));
  after(() => domus.destroy());

  it("says that the host with the one database may not be lost", async () => {
    const plan = await domus.json("plan", SITE, "--no-mariadb", "--loopback", domus.loopback);
    assert.equal(plan.proof.survivesAnyOneHost, false);
    const lost = plan.proof.services.filter((entry: { host: string; outcome: string }) => entry.outcome !== "answers");
    assert.deepEqual(new Set(lost.map((entry: { host: string }) => entry.host)), new Set(["fermigrid6"]));
  });

  it("goes on reading when that host is cut, and refuses writes with a sentence", async () => {
    await domus.must("ban", MALLORY);
    const load = await underLoad(domus, ["saz", "--rate", "40", "--writes", "10%"], 1000, () =>
      domus.lab("cut", "fermigrid6"),
    );
    tell("the host with the one database cut, a tenth writes", load);
    assert.equal(load.lost, 0);
    assert.ok(load.refused > 0, "writes are refused while the database is away");
    for (const says of Object.keys(load.sentences)) assert.match(says, /\w+ \w+/);
    assert.equal((await domus.json("authorize", MALLORY)).decision, "Deny", "decisions go on from the snapshot");
    const status = (await domus.json("status")) as Status;
    assert.equal(status.guests.find((guest) => guest.name === "fg5x3")?.outcome, "read-only");
    await domus.lab("heal", "fermigrid6");
    await eventually("writes are taken again", async () => (await domus.domus("unban", MALLORY)).code === 0);
    await whole(domus);
  });
});
