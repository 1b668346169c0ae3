/** How many hosts a site needs, and whether "proved minimal" is true: small sites are tried in every way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { size } from "../../src/planner/index.ts";
import { fermigrid, GiB, host, service, site } from "./sites.ts";

test("the documents: ten machines without virtualization, two with it, and a witness", async () => {
  const answer = await size(fermigrid());
  assert.equal(answer.unvirtualized.hosts, 10);
  assert.deepEqual([answer.virtualized.hosts, answer.virtualized.atLeast, answer.virtualized.proved], [2, 2, true]);
  assert.match(
    answer.virtualized.says,
    /^2 hosts, proved minimal: lvs has 2 copies, each on a host of its own; all guests need 26 GiB/,
  );
  assert.deepEqual([answer.have, answer.missing, answer.witness.machines], [2, 0, 1]);
});

test("where the bounds do not settle it the solver does", async () => {
  const hosts = Array.from({ length: 6 }, (_, index) => host(`h${index}`, { memory: 11 * GiB }));
  const answer = await size(
    site(
      hosts,
      [1, 2, 3, 4, 5].map((one) => service(`s${one}`, { copies: 1, memory: 6 * GiB })),
    ),
  );
  assert.deepEqual([answer.virtualized.hosts, answer.virtualized.proved], [5, true]);
  assert.equal(answer.virtualized.says, "5 hosts, proved minimal: the solver found no way with 4");
});

test("what is missing is counted in hosts like the largest; a guest larger than any host is said", async () => {
  const many = await size(
    site(
      [host("a"), host("b", { memory: 8 * GiB })],
      [1, 2, 3].map((one) => service(`s${one}`, { copies: 2, memory: 14 * GiB })),
    ),
  );
  assert.deepEqual([many.virtualized.hosts, many.have, many.missing, many.like], [7, 2, 5, "a"]);
  const giant = await size(site([host("a")], [service("big", { copies: 1, memory: 20 * GiB })]));
  assert.equal(giant.virtualized.hosts, null);
  assert.match(giant.virtualized.says, /big needs 20 GiB and 1 CPUs, the host has 15 GiB and 16 for guests/);
});

/** Every subset of hosts, every way to seat the copies: the truth, for small sites. */
function trulyFewest(
  rooms: readonly number[],
  services: readonly { readonly copies: number; readonly memory: number }[],
): number | null {
  const guests = services.flatMap((one, index) =>
    Array.from({ length: one.copies }, () => ({ index, memory: one.memory })),
  );
  let best: number | null = null;
  const left = [...rooms];
  const seated: Set<number>[] = rooms.map(() => new Set());
  const seat = (at: number): void => {
    const used = seated.filter((one) => one.size > 0).length;
    if (best !== null && used >= best) return;
    const guest = guests[at];
    if (!guest) {
      best = used;
      return;
    }
    rooms.forEach((_, room) => {
      if (left[room]! < guest.memory || seated[room]!.has(guest.index)) return;
      left[room]! -= guest.memory;
      seated[room]!.add(guest.index);
      seat(at + 1);
      left[room]! += guest.memory;
      seated[room]!.delete(guest.index);
    });
  };
  seat(0);
  return best;
}

test("what is proved minimal is minimal, and what is found can be had", async () => {
  const small = fc.record({
    rooms: fc.array(fc.integer({ min: 4, max: 10 }), { minLength: 2, maxLength: 4 }),
    services: fc.array(fc.record({ copies: fc.integer({ min: 1, max: 2 }), memory: fc.integer({ min: 1, max: 6 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
  });
  let proved = 0;
  await fc.assert(
    fc.asyncProperty(small, async ({ rooms, services }) => {
      const of = site(
        rooms.map((room, index) => host(`h${index}`, { memory: room * GiB, reserve: 0, cpus: 64 })),
        services.map((one, index) => service(`s${index}`, { copies: one.copies, memory: one.memory * GiB })),
      );
      const { virtualized } = await size(of);
      const truth = trulyFewest(rooms, services);
      if (truth === null) return assert.ok(virtualized.hosts === null || virtualized.hosts > rooms.length);
      assert.ok(virtualized.hosts !== null && virtualized.atLeast <= truth);
      if (!virtualized.proved || virtualized.hosts > rooms.length) return;
      proved++;
      assert.equal(virtualized.hosts, truth);
    }),
    { numRuns: 120, seed: 26 },
  );
  assert.ok(proved > 50, `${proved} proved: the test would be empty`);
});
