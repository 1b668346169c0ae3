/** Several certificates of one person, and one certificate of nobody but one; tokens; members named by the site file; what is given out to programs. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { readGridmapUsers } from "../../services/gums/voms-members.ts";
import { parseLsc, parseVomses } from "../../src/grid/index.ts";
import type { Identity } from "./stage.ts";
import { CA, definitions, dn, FERMILAB, VomrsWorld } from "./vomrs-world.ts";

describe("certificates", { timeout: 120_000 }, () => {
  let world: VomrsWorld;
  let alice: Identity;
  let rita: Identity;
  before(async () => {
    const members = [{ subject: dn("Filip File"), fqans: ["/fermilab/nova"], email: "filip@example.org" }];
    world = await VomrsWorld.open(definitions({ ...FERMILAB, members }, { name: "other" }));
    alice = world.person("Alice Example");
    rita = world.person("Rita Representative");
    await world.member("Alice Example");
    await world.member("Bob Example");
  });
  after(() => world?.close());

  const refusal = async (operation: string, body: Readonly<Record<string, unknown>>, as: Identity): Promise<string> => {
    const { status, json } = await world.post(operation, body, { as });
    return `${status} ${json.message ?? json.says}`;
  };
  const certificate = async (name: string, of = "Alice Example") => {
    const { certificates } = (await world.get("person", { person: dn(of) }, { as: world.operator })).json.person;
    return certificates.find((one: { subject: string }) => one.subject === dn(name));
  };

  it("a member asks with the old one, shows the new one, a representative approves; then both are hers", async () => {
    const laptop = world.person("Alice Laptop");
    assert.match(
      await refusal("ask-certificate", { pem: "-----BEGIN CERTIFICATE-----\nnonsense" }, alice),
      /^400 pem: /,
    );
    assert.match(
      await refusal("ask-certificate", { pem: world.stranger().cert }, alice),
      /^400 pem: no trusted authority issued/,
    );
    assert.match(
      await refusal("ask-certificate", { pem: `${world.pem("Alice Laptop")}\n-----BEGIN PRIVATE KEY-----` }, alice),
      /^400 pem: this has a private key in it/,
    );
    await world.must("ask-certificate", { pem: world.pem("Alice Laptop"), reason: "new laptop" }, { as: alice });
    const asked = await certificate("Alice Laptop");
    assert.deepEqual([asked.state, asked.shown, asked.wanted], ["asked", false, true]);
    const ids = { person: dn("Alice Example"), certificate: asked.certificate };
    assert.match(
      await refusal("approve-certificate", ids, rita),
      /^409 unproven: nobody has come with this certificate yet/,
    );

    const me = (await world.get("me", {}, { as: laptop })).json;
    assert.deepEqual([me.person, me.claimedBy], [null, "Alice Example"], "it is nobody's before it is approved");
    assert.match(
      (await world.ask("GET", "/voms/fermilab/me", { as: laptop })).body,
      /Alice Example and the certificate you show now/,
    );
    await world.submit("/voms/fermilab/me", "show-certificate", {}, { as: laptop });
    assert.match((await world.ask("GET", "/voms/fermilab/waiting", { as: rita })).body, /Alice Laptop/);
    await world.must("approve-certificate", ids, { as: rita });
    assert.equal((await world.get("me", {}, { as: laptop })).json.person.name, "Alice Example");
    assert.deepEqual((await world.ask("GET", "/voms/fermilab/members", { as: world.guest })).json.members, [
      ...[dn("Alice Example"), dn("Alice Laptop"), dn("Bob Example"), dn("Filip File")],
    ]);
  });

  it("the other way: the new one asks, the member agrees", async () => {
    const phone = world.person("Alice Phone");
    const nobody = await refusal("claim-certificate", { of: dn("No Body") }, phone);
    assert.equal(
      await refusal("claim-certificate", { of: dn("Alice Example") }, phone),
      nobody,
      "nobody finds out who is a member",
    );
    const asked = await certificate("Alice Phone");
    assert.deepEqual([asked.shown, asked.wanted], [true, false]);
    const ids = { person: dn("Alice Example"), certificate: asked.certificate };
    assert.match(await refusal("approve-certificate", ids, rita), /^409 unproven: the member has not agreed/);
    await world.submit("/voms/fermilab/me", "agree-certificate", {}, { as: alice });
    await world.must("approve-certificate", ids, { as: rita });
    assert.equal((await world.get("me", {}, { as: phone })).json.person.name, "Alice Example");
  });

  it("one certificate is never two people's, and sending somebody's keeps nobody out", async () => {
    const bob = world.person("Bob Example");
    assert.match(
      await refusal("ask-certificate", { pem: world.pem("Alice Example") }, bob),
      /^409 this certificate is somebody else's/,
    );
    assert.match(
      await refusal(
        "add-certificate",
        { person: dn("Bob Example"), subject: dn("Alice Phone"), ca: CA },
        world.operator,
      ),
      /^409 this certificate is somebody else's/,
    );
    assert.match(
      await refusal("add", { subject: dn("Alice Phone"), ca: CA }, world.operator),
      /^409 Alice Example has this certificate/,
    );
    assert.match(
      await refusal(
        "apply",
        { name: "x", email: "x@example.org", institution: "Fermilab", rules: "1" },
        world.person("Alice Phone"),
      ),
      /^409 you are "Member"/,
    );
    // Bob sends the certificate of Vera, who has not come yet.
    const vera = world.person("Vera Example");
    await world.must("ask-certificate", { pem: world.pem("Vera Example") }, { as: bob });
    await world.must(
      "apply",
      { name: "Vera", email: "vera@example.org", institution: "Fermilab", rules: "1" },
      { as: vera },
    );
    assert.equal((await world.get("me", {}, { as: vera })).json.person.name, "Vera");
    assert.equal(await certificate("Vera Example", "Bob Example"), undefined);
    // And of Wanda, who says that it is not his.
    const wanda = world.person("Wanda Example");
    await world.must("ask-certificate", { pem: world.pem("Wanda Example") }, { as: bob });
    await world.submit("/voms/fermilab/me", "disown-certificate", {}, { as: wanda });
    assert.equal((await certificate("Wanda Example", "Bob Example")).state, "refused");
    assert.equal((await world.get("me", {}, { as: wanda })).json.claimedBy, null);
  });

  it("is suspended, lifted and removed alone; nobody locks himself out", async () => {
    const phone = await certificate("Alice Phone");
    await world.must(
      "suspend-certificate",
      { certificate: phone.certificate, reason: "left in a train" },
      { as: alice },
    );
    const lost = await world.get("me", {}, { as: world.person("Alice Phone") });
    assert.equal(
      lost.json.person.certificates.find((one: { subject: string }) => one.subject === dn("Alice Phone")).says,
      "this certificate is suspended: left in a train",
    );
    assert.match(
      await refusal("ask-place", { fqan: "/fermilab/nova" }, world.person("Alice Phone")),
      /^403 this certificate is suspended: left in a train/,
    );
    assert.match(
      await refusal("resume-certificate", { certificate: phone.certificate }, alice),
      /^403/,
      "who suspends a lost one must not be undone by its thief",
    );
    assert.equal((await world.get("me", {}, { as: alice })).json.person.standing.state, "member");
    await world.must(
      "resume-certificate",
      { person: dn("Alice Example"), certificate: phone.certificate },
      { as: rita },
    );
    for (const name of ["Alice Phone", "Alice Laptop"])
      await world.must("remove-certificate", { certificate: (await certificate(name)).certificate }, { as: alice });
    const last = await certificate("Alice Example");
    assert.match(
      await refusal("remove-certificate", { certificate: last.certificate }, alice),
      /^409 this is the only certificate left/,
    );
    // Whose it was may come by himself now.
    assert.equal((await world.get("me", {}, { as: world.person("Alice Phone") })).json.person, null);
    const again = await world.must(
      "apply",
      { name: "Somebody", email: "s@example.org", institution: "Fermilab", rules: "1" },
      { as: world.person("Alice Phone") },
    );
    assert.notEqual(again.json.person, (await world.get("me", {}, { as: alice })).json.person.id);
  });

  it("a person has ten at most", async () => {
    for (let number = 1; number < 10; number++)
      await world.must(
        "add-certificate",
        { person: dn("Bob Example"), subject: dn(`Bob ${number}`), ca: CA },
        { as: world.operator },
      );
    assert.match(
      await refusal("add-certificate", { person: dn("Bob Example"), subject: dn("Bob 10"), ca: CA }, world.operator),
      /^409 one person has at most 10/,
    );
  });

  it("whom the site file names is a member as long as it does, and can be suspended all the same", async () => {
    const filip = world.person("Filip File");
    const me = async () => (await world.get("me", {}, { as: filip })).json.person;
    assert.deepEqual((await me()).fqans, ["/fermilab", "/fermilab/nova"]);
    for (const [operation, body] of [["leave", { sure: true }]] as const)
      assert.match(await refusal(operation, body, filip), /^409 .* by the site file: change it there/);
    assert.match(
      await refusal("remove", { person: dn("Filip File"), reason: "x" }, world.operator),
      /^409 .* by the site file/,
    );
    await world.must("suspend", { person: dn("Filip File"), reason: "stolen" }, { as: world.operator });
    assert.equal((await me()).standing.state, "suspended");
    await world.must("resume", { person: dn("Filip File") }, { as: world.operator });
    await world.must(
      "grant",
      { person: dn("Filip File"), fqan: "/fermilab/nova/Role=Analysis" },
      { as: world.operator },
    );
    assert.deepEqual((await me()).fqans.at(-1), "/fermilab/nova/Role=Analysis");
  });

  it("gives out vomses and .lsc to anybody, and members to machines alone", async () => {
    const vomses = parseVomses((await world.ask("GET", "/voms/fermilab/vomses")).body);
    assert.deepEqual(vomses, [
      { alias: "fermilab", host: "voms", port: 15001, dn: "/O=stage/OU=guest/CN=voms", vo: "fermilab" },
    ]);
    const lsc = await world.ask("GET", "/voms/fermilab/voms.lsc");
    assert.match(String(lsc.headers["content-type"]), /^text\/plain/);
    assert.deepEqual(parseLsc("fermilab", "voms", lsc.body).chains, [
      ["/O=stage/OU=guest/CN=voms", "/O=stage/CN=stage authority"],
    ]);

    const host = world.person("gk1.example.org", ["subjectAltName=DNS:gk1.example.org"]);
    const members = (as: Identity | null, fqan = "") =>
      world.ask("GET", `/voms/fermilab/members?fqan=${encodeURIComponent(fqan)}`, { as });
    for (const as of [null, alice, world.stranger(), world.person("Vera Visitor")])
      assert.equal((await members(as)).status, 403);
    for (const as of [world.guest, world.operator, host, rita])
      assert.ok((await members(as)).json.members.includes(dn("Alice Example")));
    assert.deepEqual((await members(host, "/fermilab/nova")).json.members, [dn("Filip File")]);
    assert.deepEqual((await members(host, "/fermilab/nova/Role=Production")).json.members, []);
    assert.equal((await members(host, "nova")).status, 400);

    const path = "/voms/fermilab/services/VOMSCompatibility";
    const got = await world.ask(
      "GET",
      `${path}?method=getGridmapUsers&container=${encodeURIComponent("/fermilab/nova")}`,
      { as: host },
    );
    assert.deepEqual([...readGridmapUsers(got.body)], [dn("Filip File")]);
    const soap =
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><v:getGridmapUsers xmlns:v="urn:x"><c>/fermilab/nova/Role=Analysis</c></v:getGridmapUsers></s:Body></s:Envelope>';
    const posted = await world.ask("POST", path, {
      as: world.guest,
      body: soap,
      headers: { "content-type": "text/xml" },
    });
    assert.deepEqual([...readGridmapUsers(posted.body)], [dn("Filip File")]);
    const refused = await world.ask("GET", `${path}?method=getGridmapUsers`, { as: alice });
    assert.equal(refused.status, 500);
    assert.match(refused.body, /names of members are for machines/);
    await world.must("suspend", { person: dn("Filip File"), reason: "stolen" }, { as: world.operator });
    assert.deepEqual((await members(host, "/fermilab/nova")).json.members, [], "who is suspended is in no list");
  });
});
