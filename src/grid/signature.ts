/**
 * Which signatures are accepted, and verifying them with node:crypto. A table says what each algorithm needs; MD5 is in it nowhere, SHA-1 only
 * for who asks. Keys are bounded in size both ways: too short is no proof, too long is a way to keep a server busy.
 */
import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { Algorithm, Certificate, Signed } from "./certificate.ts";
import { context, inside, readDer, readOid, readSmallInteger, TAG } from "./der.ts";
import { GridRefused } from "./refused.ts";

export interface SignatureRules {
  /** SHA-1 too; for reading what was signed long ago. Default: no. */
  readonly allowSha1?: boolean;
  /** Shortest RSA modulus, bits. Default 2048. */
  readonly minimumRsaBits?: number;
}

const LONGEST_RSA = 8192;
const CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);

interface Method {
  readonly key: "rsa" | "ec" | "ed25519" | "ed448";
  /** Name for node:crypto; `null` where the algorithm has its own. */
  readonly hash: "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | null;
  /** RFC 4055 wants NULL with RSA, RFC 5758 and 8410 nothing with the others; RSA without is met in the wild. */
  readonly parameters: "null" | "none" | "pss";
}

/** RFC 4055, 5758, 8410. */
const METHODS: Readonly<Record<string, Method>> = {
  "1.2.840.113549.1.1.5": { key: "rsa", hash: "sha1", parameters: "null" },
  "1.2.840.113549.1.1.14": { key: "rsa", hash: "sha224", parameters: "null" },
  "1.2.840.113549.1.1.11": { key: "rsa", hash: "sha256", parameters: "null" },
  "1.2.840.113549.1.1.12": { key: "rsa", hash: "sha384", parameters: "null" },
  "1.2.840.113549.1.1.13": { key: "rsa", hash: "sha512", parameters: "null" },
  "1.2.840.113549.1.1.10": { key: "rsa", hash: null, parameters: "pss" },
  "1.2.840.10045.4.1": { key: "ec", hash: "sha1", parameters: "none" },
  "1.2.840.10045.4.3.1": { key: "ec", hash: "sha224", parameters: "none" },
  "1.2.840.10045.4.3.2": { key: "ec", hash: "sha256", parameters: "none" },
  "1.2.840.10045.4.3.3": { key: "ec", hash: "sha384", parameters: "none" },
  "1.2.840.10045.4.3.4": { key: "ec", hash: "sha512", parameters: "none" },
  "1.3.101.112": { key: "ed25519", hash: null, parameters: "none" },
  "1.3.101.113": { key: "ed448", hash: null, parameters: "none" },
};

const PSS_HASHES: Readonly<Record<string, "sha256" | "sha384" | "sha512">> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};

const MGF1 = "1.2.840.113549.1.1.8";
const NULL = Buffer.of(TAG.null, 0);

function refuse(message: string): never {
  throw new GridRefused("algorithm", message);
}

/** RFC 4055 3.1; the same hash for both, as RFC 8017 recommends. */
function readPss(algorithm: Algorithm): { readonly hash: string; readonly saltLength: number } {
  const what = "the parameters of RSASSA-PSS";
  if (algorithm.parameters === null) refuse(`${what} are missing (SHA-1 by default)`);
  const reader = inside(readDer(algorithm.parameters, TAG.sequence, what));
  const hashes: string[] = [];
  let saltLength = 20;
  for (const number of [0, 1, 2, 3]) {
    const tagged = reader.optional(context(number), what);
    if (tagged === null) continue;
    const value = inside(tagged);
    if (number >= 2) {
      const integer = readSmallInteger(value.next(TAG.integer, what), what);
      if (number === 2) saltLength = integer;
      else if (integer !== 1) refuse(`${what}: an unknown trailer`);
    } else {
      let named = inside(value.next(TAG.sequence, what));
      let oid = readOid(named.next(TAG.oid, what), what);
      if (number === 1) {
        if (oid !== MGF1) refuse(`${what}: an unknown mask`);
        named = inside(named.next(TAG.sequence, what));
        oid = readOid(named.next(TAG.oid, what), what);
      }
      hashes.push(oid);
    }
  }
  reader.finish(what);
  const hash = PSS_HASHES[hashes[0] ?? ""];
  if (hash === undefined || hashes.length !== 2 || hashes[0] !== hashes[1])
    refuse(`${what}: SHA-256, 384 or 512 for both hashes is accepted`);
  if (saltLength > 64) refuse(`${what}: a salt of ${saltLength} octets`);
  return { hash, saltLength };
}

