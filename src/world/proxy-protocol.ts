/**
 * PROXY protocol version 2, binary (haproxy.org, "The PROXY protocol", 2.2): how a program of the house behind the embedded director
 * learns who the client is. Direct routing keeps the client's address by itself, so only the embedded front end sends it.
 * Refused: version 1 (text, unbounded parsing), UDP and Unix families (the director carries TCP alone), and headers beyond 536 octets.
 */
import { isIPv4, isIPv6 } from "node:net";

/** One end of a TCP connection. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Where a connection came from and which address it was made to. */
export interface ProxiedConnection {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

export type DecodedHeader =
  /** More octets are needed; `need` is how many there must be in all before it is worth asking again. */
  | { readonly state: "incomplete"; readonly need: number }
  /** `length` octets belong to the header; `proxied` is `null` for the sender's own connections (its health checks). */
  | { readonly state: "complete"; readonly length: number; readonly proxied: ProxiedConnection | null }
  | { readonly state: "invalid"; readonly says: string };

const SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const FIXED = 16;
/** Longest header taken: addresses and a few hundred octets of extensions that are skipped. */
export const LONGEST_HEADER = 536;
const LOCAL = 0x20;
const PROXY = 0x21;

/** Families carried, by the octet that names them: how long an address is, and how it is read and written. */
const FAMILIES = {
  17: { size: 4, read: readIPv4 },
  33: { size: 16, read: readIPv6 },
} as const satisfies Record<number, { size: number; read: (octets: Buffer) => string }>;

function readIPv4(octets: Buffer): string {
  return octets.join(".");
}

function readIPv6(octets: Buffer): string {
  const words = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(index * 2).toString(16));
  // The URL parser writes the one canonical form of RFC 5952.
  return new URL(`http://[${words.join(":")}]/`).hostname.slice(1, -1);
}

function writeIPv4(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

function writeIPv6(address: string): Buffer {
  const host = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [front = "", back] = host.split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16)));
  const head = words(front);
  const tail = back === undefined ? [] : words(back);
  const octets = Buffer.alloc(16);
  head.forEach((word, index) => {
    octets.writeUInt16BE(word, index * 2);
  });
  tail.forEach((word, index) => {
    octets.writeUInt16BE(word, 16 - (tail.length - index) * 2);
  });
  return octets;
}

/** @returns the header of a connection the sender makes for itself, such as a health check. */
export function encodeLocalHeader(): Buffer {
  return Buffer.concat([SIGNATURE, Buffer.from([LOCAL, 0, 0, 0])]);
}

/**
 * @param connection both ends; the addresses are of one family (an IPv4 address in IPv6 clothes counts as IPv4)
 * @returns the octets that go in front of everything else, 28 for IPv4 and 52 for IPv6
 * @throws TypeError when an address is neither, or the families differ
 */
export function encodeProxyHeader(connection: ProxiedConnection): Buffer {
  const source = plainAddress(connection.source.address);
  const destination = plainAddress(connection.destination.address);
  const [family, write] =
    isIPv4(source) && isIPv4(destination)
      ? ([0x11, writeIPv4] as const)
      : isIPv6(source) && isIPv6(destination)
        ? ([0x21, writeIPv6] as const)
        : ([0, null] as const);
  if (write === null) throw new TypeError(`no PROXY header for a connection from ${source} to ${destination}`);
  const size = FAMILIES[family].size;
  const header = Buffer.alloc(FIXED + size * 2 + 4);
  SIGNATURE.copy(header);
  header[12] = PROXY;
  header[13] = family;
  header.writeUInt16BE(size * 2 + 4, 14);
  write(source).copy(header, FIXED);
  write(destination).copy(header, FIXED + size);
  header.writeUInt16BE(connection.source.port, FIXED + size * 2);
  header.writeUInt16BE(connection.destination.port, FIXED + size * 2 + 2);
  return header;
}

/**
 * Reads the header at the start of what a connection has brought so far; what follows it is not looked at.
 * @param octets everything received, from the first octet on
 */
export function decodeProxyHeader(octets: Buffer): DecodedHeader {
  const seen = Math.min(octets.length, SIGNATURE.length);
  if (octets.compare(SIGNATURE, 0, seen, 0, seen) !== 0) {
    return { state: "invalid", says: "it does not begin with a PROXY protocol version 2 header" };
  }
  if (octets.length > 12 && octets[12] !== LOCAL && octets[12] !== PROXY) {
    return { state: "invalid", says: `unknown version and command 0x${octets[12]!.toString(16)}` };
  }
  if (octets.length < FIXED) return { state: "incomplete", need: FIXED };
  const length = FIXED + octets.readUInt16BE(14);
  if (length > LONGEST_HEADER) return { state: "invalid", says: `a header of ${length} octets is too long` };
  if (octets.length < length) return { state: "incomplete", need: length };
  // The family of a connection of the sender's own, and the unspecified family, carry no address to be believed.
  if (octets[12] === LOCAL || octets[13] === 0) return { state: "complete", length, proxied: null };
  const family = FAMILIES[octets[13] as keyof typeof FAMILIES];
  if (family === undefined) {
    return { state: "invalid", says: `address family 0x${octets[13]!.toString(16)} is not TCP over IP` };
  }
  const { size, read } = family;
  if (length < FIXED + size * 2 + 4) return { state: "invalid", says: "the header is shorter than its addresses" };
  const end = (at: number, port: number): Endpoint => ({
    address: read(octets.subarray(at, at + size)),
    port: octets.readUInt16BE(port),
  });
  const ports = FIXED + size * 2;
  return {
    state: "complete",
    length,
    proxied: { source: end(FIXED, ports), destination: end(FIXED + size, ports + 2) },
  };
}

/** @returns an IPv4 address out of its IPv6 clothes (`::ffff:127.0.0.1`), any other text as it is. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && isIPv4(address.slice(7)) ? address.slice(7) : address;
}
