/** A copy of GUMS that decides by another policy is found and named: it answers, and its answers look like answers. */
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { AcceptanceReport } from "../../src/acceptance/index.ts";
import { TestDomus } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";

const ALICE = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
const SITE = `site: twins
hosts:
  - { name: one, prefix: onex, cpus: 4, memory: 8 GiB }
  - { name: two, prefix: twox, cpus: 4, memory: 8 GiB }
services:
  lvs: { recipe: lvs, strategy: active-standby }
  gums:
    recipe: gums
    strategy: active-active
    memory: 1 GiB
    alias: { name: gums, port: 8443 }
    needs: [mysql]
    settings:
      policy:
        user-groups:
          - { name: people, mapped: people }
          - { name: nova, voms: /fermilab/nova, match: vogroup }
          - { name: minos, voms: /fermilab/minos, match: vogroup }
        account-mappers:
          - { name: people, people: [{ subject: "${ALICE}", account: alice }] }
          - { name: nova, account: nova }
          - { name: minos, pool: minos, accounts: [minos0001-0100] }
        mappings:
          - { name: people, groups: [people], accounts: [people] }
          - { name: nova, groups: [nova], accounts: [nova] }
          - { name: minos, groups: [minos], accounts: [minos] }
        hosts:
          - { match: "*", use: [people, nova, minos] }
  mysql: { recipe: mysql, strategy: replicated-database, memory: 1 GiB, alias: { name: mysql, port: 3306 } }
`;

const domus = new TestDomus();
before(async () => {
  const file = join(domus.state, "twins.yaml");
  writeFileSync(file, SITE);
  await domus.must("up", file, "--loopback", domus.loopback, "--no-mariadb");
});
after(() => domus.destroy());

interface Alias {
  readonly copies: readonly { readonly state: string }[];
}

const basic = async (): Promise<AcceptanceReport> =>
  (await domus.json("accept", "twins", "basic", "--for", "4s")) as AcceptanceReport;

/** Changes what one copy goes by, behind everybody's back. */
async function corrupt(guest: string, from: string, to: string): Promise<void> {
  const [file] = globSync(join(domus.state, `twins/hosts/*/guests/${guest}/root/etc/policy.json`));
  const text = readFileSync(file!, "utf8");
  assert.ok(text.includes(from));
  writeFileSync(file!, text.replaceAll(from, to));
  await domus.must("guest", "reboot", guest);
  await eventually("the copy is back", async () => {
    const status = await domus.json("status", "twins");
    return status.well && status.aliases.every(({ copies }: Alias) => copies.every(({ state }) => state === "up"));
  });
}

it("passes when both copies decide as the site file says, and gives nothing away by asking", {
  timeout: 240_000,
}, async () => {
  const report = await basic();
  assert.equal(report.passed, true, JSON.stringify(report.tests[0]!.findings));
  const asked = report.tests[0]!.parts.flatMap((part) => (part.test === "basic" ? part.asked : []));
  assert.ok(asked.some((one) => one.includes("/fermilab/nova")));
  assert.ok(!asked.some((one) => one.includes("minos")), "a question about a pool would give an account away");
});

it("names the copy that gives another account, by the site file where two copies disagree", {
  timeout: 240_000,
}, async () => {
  await corrupt("twox1", '"alice"', '"mallory"');
  const report = await basic();
  const failed = report.tests[0]!.findings.filter(({ level }) => level === "failed");
  assert.equal(report.passed, false);
  assert.deepEqual([...new Set(failed.map(({ about }) => about))], ["copy twox1"]);
  assert.match(
    failed[0]!.says,
    /copy twox1 answers wrongly: to the account of .*Alice Example it says "mallory", right is "alice"/,
  );
});

it("takes what all copies agree on for recorded, and says so", { timeout: 240_000 }, async () => {
  await corrupt("onex1", '"alice"', '"mallory"');
  const report = await basic();
  assert.equal(report.passed, true);
  assert.match(
    report.tests[0]!.findings.map(({ says }) => says).join("\n"),
    /every copy says "mallory" .* the site file makes it "alice"/,
  );
});
