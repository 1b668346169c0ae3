/**
 * What a director says about itself at `GET /status` (mutual TLS, own address, port 9401). The faces read it, the director writes it.
 * Times are milliseconds since the epoch, counts are since the director's start.
 */
import type { BlueprintAlias } from "./blueprint.ts";

export type DirectorRole =
  /** Started, has not yet found out who is active. */
  | "starting"
  | "standby"
  /** Holds the aliases. */
  | "active"
  /** Is giving up the aliases and ending. */
  | "leaving";

export type CopyState = "unknown" | "up" | "down";

export interface DirectorCounters {
  readonly accepted: number;
  readonly refused: number;
  readonly active: number;
  readonly failedConnects: number;
  /** Connections that went to another copy because the first choice could not be reached. */
  readonly retried: number;
  /** Octets from clients to copies. */
  readonly bytesIn: number;
  /** Octets from copies to clients. */
  readonly bytesOut: number;
}

export interface DirectorCopyStatus {
  readonly guest: string;
  readonly address: string;
  readonly port: number;
  readonly state: CopyState;
  /** What the last check or connection saw. */
  readonly says: string;
  readonly since: number;
  readonly writer: boolean;
  readonly checks: { readonly ok: number; readonly failed: number };
  readonly counters: DirectorCounters;
}

export interface DirectorAliasStatus {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly held: boolean;
  /** Why it is not held although this director is active; empty when all is well. */
  readonly says: string;
  readonly counters: DirectorCounters;
  /** Connections that wait for their turn. */
  readonly waiting: number;
  /** Client addresses that were refused most or hold most connections. */
  readonly busiest: readonly { readonly address: string; readonly open: number; readonly refused: number }[];
  readonly copies: readonly DirectorCopyStatus[];
}

export interface DirectorPeerStatus {
  readonly guest: string;
  readonly state: "alive" | "silent" | "gone";
  readonly role: DirectorRole | null;
  readonly term: number;
  /** Milliseconds since it was last heard; `null`: never. */
  readonly heardMsAgo: number | null;
  /** What its host's supervisor said when last asked, or why it could not be asked. */
  readonly says: string;
}

export interface DirectorTakeover {
  readonly at: number;
  readonly reason: string;
  /** From the last sign of life of the other director to holding the aliases. */
  readonly tookMs: number;
}

export interface DirectorStatus {
  readonly format: 1;
  readonly guest: string;
  readonly role: DirectorRole;
  readonly term: number;
  readonly since: number;
  readonly startedAt: number;
  readonly peer: DirectorPeerStatus | null;
  readonly lastTakeover: DirectorTakeover | null;
  /** Longest stall of its own event loop seen in the last minute, milliseconds. */
  readonly longestStallMs: number;
  readonly aliases: readonly DirectorAliasStatus[];
}

/** `GET /health`, the guest's probe. */
export interface DirectorHealth {
  readonly state: "starting" | "active" | "standby" | "leaving";
  readonly term: number;
  readonly peer: DirectorPeerStatus["state"] | null;
}

/** One line to the peer's supervisor, and its one line back: how a hung director is ended before its aliases are taken. */
export interface EndIfHungRequest {
  readonly op: "end-if-hung";
  readonly guest: string;
  /** Hexadecimal token that allows ending this one guest. */
  readonly key: string;
  readonly silenceMs: number;
}
export interface EndIfHungReply {
  readonly ended: boolean;
  readonly state: "stopped" | "spinning" | "stuck" | "starved" | "gone" | "alive";
  readonly says: string;
}

/** `etc/director.json`, rendered by the `lvs` recipe. */
export interface DirectorConfig {
  readonly format: 1;
  readonly guest: string;
  readonly address: string;
  /** 0 for the first copy, which becomes active when both start together. */
  readonly copy: number;
  readonly peer: {
    readonly guest: string;
    readonly address: string;
    readonly host: string;
    /** Name of the token in `etc/secrets` that lets this director have its peer ended. */
    readonly secret: string;
  } | null;
  readonly ports: { readonly heartbeat: number; readonly status: number };
  readonly aliases: readonly BlueprintAlias[];
}
