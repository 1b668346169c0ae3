/** Random sites for property tests: small, crowded, with every rule in use; many are impossible, which is part of the point. */
import fc from "fast-check";
import type { HostName, Site } from "../../src/model/index.ts";
import { GiB, host, service, site } from "./sites.ts";

const MiB = 1024 ** 2;

const hosts = fc.array(
  fc.record({
    memory: fc.integer({ min: 6, max: 24 }),
    cpus: fc.constantFrom(2, 4, 4, 8),
    rack: fc.constantFrom("A", "A", "B", "B", "C", null),
    spare: fc.boolean(),
  }),
  { minLength: 3, maxLength: 7 },
);

const services = fc.array(
  fc.record({
    copies: fc.constantFrom(1, 1, 2, 2, 2, 3),
    memory: fc.integer({ min: 1, max: 12 }),
    cpus: fc.integer({ min: 1, max: 3 }),
    alias: fc.boolean(),
    apart: fc.constantFrom(
      "host" as const,
      "host" as const,
      "host" as const,
      "host" as const,
      "host" as const,
      "rack" as const,
    ),
    needs: fc.array(fc.nat({ max: 7 }), { maxLength: 2 }),
    pin: fc.option(fc.nat({ max: 6 }), { freq: 4 }),
    forbid: fc.option(fc.nat({ max: 6 }), { freq: 6 }),
    local: fc.boolean(),
    recipe: fc.constantFrom("plain", "plain", "mysql", "gums"),
    reserve: fc.constantFrom(false, false, false, false, true),
  }),
  { minLength: 1, maxLength: 7 },
);

/** Sites of three to seven hosts, with directors or without. */
export const sites: fc.Arbitrary<Site> = fc
  .record({
    hosts,
    services,
    directors: fc.boolean(),
    overcommit: fc.constantFrom(1, 1, 1.5),
    ratio: fc.constantFrom(2, 4),
  })
  .map((sketch) => {
    const machines = sketch.hosts.map((one, index) =>
      host(`h${index}`, {
        memory: one.memory * GiB,
        cpus: one.cpus,
        rack: one.rack,
        spare: one.spare && index > 1 && index % 3 === 2,
      }),
    );
    const nameOf = (index: number): HostName => machines[index % machines.length]!.name;
    const list = sketch.services.map((one, index) =>
      one.reserve
        ? service(`s${index}`, { strategy: "spare", recipe: "spare", copies: 1, memory: one.memory * 256 * MiB })
        : service(`s${index}`, {
            copies: one.copies,
            memory: one.memory * 512 * MiB,
            cpus: one.cpus,
            alias: one.alias ? 8000 + index : null,
            apart: one.apart,
            // Earlier services only, so that nothing waits in a circle; never a reserved place.
            needs: [
              ...new Set(
                one.needs.filter((need) => need < index && !sketch.services[need]!.reserve).map((need) => `s${need}`),
              ),
            ],
            hosts: one.pin === null || one.copies > 1 ? [] : [nameOf(one.pin)],
            forbid: one.forbid === null ? [] : [nameOf(one.forbid)],
            settings: one.local && one.copies === 1 ? { data: "local" } : {},
            recipe: one.recipe,
          }),
    );
    const directors = service("lvs", { recipe: "lvs", strategy: "active-standby", memory: 256 * MiB });
    return site(machines, sketch.directors ? [directors, ...list] : list, {
      rules: { memoryOvercommit: sketch.overcommit, cpuRatio: sketch.ratio },
    });
  });

/** How often a property is tried; a number, so that a failure can be repeated. */
export const TRIES = { numRuns: 300, seed: 20091201 };
