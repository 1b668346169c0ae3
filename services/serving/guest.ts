/**
 * What a program may count on inside a guest: its name and address, its files, its data directory. Read once at start; a missing
 * part ends the program with one sentence, because a service that guesses its own name is worse than none.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Key, certificate and authority of this guest, PEM. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Guest {
  readonly name: string;
  readonly address: string;
  /** Its files; replaced with the guest. */
  readonly root: string;
  /** Its data; outlives the guest. */
  readonly data: string;
}

/** Why a program cannot start, in one sentence for people. */
export class StartRefused extends Error {
  override readonly name = "StartRefused";
}

/** @throws {StartRefused} naming the variable that is missing */
export function readGuest(environment: NodeJS.ProcessEnv = process.env): Guest {
  const need = (name: string): string => {
    const value = environment[name];
    if (!value) throw new StartRefused(`${name} is not set: this program is started by a host, inside a guest`);
    return value;
  };
  const guest = {
    name: need("DOMUS_GUEST"),
    address: need("DOMUS_ADDRESS"),
    root: need("DOMUS_ROOT"),
    data: need("DOMUS_DATA"),
  };
  mkdirSync(guest.data, { recursive: true, mode: 0o700 });
  return guest;
}

/**
 * Reads `etc/<name>` of the guest. Its shape is the recipe's promise, checked when the site was read.
 * @throws {StartRefused} when it is missing or is not JSON
 */
export function readConfig<Shape>(guest: Guest, name: string): Shape {
  const path = join(guest.root, "etc", name);
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Shape;
  } catch (error) {
    throw new StartRefused(`${path}: ${(error as Error).message}`);
  }
}

/** @throws {StartRefused} naming the file that is missing */
export function readTls(guest: Guest): TlsFiles {
  const read = (name: string): string => {
    const path = join(guest.root, "etc", "tls", name);
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new StartRefused(`${path}: ${(error as Error).message}`);
    }
  };
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}
