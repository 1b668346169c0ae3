/** Pool accounts where one SQLite guest is the database, with its real program; and how `Pools` treats servers that are away. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { NoRecords } from "../../services/records/absent.ts";
import { type RecordedEvent, RecordsError } from "../../services/records/event.ts";
import type { PoolRecords } from "../../services/records/pool-order.ts";
import { identityOwner } from "../../services/records/pool-parts.ts";
import { PoolExhausted, Pools, type PoolsOptions } from "../../services/records/pools.ts";
import { SqliteRecords } from "../../services/records/sqlite-client.ts";
import { SqliteFile } from "../../services/records/sqlite-file.ts";
import { type Actor, address, Stage, until } from "./stage.ts";

let stage: Stage;
let server: Actor;
let directory: string;
const cast = (): Promise<Actor> =>
  stage.castDatabase(
    [
      { guest: "g1", role: "gums" },
      { guest: "g2", role: "gums" },
      { guest: "s1", role: "saz" },
    ],
    { name: "m1", last: 4 },
  );
const client = async (account: string): Promise<SqliteRecords> =>
  new SqliteRecords({ alias: "mysql", address: address(4), port: 3306, account, tls: await stage.identity(account) });
const copy = async (account: string): Promise<Pools> => {
  const records = await client(account);
  return new Pools({ servers: [{ guest: "mysql", records }], records, file: join(directory, `${account}.json`) });
};
const NOTHING = { counter: 0, heads: {} };
const range = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, "0")}`);

before(async () => {
  stage = await Stage.open();
  directory = mkdtempSync(join(tmpdir(), "domus-pools-"));
  server = await cast();
});
after(async () => {
  await stage.close();
  rmSync(directory, { recursive: true });
});

test("two copies ask at once: one identity, one account; many identities, each its own", async () => {
  const [one, another] = [await copy("g1"), await copy("g2")];
  const accounts = range("nova", 300);
  const same = await Promise.all([one, another, one].map((pools) => pools.give("nova", "/CN=same", accounts)));
  assert.equal(new Set(same.map(({ account }) => account)).size, 1);
  assert.deepEqual(same[0], { account: "nova0000", provisional: false, by: "mysql" });

  const people = range("/CN=person ", 100);
  const given = await Promise.all(
    people.flatMap((person) => [one, another].map((pools) => pools.give("nova", person, accounts))),
  );
  assert.equal(new Set(given.map(({ account }) => account)).size, 100);
  for (const [index, person] of people.entries()) {
    assert.equal(given[2 * index]!.account, given[2 * index + 1]!.account);
    assert.equal(one.pooled("nova", person), given[2 * index]!.account);
  }
  await another.poll();
  await one.poll();
  assert.deepEqual(one.list("nova"), another.list("nova"));
  assert.equal(one.list("nova").length, 101);
  assert.deepEqual(await one.give("nova", "/CN=same", accounts), { account: "nova0000", provisional: false, by: null });
  await Promise.all([one.close(), another.close()]);
});

test("the whole name counts: DNs alike in 255 characters, pools alike in 10, letters and blanks", async () => {
  const pools = await copy("g1");
  const long = `/DC=org/DC=example/OU=Robots/CN=${"x".repeat(255)}`;
  const asked = [
    ["p234567890", `${long}1`],
    ["p234567890", `${long}2`],
    ["p2345678901", `${long}1`],
    ["p2345678902", `${long}1`],
    ["p234567890", "/CN=ab"],
    ["p234567890", "/CN=AB"],
    ["p234567890", "/CN=ab "],
  ] as const;
  const accounts = range("long", 20);
  const given: string[] = [];
  for (const [pool, subject] of asked) given.push((await pools.give(pool, subject, accounts)).account);
  assert.equal(new Set(given).size, asked.length, given.join(" "));
  const fresh = await copy("g2");
  await fresh.poll();
  for (const [index, [pool, subject]] of asked.entries()) assert.equal(fresh.pooled(pool, subject), given[index]);
  await Promise.all([pools.close(), fresh.close()]);
});

test("released is retired: nobody gets it again, its owner gets another; an empty pool says so", async () => {
  const [one, another] = [await copy("g1"), await copy("g2")];
  const accounts = ["few1", "few2", "few3"];
  await Promise.all(["a", "b"].map((name) => one.give("few", `/CN=${name}`, accounts)));
  assert.equal(await another.release("few", "few1", "olga", "left"), null, "who does not know it cannot take it back");
  await another.poll();
  const owner = another.list("few").find(({ account }) => account === "few1")!.subject;
  const event = await another.release("few", "few1", "olga", "left");
  assert.deepEqual([event!.fields.action, event!.fields.actor, event!.fields.reason], ["release", "olga", "left"]);
  assert.deepEqual(await another.release("few", "few1", "olga", "again"), event, "there is nothing more to take back");
  assert.equal(another.pooled("few", owner), undefined);
  assert.equal((await another.give("few", owner, accounts)).account, "few3");
  await assert.rejects(another.give("few", "/CN=c", accounts), PoolExhausted);
  await assert.rejects(one.give("few", "/CN=c", accounts), /pool few has no account left: all of its 3 were given/);
  assert.equal((await one.give("few", "/CN=c", [...accounts, "few4"])).account, "few4", "a longer pool goes on");
  await one.poll();
  assert.deepEqual(
    one.list("few").map(({ account, state }) => `${account} ${state}`),
    ["few1 released", "few2 in force", "few3 in force", "few4 in force"],
  );
  await Promise.all([one.close(), another.close()]);
});

test("what was answered outlives kill -9; meanwhile copies answer from memory and snapshot, and nobody new gets one", async () => {
  const pools = await copy("g1");
  const accounts = range("kept", 50);
  const answered = new Map<string, string>();
  const giving = range("/CN=kept ", 40).map(async (person) => {
    const { account } = await pools.give("kept", person, accounts);
    answered.set(person, account);
    if (answered.size === 20) await server.kill("SIGKILL");
  });
  await Promise.allSettled(giving);
  assert.ok(answered.size >= 20);
  await assert.rejects(pools.give("kept", "/CN=late", accounts), RecordsError);
  await pools.close();
  const again = await copy("g1");
  await again.poll();
  assert.match(again.fault ?? "", /does not answer/);
  for (const [person, account] of answered) assert.equal(again.pooled("kept", person), account);
  server = await cast();
  await until(() =>
    again.give("kept", "/CN=late", accounts).then(
      () => true,
      () => false,
    ),
  );
  const other = await copy("g2");
  for (const [person, account] of answered) assert.equal((await other.give("kept", person, accounts)).account, account);
  const all = other.list("kept").filter(({ state }) => state === "in force");
  assert.equal(new Set(all.map(({ subject }) => subject)).size, all.length);
  await Promise.all([again.close(), other.close()]);
});

test("only GUMS gives accounts, and only sensible orders are taken", async () => {
  const [saz, gums] = [await client("s1"), await client("g1")];
  const order = { action: "assign", pool: "p", subject: "/CN=a", candidates: ["x"], actor: "" } as const;
  const refused = (error: RecordsError): boolean => error.code === "refused";
  await assert.rejects(saz.order(order, NOTHING), refused);
  await assert.rejects(gums.order({ ...order, candidates: range("x", 65) }, NOTHING), refused);
  await assert.rejects(gums.order({ ...order, subject: "" }, NOTHING), refused);
  await assert.rejects(gums.order({ ...order, action: "own" } as never, NOTHING), refused);
  await Promise.all([saz.close(), gums.close()]);
});

test("a table of an earlier version gets what it lacks, and keeps what it has", () => {
  const path = join(directory, "earlier.sqlite");
  const earlier = new DatabaseSync(path);
  earlier.exec(`CREATE TABLE mapping_head (origin BIGINT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL) WITHOUT ROWID;
    CREATE TABLE mapping_event (origin BIGINT NOT NULL, seq BIGINT NOT NULL, counter BIGINT NOT NULL, at TEXT NOT NULL, action TEXT NOT NULL,
      subject TEXT NOT NULL, account TEXT NOT NULL, groupname TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL,
      PRIMARY KEY (origin, seq)) WITHOUT ROWID;
    INSERT INTO mapping_event VALUES (7, 1, 1, '', 'add', '/CN=a', 'alice', 'alice', '', 'olga')`);
  earlier.close();
  for (const times of [1, 2]) {
    const file = new SqliteFile(path);
    file.append("mapping", { action: "add", subject: "/CN=b", account: "bob", mapper: "manual" }, 0);
    const events = file.since("mapping", {}, 10);
    assert.equal(events.length, 1 + times);
    const mappers = events.map(({ fields }) => `${fields.account} ${fields.mapper}`).sort();
    assert.deepEqual([mappers[0], mappers.at(-1)], ["alice ", "bob manual"]);
    file.append("member", { group: "staff", action: "add", subject: "/CN=b" }, 0);
    assert.equal(file.since("member", {}, 10)[0]!.fields.group, "staff");
    file.close();
  }
});

/** Servers that do what they are told, and count how often they are asked. */
function pair(): { servers: PoolsOptions["servers"]; away: boolean[]; asked: number[]; held: boolean } {
  const state = { away: [false, false], asked: [0, 0], held: true };
  const files = [0, 1].map(() => new SqliteFile(":memory:"));
  const servers = files.map((file, position) => {
    const records: PoolRecords = {
      order: async (order, seen) => {
        state.asked[position]!++;
        if (state.away[position]) throw new RecordsError("away", `m${position} is away`);
        return file.order(order, seen);
      },
      about: async (subject) => {
        if (state.away[position]) throw new RecordsError("away", `m${position} is away`);
        return state.held ? files.flatMap((one) => one.about(subject)) : [];
      },
      renew: () => {},
      close: async () => file.close(),
    };
    return { guest: `m${position}`, records };
  });
  return Object.assign(state, { servers });
}
const subjectOf = (owner: number, from = 0): string => {
  for (let index = from; ; index++) if (identityOwner("p", `/CN=${index}`, 2) === owner) return `/CN=${index}`;
};

