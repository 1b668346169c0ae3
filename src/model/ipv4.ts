/** IPv4 addresses and networks as numbers. */
export interface Ipv4Network {
  /** First address, as an unsigned 32-bit number. */
  readonly base: number;
  /** Length of the prefix, 0 to 32. */
  readonly bits: number;
  /** Number of addresses, network and broadcast address among them. */
  readonly size: number;
}

/** @returns the address as an unsigned 32-bit number, or `null`. */
export function parseIpv4(text: string): number | null {
  // No leading zeros: some programs read them as octal, and one address must have one text.
  const match = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.exec(text);
  if (!match) return null;
  const octets = match.slice(1).map(Number);
  if (octets.some((octet) => octet > 255)) return null;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** @returns the network of `a.b.c.d/n`, or `null`; the host part must be zero. */
export function parseNetwork(text: string): Ipv4Network | null {
  const match = /^([\d.]+)\/(0|[1-9]\d?)$/.exec(text);
  const base = match ? parseIpv4(match[1]!) : null;
  const bits = match ? Number(match[2]) : 33;
  if (base === null || bits > 32) return null;
  const size = 2 ** (32 - bits);
  return base % size === 0 ? { base, bits, size } : null;
}

/** @returns whether an address can be given to somebody in this network: not its own and not its broadcast address. */
export function usableIn(network: Ipv4Network, address: number): boolean {
  return address > network.base && address < network.base + network.size - 1;
}
