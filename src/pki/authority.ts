/**
 * The site's own certificate authority for lab and embedded use: EC P-256, because a new mutual-TLS connection costs a third less
 * than with RSA-2048. Pure but for random numbers; keys are handed out as PEM and stored by the store, encrypted.
 */
import "./reflect.ts";
import { webcrypto, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as unknown as Crypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** For those whose clients know nothing else. */
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;
const DAY = 24 * 3600 * 1000;
/** Clocks of machines are never quite equal: certificates are valid from a little earlier. */
const BACKDATE = 10 * 60 * 1000;

export interface KeyPairPem {
  /** Certificate, PEM. */
  readonly certificate: string;
  /** PKCS #8 private key, PEM. Never logged, never an argument. */
  readonly key: string;
}

export interface CertificateSubject {
  readonly commonName: string;
  /** What the holder is: `guest`, `host` (a hypervisor's daemon), or `operator` for people; becomes the organizational unit. */
  readonly unit: "guest" | "operator" | "host";
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

/** @returns 20 octets as RFC 5280 4.1.2.2 allows, positive. */
function serialNumber(): string {
  const octets = webcrypto.getRandomValues(new Uint8Array(16));
  octets[0]! &= 0x7f;
  return Buffer.from(octets).toString("hex");
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", key as never);
  return x509.PemConverter.encode(pkcs8, "PRIVATE KEY");
}

/**
 * Makes a site's authority.
 * @param site name of the site, becomes the organization
 * @param now milliseconds since the epoch; the certificate is valid for ten years from then
 */
export async function createAuthority(site: string, now: number): Promise<KeyPairPem> {
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, [
    "sign",
    "verify",
  ])) as unknown as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ O: [site] }, { CN: [`${site} authority`] }],
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(now + 3650 * DAY),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: await privatePem(keys.privateKey) };
}

/** What a key may be used for; libvirt takes no RSA certificate that may not encipher keys. */
const USES = {
  ec: x509.KeyUsageFlags.digitalSignature,
  rsa: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
} as const;

/**
 * Issues a certificate good for both ends of mutual TLS.
 * @param authority what {@link createAuthority} returned
 * @param subject names and addresses; addresses may be reached by clients that know no name
 * @param now milliseconds since the epoch; valid for 397 days from then
 * @param kind of its key: P-256, or RSA of 2048 bits
 */
export async function issueCertificate(
  authority: KeyPairPem,
  subject: CertificateSubject,
  now: number,
  kind: "ec" | "rsa" = "ec",
): Promise<KeyPairPem> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = (await webcrypto.subtle.importKey(
    "pkcs8",
    x509.PemConverter.decodeFirst(authority.key),
    ALGORITHM,
    false,
    ["sign"],
  )) as unknown as webcrypto.CryptoKey;
  const keys = (await webcrypto.subtle.generateKey(kind === "rsa" ? RSA : ALGORITHM, true, [
    "sign",
    "verify",
  ])) as unknown as webcrypto.CryptoKeyPair;
  const organization = issuer.subjectName.getField("O");
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ O: organization }, { OU: [subject.unit] }, { CN: [subject.commonName] }],
    issuer: issuer.subject,
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(Math.min(now + 397 * DAY, issuer.notAfter.getTime())),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(USES[kind], true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...subject.dns.map((value) => ({ type: "dns" as const, value })),
        ...subject.ip.map((value) => ({ type: "ip" as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: await privatePem(keys.privateKey) };
}

/** @returns milliseconds since the epoch at which the certificate ends. */
export function expiresAt(certificate: string): number {
  return Date.parse(new X509Certificate(certificate).validTo);
}