test("an owner that is away is asked once in a while; the other gives provisionally from its own part", async () => {
  const world = pair();
  const pools = new Pools({
    servers: world.servers,
    records: new NoRecords(),
    file: join(directory, "pair.json"),
    limits: { away: 60_000 },
  });
  const accounts = range("p", 40);
  const [mine, next] = [subjectOf(0), subjectOf(0, 100)];
  assert.deepEqual((await pools.give("p", mine, accounts)).by, "m0");
  world.away[0] = true;
  const given = await Promise.all([next, subjectOf(0, 200)].map((subject) => pools.give("p", subject, accounts)));
  for (const { provisional, by } of given) assert.deepEqual([provisional, by], [true, "m1"]);
  const before = world.asked[0];
  await pools.give("p", subjectOf(0, 300), accounts);
  assert.equal(world.asked[0], before, "it is known to be away");
  // What is left belongs to the server that is away: that is no empty pool.
  await assert.rejects(
    (async () => {
      for (let index = 400; ; index++) await pools.give("p", subjectOf(index % 2, index), accounts);
    })(),
    (error) => error instanceof RecordsError && error.code === "away",
  );
  await pools.close();
});

test("a full part lets the other give while both are there: a pool is used to its last account", async () => {
  const { servers } = pair();
  const pools = new Pools({ servers, records: new NoRecords(), file: join(directory, "full.json") });
  const accounts = range("p", 10);
  const given = new Set<string>();
  for (let index = 0; index < 10; index++) {
    const { account, provisional } = await pools.give("p", subjectOf(0, 1000 * index), accounts);
    assert.equal(provisional, false);
    given.add(account);
  }
  assert.equal(given.size, 10);
  await assert.rejects(pools.give("p", "/CN=eleventh", accounts), PoolExhausted);
  await pools.close();
});

