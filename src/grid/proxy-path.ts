/**
 * Validating a chain: RFC 5280 6.1 from a trusted authority down to the end entity, RFC 3820 4 from there down to the proxy. This is the
 * house's authority on who somebody is: TLS libraries know nothing of proxies, and say "unauthorized" of every one.
 *
 * The path is searched among the certificates given, in any order but for the first, which is the one to validate. Several
 * authorities may have one name (a new key); each is tried, and the number of signatures looked at is bounded.
 */
import type { Certificate } from "./certificate.ts";
import { KEY_USAGE, unknownCritical } from "./extensions.ts";
import { outsideConstraints } from "./name-constraints.ts";
import { OID } from "./oids.ts";
import { CHAIN_LIMITS, type Chain, readChain } from "./pem.ts";
import { checkProxies, type ProxyKind, type ProxyRights, proxyKindOf } from "./proxy-rules.ts";
import { GridRefused } from "./refused.ts";
import { checkRevocation, type RevocationList, type RevocationRules } from "./revocation-list.ts";
import { publicKeyOf, verifySignature } from "./signature.ts";
import { type SigningPolicy, whyNotSigned } from "./signing-policy.ts";

export interface PathRules extends RevocationRules {
  /** Milliseconds by which clocks may differ: certificates are taken this much before their time, never after. Default 0. */
  readonly skew?: number;
  readonly crls?: readonly RevocationList[];
  /** When given, every authority of which one speaks may sign what it permits. */
  readonly signingPolicies?: readonly SigningPolicy[];
  /** What an authority may sign of which none of them speaks: nothing (the default), or anything. */
  readonly withoutPolicy?: "refuse" | "accept";
  /** `client` (the default) is for who stands behind a TLS client; `any` for who only signs, as VOMS servers do. */
  readonly purpose?: "client" | "any";
}

export interface ValidPath {
  /** Normal form of the end entity's name: who it is. */
  readonly identity: string;
  /** Normal form of the name of the certificate itself; the identity's own where it is no proxy. */
  readonly subject: string;
  readonly kind: ProxyKind;
  /** `independent` must not be given any right of the identity. */
  readonly rights: ProxyRights;
  /** Proxies that may still follow below; `null` means any number. */
  readonly pathLength: number | null;
  /** Milliseconds since the epoch: when all of the path is valid. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly endEntity: Certificate;
  /** From the one that was asked about up to the anchor. */
  readonly certificates: readonly Certificate[];
}

/** Signatures looked at for one chain: several times what the longest good one needs. */
const SIGNATURES = 96;

/** Anchors by name; made once for a set of anchors. */
const indexes = new WeakMap<readonly Certificate[], ReadonlyMap<string, readonly Certificate[]>>();

function bySubject(anchors: readonly Certificate[]): ReadonlyMap<string, readonly Certificate[]> {
  let index = indexes.get(anchors);
  if (index === undefined) {
    index = Map.groupBy(anchors, ({ subject }) => subject.normal);
    indexes.set(anchors, index);
  }
  return index;
}

const selfIssued = (one: Certificate): boolean => one.subject.normal === one.issuer.normal;

/** The identifiers help to choose; where both are there and differ, the key is another one. */
function mayHaveIssued(issuer: Certificate, one: Certificate): boolean {
  const wanted = one.extensions.authorityKey?.keyId ?? null;
  const has = issuer.extensions.subjectKeyId;
  return wanted === null || has === null || wanted === has;
}

class Search {
  readonly #pool: readonly Certificate[];
  readonly #anchors: ReadonlyMap<string, readonly Certificate[]>;
  readonly #rules: PathRules;
  #signatures = 0;
  /** What stood in the way first; what is wrong with a path found says more than what hindered finding others. */
  refused: GridRefused | null = null;
  #judged = false;

  constructor(pool: readonly Certificate[], anchors: readonly Certificate[], rules: PathRules) {
    this.#pool = pool;
    this.#anchors = bySubject(anchors);
    this.#rules = rules;
  }

  #trusted(one: Certificate): boolean {
    return (this.#anchors.get(one.subject.normal) ?? []).some((anchor) => anchor.der.equals(one.der));
  }

  #candidates(one: Certificate): readonly Certificate[] {
    const name = one.issuer.normal;
    const given = this.#pool.filter((other) => other.subject.normal === name);
    const all = proxyKindOf(one) === "none" ? [...(this.#anchors.get(name) ?? []), ...given] : given;
    return all.filter((other) => mayHaveIssued(other, one));
  }

  #attempt<Result>(work: () => Result): Result | null {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof GridRefused)) throw error;
      this.refused ??= error;
      return null;
    }
  }

  #judge<Result>(work: () => Result): Result | null {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof GridRefused)) throw error;
      if (!this.#judged) this.refused = error;
      this.#judged = true;
      return null;
    }
  }

  /** Depth first. @returns what `accept` makes of the first path it does not refuse */
  find<Result>(path: readonly Certificate[], accept: (path: readonly Certificate[]) => Result): Result | null {
    const last = path.at(-1)!;
    if (path.length > 1 && selfIssued(last) && this.#trusted(last)) return this.#judge(() => accept(path));
    if (path.length > CHAIN_LIMITS.certificates) {
      this.refused ??= new GridRefused("limit", `a path of more than ${CHAIN_LIMITS.certificates} certificates`);
      return null;
    }
    for (const candidate of this.#candidates(last)) {
      if (path.some((one) => one.der.equals(candidate.der))) continue;
      if (++this.#signatures > SIGNATURES) {
        this.refused ??= new GridRefused("limit", `more than ${SIGNATURES} signatures to look at`);
        return null;
      }
      const signed = this.#attempt(() => {
        verifySignature(last, candidate, `the certificate of ${last.subject.normal}`, this.#rules);
        return true;
      });
      const found = signed === null ? null : this.find([...path, candidate], accept);
      if (found !== null) return found;
    }
    this.refused ??= new GridRefused(
      "untrusted",
      selfIssued(last) && path.length === 1
        ? `${last.subject.normal} vouches only for itself`
        : `no trusted authority issued ${last.subject.normal} (issuer ${last.issuer.normal})`,
    );
    return null;
  }
}

