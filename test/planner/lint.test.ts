/** The second pair of eyes sees: each rule is shown a Blueprint with exactly its fault planted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Blueprint, BlueprintGuest, HostName, StepId } from "../../src/model/index.ts";
import { lintBlueprint } from "../../src/planner/index.ts";
import { ask, fermigrid, GiB, planned } from "./sites.ts";

const input = ask(fermigrid());
const { blueprint } = planned(input);
const guest = (index: number, over: Partial<BlueprintGuest>): Partial<Blueprint> => ({
  guests: blueprint.guests.map((one, at) => (at === index ? { ...one, ...over } : one)),
});

const PLANTED: Readonly<Record<string, Partial<Blueprint>>> = {
  "every copy of every service is there once": { guests: blueprint.guests.slice(1) },
  "copies are apart": guest(0, { host: "fermigrid6" as HostName }),
  "hosts exist and have room": guest(0, { definition: { ...blueprint.guests[0]!.definition, memory: 9 * GiB } }),
  "names and addresses are given once": guest(0, { address: blueprint.guests[1]!.address }),
  "secrets exist": { secrets: [] },
  "aliases lead to their copies": {
    aliases: blueprint.aliases.map((alias) => ({ ...alias, backends: alias.backends.slice(1) })),
  },
  "files stay inside the guest": guest(0, { files: [{ path: "../etc/passwd", content: "" }] }),
  "steps wait only for earlier steps": {
    steps: blueprint.steps.map((step, index) => (index === 0 ? { ...step, after: ["nothing" as StepId] } : step)),
  },
  "every guest is defined, started and awaited where it belongs": {
    steps: blueprint.steps.filter((step) => step.kind !== "guest.ready"),
  },
};

test("a sound Blueprint has no faults", () =>
  assert.deepEqual(lintBlueprint(blueprint, input.site, input.inventory), []));

for (const [rule, fault] of Object.entries(PLANTED)) {
  test(`planted fault is seen: ${rule}`, () => {
    const said = lintBlueprint({ ...blueprint, ...fault }, input.site, input.inventory);
    assert.ok(
      said.some((one) => one.startsWith(`${rule}: `)),
      said.join("\n"),
    );
  });
}

test("planted fault is seen: pins hold", () => {
  const pinned = {
    ...input.site,
    services: input.site.services.map((one) => ({ ...one, forbid: ["fermigrid5"] as HostName[] })),
  };
  assert.ok(lintBlueprint(blueprint, pinned, input.inventory).every((one) => one.startsWith("pins hold: ")));
});
