/**
 * What no single key can get wrong: names given twice, addresses outside the network, copies that no rule can satisfy, circles of needs.
 * Each check is one entry of a table and sees the whole site; every mistake is reported, not the first, and nobody is blamed for what
 * follows from another mistake: a check asks whether what it judges by was read as it was meant.
 */
import type { HostName, ServiceName } from "../ids.ts";
import { parseIpv4, parseNetwork, usableIn } from "../ipv4.ts";
import { type Alias, type FailureDomain, type Host, type Service, type Site, STRATEGIES } from "../site.ts";
import { formatSize } from "../units.ts";
import { suggestion } from "./nearest.ts";
import type { Sentence } from "./source.ts";

export type Report = (says: Sentence) => void;

/** Where to point, and what may be judged: `service("gums", "alias", "port")` is the port of that service's alias. */
export interface Positions {
  host(index: number, key?: string): Report;
  service(name: ServiceName, ...keys: (string | number)[]): Report;
  /** `hosts[1]`, as the file counts. */
  hostPath(index: number): string;
  /** Names of all services of the file, also of those that could not be read. */
  readonly serviceNames: ReadonlySet<string>;
  /** Every host, every service could be read. */
  readonly allHosts: boolean;
  readonly allServices: boolean;
  /** Nothing is wrong with these keys of any host. */
  soundHosts(...keys: string[]): boolean;
  /** Nothing is wrong with these keys of a service. */
  sound(name: ServiceName, ...keys: string[]): boolean;
  readonly soundNetwork: boolean;
}
type Check = (site: Site, at: Positions) => void;

const uniqueHosts: Check = (site, at) => {
  const names = new Map<string, number>();
  const prefixes = new Map<string, number>();
  const addresses = new Map<string, number>();
  site.hosts.forEach((host, index) => {
    const first = (seen: Map<string, number>, value: string | null, key: string) => {
      if (value === null) return;
      const before = seen.get(value);
      if (before === undefined) seen.set(value, index);
      else at.host(index, key)(`${value} is taken by ${at.hostPath(before)} (${site.hosts[before]!.name})`);
    };
    first(names, host.name, "name");
    first(prefixes, host.prefix, "prefix");
    first(addresses, host.address, "address");
  });
  site.hosts.forEach(({ prefix }, index) => {
    for (let end = prefix.length - 1; end > 0 && /\d/.test(prefix[end]!); end--) {
      const shorter = prefix.slice(0, end);
      if (!prefixes.has(shorter)) continue;
      at.host(
        index,
        "prefix",
      )(`guests of ${shorter} and ${prefix} could get the same name; choose prefixes that end in a letter`);
      break;
    }
  });
};

const reserves: Check = (site, at) => {
  site.hosts.forEach((host, index) => {
    if (host.reserve >= host.memory)
      at.host(
        index,
        "reserve",
      )(`expected less than the host's memory (${formatSize(host.memory)}), found ${formatSize(host.reserve)}`);
  });
};

interface NamedAlias {
  readonly service: Service;
  readonly key: "alias" | "also";
  readonly alias: Alias;
}

function namedAliases(site: Site): readonly NamedAlias[] {
  return site.services.flatMap((service) =>
    (["alias", "also"] as const).flatMap((key): NamedAlias[] => {
      const alias = service[key];
      return alias ? [{ service, key, alias }] : [];
    }),
  );
}

const addressesInside: Check = (site, at) => {
  const network = site.network.cidr === null || !at.soundNetwork ? null : parseNetwork(site.network.cidr);
  const check = (address: string | null, report: Report) => {
    if (address === null || !network) return;
    if (!usableIn(network, parseIpv4(address)!)) report(`${address} is outside the network ${site.network.cidr}`);
  };
  site.hosts.forEach((host, index) => {
    check(host.address, at.host(index, "address"));
  });
  for (const { service, key, alias } of namedAliases(site))
    check(alias.address, at.service(service.name, key, "address"));
};

