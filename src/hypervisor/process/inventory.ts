/**
 * What exists on a host of the embedded default: guests on disk (durable list) and guests that run (found by tag in `/proc`).
 * Everything on disk appears and vanishes by one rename, so a kill at any moment leaves a guest whole or not there.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { GuestName } from "../../model/index.ts";
import {
  asFault,
  bootId,
  findTagged,
  inside,
  listProcesses,
  type ProcessEntry,
  readIfThere,
  readProcess,
  writeFileDurably,
} from "../../world/index.ts";
import type { GuestOrder, GuestStatus } from "../contract.ts";
import { TAG } from "./definition.ts";

export type Wanted = GuestStatus["wanted"];

/** A guest's first process; the start time tells it from a later one with the same id. */
export interface Leader {
  readonly pid: number;
  readonly startedAt: number;
}

export type GuestProcess = ProcessEntry & { readonly tag: string };

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

  /** @returns `null` when it is missing or damaged: one guest's file must not keep a whole host from starting */
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

  /**
   * Who leads a guest, for a supervisor that comes after this one: a program may rewrite the memory its environment stands in (servers
   * that set their title do), and a child that made a session of its own looks like a leader.
   */
  writeLeader(name: GuestName, leader: Leader): void {
    try {
      writeFileSync(this.leaderFile(name), `${bootId()} ${leader.pid} ${leader.startedAt}`, { mode: 0o600 });
    } catch {
      // A full disk: the next supervisor goes by the tag alone.
      this.forgetLeader(name);
    }
  }

  forgetLeader(name: GuestName): void {
    rmSync(this.leaderFile(name), { force: true });
  }

  /** @returns the leader as it was written down, whether or not it still lives; `null` when nothing is known */
  readLeader(name: GuestName): (Leader & { readonly lives: boolean }) | null {
    const match = /^(\S+) (\d+) (\d+)$/.exec(readIfThere(this.leaderFile(name)) ?? "");
    if (!match || match[1] !== bootId()) return null;
    const leader = { pid: Number(match[2]), startedAt: Number(match[3]) };
    return { ...leader, lives: readProcess(leader.pid)?.startedAt === leader.startedAt };
  }

  private leaderFile(name: GuestName): string {
    return join(this.guest(name), "leader");
  }

  /** Puts a guest's definition, files and secrets on disk, all or nothing. Secrets live in their files only. */
  writeGuest(order: GuestOrder): void {
    const preparing = join(this.path, "guests", `.new-${order.name}`);
    try {
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

  /**
   * Living processes of one guest, or of all guests of this host: those with its tag, its leader, and whoever descends from them or
   * shares their session, since a program may start others with an empty environment. What has emptied its environment, left the
   * session *and* outlived its parents is nobody's on this kernel without privileges, and is not found.
   */
  processes(guest?: GuestName): readonly GuestProcess[] {
    const all = listProcesses();
    const found = new Map(
      findTagged(TAG, guest ? this.tag(guest) : `${this.key}/`).map((one) => [one.pid, one] as const),
    );
    for (const name of guest ? [guest] : this.defined()) {
      const leader = this.readLeader(name);
      const entry = leader?.lives ? readProcess(leader.pid) : null;
      if (entry) found.set(entry.pid, { ...entry, tag: this.tag(name) });
    }
    for (let before = -1; before !== found.size; ) {
      before = found.size;
      const sessions = new Map([...found.values()].map((one) => [one.session, one.tag]));
      for (const one of all) {
        if (found.has(one.pid) || one.pid === process.pid) continue;
        const tag = found.get(one.parent)?.tag ?? sessions.get(one.session);
        if (tag) found.set(one.pid, { ...one, tag });
      }
    }
    return [...found.values()];
  }
}
