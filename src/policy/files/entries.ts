/**
 * A policy for one host as a list of entries in the order of decision: what any file of mappings is written from. People stand where the
 * decision for them without FQAN is made; groups where they stand in the policy. No account of a pool is given out for a file.
 */
import { withProxyParents } from "../../grid/index.ts";
import { compileGums } from "../gums/compile.ts";
import { compileHosts } from "../gums/host.ts";
import type {
  GroupToAccount,
  GumsPolicy,
  MappingQuestion,
  PoolMapper,
  TokenGroup,
  UserGroup,
  VomsGroup,
} from "../gums/model.ts";
import { type ListedState, stateOf } from "../gums/state.ts";
import type { SazKind } from "../saz/index.ts";
import { byText, isAccount } from "./names.ts";

/** A ban of SAZ, values in normal form. */
export interface Ban {
  readonly kind: SazKind;
  readonly value: string;
}

export interface FileRequest {
  readonly policy: GumsPolicy;
  readonly state: ListedState;
  readonly bans: readonly Ban[];
  /** For whom the file is: a host's DN in normal form, or DNS name. */
  readonly host: string;
  /** For files of one token issuer; `null` where the policy names only one. */
  readonly issuer: string | null;
}

export interface LeftOut {
  readonly name: string;
  readonly says: string;
  /** Somebody who is kept out by the policy is not kept out by this file. */
  readonly loud: boolean;
}

export interface WrittenFile {
  readonly text: string;
  readonly leftOut: readonly LeftOut[];
}

interface EntryBase {
  readonly mapping: GroupToAccount;
  readonly userGroup: string;
  readonly unixGroup: string | null;
}

export type Entry = EntryBase &
  (
    | { readonly kind: "person"; readonly subject: string; readonly account: string }
    | { readonly kind: "token-holder"; readonly issuer: string; readonly subject: string; readonly account: string }
    | { readonly kind: "voms"; readonly voms: VomsGroup; readonly account: string }
    | { readonly kind: "voms-pool"; readonly voms: VomsGroup; readonly pool: PoolMapper }
    | { readonly kind: "token"; readonly token: TokenGroup; readonly account: string }
  );

export interface Entries {
  readonly entries: readonly Entry[];
  readonly leftOut: LeftOut[];
}

/** Everybody the policy or the database names, in order. */
function everybody({ policy, state }: FileRequest): readonly string[] {
  const names = new Set<string>();
  for (const group of policy.userGroups)
    if (group.kind === "manual" || group.kind === "voms") for (const { subject } of group.members) names.add(subject);
  for (const mapper of policy.accountMappers)
    if (mapper.kind === "manual") for (const { subject } of mapper.entries) names.add(subject);
  for (const records of [state.memberships, state.accounts, state.pooled])
    for (const { subject } of records) names.add(subject);
  return [...names].sort(byText);
}

function questionFor(identity: string, host: string): MappingQuestion {
  const cut = identity.indexOf(" ");
  const isToken = identity.startsWith("https://") && cut > 0;
  return {
    subject: isToken ? identity.slice(cut + 1) : identity,
    fqan: null,
    believed: false,
    host,
    token: isToken ? { issuer: identity.slice(0, cut), groups: [], scopes: [] } : null,
  };
}

interface Place {
  readonly mapping: GroupToAccount;
  readonly group: UserGroup;
}

function placesOf({ policy, host }: FileRequest): readonly Place[] {
  const rule = policy.hosts[compileHosts(policy.hosts)(host)];
  const mappings = new Map(policy.mappings.map((one) => [one.name, one]));
  const groups = new Map(policy.userGroups.map((one) => [one.name, one]));
  return (rule?.mappings ?? []).flatMap((name) => {
    const mapping = mappings.get(name);
    if (mapping === undefined) return [];
    return mapping.userGroups.flatMap((group) => {
      const found = groups.get(group);
      return found ? [{ mapping, group: found }] : [];
    });
  });
}

