/** Pool accounts without processes: what must hold whatever happens to servers, lines, disks and the order in which news comes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareEvents, type RecordedEvent } from "../../services/records/event.ts";
import { PoolLedger } from "../../services/records/pool-ledger.ts";
import { judge, type PoolOrder } from "../../services/records/pool-order.ts";
import { accountOwner, identityOwner, Parts } from "../../services/records/pool-parts.ts";
import { learned, PoolWorld } from "./pool-world.ts";

const range = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(3, "0")}`);
/** Small, so that they run out. */
const POOLS: Readonly<Record<string, readonly string[]>> = { p: range("p", 8), q: range("q", 5) };
const NAMES = Object.keys(POOLS);

const [SERVERS, COPIES, PEOPLE] = [3, 3, 6];
const position = fc.nat(SERVERS - 1);
const copy = fc.nat(COPIES - 1);
const pool = fc.constantFrom(...NAMES);
const person = fc.nat(PEOPLE - 1).map((index) => `/CN=person ${index}`);

type Happening = (world: PoolWorld) => Promise<unknown> | unknown;

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(copy, pool, person).map(
      ([who, name, subject]): Happening =>
        (world) =>
          world.ask(who, name, subject, POOLS[name]!),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(pool, person).map(
      ([name, subject]): Happening =>
        (world) =>
          Promise.all(world.copies.map((_, who) => world.ask(who, name, subject, POOLS[name]!))),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(position, position, fc.integer({ min: 1, max: 4 })).map(
      ([to, from, most]): Happening =>
        (world) =>
          world.at(to).fetch(world.at(from), most),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(position, fc.boolean()).map(
      ([at, later]): Happening =>
        (world) => {
          if (later) world.at(at).cutAfterCommit = true;
          else world.at(at).up = false;
        },
    ),
  },
  {
    weight: 3,
    arbitrary: position.map(
      (at): Happening =>
        (world) =>
          world.restart(at),
    ),
  },
  {
    weight: 1,
    arbitrary: position.map(
      (at): Happening =>
        (world) =>
          world.lose(at),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(copy, position, fc.boolean()).map(
      ([who, at, heals]): Happening =>
        ({ copies }) =>
          copies[who]!.cut[heals ? "delete" : "add"](at),
    ),
  },
  {
    weight: 2,
    arbitrary: copy.map(
      (who): Happening =>
        ({ copies }) =>
          copies[who]!.pools.poll(),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(copy, pool, fc.nat(7)).map(
      ([who, name, index]): Happening =>
        async ({ copies }) => {
          const account = POOLS[name]![index % POOLS[name]!.length]!;
          await copies[who]!.pools.release(name, account, "olga", "left").catch(() => {});
        },
    ),
  },
);

function history(servers: number, rule: typeof judge, onMerged: (lost: number) => void = () => {}) {
  return fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happenings) => {
    const world = new PoolWorld(servers, COPIES, rule);
    try {
      for (const one of happenings) await one(world);
      await world.settle();
      world.check(NAMES);
      // And whoever comes after all that is served by what is left, and the same by all.
      for (const name of NAMES)
        for (let index = 0; index < PEOPLE; index++)
          for (let who = 0; who < COPIES; who++) await world.ask(who, name, `/CN=person ${index}`, POOLS[name]!);
      await world.settle();
      onMerged(world.check(NAMES));
    } finally {
      await world.close();
    }
  });
}

/** More for a night: `DOMUS_RUNS=20000`. */
const RUNS = Number(process.env.DOMUS_RUNS ?? 100);

for (const servers of [2, SERVERS])
  test(`${servers} servers: no account has two owners and no identity ends with two, whatever power, lines and disks do`, async () => {
    let merged = 0;
    const count = (lost: number): void => {
      merged += lost;
    };
    await fc.assert(history(servers, judge, count), { numRuns: RUNS });
    assert.ok(merged > RUNS / 20, `${merged} accounts lost a merge in ${RUNS} histories: too few to say anything`);
  });

const planted: Readonly<Record<string, typeof judge>> = {
  "a server that gives accounts of another's part": (order, events) =>
    judge(order.action === "assign" ? { ...order, candidates: POOLS[order.pool]! } : order, events),
  "a server that takes the loser of a merge for free": (order, events) => {
    const ledger = learned(events);
    const verdict = judge(order, events);
    if (order.action !== "assign" || verdict.kind === "there") return verdict;
    const lost = POOLS[order.pool]!.find((account) =>
      ledger.list(order.pool).some((entry) => entry.account === account && entry.state !== "in force"),
    );
    if (lost === undefined) return verdict;
    const others = events.filter(({ fields }) => fields.account !== lost);
    return judge({ ...order, candidates: [lost] }, others);
  },
  "a server that does not look what it gave": (order, events) =>
    judge(
      order,
      events.filter(({ fields }) => fields.subject === order.subject),
    ),
};
for (const [fault, rule] of Object.entries(planted))
  test(`would notice ${fault}`, async () => {
    const found = await fc.check(history(SERVERS, rule), { numRuns: 1000, endOnFailure: true, seed: 7 });
    assert.match(String(found.errorInstance), /belonged to|changed hands|two assignments/);
  });

const raw = fc.record({
  origin: fc.constantFrom(11, 12, 21),
  counter: fc.integer({ min: 1, max: 12 }),
  action: fc.constantFrom("assign", "assign", "release"),
  pool: fc.constantFrom("p", "q"),
  subject: fc.constantFrom("/CN=a", "/CN=b"),
  account: fc.constantFrom("x1", "x2", "x3", "x4"),
});

/** Gives events the seq of their origin, in the order of their counters, as a server does. */
function asRecorded(all: readonly { origin: number; counter: number }[]): RecordedEvent[] {
  const seqs = new Map<number, number>();
  return [...all]
    .sort((a, b) => a.counter - b.counter)
    .map(({ origin, counter, ...fields }) => {
      const seq = (seqs.get(origin) ?? 0) + 1;
      seqs.set(origin, seq);
      return { origin, seq, counter, at: "", fields: fields as Record<string, string> };
    });
}

test("copies that have the same events say the same, whatever order they came in, also from a snapshot", () => {
  fc.assert(
    fc.property(fc.array(raw, { maxLength: 20 }), fc.infiniteStream(fc.nat()), (all, choices) => {
      const events = asRecorded(all);
      const ordered = new PoolLedger();
      for (const event of [...events].sort(compareEvents)) ordered.take(event);
      const waiting = [...events, ...events];
      let shuffled = new PoolLedger();
      while (waiting.length > 0) {
        const [picked] = waiting.splice(choices.next().value % waiting.length, 1);
        shuffled.learn(picked!);
        if (choices.next().value % 4 === 0) {
          const restored = new PoolLedger();
          restored.restore(structuredClone(shuffled.save()));
          shuffled = restored;
        }
      }
      assert.deepEqual(shuffled.save(), ordered.save());
      for (const name of ["p", "q"]) assert.deepEqual(shuffled.list(name), ordered.list(name));
      for (const event of events) assert.equal(ordered.take(event), false);
    }),
  );
});

const event = (origin: number, seq: number, counter: number, action: string, subject: string, account: string) => ({
  origin,
  seq,
  counter,
  at: "",
  fields: { pool: "p", action, subject, account, reason: "", actor: "" },
});

test("two servers gave one identity accounts: the lesser counts, the other is nobody's for good", () => {
  const owners = event(11, 1, 4, "assign", "/CN=a", "x1");
  const other = event(12, 1, 3, "assign", "/CN=a", "x2");
  const ledger = learned([owners]);
  assert.equal(ledger.account("p", "/CN=a"), "x1");
  ledger.learn(other);
  assert.equal(ledger.account("p", "/CN=a"), "x2");
  assert.deepEqual(
    ledger.list("p").map(({ account, state }) => [account, state]),
    [
      ["x1", "lost"],
      ["x2", "in force"],
    ],
  );
  ledger.learn(event(12, 2, 5, "release", "/CN=a", "x2"));
  assert.equal(ledger.account("p", "/CN=a"), undefined, "the loser does not rise again");
  const order: PoolOrder = { action: "assign", pool: "p", subject: "/CN=a", candidates: ["x1", "x2"], actor: "" };
  const all = ledger.save().events;
  assert.equal(judge(order, all).kind, "taken");
  ledger.learn(event(11, 2, 6, "assign", "/CN=a", "x3"));
  assert.equal(ledger.account("p", "/CN=a"), "x3");
});

test("an account that a lost disk made two people's stays with the first, and is shown", () => {
  const ledger = learned([event(21, 1, 5, "assign", "/CN=b", "x1"), event(11, 1, 2, "assign", "/CN=a", "x1")]);
  assert.deepEqual([ledger.account("p", "/CN=a"), ledger.account("p", "/CN=b")], ["x1", undefined]);
  assert.deepEqual(ledger.conflicts(), ["x1"]);
});

test("ownership: everybody agrees, parts are alike, and a ring that grows moves only what the new one owns", () => {
  const accounts = range("grid", 2000);
  for (const size of [1, 2, 3, 9]) {
    const counts = new Map<number, number>();
    for (const account of accounts) {
      const owner = accountOwner(account, size);
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
      const grown = accountOwner(account, size + 1);
      assert.ok(grown === owner || grown === size);
    }
    assert.equal(counts.size, size);
    for (const count of counts.values()) assert.ok(count > (0.7 * accounts.length) / size, `${count} of ${size}`);
  }
  const long = `/DC=org/DC=example/OU=Robots/CN=${"x".repeat(80)}`;
  assert.equal(identityOwner("p", long, 9), identityOwner("p", long, 9));
  const owners = new Set(range("u", 40).map((name) => identityOwner("p", `${long}${name}`, 2)));
  assert.deepEqual([...owners].sort(), [0, 1], "the whole name counts");
});

test("a pool of 100,000 accounts is divided once, and the next free ones are found at once", () => {
  const accounts = range("big", 100_000);
  const parts = new Parts(2);
  const used = new Set<string>();
  const first = parts.next(accounts, 0, (account) => used.has(account), 64);
  assert.equal(first.length, 64);
  assert.deepEqual(
    [...first, ...parts.next(accounts, 1, (account) => used.has(account), 64)].map((account) =>
      accountOwner(account, 2),
    ),
    [...Array(64).fill(0), ...Array(64).fill(1)],
  );
  let looked = 0;
  for (let index = 0; index < 20_000; index++) {
    const isUsed = (account: string): boolean => {
      looked++;
      return used.has(account);
    };
    const [next] = parts.next(accounts, 0, isUsed, 1);
    assert.ok(next !== undefined && !used.has(next));
    used.add(next);
  }
  assert.ok(looked < 100_000, `${looked} looks for 20,000 accounts`);
});
