/** Writes DER (X.690): each function returns a whole value; values are put together from the inside out. */
import { Buffer } from "node:buffer";
import { TAG } from "./der.ts";

/** @returns a value of this tag whose content are the parts, one after the other */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const octets = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
  const header = Buffer.alloc(2 + octets);
  header[0] = tag;
  if (octets === 0) header[1] = length;
  else {
    header[1] = 0x80 | octets;
    header.writeUIntBE(length, 2, octets);
  }
  return Buffer.concat([header, ...parts]);
}

export const writeSequence = (...parts: readonly Uint8Array[]): Buffer => writeDer(TAG.sequence, ...parts);
export const writeOctets = (octets: Uint8Array): Buffer => writeDer(TAG.octetString, octets);
export const writeBits = (octets: Uint8Array): Buffer => writeDer(TAG.bitString, Buffer.of(0), octets);
export const writeNull = (): Buffer => writeDer(TAG.null);
export const writeTrue = (): Buffer => writeDer(TAG.boolean, Buffer.of(0xff));

/** Members in ascending order of their encodings (X.690 11.6). */
export const writeSet = (...members: readonly Buffer[]): Buffer =>
  writeDer(TAG.set, ...members.toSorted((one, other) => Buffer.compare(one, other)));

/** @param hexadecimal of a number that is not negative, in either letter case */
export function writeInteger(hexadecimal: string): Buffer {
  const digits = hexadecimal.replace(/^0+(?=.)/, "");
  const octets = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return writeDer(TAG.integer, octets[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets);
}

/** @param dotted as in `2.5.4.3`; arcs up to 2^53 */
export function writeOid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const octets: number[] = [];
  for (const arc of [first! * 40 + second!, ...rest]) {
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      septets.unshift((left % 128) | 0x80);
    octets.push(...septets);
  }
  return writeDer(TAG.oid, Buffer.from(octets));
}

/** @param at milliseconds since the epoch, years 0 to 9999; fractions of a second are cut off */
export function writeGeneralizedTime(at: number): Buffer {
  const text = new Date(Math.floor(at / 1000) * 1000).toISOString().replace(/[-:T]|\.000/g, "");
  return writeDer(TAG.generalizedTime, Buffer.from(text, "latin1"));
}
