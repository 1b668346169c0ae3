/**
 * Making attribute certificates that the VOMS clients of C and Java and ARC accept. Pure but for the signature and, where no serial number
 * is given, a random one.
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, KeyObject, randomBytes, sign } from "node:crypto";
import { ATTRIBUTE_LIMITS, type GenericAttribute, notOfVo } from "./attribute-certificate.ts";
import type { Certificate } from "./certificate.ts";
import { context, contextPrimitive, TAG } from "./der.ts";
import {
  writeBits,
  writeDer,
  writeGeneralizedTime,
  writeInteger,
  writeNull,
  writeOctets,
  writeOid,
  writeSequence,
  writeSet,
  writeTrue,
} from "./der-write.ts";
import { formatFullFqan, parseFqan } from "./fqan.ts";
import { OID } from "./oids.ts";
import { GridRefused } from "./refused.ts";
import { signingMethod } from "./signature.ts";
import { keyIdOf } from "./verify-attribute-certificate.ts";

export interface AttributeGrant {
  /** The end entity's certificate, never its proxy's. */
  readonly holder: Certificate;
  /** The VOMS server's certificate. */
  readonly issuer: Certificate;
  /** The issuer's private key, PEM or read already; read ones are faster. */
  readonly key: string | KeyObject;
  readonly vo: string;
  /** Where the server is known: part of the policy authority, and the name of the `.lsc` file at every site. */
  readonly host: string;
  readonly port: number;
  /** Primary first; written with Role and Capability always, as vomsd does. */
  readonly fqans: readonly string[];
  readonly attributes?: readonly GenericAttribute[];
  /** Hosts that may use it; any when left out. */
  readonly targets?: readonly string[];
  /** Milliseconds since the epoch at which it begins. */
  readonly now: number;
  /** Milliseconds; never past the end of the issuer's certificate. */
  readonly lifetime: number;
  /** Hexadecimal, at most 20 octets; 128 random bits when left out. */
  readonly serial?: string;
  /**
   * How the holder is named beside the serial number: by its `subject` (the default: C, Java and ARC all accept it) or by its `issuer`
   * (RFC 5755; ARC 6 refuses it).
   */
  readonly holderForm?: "subject" | "issuer";
  /** Certificates between the issuer's and its root. VOMS' C library wants a pair of names in the `.lsc` for each. */
  readonly intermediates?: readonly Certificate[];
}

function refuse(message: string): never {
  throw new GridRefused("attribute-certificate", message);
}

const VO = /^[A-Za-z0-9_.-]{1,255}$/;

function check(grant: AttributeGrant): void {
  const { vo, host, port, fqans, attributes = [], targets } = grant;
  if (!VO.test(vo)) refuse(`"${vo.slice(0, 60)}" is no name of a VO`);
  if (!VO.test(host)) refuse(`"${host.slice(0, 60)}" is no name of a host`);
  if (!Number.isInteger(port) || port < 1 || port > 65535) refuse(`${port} is no port`);
  if (fqans.length === 0 || fqans.length > ATTRIBUTE_LIMITS.fqans)
    refuse(`expected 1 to ${ATTRIBUTE_LIMITS.fqans} FQANs`);
  for (const fqan of fqans) {
    const why = notOfVo(fqan, vo);
    if (why !== null) refuse(why);
  }
  if (attributes.length > ATTRIBUTE_LIMITS.attributes)
    refuse(`more than ${ATTRIBUTE_LIMITS.attributes} generic attributes`);
  if (targets !== undefined && (targets.length === 0 || targets.length > ATTRIBUTE_LIMITS.targets))
    refuse(`expected 1 to ${ATTRIBUTE_LIMITS.targets} targets`);
  for (const target of targets ?? []) if (!VO.test(target)) refuse(`"${target.slice(0, 60)}" is no name of a host`);
  const begin = Math.floor(grant.now / 1000) * 1000;
  if (!(grant.now >= 0 && grant.lifetime > 0 && Number.isFinite(begin + grant.lifetime)))
    refuse("a lifetime that is none");
  if (begin >= grant.issuer.notAfter) refuse(`the certificate of ${grant.issuer.subject.normal} has ended`);
  if (grant.serial !== undefined && !/^(?=.{1,40}$)[0-9A-Fa-f]*[1-9A-Fa-f][0-9A-Fa-f]*$/.test(grant.serial))
    refuse("a serial number is 1 to 40 hexadecimal digits, not all 0");
}

/** Keys seen to belong to a certificate: finding out costs as much as a signature's verification. */
const belonging = new WeakMap<KeyObject, Certificate>();

