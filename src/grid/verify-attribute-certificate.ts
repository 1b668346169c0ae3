/**
 * Believing an attribute certificate: made out to this end entity, by a server that this VO is known by, signed, in time, for this host. Who
 * may speak for a VO is never a question of trusted authorities alone, or any host with a certificate could: a `.lsc` file or the
 * server's certificate itself says it.
 */
import { createHash } from "node:crypto";
import { type AttributeCertificate, attributeCertificatesOf, type GenericAttribute } from "./attribute-certificate.ts";
import type { Certificate } from "./certificate.ts";
import { inside, readBitOctets, readDer, TAG } from "./der.ts";
import { KEY_USAGE } from "./extensions.ts";
import { type PathRules, type ValidPath, validateProxyPath } from "./proxy-path.ts";
import { GridRefused } from "./refused.ts";
import { verifySignature } from "./signature.ts";
import type { VomsTrust } from "./voms-files.ts";

export interface AttributeRules extends Omit<PathRules, "purpose"> {
  readonly anchors: readonly Certificate[];
  /** Either who may speak for which VO (`.lsc`), or certificates of VOMS servers that are believed for every VO named with them. */
  readonly trust: readonly VomsTrust[] | { readonly vo: string; readonly certificates: readonly Certificate[] };
  /** Full name of this host; needed for those that name targets. */
  readonly host?: string;
  /** Milliseconds that the VOMS server's clock may be ahead. Default 5 minutes, as in VOMS' own library. */
  readonly skew?: number;
}

