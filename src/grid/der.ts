/**
 * A strict reader of DER (X.690), made for certificates: definite and shortest lengths, shortest integers and object identifiers, one way to
 * say true. It walks over the bytes and copies nothing; every refusal says at which octet. High tag numbers do not occur in what this
 * room reads and are refused. The encodings of default values that DER forbids but authorities write (`critical` FALSE) are left to the
 * readers above: the signature is over the bytes as they came.
 */
import { GridRefused } from "./refused.ts";

export const DER_LIMITS = {
  /** Octets of one value; a revocation list of a large authority is the biggest thing read. */
  octets: 32 * 1024 * 1024,
  /** Constructed values inside each other. */
  depth: 32,
} as const;

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** @returns the tag of `[number]`, constructed (EXPLICIT, or IMPLICIT of something constructed) */
export const context = (number: number): number => 0xa0 | number;
/** @returns the tag of `[number]`, IMPLICIT of something primitive */
export const contextPrimitive = (number: number): number => 0x80 | number;

/** One value, as offsets into the bytes it was read from. */
export interface Der {
  readonly bytes: Buffer;
  readonly tag: number;
  /** Offset of the tag. */
  readonly start: number;
  /** Offset of the content. */
  readonly from: number;
  /** Offset behind the content. */
  readonly end: number;
  readonly depth: number;
}

const hex = (tag: number): string => `0x${tag.toString(16).padStart(2, "0")}`;

export function refuseDer(message: string, offset: number): never {
  throw new GridRefused("der", `${message} (octet ${offset})`, { offset });
}

/** Reads one value after the other. */
export class DerReader {
  readonly bytes: Buffer;
  readonly end: number;
  readonly depth: number;
  at: number;

  constructor(bytes: Buffer, from = 0, end = bytes.length, depth = 0) {
    if (end - from > DER_LIMITS.octets)
      throw new GridRefused("limit", `${end - from} octets, accepted are ${DER_LIMITS.octets}`, { offset: from });
    if (depth > DER_LIMITS.depth)
      throw new GridRefused("limit", `values nested deeper than ${DER_LIMITS.depth}`, { offset: from });
    this.bytes = bytes;
    this.at = from;
    this.end = end;
    this.depth = depth;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** @returns the next tag, or -1 at the end */
  get peek(): number {
    return this.at < this.end ? this.bytes[this.at]! : -1;
  }

  /**
   * @param tag what must come; any when left out
   * @param what for the sentence of a refusal
   * @throws {GridRefused} `der`
   */
  next(tag: number | null, what: string): Der {
    const { bytes, at: start, end } = this;
    if (start + 2 > end) refuseDer(`${what}: expected, the bytes end`, start);
    const found = bytes[start]!;
    if (tag !== null && found !== tag) refuseDer(`${what}: expected tag ${hex(tag)}, found ${hex(found)}`, start);
    if ((found & 0x1f) === 0x1f) refuseDer(`${what}: tag numbers above 30 are not supported`, start);
    let from = start + 2;
    let length = bytes[start + 1]!;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0) refuseDer(`${what}: indefinite length`, start + 1);
      if (octets > 4) refuseDer(`${what}: a length of ${octets} octets`, start + 1);
      if (from + octets > end) refuseDer(`${what}: the length is cut off`, start + 1);
      length = 0;
      for (let index = 0; index < octets; index++) length = length * 256 + bytes[from + index]!;
      from += octets;
      if (length < 0x80 || length < 2 ** (8 * (octets - 1))) refuseDer(`${what}: not the shortest length`, start + 1);
    }
    const stop = from + length;
    if (stop > end) refuseDer(`${what}: ${length} octets announced, ${end - from} there`, start);
    this.at = stop;
    return { bytes, tag: found, start, from, end: stop, depth: this.depth };
  }

  /** @returns the next value if it has this tag, else `null` */
  optional(tag: number, what: string): Der | null {
    return this.peek === tag ? this.next(tag, what) : null;
  }

  /** @throws {GridRefused} `der` when something is left */
  finish(what: string): void {
    if (!this.done) refuseDer(`${what}: unexpected octets at the end`, this.at);
  }
}

/** @returns a reader of what is inside a constructed value, or of the DER inside an OCTET STRING */
export function inside(der: Der): DerReader {
  return new DerReader(der.bytes, der.from, der.end, der.depth + 1);
}

/**
 * The one value that the bytes are.
 * @throws {GridRefused} `der` also when something follows it
 */
export function readDer(bytes: Buffer, tag: number, what: string): Der {
  const reader = new DerReader(bytes);
  const der = reader.next(tag, what);
  reader.finish(what);
  return der;
}

/** @returns tag, length and content: what a signature covers; shares memory with the input */
export function wholeOf(der: Der): Buffer {
  return der.bytes.subarray(der.start, der.end);
}

/** @returns the content alone; shares memory with the input */
export function contentOf(der: Der): Buffer {
  return der.bytes.subarray(der.from, der.end);
}

/** X.690 8.2, 11.1. */
export function readBoolean(der: Der, what: string): boolean {
  const value = der.bytes[der.from];
  if (der.end - der.from !== 1 || (value !== 0 && value !== 0xff))
    refuseDer(`${what}: not a boolean of DER`, der.start);
  return value === 0xff;
}

