/**
 * Attribute certificates as VOMS makes them (RFC 5755; "The VOMS Attribute Certificate Format", OGF GFD.182): who the holder is, which VO says
 * so, and its FQANs in order, the first being the primary one. Reading proves nothing: see `verifyAttributeCertificate`.
 */
import {
  type Algorithm,
  type Certificate,
  certificateOf,
  readAlgorithm,
  readSigned,
  type Signed,
} from "./certificate.ts";
import {
  contentOf,
  context,
  type Der,
  DerReader,
  inside,
  readDer,
  readNull,
  readOid,
  readSerial,
  readSmallInteger,
  readTime,
  TAG,
  wholeOf,
} from "./der.ts";
import { NameRefused } from "./dn.ts";
import { type AuthorityKey, type RawExtension, readAuthorityKey, readRawExtensions } from "./extensions.ts";
import { parseFqan, voOf } from "./fqan.ts";
import { type GeneralName, readGeneralName, readGeneralNames } from "./general-name.ts";
import { OID } from "./oids.ts";
import { GridRefused } from "./refused.ts";
import type { X509Name } from "./x509-name.ts";

export const ATTRIBUTE_LIMITS = {
  /** Attribute certificates in one proxy. */
  certificates: 32,
  fqans: 2048,
  attributes: 2048,
  targets: 256,
  issuerCertificates: 16,
} as const;

/** A generic attribute of VOMS: a name, a value, and whom it is said by (the VO or a group). */
export interface GenericAttribute {
  readonly name: string;
  readonly value: string;
  readonly qualifier: string;
}

export interface AttributeCertificate extends Signed {
  readonly der: Buffer;
  /** The certificate it was made out to: serial number, and the name of its issuer or (older VOMS) of its subject. */
  readonly holder: { readonly name: X509Name; readonly serial: string };
  readonly issuer: X509Name;
  /** Upper-case hexadecimal. */
  readonly serial: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The URI `vo://host:port`, in parts. */
  readonly authority: string;
  readonly vo: string;
  readonly host: string;
  readonly port: number;
  /** As they are written, primary first; each is an FQAN of this VO. */
  readonly fqans: readonly string[];
  readonly attributes: readonly GenericAttribute[];
  /** Certificates of the issuer, as they came with it. */
  readonly issuerCertificates: readonly Certificate[];
  /** Hosts that may use it; `null` means any. */
  readonly targets: readonly string[] | null;
  readonly noRevocation: boolean;
  readonly authorityKey: AuthorityKey | null;
  /** Object identifiers of critical extensions nobody here understands. */
  readonly unknownCritical: readonly string[];
}

