/** Where clients come in: every alias, and services that have none at their copies' own addresses. */
import { aliasProbe } from "../../controller/index.ts";
import { type BlueprintAlias, type Objectives, objectivesOf, type ServiceName } from "../../model/index.ts";
import { type Ask, askKept, askProbe, directorsOf } from "../../probe/index.ts";
import type { SampleRequest } from "../../recipes/index.ts";
import type { Subject } from "../subject.ts";
import { runs } from "./victims.ts";

export interface Door {
  /** The alias; of a service without one, the service. */
  readonly name: string;
  readonly service: ServiceName;
  readonly alias: BlueprintAlias | null;
  readonly objectives: Objectives;
  /** Asked by the prober. */
  readonly ask: Ask;
  /** Sent by the load; empty where nobody knows any. */
  readonly samples: readonly SampleRequest[];
}

export function doorsOf(subject: Subject): readonly Door[] {
  const { site, blueprint, tls } = subject;
  const rules = (name: ServiceName) =>
    objectivesOf(
      site,
      site.services.find((service) => service.name === name),
    );
  const aliases = blueprint.aliases.map((alias): Door => {
    const { name, service } = alias;
    const probe = aliasProbe(alias);
    const ask =
      probe.kind === "http" || probe.kind === "https"
        ? askKept(probe, alias.address, tls, probe.kind === "https" ? name : null)
        : subject.question(alias, alias.address, name);
    return { name, service, alias, objectives: rules(service), ask, samples: subject.samples(alias) };
  });
  const behind = new Set([
    ...blueprint.aliases.flatMap(({ backends }) => backends.map(({ guest }) => guest)),
    ...directorsOf(blueprint).map(({ name }) => name),
  ]);
  const open = blueprint.guests.filter(
    (guest) => runs(guest) && !behind.has(guest.name) && guest.definition.probe.kind !== "running",
  );
  const services = [...new Set(open.map(({ service }) => service))].map((service): Door => {
    const copies = open.filter((guest) => guest.service === service);
    const asks = copies.map(({ name, address, definition: { probe } }) =>
      askProbe(probe, address, tls, probe.kind === "https" ? name : null),
    );
    return { name: service, service, alias: null, objectives: rules(service), ask: anyOf(asks), samples: [] };
  });
  return [...aliases, ...services];
}

/** Clients of a service without an alias know its copies, and go to the next one when one does not answer. */
function anyOf(asks: readonly Ask[]): Ask {
  return async (timeoutMs, signal) => {
    const until = performance.now() + timeoutMs;
    let says = "";
    for (const ask of asks) {
      const answer = await ask(Math.max(1, until - performance.now()), signal);
      if (answer.good) return answer;
      says ||= answer.says;
    }
    return { good: false, says };
  };
}
