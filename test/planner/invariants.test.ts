/** What holds for every site: rules, bytes, and that nothing moves without a reason. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson, type HostName } from "../../src/model/index.ts";
import { blueprintId, lintBlueprint, plan, sameTarget } from "../../src/planner/index.ts";
import { sites, TRIES } from "./random.ts";
import { ask, BOOK, without } from "./sites.ts";

test("whatever is planned breaks no rule; whatever is not has a reason", () => {
  let made = 0;
  fc.assert(
    fc.property(sites, (site) => {
      const input = ask(site);
      const result = plan(input, BOOK);
      if (!result.ok) return assert.ok(result.refusals.length > 0 && result.refusals.every((one) => one.length > 10));
      made++;
      assert.deepEqual(lintBlueprint(result.blueprint, site, input.inventory), []);
    }),
    TRIES,
  );
  assert.ok(made > TRIES.numRuns / 5, `only ${made} of the random sites could be planned: the test would be empty`);
});

test("the same question gives the same bytes", () => {
  fc.assert(
    fc.property(sites, (site) => {
      assert.equal(canonicalJson(plan(ask(site), BOOK)), canonicalJson(plan(ask(structuredClone(site)), BOOK)));
    }),
    { ...TRIES, numRuns: 150 },
  );
});

test("planning again with the answer in force changes nothing and retires nobody", () => {
  fc.assert(
    fc.property(sites, (site) => {
      const first = plan(ask(site), BOOK);
      fc.pre(first.ok);
      const again = plan(ask(site, { parent: { id: blueprintId(first.blueprint), blueprint: first.blueprint } }), BOOK);
      assert.ok(again.ok);
      assert.ok(sameTarget(first.blueprint, again.blueprint));
      assert.deepEqual(again.changes, []);
      assert.equal(canonicalJson(again.blueprint.steps), canonicalJson(first.blueprint.steps));
      assert.equal(again.blueprint.number, 2);
    }),
    TRIES,
  );
});

test("after the loss of a host only its guests move, or those whose room they need; nothing is lost or broken", () => {
  let moves = 0;
  fc.assert(
    fc.property(sites, fc.nat(6), (site, which) => {
      const first = plan(ask(site), BOOK);
      fc.pre(first.ok);
      const lost = site.hosts[which % site.hosts.length]!.name;
      const inventory = without(lost);
      const parent = { id: blueprintId(first.blueprint), blueprint: first.blueprint };
      const healed = plan(ask(site, { parent, inventory, cause: { by: "healing", says: "lost" } }), BOOK);
      assert.ok(healed.ok, "healing never makes a plan impossible");
      assert.deepEqual(lintBlueprint(healed.blueprint, site, inventory), []);
      for (const change of healed.changes) {
        assert.equal(change.kind, "moved");
        assert.notEqual(change.to, lost);
        if (change.from !== lost) assert.match(change.says, /another guest needs its room/);
        moves++;
      }
    }),
    TRIES,
  );
  assert.ok(moves > 50, `${moves} moves: the test would be empty`);
});

test("a removed host is emptied, a changed service is changed, and names stay", () => {
  fc.assert(
    fc.property(sites, fc.nat(6), (site, which) => {
      const first = plan(ask(site), BOOK);
      fc.pre(first.ok && site.hosts.length > 2);
      const gone = site.hosts[which % site.hosts.length]!.name;
      const smaller = {
        ...site,
        hosts: site.hosts.filter((one) => one.name !== gone),
        services: site.services.map((one) => ({
          ...one,
          hosts: [] as HostName[],
          forbid: one.forbid.filter((name) => name !== gone),
        })),
      };
      const parent = { id: blueprintId(first.blueprint), blueprint: first.blueprint };
      const next = plan(ask(smaller, { parent }), BOOK);
      if (!next.ok) return;
      assert.deepEqual(lintBlueprint(next.blueprint, smaller, ask(smaller).inventory), []);
      const names = new Map(first.blueprint.guests.map((guest) => [`${guest.service}/${guest.copy}`, guest]));
      for (const guest of next.blueprint.guests) {
        const before = names.get(`${guest.service}/${guest.copy}`)!;
        assert.deepEqual(
          [guest.name, guest.address, guest.birthHost, guest.mac],
          [before.name, before.address, before.birthHost, before.mac],
        );
      }
    }),
    { ...TRIES, numRuns: 200 },
  );
});
