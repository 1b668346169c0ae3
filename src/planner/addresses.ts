/**
 * Who has which address. Hosts get the lowest numbers, guests those from .10 up in the order of naming, aliases those from the top down,
 * so that a person sees from a number what it is. What the file says wins, then what the Blueprint in force gave, then the next free one.
 * Without a network in the file the embedded default takes 127.x.y.0/24 from a hash of the site's name: two sites on one machine rarely
 * meet, and `--loopback` parts them when they do.
 */
import { createHash } from "node:crypto";
import { type AliasName, aliasesOf, type Blueprint, type GuestName, type HostName, type Site } from "../model/index.ts";

export interface NetworkInUse {
  readonly cidr: string;
  readonly mode: Site["network"]["mode"];
}

export interface Addresses {
  readonly hosts: ReadonlyMap<HostName, string>;
  readonly guests: ReadonlyMap<GuestName, string>;
  readonly aliases: ReadonlyMap<AliasName, string>;
  readonly refusals: readonly string[];
}

/** @returns `embedded` when every host uses the embedded default: processes on one machine. */
export function targetOf(site: Site): "embedded" | "real" {
  return site.hosts.every((host) => host.hypervisor === null) ? "embedded" : "real";
}

/** @returns the loopback network of a site's name; never 127.0.0/24, where everybody else is. */
export function loopbackOf(site: Site): string {
  const hash = createHash("sha256").update(site.name).digest();
  return `127.${1 + (hash[0]! % 254)}.${hash[1]!}.0/24`;
}

/** @param loopback overrides the network of an embedded site. */
export function networkOf(site: Site, loopback: string | null, before: NetworkInUse | null): NetworkInUse {
  if (targetOf(site) === "embedded" && loopback !== null) return { cidr: loopback, mode: "loopback" };
  // A network that was chosen once stays: moving every guest needs somebody who asks for it.
  if (site.network.cidr === null && targetOf(site) === "embedded" && before?.mode === "loopback") return before;
  if (site.network.cidr === null) return { cidr: loopbackOf(site), mode: "loopback" };
  return { cidr: site.network.cidr, mode: site.network.mode };
}

const parse = (address: string): number | null => {
  const parts = address.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
};
const show = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

/** The numbers of one network; 0 is the network itself, `size - 1` its broadcast address. */
class Pool {
  readonly base: number;
  readonly size: number;
  readonly cidr: string;
  readonly #holders = new Map<number, string>();

  constructor(cidr: string) {
    const [address = "", bits = ""] = cidr.split("/");
    const start = parse(address);
    const length = /^\d{1,2}$/.test(bits) ? Number(bits) : Number.NaN;
    this.cidr = cidr;
    this.size = start !== null && length >= 8 && length <= 30 ? 2 ** (32 - length) : 0;
    this.base = this.size > 0 ? start! - (start! % this.size) : 0;
  }

  holder(number: number): string | undefined {
    return this.#holders.get(number);
  }

  /** The number of an address in this network, or `null` when it is not one that can be given. */
  number(address: string): number | null {
    const parsed = parse(address);
    const number = parsed === null ? -1 : parsed - this.base;
    return number > 0 && number < this.size - 1 ? number : null;
  }

  take(number: number, who: string): string {
    this.#holders.set(number, who);
    return show(this.base + number);
  }

  /** The first free number from `from` in steps of `step`, or `null`. */
  free(from: number, step: 1 | -1): number | null {
    for (let number = from; number > 0 && number < this.size - 1; number += step) {
      if (!this.#holders.has(number)) return number;
    }
    return null;
  }
}

/** Guests begin here, so that hosts keep the low numbers. */
const FIRST_GUEST = 10;

/**
 * @param guests in the order of naming.
 * @returns an address for everybody, or refusals: two of the same, or none left.
 */
export function giveAddresses(
  site: Site,
  network: NetworkInUse,
  guests: readonly GuestName[],
  before: Blueprint | null,
): Addresses {
  const pool = new Pool(network.cidr);
  const refusals: string[] = [];
  const result = {
    hosts: new Map<HostName, string>(),
    guests: new Map<GuestName, string>(),
    aliases: new Map<AliasName, string>(),
  };
  if (pool.size === 0)
    return { ...result, refusals: [`network ${network.cidr}: expected a.b.c.d/n with n from 8 to 30`] };
  const aliases = aliasesOf(site).map(({ alias }) => alias);

  const declare = (who: string, address: string): string => {
    const number = pool.number(address);
    // A host may be reached over another network than its guests; only what lies inside can clash.
    if (number === null) return address;
    const holder = pool.holder(number);
    if (holder !== undefined) refusals.push(`${who}: address ${address} is already that of ${holder}`);
    return pool.take(number, who);
  };
  for (const host of site.hosts)
    if (host.address !== null) result.hosts.set(host.name, declare(`host ${host.name}`, host.address));
  for (const alias of aliases)
    if (alias.address !== null) result.aliases.set(alias.name, declare(`alias ${alias.name}`, alias.address));

  const keep = <Name extends string>(
    who: string,
    name: Name,
    address: string | undefined,
    into: Map<Name, string>,
  ): void => {
    const number = address === undefined || into.has(name) ? null : pool.number(address);
    if (number !== null && pool.holder(number) === undefined) into.set(name, pool.take(number, `${who} ${name}`));
  };
  const old = {
    hosts: new Map(before?.hosts.map((host) => [host.name, host.address])),
    guests: new Map(before?.guests.map((guest) => [guest.name, guest.address])),
    aliases: new Map(before?.aliases.map((alias) => [alias.name, alias.address])),
  };
  for (const { name } of site.hosts) keep("host", name, old.hosts.get(name), result.hosts);
  for (const name of guests) keep("guest", name, old.guests.get(name), result.guests);
  for (const { name } of aliases) keep("alias", name, old.aliases.get(name), result.aliases);

  const give = <Name extends string>(
    who: string,
    names: readonly Name[],
    from: number,
    step: 1 | -1,
    into: Map<Name, string>,
  ): void => {
    let cursor = from;
    let missing = 0;
    for (const name of names) {
      if (into.has(name)) continue;
      const number = pool.free(cursor, step) ?? pool.free(1, 1);
      if (number === null) missing++;
      else {
        into.set(name, pool.take(number, `${who} ${name}`));
        if (step > 0 ? number >= cursor : number <= cursor) cursor = number + step;
      }
    }
    if (missing > 0)
      refusals.push(
        `network ${pool.cidr}: no address left for ${missing} of ${names.length} ${who}s; it has ${pool.size - 2}`,
      );
  };
  give(
    "host",
    site.hosts.map((host) => host.name),
    1,
    1,
    result.hosts,
  );
  give(
    "alias",
    aliases.map((alias) => alias.name),
    pool.size - 2,
    -1,
    result.aliases,
  );
  give("guest", guests, Math.max(FIRST_GUEST, site.hosts.length + 1), 1, result.guests);
  return { ...result, refusals };
}
