/**
 * Names as certificates hold them (RFC 5280 4.1.2.4) ⇄ the house's one-line normal form. What the one-line form cannot carry is refused: parts
 * with several values, values that contain `/TYPE=`, values that are no text. Letter case and blanks are kept, so two names
 * are one only if their characters are; how the characters were encoded (PrintableString, UTF8String, BMPString) makes no difference.
 */
import { Buffer } from "node:buffer";
import { contentOf, type Der, inside, readOid, TAG, wholeOf } from "./der.ts";
import { writeDer, writeOid, writeSequence, writeSet } from "./der-write.ts";
import { DN_LIMIT, formatOneline, NameRefused, nameOfParts, type Rdn } from "./dn.ts";
import { NAME_TYPES } from "./oids.ts";
import { GridRefused } from "./refused.ts";

export interface X509Name {
  readonly rdns: readonly Rdn[];
  /** The one-line normal form. */
  readonly normal: string;
  /** As it stands in the certificate: to be copied, never to be compared. */
  readonly der: Buffer;
}

const PARTS = 64;

function refuse(message: string, offset: number): never {
  throw new GridRefused("name", `${message} (octet ${offset})`, { offset });
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function sevenBit(octets: Buffer): string | null {
  for (const octet of octets) if (octet >= 0x80) return null;
  return octets.toString("latin1");
}

function utf8(octets: Buffer): string | null {
  const plain = sevenBit(octets);
  if (plain !== null) return plain;
  try {
    return UTF8.decode(octets);
  } catch {
    return null;
  }
}

function wide(octets: Buffer, size: 2 | 4): string | null {
  if (octets.length % size !== 0) return null;
  let text = "";
  for (let at = 0; at < octets.length; at += size) {
    const point = octets.readUIntBE(at, size);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
    text += String.fromCodePoint(point);
  }
  return text;
}

/** Kinds of text → how they are read. T61String is read as ISO 8859-1: that is what authorities put in it. */
const TEXTS: Readonly<Record<number, (octets: Buffer) => string | null>> = {
  [TAG.utf8String]: utf8,
  [TAG.printableString]: sevenBit,
  [TAG.ia5String]: sevenBit,
  [TAG.visibleString]: sevenBit,
  [TAG.t61String]: (octets) => octets.toString("latin1"),
  [TAG.bmpString]: (octets) => wide(octets, 2),
  [TAG.universalString]: (octets) => wide(octets, 4),
};

function typeOf(oid: string): string {
  return NAME_TYPES[oid] ?? oid;
}

/**
 * @param der a Name
 * @throws {GridRefused} `name` for what the one-line form cannot carry, `der` for broken bytes
 */
export function readX509Name(der: Der): X509Name {
  const pairs: Rdn[] = [];
  const reader = inside(der);
  while (!reader.done) {
    if (pairs.length === PARTS) refuse(`a name of more than ${PARTS} parts`, reader.at);
    const set = inside(reader.next(TAG.set, "a part of a name"));
    const pair = inside(set.next(TAG.sequence, "a part of a name"));
    if (!set.done) refuse("a part of a name with several values", set.at);
    const type = typeOf(readOid(pair.next(TAG.oid, "the type of a name's part"), "the type of a name's part"));
    const value = pair.next(null, "the value of a name's part");
    pair.finish("a part of a name");
    const text = TEXTS[value.tag]?.(contentOf(value)) ?? null;
    if (text === null) refuse(`the value of ${type} is no text`, value.start);
    pairs.push({ type, value: text });
  }
  try {
    const rdns = nameOfParts(pairs);
    const normal = formatOneline(rdns);
    if (normal.length > DN_LIMIT) refuse(`a name has at most ${DN_LIMIT} characters`, der.start);
    return { rdns, normal, der: wholeOf(der) };
  } catch (error) {
    if (error instanceof NameRefused) refuse(error.message, der.start);
    throw error;
  }
}

const OIDS = new Map(Object.entries(NAME_TYPES).map(([oid, type]) => [type, oid]));
const IA5: ReadonlySet<string> = new Set(["DC", "emailAddress"]);
const PRINTABLE: ReadonlySet<string> = new Set(["C", "serialNumber", "dnQualifier"]);

/**
 * @param rdns as {@link parseOneline} returns them
 * @returns a Name: DC and emailAddress as IA5String, C and serialNumber as PrintableString, the rest as UTF8String (RFC 5280 4.1.2.4)
 * @throws {GridRefused} `name` for a type without a known object identifier
 */
export function writeX509Name(rdns: readonly Rdn[]): Buffer {
  return writeSequence(
    ...rdns.map(({ type, value }) => {
      const oid = OIDS.get(type) ?? type;
      if (!/^[0-2](?:\.[0-9]{1,12}){1,16}$/.test(oid))
        throw new GridRefused("name", `${type} is no known type of a name's part`);
      const plain = /^[\x20-\x7e]*$/.test(value);
      const tag =
        plain && IA5.has(type) ? TAG.ia5String : plain && PRINTABLE.has(type) ? TAG.printableString : TAG.utf8String;
      return writeSet(writeSequence(writeOid(oid), writeDer(tag, Buffer.from(value, "utf8"))));
    }),
  );
}
