/** PEM (RFC 7468) and chains in it: a proxy file is the proxy, its key, and the certificates above it, one after the other. */
import { Buffer } from "node:buffer";
import { type Certificate, readCertificate } from "./certificate.ts";
import { GridRefused } from "./refused.ts";

export const CHAIN_LIMITS = {
  /** Certificates of one chain, anchors not counted. */
  certificates: 32,
  /** Characters of a PEM text with a chain. */
  characters: 2 * 1024 * 1024,
} as const;

export interface PemBlock {
  /** `CERTIFICATE`, `X509 CRL`, … */
  readonly label: string;
  readonly octets: Buffer;
}

const BEGIN = /^-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,40})-----$/;
const LABELS: ReadonlySet<string> = new Set(["CERTIFICATE", "X509 CERTIFICATE"]);

/**
 * Cuts a text into its blocks; what stands between them is for people and is skipped. Blocks of other labels (keys) are not decoded.
 * @param labels those wanted
 * @param limit characters accepted
 * @throws {GridRefused} `pem` with the line, `limit`
 */
export function readPem(text: string, labels: ReadonlySet<string>, limit: number): readonly PemBlock[] {
  if (text.length > limit) throw new GridRefused("limit", `a text of more than ${limit} characters`);
  const blocks: PemBlock[] = [];
  let label: string | null = null;
  let began = 0;
  let body: string[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (const [index, raw] of lines.entries()) {
    const line = raw.trimEnd();
    if (label === null) {
      const begin = BEGIN.exec(line);
      if (begin) {
        label = begin[1]!;
        began = index + 1;
        body = [];
      }
    } else if (line === `-----END ${label}-----`) {
      if (labels.has(label)) {
        const base64 = body.join("");
        if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0 || base64 === "")
          throw new GridRefused("pem", `the block from line ${began} is not base64`, { line: began, column: 1 });
        blocks.push({ label, octets: Buffer.from(base64, "base64") });
      }
      label = null;
    } else if (line.startsWith("-----"))
      throw new GridRefused("pem", `expected the end of ${label}, found "${line.slice(0, 60)}"`, {
        line: index + 1,
        column: 1,
      });
    else if (labels.has(label)) body.push(line.trim());
  }
  if (label !== null)
    throw new GridRefused("pem", `the block from line ${began} has no end`, { line: began, column: 1 });
  return blocks;
}

/** @returns PEM of 64 columns with a newline at the end */
export function writePem(label: string, octets: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${base64Lines(octets)}-----END ${label}-----\n`;
}

/** @returns base64 broken at 64 columns, each line with its newline: what the C client of VOMS needs around an attribute certificate */
export function base64Lines(octets: Uint8Array): string {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("base64");
  return text.replace(/.{1,64}/g, "$&\n");
}

/**
 * Certificates of a PEM text, in its order.
 * @param limit how many are accepted
 * @throws {GridRefused} `pem` also when there is none; `limit`; what {@link readCertificate} throws
 */
export function readPemCertificates(text: string, limit: number = CHAIN_LIMITS.certificates): readonly Certificate[] {
  const blocks = readPem(text, LABELS, CHAIN_LIMITS.characters);
  if (blocks.length === 0) throw new GridRefused("pem", "no certificate in the text");
  if (blocks.length > limit) throw new GridRefused("limit", `more than ${limit} certificates`);
  return blocks.map(({ octets }) => readCertificate(octets));
}

/** How chains come: a PEM text, or one after the other in any form. */
export type Chain = string | readonly (Buffer | string | Certificate)[];

/**
 * @returns the certificates in the order given, each once
 * @throws {GridRefused} `limit` for more than {@link CHAIN_LIMITS}
 */
export function readChain(chain: Chain): readonly Certificate[] {
  const parts = typeof chain === "string" ? [chain] : chain;
  if (parts.length > CHAIN_LIMITS.certificates)
    throw new GridRefused("limit", `more than ${CHAIN_LIMITS.certificates} certificates`);
  const found: Certificate[] = [];
  for (const part of parts) {
    const read =
      typeof part === "string" ? readPemCertificates(part) : [Buffer.isBuffer(part) ? readCertificate(part) : part];
    for (const one of read) if (!found.some((other) => other.der.equals(one.der))) found.push(one);
    if (found.length > CHAIN_LIMITS.certificates)
      throw new GridRefused("limit", `more than ${CHAIN_LIMITS.certificates} certificates`);
  }
  if (found.length === 0) throw new GridRefused("pem", "no certificate");
  return found;
}

/**
 * Orders a chain by its names alone: the one that issued no other first, then its issuer, and so on; what does not fit follows as it came.
 * For showing and storing; `validateProxyPath` takes the first as the one to validate and the rest in any order.
 */
export function orderChain(certificates: readonly Certificate[]): readonly Certificate[] {
  const issued = (one: Certificate): boolean =>
    certificates.some((other) => other !== one && other.issuer.normal === one.subject.normal);
  const left = [...certificates];
  const ordered: Certificate[] = [];
  for (let next = left.find((one) => !issued(one)); next; ) {
    ordered.push(next);
    left.splice(left.indexOf(next), 1);
    const { normal } = next.issuer;
    next = left.find((one) => one.subject.normal === normal);
  }
  return [...ordered, ...left];
}
