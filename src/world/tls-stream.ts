/** A stream under TLS with a certificate of our own, for protocols that are not HTTP. */
import { connect, type TLSSocket } from "node:tls";

export interface TlsDestination {
  readonly host: string;
  readonly port: number;
  /** PEM. The far end's certificate must be of this authority and carry the host's name or address. */
  readonly ca: Buffer | string;
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
}

/** Begins to connect. @returns the stream; `secureConnect` says that it stands */
export function tlsStream(destination: TlsDestination): TLSSocket {
  const socket = connect({ ...destination, minVersion: "TLSv1.2" });
  socket.setNoDelay(true);
  return socket;
}
