/**
 * GUMS and SAZ on the documents' site, as operators and clients have them: every command through the alias, and a copy, a director and
 * each database server killed while clients with a budget of three seconds call both. Hosts are cut in site.test.ts.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { signal } from "../../src/world/index.ts";
import { ended, TestDomus } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";
import { type Status, tell, underLoad, whole } from "../support/site.ts";

const NORA = "/DC=org/DC=fermigrid/OU=People/CN=Nora Example";
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

  it("maps, explains, denies, bans on every copy, lifts the ban, each through the alias", async () => {
    const mapped = await domus.json("map", NORA, "--fqan", "/fermilab/nova/Role=Production");
    assert.equal(mapped.username, "novapro");
    const explained = await domus.json("explain", NORA, "--fqan", "/fermilab/nova/Role=Production");
    assert.equal(explained.gums.body.rule.userGroup, "nova-production");
    assert.equal(explained.saz.body.decision, "Permit");
    await domus.must("gums", "add-member", "banned", NORA, "--reason", "lost her key");
    assert.equal((await domus.domus("map", NORA, "--fqan", "/fermilab/nova")).code, 1);
    await domus.must("gums", "remove-member", "banned", NORA);
    const ban = await domus.json("ban", NORA);
    assert.deepEqual(
      ban.copies.map((copy: { has: boolean }) => copy.has),
      [true, true],
    );
    assert.equal((await domus.domus("authorize", NORA)).code, 1);
    await domus.must("unban", NORA);
    assert.equal((await domus.json("authorize", NORA)).decision, "Permit");
    const audit = await domus.json("audit", "--account", "novapro");
    assert.equal(audit.records[0].subject, NORA);
    assert.match(audit.records[0].rule, /nova-production/);
  });

  it("judges a proxy by its certificates alone, and bans holders of tokens by name", async () => {
    // The one person of whom the site has a certificate: its operator.
    const own = (name: string): string => readFileSync(join(domus.state, "fermigrid-ha/operator", name), "utf8");
    const file = join(domus.state, "proxy.pem");
    writeFileSync(file, `${own("cert.pem")}\n${own("key.pem")}`, { mode: 0o600 });
    const authorized = await domus.json("authorize", "--credential", file);
    assert.equal(authorized.decision, "Permit", JSON.stringify(authorized));
    assert.match(authorized.subject, /OU=operator/);
    const mapped = await domus.domus("map", "--credential", file, "--json");
    assert.equal(mapped.code, 1, "an operator has no account");
    assert.equal(JSON.parse(mapped.stdout).subject, authorized.subject);
    await domus.must("ban", authorized.subject);
    assert.equal((await domus.domus("authorize", "--credential", file)).code, 1);
    await domus.must("unban", authorized.subject);
    const nothing = await domus.domus("authorize", "--credential", join(domus.state, "fermigrid-ha/operator/key.pem"));
    assert.equal(nothing.code, 2);
    assert.match(nothing.stderr, /no certificate in the text/);

    const holder = ["--issuer", "https://tokens.example.org", "--subject", "a-person"];
    assert.match(
      (await domus.must("ban", ...holder)).stdout,
      /tokens of https:\/\/tokens.example.org a-person is banned/,
    );
    const { bans } = await domus.json("bans");
    assert.deepEqual(
      bans.map((ban: { kind: string; value: string }) => [ban.kind, ban.value]),
      [["token", "https://tokens.example.org a-person"]],
    );
    const words = ["--group", "/fermilab/nova", "/fermilab", "--scope", "compute.create"];
    const { saz, gums } = await domus.json("explain", ...holder, ...words);
    assert.match(saz.body.reason, /^token https:.* a-person is banned/);
    assert.ok(saz.body.steps.some(({ looked }: { looked: string }) => looked === "role /fermilab/nova"));
    assert.ok(gums.body.steps.length > 0);
    assert.equal((await domus.domus("explain", "--issuer", "https://tokens.example.org")).code, 2);
    await domus.must("unban", "https://tokens.example.org a-person", "--kind", "token");
    assert.deepEqual((await domus.json("bans")).bans, []);
    assert.equal((await domus.domus("ban", ...holder, "--kind", "dn")).code, 2);
    const token = join(domus.state, "token");
    writeFileSync(token, "a.b.c");
    const refused = await domus.domus("authorize", "--token", token);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /this is no token/);
  });

  it("keeps files up to date: a ban is in them within moments, and each copy makes the same octets", async () => {
    const directory = join(domus.state, "files");
    const watch = domus.start("domus", ["files", "--to", directory, "--only", "ban-dn.db,grid-mapfile", "--watch"]);
    const read = (): string =>
      existsSync(join(directory, "ban-dn.db")) ? readFileSync(join(directory, "ban-dn.db"), "utf8") : "";
    await domus.must("ban", NORA);
    await eventually("the ban is in the file", () => read().includes(`"${NORA}"`));
    await domus.must("unban", NORA);
    await eventually("the ban is out of the file", () => existsSync(join(directory, "ban-dn.db")) && read() === "");
    const done = ended(watch);
    watch.kill("SIGINT");
    assert.equal((await done).code, 0);
    await whole(domus);
    // Through the alias, often enough that both copies are asked.
    const digests = await Promise.all(
      Array.from({ length: 6 }, async () =>
        JSON.stringify((await domus.json("files")).files.map((one: { sha256: string }) => one.sha256)),
      ),
    );
    assert.equal(new Set(digests).size, 1);
  });

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

  it("gives each person of a pool one account, while each host is cut in turn, and all agree afterwards", async () => {
    const people = Array.from({ length: 12 }, (_, index) => `/DC=org/DC=fermigrid/OU=People/CN=Minos ${index}`);
    const account = async (subject: string): Promise<string> =>
      (await domus.json("map", subject, "--fqan", "/fermilab/minos")).username;
    const given = new Map<string, string>();
    for (const subject of people.slice(0, 4)) given.set(subject, await account(subject));
    for (const [index, host] of ["fermigrid5", "fermigrid6"].entries()) {
      await domus.lab("cut", host);
      for (const subject of people.slice(4 + index * 4, 8 + index * 4)) given.set(subject, await account(subject));
      await domus.lab("heal", host);
      await whole(domus);
    }
    assert.equal(new Set(given.values()).size, people.length, JSON.stringify([...given]));
    for (const [subject, was] of given) assert.equal(await account(subject), was);
    const pools = await domus.json("gums", "pools", "minos");
    assert.equal(pools.accounts.filter((one: { state: string }) => one.state === "in force").length, people.length);
  });

  it("loses no call of either while a host is cut", async () => {
    const cut = () => domus.lab("cut", "fermigrid6");
    const [gums, saz] = await Promise.all([
      underLoad(domus, ["gums", "--rate", "30"], 400, cut),
      underLoad(domus, ["saz", "--rate", "30"], 400, async () => {}),
    ]);
    tell("fermigrid6 cut, gums", gums);
    tell("fermigrid6 cut, saz", saz);
    for (const load of [gums, saz]) assert.deepEqual([load.lost, load.answered], [0, load.calls]);
    await domus.lab("heal", "fermigrid6");
  });

  it("is whole again after all of them", async () => void (await whole(domus)));
});
