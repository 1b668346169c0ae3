/**
 * A second pair of eyes: judges any Blueprint by the rules again, knowing nothing of how it was made. It shares no code with placement,
 * so that a mistake there is not repeated here. Used by tests, and by whoever is handed a Blueprint.
 */
import type { Blueprint, Inventory, Site } from "../model/index.ts";

/** Each rule looks at a whole Blueprint and says everything that is wrong. */
type Rule = (blueprint: Blueprint, site: Site, inventory: Inventory) => readonly string[];

function* twice<Thing>(things: Iterable<Thing>, keys: (thing: Thing) => readonly string[]): Generator<string> {
  const seen = new Set<string>();
  for (const thing of things) {
    for (const key of keys(thing)) {
      if (seen.has(key)) yield key;
      seen.add(key);
    }
  }
}

const RULES: Readonly<Record<string, Rule>> = {
  "every copy of every service is there once": (blueprint, site) => {
    const wanted = new Set(
      site.services.flatMap((one) => Array.from({ length: one.copies }, (_, copy) => `${one.name} copy ${copy}`)),
    );
    const problems: string[] = [];
    for (const guest of blueprint.guests) {
      const key = `${guest.service} copy ${guest.copy}`;
      if (!wanted.delete(key)) problems.push(`${guest.name}: ${key} is not wanted, or is there twice`);
    }
    return [...problems, ...[...wanted].map((key) => `${key} is missing`)];
  },

  "copies are apart": (blueprint, site) => {
    const hosts = new Map(site.hosts.map((host) => [host.name, host]));
    return site.services.flatMap((service) => {
      const guests = blueprint.guests.filter((guest) => guest.service === service.name);
      const domains = (name: (typeof guests)[number]["host"]): readonly string[] => {
        const host = hosts.get(name);
        const rack = `rack ${host?.building ?? ""}/${host?.rack ?? ""}`;
        const building = `building ${host?.building ?? ""}`;
        return { host: [`host ${name}`], rack: [`host ${name}`, rack], building: [`host ${name}`, building] }[
          service.apart
        ];
      };
      return [...twice(guests, (guest) => domains(guest.host))].map(
        (where) => `${service.name}: two copies in ${where}`,
      );
    });
  },

  "hosts exist and have room": (blueprint, site, inventory) => {
    // On the day a host is lost, a place kept empty is there to be used.
    const yields = inventory.hosts.some((one) => one.state === "unreachable");
    const empty = new Set(yields ? site.services.filter((one) => one.strategy === "spare").map((one) => one.name) : []);
    const there = blueprint.guests.filter((guest) => !empty.has(guest.service));
    return [...Map.groupBy(there, (guest) => guest.host)].flatMap(([name, guests]) => {
      const host = site.hosts.find((one) => one.name === name);
      if (!host) return [`${name}: not in the site file, yet it has guests`];
      const seen = inventory.hosts.find((one) => one.name === name);
      const memory = (Math.min(host.memory, seen?.memory ?? host.memory) - host.reserve) * site.rules.memoryOvercommit;
      const cpus = Math.min(host.cpus, seen?.cpus ?? host.cpus) * site.rules.cpuRatio;
      const used = guests.reduce((sum, guest) => sum + guest.definition.memory, 0);
      const busy = guests.reduce((sum, guest) => sum + guest.definition.cpus, 0);
      return [
        ...(used > memory ? [`${name}: ${used} bytes of memory promised, ${memory} there`] : []),
        ...(busy > cpus + 1e-9 ? [`${name}: ${busy} CPUs promised, ${cpus} allowed`] : []),
      ];
    });
  },

  "pins hold": (blueprint, site) =>
    site.services.flatMap((service) =>
      blueprint.guests
        .filter((guest) => guest.service === service.name)
        .flatMap((guest) => {
          const pinned = service.hosts[guest.copy];
          const allowed = pinned === undefined ? service.hosts : [pinned];
          const wrong = (allowed.length > 0 && !allowed.includes(guest.host)) || service.forbid.includes(guest.host);
          return wrong ? [`${guest.name}: the file does not allow ${guest.host}`] : [];
        }),
    ),

  "names and addresses are given once": (blueprint) => [
    ...[...twice(blueprint.guests, (one) => [`name ${one.name}`, `mac ${one.mac}`, `uuid ${one.uuid}`])].map(
      (key) => `${key}: given twice`,
    ),
    ...[...twice([...blueprint.guests, ...blueprint.aliases, ...blueprint.hosts], (one) => [one.address])].map(
      (address) => `address ${address}: given twice`,
    ),
  ],

  "secrets exist": (blueprint) => {
    const known = new Set(blueprint.secrets.map((secret) => `${secret.name}@${secret.version}`));
    return blueprint.guests.flatMap((guest) =>
      guest.secrets.filter((one) => !known.has(one)).map((one) => `${guest.name}: secret ${one} does not exist`),
    );
  },

  "aliases lead to their copies": (blueprint) =>
    blueprint.aliases.flatMap((alias) => {
      const standsBy = ({ definition: { program } }: (typeof blueprint.guests)[number]): boolean =>
        program.kind === "bundle" && program.bundle === "standby";
      // A stand-by has no data: whoever were led to it would find nothing.
      const copies = blueprint.guests.filter((guest) => guest.service === alias.service && !standsBy(guest));
      const missing = copies.filter(
        (guest) => !alias.backends.some((one) => one.guest === guest.name && one.address === guest.address),
      );
      return [
        ...missing.map((guest) => `${alias.name}: ${guest.name} is not behind it`),
        ...(alias.backends.length === copies.length
          ? []
          : [`${alias.name}: ${alias.backends.length} backends for ${copies.length} copies`]),
      ];
    }),

  "files stay inside the guest": (blueprint) =>
    blueprint.guests.flatMap((guest) =>
      guest.files
        .filter(({ path }) => path.startsWith("/") || path.split("/").includes("..") || path === "")
        .map(({ path }) => `${guest.name}: file ${JSON.stringify(path)} leaves the guest`),
    ),

  "steps wait only for earlier steps": (blueprint) => {
    const done = new Set<string>();
    const problems: string[] = [];
    for (const step of blueprint.steps) {
      for (const id of step.after)
        if (!done.has(id)) problems.push(`${step.id}: waits for ${id}, which does not come before it`);
      if (done.has(step.id)) problems.push(`${step.id}: there twice`);
      done.add(step.id);
    }
    return problems;
  },

  "every guest is defined, started and awaited where it belongs": (blueprint) => {
    const steps = new Map(blueprint.steps.map((step) => [`${step.kind}:${step.guest}@${step.host}`, step]));
    return blueprint.guests
      .filter((guest) => guest.definition.program.kind !== "none")
      .flatMap((guest) =>
        ["guest.define", "guest.start", "guest.ready"]
          .filter((kind) => !steps.has(`${kind}:${guest.name}@${guest.host}`))
          .map((kind) => `${guest.name}: no ${kind} on ${guest.host}`),
      );
  },
};

/**
 * Judges a Blueprint by every rule.
 * @param inventory what was known when it was made.
 * @returns a sentence for each fault, led by the rule it breaks; empty when there is none.
 */
export function lintBlueprint(blueprint: Blueprint, site: Site, inventory: Inventory): readonly string[] {
  return Object.entries(RULES).flatMap(([rule, judge]) =>
    judge(blueprint, site, inventory).map((fault) => `${rule}: ${fault}`),
  );
}
