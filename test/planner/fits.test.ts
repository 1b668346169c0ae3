/** What still fits, with and without keeping N+1, judged by trying every way on small sites; and what a purchase gives. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { emptyInventory, type Site } from "../../src/model/index.ts";
import {
  anotherCopyOf,
  type FitsInput,
  fitOf,
  purchasesFor,
  roomOf,
  shapesOf,
  shapeText,
} from "../../src/planner/index.ts";
import { ask, fermigrid, GiB, host, planned, service, site, without } from "./sites.ts";

const standing = (of: Site): FitsInput => ({
  site: of,
  inventory: emptyInventory({ mariadb: true }),
  blueprint: planned(ask(of)).blueprint,
});

describe("the documents' site", () => {
  const input = standing(fermigrid());

  test("has 2 GiB and 8 processors on each host, and takes four guests of 1 GiB, two with N+1", () => {
    assert.deepEqual(
      roomOf(input).map(({ host: name, memoryFree, cpusFree, closed }) => [name, memoryFree, cpusFree, closed]),
      [
        ["fermigrid5", 2 * GiB, 8, ""],
        ["fermigrid6", 2 * GiB, 8, ""],
      ],
    );
    const small = fitOf(input, { memory: GiB, cpus: 1 });
    assert.deepEqual([small.more, small.safely], [4, 2]);
    assert.match(small.says, /^with 3: without fermigrid5, a new guest cannot restart: too little memory: fermigrid6/);
    const large = fitOf(input, { memory: 3 * GiB, cpus: 1 });
    assert.deepEqual([large.more, large.safely, large.says], [0, 0, "memory used up first on fermigrid5, fermigrid6"]);
    const busy = fitOf(input, { memory: GiB / 4, cpus: 4 });
    assert.deepEqual([busy.more, busy.safely], [4, 2]);
    assert.deepEqual(
      busy.byHost.map(({ binds }) => binds),
      ["processors", "processors"],
    );
  });

  test("takes no third copy of anything, for placement's own reasons", () => {
    const said = Object.fromEntries(
      anotherCopyOf(input).map(({ service: name, host: on, says }) => [name, [on, says]]),
    );
    assert.deepEqual(said, {
      lvs: [null, "active-standby has 2 copies at most"],
      voms: [null, "fermigrid5 already has copy 0 (fg5x1); fermigrid6 already has copy 1 (fg6x1)"],
      gums: [null, "fermigrid5 already has copy 0 (fg5x2); fermigrid6 already has copy 1 (fg6x2)"],
      saz: [null, "fermigrid5 already has copy 0 (fg5x3); fermigrid6 already has copy 1 (fg6x3)"],
      mysql: [null, "fermigrid5 already has copy 0 (fg5x4); fermigrid6 already has copy 1 (fg6x4)"],
    });
  });

  test("what to buy: more memory in one of two hosts gives nothing that survives the loss of it", () => {
    const shape = { memory: 4 * GiB, cpus: 2 };
    const bought = Object.fromEntries(
      purchasesFor(input, shape, fitOf(input, shape)).map(({ kind, more, safely }) => [kind, [more, safely]]),
    );
    // One host: 18 GiB free there, four guests by processors; lost with it, the other has 2 GiB for them.
    assert.deepEqual(bought, { "all memory": [8, 4], memory: [4, 0], host: [3, 0] });
    const small = { memory: GiB, cpus: 1 };
    const host_ = purchasesFor(input, small, fitOf(input, small)).find(({ kind }) => kind === "host")!;
    assert.deepEqual([host_.title, host_.more], ["another host like fermigrid5 (16 GiB, 4 CPUs)", 15]);
    // Three hosts with 2, 2 and 15 GiB free: whatever is on the third must fit on the other two.
    assert.equal(host_.safely, 4 - 2);
  });
});

describe("room", () => {
  test("a host kept spare takes nothing, and still counts for who restarts", () => {
    const of = site(
      [host("a"), host("b", { spare: true })],
      [service("one", { copies: 1, strategy: "single", memory: 5 * GiB })],
    );
    const fit = fitOf(standing(of), { memory: 5 * GiB, cpus: 1 });
    assert.deepEqual([fit.more, fit.safely], [2, 2]);
    assert.equal(roomOf(standing(of))[1]!.closed, "kept spare until another host is unreachable");
  });

  test("an unreachable host takes nothing, and its guests cannot come back from it", () => {
    const of = site([host("a"), host("b"), host("c")], [service("one", { copies: 1, strategy: "single" })]);
    const input = { ...standing(of), inventory: without("c") };
    const fit = fitOf(input, { memory: 5 * GiB, cpus: 1 });
    assert.equal(roomOf(input)[2]!.closed, "unreachable");
    assert.deepEqual(
      fit.byHost.map(({ more }) => more),
      [2, 3, 0],
    );
    // One lost of the two that are left: the other takes all of its guests.
    assert.deepEqual([fit.more, fit.safely], [5, 2]);
  });

  test("where N+1 is lost already, no guest is added safely, and it is said who lacks what", () => {
    const of = site(
      [host("a", { memory: 9 * GiB }), host("b", { memory: 9 * GiB })],
      [1, 2].map((one) => service(`s${one}`, { copies: 1, strategy: "single", memory: 6 * GiB })),
    );
    const fit = fitOf(standing(of), { memory: GiB, cpus: 1 });
    assert.deepEqual([fit.more, fit.safely], [4, 0]);
    assert.match(fit.says, /^not even now: without a, ax0 \(s1 copy 0\) cannot restart: too little memory: b/);
    const [best] = purchasesFor(standing(of), fit.shape, fit);
    assert.ok(best!.safely > 0, "whatever mends it comes first");
  });

  test("a reserved place takes room until a host is lost", () => {
    const of = site(
      [host("a", { memory: 9 * GiB }), host("b", { memory: 9 * GiB })],
      [service("kept-free", { strategy: "spare", copies: 2, memory: 6 * GiB })],
    );
    assert.deepEqual(
      roomOf(standing(of)).map(({ memoryFree }) => memoryFree),
      [2 * GiB, 2 * GiB],
    );
    // What is added restarts in the reserved place.
    assert.deepEqual([fitOf(standing(of), { memory: 2 * GiB, cpus: 1 }).safely], [2]);
  });

  test("shapes are those of the site's own guests, the largest first", () => {
    assert.deepEqual(
      shapesOf(fermigrid()).map(({ shape, services }) => [shapeText(shape), services]),
      [
        ["4 GiB, 2 CPUs", ["mysql"]],
        ["3 GiB, 2 CPUs", ["gums", "saz"]],
        ["2 GiB, 1 CPU", ["voms"]],
        ["1 GiB, 1 CPU", ["lvs"]],
      ],
    );
  });
});

/** Can these sizes be packed into these rooms? Every way is tried. */
function packs(sizes: readonly number[], rooms: readonly number[]): boolean {
  const [first, ...rest] = [...sizes].sort((a, b) => b - a);
  if (first === undefined) return true;
  return rooms.some((room, index) => room >= first && packs(rest, rooms.with(index, room - first)));
}