const aliases: Check = (site, at) => {
  const names = new Map<string, ServiceName>();
  const addresses = new Map<string, string>();
  for (const host of site.hosts) if (host.address !== null) addresses.set(host.address, `host ${host.name}`);
  for (const { service, key, alias } of namedAliases(site)) {
    const holder = names.get(alias.name);
    if (holder) at.service(service.name, key, "name")(`the alias ${alias.name} is taken by ${holder}`);
    else names.set(alias.name, service.name);
    if (alias.address !== null) {
      const other = addresses.get(alias.address);
      if (other)
        at.service(
          service.name,
          key,
          "address",
        )(`the address ${alias.address} is taken by ${other}; every alias needs an address of its own`);
      else addresses.set(alias.address, service.name);
    }
    if (key === "alias" && !STRATEGIES[service.strategy].alias && at.sound(service.name, "strategy", "recipe"))
      at.service(
        service.name,
        key,
      )(`a service with strategy ${service.strategy} has no alias (${STRATEGIES[service.strategy].says})`);
  }
  const first = site.services.find((service) => service.alias);
  const recipesKnown = at.allServices && site.services.every((service) => at.sound(service.name, "recipe"));
  if (first && recipesKnown && !site.services.some((service) => service.recipe === "lvs"))
    at.service(
      first.name,
      "alias",
    )("an alias needs a front end: add `lvs: { recipe: lvs, strategy: active-standby }` to the services");
};

/** Two racks of one name in two buildings are two racks. */
const DOMAINS: Readonly<Record<FailureDomain, (host: Host) => string | null>> = {
  host: (host) => host.name,
  rack: (host) => (host.rack === null ? null : `${host.building ?? ""}/${host.rack}`),
  building: (host) => host.building,
};
/** What tells where hosts are. */
const DOMAIN_KEYS: Readonly<Record<FailureDomain, readonly string[]>> = {
  host: ["name"],
  rack: ["name", "rack", "building"],
  building: ["name", "building"],
};

const copyCounts: Check = (site, at) => {
  const everywhere = new Map<FailureDomain, ReadonlySet<string | null>>();
  for (const apart of ["host", "rack", "building"] as const)
    everywhere.set(apart, new Set(site.hosts.map(DOMAINS[apart])));
  for (const service of site.services) {
    const rule = STRATEGIES[service.strategy];
    if (!at.sound(service.name, "recipe", "strategy", "copies")) continue;
    const report = at.service(service.name, "copies");
    if (service.copies < rule.minimum || service.copies > rule.maximum) {
      const range = rule.minimum === rule.maximum ? `${rule.minimum}` : `${rule.minimum} to ${rule.maximum}`;
      const copies = range === "1" ? "copy" : "copies";
      report(`${service.strategy} has ${range} ${copies} (${rule.says}), found ${service.copies}`);
      continue;
    }
    const { apart } = service;
    if (!at.allHosts || !at.sound(service.name, "hosts", "forbid", "apart") || !at.soundHosts(...DOMAIN_KEYS[apart]))
      continue;
    const choosy = service.hosts.length > 0 || service.forbid.length > 0;
    const [allowed, forbidden] = [new Set(service.hosts), new Set(service.forbid)];
    const eligible = choosy
      ? site.hosts.filter((host) => !forbidden.has(host.name) && (allowed.size === 0 || allowed.has(host.name)))
      : site.hosts;
    const domains = choosy ? new Set(eligible.map(DOMAINS[apart])) : everywhere.get(apart)!;
    if (domains.has(null) && service.copies > 1) {
      const unplaced = eligible.find((host) => DOMAINS[apart](host) === null)!;
      at.service(service.name, "apart")(`copies are to be ${apart}s apart, but host ${unplaced.name} has no ${apart}`);
      continue;
    }
    if (service.copies > domains.size) {
      const where = choosy ? " that it may use" : "";
      const needed =
        service.copies === 1 ? `1 copy needs 1 ${apart}` : `${service.copies} copies need ${service.copies} ${apart}s`;
      report(`${needed}, there ${domains.size === 1 ? "is" : "are"} ${domains.size}${where}`);
      continue;
    }
    const pinned = new Map<string | null, HostName>();
    const byName = new Map(eligible.map((host) => [host.name, host]));
    for (const [index, name] of service.hosts.slice(0, service.copies).entries()) {
      const host = byName.get(name);
      if (!host) continue;
      const other = pinned.get(DOMAINS[apart](host));
      if (other && other !== name)
        at.service(
          service.name,
          "hosts",
          index,
        )(`copies are to be ${apart}s apart, but ${other} and ${name} are in one ${apart}`);
      pinned.set(DOMAINS[apart](host), name);
    }
  }
};

