/**
 * What no single key can get wrong: names given twice, addresses outside the network, copies that no rule can satisfy, circles of needs.
 * Each check is one entry of a table and sees the whole site; every mistake is reported, not the first.
 */
import type { HostName, ServiceName } from "../ids.ts";
import { parseIpv4, parseNetwork, usableIn } from "../ipv4.ts";
import { type Host, type Service, type Site, STRATEGIES } from "../site.ts";
import { formatSize } from "../units.ts";
import { suggestion } from "./nearest.ts";

/** Where to point: `service("gums", "alias")` is the key `alias` of that service. */
export interface Positions {
  host(index: number, key?: string): Report;
  service(name: ServiceName, key?: string): Report;
}
export type Report = (says: string) => void;
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
      else at.host(index, key)(`${value} is taken by hosts[${before}] (${site.hosts[before]!.name})`);
    };
    first(names, host.name, "name");
    first(prefixes, host.prefix, "prefix");
    first(addresses, host.address, "address");
  });
  const sorted = site.hosts
    .map((host, index) => ({ prefix: host.prefix, index }))
    .sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
  for (let next = 1; next < sorted.length; next++) {
    const [shorter, longer] = [sorted[next - 1]!, sorted[next]!];
    if (
      longer.prefix !== shorter.prefix &&
      longer.prefix.startsWith(shorter.prefix) &&
      /^\d+$/.test(longer.prefix.slice(shorter.prefix.length))
    )
      at.host(
        longer.index,
        "prefix",
      )(
        `guests of ${shorter.prefix} and ${longer.prefix} could get the same name; choose prefixes that end in a letter`,
      );
  }
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

const addressesInside: Check = (site, at) => {
  const network = site.network.cidr === null ? null : parseNetwork(site.network.cidr);
  const check = (address: string | null, report: Report) => {
    if (address === null || !network) return;
    if (!usableIn(network, parseIpv4(address)!)) report(`${address} is outside the network ${site.network.cidr}`);
  };
  site.hosts.forEach((host, index) => {
    check(host.address, at.host(index, "address"));
  });
  for (const service of site.services) check(service.alias?.address ?? null, at.service(service.name, "alias"));
};

const aliases: Check = (site, at) => {
  const names = new Map<string, ServiceName>();
  const addresses = new Map<string, ServiceName>();
  for (const service of site.services) {
    if (!service.alias) continue;
    const report = at.service(service.name, "alias");
    const holder = names.get(service.alias.name);
    if (holder) report(`the alias ${service.alias.name} is taken by ${holder}`);
    else names.set(service.alias.name, service.name);
    if (service.alias.address) {
      const other = addresses.get(service.alias.address);
      if (other)
        report(`the address ${service.alias.address} is taken by ${other}; every alias needs an address of its own`);
      else addresses.set(service.alias.address, service.name);
    }
    if (!STRATEGIES[service.strategy].alias)
      report(`a service with strategy ${service.strategy} has no alias (${STRATEGIES[service.strategy].says})`);
  }
  const first = site.services.find((service) => service.alias);
  if (first && !site.services.some((service) => service.recipe === "lvs"))
    at.service(
      first.name,
      "alias",
    )("an alias needs a front end: add `lvs: { recipe: lvs, strategy: active-standby }` to the services");
};

const DOMAINS: Readonly<Record<Service["apart"], (host: Host) => string | null>> = {
  host: (host) => host.name,
  rack: (host) => host.rack,
  building: (host) => host.building,
};

const copyCounts: Check = (site, at) => {
  for (const service of site.services) {
    const rule = STRATEGIES[service.strategy];
    const report = at.service(service.name, "copies");
    if (service.copies < rule.minimum || service.copies > rule.maximum) {
      const range = rule.minimum === rule.maximum ? `${rule.minimum}` : `${rule.minimum} to ${rule.maximum}`;
      report(`${service.strategy} has ${range} copies (${rule.says}), found ${service.copies}`);
      continue;
    }
    const eligible = site.hosts.filter(
      (host) =>
        !service.forbid.includes(host.name) && (service.hosts.length === 0 || service.hosts.includes(host.name)),
    );
    const unplaced = eligible.find((host) => DOMAINS[service.apart](host) === null);
    if (service.apart !== "host" && unplaced && service.copies > 1) {
      at.service(
        service.name,
        "apart",
      )(`copies are to be ${service.apart}s apart, but host ${unplaced.name} has no ${service.apart}`);
      continue;
    }
    const domains = new Set(eligible.map(DOMAINS[service.apart]));
    if (service.copies > domains.size) {
      const where = service.hosts.length > 0 || service.forbid.length > 0 ? " that it may use" : "";
      const plural = service.apart === "host" ? "host" : service.apart;
      report(
        `${service.copies} copies need ${service.copies} ${plural}s, there ${domains.size === 1 ? "is" : "are"} ${domains.size}${where}`,
      );
    }
  }
};

const knownNames: Check = (site, at) => {
  const hosts = new Set<HostName>(site.hosts.map((host) => host.name));
  const services = new Set<ServiceName>(site.services.map((service) => service.name));
  for (const service of site.services) {
    for (const key of ["hosts", "forbid"] as const)
      for (const name of service[key])
        if (!hosts.has(name)) at.service(service.name, key)(`no host is called ${name}${suggestion(name, [...hosts])}`);
    for (const [index, name] of service.hosts.entries())
      if (service.hosts.indexOf(name) !== index) at.service(service.name, "hosts")(`${name} is named twice`);
    for (const name of service.hosts)
      if (service.forbid.includes(name)) at.service(service.name, "forbid")(`${name} is also among hosts`);
    for (const name of service.needs)
      if (!services.has(name))
        at.service(service.name, "needs")(`no service is called ${name}${suggestion(name, [...services])}`);
  }
};

const slots: Check = (site, at) => {
  const taken = new Map<string, ServiceName>();
  for (const service of site.services) {
    if (service.slot === null) continue;
    for (const host of service.hosts.slice(0, service.copies)) {
      const key = `${host} ${service.slot}`;
      const holder = taken.get(key);
      if (holder) at.service(service.name, "slot")(`number ${service.slot} on ${host} is taken by ${holder}`);
      else taken.set(key, service.name);
    }
  }
};

const modes: Check = (site, at) => {
  for (const service of site.services)
    if (service.mode && service.strategy !== "replicated-database")
      at.service(service.name, "mode")(`only replicated-database has a mode, this is ${service.strategy}`);
};

/** Depth first, with a stack of its own: a chain of 5,000 services must not end in a stack overflow. */
const circles: Check = (site, at) => {
  const needs = new Map(site.services.map((service) => [service.name, service.needs]));
  const done = new Set<ServiceName>();
  for (const start of site.services) {
    const path: ServiceName[] = [];
    const stack: { name: ServiceName; next: number }[] = [{ name: start.name, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      if (top.next === 0) path.push(top.name);
      const need = done.has(top.name) ? undefined : needs.get(top.name)?.[top.next++];
      if (need === undefined) {
        done.add(top.name);
        path.pop();
        stack.pop();
      } else if (path.includes(need)) {
        const circle = [...path.slice(path.indexOf(need)), need];
        at.service(circle[0]!, "needs")(`a circle: ${circle.join(" needs ")}`);
        for (const name of path) done.add(name);
      } else if (needs.has(need) && !done.has(need)) stack.push({ name: need, next: 0 });
    }
  }
};

export const CHECKS: readonly Check[] = [
  uniqueHosts,
  reserves,
  addressesInside,
  aliases,
  copyCounts,
  knownNames,
  slots,
  modes,
  circles,
];
