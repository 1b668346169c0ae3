/** Who may do what: every operation by everybody, against a table of its own; and calls that somebody else's page made a browser send. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { OPERATIONS } from "../../services/vomrs/operations/index.ts";
import type { Identity } from "./stage.ts";
import { type Answered, CA, definitions, dn, FERMILAB, formsOf, VomrsWorld } from "./vomrs-world.ts";

/**
 * n: nobody · s: a stranger's certificate · g: a machine of the site · v: somebody trusted who is not known · l: a limited proxy of Alice's · a: Alice ·
 * b: Bob, a member of another institution · r: who speaks for Alice's institution · k: who speaks for Bob's · m: the manager · o: the site's operator
 */
const MAY: Readonly<Record<string, string>> = {
  organization: "nsgvlabrkmo",
  confirm: "nsgvlabrkmo",
  me: "vabrkmo",
  apply: "vabrkmo",
  "show-certificate": "vabrkmo",
  "disown-certificate": "vabrkmo",
  "claim-certificate": "vabrkmo",
  person: "armo",
  waiting: "rkmo",
  people: "rkmo",
  institutions: "rkmo",
  approve: "rmo",
  deny: "rmo",
  renew: "rmo",
  suspend: "rmo",
  resume: "rmo",
  remove: "rmo",
  correct: "rmo",
  "approve-certificate": "rmo",
  "resume-certificate": "rmo",
  "refuse-certificate": "armo",
  "suspend-certificate": "armo",
  "remove-certificate": "armo",
  "confirm-address": "mo",
  add: "mo",
  grant: "mo",
  "refuse-place": "mo",
  revoke: "mo",
  "add-certificate": "mo",
  "set-attribute": "mo",
  "remove-attribute": "mo",
  "set-institution": "mo",
  // Of oneself: Bob does it to himself, not to Alice.
  resend: "ab",
  leave: "ab",
  sign: "ab",
  "ask-place": "ab",
  "give-up-place": "ab",
  "ask-certificate": "ab",
  "agree-certificate": "ab",
};

