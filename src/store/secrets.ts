/**
 * Secrets by name and version, one sealed file each (AES-256-GCM), beside the store and not in it: a store that is lost must not take
 * the site's authority with it. Made once, never printed. The master key lies beside them with mode 0600: it protects copies and
 * backups of the directory's other files, not against who can read this user's files.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { join } from "node:path";
import { Fault } from "../model/index.ts";
import { createFileDurably, makePrivateDirectory, readIfThere } from "../world/index.ts";

export class SecretVault {
  private readonly directory: string;
  private readonly master: Buffer;
  /** Two guests may ask for the same secret at once: it is made once. */
  private readonly asked = new Map<string, Promise<string>>();

  /** @throws Fault `disk.full`, `store.unwritable` */
  constructor(directory: string) {
    this.directory = directory;
    makePrivateDirectory(directory);
    const path = join(directory, "master.key");
    // Two commands may be the first of a site at once: one makes the key, both use that one.
    if (readIfThere(path) === null) createFileDurably(path, randomBytes(32).toString("hex"), 0o600);
    const known = readIfThere(path) ?? "";
    this.master = Buffer.from(known.trim(), "hex");
    if (this.master.length !== 32) throw new Fault("store.corrupt", { file: path, reason: "this is no key" });
  }

  /**
   * @param name `name@version`
   * @param make called once in a secret's life
   * @returns its value
   */
  get(name: string, make: () => Promise<string> | string): Promise<string> {
    const known = this.asked.get(name) ?? this.readOrMake(name, make);
    this.asked.set(name, known);
    known.catch(() => this.asked.delete(name));
    return known;
  }

  private async readOrMake(name: string, make: () => Promise<string> | string): Promise<string> {
    const path = join(this.directory, `${encodeURIComponent(name)}.sealed`);
    const sealed = readIfThere(path);
    if (sealed !== null) return this.open(name, sealed, path);
    const value = await make();
    if (createFileDurably(path, this.seal(name, value), 0o600)) return value;
    return this.open(name, readIfThere(path)!, path);
  }

  private seal(name: string, value: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.master, nonce).setAAD(Buffer.from(name));
    const bytes = Buffer.concat([cipher.update(value, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), bytes]).toString("base64");
  }

  private open(name: string, sealed: string, path: string): string {
    try {
      const bytes = Buffer.from(sealed, "base64");
      const decipher = createDecipheriv("aes-256-gcm", this.master, bytes.subarray(0, 12)).setAAD(Buffer.from(name));
      decipher.setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
    } catch (error) {
      throw new Fault(
        "store.corrupt",
        { file: path, reason: "it was not sealed with this site's key" },
        { cause: error },
      );
    }
  }
}
