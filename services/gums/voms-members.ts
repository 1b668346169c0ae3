/**
 * Members of VOMS groups, fetched from their servers and recorded, so that a caller whose FQAN is missing or not believed is known by name.
 * Every few minutes, not every twelve hours as the original did: who left an organization should not be in it till tomorrow. One copy fetches:
 * whoever does leaves a note in the records, and the others wait for the next turn. What people recorded by hand is never touched.
 */
import { nameOrNull, normalDn, readRpcTexts } from "../../src/grid/index.ts";
import type { GumsPolicy, VomsGroup } from "../../src/policy/index.ts";
import { steadyMilliseconds } from "../../src/world/index.ts";
import type { Follower } from "../records/index.ts";
import type { Log, TlsFiles } from "../serving/index.ts";
import { type FetchText, fetchText } from "../tokens/index.ts";
import type { MemberBook } from "./state.ts";

export interface VomsMembersOptions {
  readonly policy: GumsPolicy;
  readonly members: Follower<MemberBook>;
  readonly tls: TlsFiles;
  /** Name of this copy. */
  readonly guest: string;
  /** Seconds between two looks at each server. */
  readonly every: number;
  readonly log: Log;
  /** For tests. */
  readonly fetch?: FetchText;
}

/** One answer has 100,000 members with long names. */
const LIMITS = { octets: 32 * 1024 * 1024, patience: 30_000 } as const;
/** Milliseconds between two looks at what is due. */
const LOOK = 1000;

/** Where the members of a group are listed: VOMS-Admin's compatibility service. */
function addressOf(url: string, group: VomsGroup): string {
  const container = `${group.group ?? ""}${group.role === null ? "" : `/Role=${group.role}`}`;
  const remainder = group.remainder ?? "/services/VOMSCompatibility";
  return `${url.replace(/\/$/, "")}${remainder}?${new URLSearchParams({ method: "getGridmapUsers", container })}`;
}

/**
 * @returns the names in an answer of `getGridmapUsers`, in normal form, each once; texts that are none are left out
 * @throws {SoapRefused} when it is no such answer
 */
export function readGridmapUsers(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const one of readRpcTexts(text, "getGridmapUsers")) {
    const name = one.startsWith("/") ? nameOrNull(() => normalDn(one)) : null;
    if (name !== null) names.add(name);
  }
  return names;
}

export class VomsMembers {
  readonly #options: VomsMembersOptions;
  readonly #groups: readonly { readonly group: VomsGroup; readonly url: string }[];
  #tls: TlsFiles;
  #timer: NodeJS.Timeout | null = null;
  #working: Promise<void> | null = null;
  #closed = false;
  /** Group → when, by the steady clock, a note of a fetch was first seen here. */
  readonly #noted = new Map<string, { readonly event: string; readonly at: number }>();
  /** Group → what went wrong last, and when it is tried again. */
  readonly #failed = new Map<string, { readonly says: string; readonly until: number }>();

  constructor(options: VomsMembersOptions) {
    this.#options = options;
    this.#tls = options.tls;
    const servers = new Map(options.policy.vomsServers.map((server) => [server.name, server.url]));
    this.#groups = options.policy.userGroups.flatMap((group) => {
      const url = group.kind === "voms" && group.server !== null ? servers.get(group.server) : undefined;
      return group.kind === "voms" && url !== undefined ? [{ group, url }] : [];
    });
  }

  start(): void {
    if (this.#groups.length === 0) return;
    const again = (): void => {
      this.#timer = setTimeout(() => {
        this.#working = this.look().finally(() => !this.#closed && again());
      }, LOOK);
    };
    again();
  }

  renew(tls: TlsFiles): void {
    this.#tls = tls;
  }

  /** Groups whose members could not be fetched, and why. */
  faults(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#failed].map(([group, { says }]) => [group, says]));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#working;
  }

  /** Fetches every group whose turn it is. Never throws: what went wrong is in {@link faults}. */
  async look(): Promise<void> {
    for (const { group, url } of this.#groups) {
      if (this.#closed || this.#options.members.fault !== null || !this.#due(group.name)) continue;
      try {
        await this.refresh(group, url);
        if (this.#failed.delete(group.name)) this.#options.log("members fetched again", { group: group.name });
      } catch (error) {
        const says = (error as Error).message;
        if (this.#failed.get(group.name)?.says !== says)
          this.#options.log("members not fetched", { group: group.name, says });
        this.#failed.set(group.name, { says, until: steadyMilliseconds() + (this.#options.every * 1000) / 10 });
      }
    }
  }

  #due(group: string): boolean {
    const now = steadyMilliseconds();
    if (now < (this.#failed.get(group)?.until ?? 0)) return false;
    const note = this.#options.members.merged.note(group);
    const event = note === undefined ? "" : `${note.origin}:${note.seq}`;
    const noted = this.#noted.get(group);
    if (event !== "" && noted?.event !== event) {
      this.#noted.set(group, { event, at: now });
      return false;
    }
    return noted === undefined || now - noted.at >= this.#options.every * 1000;
  }

  /** Fetches one group and records who came and who left. @throws the fetch's error, a RecordsError, a SoapRefused, or a TypeError */
  async refresh(group: VomsGroup, url: string): Promise<void> {
    const { members, guest } = this.#options;
    const actor = `voms:${group.server}`;
    const listed = readGridmapUsers(await (this.#options.fetch ?? fetchText)(addressOf(url, group), this.#tls, LIMITS));
    const recorded = new Set(
      members.merged
        .members(group.name)
        .filter(({ fields }) => fields.actor === actor && fields.fqan === "")
        .map(({ fields }) => fields.subject ?? ""),
    );
    if (listed.size === 0 && recorded.size > 0)
      throw new TypeError("the server names nobody: a list that was not empty is not emptied by that");
    const event = { group: group.name, fqan: "", email: "", reason: "", actor };
    for (const subject of listed)
      if (!members.merged.memberships(group.name, subject).includes(null))
        await members.append({ ...event, action: "add", subject });
    for (const subject of recorded)
      if (!listed.has(subject)) await members.append({ ...event, action: "remove", subject });
    await members.append({ ...event, action: "note", subject: "", reason: `fetched by ${guest}` });
  }
}
