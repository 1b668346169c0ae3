/**
 * Pool accounts on two real mariadbd in circular replication: who owns an identity gives, the other gives while it is away, and whatever is
 * killed and cut, no account gets two owners and no identity ends with two.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { RecordsError } from "../../services/records/event.ts";
import { MariaRecords } from "../../services/records/mariadb.ts";
import { accountOwner } from "../../services/records/pool-parts.ts";
import type { Pools } from "../../services/records/pools.ts";
import {
  alike,
  bothSettled,
  cast,
  copy,
  insist,
  options,
  range,
  ring,
  servers,
  sql,
  stage,
  subjectOf,
} from "./pool-ring.ts";

test(
  "two copies ask at once: one identity, one account; 200 identities, each its own, from the owner's part",
  options,
  async () => {
    const [one, another] = [await copy("g1"), await copy("g2")];
    const pool = "nova";
    const own = range("nova", 300);
    for (let round = 0; round < 10; round++) {
      const subject = subjectOf(pool, round % 2);
      const [a, b] = await Promise.all([one, another].map((pools) => pools.give(pool, subject, own)));
      assert.equal(a!.account, b!.account);
      assert.deepEqual([a!.provisional, a!.by], [false, ring[round % 2]!.guest]);
      assert.equal(accountOwner(a!.account, 2), round % 2);
    }
    const subjects = Array.from({ length: 200 }, (_, index) => subjectOf(pool, index % 2));
    const given = await Promise.all(
      subjects.flatMap((subject) => [one, another].map((pools) => insist(() => pools.give(pool, subject, own)))),
    );
    assert.equal(new Set(given.map(({ account }) => account)).size, 200);
    for (const index of subjects.keys()) assert.equal(given[2 * index]!.account, given[2 * index + 1]!.account);
    await alike([one, another], pool);
    const seqs = (await sql(
      0,
      "SELECT origin, COUNT(*) AS n, MAX(seq) AS top FROM domus.pool_event GROUP BY origin",
    )) as {
      n: number;
      top: number;
    }[];
    for (const { n, top } of seqs) assert.equal(Number(n), Number(top), "seq without gaps");
  },
);

test("the whole name counts: DNs alike in 255 characters, pools alike in 10, letters and blanks", options, async () => {
  const pools = await copy("g1", true);
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
  const own = range("long", 40);
  const given: string[] = [];
  for (const [pool, subject] of asked) given.push((await insist(() => pools.give(pool, subject, own))).account);
  assert.equal(new Set(given).size, asked.length, given.join(" "));
  // By a copy that knows nothing, so that the servers say it.
  const another = await copy("g2", true);
  for (const [index, [pool, subject]] of asked.entries())
    assert.equal((await insist(() => another.give(pool, subject, own))).account, given[index]);
});

test("a server gives of its own part only: asked as another it refuses", options, async () => {
  const tls = await stage.identity("g1");
  const place = { position: 1, size: 2 };
  const { guest, address: at, port } = ring[0]!;
  for (const wrong of [place, { position: 0, size: 3 }]) {
    const records = new MariaRecords({ alias: guest, address: at, port, account: "g1", tls, place: wrong });
    const order = { action: "assign", pool: "w", subject: "/CN=w", candidates: ["w1"], actor: "" } as const;
    await assert.rejects(records.order(order, { counter: 0, heads: {} }), /m1 .* is server 1 of 2, and number/);
    await records.close();
  }
});

for (const signal of ["SIGKILL", "SIGSTOP"] as const)
  test(
    `an owner that is away (${signal}): the other gives soon from its own part, and that stays when it is back`,
    options,
    async () => {
      const pool = `away${signal.toLowerCase()}`;
      const [one, another] = [await copy("g1"), await copy("g2", true)];
      const own = range(pool, 100);
      const subjects = range("/CN=x", 10).map(() => subjectOf(pool, 1));
      await insist(() => one.give(pool, subjectOf(pool, 1), own));
      const { pid } = await servers[1]!.says("mariadbd");
      if (signal === "SIGSTOP") process.kill(pid as number, "SIGSTOP");
      else await servers[1]!.kill("SIGKILL");
      const given = new Map<string, string>();
      try {
        for (const [index, subject] of subjects.entries()) {
          const began = performance.now();
          const { account, provisional, by } = await one.give(pool, subject, own);
          const took = performance.now() - began;
          given.set(subject, account);
          assert.deepEqual([provisional, by, accountOwner(account, 2)], [true, "m1", 0]);
          // The first finds out; then it is known. A busy machine is allowed three times as long.
          assert.ok(took < 3 * (index === 0 ? 1000 : 300), `${Math.round(took)} ms`);
        }
      } finally {
        if (signal === "SIGSTOP") process.kill(pid as number, "SIGCONT");
        else servers[1] = await cast(1);
      }
      await bothSettled();
      for (const [subject, account] of given)
        assert.equal((await insist(() => another.give(pool, subject, own))).account, account);
      await alike([one, another], pool);
      assert.ok(one.list(pool).every(({ state }) => state === "in force"));
    },
  );

for (const round of range("", 4).keys()) {
  const owner = round % 2;
  test(
    `power cut between commit and replication, ${round + 1}: both converge to one account, the loser is nobody's for good`,
    options,
    async () => {
      const pool = `cut${round}`;
      const other = 1 - owner;
      const [one, another] = [await copy("g1"), await copy("g2")];
      await Promise.all([one.poll(), another.poll()]);
      const own = range(pool, 60);
      const subjects = range("", 3 + round).map(() => subjectOf(pool, owner));
      const untouched = subjectOf(pool, owner);
      const stays = await one.give(pool, untouched, own);
      await another.give(pool, untouched, own);
      // The other receives nothing any more: what the owner commits now is on its own disk only.
      await sql(other, "STOP SLAVE IO_THREAD");
      const before = await Promise.all(subjects.map((subject) => one.give(pool, subject, own)));
      // And some are killed at their commit: nobody was answered, and they may be there.
      const halfway = range("", 5).map(() => subjectOf(pool, owner));
      const during = Promise.allSettled(halfway.map((subject) => one.give(pool, subject, own)));
      if (round > 1) await new Promise((resolve) => setTimeout(resolve, randomInt(20)));
      await servers[owner]!.kill("SIGKILL");
      await during;
      const meanwhile = await Promise.all(subjects.map((subject) => insist(() => another.give(pool, subject, own))));
      for (const subject of halfway) await insist(() => another.give(pool, subject, own));
      for (const [index, { provisional, account }] of meanwhile.entries()) {
        assert.equal(provisional, true);
        assert.notEqual(account, before[index]!.account);
      }
      servers[owner] = await cast(owner);
      await sql(other, "START SLAVE IO_THREAD");
      await bothSettled();
      await alike([one, another], pool);
      const list = one.list(pool);
      for (const [index, subject] of subjects.entries()) {
        const mine = list.filter((entry) => entry.subject === subject);
        assert.deepEqual(
          mine.map(({ account }) => account).sort(),
          [before[index]!.account, meanwhile[index]!.account].sort(),
        );
        assert.deepEqual(mine.map(({ state }) => state).sort(), ["in force", "lost"]);
        for (const pools of [one, another])
          assert.equal(pools.pooled(pool, subject), mine.find(({ state }) => state === "in force")!.account);
      }
      assert.equal(one.pooled(pool, untouched), stays.account);
      // Whoever comes now gets what nobody ever had, to the last account.
      const had = new Set(list.map(({ account }) => account));
      const rest = own.length - had.size;
      const cold = await copy("g2", true);
      for (let index = 0; index < rest; index++) {
        const { account } = await insist(() => cold.give(pool, subjectOf(pool, index % 2), own));
        assert.ok(!had.has(account), `${account} was given before`);
        had.add(account);
      }
      await assert.rejects(cold.give(pool, subjectOf(pool, 0), own), /has no account left/);
    },
  );
}

test(
  "killed again and again while accounts are given: what was answered is final, or a merge explains it",
  options,
  async () => {
    const pool = "chaos";
    const own = range(pool, 3000);
    const copies = [await copy("g1"), await copy("g2")];
    const owners = new Map<string, string>();
    const told = new Map<string, Set<string>>();
    let answers = 0;
    let over = false;
    const waiting = new Set<() => void>();
    const worker = async (pools: Pools): Promise<void> => {
      while (!over) {
        // Few names at a time, so that the copies often ask for the same one.
        const subject = `/CN=chaos ${Math.floor(answers / 6)} ${randomInt(4)}`;
        const outcome = await pools.give(pool, subject, own).catch((error: unknown) => {
          if (!(error instanceof RecordsError)) throw error;
          return null;
        });
        if (outcome === null) await new Promise((resolve) => setTimeout(resolve, 20));
        else {
          const owner = owners.get(outcome.account);
          assert.ok(owner === undefined || owner === subject, `${outcome.account}: ${owner} and ${subject}`);
          owners.set(outcome.account, subject);
          told.set(subject, (told.get(subject) ?? new Set()).add(outcome.account));
          answers++;
          for (const look of waiting) look();
        }
      }
    };
    const more = (count: number): Promise<void> =>
      new Promise((resolve) => {
        const wanted = answers + count;
        const look = (): void => {
          if (answers < wanted) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      });
    const workers = copies.flatMap((pools) => [worker(pools), worker(pools), worker(pools)]);
    const failed = Promise.all(workers);
    const script = async (): Promise<void> => {
      for (let round = 0; round < 6; round++) {
        await more(20 + randomInt(60));
        const victim = randomInt(2);
        await servers[victim]!.kill("SIGKILL");
        await more(30);
        servers[victim] = await cast(victim);
        await bothSettled();
        for (const pools of copies) await pools.poll();
      }
    };
    await Promise.race([script(), failed]).finally(() => {
      over = true;
    });
    await failed;
    await bothSettled();
    await alike(copies, pool);
    const list = copies[0]!.list(pool);
    const inForce = list.filter(({ state }) => state === "in force");
    assert.equal(new Set(inForce.map(({ subject }) => subject)).size, inForce.length);
    const assigned = (await sql(0, "SELECT COUNT(*) AS n, COUNT(DISTINCT account) AS d FROM domus.pool_event")) as [
      { n: number; d: number },
    ];
    assert.equal(Number(assigned[0].n), Number(assigned[0].d), "each account was given once");
    for (const [subject, answered] of told) {
      const mine = list.filter((entry) => entry.subject === subject);
      for (const account of answered)
        assert.ok(
          mine.some((entry) => entry.account === account),
          `${account} is lost`,
        );
      if (mine.length === 1) assert.equal(answered.size, 1);
      assert.ok(answered.has(copies[0]!.pooled(pool, subject)!) || mine.length > 1);
    }
    assert.ok(told.size > 50, `${told.size} identities`);
  },
);

test("a lost disk begins a new life: what was given stays, and is given to nobody else", options, async () => {
  const pool = "lost";
  const own = range(pool, 60);
  const one = await copy("g1");
  const subjects = range("", 10).map((_, index) => subjectOf(pool, index % 2));
  const given = await Promise.all(subjects.map((subject) => insist(() => one.give(pool, subject, own))));
  await servers[0]!.kill("SIGKILL");
  rmSync(join(servers[0]!.data, "mariadb"), { recursive: true });
  servers[0] = await cast(0);
  await bothSettled();
  const cold = await copy("g2", true);
  for (const [index, subject] of subjects.entries())
    assert.equal((await insist(() => cold.give(pool, subject, own))).account, given[index]!.account);
  const had = new Set(given.map(({ account }) => account));
  for (let index = 0; index < 20; index++) {
    const { account } = await insist(() => cold.give(pool, subjectOf(pool, 0), own));
    assert.ok(!had.has(account));
    had.add(account);
  }
  await alike([one, cold], pool);
});