function checkTime(one: Certificate, { now, skew = 0 }: PathRules): void {
  const name = one.subject.normal;
  if (now + skew < one.notBefore)
    throw new GridRefused("not-yet-valid", `${name} is valid only from ${new Date(one.notBefore).toISOString()}`);
  if (now > one.notAfter)
    throw new GridRefused("expired", `${name} was valid only until ${new Date(one.notAfter).toISOString()}`);
}

function checkAny(one: Certificate, rules: PathRules): void {
  checkTime(one, rules);
  const unknown = unknownCritical(one.extensions);
  if (unknown.length > 0)
    throw new GridRefused(
      "critical-extension",
      `${one.subject.normal} has the critical extension ${unknown[0]}, which nobody here understands`,
    );
  const purposes = one.extensions.extendedKeyUsage;
  const client = purposes === null || purposes.includes(OID.clientAuth) || purposes.includes(OID.anyExtendedKeyUsage);
  if (rules.purpose !== "any" && !client)
    throw new GridRefused("key-usage", `${one.subject.normal} is not meant for clients`);
}

/** RFC 5280 6.1.4 (k) to (n). @param below authorities between it and the end entity that are not self-issued */
function checkAuthority(one: Certificate, below: number): void {
  const { basicConstraints, keyUsage, proxy } = one.extensions;
  const name = one.subject.normal;
  if (!basicConstraints?.authority || proxy !== null) throw new GridRefused("authority", `${name} is no authority`);
  if (keyUsage !== null && !(keyUsage & KEY_USAGE.keyCertSign))
    throw new GridRefused("key-usage", `the key of ${name} may not sign certificates`);
  if (basicConstraints.pathLength !== null && below > basicConstraints.pathLength)
    throw new GridRefused(
      "path-length",
      `${name} allows ${basicConstraints.pathLength} authorities below it, there are ${below}`,
    );
}

/** Everything but the signatures, which the search has seen. */
function checkPath(path: readonly Certificate[], rules: PathRules): ValidPath {
  const position = path.findIndex((one) => proxyKindOf(one) === "none");
  const endEntity = path[position]!;
  if (position < 0 || position === path.length - 1)
    throw new GridRefused("untrusted", `${path[0]!.subject.normal} has no end entity under an authority`);
  for (const one of path.toReversed()) checkAny(one, rules);
  if (endEntity.extensions.basicConstraints?.authority)
    throw new GridRefused("authority", `${endEntity.subject.normal} is an authority, which is nobody's identity`);
  // Nobody checks a signature by the lowest key here, but whoever breaks it is this person.
  publicKeyOf(path[0]!, rules);
  const { keyUsage } = path[0]!.extensions;
  if (rules.purpose !== "any" && keyUsage !== null && !(keyUsage & KEY_USAGE.digitalSignature))
    throw new GridRefused("key-usage", `the key of ${path[0]!.subject.normal} may not sign`);
  let below = 0;
  for (let at = position + 1; at < path.length; at++) {
    const authority = path[at]!;
    const issued = path[at - 1]!;
    checkAuthority(authority, below);
    if (!selfIssued(authority)) below++;
    checkRevocation(issued, authority, rules.crls ?? [], rules);
    if (rules.signingPolicies !== undefined) {
      const why = whyNotSigned(
        rules.signingPolicies,
        authority.subject.normal,
        issued.subject.normal,
        rules.withoutPolicy,
      );
      if (why !== null) throw new GridRefused("signing-policy", why);
    }
    const { nameConstraints } = authority.extensions;
    if (nameConstraints === null) continue;
    for (const one of path.slice(0, at)) {
      if (selfIssued(one) && one !== endEntity) continue;
      const why = outsideConstraints(nameConstraints, one.subject, one.extensions.alternativeNames);
      if (why !== null) throw new GridRefused("name-constraint", why);
    }
  }
  return {
    identity: endEntity.subject.normal,
    subject: path[0]!.subject.normal,
    ...checkProxies(path.slice(0, position + 1)),
    notBefore: Math.max(...path.map((one) => one.notBefore)),
    notAfter: Math.min(...path.map((one) => one.notAfter)),
    endEntity,
    certificates: path,
  };
}

/**
 * Who is it? RFC 5280 6.1 and RFC 3820 4, with revocation lists and signing policies where given.
 * @param chain the certificate to validate first, what is above it in any order; PEM, DER, or read already
 * @param anchors the trusted authorities; only a self-issued one ends a path, others of them help to find it. Keep the array: it is
 *   indexed once.
 * @throws {GridRefused} with a code that says why, and a sentence; what {@link readChain} throws for bytes that are no chain
 */
export function validateProxyPath(chain: Chain, anchors: readonly Certificate[], rules: PathRules): ValidPath {
  const pool = readChain(chain);
  const search = new Search(pool, anchors, rules);
  const found = search.find([pool[0]!], (path) => checkPath(path, rules));
  if (found !== null) return found;
  throw search.refused ?? new GridRefused("untrusted", "no path to a trusted authority");
}
