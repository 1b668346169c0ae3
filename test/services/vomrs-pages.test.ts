/** The pages, as a browser without scripts uses them: forms and redirects, what was wrong beside its field, and nobody's text becoming part of a page. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Identity } from "./stage.ts";
import { definitions, dn, FERMILAB, RULES, VomrsWorld } from "./vomrs-world.ts";

const NASTY = `<script>alert(1)</script>"'&amp;<img src=x onerror=alert(2)>`;

describe("pages", { timeout: 120_000 }, () => {
  let world: VomrsWorld;
  let alice: Identity;
  let rita: Identity;
  let manfred: Identity;
  before(async () => {
    world = await VomrsWorld.open(definitions(FERMILAB, { name: "empty" }));
    alice = world.person("Alice Example");
    rita = world.person("Rita Representative");
    manfred = world.person("Manfred Manager");
  });
  after(() => world?.close());

  it("tell anybody what the organization is and how to come in; nothing else", async () => {
    const list = await world.ask("GET", "/voms");
    assert.match(list.body, /<a href="\/voms\/fermilab">Fermilab &amp; friends<\/a>/);
    const { body, headers } = await world.ask("GET", "/voms/fermilab");
    assert.match(body, /Be kind\.\nUse it for &lt;science&gt; &amp; nothing else\./);
    assert.match(
      body,
      /&quot;fermilab&quot; &quot;voms&quot; &quot;15001&quot; &quot;\/O=stage\/OU=guest\/CN=voms&quot; &quot;fermilab&quot;/,
    );
    assert.match(body, /No certificate was shown: come with one of an authority that is trusted here\./);
    assert.match(
      String(headers["content-security-policy"]),
      /default-src 'none'; style-src 'self'.*form-action 'self'.*frame-ancestors 'none'/,
    );
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["x-frame-options"], "DENY");
    assert.doesNotMatch(body, /<script|style=|https?:\/\/(?!.*vomses)/);
    for (const path of ["/voms/fermilab/me", "/voms/fermilab/people"])
      assert.equal((await world.ask("GET", path)).status, 401);
    for (const path of ["/voms/nothere", "/voms/fermilab/nothere", "/vomrs/nothere", "/voms/fermilab/people/..%2f"])
      assert.equal((await world.ask("GET", path, { as: alice })).status, 404, path);
    assert.equal((await world.ask("GET", "/")).headers.location, "/voms");
    assert.equal((await world.ask("GET", "/vomrs/style.css")).headers["content-type"], "text/css; charset=utf-8");
    assert.equal((await world.ask("GET", "/health")).status, 403);
    assert.equal((await world.ask("GET", "/health", { as: alice })).status, 403);
  });

  it("carry a person from applying to leaving", async () => {
    const asked = { as: alice };
    const wrong = await world.submit(
      "/voms/fermilab/apply",
      "apply",
      { name: "", email: "not one", institution: "Fermilab", rules: "1" },
      asked,
    );
    assert.equal(wrong.status, 400);
    assert.match(wrong.body, /<p class="wrong" id="apply--email-wrong">expected an e-mail address/);
    assert.match(wrong.body, /<p class="wrong" id="apply--name-wrong">Name is missing/);
    assert.match(wrong.body, /value="not one"/, "what was written is still there");
    assert.match(wrong.body, /aria-describedby="apply--email-help apply--email-wrong" aria-invalid="true"/);

    const applied = await world.submit(
      "/voms/fermilab/apply",
      "apply",
      { name: "Alice Example", email: "alice@example.org", institution: "Fermilab", rules: RULES.version },
      asked,
    );
    assert.equal(applied.status, 303);
    assert.match((await world.follow(applied, asked)).body, /role="status"><p>Applied\. No e-mail is sent here/);
    // Loading the address again, or from somebody else's link, says only what we said.
    assert.doesNotMatch((await world.ask("GET", "/voms/fermilab/apply?said=You%20won&seal=00", asked)).body, /You won/);

    const { person } =
      (await world.get("me", {}, asked)).json.person === null
        ? { person: "" }
        : { person: (await world.get("me", {}, asked)).json.person.id };
    const path = `/voms/fermilab/people/${person}`;
    await world.submit(path, "confirm-address", { reason: "known" }, { as: manfred });
    assert.match(
      (await world.ask("GET", "/voms/fermilab/waiting", { as: rita })).body,
      /alice@example\.org \(confirmed\)/,
    );
    const approved = await world.submit("/voms/fermilab/waiting", "approve", { reason: "room 12" }, { as: rita });
    assert.match((await world.follow(approved, { as: rita })).body, /Alice Example is a member of fermilab/);

    await world.submit(
      "/voms/fermilab/me",
      "ask-place",
      { fqan: "/fermilab/nova/Role=Production", reason: "shifts" },
      asked,
    );
    await world.submit("/voms/fermilab/waiting", "grant", {}, { as: manfred });
    assert.match(
      (await world.ask("GET", "/voms/fermilab/me", asked)).body.replaceAll("<wbr>", ""),
      /<code>\/fermilab\/nova\/Role=Production<\/code>/,
    );
    const late = await world.submit(path, "suspend", { reason: "" }, { as: rita });
    assert.match(late.body, /Reason is missing/);
    await world.submit(path, "suspend", { reason: "key lost" }, { as: rita });
    assert.match((await world.ask("GET", "/voms/fermilab/me", asked)).body, /suspended: key lost/);
    await world.submit(path, "resume", {}, { as: rita });
    assert.match((await world.ask("GET", path, { as: rita })).body, /Everything recorded \(1[0-9]\)/);
    const left = await world.submit("/voms/fermilab/me", "leave", { sure: "yes" }, asked);
    assert.match((await world.follow(left, asked)).body, /You are no member of fermilab any more/);
  });

  it("keep whatever people write as text", async () => {
    const eve = { as: world.person("Eve Example") };
    const fields = { name: NASTY, email: "eve@example.org", institution: "Fermilab", comment: NASTY, rules: "1" };
    assert.equal((await world.submit("/voms/fermilab/apply", "apply", fields, eve)).status, 303);
    const { id } = (await world.get("me", {}, eve)).json.person;
    await world.submit(`/voms/fermilab/people/${id}`, "confirm-address", { reason: NASTY }, { as: manfred });
    const pages = [
      ["/voms/fermilab/me", eve.as],
      ["/voms/fermilab/waiting", rita],
      ["/voms/fermilab/people", rita],
      [`/voms/fermilab/people?q=${encodeURIComponent(NASTY)}`, rita],
      [`/voms/fermilab/people/${id}`, rita],
      [`/voms/fermilab/confirm?person=${encodeURIComponent(NASTY)}&code=${encodeURIComponent(NASTY)}`, eve.as],
      ["/voms/fermilab/institutions", manfred],
    ] as const;
    for (const [path, as] of pages) {
      const { status, body } = await world.ask("GET", path, { as });
      assert.equal(status, 200, path);
      assert.doesNotMatch(body, /<script|<img/, path);
    }
    const found = await world.ask("GET", `/voms/fermilab/people/${id}`, { as: rita });
    assert.ok(found.body.includes("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;"));
    const refused = await world.submit(`/voms/fermilab/people/${id}`, "correct", { email: NASTY }, { as: rita });
    assert.equal(refused.status, 400);
    assert.doesNotMatch(refused.body, /<script|<img/);
    const back = await world.ask("GET", `/voms/fermilab/people/%3Cscript%3E`, { as: rita });
    assert.doesNotMatch(back.body, /<script/);
  });

  it("find people by words and standing, page by page", async () => {
    for (let number = 10; number < 70; number++)
      await world.must(
        "add",
        { subject: dn(`Person ${number}`), ca: "/DC=org/CN=CA", name: `Person ${number}`, institution: "Fermilab" },
        { as: world.operator },
      );
    const first = await world.ask("GET", "/voms/fermilab/people?q=person", { as: rita });
    assert.match(first.body, /60 people found/);
    assert.match(first.body, /Page 1 of 2/);
    const second = await world.ask("GET", "/voms/fermilab/people?q=person&page=2", { as: rita });
    assert.match(second.body, />Person 69</);
    assert.match(
      (await world.ask("GET", "/voms/fermilab/people?q=person+42&state=member", { as: rita })).body,
      /One person found/,
    );
    assert.match((await world.ask("GET", "/voms/fermilab/people?state=suspended", { as: rita })).body, /Nobody\./);
  });

  it("and forms that are none of ours come to nothing", async () => {
    const type = { "content-type": "application/x-www-form-urlencoded" };
    for (const [body, headers, status] of [
      ["do=nothing", type, 400],
      ["do=people", type, 400],
      ["do=leave&do=apply", type, 400],
      ["do=leave", type, 403],
      ["do=leave", { "content-type": "multipart/form-data" }, 400],
      ["do=__proto__", type, 400],
    ] as const)
      assert.equal((await world.ask("POST", "/voms/fermilab/me", { as: alice, body, headers })).status, status, body);
    assert.equal((await world.ask("PUT", "/voms/fermilab/me", { as: alice, body: "" })).status, 405);
  });
});
