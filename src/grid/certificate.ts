/** X.509 certificates (RFC 5280 4.1), read from DER. Reading proves nothing: who believes one asks `validateProxyPath`. */
import { createHash } from "node:crypto";
import {
  context,
  contextPrimitive,
  type Der,
  type DerReader,
  inside,
  readBitOctets,
  readDer,
  readOid,
  readSerial,
  readSmallInteger,
  readTime,
  TAG,
  wholeOf,
} from "./der.ts";
import { type Extensions, readExtensions, readRawExtensions } from "./extensions.ts";
import { GridRefused } from "./refused.ts";
import { readX509Name, type X509Name } from "./x509-name.ts";

/** Octets of one certificate: a proxy may carry attribute certificates of several VOs with hundreds of groups each. */
export const CERTIFICATE_LIMIT = 256 * 1024;

export interface Algorithm {
  /** Object identifier. */
  readonly oid: string;
  /** DER of the parameters, `null` where there are none. */
  readonly parameters: Buffer | null;
  /** DER of the whole. */
  readonly der: Buffer;
}

/** Who signed what how: certificates, attribute certificates and revocation lists have the same outer shape. */
export interface Signed {
  /** What the signature covers. */
  readonly tbs: Buffer;
  readonly algorithm: Algorithm;
  readonly signature: Buffer;
}

export interface Certificate extends Signed {
  readonly der: Buffer;
  readonly version: 1 | 2 | 3;
  /** Upper-case hexadecimal, as OpenSSL prints it. */
  readonly serial: string;
  readonly issuer: X509Name;
  readonly subject: X509Name;
  /** Milliseconds since the epoch; both ends belong to the validity. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  readonly extensions: Extensions;
}

/** RFC 5280 4.1.1.2. */
export function readAlgorithm(der: Der): Algorithm {
  const what = "an algorithm";
  const reader = inside(der);
  const oid = readOid(reader.next(TAG.oid, what), what);
  const parameters = reader.done ? null : reader.next(null, what);
  reader.finish(what);
  return { oid, parameters: parameters === null ? null : wholeOf(parameters), der: wholeOf(der) };
}

/**
 * The outer shape: SEQUENCE { what is signed, algorithm, signature }.
 * @param readBody reads what is signed and returns, with its result, the algorithm named inside, which must be the same as outside
 * @throws {GridRefused} of the given code when the two algorithms differ
 */
export function readSigned<Body>(
  whole: Der,
  what: string,
  code: "certificate" | "revocation-list" | "attribute-certificate",
  readBody: (reader: DerReader) => { readonly body: Body; readonly algorithm: Algorithm },
): Signed & { readonly body: Body } {
  const outer = inside(whole);
  const tbs = outer.next(TAG.sequence, what);
  const reader = inside(tbs);
  const { body, algorithm: inner } = readBody(reader);
  reader.finish(what);
  const algorithm = readAlgorithm(outer.next(TAG.sequence, "the signature's algorithm"));
  const signature = readBitOctets(outer.next(TAG.bitString, "the signature"), "the signature");
  outer.finish(what);
  if (!inner.der.equals(algorithm.der))
    throw new GridRefused(code, `${what} names two different algorithms`, { offset: whole.start });
  return { tbs: wholeOf(tbs), algorithm, signature, body };
}

type Body = Omit<Certificate, keyof Signed | "der">;
const NONE: Extensions = readExtensions([]);

function readBody(reader: DerReader): { body: Body; algorithm: Algorithm } {
  const what = "a certificate";
  let version: Body["version"] = 1;
  const tagged = reader.optional(context(0), "version");
  if (tagged) {
    const inner = inside(tagged);
    const number = readSmallInteger(inner.next(TAG.integer, "version"), "version");
    inner.finish("version");
    if (number > 2)
      throw new GridRefused("certificate", `a certificate of version ${number + 1}`, { offset: tagged.start });
    version = (number + 1) as Body["version"];
  }
  const serial = readSerial(reader.next(TAG.integer, "serial number"), "serial number");
  const algorithm = readAlgorithm(reader.next(TAG.sequence, "algorithm"));
  const issuer = readX509Name(reader.next(TAG.sequence, "issuer"));
  const validity = inside(reader.next(TAG.sequence, "validity"));
  const notBefore = readTime(validity.next(null, "notBefore"), "notBefore");
  const notAfter = readTime(validity.next(null, "notAfter"), "notAfter");
  validity.finish("validity");
  const subject = readX509Name(reader.next(TAG.sequence, "subject"));
  const publicKey = wholeOf(reader.next(TAG.sequence, "public key"));
  reader.optional(contextPrimitive(1), "issuerUniqueID");
  reader.optional(contextPrimitive(2), "subjectUniqueID");
  let extensions = NONE;
  const listed = reader.optional(context(3), "extensions");
  if (listed) {
    if (version !== 3)
      throw new GridRefused("certificate", `extensions in a certificate of version ${version}`, {
        offset: listed.start,
      });
    const inner = inside(listed);
    extensions = readExtensions(readRawExtensions(inner.next(TAG.sequence, "extensions")));
    inner.finish("extensions");
  }
  reader.finish(what);
  return { body: { version, serial, issuer, subject, notBefore, notAfter, publicKey, extensions }, algorithm };
}

/** @param whole a certificate inside something else */
export function certificateOf(whole: Der): Certificate {
  if (whole.end - whole.start > CERTIFICATE_LIMIT)
    throw new GridRefused("limit", `a certificate of more than ${CERTIFICATE_LIMIT} octets`, { offset: whole.start });
  const { body, tbs, algorithm, signature } = readSigned(whole, "the certificate", "certificate", readBody);
  return { der: wholeOf(whole), tbs, algorithm, signature, ...body };
}

/**
 * @param der one certificate and nothing else; the result shares its memory
 * @throws {GridRefused} `der`, `certificate`, `name`, `limit`
 */
export function readCertificate(der: Buffer): Certificate {
  if (der.length > CERTIFICATE_LIMIT)
    throw new GridRefused("limit", `a certificate of more than ${CERTIFICATE_LIMIT} octets`, { offset: 0 });
  return certificateOf(readDer(der, TAG.sequence, "the certificate"));
}

/** @returns SHA-256 of the certificate, lower-case hexadecimal: one spelling of it and no other */
export function fingerprintOf(certificate: Certificate): string {
  return createHash("sha256").update(certificate.der).digest("hex");
}
