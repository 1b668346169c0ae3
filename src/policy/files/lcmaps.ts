/**
 * Files of LCMAPS, which the Globus gatekeeper, GridFTP, xrootd and older HTCondor-CEs ask: `voms-mapfile`, `ban-dn.db`, `ban-fqan.db`.
 *
 * LCMAPS compares with the full FQAN, Role and Capability always written, and takes `*` for any text. So a rule for a group is
 * `/fermilab/nova/*`: the slash keeps `/fermilab/novafoo` out, and what follows it is there in every FQAN. (`/fermilab/nova/Role=Production`
 * without more would match nothing.)
 * Sources: manual pages lcmaps_voms_localaccount(8), lcmaps_voms_poolaccount(8), lcmaps_ban_dn(8), lcmaps_ban_fqan(8); tried with Debian's
 * LCMAPS 1.6.6 behind a gatekeeper.
 */
import { formatFullFqan, parseFqan, voOf } from "../../grid/index.ts";
import type { FqanMatch, GumsPolicy, PoolMapper, UserGroup, VomsGroup } from "../gums/model.ts";
import { expandAccounts } from "../gums/pools.ts";
import {
  type Ban,
  type Entry,
  entriesFor,
  type FileRequest,
  type LeftOut,
  lines,
  type WrittenFile,
} from "./entries.ts";
import { byText, inComment, isAccount, isGroup, isWord, plainDn } from "./names.ts";

const hash = ({ name, says }: LeftOut): string => `# left out: ${inComment(name)}: ${inComment(says)}`;

type Patterns = (group: string, role: string) => readonly string[];
const voRoot = (group: string): string => `/${voOf({ group, role: null })}`;

/** What each way of comparing is as patterns; the role is `NULL` where none is meant. */
const PATTERNS: Readonly<Record<FqanMatch, Patterns>> = {
  exact: (group, role) => [`${group}/Role=${role}/*`],
  vorole: (group, role) => [`${voRoot(group)}/Role=${role}/*`, `${voRoot(group)}/*/Role=${role}/*`],
  role: (_group, role) => [`/*/Role=${role}/*`],
  vogroup: (group) => [`${group}/*`],
  vo: (group) => [`${voRoot(group)}/*`],
  ignore: () => [],
};

/** @returns patterns of a VOMS group; none where LCMAPS cannot compare so, or a name is not one */
export function lcmapsPatterns({ match, group, role }: Pick<VomsGroup, "match" | "group" | "role">): readonly string[] {
  if (role !== null && !isWord(role)) return [];
  if (match === "role") return PATTERNS.role("", role ?? "NULL");
  if (group === null || !isGroup(group)) return [];
  return PATTERNS[match](group, role ?? "NULL");
}

/** LCMAPS names a pool by what its accounts begin with. @returns that, where they are one range and so have it in common */
function poolPrefix({ accounts }: PoolMapper): string | null {
  if (accounts.length !== 1 || (expandAccounts(accounts[0]!)?.length ?? 0) < 2) return null;
  const prefix = /^([a-z_][a-z0-9_-]*?)[0-9]+-[0-9]+$/.exec(accounts[0]!)?.[1];
  return prefix !== undefined && /[a-z_-]$/.test(prefix) ? prefix : null;
}

/**
 * `voms-mapfile`: `"FQAN pattern" account`, the first that fits counts. A pool is `.prefix`, for the poolaccount plugin, which gives its
 * accounts out by itself: a site uses that or GUMS for a pool, never both, and sets `-strict_poolprefix_match yes`, so that `.nova` does not
 * take `novapro`.
 */
export function vomsMapfile(request: FileRequest): WrittenFile {
  const { entries, leftOut } = entriesFor(request);
  const target = (entry: Entry): string | null => {
    if (entry.kind === "voms") return isAccount(entry.account) ? entry.account : null;
    const prefix = entry.kind === "voms-pool" ? poolPrefix(entry.pool) : null;
    return prefix === null ? null : `.${prefix}`;
  };
  const written = entries.flatMap((entry) => {
    if (entry.kind !== "voms" && entry.kind !== "voms-pool") return [];
    const to = target(entry);
    const { match, group, role } = entry.voms;
    const found = to === null ? [] : lcmapsPatterns(entry.voms);
    // Exactly one FQAN needs no pattern; a ban keeps its own, so that no capability gets round it.
    const patterns = found.length > 0 && match === "exact" ? [formatFullFqan({ group: group!, role })] : found;
    if (patterns.length === 0) {
      const pool =
        entry.kind === "voms-pool" ? `pool ${entry.pool.pool} is not one range of accounts` : "no pattern says it";
      // Nothing in the file keeps its members from a wider line below.
      leftOut.push({ name: entry.userGroup, says: `${pool}: its members meet the next line that fits`, loud: true });
    }
    return patterns.map((pattern) => `"${pattern}" ${to}`);
  });
  return lines(written, leftOut, hash);
}

