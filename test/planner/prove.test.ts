/** The proof of N+1: the documents' site, and every proof of random sites worked out again the slow way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Blueprint,
  emptyInventory,
  type Inventory,
  type Service,
  type Site,
  type Survival,
} from "../../src/model/index.ts";
import { EVERY_SERVICE_LISTED, plan, surveyHosts } from "../../src/planner/index.ts";
import { sites, TRIES } from "./random.ts";
import { ask, BOOK, fermigrid, GiB, host, planned, service, site, without } from "./sites.ts";

const outcomes = (of: Blueprint): Record<string, string> =>
  Object.fromEntries(of.proof.services.map((one) => [`${one.host} ${one.name}`, one.outcome]));

test("with MariaDB the documents' site survives any one host", () => {
  const { proof } = planned(ask(fermigrid())).blueprint;
  assert.equal(proof.survivesAnyOneHost, true);
  assert.equal(proof.services.length, 10);
  assert.equal(proof.services[0]!.says, "without fermigrid5: lvs answers: fg6x0 on fermigrid6 goes on");
});

test("without MariaDB the loss of the last copy's host leaves the others reading, and the proof says so", () => {
  const { blueprint } = planned(ask(fermigrid(), { inventory: emptyInventory({ mariadb: false }) }));
  assert.equal(blueprint.proof.survivesAnyOneHost, false);
  assert.deepEqual(outcomes(blueprint), {
    "fermigrid5 lvs": "answers",
    "fermigrid5 voms": "answers",
    "fermigrid5 gums": "answers",
    "fermigrid5 saz": "answers",
    "fermigrid5 mysql": "answers",
    "fermigrid6 lvs": "answers",
    "fermigrid6 voms": "read-only",
    "fermigrid6 gums": "read-only",
    "fermigrid6 saz": "read-only",
    "fermigrid6 mysql": "lost",
  });
});

test("a host that is unreachable already counts as lost", () => {
  const { proof } = planned(
    ask(site([host("a"), host("b"), host("c")], [service("web")]), { inventory: without("c") }),
  ).blueprint;
  assert.equal(proof.survivesAnyOneHost, true);
  const input = ask(site([host("a"), host("b")], [service("web")]));
  const first = planned(input).blueprint;
  const later = planned({
    ...input,
    inventory: without("b"),
    parent: { id: "x" as never, blueprint: first },
  }).blueprint;
  assert.equal(outcomes(later)["a web"], "lost");
  assert.match(later.proof.services[0]!.says, /without a \(and b, unreachable already\)/);
});

test("racks are lost whole for services that ask to be apart by them", () => {
  const hosts = [
    host("a", { rack: "1" }),
    host("b", { rack: "1" }),
    host("c", { rack: "2" }),
    host("d", { rack: "2" }),
  ];
  const of = site(hosts, [
    service("base", { hosts: ["a", "b"] as never }),
    service("web", { apart: "rack", needs: ["base"] }),
  ]);
  const { blueprint, warnings } = planned(ask(of));
  assert.equal(outcomes(blueprint)["rack 1 web"], "read-only");
  assert.equal(outcomes(blueprint)["rack 2 web"], "answers");
  assert.equal(blueprint.proof.survivesAnyOneHost, true);
  assert.match(warnings[0]!, /^without rack 1: web answers reads only/);
});

test("restarts pack the guests together, and what does not fit says what is missing", () => {
  const hosts = [host("a", { memory: 9 * GiB }), host("b", { memory: 6 * GiB })];
  const single = (name: string) =>
    service(name, { copies: 1, strategy: "single", memory: 4 * GiB, hosts: ["a"] as never });
  const free = ["one", "two"].map((name) => ({ ...single(name), hosts: [] }));
  const of = site(
    hosts,
    free.map((one) => ({ ...one, forbid: [] })),
  );
  const first = planned(ask(of)).blueprint;
  const both = { ...first, guests: first.guests.map((guest) => ({ ...guest, host: "a" as never })) };
  const { blueprint, warnings } = planned(ask(of, { parent: { id: "x" as never, blueprint: both } }));
  const { proof } = blueprint;
  assert.deepEqual(warnings, ["without a there is no room to restart bx0"]);
  const lost = proof.restarts.filter((one) => one.host === "a");
  assert.deepEqual(
    lost.map((one) => one.onto),
    ["b", null],
  );
  assert.match(lost[1]!.says, /cannot restart: too little memory: b \(at least 3 GiB missing\)/);
});

/** The same question answered with nothing remembered: one service, one set of lost hosts, from the beginning. */
function slowly(
  of: Site,
  blueprint: Blueprint,
  database: "mariadb" | "sqlite",
  name: string,
  gone: ReadonlySet<string>,
): Survival {
  const one = of.services.find((other) => other.name === name) as Service;
  const recipe = BOOK.get(one.recipe)!;
  const copies = blueprint.guests.filter((guest) => guest.service === name).sort((a, b) => a.copy - b.copy);
  if (!recipe.holders(database, copies).some((seat) => !gone.has(seat.host))) return "lost";
  const directors = of.services.find((other) => other.recipe === "lvs");
  if (one.alias && directors && slowly(of, blueprint, database, directors.name, gone) !== "answers") return "lost";
  const all = one.needs.every((need) => slowly(of, blueprint, database, need, gone) === "answers");
  return all ? "answers" : recipe.withoutNeeds;
}

