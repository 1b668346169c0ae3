/** What a client shows of itself in a TLS handshake that believes nothing, and whether that is of the site's own authority. */
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { Certificate, ValidPath } from "../../src/grid/index.ts";

/** Certificates of one chain that are looked at: more than any that is taken. */
const LONGEST = 16;

/** @returns the chain as the client sent it, DER, its own certificate first; nothing in it has been checked but that it holds that one's key */
export function chainOf(socket: TLSSocket): readonly Buffer[] {
  const chain: Buffer[] = [];
  // The whole chain must be asked for first: afterwards Node shows the lowest alone.
  let one = socket.getPeerCertificate(true) as DetailedPeerCertificate | undefined;
  while (one?.raw !== undefined && chain.length < LONGEST) {
    if (chain.some((other) => other.equals(one!.raw))) break;
    chain.push(one.raw);
    one = one.issuerCertificate;
  }
  return chain;
}

/**
 * @param own the site's authority
 * @returns what the certificate says its holder is on this site; `null` for others' certificates and for proxies: what runs in an operator's name
 *   somewhere is no operator
 */
export function siteUnitOf(
  { certificates, endEntity, kind }: ValidPath,
  own: readonly Certificate[],
): "guest" | "operator" | null {
  const anchor = certificates.at(-1)!;
  if (kind !== "none" || !own.some((one) => one.der.equals(anchor.der))) return null;
  const units = endEntity.subject.rdns.filter(({ type }) => type === "OU");
  const [unit] = units.map(({ value }) => value);
  return units.length === 1 && (unit === "guest" || unit === "operator") ? unit : null;
}

/** @returns the last common name of the end entity; empty when it has none */
export function commonNameOf({ endEntity }: ValidPath): string {
  return endEntity.subject.rdns.findLast(({ type }) => type === "CN")?.value ?? "";
}
