/** `domus vo` on a whole site: through the directors to VOMRS beside VOMS, on two replicating databases, also after a host is cut. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { HOUSE, TestDomus } from "../support/domus.ts";

const PROGRAM = join(HOUSE, "services/voms/main.ts");
const skip = existsSync(PROGRAM) ? false : "VOMS, in whose guests VOMRS runs, is not in this tree";
const SITE = `site: votest
network: { cidr: 10.20.0.0/24 }
hosts:
  - { name: north, prefix: nx, cpus: 8, memory: 32 GiB }
  - { name: south, prefix: sx, cpus: 8, memory: 32 GiB }
services:
  lvs: { recipe: lvs, strategy: active-standby }
  voms:
    recipe: voms
    strategy: active-active
    alias: { name: voms, port: 15001 }
    also: { name: vomrs, port: 8443 }
    needs: [mysql]
    settings:
      vos:
        - name: fermilab
          groups: [/fermilab/nova]
          roles: [Production]
          institutions: [{ name: Karlsruhe, representatives: ["/DC=org/CN=Karl"] }]
  mysql: { recipe: mysql, strategy: replicated-database, mode: circular, alias: { name: mysql, port: 3306 } }
`;
const ALICE = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";

describe("domus vo on a site", { skip, timeout: 180_000 }, () => {
  const domus = new TestDomus();
  const directory = mkdtempSync(join(tmpdir(), "domus-vo-"));
  after(async () => {
    await domus.destroy();
    rmSync(directory, { recursive: true, force: true });
  });
  const vo = (...words: readonly string[]) => domus.domus("vo", ...words);

  it("decides about people, refuses with a sentence and a status, and goes on with one host", async () => {
    const file = join(directory, "site.yaml");
    writeFileSync(file, SITE);
    await domus.must("up", file, "--loopback", domus.loopback);
    assert.match((await domus.must("vo", "list")).stdout, /fermilab/);
    const added = await domus.must(
      "vo",
      "add",
      "fermilab",
      ALICE,
      "--ca",
      "/DC=org/CN=CA",
      "--fqan",
      "/fermilab/nova",
      "/fermilab/Role=Production",
    );
    assert.match(added.stdout, /Alice Example is a member of fermilab\./);
    const { person } = await domus.json("vo", "show", "fermilab", "CN=Alice Example,OU=People,DC=fermigrid,DC=org");
    assert.deepEqual(person.fqans, ["/fermilab", "/fermilab/nova", "/fermilab/Role=Production"]);

    const missing = await vo("suspend", "fermilab", ALICE);
    assert.deepEqual([missing.code, /reason: Reason is missing/.test(missing.stderr)], [2, true]);
    const twice = await vo("approve", "fermilab", ALICE);
    assert.deepEqual([twice.code, /Alice Example is "Member"/.test(twice.stderr)], [1, true]);
    const nobody = await vo("show", "fermilab", "/CN=Nobody");
    assert.deepEqual([nobody.code, /fermilab knows nobody as \/CN=Nobody/.test(nobody.stderr)], [1, true]);
    const elsewhere = await vo("people", "elsewhere");
    assert.deepEqual([elsewhere.code, /no organization elsewhere/.test(elsewhere.stderr)], [1, true]);
    await domus.must("vo", "set-institution", "fermilab", "Karlsruhe", "2027-06-30");
    assert.match((await domus.must("vo", "institutions", "fermilab")).stdout, /Karlsruhe\s+until 2027-06-30/);

    await domus.lab("cut", "north");
    await domus.must("vo", "suspend", "fermilab", ALICE, "--reason", "key lost");
    const { history } = await domus.json("vo", "history", "fermilab", ALICE);
    assert.deepEqual([history[0].action, history[0].reason, history[0].actor], ["suspend", "key lost", "operator"]);
    await domus.lab("heal", "north");
    assert.match((await domus.must("vo", "people", "fermilab", "--state", "suspended")).stdout, /Alice Example/);
  });
});