function bannedGroups(policy: GumsPolicy): readonly UserGroup[] {
  return policy.banned.flatMap((name) => policy.userGroups.find((one) => one.name === name) ?? []);
}

/** What SAZ can ban and LCMAPS cannot. */
const UNSAYABLE: Readonly<Partial<Record<Ban["kind"], string>>> = {
  ca: "authorities",
  token: "holders of tokens",
  issuer: "holders of tokens",
  scope: "holders of tokens",
};

/** `ban-dn.db`: `"DN"` a line: people banned by SAZ, and those in the lists of groups that the policy bans. */
export function banDn({ policy, state, bans }: FileRequest): WrittenFile {
  const leftOut: LeftOut[] = [];
  const names = new Set(bans.filter((ban) => ban.kind === "dn").map((ban) => ban.value));
  const narrow = (name: string): unknown =>
    leftOut.push({ name, says: "is banned with one FQAN only, which this file cannot say", loud: true });
  for (const group of bannedGroups(policy)) {
    const members = [
      ...(group.kind === "manual" || group.kind === "voms" ? group.members : []),
      ...state.memberships.filter((one) => one.group === group.name),
    ];
    for (const { subject, fqan } of members) fqan === null ? names.add(subject) : narrow(subject);
    if (group.kind !== "mapped") continue;
    for (const mapper of policy.accountMappers)
      if (mapper.kind === "manual" && mapper.name === group.mapper)
        for (const { subject } of mapper.entries) names.add(subject);
    for (const one of state.accounts) if (one.mapper === group.mapper) names.add(one.subject);
  }
  const written = [...names].sort(byText).flatMap((name) => {
    if (plainDn(name)) return [`"${name}"`];
    leftOut.push({ name, says: "this file cannot say the name: IT IS NOT BANNED BY IT", loud: true });
    return [];
  });
  for (const { kind, value } of bans) {
    const what = UNSAYABLE[kind];
    if (what !== undefined) leftOut.push({ name: value, says: `${what} cannot be banned by this file`, loud: true });
  }
  return lines(written, leftOut, hash);
}

function banPatterns({ kind, value }: Ban): readonly string[] {
  if (kind === "vo") return isWord(value) ? [`/${value}/*`] : [];
  const fqan = parseFqan(value);
  return [fqan.role === null ? `${fqan.group}/*` : `${fqan.group}/Role=${fqan.role}/*`];
}

/** `ban-fqan.db`: `"FQAN pattern"` a line: VOs, groups and roles banned by SAZ, and the VOMS groups that the policy bans. */
export function banFqan({ policy, bans }: FileRequest): WrittenFile {
  const leftOut: LeftOut[] = [];
  const lost = (name: string, says: string): readonly string[] => {
    leftOut.push({ name, says, loud: true });
    return [];
  };
  const patterns = new Set<string>();
  for (const ban of bans) {
    if (ban.kind !== "vo" && ban.kind !== "role") continue;
    const found = attempt(() => banPatterns(ban));
    for (const one of found.length > 0 ? found : lost(ban.value, "this file cannot say it: IT IS NOT BANNED BY IT"))
      patterns.add(one);
  }
  for (const group of bannedGroups(policy)) {
    if (group.kind === "token") lost(group.name, "holders of tokens cannot be banned by this file");
    if (group.kind !== "voms") continue;
    const found = lcmapsPatterns(group);
    for (const one of found.length > 0 ? found : lost(group.name, "no pattern says it: IT IS NOT BANNED BY THIS FILE"))
      patterns.add(one);
  }
  return lines(
    [...patterns].sort(byText).map((one) => `"${one}"`),
    leftOut,
    hash,
  );
}

function attempt(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
