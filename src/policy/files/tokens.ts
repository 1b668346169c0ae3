/**
 * Files for holders of tokens: HTCondor-CE's map file (which has people's DNs too) and the JSON map file of xrootd's SciTokens plugin.
 *
 * Neither can keep anybody out. Where the policy bans a group of tokens, or SAZ an issuer, a holder or a scope, no line that could hold one of
 * them is written; where it bans a VO or group, none that names a group of it.
 */
import { covers, parseFqan, voOf } from "../../grid/index.ts";
import {
  type Ban,
  type Entry,
  entriesFor,
  type FileRequest,
  type LeftOut,
  lines,
  type WrittenFile,
} from "./entries.ts";
import { asRegularExpression, byText, inComment, isAccount, isGroup, isPrintable, plainDn } from "./names.ts";

const hash = ({ name, says }: LeftOut): string => `# left out: ${inComment(name)}: ${inComment(says)}`;

interface Holders {
  readonly issuer: string;
  /** `null` is any. */
  readonly subject: string | null;
  readonly group: string | null;
}

/** Could one of these holders be meant by a ban of SAZ? Nobody knows which scopes a token has that comes later. */
function couldBeMeant({ kind, value }: Ban, { issuer, subject, group }: Holders): boolean {
  switch (kind) {
    case "issuer":
      return value === issuer;
    case "token":
      return subject === null ? value.startsWith(`${issuer} `) : value === `${issuer} ${subject}`;
    case "scope":
      return value.startsWith(`${issuer} `);
    case "vo":
    case "role": {
      if (group === null || !isGroup(group)) return false;
      const [own, banned] = [parseFqan(group), kind === "vo" ? null : parseFqan(value)];
      return banned === null ? voOf(own) === value : covers(banned, own);
    }
    case "dn":
    case "ca":
      return false;
  }
}

/** Issuers of which somebody is banned: only their banned subjects are known by name. */
function bannedOf({ policy, bans }: FileRequest, holders: Holders): boolean {
  if (bans.some((ban) => couldBeMeant(ban, holders))) return true;
  const { issuer, subject } = holders;
  return policy.banned.some((name) => {
    const group = policy.userGroups.find((one) => one.name === name);
    if (group?.kind !== "token" || group.issuer !== issuer) return false;
    return subject === null || group.subject === null || group.subject === subject;
  });
}

type TokenEntry = Extract<Entry, { readonly kind: "token" | "token-holder" }>;

/** @returns the entries about tokens, as issuer, subject and group, with those left out that could let a banned one in */
function tokenEntries(
  request: FileRequest,
  entries: readonly Entry[],
  leftOut: LeftOut[],
): readonly {
  readonly entry: TokenEntry;
  readonly issuer: string;
  readonly subject: string | null;
  readonly group: string | null;
}[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== "token" && entry.kind !== "token-holder") return [];
    const issuer = entry.kind === "token" ? entry.token.issuer : entry.issuer;
    const subject = entry.kind === "token" ? entry.token.subject : entry.subject;
    const group = entry.kind === "token" ? entry.token.group : null;
    if (bannedOf(request, { issuer, subject, group })) {
      leftOut.push({
        name: entry.userGroup,
        says: `somebody of ${issuer} is banned, which this file cannot say`,
        loud: false,
      });
      return [];
    }
    return isAccount(entry.account) ? [{ entry, issuer, subject, group }] : [];
  });
}

/**
 * HTCondor-CE, `/etc/condor-ce/mapfiles.d/*.conf`: `METHOD /regular expression/ account`, the first that fits counts. A token is known as
 * `issuer,subject`; its groups are not seen. People's DNs stand under `SSL`, and under `GSI` for what is older than HTCondor 9.3.
 * Source: HTCondor-CE's documentation, "Configuring authentication".
 */
export function condorMapfile(request: FileRequest): WrittenFile {
  const { entries, leftOut } = entriesFor(request);
  const tokens = new Map<Entry, string | null>();
  for (const { entry, issuer, subject, group } of tokenEntries(request, entries, leftOut)) {
    const [from, who] = [asRegularExpression(issuer), subject === null ? ".*" : asRegularExpression(subject)];
    tokens.set(entry, group === null && from !== null && who !== null ? `/^${from},${who}$/` : null);
  }
  const written = entries.flatMap((entry) => {
    if (entry.kind === "person") {
      const name = plainDn(entry.subject) ? asRegularExpression(entry.subject) : null;
      if (name !== null) return ["SSL", "GSI"].map((method) => `${method} /^${name}$/ ${entry.account}`);
      leftOut.push({ name: entry.subject, says: "this file cannot say the name", loud: false });
    }
    const token = tokens.get(entry);
    if (token === null) {
      const says = "groups of tokens, and names that are not printable, cannot be said: its members meet the next line";
      leftOut.push({ name: entry.userGroup, says, loud: true });
    }
    return token && "account" in entry ? [`SCITOKENS ${token} ${entry.account}`] : [];
  });
  return lines(written, leftOut, hash);
}

/** @returns the issuer a file of one issuer is for */
function issuerOf({ issuer, policy }: FileRequest): string | null {
  if (issuer !== null) return issuer;
  const known = new Set(policy.userGroups.flatMap((one) => (one.kind === "token" ? [one.issuer] : [])));
  return known.size === 1 ? [...known][0]! : null;
}

/**
 * xrootd, `name_mapfile` of one `[Issuer …]` of `scitokens.cfg`: a JSON list of rules, the first that fits counts. Groups are compared
 * whole, so that groups below one are not in it.
 * Source: `src/XrdSciTokens/README.md` of xrootd.
 */
export function scitokensMapfile(request: FileRequest): WrittenFile {
  const { entries, leftOut } = entriesFor(request);
  const wanted = issuerOf(request);
  if (wanted === null) leftOut.push({ name: "issuer", says: "the file is for one issuer: say which", loud: false });
  const rules = tokenEntries(request, entries, leftOut).flatMap(({ entry, issuer, subject, group }) => {
    if (issuer !== wanted) return [];
    const lost = (says: string): readonly [] => {
      leftOut.push({ name: entry.userGroup, says, loud: false });
      return [];
    };
    if (subject === null && group === null) return lost(`everybody of the issuer: set default_user = ${entry.account}`);
    if (subject !== null && !isPrintable(subject)) return lost("the subject is not printable");
    const rule = { ...(subject === null ? {} : { sub: subject }), ...(group === null ? {} : { group }) };
    return [{ ...rule, result: entry.account, comment: inComment(`${entry.mapping.name}: ${entry.userGroup}`) }];
  });
  const sorted = [...leftOut].sort((a, b) => byText(a.name, b.name));
  return { text: `${JSON.stringify(rules, null, 2)}\n`, leftOut: sorted };
}