/** @returns everything a file of mappings for this host can be made of, and what could not be an entry */
export function entriesFor(request: FileRequest): Entries {
  const leftOut: LeftOut[] = [];
  const places = placesOf(request);
  const found: (readonly [place: number, entry: Entry])[] = [];
  people(request, places, found, leftOut);
  groups(request, places, found, leftOut);
  return { entries: found.toSorted(([a], [b]) => a - b).map(([, entry]) => entry), leftOut };
}

function people(
  request: FileRequest,
  places: readonly Place[],
  found: (readonly [number, Entry])[],
  leftOut: LeftOut[],
): void {
  const decide = compileGums(request.policy, stateOf(request.state));
  const banned = new Set(
    request.bans.filter(({ kind }) => kind === "dn" || kind === "token").map(({ value }) => value),
  );
  for (const identity of everybody(request)) {
    const question = questionFor(identity, request.host);
    const names = question.token === null ? withProxyParents(identity) : [identity];
    if (names.some((name) => banned.has(name))) continue;
    const mapped = decide(question);
    if (mapped.outcome === "needs-pool")
      leftOut.push({ name: identity, says: `has no account of pool ${mapped.pool} yet`, loud: false });
    if (mapped.outcome !== "account") continue;
    if (!isAccount(mapped.account)) {
      leftOut.push({ name: identity, says: "the account's name is not one", loud: false });
      continue;
    }
    const { rule } = mapped;
    const place = places.findIndex((one) => one.mapping.name === rule.mapping && one.group.name === rule.userGroup);
    const base = { mapping: places[place]!.mapping, userGroup: rule.userGroup!, unixGroup: mapped.group };
    const { subject, token } = question;
    found.push([
      place,
      token === null
        ? { kind: "person", ...base, subject, account: mapped.account }
        : { kind: "token-holder", ...base, issuer: token.issuer, subject, account: mapped.account },
    ]);
  }
}

/** The first mapper that gives everybody something decides for a group; people's own accounts before it cannot be said together with a group. */
function groups(
  { policy }: FileRequest,
  places: readonly Place[],
  found: (readonly [number, Entry])[],
  leftOut: LeftOut[],
): void {
  const mappers = new Map(policy.accountMappers.map((one) => [one.name, one]));
  const done = new Set<string>();
  places.forEach(({ mapping, group }, place) => {
    if ((group.kind !== "voms" && group.kind !== "token") || done.has(group.name)) return;
    const own = mapping.accountMappers.flatMap((name) => mappers.get(name) ?? []);
    const first = own.findIndex((one) => one.kind !== "manual");
    const mapper = own[first];
    if (mapper === undefined || mapper.kind === "manual") {
      if (own.length > 0)
        leftOut.push({ name: group.name, says: "only people with accounts of their own are in it", loud: false });
      return;
    }
    done.add(group.name);
    if (group.kind === "voms" && group.match === "ignore") {
      leftOut.push({ name: group.name, says: "its FQAN says nothing: only its list counts", loud: false });
      return;
    }
    if (group.kind === "token" && group.scope !== null) {
      leftOut.push({ name: group.name, says: "a token's scope cannot be said", loud: false });
      return;
    }
    if (first > 0)
      leftOut.push({ name: group.name, says: "people's own accounts do not count where the group does", loud: false });
    const base = { mapping, userGroup: group.name, unixGroup: mapper.group };
    if (mapper.kind === "group") {
      if (group.kind === "voms") found.push([place, { kind: "voms", ...base, voms: group, account: mapper.account }]);
      else found.push([place, { kind: "token", ...base, token: group, account: mapper.account }]);
    } else if (group.kind === "voms") found.push([place, { kind: "voms-pool", ...base, voms: group, pool: mapper }]);
    else leftOut.push({ name: group.name, says: `an account of pool ${mapper.pool} each cannot be said`, loud: false });
  });
}

/** @returns a file of lines, with what was left out as comments at its end */
export function lines(
  written: readonly string[],
  leftOut: readonly LeftOut[],
  comment: (one: LeftOut) => string,
): WrittenFile {
  const comments = [...leftOut].sort((a, b) => byText(a.name, b.name) || byText(a.says, b.says)).map(comment);
  return { text: [...written, ...comments].map((line) => `${line}\n`).join(""), leftOut };
}
