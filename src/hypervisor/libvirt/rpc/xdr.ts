/**
 * XDR (RFC 4506) as values that read and write: each type of libvirt's protocol is put together from these, so that what is sent and what is
 * expected stand in one place. Lengths are bounded while reading: an answer decides nothing about memory.
 */

/** Longest text or opaque, in octets: libvirt's own limit for a string. */
const LONGEST = 4 * 1024 * 1024;
/** Most elements of a list. */
const MOST = 65_536;

/** Octets that are not what was expected. */
export class XdrFault extends Error {
  override readonly name = "XdrFault";
}

export class XdrWriter {
  readonly #parts: Buffer[] = [];

  /** @param size octets that `fill` writes into a new buffer */
  put(size: number, fill: (into: Buffer) => void): void {
    const part = Buffer.alloc(size);
    fill(part);
    this.#parts.push(part);
  }

  /** Octets, filled up to a multiple of four. */
  octets(octets: Uint8Array): void {
    this.put(octets.length + padding(octets.length), (into) => into.set(octets));
  }

  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export class XdrReader {
  readonly #from: Buffer;
  #at = 0;

  constructor(from: Buffer) {
    this.#from = from;
  }

  /** @throws {XdrFault} when there are not so many octets left */
  take(size: number): Buffer {
    if (this.#at + size > this.#from.length) throw new XdrFault(`${size} octets expected, ${this.left} are left`);
    const taken = this.#from.subarray(this.#at, this.#at + size);
    this.#at += size;
    return taken;
  }

  octets(size: number): Buffer {
    const taken = this.take(size);
    this.take(padding(size));
    return taken;
  }

  get left(): number {
    return this.#from.length - this.#at;
  }
}

const padding = (size: number): number => (4 - (size % 4)) % 4;

export interface Xdr<Value> {
  readonly write: (into: XdrWriter, value: Value) => void;
  /** @throws {XdrFault} */
  readonly read: (from: XdrReader) => Value;
}
export type ValueOf<Type> = Type extends Xdr<infer Value> ? Value : never;

/** 32 bits with a sign. */
export const int: Xdr<number> = {
  write: (into, value) => into.put(4, (part) => part.writeInt32BE(value)),
  read: (from) => from.take(4).readInt32BE(),
};
/** 32 bits without one. */
export const unsigned: Xdr<number> = {
  write: (into, value) => into.put(4, (part) => part.writeUInt32BE(value)),
  read: (from) => from.take(4).readUInt32BE(),
};
/** 64 bits. Numbers of libvirt are octets, kibioctets and nanoseconds: as a `number` a year of nanoseconds is right to four of them. */
export const hyper: Xdr<number> = {
  write: (into, value) => into.put(8, (part) => part.writeBigInt64BE(BigInt(value))),
  read: (from) => Number(from.take(8).readBigInt64BE()),
};
export const unsignedHyper: Xdr<number> = {
  write: (into, value) => into.put(8, (part) => part.writeBigUInt64BE(BigInt(value))),
  read: (from) => Number(from.take(8).readBigUInt64BE()),
};
const double: Xdr<number> = {
  write: (into, value) => into.put(8, (part) => part.writeDoubleBE(value)),
  read: (from) => from.take(8).readDoubleBE(),
};

const utf8 = new TextDecoder("utf-8", { fatal: true });

export const text: Xdr<string> = {
  write: (into, value) => {
    const octets = Buffer.from(value, "utf8");
    if (octets.length > LONGEST) throw new XdrFault(`a text of ${octets.length} octets: at most ${LONGEST}`);
    unsigned.write(into, octets.length);
    into.octets(octets);
  },
  read: (from) => {
    const size = unsigned.read(from);
    if (size > LONGEST) throw new XdrFault(`a text of ${size} octets: at most ${LONGEST}`);
    try {
      return utf8.decode(from.octets(size));
    } catch (error) {
      if (error instanceof XdrFault) throw error;
      throw new XdrFault("a text that is not UTF-8");
    }
  },
};

/** So many octets, always: a UUID. */
export const fixed = (size: number): Xdr<Buffer> => ({
  write: (into, value) => {
    if (value.length !== size) throw new XdrFault(`${size} octets expected, ${value.length} given`);
    into.octets(value);
  },
  read: (from) => Buffer.from(from.octets(size)),
});

/** What may be missing. */
export const optional = <Value>(type: Xdr<Value>): Xdr<Value | null> => ({
  write: (into, value) => {
    unsigned.write(into, value === null ? 0 : 1);
    if (value !== null) type.write(into, value);
  },
  read: (from) => (flag(unsigned.read(from)) ? type.read(from) : null),
});

function flag(value: number): boolean {
  if (value > 1) throw new XdrFault(`0 or 1 expected, found ${value}`);
  return value === 1;
}

export const list = <Value>(type: Xdr<Value>): Xdr<readonly Value[]> => ({
  write: (into, values) => {
    unsigned.write(into, values.length);
    for (const value of values) type.write(into, value);
  },
  read: (from) => {
    const count = unsigned.read(from);
    if (count > MOST) throw new XdrFault(`a list of ${count}: at most ${MOST}`);
    return Array.from({ length: count }, () => type.read(from));
  },
});

type Fields = Readonly<Record<string, Xdr<never>>>;
type Record_<Types> = { readonly [Name in keyof Types]: ValueOf<Types[Name]> };

/** Fields one after the other, in the order in which they stand here. */
export const struct = <const Types extends Readonly<Record<string, unknown>>>(fields: Types): Xdr<Record_<Types>> => {
  const all = Object.entries(fields as unknown as Fields);
  return {
    write: (into, value) => {
      for (const [name, type] of all) type.write(into, (value as Readonly<Record<string, never>>)[name]!);
    },
    read: (from) => Object.fromEntries(all.map(([name, type]) => [name, type.read(from)])) as unknown as Record_<Types>,
  };
};

export const nothing: Xdr<null> = { write: () => {}, read: () => null };

/** Values of libvirt's typed parameters, by the number of their type. */
const PARAMETER_TYPES = [
  ["int", 1, int],
  ["uint", 2, unsigned],
  ["llong", 3, hyper],
  ["ullong", 4, unsignedHyper],
  ["double", 5, double],
  ["boolean", 6, int],
  ["string", 7, text],
] as const;
export type ParameterType = (typeof PARAMETER_TYPES)[number][0];

/** `{ field: "vcpu_quota", type: "llong", value: 10000 }`; a boolean is 0 or 1. */
export interface TypedParameter {
  readonly field: string;
  readonly type: ParameterType;
  readonly value: number | string;
}

export const typedParameter: Xdr<TypedParameter> = {
  write: (into, { field, type, value }) => {
    text.write(into, field);
    const [, number, written] = PARAMETER_TYPES.find(([name]) => name === type)!;
    int.write(into, number);
    (written as Xdr<number | string>).write(into, value);
  },
  read: (from) => {
    const field = text.read(from);
    const number = int.read(from);
    const found = PARAMETER_TYPES.find(([, one]) => one === number);
    if (!found) throw new XdrFault(`${field} has the type ${number}, which nobody here knows`);
    return { field, type: found[0], value: found[2].read(from) };
  },
};
