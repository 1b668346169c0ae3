/**
 * Some versions of Node lose the client's certificate chain on the server side (24.21, 26.8-26.9). An authorization service that
 * cannot see who calls must not serve, so this is tried once at start: a connection to ourselves, with our own certificate.
 */
import { connect, createServer, type TLSSocket } from "node:tls";
import { StartRefused, type TlsFiles } from "./guest.ts";

/** Milliseconds for one handshake with ourselves, on a machine that has just got its power back. */
const PATIENCE = 30_000;

/** @throws {StartRefused} when the server side does not see the client's certificate together with its issuer */
export async function requireClientChain(tls: TlsFiles, address: string): Promise<void> {
  const seen = await new Promise<boolean>((resolve, reject) => {
    const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true });
    const timer = setTimeout(() => finish(new Error(`no handshake within ${PATIENCE / 1000} s`)), PATIENCE);
    const finish = (outcome: boolean | Error): void => {
      clearTimeout(timer);
      server.close();
      if (outcome instanceof Error)
        reject(new StartRefused(`the certificates of this guest do not work: ${outcome.message}`));
      else resolve(outcome);
    };
    server.once("tlsClientError", finish);
    server.once("secureConnection", (socket: TLSSocket) => {
      const leaf = socket.getPeerCertificate(true);
      const issuer = leaf.issuerCertificate as typeof leaf.issuerCertificate | undefined;
      socket.destroy();
      finish(leaf.raw !== undefined && issuer?.raw !== undefined && !issuer.raw.equals(leaf.raw));
    });
    server.once("error", finish);
    server.listen(0, address, () => {
      const bound = server.address();
      if (bound === null || typeof bound === "string") return finish(new Error("no port"));
      // Our own name need not be in the certificate for this: only what the server side sees is asked.
      const client = connect({ ...tls, host: address, port: bound.port, checkServerIdentity: () => undefined });
      client.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "ECONNRESET") finish(error);
      });
    });
  });
  if (!seen)
    throw new StartRefused(
      `Node ${process.version} does not show the client's certificate chain to the server: no chain, no service`,
    );
}