describe("who may do what", { timeout: 120_000 }, () => {
  let world: VomrsWorld;
  let alice: string;
  const callers: Record<string, Identity | null> = {};
  before(async () => {
    world = await VomrsWorld.open(definitions(FERMILAB));
    alice = await world.member("Alice Example");
    await world.member("Bob Example", "Karlsruhe");
    Object.assign(callers, {
      n: null,
      s: world.stranger(),
      g: world.guest,
      v: world.person("Vera Visitor"),
      l: world.proxy("Alice Example", true),
      a: world.person("Alice Example"),
      b: world.person("Bob Example"),
      r: world.person("Rita Representative"),
      k: world.person("Karl Representative"),
      m: world.person("Manfred Manager"),
      o: world.operator,
    });
  });
  after(() => world?.close());

  /** Words that are right in form and come to nothing. */
  const body = (name: string): Readonly<Record<string, unknown>> => {
    const { fields } = OPERATIONS.get(name)!;
    const values: Readonly<Record<string, unknown>> = {
      person: name === "confirm" ? "p-nobody" : dn("Alice Example"),
      code: "0".repeat(32),
      reason: "because",
      certificate: "0".repeat(64),
      fqan: "/fermilab/nothere",
      owner: "/fermilab/nothere",
      version: "77",
      agree: true,
      sure: false,
      subject: dn("Alice Example"),
      ca: CA,
      of: dn("Nobody Example"),
      pem: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
      email: "a@example.org",
      institution: "Nowhere",
      text: "x",
      name: "Nowhere",
      until: "2020-01-01",
    };
    return Object.fromEntries(
      Object.keys(fields).flatMap((field) => (Object.hasOwn(values, field) ? [[field, values[field]]] : [])),
    );
  };
  const refused = ({ status, json }: Answered): boolean =>
    status === 401 ||
    status === 403 ||
    (status === 409 && /^you are not known to fermilab: apply first$/.test(json.message));

  it("has every operation in the table", () => {
    assert.deepEqual(Object.keys(MAY).sort(), [...OPERATIONS.keys()].sort());
  });

  for (const [name, may] of Object.entries(MAY))
    it(`${name}: ${may}`, async () => {
      const words = body(name);
      const { changes } = OPERATIONS.get(name)!;
      const { person, ca } = words as Record<string, string>;
      const query: Record<string, string> = name === "person" ? { person: person!, ca: ca! } : {};
      let can = "";
      for (const [letter, as] of Object.entries(callers)) {
        const answer = changes ? await world.post(name, words, { as }) : await world.get(name, query, { as });
        assert.ok(answer.status < 500, `${name} by ${letter}: ${answer.body}`);
        if (refused(answer)) assert.ok(answer.json.message.length > 20, "a refusal is a sentence");
        else can += letter;
        if (name === "suspend" && answer.status === 200)
          await world.must("resume", { person: alice }, { as: world.operator });
        if (name === "remove" && answer.status === 200)
          await world.must(
            "add",
            {
              subject: dn("Alice Example"),
              ca: CA,
              name: "Alice Example",
              email: "alice@example.org",
              institution: "Fermilab",
            },
            { as: world.operator },
          );
      }
      assert.equal(can, may);
    });

  it("whoever lost a certificate neither manages nor speaks for anybody with it", async () => {
    const manager = await world.member("Manfred Manager");
    const { certificates } = (await world.get("person", { person: manager }, { as: world.operator })).json.person;
    const target = { person: manager, certificate: certificates[0].certificate, reason: "stolen" };
    await world.must("suspend-certificate", target, { as: world.operator });
    const refusal = await world.post("grant", { person: alice, fqan: "/fermilab/nova" }, { as: callers.m! });
    assert.equal(refusal.status, 403);
    await world.must("resume-certificate", target, { as: world.operator });
    await world.must("grant", { person: alice, fqan: "/fermilab/nova" }, { as: callers.m! });
  });

  it("nobody approves himself", async () => {
    const as = callers.r!;
    const { person } = (
      await world.must("apply", { name: "Rita", email: "r@example.org", institution: "Fermilab", rules: "1" }, { as })
    ).json;
    await world.must("confirm-address", { person, reason: "known" }, { as: callers.m! });
    assert.equal((await world.post("approve", { person }, { as })).status, 403);
    assert.equal((await world.get("waiting", {}, { as })).json.applications.length, 0);
    await world.must("approve", { person }, { as: callers.m! });
  });

  const FORM = { "content-type": "application/x-www-form-urlencoded" };
  it("another site's page cannot make a browser do anything", async () => {
    const as = callers.m!;
    const path = `/voms/fermilab/people/${alice}`;
    const page = await world.ask("GET", path, { as });
    const { hidden } = formsOf(page.body).find((one) => one.hidden.do === "suspend")!;
    const send = (fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
      world.ask("POST", path, {
        as,
        body: new URLSearchParams({ ...hidden, reason: "evil", ...fields }).toString(),
        headers: { ...FORM, ...headers },
      });
    const others = formsOf((await world.ask("GET", "/voms/fermilab/me", { as: callers.a! })).body)[0]!.hidden.token!;
    const attempts: readonly (readonly [string, Answered])[] = [
      ["no token", await send({ token: "" })],
      ["a wrong token", await send({ token: "0".repeat(64) })],
      ["another person's token", await send({ token: others })],
      ["another origin", await send({}, { origin: "https://evil.example.org" })],
      ["no origin to speak of", await send({}, { origin: "null" })],
      ["a browser that says so", await send({}, { "sec-fetch-site": "cross-site" })],
      [
        "JSON of another origin",
        await world.post(
          "suspend",
          { person: alice, reason: "evil" },
          { as, headers: { origin: "https://evil.example.org" } },
        ),
      ],
      [
        "JSON from another site",
        await world.post(
          "suspend",
          { person: alice, reason: "evil" },
          { as, headers: { "sec-fetch-site": "same-site" } },
        ),
      ],
    ];
    for (const [what, { status }] of attempts) assert.equal(status, 403, what);
    const plain = await world.ask("POST", "/vomrs/json/suspend", {
      as,
      body: JSON.stringify({ vo: "fermilab", person: alice, reason: "evil" }),
      headers: { "content-type": "text/plain" },
    });
    assert.equal(plain.status, 400);
    const { suspension } = (await world.get("person", { person: alice }, { as })).json.person;
    assert.equal(suspension, null);
    assert.equal((await send({}, { origin: `https://${world.copies[0]!.address}:8443` })).status, 303);
    await world.must("resume", { person: alice }, { as });
  });

  it("a certificate that is revoked does not live on in an open connection", async () => {
    const line = world.stay(world.person("Revoked Example"));
    const path = "/vomrs/json/me?vo=fermilab";
    assert.deepEqual(await line.ask(path), { status: 200, same: true });
    world.revoke("Revoked Example");
    let last = await line.ask(path);
    while (last.status === 200) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      last = await line.ask(path);
    }
    assert.deepEqual(last, { status: 401, same: true });
    line.close();
  });

  it("one person cannot fill the records", async () => {
    const as = world.person("Bob Example");
    const answers: number[] = [];
    for (let number = 0; number < 70; number++)
      answers.push((await world.post("sign", { version: "1", agree: true }, { as })).status);
    assert.deepEqual(answers.slice(0, 20), Array(20).fill(200));
    assert.equal(answers.at(-1), 429);
    assert.equal((await world.get("me", {}, { as })).status, 200, "reading goes on");
    assert.equal(
      (await world.post("grant", { person: dn("Bob Example"), fqan: "/fermilab/nova" }, { as: callers.m! })).status,
      200,
    );
  });

  it("a page refuses whom the operation would refuse, and tells nothing about others", async () => {
    for (const [letter, as] of Object.entries(callers))
      for (const path of [`/people/${alice}`, "/people", "/waiting", "/institutions"]) {
        const { status, body: text } = await world.ask("GET", `/voms/fermilab${path}`, { as });
        const allowed = path.startsWith("/people/") ? "armo".includes(letter) : "rkmo".includes(letter);
        assert.equal(status === 200, allowed, `${path} by ${letter}: ${status}`);
        if (!allowed) assert.ok(!text.includes("alice@example.org"));
      }
    // Who may see nobody cannot find out who there is.
    const answers = await Promise.all(
      [alice, "p-000000000000000000000000", dn("Alice Example"), dn("No Body")].map((person) =>
        world.get("person", { person }, { as: callers.k! }),
      ),
    );
    assert.deepEqual(new Set(answers.map(({ status, json }) => `${status} ${json.message}`)).size, 1);
  });
});
