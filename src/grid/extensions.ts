/**
 * The extensions of certificates that decide something here (RFC 5280 4.2, RFC 3820 3.8). One table says how each is read; what is
 * not in it is remembered by its identifier when it is critical, and refused by who validates.
 */
import {
  contentOf,
  context,
  contextPrimitive,
  type Der,
  DerReader,
  inside,
  readBoolean,
  readNamedBits,
  readOid,
  readSerial,
  readSmallInteger,
  refuseDer,
  TAG,
  wholeOf,
} from "./der.ts";
import { type GeneralName, readGeneralNames } from "./general-name.ts";
import { type NameConstraints, readNameConstraints } from "./name-constraints.ts";
import { OID } from "./oids.ts";
import { GridRefused } from "./refused.ts";

/** Bits of keyUsage (RFC 5280 4.2.1.3) as {@link Extensions.keyUsage} holds them. */
export const KEY_USAGE = { digitalSignature: 1, keyCertSign: 1 << 5, cRLSign: 1 << 6 } as const;

/** RFC 3820 3.8, or the Globus draft before it. */
export interface ProxyInformation {
  readonly kind: "rfc" | "draft";
  /** Proxies that may follow below; `null` means any number. */
  readonly pathLength: number | null;
  /** What it inherits of its issuer's rights; `other` is a language nobody here understands. */
  readonly rights: "all" | "limited" | "independent" | "other";
  /** Object identifier of the policy language. */
  readonly language: string;
  readonly policy: Buffer | null;
}

export interface AuthorityKey {
  /** Hexadecimal. */
  readonly keyId: string | null;
  readonly issuer: readonly GeneralName[] | null;
  readonly serial: string | null;
}

export interface Extensions {
  readonly basicConstraints: { readonly authority: boolean; readonly pathLength: number | null } | null;
  /** Bits of {@link KEY_USAGE}; `null` means not restricted. */
  readonly keyUsage: number | null;
  /** Object identifiers; `null` means not restricted. */
  readonly extendedKeyUsage: readonly string[] | null;
  readonly proxy: ProxyInformation | null;
  readonly authorityKey: AuthorityKey | null;
  /** Hexadecimal. */
  readonly subjectKeyId: string | null;
  readonly alternativeNames: readonly GeneralName[] | null;
  readonly issuerAlternativeNames: boolean;
  readonly nameConstraints: NameConstraints | null;
  /** The DER of VOMS' sequence of attribute certificates. */
  readonly attributeCertificates: Buffer | null;
  /** Object identifiers of all that are there, in order. */
  readonly present: readonly string[];
  /** Object identifiers of those that are critical. */
  readonly critical: readonly string[];
}

type Draft = { -readonly [Key in keyof Extensions]: Extensions[Key] };

const LIMIT = 64;

const RIGHTS: Readonly<Record<string, ProxyInformation["rights"]>> = {
  [OID.inheritAll]: "all",
  [OID.limitedProxy]: "limited",
  [OID.independent]: "independent",
};

/**
 * RFC 3820 puts the path length first; the draft puts it last, as `[1]`.
 * @param value the SEQUENCE
 */
function readProxy(value: Der, kind: "rfc" | "draft"): ProxyInformation {
  const what = "proxyCertInfo";
  const reader = inside(value);
  let length = reader.optional(TAG.integer, what);
  const policy = inside(reader.next(TAG.sequence, what));
  const language = readOid(policy.next(TAG.oid, what), what);
  const text = policy.optional(TAG.octetString, what);
  policy.finish(what);
  if (kind === "draft" && length === null) {
    const tagged = reader.optional(context(1), what);
    if (tagged) {
      const inner = inside(tagged);
      length = inner.next(TAG.integer, what);
      inner.finish(what);
    }
  }
  reader.finish(what);
  return {
    kind,
    pathLength: length === null ? null : readSmallInteger(length, what),
    rights: RIGHTS[language] ?? "other",
    language,
    policy: text === null ? null : contentOf(text),
  };
}

/** RFC 5280 4.2.1.1. */
export function readAuthorityKey(value: Der): AuthorityKey {
  const what = "authorityKeyIdentifier";
  const reader = inside(value);
  const keyId = reader.optional(contextPrimitive(0), what);
  const issuer = reader.optional(context(1), what);
  const serial = reader.optional(contextPrimitive(2), what);
  reader.finish(what);
  return {
    keyId: keyId === null ? null : contentOf(keyId).toString("hex"),
    issuer: issuer === null ? null : readGeneralNames(issuer),
    serial: serial === null ? null : readSerial(serial, what),
  };
}

function readBasicConstraints(value: Der): Extensions["basicConstraints"] {
  const what = "basicConstraints";
  const reader = inside(value);
  const authority = reader.optional(TAG.boolean, what);
  const length = reader.optional(TAG.integer, what);
  reader.finish(what);
  return {
    authority: authority !== null && readBoolean(authority, what),
    pathLength: length === null ? null : readSmallInteger(length, what),
  };
}

