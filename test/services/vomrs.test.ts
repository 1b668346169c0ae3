/** A person's whole life in an organization, by JSON, on a running VOMRS: from nobody to member, to suspended, to expired, to gone, with everything recorded. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Identity } from "./stage.ts";
import { CA, definitions, dn, FERMILAB, VomrsWorld } from "./vomrs-world.ts";

const DAY = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY).toISOString();

describe("people in an organization", { timeout: 120_000 }, () => {
  let world: VomrsWorld;
  let alice: Identity;
  let rita: Identity;
  let karl: Identity;
  let manfred: Identity;
  before(async () => {
    world = await VomrsWorld.open(
      definitions(FERMILAB, {
        name: "short",
        rules: { version: "1", text: "Be kind.", every: "1 day", grace: "1 min" },
      }),
    );
    alice = world.person("Alice Example");
    rita = world.person("Rita Representative");
    karl = world.person("Karl Representative");
    manfred = world.person("Manfred Manager");
  });
  after(() => world?.close());

  const standing = async (person: string, as: Identity = world.operator): Promise<string> =>
    (await world.get("person", { person }, { as })).json.person.standing.state;
  const says = async (operation: string, body: Readonly<Record<string, unknown>>, as: Identity): Promise<string> => {
    const { status, json } = await world.post(operation, body, { as });
    return `${status} ${json.message ?? json.says}`;
  };

  it("applies, has her address confirmed, is approved by her institution, and every step is recorded with who did it", async () => {
    assert.equal((await world.get("me", {}, { as: alice })).json.person, null);
    const wrong = await world.post(
      "apply",
      { name: "Alice", email: "nonsense", institution: "Nowhere" },
      { as: alice },
    );
    assert.deepEqual([wrong.status, Object.keys(wrong.json.fields)], [400, ["email"]]);
    const nowhere = await world.post(
      "apply",
      { name: "Alice", email: "a@b.org", institution: "Nowhere", rules: "1" },
      { as: alice },
    );
    assert.deepEqual(nowhere.json.fields, { institution: "fermilab has no such institution" });
    const unread = await world.post(
      "apply",
      { name: "Alice", email: "a@b.org", institution: "Fermilab" },
      { as: alice },
    );
    assert.deepEqual(unread.json.fields, { rules: "version 1 of the rules has to be accepted" });

    const { json } = await world.must(
      "apply",
      { name: "Alice Example", email: "alice@example.org", institution: "Fermilab", comment: "room 12", rules: "1" },
      { as: alice },
    );
    const { person } = json;
    assert.equal(await standing(person), "candidate");
    assert.match(
      await says("approve", { person }, rita),
      /^409 Alice Example is "Address not confirmed": approve is for "Waits for approval"$/,
    );
    await world.must("confirm-address", { person, reason: "telephone" }, { as: manfred });
    assert.equal(await standing(person, rita), "applicant");
    // Karl speaks for another institution, and sees nothing of her.
    assert.match(
      await says("approve", { person }, karl),
      /^403 .* may not approve an application in fermilab: that is for representatives/,
    );
    assert.equal((await world.get("people", {}, { as: karl })).json.total, 0);
    assert.equal((await world.get("waiting", {}, { as: rita })).json.applications[0].application.comment, "room 12");
    await world.must("approve", { person, reason: "room 12" }, { as: rita });
    assert.equal(await standing(person), "member");
    assert.match(await says("approve", { person }, rita), /^409 Alice Example is "Member"/);

    const { history } = (await world.get("person", {}, { as: alice })).json;
    assert.deepEqual(
      history.map((one: { kind: string; action: string; actor: string }) => [one.kind, one.action, one.actor]),
      [
        ["application", "approved", dn("Rita Representative")],
        ["application", "confirmed", dn("Manfred Manager")],
        ["application", "applied", dn("Alice Example")],
        ["signature", "sign", dn("Alice Example")],
        ["identity", "good", dn("Alice Example")],
        ["person", "set", dn("Alice Example")],
      ],
    );
  });

  it("asks for groups and roles, is granted and refused them, and gives them up", async () => {
    assert.match(await says("ask-place", { fqan: "/fermilab/nothere" }, alice), /^400 fqan: fermilab has no group/);
    assert.match(
      await says("ask-place", { fqan: "/fermilab/nova/Role=King" }, alice),
      /^400 fqan: fermilab has no role King/,
    );
    await world.must("ask-place", { fqan: "/fermilab/nova/Role=Production", reason: "shifts" }, { as: alice });
    assert.match(
      await says("ask-place", { fqan: "/fermilab/nova/Role=Production" }, alice),
      /^409 .*asked for already/,
    );
    const person = dn("Alice Example");
    // Representatives vouch for people and do not give out an organization's roles.
    assert.match(await says("grant", { person, fqan: "/fermilab/nova" }, rita), /^403/);
    const { places } = (await world.get("waiting", {}, { as: manfred })).json;
    assert.deepEqual(
      places.map((one: { fqan: string }) => one.fqan),
      ["/fermilab/nova/Role=Production"],
    );
    await world.must("grant", { person, fqan: "/fermilab/nova/Role=Production" }, { as: manfred });
    await world.must("ask-place", { fqan: "/fermilab/minos/analysis" }, { as: alice });
    await world.must(
      "refuse-place",
      { person, fqan: "/fermilab/minos/analysis", reason: "not yours" },
      { as: manfred },
    );
    const fqans = async () => (await world.get("me", {}, { as: alice })).json.person.fqans;
    assert.deepEqual(await fqans(), ["/fermilab", "/fermilab/nova", "/fermilab/nova/Role=Production"]);
    await world.must("give-up-place", { fqan: "/fermilab/nova/Role=Production" }, { as: alice });
    assert.deepEqual(await fqans(), ["/fermilab"]);
    await world.must("grant", { person, fqan: "/fermilab/nova" }, { as: world.operator });
    await world.must("set-attribute", { owner: person, name: "nickname", text: "ali" }, { as: manfred });
    await world.must("set-attribute", { owner: "/fermilab/nova", name: "quota", text: "12" }, { as: manfred });
    assert.deepEqual((await world.get("me", {}, { as: alice })).json.person.attributes, [
      { name: "nickname", text: "ali" },
    ]);
    assert.deepEqual((await world.get("institutions", {}, { as: manfred })).json.attributes, [
      { owner: "/fermilab/nova", name: "quota", text: "12" },
    ]);
    assert.match(await says("remove-attribute", { owner: person, name: "nothing" }, manfred), /^409/);
    await world.must("remove-attribute", { owner: person, name: "nickname" }, { as: manfred });
  });

  it("is suspended with a reason that she sees, and let go on", async () => {
    const person = dn("Alice Example");
    assert.match(await says("suspend", { person }, rita), /^400 reason: Reason is missing/);
    await world.must("suspend", { person, reason: "key lost" }, { as: rita });
    const me = (await world.get("me", {}, { as: alice })).json.person;
    assert.deepEqual([me.standing.state, me.standing.says, me.fqans], ["suspended", "suspended: key lost", []]);
    assert.match(await says("ask-place", { fqan: "/fermilab/nova/Role=Analysis" }, alice), /^409 you are "Suspended"/);
    await world.must("resume", { person }, { as: rita });
    assert.match(await says("resume", { person }, rita), /^409 Alice Example is not suspended/);
    assert.equal(await standing(person), "member");
  });

  it("ends when its time or its institution's is over, and is renewed", async () => {
    const person = dn("Alice Example");
    assert.match(await says("renew", { person, until: "2020-01-01" }, rita), /^400 until: this day is over/);
    assert.match(
      await says("renew", { person, until: "never" }, rita),
      /^400 until: memberships of fermilab last until .* managers may say otherwise/,
    );
    await world.must("renew", { person, until: new Date(Date.now() + 700).toISOString() }, { as: manfred });
    while ((await standing(person)) === "member") await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await standing(person), "expired");
    await world.must("renew", { person }, { as: rita });
    await world.must("set-institution", { name: "Fermilab", until: "2026-01-01" }, { as: manfred });
    const { standing: now } = (await world.get("person", { person }, { as: rita })).json.person;
    assert.deepEqual([now.state, now.says], ["expired", "Fermilab is no part of fermilab since 2026-01-01"]);
    assert.match(await says("renew", { person }, rita), /^400 institution: Fermilab is no part of fermilab any more/);
    await world.must("set-institution", { name: "Fermilab", until: "never" }, { as: manfred });
    assert.equal(await standing(person), "member");
    // What was approved first stays known through renewals.
    assert.ok(
      (await world.get("person", { person }, { as: rita })).json.history[1].details.some(
        (one: { name: string }) => one.name === "since",
      ),
    );
  });

  it("has details mended by those who know, and nobody moves her to an institution he does not speak for", async () => {
    const person = dn("Alice Example");
    await world.must("correct", { person, name: "Alice E. Example" }, { as: rita });
    assert.equal((await world.get("me", {}, { as: alice })).json.person.name, "Alice E. Example");
    assert.match(
      await says("correct", { person, institution: "Karlsruhe" }, rita),
      /^403 institution: you do not speak for Karlsruhe/,
    );
    await world.must("correct", { person, institution: "Karlsruhe", name: "Alice Example" }, { as: manfred });
    assert.equal(await standing(person, karl), "member");
    await world.must("correct", { person, institution: "Fermilab" }, { as: manfred });
  });

  it("leaves, and may apply again", async () => {
    assert.match(await says("leave", {}, alice), /^400 sure: this has to be agreed to/);
    await world.must("leave", { sure: true }, { as: alice });
    const person = dn("Alice Example");
    assert.equal(await standing(person), "removed");
    await world.must(
      "apply",
      { name: "Alice Example", email: "a@b.org", institution: "Fermilab", rules: "1" },
      { as: alice },
    );
    await world.must("deny", { person, reason: "come back later" }, { as: rita });
    assert.equal(await standing(person), "denied");
    assert.ok((await world.get("person", { person }, { as: rita })).json.history.length > 20);
  });

  it("signs the rules again when the signature is over, and without one is no member after the grace", async () => {
    const bob = world.person("Bob Example");
    await world.must(
      "add",
      { vo: "short", subject: dn("Bob Example"), ca: CA, until: inDays(3) },
      { as: world.operator },
    );
    const me = async () => (await world.get("me", { vo: "short" }, { as: bob })).json.person.standing;
    const first = await me();
    assert.deepEqual([first.state, first.ends], ["member", "rules"]);
    assert.ok(Date.parse(first.until) - Date.now() <= 60_000, "the grace is a minute");
    assert.match(
      await says("sign", { vo: "short", version: "2", agree: true }, bob),
      /^409 version 1 of the rules is in force now/,
    );
    await world.must("sign", { vo: "short", version: "1", agree: true }, { as: bob });
    assert.ok(Date.parse((await me()).until) - Date.now() > 23 * 3_600_000);
  });

  it("an operator puts somebody in directly, whose certificate then is nobody else's", async () => {
    const added = await world.must(
      "add",
      {
        subject: dn("Carol Example"),
        ca: CA,
        name: "Carol",
        fqans: ["/fermilab/nova", "/fermilab/nova/Role=Analysis"],
        institution: "Karlsruhe",
      },
      { as: world.operator },
    );
    assert.match(
      await says("add", { subject: dn("Carol Example"), ca: CA }, manfred),
      /^409 Carol has this certificate, and is member in fermilab/,
    );
    const { person } = (await world.get("person", { person: added.json.person }, { as: karl })).json;
    assert.deepEqual(person.fqans, ["/fermilab", "/fermilab/nova", "/fermilab/nova/Role=Analysis"]);
    assert.match(
      await says("add", { subject: dn("Dave Example"), ca: CA, fqans: ["/fermilab/no"] }, manfred),
      /^400 fqans: /,
    );
  });

  it("is a proxy's person by a full proxy, and nobody by a limited one or a revoked certificate", async () => {
    assert.equal((await world.get("me", {}, { as: world.proxy("Carol Example") })).json.person.name, "Carol");
    // A long chain is judged by the call that comes with it, a short one with the connection.
    for (const depth of [2, 3, 6])
      assert.equal(
        (await world.get("me", {}, { as: world.proxy("Carol Example", false, depth) })).json.person.name,
        "Carol",
      );
    const limited = await world.get("me", {}, { as: world.proxy("Carol Example", true) });
    assert.deepEqual(
      [limited.status, limited.json.message],
      [401, "your certificate is not taken: a limited proxy may not act for its person here"],
    );
    assert.equal((await world.get("me", {}, { as: world.stranger() })).status, 401);
    // Somebody else's authority that calls its people operators makes none.
    assert.equal((await world.post("approve", { person: "x" }, { as: world.stranger() })).status, 401);
    world.revoke("Carol Example");
    while ((await world.get("me", {}, { as: world.person("Carol Example") })).status === 200)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const revoked = await world.get("me", {}, { as: world.person("Carol Example") });
    assert.match(revoked.json.message, /^your certificate is not taken: .* was taken back on 2025/);
  });

  it("says what it cannot read, and stays up", async () => {
    const cases: readonly (readonly [string, string, number])[] = [
      ["{", "application/json", 400],
      ['{"vo":"fermilab"}', "text/plain", 400],
      ['{"vo":"nothere"}', "application/json", 404],
      ['{"vo":7}', "application/json", 400],
      [`{"vo":"fermilab","name":"${"x".repeat(300)}"}`, "application/json", 400],
      ['{"vo":"fermilab","__proto__":{"x":1},"constructor":1}', "application/json", 400],
      [`{"vo":"fermilab","name":"a\\u202eb","email":"a@b.org","institution":"Fermilab"}`, "application/json", 400],
      [`{"vo":"fermilab","name":"a","email":"a@b.org,c@d.org","institution":"Fermilab"}`, "application/json", 400],
      [
        `{"vo":"fermilab","name":"a","email":"a@b.org\\r\\nBcc: c@d.org","institution":"Fermilab"}`,
        "application/json",
        400,
      ],
    ];
    for (const [body, type, status] of cases) {
      const answer = await world.ask("POST", "/vomrs/json/apply", {
        as: alice,
        body,
        headers: { "content-type": type },
      });
      assert.equal(answer.status, status, `${body.slice(0, 80)}: ${answer.body}`);
      assert.equal(answer.json.result, "ERROR");
    }
    assert.equal((await world.get("people", { q: "x", q2: "y" }, { as: rita })).status, 400);
    assert.equal((await world.get("people", { state: "king" }, { as: rita })).status, 400);
    assert.ok(
      world.copies[0]!.lines.every((line) => !line.includes('"defect"')),
      world.copies[0]!.lines.join("\n"),
    );
  });
});
