/**
 * Certificate revocation lists (RFC 5280 5): read, verified, asked for a serial number. Only whole lists of the authority that signed them:
 * delta, indirect and partial lists say so in critical extensions, and those are refused, because taken for whole ones they would hide what
 * they do not list.
 */
import { type Algorithm, type Certificate, readAlgorithm, readSigned, type Signed } from "./certificate.ts";
import { context, type DerReader, inside, readDer, readSerial, readSmallInteger, readTime, TAG } from "./der.ts";
import { KEY_USAGE, readRawExtensions } from "./extensions.ts";
import { OID } from "./oids.ts";
import { readPem } from "./pem.ts";
import { GridRefused } from "./refused.ts";
import { type SignatureRules, verifySignature } from "./signature.ts";
import { readX509Name, type X509Name } from "./x509-name.ts";

export interface RevocationList extends Signed {
  readonly issuer: X509Name;
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number;
  /** Milliseconds since the epoch; after it the list says nothing any more. */
  readonly nextUpdate: number;
  /** Serial number (upper-case hexadecimal) → milliseconds since the epoch. */
  readonly revoked: ReadonlyMap<string, number>;
}

type Body = Omit<RevocationList, keyof Signed>;

const UNDERSTOOD: ReadonlySet<string> = new Set([OID.authorityKeyIdentifier, OID.issuerAltName, OID.crlNumber]);
const UNDERSTOOD_OF_ENTRIES: ReadonlySet<string> = new Set([OID.reasonCode]);
/** Characters of PEM around the largest list accepted. */
const CHARACTERS = 48 * 1024 * 1024;
const LABEL: ReadonlySet<string> = new Set(["X509 CRL"]);

function refuse(message: string, offset: number): never {
  throw new GridRefused("revocation-list", message, { offset });
}

function readRevoked(list: DerReader): Map<string, number> {
  const what = "an entry of the revocation list";
  const revoked = new Map<string, number>();
  while (!list.done) {
    const entry = inside(list.next(TAG.sequence, what));
    const serial = readSerial(entry.next(TAG.integer, what), what);
    revoked.set(serial, readTime(entry.next(null, what), what));
    const extensions = entry.optional(TAG.sequence, what);
    if (extensions !== null)
      for (const { oid, critical } of readRawExtensions(extensions))
        if (critical && !UNDERSTOOD_OF_ENTRIES.has(oid))
          refuse(`an entry has the critical extension ${oid}, which nobody here understands`, extensions.start);
    entry.finish(what);
  }
  return revoked;
}

function readBody(reader: DerReader): { body: Body; algorithm: Algorithm } {
  const what = "the revocation list";
  const version = reader.optional(TAG.integer, "version");
  if (version !== null && readSmallInteger(version, "version") !== 1)
    refuse("a revocation list of an unknown version", version.start);
  const algorithm = readAlgorithm(reader.next(TAG.sequence, "algorithm"));
  const issuer = readX509Name(reader.next(TAG.sequence, "issuer"));
  const thisUpdate = readTime(reader.next(null, "thisUpdate"), "thisUpdate");
  const hasNext = reader.peek === TAG.utcTime || reader.peek === TAG.generalizedTime;
  if (!hasNext) refuse("a revocation list that does not say when the next one comes", reader.at);
  const nextUpdate = readTime(reader.next(null, "nextUpdate"), "nextUpdate");
  const entries = reader.optional(TAG.sequence, "revoked certificates");
  const revoked = entries === null ? new Map<string, number>() : readRevoked(inside(entries));
  const tagged = reader.optional(context(0), "extensions");
  if (tagged !== null) {
    const inner = inside(tagged);
    for (const { oid, critical } of readRawExtensions(inner.next(TAG.sequence, "extensions")))
      if (critical && !UNDERSTOOD.has(oid))
        refuse(`the list has the critical extension ${oid}: only whole lists are understood`, tagged.start);
    inner.finish("extensions");
  }
  reader.finish(what);
  return { body: { issuer, thisUpdate, nextUpdate, revoked }, algorithm };
}

/**
 * @param input DER, or PEM text with one list
 * @throws {GridRefused} `der`, `pem`, `revocation-list`, `limit`
 */
export function readRevocationList(input: Buffer | string): RevocationList {
  let der: Buffer;
  if (typeof input === "string") {
    const [block, ...more] = readPem(input, LABEL, CHARACTERS);
    if (!block || more.length > 0) throw new GridRefused("pem", "expected one revocation list in the text");
    der = block.octets;
  } else der = input;
  const whole = readDer(der, TAG.sequence, "the revocation list");
  const { body, tbs, algorithm, signature } = readSigned(whole, "the revocation list", "revocation-list", readBody);
  return { tbs, algorithm, signature, ...body };
}

export interface RevocationRules extends SignatureRules {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What to do with a list after its time: `refuse` (the default) or go on believing it. */
  readonly expiredLists?: "refuse" | "accept";
  /** What to do where an authority has no list: `accept` (the default: authorities without lists exist) or `refuse`. */
  readonly missingLists?: "refuse" | "accept";
}

/** Verifying a list of a large authority costs more than everything else; a list is verified once by each key. */
const verified = new WeakMap<RevocationList, WeakSet<Certificate>>();

function verifiedBy(list: RevocationList, authority: Certificate, rules: SignatureRules): boolean {
  if (verified.get(list)?.has(authority)) return true;
  try {
    verifySignature(list, authority, `the revocation list of ${list.issuer.normal}`, rules);
  } catch (error) {
    if (error instanceof GridRefused) return false;
    throw error;
  }
  const known = verified.get(list) ?? new WeakSet();
  verified.set(list, known.add(authority));
  return true;
}

/**
 * Asks the newest list that the authority signed.
 * @param authority who issued the certificate, already believed
 * @throws {GridRefused} `revoked`; `revocation-unknown` when lists of that authority are there but none is current and well signed
 */
export function checkRevocation(
  certificate: Certificate,
  authority: Certificate,
  lists: readonly RevocationList[],
  rules: RevocationRules,
): void {
  const unknown = (why: string): GridRefused => new GridRefused("revocation-unknown", why);
  const name = authority.subject.normal;
  const named = lists.filter(({ issuer }) => issuer.normal === name);
  if (named.length === 0) {
    if (rules.missingLists === "refuse") throw unknown(`no revocation list of ${name}`);
    return;
  }
  const { keyUsage } = authority.extensions;
  if (keyUsage !== null && !(keyUsage & KEY_USAGE.cRLSign)) throw unknown(`${name} may not sign revocation lists`);
  const known = named
    .filter((list) => list.thisUpdate <= rules.now)
    .sort((one, other) => other.thisUpdate - one.thisUpdate);
  const list = known.find((one) => verifiedBy(one, authority, rules));
  if (list === undefined) throw unknown(`no revocation list of ${name} is signed by it and begun`);
  const revokedAt = list.revoked.get(certificate.serial);
  if (revokedAt !== undefined)
    throw new GridRefused(
      "revoked",
      `${certificate.subject.normal} (serial ${certificate.serial}) was taken back on ${new Date(revokedAt).toISOString()}`,
    );
  if (list.nextUpdate < rules.now && rules.expiredLists !== "accept")
    throw unknown(`the revocation list of ${name} ended on ${new Date(list.nextUpdate).toISOString()}`);
}