function readExtendedKeyUsage(value: Der): readonly string[] {
  const what = "extendedKeyUsage";
  const purposes: string[] = [];
  for (const reader = inside(value); !reader.done; ) {
    if (purposes.length === LIMIT) throw new GridRefused("limit", `more than ${LIMIT} purposes`, { offset: reader.at });
    purposes.push(readOid(reader.next(TAG.oid, what), what));
  }
  if (purposes.length === 0) refuseDer(`${what}: empty`, value.start);
  return purposes;
}

interface Known {
  /** Tag of the value inside the OCTET STRING; `null` when what is in it decides nothing here. */
  readonly tag: number | null;
  readonly read: (value: Der, into: Draft) => void;
}

const nothing = (): void => undefined;

const KNOWN: Readonly<Record<string, Known>> = {
  [OID.basicConstraints]: {
    tag: TAG.sequence,
    read: (value, into) => {
      into.basicConstraints = readBasicConstraints(value);
    },
  },
  [OID.keyUsage]: {
    tag: TAG.bitString,
    read: (value, into) => {
      into.keyUsage = readNamedBits(value, "keyUsage");
    },
  },
  [OID.extendedKeyUsage]: {
    tag: TAG.sequence,
    read: (value, into) => {
      into.extendedKeyUsage = readExtendedKeyUsage(value);
    },
  },
  [OID.proxyCertInfo]: {
    tag: TAG.sequence,
    read: (value, into) => {
      into.proxy = readProxy(value, "rfc");
    },
  },
  [OID.draftProxyCertInfo]: {
    tag: TAG.sequence,
    read: (value, into) => {
      into.proxy = readProxy(value, "draft");
    },
  },
  [OID.authorityKeyIdentifier]: {
    tag: TAG.sequence,
    read: (value, into) => {
      into.authorityKey = readAuthorityKey(value);
    },
  },
  [OID.subjectKeyIdentifier]: {
    tag: TAG.octetString,
    read: (value, into) => {
      into.subjectKeyId = contentOf(value).toString("hex");
    },
  },
  [OID.subjectAltName]: {
    tag: TAG.sequence,
    read: (value, into) => {
      into.alternativeNames = readGeneralNames(value);
    },
  },
  [OID.issuerAltName]: {
    tag: TAG.sequence,
    read: (_value, into) => {
      into.issuerAlternativeNames = true;
    },
  },
  [OID.nameConstraints]: {
    tag: TAG.sequence,
    read: (value, into) => {
      into.nameConstraints = readNameConstraints(value);
    },
  },
  [OID.vomsSequence]: {
    tag: TAG.sequence,
    read: (value, into) => {
      into.attributeCertificates = wholeOf(value);
    },
  },
  // Understood as RFC 5280 has them when no policy is asked for, and when lists are brought by the caller.
  [OID.certificatePolicies]: { tag: null, read: nothing },
  [OID.crlDistributionPoints]: { tag: null, read: nothing },
};

/** @returns those critical ones that nobody here understands */
export function unknownCritical(extensions: Extensions): readonly string[] {
  return extensions.critical.filter((oid) => !Object.hasOwn(KNOWN, oid));
}

export interface RawExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** The OCTET STRING. */
  readonly value: Der;
}

/**
 * A sequence of extensions, of a certificate or of anything else that has them.
 * @throws {GridRefused} `der`, `limit`; `der` also when one is there twice (RFC 5280 4.2)
 */
export function readRawExtensions(sequence: Der): readonly RawExtension[] {
  const what = "an extension";
  const found: RawExtension[] = [];
  for (const reader = inside(sequence); !reader.done; ) {
    if (found.length === LIMIT) throw new GridRefused("limit", `more than ${LIMIT} extensions`, { offset: reader.at });
    const start = reader.at;
    const one = inside(reader.next(TAG.sequence, what));
    const oid = readOid(one.next(TAG.oid, what), what);
    const critical = one.optional(TAG.boolean, what);
    const value = one.next(TAG.octetString, what);
    one.finish(what);
    for (const other of found) if (other.oid === oid) refuseDer(`the extension ${oid} is there twice`, start);
    found.push({ oid, critical: critical !== null && readBoolean(critical, what), value });
  }
  return found;
}

/** @param raw what {@link readRawExtensions} returned */
export function readExtensions(raw: readonly RawExtension[]): Extensions {
  const into: Draft = {
    basicConstraints: null,
    keyUsage: null,
    extendedKeyUsage: null,
    proxy: null,
    authorityKey: null,
    subjectKeyId: null,
    alternativeNames: null,
    issuerAlternativeNames: false,
    nameConstraints: null,
    attributeCertificates: null,
    present: raw.map(({ oid }) => oid),
    critical: raw.filter(({ critical }) => critical).map(({ oid }) => oid),
  };
  for (const { oid, value } of raw) {
    const known = Object.hasOwn(KNOWN, oid) ? KNOWN[oid] : undefined;
    if (!known || known.tag === null) continue;
    if (oid === OID.draftProxyCertInfo && into.proxy !== null) refuseDer("two kinds of proxyCertInfo", value.start);
    if (oid === OID.proxyCertInfo && into.proxy !== null) refuseDer("two kinds of proxyCertInfo", value.start);
    const reader = new DerReader(value.bytes, value.from, value.end, value.depth + 1);
    known.read(reader.next(known.tag, `the extension ${oid}`), into);
    reader.finish(`the extension ${oid}`);
  }
  return into;
}