function signingKey({ key, issuer }: AttributeGrant): KeyObject {
  let read: KeyObject;
  try {
    read = key instanceof KeyObject ? key : createPrivateKey(key);
    if (belonging.get(read) === issuer) return read;
    // Compared as node:crypto writes them both: the certificate may encode the same key otherwise.
    const own = createPublicKey({ key: issuer.publicKey, format: "der", type: "spki" });
    if (createPublicKey(read).equals(own)) {
      belonging.set(read, issuer);
      return read;
    }
  } catch {
    throw new GridRefused("algorithm", `the private key of ${issuer.subject.normal} cannot be read`);
  }
  throw new GridRefused("issuer", `the key does not belong to the certificate of ${issuer.subject.normal}`);
}

function randomSerial(): string {
  const octets = randomBytes(16);
  // Positive, and of full length always.
  octets[0] = (octets[0]! & 0x3f) | 0x40;
  return octets.toString("hex");
}

const ia5 = (text: string): Buffer => Buffer.from(text, "latin1");
const uri = (text: string): Buffer => writeDer(contextPrimitive(6), ia5(text));
const directory = (name: Buffer): Buffer => writeSequence(writeDer(context(4), name));

function extension(oid: string, value: Buffer, critical = false): Buffer {
  return writeSequence(writeOid(oid), ...(critical ? [writeTrue()] : []), writeOctets(value));
}

function extensions(grant: AttributeGrant, authority: string): Buffer {
  const { attributes = [], targets, issuer, intermediates = [] } = grant;
  const text = (value: string): Buffer => writeOctets(Buffer.from(value, "utf8"));
  const list: Buffer[] = [];
  if (attributes.length > 0) {
    const each = attributes.map(({ name, value, qualifier }) =>
      writeSequence(text(name), text(value), text(qualifier)),
    );
    const provider = writeSequence(writeSequence(uri(authority)), writeSequence(...each));
    list.push(extension(OID.vomsAttributes, writeSequence(writeSequence(provider))));
  }
  const certificates = [issuer, ...intermediates].map(({ der }) => der);
  list.push(extension(OID.vomsIssuerCertificates, writeSequence(writeSequence(...certificates))));
  list.push(extension(OID.noRevAvail, writeNull()));
  const keyId = Buffer.from(keyIdOf(issuer), "hex");
  list.push(extension(OID.authorityKeyIdentifier, writeSequence(writeDer(contextPrimitive(0), keyId))));
  if (targets !== undefined) {
    const each = targets.map((target) => writeSequence(writeDer(context(0), uri(target))));
    list.push(extension(OID.targetInformation, writeSequence(writeSequence(...each)), true));
  }
  return writeSequence(...list);
}

/**
 * @returns DER of the attribute certificate
 * @throws {GridRefused} `attribute-certificate` for a grant that none can be made of, `algorithm` and `issuer` for the key
 */
export function issueAttributeCertificate(grant: AttributeGrant): Buffer {
  check(grant);
  const { holder, issuer, vo, host, port, now, lifetime } = grant;
  const key = signingKey(grant);
  const method = signingMethod(key);
  const algorithm = writeSequence(writeOid(method.oid), ...(method.withNull ? [writeNull()] : []));
  const authority = `${vo}://${host}:${port}`;
  const named = (grant.holderForm ?? "subject") === "subject" ? holder.subject : holder.issuer;
  const fqans = grant.fqans.map((fqan) => writeOctets(ia5(formatFullFqan(parseFqan(fqan)))));
  const tbs = writeSequence(
    writeInteger("1"),
    writeSequence(writeDer(context(0), directory(named.der), writeInteger(holder.serial))),
    writeDer(context(0), directory(issuer.subject.der)),
    algorithm,
    writeInteger(grant.serial ?? randomSerial()),
    writeSequence(writeGeneralizedTime(now), writeGeneralizedTime(Math.min(now + lifetime, issuer.notAfter))),
    writeSequence(
      writeSequence(
        writeOid(OID.vomsFqans),
        writeSet(writeSequence(writeDer(context(0), uri(authority)), writeSequence(...fqans))),
      ),
    ),
    extensions(grant, authority),
  );
  return writeDer(TAG.sequence, tbs, algorithm, writeBits(sign(method.hash, tbs, key)));
}

/**
 * What a proxy's extension 1.3.6.1.4.1.8005.100.100.5 holds.
 * @param certificates DER of each
 */
export function writeAttributeCertificates(certificates: readonly Buffer[]): Buffer {
  return writeSequence(writeSequence(...certificates));
}
