/** Who is at the other end of a mutual-TLS connection, read from the certificate once for each connection. */
import type { TLSSocket } from "node:tls";
import { Refusal } from "./answer.ts";

export interface Peer {
  /** Common name: a guest's or a person's name. */
  readonly name: string;
  /** Organizational unit of the house's authority; anything else is `other`. */
  readonly unit: "guest" | "operator" | "other";
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

/**
 * @param may what only operators may, for the sentence: "ban"
 * @throws {Refusal} 403 for anybody else
 */
export function requireOperator({ name, unit }: Peer, may: string): void {
  if (unit !== "operator")
    throw new Refusal(403, `${name || "this certificate"} is not an operator: only operators ${may}`);
}