function refuse(message: string, offset: number): never {
  throw new GridRefused("attribute-certificate", message, { offset });
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(der: Der, what: string): string {
  try {
    return UTF8.decode(contentOf(der));
  } catch {
    return refuse(`${what} is not UTF-8`, der.start);
  }
}

function onlyDirectoryName(names: readonly GeneralName[], what: string, offset: number): X509Name {
  const [name] = names;
  if (names.length !== 1 || name?.form !== "directory") return refuse(`${what}: expected one directory name`, offset);
  return name.name;
}

/** RFC 5755 4.2.2, the baseCertificateID alone: without a serial number anybody's next certificate would do. */
function readHolder(der: Der): AttributeCertificate["holder"] {
  const what = "the holder";
  const reader = inside(der);
  const base = reader.optional(context(0), what);
  if (base === null || !reader.done)
    return refuse("the holder is not named by issuer and serial number alone", der.start);
  const inner = inside(base);
  const names = inner.next(TAG.sequence, what);
  const serial = readSerial(inner.next(TAG.integer, what), what);
  if (!inner.done) refuse("the holder has a unique identifier", inner.at);
  return { name: onlyDirectoryName(readGeneralNames(names), what, names.start), serial };
}

/** RFC 5755 4.2.3: v2Form with the name alone. */
function readIssuer(der: Der): X509Name {
  const what = "the issuer";
  const reader = inside(der);
  const names = reader.next(TAG.sequence, what);
  if (!reader.done) refuse("the issuer is named by more than its name", reader.at);
  return onlyDirectoryName(readGeneralNames(names), what, names.start);
}

const AUTHORITY = /^([A-Za-z0-9_.-]{1,255}):\/\/([A-Za-z0-9_.-]{1,255}):([0-9]{1,5})$/;

type Membership = Pick<AttributeCertificate, "authority" | "vo" | "host" | "port" | "fqans">;

/** @returns why a text is no FQAN of this VO, or `null` */
export function notOfVo(text: string, vo: string): string | null {
  try {
    if (text !== text.trim()) return `"${text.slice(0, 60)}" has blanks around it`;
    const found = voOf(parseFqan(text));
    return found === vo ? null : `"${text.slice(0, 60)}" is not of the VO ${vo}`;
  } catch (error) {
    if (error instanceof NameRefused) return error.message;
    throw error;
  }
}

/** IetfAttrSyntax (RFC 5755 4.4), exactly one, of one VO. */
function readMembership(values: Der): Membership {
  const what = "the VO's attribute";
  const set = inside(values);
  const syntax = inside(set.next(TAG.sequence, what));
  set.finish(what);
  const tagged = syntax.next(context(0), "the policy authority");
  const [name, ...more] = readGeneralNames(tagged);
  if (name?.form !== "uri" || more.length > 0) return refuse("the policy authority is not one URI", tagged.start);
  const parts = AUTHORITY.exec(name.text);
  const port = Number(parts?.[3]);
  if (parts === null || port < 1 || port > 65535)
    return refuse("the policy authority is not of the form vo://host:port", tagged.start);
  const vo = parts[1]!;
  const fqans: string[] = [];
  const list = inside(syntax.next(TAG.sequence, "the FQANs"));
  syntax.finish(what);
  while (!list.done) {
    if (fqans.length === ATTRIBUTE_LIMITS.fqans)
      throw new GridRefused("limit", `more than ${ATTRIBUTE_LIMITS.fqans} FQANs`, { offset: list.at });
    const value = list.next(TAG.octetString, "an FQAN");
    const text = contentOf(value).toString("latin1");
    const why = notOfVo(text, vo);
    if (why !== null) refuse(why, value.start);
    fqans.push(text);
  }
  if (fqans.length === 0) refuse("no FQAN", values.start);
  return { authority: name.text, vo, host: parts[2]!, port, fqans };
}

function readAttributes(sequence: Der): Membership {
  const what = "an attribute";
  let found: Membership | null = null;
  for (const reader = inside(sequence); !reader.done; ) {
    const attribute = inside(reader.next(TAG.sequence, what));
    const oid = readOid(attribute.next(TAG.oid, what), what);
    const values = attribute.next(TAG.set, what);
    attribute.finish(what);
    if (oid !== OID.vomsFqans) continue;
    if (found !== null) refuse("two attributes with FQANs", values.start);
    found = readMembership(values);
  }
  return found ?? refuse("no attribute with FQANs", sequence.start);
}

/** SEQUENCE { SEQUENCE OF { grantor, SEQUENCE OF { name, value, qualifier } } }. */
function readGeneric(value: Der): readonly GenericAttribute[] {
  const what = "a generic attribute";
  const outer = inside(value);
  const found: GenericAttribute[] = [];
  const providers = inside(outer.next(TAG.sequence, what));
  outer.finish(what);
  while (!providers.done) {
    const provider = inside(providers.next(TAG.sequence, what));
    provider.next(TAG.sequence, what);
    const list = inside(provider.next(TAG.sequence, what));
    provider.finish(what);
    while (!list.done) {
      if (found.length === ATTRIBUTE_LIMITS.attributes)
        throw new GridRefused("limit", `more than ${ATTRIBUTE_LIMITS.attributes} generic attributes`, {
          offset: list.at,
        });
      const one = inside(list.next(TAG.sequence, what));
      const [name, text, qualifier] = [0, 1, 2].map(() => textOf(one.next(TAG.octetString, what), what));
      one.finish(what);
      found.push({ name: name!, value: text!, qualifier: qualifier! });
    }
  }
  return found;
}

/** SEQUENCE { SEQUENCE OF Certificate }. */
function readIssuerCertificates(value: Der): readonly Certificate[] {
  const what = "the issuer's certificates";
  const outer = inside(value);
  const list = inside(outer.next(TAG.sequence, what));
  outer.finish(what);
  const found: Certificate[] = [];
  while (!list.done) {
    if (found.length === ATTRIBUTE_LIMITS.issuerCertificates)
      throw new GridRefused("limit", `more than ${ATTRIBUTE_LIMITS.issuerCertificates} certificates of the issuer`);
    found.push(certificateOf(list.next(TAG.sequence, what)));
  }
  return found;
}

/**
 * RFC 5755 4.3.2 says SEQUENCE OF SEQUENCE OF `[0]`; VOMS puts each target into a SEQUENCE of its own. Both are read. What is neither a URI
 * nor a DNS name is a target that no host is.
 */
function readTargets(value: Der): readonly string[] {
  const what = "a target";
  const found: string[] = [];
  for (const outer = inside(value); !outer.done; )
    for (const list = inside(outer.next(TAG.sequence, what)); !list.done; ) {
      if (found.length === ATTRIBUTE_LIMITS.targets)
        throw new GridRefused("limit", `more than ${ATTRIBUTE_LIMITS.targets} targets`, { offset: list.at });
      const one = list.next(null, what);
      const choice = one.tag === TAG.sequence ? inside(one).next(null, what) : one;
      if (choice.tag !== context(0)) {
        found.push("");
        continue;
      }
      const reader = inside(choice);
      const name = readGeneralName(reader.next(null, what));
      reader.finish(what);
      found.push(name.form === "uri" || name.form === "dns" ? name.text : "");
    }
  return found;
}

type Draft = {
  -readonly [Key in
    | "attributes"
    | "issuerCertificates"
    | "targets"
    | "noRevocation"
    | "authorityKey"]: AttributeCertificate[Key];
};

const EXTENSIONS: Readonly<Record<string, { readonly tag: number; readonly read: (value: Der, into: Draft) => void }>> =
  {
    [OID.vomsAttributes]: {
      tag: TAG.sequence,
      read: (value, into) => {
        into.attributes = readGeneric(value);
      },
    },
    [OID.vomsIssuerCertificates]: {
      tag: TAG.sequence,
      read: (value, into) => {
        into.issuerCertificates = readIssuerCertificates(value);
      },
    },
    [OID.targetInformation]: {
      tag: TAG.sequence,
      read: (value, into) => {
        into.targets = readTargets(value);
      },
    },
    [OID.noRevAvail]: {
      tag: TAG.null,
      read: (value, into) => {
        readNull(value, "noRevAvail");
        into.noRevocation = true;
      },
    },
    [OID.authorityKeyIdentifier]: {
      tag: TAG.sequence,
      read: (value, into) => {
        into.authorityKey = readAuthorityKey(value);
      },
    },
  };

function readExtensionsOf(raw: readonly RawExtension[]): Draft {
  const into: Draft = {
    attributes: [],
    issuerCertificates: [],
    targets: null,
    noRevocation: false,
    authorityKey: null,
  };
  for (const { oid, value } of raw) {
    const known = Object.hasOwn(EXTENSIONS, oid) ? EXTENSIONS[oid] : undefined;
    if (!known) continue;
    const reader = new DerReader(value.bytes, value.from, value.end, value.depth + 1);
    known.read(reader.next(known.tag, `the extension ${oid}`), into);
    reader.finish(`the extension ${oid}`);
  }
  return into;
}

type Body = Omit<AttributeCertificate, keyof Signed | "der">;

function readBody(reader: DerReader): { body: Body; algorithm: Algorithm } {
  const version = reader.next(TAG.integer, "version");
  if (readSmallInteger(version, "version") !== 1)
    refuse("an attribute certificate of an unknown version", version.start);
  const holder = readHolder(reader.next(TAG.sequence, "the holder"));
  const issuer = readIssuer(reader.next(context(0), "the issuer"));
  const algorithm = readAlgorithm(reader.next(TAG.sequence, "algorithm"));
  const serial = readSerial(reader.next(TAG.integer, "serial number"), "serial number");
  const validity = inside(reader.next(TAG.sequence, "validity"));
  const notBefore = readTime(validity.next(TAG.generalizedTime, "notBefore"), "notBefore");
  const notAfter = readTime(validity.next(TAG.generalizedTime, "notAfter"), "notAfter");
  validity.finish("validity");
  const membership = readAttributes(reader.next(TAG.sequence, "attributes"));
  reader.optional(TAG.bitString, "issuerUniqueID");
  const listed = reader.optional(TAG.sequence, "extensions");
  const raw = listed === null ? [] : readRawExtensions(listed);
  const unknownCritical = raw
    .filter(({ oid, critical }) => critical && !Object.hasOwn(EXTENSIONS, oid))
    .map(({ oid }) => oid);
  return {
    body: { holder, issuer, serial, notBefore, notAfter, ...membership, ...readExtensionsOf(raw), unknownCritical },
    algorithm,
  };
}

/** @param whole an attribute certificate inside something else */
function attributeCertificateOf(whole: Der): AttributeCertificate {
  const { body, tbs, algorithm, signature } = readSigned(
    whole,
    "the attribute certificate",
    "attribute-certificate",
    readBody,
  );
  return { der: wholeOf(whole), tbs, algorithm, signature, ...body };
}

/**
 * @param der one attribute certificate and nothing else; the result shares its memory
 * @throws {GridRefused} `der`, `attribute-certificate`, `name`, `limit`, `certificate`
 */
export function readAttributeCertificate(der: Buffer): AttributeCertificate {
  return attributeCertificateOf(readDer(der, TAG.sequence, "the attribute certificate"));
}

/**
 * What a proxy carries under 1.3.6.1.4.1.8005.100.100.5: SEQUENCE { SEQUENCE OF AttributeCertificate }.
 * @returns none when the certificate carries none
 * @throws {GridRefused} as {@link readAttributeCertificate}
 */
export function attributeCertificatesOf(certificate: Certificate): readonly AttributeCertificate[] {
  const bytes = certificate.extensions.attributeCertificates;
  if (bytes === null) return [];
  const what = "the attribute certificates";
  const outer = inside(readDer(bytes, TAG.sequence, what));
  const list = inside(outer.next(TAG.sequence, what));
  outer.finish(what);
  const found: AttributeCertificate[] = [];
  while (!list.done) {
    if (found.length === ATTRIBUTE_LIMITS.certificates)
      throw new GridRefused("limit", `more than ${ATTRIBUTE_LIMITS.certificates} attribute certificates`);
    found.push(attributeCertificateOf(list.next(TAG.sequence, what)));
  }
  return found;
}
