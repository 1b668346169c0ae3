/**
 * What exists on a host of the embedded default: guests on disk (durable list) and guests that run (found by tag in `/proc`).
 * Everything on disk appears and vanishes by one rename, so a kill at any moment leaves a guest whole or not there.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { GuestName } from "../../model/index.ts";
import { asFault, findTagged, inside, type ProcessEntry, readIfThere, writeFileDurably } from "../../world/index.ts";
import type { GuestOrder, GuestStatus } from "../contract.ts";
import { TAG } from "./definition.ts";

export type Wanted = GuestStatus["wanted"];

/** The files of one host, below its directory. */
export class HostDirectory {
  readonly path: string;
  /** Names this host in tags: two sites, or two states of one site, never see each other's processes. */
  readonly key: string;

  constructor(path: string) {
    this.path = path;
    this.key = createHash("sha256").update(path).digest("hex").slice(0, 16);
  }

  tag(guest: GuestName): string {
    return `${this.key}/${guest}/`;
  }

  guest(name: GuestName): string {
    return inside(join(this.path, "guests"), name);
  }

  root(name: GuestName): string {
    return join(this.guest(name), "root");
  }

  data(name: GuestName): string {
    return inside(join(this.path, "data"), name);
  }

  consoleLog(name: GuestName): string {
    return join(this.guest(name), "console.log");
  }

  aliveFile(name: GuestName): string {
    return join(this.root(name), "run", "alive");
  }

  /** Power is off: no supervisor starts until it is healed. */
  get cutMarker(): string {
    return join(this.path, "cut");
  }

  /** Makes the directories and sweeps away what a kill left half done. */
  prepare(): void {
    mkdirSync(join(this.path, "guests"), { recursive: true, mode: 0o700 });
    mkdirSync(join(this.path, "data"), { recursive: true, mode: 0o711 });
    for (const entry of readdirSync(join(this.path, "guests")))
      if (entry.startsWith(".")) rmSync(join(this.path, "guests", entry), { recursive: true, force: true });
  }

  defined(): readonly GuestName[] {
    if (!existsSync(join(this.path, "guests"))) return [];
    return readdirSync(join(this.path, "guests"))
      .filter((entry) => !entry.startsWith("."))
      .sort() as GuestName[];
  }

  readOrder(name: GuestName): GuestOrder | null {
    const path = join(this.guest(name), "order.json");
    try {
      const order = JSON.parse(readIfThere(path) ?? "null") as GuestOrder | null;
      if (order?.name === name && order.definition) return order;
      throw new Error("it does not define this guest");
    } catch (error) {
      console.error(`${path}: ${(error as Error).message}; ${name} is left out until it is defined anew`);
      return null;
    }
  }

  readWanted(name: GuestName): Wanted {
    const text = readIfThere(join(this.guest(name), "wanted"))?.trim();
    return text === "running" || text === "suspended" ? text : "stopped";
  }

  writeWanted(name: GuestName, wanted: Wanted): void {
    writeFileDurably(join(this.guest(name), "wanted"), wanted, 0o600);
  }

  /** Puts a guest's definition, files and secrets on disk, all or nothing. Secrets live in their files only. */
  writeGuest(order: GuestOrder): void {
    const preparing = join(this.path, "guests", `.new-${order.name}`);
    try {
  /** @returns `null` when it is missing or damaged: one guest's file must not keep a whole host from starting */
      rmSync(preparing, { recursive: true, force: true });
      mkdirSync(join(preparing, "root", "run"), { recursive: true, mode: 0o700 });
      for (const file of [...order.files, ...order.secretFiles]) {
        const path = inside(join(preparing, "root"), file.path);
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        writeFileSync(path, file.content, { mode: 0o600 });
      }
      mkdirSync(this.data(order.name), { recursive: true, mode: 0o700 });
      writeFileDurably(join(preparing, "order.json"), JSON.stringify({ ...order, secretFiles: [] }), 0o600);
      this.removeGuest(order.name);
      renameSync(preparing, this.guest(order.name));
    } catch (error) {
      throw asFault(error, preparing);
    }
  }

  removeGuest(name: GuestName): void {
    if (!existsSync(this.guest(name))) return;
    const going = join(this.path, "guests", `.gone-${name}-${process.pid}`);
    renameSync(this.guest(name), going);
    rmSync(going, { recursive: true, force: true });
  }

  /** Forgets every guest; their data stays. */
  forgetGuests(): void {
    rmSync(join(this.path, "guests"), { recursive: true, force: true });
  }

  removeData(name: GuestName): void {
    rmSync(this.data(name), { recursive: true, force: true });
  }

  /** Copies files and data of one guest for another; certificates and tokens name their holder and stay behind. */
  copyGuest(from: GuestName, order: GuestOrder): void {
    const personal = ["etc/tls", "etc/secrets"].map((path) => join(this.root(from), path));
    this.writeGuest({ ...order, files: [], secretFiles: [] });
    cpSync(this.root(from), this.root(order.name), { recursive: true, filter: (path) => !personal.includes(path) });
    cpSync(this.data(from), this.data(order.name), { recursive: true });
    writeFileDurably(join(this.guest(order.name), "order.json"), JSON.stringify({ ...order, secretFiles: [] }), 0o600);
  }

  /** Living processes of one guest, or of all guests of this host. */
  processes(guest?: GuestName): readonly (ProcessEntry & { readonly tag: string })[] {
    return findTagged(TAG, guest ? this.tag(guest) : `${this.key}/`);
  }
}
