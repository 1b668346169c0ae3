/** E-mail through a real SMTP server under the test's authority: what is sent to whom, once, and what happens while it cannot be. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { MailRule } from "../../src/recipes/index.ts";
import { type Received, SmtpHouse } from "./smtp-house.ts";
import { address, type Identity, Stage, until } from "./stage.ts";
import { definitions, dn, FERMILAB, VomrsWorld } from "./vomrs-world.ts";

const LOGIN = { user: "vomrs", password: "correct horse" };

describe("e-mail", { timeout: 180_000 }, () => {
  let world: VomrsWorld;
  let smtp: SmtpHouse;
  let certificate: Identity;
  let rita: Identity;
  let manfred: Identity;
  const where = address(20);
  const directory = mkdtempSync(join(tmpdir(), "domus-mail-"));
  before(async () => {
    // The server's certificate is of the stage's authority, which is made first.
    const vos = definitions({ ...FERMILAB, notices: ["30 days", "6 s"] });
    const mailStage = await Stage.open();
    certificate = await mailStage.identity("smtp", "guest", [where]);
    await mailStage.close();
    smtp = await SmtpHouse.open({ ...certificate, address: where, login: LOGIN });
    const files = mailFiles();
    const mail: MailRule = {
      server: where,
      port: smtp.port,
      tls: "starttls",
      from: "vomrs@example.org",
      operators: "grid@example.org",
      authority: files.authority,
      login: { user: LOGIN.user, passwordFile: files.password },
    };
    world = await VomrsWorld.open(vos, { copies: 2, mail });
    rita = world.person("Rita Representative");
    manfred = world.person("Manfred Manager");
  });
  after(async () => {
    await world?.close();
    await smtp?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function mailFiles() {
    writeFileSync(join(directory, "ca.pem"), certificate.ca);
    writeFileSync(join(directory, "password"), `${LOGIN.password}\n`, { mode: 0o600 });
    return { authority: join(directory, "ca.pem"), password: join(directory, "password") };
  }

  const one = async (to: string, subject: RegExp): Promise<Received> => {
    const find = () => smtp.to(to).find(({ fields }) => subject.test(fields.subject ?? ""));
    await until(async () => find() !== undefined);
    return find()!;
  };
  const linkIn = ({ text }: Received): URL => new URL(/https:\/\/\S+/.exec(text)![0]);
  const apply = async (name: string, email: string, more: Readonly<Record<string, unknown>> = {}) => {
    const as = world.person(name);
    const { person } = (
      await world.must("apply", { name, email, institution: "Fermilab", rules: "1", ...more }, { as })
    ).json;
    return { as, person, email };
  };

  it("confirms an address by the link in it, at either copy, once; who decides is told, then the applicant", async () => {
    // Nobody who speaks for Fermilab has an address here yet: the operators are told.
    const { as, person } = await apply("Alice Example", "alice@example.org");
    const letter = await one("alice@example.org", /^Confirm your application to Fermilab & friends$/);
    assert.deepEqual([letter.secure, letter.user, letter.from], [true, LOGIN.user, "vomrs@example.org"]);
    assert.equal(letter.fields["auto-submitted"], "auto-generated");
    const link = linkIn(letter);
    assert.equal(link.origin, "https://vomrs:8443");
    const again = await world.post("resend", {}, { as });
    assert.deepEqual([again.status, /ten minutes later/.test(again.json.message)], [429, true]);
    // Leaving and applying again is no way to have somebody written to.
    const mallory = await apply("Mallory Example", "victim@example.org");
    await world.must("leave", { sure: true }, mallory);
    const more = { name: "Mallory", email: "victim@example.org", institution: "Fermilab", rules: "1" };
    assert.equal((await world.post("apply", more, mallory)).status, 429);
    // What stands in the records is the code's digest alone.
    const code = link.searchParams.get("code")!;
    const { history } = (await world.get("person", { person }, { as: world.operator })).json;
    assert.ok(!JSON.stringify(history).includes(code));
    // Programs that look at links before people do change nothing.
    const opened = await world.ask("GET", link.pathname + link.search, { copy: 1 });
    assert.match(opened.body, /Confirm that you applied/);
    assert.equal(
      (await world.get("person", { person }, { as: world.operator })).json.person.standing.state,
      "candidate",
    );
    assert.equal((await world.post("confirm", { person, code: "0".repeat(32) })).status, 404);
    const confirmed = await world.submit(link.pathname + link.search, "confirm", {}, { copy: 1 });
    assert.equal(confirmed.status, 303);
    assert.match((await world.follow(confirmed, { copy: 1 })).body, /The address is confirmed/);
    assert.equal((await world.post("confirm", { person, code })).status, 409, "once");

    const told = await one("grid@example.org", /^An application to Fermilab & friends waits for you$/);
    assert.match(told.text, /Alice Example, Fermilab/);
    assert.equal(linkIn(told).pathname, `/voms/fermilab/people/${person}`);
    await world.must("approve", { person, reason: "room 12" }, { as: rita });
    assert.match(
      (await one("alice@example.org", /^You are a member of/)).text,
      /is approved, until 2027-[\s\S]*\n {4}room 12\n/,
    );
  });

  it("tells those who speak for the institution, where their address is known, and managers of groups and roles", async () => {
    for (const [name, email] of [
      ["Rita Representative", "rita@example.org"],
      ["Manfred Manager", "manfred@example.org"],
    ] as const) {
      const { person } = await apply(name, email);
      await world.must("confirm-address", { person, reason: "known" }, { as: world.operator });
      await world.must("approve", { person }, { as: world.operator });
    }
    const { person } = await apply("Bob Example", "bob@example.org");
    await world.must("confirm-address", { person, reason: "known" }, { as: world.operator });
    await one("rita@example.org", /waits for you/);
    assert.equal(smtp.to("manfred@example.org").filter(({ text }) => text.includes("Bob")).length, 0);
    await world.must("deny", { person, reason: "who is Bob?" }, { as: rita });
    assert.match((await one("bob@example.org", /was denied$/)).text, /\n {4}who is Bob\?\n/);
    const alice = { as: world.person("Alice Example") };
    await world.must("ask-place", { fqan: "/fermilab/nova/Role=Production", reason: "shifts" }, alice);
    await one("manfred@example.org", /^\/fermilab\/nova\/Role=Production is asked for/);
    await world.must("grant", { person: dn("Alice Example"), fqan: "/fermilab/nova/Role=Production" }, { as: manfred });
    await one("alice@example.org", /^You have \/fermilab\/nova\/Role=Production in/);
    await world.must("suspend", { person: dn("Alice Example"), reason: "key lost" }, { as: rita });
    assert.match((await one("alice@example.org", /^You are suspended/)).text, /\n {4}key lost\n/);
    await world.must("resume", { person: dn("Alice Example") }, { as: rita });
  });

  it("tells before a membership ends, at the last of the times that has come", async () => {
    const ends = new Date(Date.now() + 8000).toISOString();
    await world.must("renew", { person: dn("Alice Example"), until: ends }, { as: manfred });
    const told = await one("alice@example.org", /your membership ends on/);
    assert.ok(
      Date.now() > Date.parse(ends) - 2100,
      "two seconds before, and not at once as thirty days before would be",
    );
    assert.match(told.text, /A representative of your institution can renew it\./);
    await world.must("renew", { person: dn("Alice Example") }, { as: manfred });
    await one("alice@example.org", /^Your membership lasts until 2027/);
  });

  it("sends each once, from two copies", async () => {
    await until(async () => {
      const about = await Promise.all([0, 1].map((copy) => world.ask("GET", "/health", { as: world.guest, copy })));
      return about.every(({ json }) => json.mail.waiting === 0);
    });
    const names = smtp.received.map(({ fields, to }) => `${fields["message-id"]} ${to}`);
    assert.ok(names.length >= 12, `${names.length}`);
    assert.deepEqual(names.length, new Set(names).size);
    const senders = new Set(
      world.copies.flatMap(({ lines, name }) => (lines.some((line) => line.includes("e-mail sent")) ? [name] : [])),
    );
    assert.equal(senders.size, 2, "both copies took their part");
  });

  it("makes nothing but text of what people write", async () => {
    const name = 'Eve =?utf-8?Q?=0D=0ABcc:_x@example.org?= <y@example.org>, "z"; https://evil.example.org/';
    const { person } = await apply("Eve Example", "eve@example.org", { name });
    const letter = await one("eve@example.org", /^Confirm/);
    assert.deepEqual(letter.to, ["eve@example.org"]);
    assert.equal(letter.fields.bcc, undefined);
    // An address that anybody may have given gets nothing that he wrote.
    assert.doesNotMatch(letter.text, /evil/);
    assert.ok(letter.text.includes(dn("Eve Example")));
    await world.must("confirm-address", { person, reason: "known" }, { as: world.operator });
    const told = await one("rita@example.org", /waits for you/);
    assert.deepEqual(told.to, ["rita@example.org"]);
    assert.deepEqual(new Set(smtp.received.map(({ fields }) => fields.bcc)), new Set([undefined]));
    for (const email of [
      "a@example.org\r\nRCPT TO:<b@example.org>",
      "a@example.org, b@example.org",
      "<a@example.org>",
      "a@[127.0.0.1]",
      "-oX@x",
      "a b@example.org",
    ])
      assert.equal(
        (
          await world.post(
            "apply",
            { name: "x", email, institution: "Fermilab", rules: "1" },
            { as: world.person("Mallory") },
          )
        ).status,
        400,
        email,
      );
  });

  it("records what a server will never take, and tries again what it does not take now", async () => {
    smtp.refused.set("gone@example.org", 550);
    smtp.refused.set("later@example.org", 450);
    const gone = await apply("Gone Example", "gone@example.org");
    const later = await apply("Later Example", "later@example.org");
    const notices = async (person: string) =>
      (await world.get("person", { person }, { as: world.operator })).json.history.filter(
        (line: { kind: string }) => line.kind === "notice",
      );
    await until(async () => (await notices(gone.person)).length === 1);
    const [refused] = await notices(gone.person);
    assert.equal(refused.action, "refused");
    assert.match(refused.reason, /not here/);
    const failing = async () => {
      const about = await Promise.all([0, 1].map((copy) => world.ask("GET", "/health", { as: world.guest, copy })));
      return about.map(({ json }) => json.mail).find((mail) => mail.failing > 0);
    };
    await until(async () => (await failing()) !== undefined);
    assert.match((await failing()).says, /not here/);
    smtp.refused.clear();
    await one("later@example.org", /^Confirm/);
    await until(async () => (await notices(later.person)).some((line: { action: string }) => line.action === "sent"));
    assert.equal(smtp.to("gone@example.org").length, 0);
  });

  it("waits for a server that is away, says so in health, and has lost nothing when it is back", async () => {
    const { port } = smtp;
    await smtp.close();
    await apply("Patient Example", "patient@example.org");
    await until(async () => {
      const about = await Promise.all([0, 1].map((copy) => world.ask("GET", "/health", { as: world.guest, copy })));
      return about.some(({ json }) => json.mail.failing > 0);
    });
    // Neither the copy that was to send it nor its memory is there any more when the server is back.
    await Promise.all(world.copies.map((copy) => copy.kill("SIGKILL")));
    smtp = await SmtpHouse.open({ ...certificate, address: where, port, login: LOGIN });
    world.copies = await Promise.all([world.cast(0), world.cast(1)]);
    await one("patient@example.org", /^Confirm/);
  });
});
