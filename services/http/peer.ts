/** Who is at the other end of a mutual-TLS connection, read from the certificate once for each connection. */
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { Refusal } from "./answer.ts";

export interface Peer {
  /** Common name: a guest's or a person's name. */
  readonly name: string;
  /** Organizational unit of the house's authority; anything else is `other`. */
  readonly unit: "guest" | "operator" | "other";
  /** Of a server that admits strangers: the certificates that were shown, DER, the lowest first. */
  readonly chain?: readonly Buffer[];
}

const known = new WeakMap<TLSSocket, Peer>();

/** @returns who it is; the connection was authorized before, so the certificate is of the site's authority */
export function peerOf(socket: TLSSocket): Peer {
  let peer = known.get(socket);
  if (peer === undefined) {
    const subject = socket.getPeerCertificate(false).subject as unknown as
      | Readonly<Record<string, string | string[]>>
      | undefined;
    const unit = subject?.OU;
    const name = subject?.CN;
    peer = {
      name: typeof name === "string" ? name : "",
      // Two units in one name are nobody's: the authority writes exactly one.
      unit: unit === "guest" || unit === "operator" ? unit : "other",
    };
    known.set(socket, peer);
  }
  return peer;
}

/** More than any chain that is taken. */
const LONGEST_CHAIN = 40;

/**
 * For servers that admit people of other authorities: nothing of the chain has been checked but that the client holds the lowest key. Who is
 * of the site's own authority is known as such.
 */
export function strangerOf(socket: TLSSocket): Peer {
  const chain: Buffer[] = [];
  // The whole chain must be asked for first: afterwards Node shows the lowest alone.
  let one = socket.getPeerCertificate(true) as DetailedPeerCertificate | undefined;
  for (; one?.raw && chain.length < LONGEST_CHAIN; one = one.issuerCertificate) {
    if (chain.at(-1)?.equals(one.raw)) break;
    chain.push(one.raw);
  }
  const peer = socket.authorized ? peerOf(socket) : ({ name: "", unit: "other" } as const);
  return { ...peer, chain };
}

/**
 * @param may what only operators may, for the sentence: "ban"
 * @throws {Refusal} 403 for anybody else
 */
export function requireOperator({ name, unit }: Peer, may: string): void {
  if (unit !== "operator")
    throw new Refusal(403, `${name || "this certificate"} is not an operator: only operators ${may}`);
}