/** The most guests of a size that go somewhere so that each host's loss leaves room for all of its guests: every way is tried. */
function trulySafe(free: readonly number[], held: readonly (readonly number[])[], size: number): number {
  let best = -1;
  const spread = (at: number, added: readonly number[]): void => {
    if (at < free.length) {
      for (let more = 0; more * size <= free[at]!; more++) spread(at + 1, [...added, more]);
      return;
    }
    const total = added.reduce((sum, one) => sum + one, 0);
    if (total <= best) return;
    const rooms = free.map((room, index) => room - added[index]! * size);
    const safe = free.every((_, lost) => {
      const refugees = [...held[lost]!, ...Array.from({ length: added[lost]! }, () => size)];
      return packs(refugees, rooms.toSpliced(lost, 1));
    });
    if (safe) best = total;
  };
  spread(0, []);
  return best;
}

test("never more than is possible, whichever way is tried, and nearly always as many", () => {
  const small = fc.record({
    rooms: fc.array(fc.integer({ min: 4, max: 9 }), { minLength: 2, maxLength: 3 }),
    guests: fc.array(fc.record({ on: fc.nat(2), memory: fc.integer({ min: 1, max: 4 }) }), { maxLength: 4 }),
    size: fc.integer({ min: 1, max: 4 }),
  });
  let as = 0;
  let compared = 0;
  fc.assert(
    fc.property(small, ({ rooms, guests, size }) => {
      const free = [...rooms];
      const held: number[][] = rooms.map(() => []);
      const services = guests.flatMap(({ on, memory }, index) => {
        const at = on % rooms.length;
        if (free[at]! < memory) return [];
        free[at]! -= memory;
        held[at]!.push(memory);
        const pinned = { copies: 1, strategy: "single", memory: memory * GiB } as const;
        return [{ at, service: service(`s${index}`, pinned) }];
      });
      if (services.length === 0) return;
      const of = site(
        rooms.map((room, index) => host(`h${index}`, { memory: room * GiB, reserve: 0, cpus: 64 })),
        services.map((one) => one.service),
      );
      // Where each guest is was drawn, not planned.
      const { blueprint } = planned(ask(of));
      const moved = blueprint.guests.map((guest) => ({
        ...guest,
        host: of.hosts[services.find((one) => one.service.name === guest.service)!.at]!.name,
      }));
      const input = { site: of, inventory: emptyInventory({ mariadb: true }), blueprint: { guests: moved } };
      const fit = fitOf(input, { memory: size * GiB, cpus: 1 });
      assert.equal(
        fit.more,
        free.reduce((sum, room) => sum + Math.floor(room / size), 0),
      );
      const truth = trulySafe(free, held, size);
      assert.ok(fit.safely <= Math.max(0, truth), `${fit.safely} promised, ${truth} possible`);
      compared++;
      if (fit.safely === Math.max(0, truth)) as++;
    }),
    { numRuns: 300 },
  );
  assert.ok(compared > 150 && as / compared > 0.9, `${as} of ${compared} as many as possible`);
});
