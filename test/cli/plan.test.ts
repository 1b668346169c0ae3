/** `domus plan`: the same bytes everywhere, equal to the golden text, with MariaDB and without. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { HOUSE } from "../support/domus.ts";

const base = mkdtempSync(join(tmpdir(), "dp-"));
after(() => rmSync(base, { recursive: true, force: true }));

/** A clone under a path, as another user would have it. */
function clone(path: string): string {
  const directory = join(base, path);
  mkdirSync(directory, { recursive: true });
  for (const part of ["bin", "src", "sites", "package.json"])
    cpSync(join(HOUSE, part), join(directory, part), { recursive: true });
  symlinkSync(join(HOUSE, "node_modules"), join(directory, "node_modules"));
  return directory;
}

function plan(house: string, environment: NodeJS.ProcessEnv, ...words: readonly string[]): string {
  return execFileSync(join(house, "bin/domus"), ["plan", "--json", ...words], {
    cwd: house,
    encoding: "utf8",
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Compares with the reviewed text; `UPDATE_GOLDEN=1` writes it anew, for people to read the difference. */
function assertGolden(name: string, text: string): void {
  const path = join(import.meta.dirname, "golden", name);
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, text);
  assert.ok(existsSync(path), `${path} is missing: run with UPDATE_GOLDEN=1 and review it`);
  const golden = readFileSync(path, "utf8").split("\n");
  const differs = text.split("\n").findIndex((line, index) => line !== golden[index]);
  assert.equal(differs, -1, `${name}:${differs + 1}: ${text.split("\n")[differs]} instead of ${golden[differs]}`);
  assert.equal(text.split("\n").length, golden.length);
}

describe("domus plan", () => {
  const here = { HOME: join(base, "a"), DOMUS_STATE: join(base, "state-a"), TZ: "UTC", LANG: "C", USER: "root" };
  const elsewhere = {
    HOME: join(base, "somebody else"),
    DOMUS_STATE: join(base, "state b"),
    TZ: "Pacific/Auckland",
    LANG: "tr_TR.UTF-8",
    LC_ALL: "tr_TR.UTF-8",
    USER: "fermi",
    LOGNAME: "fermi",
  };

  it("gives the same bytes from two clones under other paths, users, time zones and locales", () => {
    const [one, two] = [clone("one"), clone("a deeper/place with blanks/two")];
    const first = plan(one, here, "sites/fermigrid-ha.yaml");
    assert.equal(plan(two, elsewhere, "sites/fermigrid-ha.yaml"), first);
    assert.equal(plan(one, here, join(two, "sites/fermigrid-ha.yaml")), first);
  });

  it("is the documents' layout with N+1 proven, and honestly not without MariaDB", () => {
    const without = plan(HOUSE, here, "sites/fermigrid-ha.yaml", "--no-mariadb");
    assertGolden("fermigrid-ha.without-mariadb.json", without);
    const withIt = plan(HOUSE, here, "sites/fermigrid-ha.yaml", "--mariadb");
    assertGolden("fermigrid-ha.json", withIt);
    const planned = JSON.parse(withIt);
    assert.deepEqual(
      planned.hosts.map((host: { guests: string[] }) => host.guests),
      [
        ["fg5x0", "fg5x1", "fg5x2", "fg5x3", "fg5x4"],
        ["fg6x0", "fg6x1", "fg6x2", "fg6x3", "fg6x4"],
      ],
    );
    assert.equal(planned.proof.survivesAnyOneHost, true);
    assert.equal(JSON.parse(without).proof.survivesAnyOneHost, false);
  });

  it("plans the documents' other sites as their tables say", () => {
    for (const site of ["fermigrid-2009", "iekp", "minimal-grid-site", "wiki"])
      assertGolden(`${site}.json`, plan(HOUSE, here, `sites/${site}.yaml`, "--plan-only", "--mariadb"));
    const table = JSON.parse(readFileSync(join(import.meta.dirname, "golden", "fermigrid-2009.json"), "utf8"));
    const names = (service: string) =>
      table.guests
        .filter((guest: { service: string }) => guest.service === service)
        .map((guest: { name: string }) => guest.name);
    assert.deepEqual(names("saz-cms-wn"), ["fg5x5", "fg6x5"]);
    assert.deepEqual(names("condor"), ["fg1x3", "fg4x3"]);
    assert.deepEqual(names("squid"), ["fg2x3", "fg3x3"]);
    assert.equal(new Set(table.guests.map((guest: { service: string }) => guest.service)).size, 18);
  });

  it("leaves no trace", () => {
    assert.equal(existsSync(here.DOMUS_STATE), false);
    assert.equal(existsSync(elsewhere.DOMUS_STATE), false);
  });
});
