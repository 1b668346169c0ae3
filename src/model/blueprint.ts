/**
 * The Blueprint: the plan, immutable, numbered, with a parent and a cause, and so complete that executing it needs no choice.
 * It holds no time, no path of any machine and no secret's value, so the same site gives the same bytes everywhere.
 */
import type { AliasName, BlueprintId, GuestName, HostName, ServiceName, SiteName, StepId } from "./ids.ts";
import type { Probe } from "./probe.ts";
import type { GuestKind, Scheduler } from "./site.ts";

/** What runs in a guest. On the embedded default a process; in a real guest the program of its main unit. */
export type Program =
  /** A program of the house, by bundle name (`services/<bundle>/main.ts`). */
  | { readonly kind: "bundle"; readonly bundle: string }
  /** A program of the people: never a shell line. `{root}`, `{data}`, `{address}`, `{port}` stand for the guest's own. */
  | { readonly kind: "command"; readonly command: readonly string[] }
  /** Nothing runs: a reserved, empty place. */
  | { readonly kind: "none" };

/** A file put into a guest before it starts; `path` is relative to the guest's root, without `..`. */
export interface GuestFile {
  readonly path: string;
  readonly content: string;
}

/** Neutral definition: every hypervisor driver renders its own document from this, purely. */
export interface GuestDefinition {
  readonly kind: GuestKind;
  readonly image: string | null;
  readonly packages: readonly string[];
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
  /** Bytes; 0 is no data disk. */
  readonly disk: number;
  /** `local`: what it writes is nowhere else, so the guest cannot move without it. */
  readonly data: "none" | "local" | "replicated";
  readonly ipv6: boolean;
  readonly program: Program;
  readonly environment: Readonly<Record<string, string>>;
  /** Ports it listens on at its own address, by purpose. */
  readonly ports: Readonly<Record<string, number>>;
  readonly probe: Probe;
  /** Puts its liveness into `run/alive` (see hypervisor/process): lets the host tell "hung" from "starved". */
  readonly watchdog: boolean;
}

/**
 * A secret by name and version. `tls`: a key and certificate under the site's authority, delivered as `etc/tls/{ca,cert,key}.pem`.
 * `token`: 32 random bytes in hexadecimal, delivered as `etc/secrets/<name>` to each guest that lists it.
 */
export interface Secret {
  readonly name: string;
  readonly version: number;
  readonly kind: "tls" | "token";
  /** For `tls`: the certificate's common name and subject alternative names. */
  readonly subject: {
    readonly commonName: string;
    readonly dns: readonly string[];
    readonly ip: readonly string[];
  } | null;
  /** For `tls`: what kind of key; P-256 when silent. */
  readonly key?: "rsa";
  /** For `tls`: the directory of `{ca,cert,key}.pem` in the guest; `etc/tls` when silent. */
  readonly directory?: string;
}

export interface BlueprintGuest {
  readonly name: GuestName;
  readonly service: ServiceName;
  readonly copy: number;
  readonly birthHost: HostName;
  readonly host: HostName;
  readonly address: string;
  readonly mac: string;
  readonly uuid: string;
  readonly definition: GuestDefinition;
  readonly files: readonly GuestFile[];
  /** `name@version` of each secret delivered to it. */
  readonly secrets: readonly string[];
  readonly autostart: boolean;
}

export interface Backend {
  readonly guest: GuestName;
  readonly address: string;
  readonly port: number;
  /** What the director asks, at least each second. */
  readonly check: Probe;
}

export interface BlueprintAlias {
  readonly name: AliasName;
  readonly service: ServiceName;
  readonly address: string;
  readonly port: number;
  readonly scheduler: Scheduler;
  /** Seconds. */
  readonly persistence: number;
  readonly connections: number;
  readonly connectionsPerCopy: number;
  /** `one-writer`: all connections to one copy at a time; the next takes over when it fails its check. */
  readonly distribution: "all" | "one-writer";
  /** PROXY protocol version 2 in front of each connection: only for programs of the house. */
  readonly proxyProtocol: boolean;
  readonly backends: readonly Backend[];
}

/**
 * What becomes of one service when one host is lost. `degraded` is not a word: it answers, or reads only, or is lost.
 */
export type Survival = "answers" | "read-only" | "lost";

export interface Proof {
  readonly survivesAnyOneHost: boolean;
  readonly services: readonly {
    readonly name: ServiceName;
    /** The host that is lost. */
    readonly host: HostName;
    readonly outcome: Survival;
    readonly says: string;
  }[];
  /** For each lost host: which of its guests could be restarted where, in the room that is left. */
  readonly restarts: readonly {
    readonly host: HostName;
    readonly guest: GuestName;
    /** `null`: no host has room; `says` tells what is missing. */
    readonly onto: HostName | null;
    readonly says: string;
  }[];
}

/** The kinds of step, and what undoes each: a table, so that the executor and the tests share it. */
export const STEP_KINDS = {
  "host.prepare": { undo: null, says: "make the host answer" },
  "guest.retire": { undo: null, says: "stop a guest and forget it; its data stays" },
  "guest.define": { undo: "guest.retire", says: "put definition, files and secrets on the host" },
  "guest.start": { undo: "guest.stop", says: "start the guest" },
  "guest.stop": { undo: "guest.start", says: "stop the guest" },
  "guest.ready": { undo: null, says: "wait until the guest answers its probe" },
  "alias.ready": { undo: null, says: "wait until the alias answers" },
  "host.release": { undo: null, says: "let a host without guests go" },
} as const satisfies Record<string, { undo: string | null; says: string }>;
export type StepKind = keyof typeof STEP_KINDS;

export interface Step {
  readonly id: StepId;
  readonly kind: StepKind;
  readonly guest: GuestName | null;
  readonly host: HostName | null;
  readonly alias: AliasName | null;
  /** Steps that must be done before. */
  readonly after: readonly StepId[];
  /** How to see that it is already true, in words; the executor's table has the code for each kind. */
  readonly check: string;
  readonly undo: StepKind | null;
}

/** Why a Blueprint was made: who or what asked, in one sentence. */
export interface Cause {
  readonly by: "person" | "healing" | "balancing" | "down";
  readonly says: string;
}

export interface Blueprint {
  readonly format: 1;
  readonly site: SiteName;
  /** SHA-256 of the Site's canonical JSON. */
  readonly siteDigest: string;
  /** SHA-256 of the Inventory's canonical JSON. */
  readonly inventoryDigest: string;
  readonly number: number;
  readonly parent: BlueprintId | null;
  readonly cause: Cause;
  /** Version of each bundle it was made with. */
  readonly bundles: Readonly<Record<string, string>>;
  /** The network in use, after hashing: `127.x.y.0/24` on the embedded default. */
  readonly network: { readonly cidr: string; readonly mode: "bridge" | "nat" | "loopback" };
  readonly hosts: readonly { readonly name: HostName; readonly hypervisor: string | null; readonly address: string }[];
  readonly guests: readonly BlueprintGuest[];
  readonly aliases: readonly BlueprintAlias[];
  readonly secrets: readonly Secret[];
  /** One sentence for each placement. */
  readonly reasons: readonly { readonly guest: GuestName; readonly says: string }[];
  readonly proof: Proof;
  readonly steps: readonly Step[];
}