function checkInteger(der: Der, what: string): void {
  const { bytes, from, end } = der;
  if (end === from) refuseDer(`${what}: an integer without octets`, der.start);
  if (end - from > 1) {
    const first = bytes[from]!;
    const high = bytes[from + 1]! & 0x80;
    if ((first === 0 && high === 0) || (first === 0xff && high !== 0))
      refuseDer(`${what}: not the shortest integer`, der.start);
  }
}

/** @returns an integer from 0 to 2147483647 */
export function readSmallInteger(der: Der, what: string): number {
  checkInteger(der, what);
  if (der.end - der.from > 4 || der.bytes[der.from]! >= 0x80) refuseDer(`${what}: expected 0 to 2147483647`, der.start);
  return der.bytes.readUIntBE(der.from, der.end - der.from);
}

/** RFC 5280 4.1.2.2: at most 20 octets. @returns upper-case hexadecimal without leading zero octets, as OpenSSL prints serial numbers */
export function readSerial(der: Der, what: string): string {
  checkInteger(der, what);
  const { bytes, from, end } = der;
  if (bytes[from]! >= 0x80) refuseDer(`${what}: a negative number`, der.start);
  const first = bytes[from] === 0 && end - from > 1 ? from + 1 : from;
  if (end - first > 20) refuseDer(`${what}: more than 20 octets`, der.start);
  return bytes.toString("hex", first, end).toUpperCase();
}

/** @returns the octets of a BIT STRING that has no unused bits; shares memory with the input */
export function readBitOctets(der: Der, what: string): Buffer {
  if (der.end === der.from || der.bytes[der.from] !== 0) refuseDer(`${what}: expected whole octets`, der.start);
  return der.bytes.subarray(der.from + 1, der.end);
}

/** Named bits (X.690 11.2.2), at most 16. @returns bit 0 as 1, bit 1 as 2, … */
export function readNamedBits(der: Der, what: string): number {
  const { bytes, from, end } = der;
  const unused = bytes[from] ?? 8;
  if (unused > 7 || end - from > 3 || (end - from === 1 && unused > 0)) refuseDer(`${what}: not named bits`, der.start);
  let flags = 0;
  for (let at = from + 1; at < end; at++)
    for (let bit = 0; bit < 8; bit++)
      if (bytes[at]! & (0x80 >> bit)) {
        if (at === end - 1 && bit >= 8 - unused) refuseDer(`${what}: unused bits are set`, der.start);
        flags |= 1 << (8 * (at - from - 1) + bit);
      }
  return flags;
}

const OID_OCTETS = 64;

/** X.690 8.19. @returns the dotted form */
export function readOid(der: Der, what: string): string {
  const { bytes, from, end } = der;
  if (end === from || end - from > OID_OCTETS || bytes[end - 1]! >= 0x80)
    refuseDer(`${what}: not an object identifier`, der.start);
  let text = "";
  let arc = 0;
  let begins = true;
  for (let at = from; at < end; at++) {
    const octet = bytes[at]!;
    if (begins && octet === 0x80) refuseDer(`${what}: not the shortest object identifier`, at);
    arc = arc * 128 + (octet & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 256) refuseDer(`${what}: an arc too large`, at);
    begins = octet < 0x80;
    if (!begins) continue;
    if (text === "") {
      const first = Math.min(2, Math.floor(arc / 40));
      text = `${first}.${arc - 40 * first}`;
    } else text += `.${arc}`;
    arc = 0;
  }
  return text;
}

/** X.690 8.8: nothing is in it. */
export function readNull(der: Der, what: string): void {
  if (der.end !== der.from) refuseDer(`${what}: a NULL with something in it`, der.start);
}

function digits(der: Der, offset: number, count: number, what: string): number {
  let value = 0;
  for (let at = der.from + offset; at < der.from + offset + count; at++) {
    const digit = der.bytes[at]! - 0x30;
    if (!(digit >= 0 && digit <= 9)) refuseDer(`${what}: not a time`, at);
    value = value * 10 + digit;
  }
  return value;
}

/**
 * UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 writes them: with seconds, without fractions, in Zulu.
 * @returns milliseconds since the epoch
 */
export function readTime(der: Der, what: string): number {
  const short = der.tag === TAG.utcTime;
  if (!short && der.tag !== TAG.generalizedTime) refuseDer(`${what}: expected a time`, der.start);
  const wide = short ? 2 : 4;
  if (der.end - der.from !== wide + 11 || der.bytes[der.end - 1] !== 0x5a)
    refuseDer(`${what}: expected ${short ? "YYMMDDHHMMSSZ" : "YYYYMMDDHHMMSSZ"}`, der.start);
  let year = digits(der, 0, wide, what);
  if (short) year += year < 50 ? 2000 : 1900;
  const month = digits(der, wide, 2, what);
  const day = digits(der, wide + 2, 2, what);
  const hour = digits(der, wide + 4, 2, what);
  const minute = digits(der, wide + 6, 2, what);
  const second = digits(der, wide + 8, 2, what);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59)
    refuseDer(`${what}: no such moment`, der.start);
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}
