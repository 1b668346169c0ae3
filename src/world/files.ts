/** Files, written so that a power cut leaves the old content or the new, never half of one. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { Fault } from "../model/index.ts";

/**
 * Writes a whole file at once, durably.
 * @param mode permission bits, e.g. 0o600
 * @throws Fault `disk.full`, `store.unwritable`
 */
export function writeFileDurably(path: string, content: string | Uint8Array, mode: number): void {
  writeAside(path, content, mode, (temporary) => renameSync(temporary, path));
}

/**
 * Writes a whole file at once, durably, unless there is one already: of several that try, one wins, and nobody ever reads a part.
 * @returns false when it was there
 * @throws Fault `disk.full`, `store.unwritable`
 */
export function createFileDurably(path: string, content: string | Uint8Array, mode: number): boolean {
  let made = true;
  writeAside(path, content, mode, (temporary) => {
    try {
      linkSync(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      made = false;
    }
    rmSync(temporary);
  });
  return made;
}

function writeAside(path: string, content: string | Uint8Array, mode: number, put: (temporary: string) => void): void {
  const temporary = `${path}.${randomBytes(4).toString("hex")}.new`;
  try {
    const file = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
    try {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      let written = 0;
      while (written < bytes.length) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    put(temporary);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw asFault(error, path);
  }
}

/** Turns what the file system says into a sentence; anything unknown is passed on. */
export function asFault(error: unknown, what: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT") return new Fault("disk.full", { what }, { cause: error });
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR")
    return new Fault("store.unwritable", { directory: dirname(what), reason: reasonFor(code) }, { cause: error });
  return error;
}

function reasonFor(code: string): string {
  const REASONS: Readonly<Record<string, string>> = {
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the file system is read-only",
    ENOTDIR: "a part of the path is not a directory",
  };
  return REASONS[code] ?? code;
}

/**
 * Makes a directory that only its owner can enter, and those above it that are missing. One after the other: Node's recursive mkdir does
 * not come back from some file systems that refuse (seen on /proc).
 */
export function makePrivateDirectory(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const directory of missing)
    try {
      mkdirSync(directory, { mode: 0o700 });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EEXIST") continue;
      if (code === "ENOENT")
        throw new Fault("store.unwritable", { directory, reason: "nothing can be made there" }, { cause: error });
      throw asFault(error, join(path, "."));
    }
}

/** @returns the text, or `null` when there is no such file. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** @returns milliseconds since the epoch of the last change, or `null` when there is no such file. */
export function modifiedAt(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

/**
 * @returns the absolute path of a file inside a directory
 * @throws Error when the path would leave it
 */
export function inside(directory: string, path: string): string {
  const root = resolve(directory);
  const full = resolve(root, path);
  if (full !== root && !full.startsWith(root + sep)) throw new Error(`${path} leads out of its directory`);
  return full;
}

/**
 * Appends octets to an open file, all of them or none: what a full disk took of them is taken back.
 * @param size of the file before
 * @throws the system's error
 */
export function appendWhole(descriptor: number, size: number, octets: Uint8Array): void {
  try {
    for (let written = 0; written < octets.length; ) written += writeSync(descriptor, octets, written);
  } catch (error) {
    ftruncateSync(descriptor, size);
    throw error;
  }
}
