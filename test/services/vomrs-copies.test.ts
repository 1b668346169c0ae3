/** Two copies side by side on one database: nothing relies on one of them, nothing is lost between them, and without the database reading goes on. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "./stage.ts";
import { definitions, dn, FERMILAB, formsOf, VomrsWorld } from "./vomrs-world.ts";

describe("two copies", { timeout: 120_000 }, () => {
  let world: VomrsWorld;
  before(async () => {
    world = await VomrsWorld.open(definitions(FERMILAB), { copies: 2 });
  });
  after(() => world?.close());

  const state = async (person: string, copy: number): Promise<string> =>
    (await world.get("person", { person }, { as: world.operator, copy })).json.person?.standing.state ?? "unknown";

  it("a form from one is taken by the other", async () => {
    const as = world.person("Alice Example");
    const page = await world.ask("GET", "/voms/fermilab/apply", { as, copy: 0 });
    const { hidden } = formsOf(page.body)[0]!;
    const filled = { ...hidden, name: "Alice", email: "alice@example.org", institution: "Fermilab", rules: "1" };
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const sent = await world.ask("POST", "/voms/fermilab/apply", {
      as,
      copy: 1,
      body: new URLSearchParams(filled).toString(),
      headers,
    });
    assert.equal(sent.status, 303);
    assert.match(
      (await world.ask("GET", String(sent.headers.location), { as, copy: 0 })).body,
      /role="status"><p>Applied/,
    );
    await until(async () => (await state(dn("Alice Example"), 0)) === "candidate");
  });

  it("whoever applies at both at once is one person", async () => {
    const as = world.person("Twice Example");
    const body = { name: "Twice", email: "twice@example.org", institution: "Fermilab", rules: "1" };
    const answers = await Promise.all([0, 1].map((copy) => world.post("apply", body, { as, copy })));
    assert.deepEqual(
      new Set(answers.map(({ json }) => json.person)).size,
      1,
      JSON.stringify(answers.map(({ json }) => json)),
    );
    await until(
      async () => (await world.get("people", { q: "twice" }, { as: world.operator, copy: 0 })).json.total === 1,
    );
    assert.equal((await world.get("people", { q: "twice" }, { as: world.operator, copy: 1 })).json.total, 1);
  });

  it("two who decide at once: both words are recorded, the later one counts everywhere, and it says whose it is", async () => {
    const rita = world.person("Rita Representative");
    const manfred = world.person("Manfred Manager");
    for (let round = 0; round < 5; round++) {
      const as = world.person(`Round ${round}`);
      const { person } = (
        await world.must(
          "apply",
          { name: `Round ${round}`, email: "r@example.org", institution: "Fermilab", rules: "1" },
          { as },
        )
      ).json;
      await world.must("confirm-address", { person, reason: "known" }, { as: world.operator });
      await until(async () => (await state(person, 1)) === "applicant");
      const [yes, no] = await Promise.all([
        world.post("approve", { person }, { as: rita, copy: 0 }),
        world.post("deny", { person, reason: "no" }, { as: manfred, copy: 1 }),
      ]);
      assert.ok(
        [yes, no].every(({ status }) => status === 200 || status === 409),
        `${yes.body}\n${no.body}`,
      );
      const both = yes.status === 200 && no.status === 200;
      const seen = async (copy: number) => (await world.get("person", { person }, { as: world.operator, copy })).json;
      await until(async () => {
        const [a, b] = [await seen(0), await seen(1)];
        return a.history.length === b.history.length && JSON.stringify(a) === JSON.stringify(b);
      });
      const { history, person: shown } = await seen(0);
      const decisions = history.filter(
        (one: { action: string }) => one.action === "approved" || one.action === "denied",
      );
      assert.equal(decisions.length, both ? 2 : 1);
      assert.equal(decisions[0].action === "approved" ? "member" : "denied", shown.standing.state);
      assert.ok([dn("Rita Representative"), dn("Manfred Manager")].includes(shown.application.actor));
    }
  });

  it("two who take one certificate at once: it is one person's", async () => {
    for (const name of ["Anna", "Berta"]) await world.member(`${name} Example`);
    const subject = dn("Shared Example");
    const ca = "/DC=org/DC=fermigrid/CN=People CA";
    await until(async () => (await state(dn("Berta Example"), 1)) === "member");
    await Promise.all(
      ["Anna", "Berta"].map((name, copy) =>
        world.post("add-certificate", { person: dn(`${name} Example`), subject, ca }, { as: world.operator, copy }),
      ),
    );
    const has = async (copy: number) => {
      const all = await Promise.all(
        ["Anna", "Berta"].map((name) =>
          world.get("person", { person: dn(`${name} Example`) }, { as: world.operator, copy }),
        ),
      );
      return all.map(({ json }) =>
        json.person.certificates.some((one: { subject: string }) => one.subject === subject),
      );
    };
    await until(async () => JSON.stringify(await has(0)) === JSON.stringify(await has(1)));
    assert.equal((await has(0)).filter(Boolean).length, 1);
  });

  it("without the database reading goes on and says how old it is; writing is refused within moments; then both go on", async () => {
    const as = world.person("Manfred Manager");
    await world.database.kill("SIGKILL");
    await world.copies[0]!.says("database out of sight");
    const began = Date.now();
    const refused = await world.post("suspend", { person: dn("Anna Example"), reason: "x" }, { as });
    assert.equal(refused.status, 503);
    assert.match(refused.json.message, /nothing can be recorded now; what is shown is of 20/);
    assert.ok(Date.now() - began < 3000);
    await until(async () => (await world.ask("GET", "/health", { as: world.guest })).json.state === "read-only");
    const page = await world.ask("GET", "/voms/fermilab/people?q=anna", { as });
    assert.equal(page.status, 200);
    assert.match(page.body, /What you see may be old, and nothing can be changed now/);
    const form = await world.submit(`/voms/fermilab/people?q=anna`, "add", { subject: "/CN=x", ca: "/CN=y" }, { as });
    assert.equal(form.status, 503);
    assert.match(form.body, /nothing can be recorded now/);
    assert.deepEqual(
      (await world.ask("GET", "/voms/fermilab/members", { as: world.guest })).json.members.includes(dn("Anna Example")),
      true,
    );

    // A copy that comes back meanwhile knows everything from its snapshot, the record too.
    await world.copies[1]!.kill("SIGTERM");
    world.copies[1] = await world.cast(1);
    assert.equal(await state(dn("Anna Example"), 1), "member");
    assert.ok(
      (await world.get("person", { person: dn("Anna Example") }, { as: world.operator, copy: 1 })).json.history
        .length >= 6,
    );

    world.database = await world.castDatabase();
    await until(
      async () => (await world.post("suspend", { person: dn("Anna Example"), reason: "x" }, { as })).status === 200,
    );
    await until(async () => (await state(dn("Anna Example"), 1)) === "suspended");
  });
});