const keys = new WeakMap<Certificate, KeyObject>();

/**
 * The public key of a certificate; read once for each certificate read.
 * @throws {GridRefused} `algorithm` for a key that is not accepted
 */
export function publicKeyOf(certificate: Certificate, rules: SignatureRules = {}): KeyObject {
  let key = keys.get(certificate);
  if (key === undefined) {
    try {
      key = createPublicKey({ key: certificate.publicKey, format: "der", type: "spki" });
    } catch {
      refuse(`the public key of ${certificate.subject.normal} cannot be read`);
    }
    keys.set(certificate, key);
  }
  const kind = key.asymmetricKeyType;
  const details = key.asymmetricKeyDetails ?? {};
  if (kind === "rsa" || kind === "rsa-pss") {
    const bits = details.modulusLength ?? 0;
    const least = rules.minimumRsaBits ?? 2048;
    if (bits < least || bits > LONGEST_RSA)
      refuse(`the RSA key of ${certificate.subject.normal} has ${bits} bits, accepted are ${least} to ${LONGEST_RSA}`);
    // A public exponent as long as the modulus makes verifying as dear as signing.
    if ((details.publicExponent ?? 0n) > 0xffff_ffffn)
      refuse(`the RSA key of ${certificate.subject.normal} has an exponent of more than 32 bits`);
  } else if (kind === "ec") {
    if (!CURVES.has(details.namedCurve ?? ""))
      refuse(`the key of ${certificate.subject.normal} is on the curve ${details.namedCurve ?? "without a name"}`);
  } else if (kind !== "ed25519" && kind !== "ed448")
    refuse(`the key of ${certificate.subject.normal} is of the kind ${String(kind)}`);
  return key;
}

/**
 * @param signer whose key is asked; nothing else about it is looked at
 * @param what for the sentence: "the certificate of /CN=…"
 * @throws {GridRefused} `algorithm`, `signature`
 */
export function verifySignature(signed: Signed, signer: Certificate, what: string, rules: SignatureRules = {}): void {
  const { oid, parameters } = signed.algorithm;
  const method = Object.hasOwn(METHODS, oid)
    ? METHODS[oid]!
    : refuse(`${what} is signed by ${oid}, which is not accepted`);
  if (method.hash === "sha1" && !rules.allowSha1) refuse(`${what} is signed with SHA-1, which is not accepted`);
  if (method.parameters !== "pss" && parameters !== null && !(method.parameters === "null" && parameters.equals(NULL)))
    refuse(`${what} is signed with parameters nobody here understands`);
  const key = publicKeyOf(signer, rules);
  const kind = key.asymmetricKeyType === "rsa-pss" ? "rsa" : key.asymmetricKeyType;
  let fits = false;
  if (kind === method.key) {
    const pss = method.parameters === "pss" ? readPss(signed.algorithm) : null;
    try {
      fits = verify(
        pss?.hash ?? method.hash,
        signed.tbs,
        pss === null ? key : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: pss.saltLength },
        signed.signature,
      );
    } catch {
      fits = false;
    }
  }
  if (!fits) throw new GridRefused("signature", `${what} is not signed by ${signer.subject.normal}`);
}

/** Signatures this room makes: SHA-256 with the kind of key there is. @returns DER of the algorithm's object identifier, and the hash */
export function signingMethod(key: KeyObject): {
  readonly oid: string;
  readonly hash: string | null;
  readonly withNull: boolean;
} {
  const wanted = key.asymmetricKeyType;
  for (const [oid, method] of Object.entries(METHODS))
    if (method.key === wanted && (method.hash === "sha256" || (method.hash === null && method.parameters === "none")))
      return { oid, hash: method.hash, withNull: method.parameters === "null" };
  return refuse(`a key of the kind ${String(wanted)} signs nothing here`);
}