function checkProof(of: Site, blueprint: Blueprint, inventory: Inventory): void {
  const database = inventory.programs.mariadb ? "mariadb" : "sqlite";
  const real = of.services.filter((one) => one.strategy !== "spare");
  let survives = true;
  const said = outcomes(blueprint);
  for (const { name: lost } of of.hosts) {
    for (const { name } of real) {
      const outcome = slowly(of, blueprint, database, name, new Set([lost]));
      assert.equal(said[`${lost} ${name}`], outcome, `${name} without ${lost}`);
      survives &&= outcome === "answers";
    }
  }
  assert.equal(blueprint.proof.survivesAnyOneHost, survives);
}

test("every proof is what the slow way finds", () => {
  let lost = 0;
  fc.assert(
    fc.property(sites, fc.boolean(), (of, mariadb) => {
      const inventory = emptyInventory({ mariadb });
      const result = plan(ask(of, { inventory }), BOOK);
      fc.pre(result.ok);
      checkProof(of, result.blueprint, inventory);
      lost += result.blueprint.proof.services.filter((one) => one.outcome !== "answers").length;
    }),
    TRIES,
  );
  assert.ok(lost > 50, `${lost} losses: the test would be empty`);
});

test("the slow way sees a proof that lies", () => {
  const inventory = emptyInventory({ mariadb: false });
  const { blueprint } = planned(ask(fermigrid(), { inventory }));
  const lie = { ...blueprint, proof: { ...blueprint.proof, survivesAnyOneHost: true } };
  assert.throws(() => checkProof(fermigrid(), lie, inventory), /Expected values to be strictly equal/);
});

test("every restart fits beside those that stay and those that come with it", () => {
  fc.assert(
    fc.property(sites, (of) => {
      const input = ask(of);
      const result = plan(input, BOOK);
      fc.pre(result.ok);
      const { guests, proof } = result.blueprint;
      const reserve = new Set(of.services.filter((one) => one.strategy === "spare").map((one) => one.name));
      for (const lost of of.hosts) {
        const restarts = proof.restarts.filter((one) => one.host === lost.name);
        const born = guests.filter((guest) => guest.host === lost.name && !reserve.has(guest.service));
        assert.deepEqual(restarts.map((one) => one.guest).sort(), born.map((guest) => guest.name).sort());
        const onto = new Map(restarts.map((one) => [one.guest, one.onto]));
        const now = guests.map((guest) => ({
          ...guest,
          host: guest.host === lost.name ? onto.get(guest.name) : guest.host,
        }));
        for (const place of surveyHosts(of, input.inventory)) {
          const here = now.filter((guest) => guest.host === place.name && !reserve.has(guest.service));
          assert.ok(here.reduce((sum, guest) => sum + guest.definition.memory, 0) <= place.memory);
          assert.ok(here.reduce((sum, guest) => sum + guest.definition.cpus, 0) <= place.cpus + 1e-9);
          assert.equal(new Set(here.map((guest) => guest.service)).size, here.length);
        }
      }
    }),
    { ...TRIES, numRuns: 150 },
  );
});

test("on a large site only what a lost host changes is listed, and nothing of it is wrong", () => {
  const count = EVERY_SERVICE_LISTED + 6;
  const hosts = Array.from({ length: count }, (_, index) => host(`h${index}`, { prefix: `h${index}x` }));
  const list = Array.from({ length: 40 }, (_, index) =>
    service(`s${index}`, {
      copies: 1 + (index % 2),
      recipe: index === 0 ? "mysql" : "plain",
      needs: index % 3 === 1 ? ["s0"] : [],
    }),
  );
  const of = site(hosts, list, { network: { cidr: "10.0.0.0/16", mode: "bridge", bridge: null, ipv6: false } });
  const { blueprint } = planned(ask(of, { planOnly: true }));
  const said = outcomes(blueprint);
  for (const { name: lost } of hosts) {
    for (const { name } of list) {
      const outcome = slowly(of, blueprint, "mariadb", name, new Set([lost]));
      const hosted = blueprint.guests.some((guest) => guest.service === name && guest.host === lost);
      assert.equal(said[`${lost} ${name}`], hosted || outcome !== "answers" ? outcome : undefined);
    }
  }
});