export interface Membership {
  readonly vo: string;
  /** `vo://host:port` */
  readonly authority: string;
  /** Primary first. */
  readonly fqans: readonly string[];
  readonly attributes: readonly GenericAttribute[];
  /** Normal forms of the signing server's name and of its authority's. */
  readonly issuer: string;
  readonly issuerAuthority: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const SKEW = 5 * 60 * 1000;

/** RFC 5280 4.2.1.2, method 1. @returns SHA-1 of the key's bits, lower-case hexadecimal */
export function keyIdOf(certificate: Certificate): string {
  const reader = inside(readDer(certificate.publicKey, TAG.sequence, "public key"));
  reader.next(TAG.sequence, "public key");
  const bits = readBitOctets(reader.next(TAG.bitString, "public key"), "public key");
  return createHash("sha1").update(bits).digest("hex");
}

/** A `.lsc` gives names from the server up, or (VOMS' C library) name and issuer of each certificate in turn. */
function fitsNames(path: ValidPath, names: readonly string[]): boolean {
  const climb = path.certificates.map(({ subject }) => subject.normal);
  const pairs = path.certificates.flatMap(({ subject, issuer }) => [subject.normal, issuer.normal]);
  return [climb, pairs].some((own) => names.length <= own.length && names.every((name, at) => name === own[at]));
}

function refuseIssuer(message: string): never {
  throw new GridRefused("issuer", message);
}

/** The certificate that may have signed, and the path that says who it is. */
function issuerOf(ac: AttributeCertificate, rules: AttributeRules): ValidPath {
  const { trust } = rules;
  const name = ac.issuer.normal;
  const pinned = "certificates" in trust;
  if (pinned && trust.vo !== ac.vo) refuseIssuer(`${name} is not known to speak for the VO ${ac.vo}`);
  const given = pinned ? trust.certificates : ac.issuerCertificates;
  const issuer = given.find(({ subject }) => subject.normal === name);
  if (issuer === undefined) return refuseIssuer(`no certificate of ${name}, which signed for the VO ${ac.vo}`);
  const path = validateProxyPath([issuer, ...ac.issuerCertificates], rules.anchors, { ...rules, purpose: "any" });
  if (path.kind !== "none") refuseIssuer(`${path.subject} is a proxy, which may not speak for a VO`);
  if (!pinned) {
    const chains = trust
      .filter(({ vo, host }) => vo === ac.vo && host.toLowerCase() === ac.host.toLowerCase())
      .flatMap((one) => one.chains);
    if (!chains.some((names) => fitsNames(path, names)))
      refuseIssuer(`${name} of ${issuer.issuer.normal} is not known to speak for the VO ${ac.vo} at ${ac.host}`);
  }
  return path;
}

function checkHolder(ac: AttributeCertificate, holder: Certificate): void {
  const { name, serial } = ac.holder;
  // By the name of the issuer as RFC 5755 has it, or of the subject as VOMS without --newformat writes it.
  const named = name.normal === holder.issuer.normal || name.normal === holder.subject.normal;
  if (serial !== holder.serial || !named)
    throw new GridRefused(
      "holder",
      `made out to serial ${serial} of ${name.normal}, not to ${holder.subject.normal} (serial ${holder.serial})`,
    );
}

/**
 * @param holder the end entity of a path validated before, never the proxy
 * @throws {GridRefused} `holder`, `not-yet-valid`, `expired`, `critical-extension`, `target`, `attribute-certificate`, `issuer`, `signature`,
 *   `algorithm`, `key-usage`, and what {@link validateProxyPath} says of the issuer
 */
export function verifyAttributeCertificate(
  ac: AttributeCertificate,
  holder: Certificate,
  rules: AttributeRules,
): Membership {
  const { now, skew = SKEW } = rules;
  checkHolder(ac, holder);
  const what = `the attribute certificate of the VO ${ac.vo}`;
  if (now + skew < ac.notBefore)
    throw new GridRefused("not-yet-valid", `${what} is valid only from ${new Date(ac.notBefore).toISOString()}`);
  if (now > ac.notAfter)
    throw new GridRefused("expired", `${what} was valid only until ${new Date(ac.notAfter).toISOString()}`);
  if (ac.unknownCritical.length > 0)
    throw new GridRefused(
      "critical-extension",
      `${what} has the critical extension ${ac.unknownCritical[0]}, which nobody here understands`,
    );
  if (!ac.noRevocation)
    throw new GridRefused("attribute-certificate", `${what} could be taken back, and nobody here can ask`);
  if (ac.targets !== null) {
    const host = rules.host?.toLowerCase();
    if (host === undefined || host === "" || !ac.targets.some((target) => target.toLowerCase() === host))
      throw new GridRefused("target", `${what} is not for ${rules.host ?? "a host without a name"}`);
  }
  const path = issuerOf(ac, { ...rules, skew });
  const issuer = path.endEntity;
  const keyId = ac.authorityKey?.keyId ?? null;
  if (keyId !== null && keyId !== issuer.extensions.subjectKeyId && keyId !== keyIdOf(issuer))
    refuseIssuer(`${what} names another key than that of ${issuer.subject.normal}`);
  const { keyUsage } = issuer.extensions;
  if (keyUsage !== null && !(keyUsage & KEY_USAGE.digitalSignature))
    throw new GridRefused("key-usage", `the key of ${issuer.subject.normal} may not sign`);
  verifySignature(ac, issuer, what, rules);
  return {
    vo: ac.vo,
    authority: ac.authority,
    fqans: ac.fqans,
    attributes: ac.attributes,
    issuer: issuer.subject.normal,
    issuerAuthority: issuer.issuer.normal,
    notBefore: ac.notBefore,
    notAfter: ac.notAfter,
  };
}

/**
 * Memberships that a validated path carries: those of the lowest certificate that has any, as VOMS' own library does. An independent
 * proxy has none of its issuer's, only its own.
 * @returns in the order of the certificates; the first FQAN of the first is the primary one
 * @throws {GridRefused} when any of them is refused: a proxy with a bad one among good ones is not half believed
 */
export function membershipsOf(path: ValidPath, rules: AttributeRules): readonly Membership[] {
  const end = path.certificates.indexOf(path.endEntity);
  const asked = path.rights === "independent" ? path.certificates.slice(0, 1) : path.certificates.slice(0, end + 1);
  const carrier = asked.find(({ extensions }) => extensions.attributeCertificates !== null);
  if (carrier === undefined) return [];
  return attributeCertificatesOf(carrier).map((ac) => verifyAttributeCertificate(ac, path.endEntity, rules));
}
