/**
 * How long planning takes, warm, inside the process: whole Blueprints with proof, steps and rendering. Medians of several runs, and the
 * balance score before and after on a site that grew crooked. Run by `bin/node bench/plan.ts`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Blueprint, emptyInventory, type HostName, readSite, type Site } from "../src/model/index.ts";
import {
  blueprintId,
  fitOf,
  lintBlueprint,
  type PlanInput,
  plan,
  purchasesFor,
  type RecipeBook,
  score,
  shapesOf,
  size,
} from "../src/planner/index.ts";
import { RECIPES } from "../src/recipes/index.ts";
import { BOOK, fermigrid, GiB, host, service, site } from "../test/planner/sites.ts";
import { median, verdict } from "./verdict.ts";

/** A small generator of its own, so that every run measures the same sites. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A site of `hosts` hosts in racks of ten and `guests` guests, mostly pairs, some single; every fifth needs the database. */
export function large(hosts: number, guests: number): Site {
  const next = numbers(hosts * 7919 + guests);
  const pick = <Thing>(things: readonly Thing[]): Thing => things[Math.floor(next() * things.length)]!;
  const machines = Array.from({ length: hosts }, (_, index) =>
    host(`node${index}`, {
      prefix: `n${index}x`,
      cpus: pick([8, 16, 32]),
      memory: pick([64, 96, 128]) * GiB,
      reserve: 2 * GiB,
      rack: `r${Math.floor(index / 10)}`,
    }),
  );
  const services = [
    service("lvs", { recipe: "lvs", strategy: "active-standby" }),
    service("mysql", {
      recipe: "mysql",
      strategy: "replicated-database",
      memory: 16 * GiB,
      disk: 100 * GiB,
      alias: 3306,
    }),
  ];
  for (let left = guests - 4, index = 0; left > 0; index++) {
    const copies = Math.min(left, pick([1, 2, 2, 2, 3]));
    left -= copies;
    services.push(
      service(`s${index}`, {
        copies,
        strategy: copies === 1 ? "single" : "active-active",
        memory: pick([1, 2, 2, 4, 4, 8, 16]) * GiB,
        cpus: pick([1, 1, 2, 4]),
        disk: pick([0, 0, 20, 100]) * GiB,
        alias: index % 4 === 0 ? 8443 : null,
        needs: index % 5 === 0 ? ["mysql"] : [],
      }),
    );
  }
  return site(machines, services, { network: { cidr: "10.0.0.0/16", mode: "bridge", bridge: "br0", ipv6: false } });
}

function input(of: Site, over: Partial<PlanInput> = {}): PlanInput {
  return {
    site: of,
    inventory: emptyInventory({ mariadb: true }),
    parent: null,
    cause: { by: "person", says: "measured" },
    version: "0.1.0",
    loopback: null,
    planOnly: true,
    ...over,
  };
}

function measure(name: string, promise: number, runs: number, of: PlanInput, book: RecipeBook = BOOK): Blueprint {
  const times: number[] = [];
  const busy: number[] = [];
  let last: Blueprint | null = null;
  for (let run = 0; run <= runs; run++) {
    const before = process.cpuUsage();
    const start = performance.now();
    const result = plan(of, book);
    const lasted = performance.now() - start;
    const { user, system } = process.cpuUsage(before);
    if (!result.ok) throw new Error(result.refusals.join("\n"));
    last = result.blueprint;
    // The first run warms up; a single run is all there is for the largest site.
    if (run === 0 && runs > 0) continue;
    times.push(lasted);
    busy.push((user + system) / 1000);
  }
  const took = median(times);
  const cpu = `${median(busy).toFixed(1).padStart(9)} ms CPU`;
  console.log(
    `${name.padEnd(52)} ${took.toFixed(1).padStart(9)} ms ${cpu}${promise === 0 ? "" : `  ${verdict(took, promise, "ms")}`}`,
  );
  return last!;
}

/** The same placement with guests pushed onto the first hosts of the file as far as the rules allow: how sites grow. */
function crooked(of: Site, blueprint: Blueprint): Blueprint {
  const used = new Map<HostName, number>();
  const taken = new Set<string>();
  const guests = blueprint.guests.map((guest) => {
    const home = of.hosts.find((one) => {
      const memory = (used.get(one.name) ?? 0) + guest.definition.memory;
      return memory <= one.memory - one.reserve && !taken.has(`${guest.service}@${one.name}`);
    })!;
    used.set(home.name, (used.get(home.name) ?? 0) + guest.definition.memory);
    taken.add(`${guest.service}@${home.name}`);
    return { ...guest, host: home.name };
  });
  return { ...blueprint, guests };
}

const inventory = emptyInventory({ mariadb: true });
const file = join(import.meta.dirname, "../sites/fermigrid-ha.yaml");
const reading = readSite({ file, text: readFileSync(file, "utf8") }, RECIPES);
if (!reading.ok) throw new Error(`${file} cannot be read`);
measure("the documents' site", 50, 25, input(reading.site), RECIPES);
const middle = large(46, 203);
const small = measure("46 hosts, 203 guests", 300, 9, input(middle));
const bent = crooked(middle, small);
const parent = { id: blueprintId(bent), blueprint: bent };
measure(
  "46 hosts, 203 guests, again, nothing to do",
  300,
  9,
  input(middle, { parent: { id: blueprintId(small), blueprint: small } }),
);
const straight = measure(
  "46 hosts, 203 guests, balancing a crooked one",
  0,
  3,
  input(middle, { parent, cause: { by: "balancing", says: "measured" } }),
);
const moves = straight.guests.filter((guest) =>
  bent.guests.some((old) => old.name === guest.name && old.host !== guest.host),
).length;
const cpuBefore = process.cpuUsage();
plan(input(middle, { parent, cause: { by: "balancing", says: "measured" } }), BOOK);
const cpu = process.cpuUsage(cpuBefore);
console.log(
  `  score ${score(middle, inventory, bent).total.toFixed(4)} → ${score(middle, inventory, straight).total.toFixed(4)} in ${moves} moves, ${((cpu.user + cpu.system) / 1e6).toFixed(2)} CPU-s; placed from nothing ${score(middle, inventory, small).total.toFixed(4)}`,
);
const counting = performance.now();
const fits = shapesOf(middle).map(({ shape }) => fitOf({ site: middle, inventory, blueprint: small }, shape));
const bought = purchasesFor({ site: middle, inventory, blueprint: small }, fits[0]!.shape, fits[0]!);
console.log(
  `${"46 hosts, 203 guests: what fits, what to buy".padEnd(52)} ${(performance.now() - counting).toFixed(1).padStart(9)} ms  ${fits.length} shapes, ${bought.length} purchases`,
);
const huge = large(1000, 10_000);
const big = measure("1,000 hosts, 10,000 guests", 10_000, 2, input(huge));
const faults = lintBlueprint(small, middle, inventory);
if (faults.length > 0) throw new Error(faults.join("\n"));
const start = performance.now();
const id = blueprintId(big);
console.log(
  `${"  its id (canonical JSON and SHA-256)".padEnd(52)} ${(performance.now() - start).toFixed(1).padStart(9)} ms  ${id.slice(0, 12)}`,
);
measure("1,000 hosts, 10,000 guests, again, nothing to do", 10_000, 1, input(huge, { parent: { id, blueprint: big } }));
const sizing = performance.now();
const answer = await size(fermigrid());
console.log(
  `${"size of the documents' site".padEnd(52)} ${(performance.now() - sizing).toFixed(1).padStart(9)} ms  ${answer.virtualized.says}`,
);
