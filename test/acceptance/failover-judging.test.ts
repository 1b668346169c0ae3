/** What failover makes of what it saw: what belongs to which kill, when a site is whole, who is killed next. No processes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Estimate } from "../../src/acceptance/failover/estimate.ts";
import { brokenObjectives, feltAt, timelineOf } from "../../src/acceptance/failover/felt.ts";
import { nextVictim, victimsOf } from "../../src/acceptance/failover/victims.ts";
import type { WatchedCall } from "../../src/acceptance/failover/watch.ts";
import { missingOf, type View } from "../../src/acceptance/whole.ts";
import type { SiteObservation } from "../../src/controller/index.ts";
import { planSite } from "../../src/controller/index.ts";
import {
  type Blueprint,
  type DatabaseHealth,
  type DirectorStatus,
  OBJECTIVES,
  parsePosition,
  readSite,
} from "../../src/model/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";

const TEXT = `
site: house
hosts:
  - { name: north, prefix: n, cpus: 4, memory: 16 GiB, reserve: 1 GiB }
  - { name: south, prefix: s, cpus: 4, memory: 16 GiB, reserve: 1 GiB }
  - { name: empty, prefix: e, cpus: 4, memory: 16 GiB, reserve: 1 GiB }
services:
  lvs: { recipe: lvs, strategy: active-standby, hosts: [north, south] }
  wiki: { strategy: active-active, alias: { name: wiki, port: 80 }, pages: { /index.html: x }, probe: { http: /, port: 80 }, hosts: [north, south] }
  mysql: { recipe: mysql, strategy: replicated-database, mode: circular, alias: { name: mysql, port: 3306 }, hosts: [north, south] }
`;

function plan(): Blueprint {
  const reading = readSite({ file: "site.yaml", text: TEXT }, RECIPES);
  assert.ok(reading.ok, JSON.stringify(reading));
  const result = planSite(
    reading.site,
    { target: null, inventory: { hosts: [], guests: [], programs: { mariadb: true } }, recipes: RECIPES, version: "1" },
    { loopback: "127.1.2.0/24", planOnly: false, mariadb: true, cause: { by: "person", says: "asked" } },
  );
  assert.ok(result.ok, JSON.stringify(result));
  return result.blueprint;
}

const blueprint = plan();

function director(guest: string, role: DirectorStatus["role"]): DirectorStatus {
  const counters = { accepted: 0, refused: 0, active: 0, failedConnects: 0, retried: 0, bytesIn: 0, bytesOut: 0 };
  return {
    format: 1,
    guest,
    role,
    term: 1,
    since: 0,
    startedAt: 0,
    peer: { guest: "other", state: "alive", role: null, term: 1, heardMsAgo: 1, says: "" },
    lastTakeover: null,
    longestStallMs: 0,
    aliases: blueprint.aliases.map((alias) => ({
      name: alias.name,
      address: alias.address,
      port: alias.port,
      held: role === "active",
      says: "",
      counters,
      waiting: 0,
      busiest: [],
      copies: alias.backends.map((backend, index) => ({
        guest: backend.guest,
        address: backend.address,
        port: backend.port,
        state: "up" as const,
        says: "status 200",
        since: 0,
        writer: alias.name === "mysql" && index === 1,
        checks: { ok: 1, failed: 0 },
        counters,
      })),
    })),
  };
}

const health = (own: string, changed: Partial<DatabaseHealth> = {}): DatabaseHealth => ({
  state: "ok",
  writable: true,
  says: "caught up",
  lagSeconds: 0,
  peers: [{ guest: "its upstream", connected: true, says: "replicates" }],
  gtid: own,
  serverId: 1,
  ...changed,
});

const seen: SiteObservation = {
  hosts: blueprint.hosts.map(({ name }) => ({ name, state: "up", says: "", guests: [] })),
  guests: blueprint.guests.map((guest) => ({
    guest,
    status: {
      name: guest.name,
      state: "running",
      digest: "",
      address: guest.address,
      wanted: "running",
      instance: "1",
      restarts: 0,
      lastEnd: null,
    },
    probe: { outcome: "answers", says: "status 200", milliseconds: 1 },
  })),
  aliases: [],
};

const WHOLE: View = {
  blueprint,
  seen,
  directors: [director("n0", "standby"), director("s0", "active")],
  databases: [
    { guest: "n2" as never, health: health("1-1-10,2-2-5") },
    { guest: "s2" as never, health: health("1-1-10,2-2-5") },
  ],
  mark: [parsePosition("1-1-10,2-2-4")],
  shut: [],
};
const missing = (changed: Partial<View>): readonly string[] =>
  missingOf({ ...WHOLE, ...changed }).map(({ says }) => says);

describe("a site is whole", () => {
  it("when everything is as it was planned", () => assert.deepEqual(missing({}), []));

  it("not while a host, a guest or a copy is missing to anybody", () => {
    const hosts = seen.hosts.map((host) => ({ ...host, state: "cut" as const, says: `${host.name} has no power` }));
    assert.deepEqual(
      missing({ seen: { ...seen, hosts } }),
      ["north has no power", "south has no power"],
      "empty counts for nothing",
    );
    const [first, ...others] = seen.guests;
    const withFirst = (changed: Partial<typeof first>) =>
      missing({ seen: { ...seen, guests: [{ ...first!, ...changed }, ...others] } });
    assert.match(withFirst({ status: null })[0]!, /n0 is not known to its host/);
    assert.match(
      withFirst({ status: { ...first!.status!, state: "crashed", lastEnd: "ended with status 1" } })[0]!,
      /n0 does not run \(crashed: ended with status 1\)/,
    );
    assert.match(
      withFirst({ probe: { outcome: "read-only", says: "from a snapshot", milliseconds: 1 } })[0]!,
      /reads only/,
    );
    assert.deepEqual(missing({ shut: [{ door: "wiki" as never, says: "nothing listens there" }] }), [
      "wiki does not answer its clients: nothing listens there",
    ]);
  });

  it("not without a standby that sees every copy and hears the active one", () => {
    const [standby, active] = WHOLE.directors;
    assert.match(missing({ directors: [active!] })[0]!, /director n0 does not say how it is/);
    assert.match(missing({ directors: [standby!, { ...active!, role: "standby" }] })[0]!, /0 directors are active/);
    assert.match(
      missing({ directors: [{ ...standby!, role: "starting" }, active!] })[0]!,
      /n0 is starting, not yet a standby/,
    );
    const deaf = { ...standby!, peer: { ...standby!.peer!, state: "silent" as const } };
    assert.match(missing({ directors: [deaf, active!] })[0]!, /n0 does not hear other: silent/);
    const [alias, ...rest] = standby!.aliases;
    const blind = {
      ...alias!,
      copies: alias!.copies.map((copy) => ({ ...copy, state: "down" as const, says: "gone" })),
    };
    assert.match(
      missing({ directors: [{ ...standby!, aliases: [blind, ...rest] }, active!] })[0]!,
      /n0 sees n1 of wiki down: gone/,
    );
    const loose = {
      ...active!,
      aliases: [{ ...active!.aliases[0]!, held: false, says: "taken" }, ...active!.aliases.slice(1)],
    };
    assert.match(missing({ directors: [standby!, loose] })[0]!, /s0 does not hold wiki: taken/);
  });

  it("not while a database server does not replicate, although it says that it is well", () => {
    const second = WHOLE.databases[1]!;
    const first = (given: DatabaseHealth | null) =>
      missing({ databases: [{ guest: "n2" as never, health: given }, second] });
    assert.match(first(null)[0]!, /n2 does not say/);
    assert.match(
      first(health("1-1-10,2-2-5", { peers: [{ guest: "s2", connected: false, says: "access denied" }] }))[0]!,
      /n2 does not follow s2: access denied/,
    );
    assert.match(first(health("1-1-10,2-2-5", { lagSeconds: 7 }))[0]!, /n2 is 7 s behind/);
    assert.match(first(health("1-1-10,2-2-5", { lagSeconds: null }))[0]!, /unknown number of s behind/);
    assert.match(first(health("1-1-10,2-2-3"))[0]!, /n2 has not yet everything that the others have/);
    assert.match(first(health("", { state: "catching-up", says: "fetches" }))[0]!, /n2 is catching-up: fetches/);
  });
});

describe("who is killed", () => {
  it("is every copy, database, director and host with a guest, from what takes least with it to what takes most", () => {
    assert.deepEqual(
      victimsOf(blueprint).map(({ part }) => part),
      [
        ...["copy n1", "copy s1", "database n2", "database s2", "director n0", "director s0"],
        ...["host north", "host south"],
      ],
    );
  });

  it("is first whoever serves: so each of a pair dies while it serves", () => {
    const all = victimsOf(blueprint);
    const of = (kind: string) => all.filter((victim) => victim.kind === kind);
    const next = (kind: string) => nextVictim(of(kind), WHOLE.directors)?.name;
    assert.deepEqual(["copy", "database", "director", "host"].map(next), ["n1", "s2", "s0", "south"]);
    assert.equal(nextVictim([], WHOLE.directors), undefined);
    assert.equal(nextVictim(of("host"), [])?.name, "north", "without a front end the first");
  });
});

describe("what clients felt", () => {
  const call = (began: number, ended: number, changed: Partial<WatchedCall> = {}): WatchedCall => ({
    ...{ door: "wiki", began, ended, outcome: "answered", attempts: 1, says: "" },
    ...changed,
  });
  const calls = [
    call(900, 1100),
    call(1000, 1005),
    call(1990, 4990, { outcome: "lost", attempts: 4, says: "it cut the connection" }),
    call(1995, 2300, { attempts: 2, says: "nothing listens there" }),
    call(1998, 4000, { outcome: "refused", attempts: 3, says: "the database is away" }),
    call(2000, 2001, { outcome: "lost", attempts: 1 }),
    call(1500, 1501, { door: "gums", outcome: "lost" }),
  ];
  const gaps = [
    { door: "wiki", from: 1999, to: 2499, says: "ECONNREFUSED" },
    { door: "wiki", from: 1100, to: 1200, says: "slow" },
    { door: "wiki", from: 2000, to: 9000, says: "the next one's" },
  ];

  it("belongs to the kill in whose time it began, whenever it ended", () => {
    const felt = feltAt({ name: "wiki" as never }, { from: 1000, to: 2000 }, calls, gaps);
    assert.deepEqual(felt, {
      ...{ alias: "wiki", requests: 4, lost: 3, lostAfterRetry: 2, refused: 1 },
      ...{ gapSeconds: 0.5, slowestMs: 3000, says: "it cut the connection" },
    });
  });

  it("is judged by the objectives of the alias's service, named in words", () => {
    const door = { name: "wiki" as never, objectives: { ...OBJECTIVES, lost: 0.5, gap: 0.5 } };
    const felt = feltAt(door, { from: 1000, to: 2000 }, calls, gaps);
    assert.deepEqual(brokenObjectives(door, felt), [], "as much as is allowed is allowed");
    const strict = { ...door, objectives: { ...OBJECTIVES, lost: 0, gap: 0.1 } };
    assert.deepEqual(
      brokenObjectives(strict, felt).map(({ says }) => says),
      [
        'wiki lost 2 calls of 4 after their repetitions (50 %, 1 of them refused with a sentence); the objective "lost" allows 0 %; first seen: it cut the connection',
        'wiki was without service for 0.50 s; the objective "gap" allows 0.10 s; first seen: it cut the connection',
      ],
    );
  });

  it("is drawn by the tenth of a second in which calls ended, all doors together", () => {
    const line = timelineOf({ from: 1000, to: 2500 }, calls);
    assert.equal(line.length, 15);
    assert.deepEqual(line[0], { answered: 1, lost: 0, repeated: 0 });
    assert.deepEqual(line[5], { answered: 0, lost: 1, repeated: 0 });
    assert.deepEqual(line[13], { answered: 1, lost: 0, repeated: 1 });
  });
});

describe("how long it still takes", () => {
  it("is guessed at first, and then known by what parts of the same kind took", () => {
    const all = victimsOf(blueprint);
    const estimate = new Estimate();
    const guess = estimate.of(all);
    assert.ok(guess > 30 && guess < 300);
    for (let times = 0; times < 4; times++) estimate.note("copy", 20);
    assert.equal(estimate.of(all.filter(({ kind }) => kind === "copy")), 40);
    assert.ok(estimate.of(all) > guess, "others are taken to be as wrong as the guess was");
    assert.equal(estimate.of([]), 0);
  });
});
