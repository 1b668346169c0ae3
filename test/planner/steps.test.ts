/** The graph of steps: what waits for what, and that replacing goes one copy at a time without a host ever being over its memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Blueprint, GuestName, HostName, Step } from "../../src/model/index.ts";
import { blueprintId, guestDigest, plan, surveyHosts } from "../../src/planner/index.ts";
import { sites, TRIES } from "./random.ts";
import { after, ask, BOOK, fermigrid, GiB, host, planned, service, site, without } from "./sites.ts";

const stepsById = (of: Blueprint): Map<string, Step> => new Map(of.steps.map((step) => [step.id, step]));
const waits = (of: Blueprint, id: string): readonly string[] => stepsById(of).get(id)!.after;

/** Does a step wait for another, over any number of steps? */
function follows(of: Blueprint, id: string, before: string): boolean {
  const steps = stepsById(of);
  const seen = new Set([id]);
  for (const one of seen) for (const next of steps.get(one)?.after ?? []) seen.add(next);
  return seen.has(before);
}

test("guests start when what they need answers through its alias, which waits for directors and backends", () => {
  const { blueprint } = planned(ask(fermigrid()));
  assert.deepEqual(waits(blueprint, "guest.start:fg5x2"), ["guest.define:fg5x2", "alias.ready:mysql"]);
  assert.deepEqual(waits(blueprint, "alias.ready:mysql"), [
    "guest.ready:fg5x0",
    "guest.ready:fg6x0",
    "guest.ready:fg5x4",
    "guest.ready:fg6x4",
  ]);
  assert.deepEqual(waits(blueprint, "guest.start:fg5x0"), ["guest.define:fg5x0"]);
  assert.equal(
    blueprint.steps.some((step) => step.kind === "guest.retire"),
    false,
  );
  const define = stepsById(blueprint).get("guest.define:fg5x2")!;
  assert.deepEqual(
    [define.undo, define.check],
    ["guest.retire", "fermigrid5 holds the definition, files and secrets of fg5x2"],
  );
});

test("a changed service is replaced one copy at a time, others are left alone", () => {
  const first = after(ask(fermigrid()));
  const services = first.site.services.map((one) =>
    one.name === "saz" ? { ...one, settings: { default: "deny" } } : one,
  );
  const { blueprint, changes } = planned({ ...first, site: { ...first.site, services } });
  assert.deepEqual(
    changes.map((one) => one.says),
    [
      "fg5x3 (saz copy 0) is made anew on fermigrid5: files etc/service.json",
      "fg6x3 (saz copy 1) is made anew on fermigrid6: files etc/service.json",
    ],
  );
  assert.deepEqual(
    blueprint.steps.filter((step) => step.kind === "guest.retire").map((step) => step.id),
    ["guest.retire:fg5x3@fermigrid5", "guest.retire:fg6x3@fermigrid6"],
  );
  assert.ok(follows(blueprint, "guest.retire:fg6x3@fermigrid6", "guest.ready:fg5x3"));
  assert.ok(follows(blueprint, "guest.define:fg5x3", "guest.retire:fg5x3@fermigrid5"));
});

test("a new version of the bundles replaces every guest, one copy at a time", () => {
  const { blueprint, changes } = planned({ ...after(ask(fermigrid())), version: "0.2.0" });
  assert.equal(changes.filter((one) => one.kind === "changed").length, 10);
  for (const number of [0, 1, 2, 3, 4]) {
    assert.ok(follows(blueprint, `guest.retire:fg6x${number}@fermigrid6`, `guest.ready:fg5x${number}`));
  }
});

test("a new service changes the hosts file of the others and replaces none of them but the directors", () => {
  const first = after(ask(fermigrid()));
  const { changes } = planned({
    ...first,
    site: { ...first.site, services: [...first.site.services, service("wiki", { alias: 80 })] },
  });
  assert.deepEqual(
    changes.map((one) => `${one.kind} ${one.guest}`),
    ["changed fg5x0", "new fg5x5", "changed fg6x0", "new fg6x5"],
  );
});

test("what is observed and not wanted is retired; what is as it should be is not", () => {
  const of = site([host("a"), host("b")], [service("web")]);
  const { blueprint } = planned(ask(of));
  const seen = blueprint.guests.map((guest) => ({
    name: guest.name,
    host: guest.host,
    running: true,
    digest: guestDigest(guest, blueprint.bundles),
  }));
  const retired = (guests: typeof seen): readonly string[] =>
    planned(ask(of, { inventory: { ...ask(of).inventory, guests } }))
      .blueprint.steps.filter((step) => step.kind === "guest.retire")
      .map((step) => step.id);
  assert.deepEqual(retired(seen), []);
  assert.deepEqual(retired([{ ...seen[0]!, digest: "other" }]), ["guest.retire:ax0@a"]);
  assert.deepEqual(
    retired([...seen, { name: "stray" as GuestName, host: "b" as HostName, running: true, digest: "" }]),
    ["guest.retire:stray@b"],
  );
});