const knownNames: Check = (site, at) => {
  const hosts = new Set<HostName>(site.hosts.map((host) => host.name));
  const [hostList, serviceList] = [[...hosts], [...at.serviceNames]];
  for (const service of site.services) {
    const allowed = new Set(service.hosts);
    for (const key of ["hosts", "forbid", "needs"] as const) {
      // An entry that could not be read is not in the list: positions would be off by one.
      if (!at.sound(service.name, key)) continue;
      const seen = new Set<string>();
      for (const [index, name] of service[key].entries()) {
        const report = at.service(service.name, key, index);
        if (seen.has(name)) report(`${name} is named twice`);
        else if (key === "needs") {
          if (!at.serviceNames.has(name)) report(() => `no service is called ${name}${suggestion(name, serviceList)}`);
        } else if (at.allHosts && !hosts.has(name as HostName))
          report(() => `no host is called ${name}${suggestion(name, hostList)}`);
        else if (key === "forbid" && allowed.has(name as HostName)) report(`${name} is also among hosts`);
        seen.add(name);
      }
    }
  }
};

const slots: Check = (site, at) => {
  const taken = new Map<string, ServiceName>();
  for (const service of site.services) {
    if (service.slot === null || !at.sound(service.name, "hosts", "copies", "recipe", "strategy")) continue;
    for (const host of service.hosts.slice(0, service.copies)) {
      const key = `${host} ${service.slot}`;
      const holder = taken.get(key);
      if (holder === service.name) continue;
      if (holder) at.service(service.name, "slot")(`number ${service.slot} on ${host} is taken by ${holder}`);
      else taken.set(key, service.name);
    }
  }
};

const modes: Check = (site, at) => {
  for (const service of site.services)
    if (service.mode && service.strategy !== "replicated-database" && at.sound(service.name, "strategy", "recipe"))
      at.service(service.name, "mode")(`only replicated-database has a mode, this is ${service.strategy}`);
};

/** Depth first, with a stack of its own: a chain of 5,000 services must not end in a stack overflow. */
const circles: Check = (site, at) => {
  const needs = new Map(site.services.map((service) => [service.name, service.needs]));
  const done = new Set<ServiceName>();
  for (const start of site.services) {
    if (done.has(start.name)) continue;
    const stack: { readonly name: ServiceName; next: number }[] = [{ name: start.name, next: 0 }];
    const depth = new Map<ServiceName, number>([[start.name, 0]]);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { name } = top;
      const need = needs.get(name)![top.next++];
      if (need === undefined) {
        done.add(name);
        depth.delete(name);
        stack.pop();
        continue;
      }
      const back = depth.get(need);
      if (back !== undefined)
        at.service(
          name,
          "needs",
          top.next - 1,
        )(() => `a circle: ${circleText(stack.slice(back).map((one) => one.name))}`);
      else if (needs.has(need) && !done.has(need)) {
        depth.set(need, stack.length);
        stack.push({ name: need, next: 0 });
      }
    }
  }
};

function circleText(names: readonly ServiceName[]): string {
  const shown = names.length > 12 ? [...names.slice(0, 10), "…", names.at(-1)!] : names;
  return [...shown, names[0]!].join(" needs ");
}

export const CHECKS: readonly Check[] = [
  uniqueHosts,
  reserves,
  addressesInside,
  aliases,
  // Before counting copies: nobody runs out of hosts because one is misspelt.
  knownNames,
  copyCounts,
  slots,
  modes,
  circles,
];