test("an answer waits until another server has it too, but not for long", async () => {
  const world = pair();
  world.held = false;
  const accounts = range("p", 10);
  const options = { servers: world.servers, records: new NoRecords(), file: join(directory, "second.json") };
  const patient = new Pools({ ...options, limits: { second: 600_000 } });
  let answered = false;
  const giving = patient.give("p", "/CN=patient", accounts).then(() => {
    answered = true;
  });
  await until(async () => world.asked[0]! + world.asked[1]! > 0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(answered, false);
  world.held = true;
  await giving;
  world.held = false;
  const hasty = new Pools({ ...options, limits: { second: 20 } });
  assert.ok((await hasty.give("p", "/CN=hasty", accounts)).account);
  await patient.close();
});

test("too many who wait are refused, and nobody else is", async () => {
  const world = pair();
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const servers = world.servers.map(({ guest, records }) => ({
    guest,
    records: {
      ...records,
      order: (...order: Parameters<PoolRecords["order"]>) => gate.then(() => records.order(...order)),
    },
  }));
  const limits = { atWork: 2, waiting: 3 };
  const pools = new Pools({ servers, records: new NoRecords(), file: join(directory, "many.json"), limits });
  const accounts = range("p", 40);
  const asked = Promise.allSettled(range("/CN=many ", 8).map((person) => pools.give("p", person, accounts)));
  const joined = pools.give("p", "/CN=many 0000", accounts);
  release();
  const outcomes = await asked;
  assert.equal(outcomes.filter(({ status }) => status === "rejected").length, 3);
  assert.deepEqual(await joined, (outcomes[0] as PromiseFulfilledResult<unknown>).value, "asked twice is asked once");
  await pools.close();
});

test("without a database there is nothing to give", async () => {
  const pools = new Pools({ servers: [], records: new NoRecords(), file: join(directory, "none.json") });
  await pools.start();
  await assert.rejects(pools.give("p", "/CN=a", ["x"]), /has no database/);
  assert.equal(pools.pooled("p", "/CN=a"), undefined);
  assert.deepEqual(pools.list("p"), []);
  await pools.close();
});

test("a snapshot keeps what was learned early, and takes the rest when it comes", async () => {
  const events: RecordedEvent[] = [];
  const file = new SqliteFile(":memory:");
  for (const name of ["a", "b", "c"])
    events.push(
      file.order({ action: "assign", pool: "p", subject: `/CN=${name}`, candidates: range("x", 5), actor: "" }, NOTHING)
        .event!,
    );
  const path = join(directory, "early.json");
  const records = new NoRecords();
  const servers = [
    {
      guest: "m0",
      records: {
        order: async () => ({ event: events[2]!, fresh: false, known: [] }),
        about: async () => [],
        renew: () => {},
        close: async () => {},
      },
    },
  ];
  const one = new Pools({ servers, records, file: path });
  await one.poll();
  assert.equal((await one.give("p", "/CN=c", [])).account, "x0002");
  assert.deepEqual(one.cursor(), {});
  await one.close();
  const two = new Pools({
    servers,
    records: Object.assign(new NoRecords(), { since: async () => events }),
    file: path,
  });
  assert.equal(two.pooled("p", "/CN=c"), "x0002");
  await two.poll();
  assert.deepEqual(two.cursor(), { [file.origin]: 3 });
  assert.equal(two.list("p").length, 3);
  await two.close();
  file.close();
});

test("a server whose data was set back gives nothing to who has seen what it gave", () => {
  const file = new SqliteFile(":memory:");
  const order = { action: "assign", pool: "p", subject: "/CN=a", candidates: ["x"], actor: "" } as const;
  const seen = (seq: number) => ({ counter: 0, heads: { [file.origin]: seq, 7: 9 } });
  assert.throws(() => file.order(order, seen(1)), /was set back: its own event 1 was seen, and it has 0/);
  assert.deepEqual(file.since("pool", {}, 10), []);
  assert.ok(file.order(order, seen(0)).fresh);
  assert.equal(file.order(order, seen(1)).fresh, false);
  assert.deepEqual(file.heads("pool"), { [file.origin]: 1 }, "asking counts nothing");
  file.close();
});

test("a server that was set back and written to is found out, not asked for ever", async () => {
  const [before, now] = [new SqliteFile(":memory:"), new SqliteFile(":memory:")];
  const order = { action: "assign", pool: "p", actor: "" } as const;
  // Under the same numbers, this copy has seen one thing and the server has another.
  const seen = before.order({ ...order, subject: "/CN=seen", candidates: ["x1"] }, NOTHING).event!;
  now.order({ ...order, subject: "/CN=other", candidates: ["x2"] }, NOTHING);
  const renamed = (event: RecordedEvent): RecordedEvent => ({ ...event, origin: 11 });
  const servers = [
    {
      guest: "m0",
      records: {
        order: async (asked: Parameters<PoolRecords["order"]>[0]) => {
          const answer = now.order(asked, NOTHING);
          return { ...answer, known: answer.known.map(renamed) };
        },
        about: async () => [],
        renew: () => {},
        close: async () => {},
      },
    },
  ];
  const records = Object.assign(new NoRecords(), { since: async () => [renamed(seen)] });
  const pools = new Pools({ servers, records, file: join(directory, "setback.json") });
  await pools.poll();
  await assert.rejects(pools.give("p", "/CN=new", ["x1", "x2"]), /was set back and written to/);
  await pools.close();
  before.close();
  now.close();
});
