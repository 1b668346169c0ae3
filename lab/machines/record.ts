/** What a lab is, kept as one file, so that `down` finds everything again, also after `up` was killed at its first step. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { Fault } from "../../src/model/index.ts";
import { makePrivateDirectory, writeFileDurably } from "../../src/world/index.ts";

export interface LabHost {
  readonly name: string;
  readonly prefix: string;
  readonly address: string;
  readonly uuid: string;
  readonly cpus: number;
  /** As a site file writes it: `16 GiB`. */
  readonly memory: string;
  readonly reserve: string;
  readonly rack: string | null;
}

export interface LabRecord {
  readonly format: 1;
  readonly name: string;
  /** What its bridge, network namespaces and control groups are called by: a lab beside it has another one. */
  readonly tag: string;
  /** `10.177.N`: hosts and guests have addresses below it. */
  readonly subnet: string;
  readonly hosts: readonly LabHost[];
}

export class LabDirectory {
  readonly name: string;
  readonly path: string;

  constructor(name: string, base: string = labBase(process.env)) {
    this.name = name;
    this.path = join(base, name);
  }

  /** Interfaces have names of 15 characters at most. */
  get tag(): string {
    return `dl${createHash("sha256").update(this.path).digest("hex").slice(0, 6)}`;
  }

  get pki(): string {
    return join(this.path, "pki");
  }

  get hostsFile(): string {
    return join(this.path, "hosts.yaml");
  }

  /** Of one host: what would be its disk. */
  host(name: string): string {
    return join(this.path, "hosts", name);
  }

  write(record: LabRecord): void {
    makePrivateDirectory(this.path);
    writeFileDurably(join(this.path, "lab.json"), JSON.stringify(record, null, 2), 0o600);
  }

  /** @returns `null` when there is no such lab. @throws Fault `lab.failed` when its record cannot be read */
  read(): LabRecord | null {
    const file = join(this.path, "lab.json");
    if (!existsSync(file)) return null;
    try {
      return JSON.parse(readFileSync(file, "utf8")) as LabRecord;
    } catch (error) {
      throw new Fault("lab.failed", { lab: this.name, reason: `${file}: ${(error as Error).message}` });
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** @param environment of the process */
export function labBase(environment: NodeJS.ProcessEnv): string {
  if (environment.DOMUS_LAB) return resolve(environment.DOMUS_LAB);
  return join(environment.XDG_STATE_HOME || join(environment.HOME || homedir(), ".local", "state"), "domus-lab");
}

/** @returns the labs of this machine, in order of name */
export function knownLabs(): readonly LabDirectory[] {
  const base = labBase(process.env);
  if (!existsSync(base)) return [];
  return readdirSync(base)
    .filter((name) => existsSync(join(base, name, "lab.json")))
    .sort()
    .map((name) => new LabDirectory(name, base));
}
