/** What stands in a proxy file that a stock client wrote, by our own reader; the clients' own readers are asked beside it. */
import { readFileSync } from "node:fs";
import { type AttributeCertificate, attributeCertificatesOf, readPemCertificates } from "../../src/grid/index.ts";

export function readProxyAcs(path: string): readonly AttributeCertificate[] {
  const [proxy] = readPemCertificates(readFileSync(path, "utf8"));
  return attributeCertificatesOf(proxy!);
}

/** FQANs of the first attribute certificate, primary first. */
export function readProxyFqans(path: string): readonly string[] {
  return readProxyAcs(path)[0]?.fqans ?? [];
}