test("a moved guest without data does not wait for its silent host; one with replicated data does", () => {
  const of = site([host("a"), host("b"), host("c")], [service("web")]);
  const healed = planned(
    after(ask(of), { inventory: without("a"), cause: { by: "healing", says: "a is gone" } }),
  ).blueprint;
  assert.equal(healed.guests.find((guest) => guest.name === "ax0")!.host, "c");
  assert.equal(follows(healed, "guest.start:ax0", "guest.retire:ax0@a"), false);
  const moved = planned(
    after(ask(of), { site: { ...of, services: [{ ...of.services[0]!, forbid: ["a"] as HostName[] }] } }),
  ).blueprint;
  assert.equal(follows(moved, "guest.start:ax0", "guest.retire:ax0@a"), true);
});

test("an alias does not wait for backends on hosts that are silent", () => {
  const of = site([host("a"), host("b")], [service("web", { alias: 8443 })]);
  const { blueprint } = planned(after(ask(of), { inventory: without("b") }));
  assert.deepEqual(waits(blueprint, "alias.ready:web"), ["guest.ready:ax0"]);
});

/** Carries the steps out in an order the graph allows and looks at each host's memory after every one. */
function carryOut(
  before: Blueprint,
  next: Blueprint,
  room: ReadonlyMap<string, number>,
  choose: (count: number) => number,
): void {
  // A reserved place is empty: nothing of it is in memory.
  const real = before.guests.filter((guest) => guest.definition.program.kind !== "none");
  const running = new Map(real.map((guest) => [`${guest.name}@${guest.host}`, guest.definition.memory]));
  const definitions = new Map(next.guests.map((guest) => [guest.name, guest.definition.memory]));
  const done = new Set<string>();
  const open = new Set(next.steps);
  while (open.size > 0) {
    const able = [...open].filter((step) => step.after.every((id) => done.has(id)));
    assert.ok(able.length > 0, "the graph waits for itself");
    const step = able[choose(able.length)]!;
    const key = `${step.guest}@${step.host}`;
    if (step.kind === "guest.retire") running.delete(key);
    if (step.kind === "guest.start") running.set(key, definitions.get(step.guest!)!);
    const used = [...running]
      .filter(([where]) => where.endsWith(`@${step.host}`))
      .reduce((sum, [, memory]) => sum + memory, 0);
    if (step.kind === "guest.start")
      assert.ok(used <= room.get(step.host!)!, `${step.id}: ${used} bytes on ${step.host}`);
    open.delete(step);
    done.add(step.id);
  }
}

test("on the way from one Blueprint to the next no host is over its memory, in whatever order steps are done", () => {
  let tight = 0;
  fc.assert(
    fc.property(
      sites,
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 8, maxLength: 8 }),
      fc.infiniteStream(fc.nat(1000)),
      (of, sizes, stream) => {
        const first = plan(ask(of), BOOK);
        fc.pre(first.ok);
        const services = of.services.map((one, index) =>
          one.strategy === "spare"
            ? one
            : {
                ...one,
                memory: (sizes[index % 8]! * GiB) / 4,
                hosts: [],
                // Some are driven from where they are, so that there is something to do.
                forbid: first.blueprint.guests
                  .filter((guest) => guest.service === one.name && (sizes[index % 8]! & 1) === 1)
                  .map((guest) => guest.host),
              },
        );
        const changed = { ...of, services };
        const next = plan(
          ask(changed, { parent: { id: blueprintId(first.blueprint), blueprint: first.blueprint } }),
          BOOK,
        );
        fc.pre(next.ok);
        const room = new Map(
          surveyHosts(changed, ask(changed).inventory).map((place) => [place.name as string, place.memory]),
        );
        if (next.changes.some((one) => one.kind === "moved")) tight++;
        carryOut(first.blueprint, next.blueprint, room, (count) => stream.next().value! % count);
      },
    ),
    { ...TRIES, numRuns: 400 },
  );
  assert.ok(tight > 10, `${tight} plans with moves: the test would be empty`);
});

test("two that change places on full hosts do not wait for each other", () => {
  const of = site(
    [host("a", { memory: 5 * GiB }), host("b", { memory: 5 * GiB })],
    ["x", "y"].map((name, index) =>
      service(name, { copies: 1, memory: 4 * GiB, hosts: [["a", "b"][index]] as HostName[] }),
    ),
  );
  const swapped = {
    ...of,
    services: of.services.map((one, index) => ({ ...one, hosts: [["b", "a"][index]] as HostName[] })),
  };
  const { blueprint } = planned({ ...after(ask(of)), site: swapped });
  assert.ok(follows(blueprint, "guest.start:ax0", "guest.retire:bx0@b"));
  assert.ok(follows(blueprint, "guest.start:bx0", "guest.retire:ax0@a"));
  carryOut(
    planned(ask(of)).blueprint,
    blueprint,
    new Map([
      ["a", 4 * GiB],
      ["b", 4 * GiB],
    ]),
    () => 0,
  );
});
