/**
 * Blocks for `arc.conf` of ARC 6: a group of callers for each entry, `[authgroup:…]`, and `[mapping]`, where the first that fits counts.
 *
 * ARC compares a VOMS group whole: groups below one are in it only by being named; it looks at every FQAN of a proxy, not the primary alone; and
 * has no way to say "without a role". Nothing here keeps anybody out: bans of FQANs are for LCMAPS or the site's own `authgroup`s.
 * Source: `AuthUser::match_voms` and `match_subject` of nordugrid/arc; `arc.conf` of its test sites (`authtokens`, `map_to_user`).
 */
import { voOf } from "../../grid/index.ts";
import type { FqanMatch, VomsGroup } from "../gums/model.ts";
import { type Entry, entriesFor, type FileRequest, type LeftOut, lines, type WrittenFile } from "./entries.ts";
import { inComment, isAccount, isGroup, isPrintable, isWord, plainDn } from "./names.ts";

type Rule = (group: string, role: string | null) => string | null;
const vo = (group: string): string => voOf({ group, role: null });

/** `vo group role capability`; `null` where ARC cannot compare so. */
const RULES: Readonly<Record<FqanMatch, Rule>> = {
  exact: (group, role) => role && `${vo(group)} ${group} ${role} *`,
  vorole: (group, role) => role && `${vo(group)} * ${role} *`,
  role: (_group, role) => role && `* * ${role} *`,
  vogroup: (group) => `${vo(group)} ${group} * *`,
  vo: (group) => `${vo(group)} * * *`,
  ignore: () => null,
};

function vomsRule({ match, group, role }: VomsGroup): string | null {
  if (role !== null && !isWord(role)) return null;
  if (match === "role") return RULES.role("", role);
  return group !== null && isGroup(group) ? RULES[match](group, role) : null;
}

const word = (text: string): boolean => isPrintable(text) && !/[\s"]/.test(text);

/** @returns the line of a group that holds just these callers */
function ruleOf(entry: Entry): string | null {
  switch (entry.kind) {
    case "person":
      return plainDn(entry.subject) ? `subject = ${entry.subject}` : null;
    case "voms": {
      const rule = vomsRule(entry.voms);
      return rule && `voms = ${rule}`;
    }
    case "token-holder":
      return word(entry.subject) && word(entry.issuer) ? `authtokens = ${entry.subject} ${entry.issuer} * * *` : null;
    case "token": {
      const { issuer, subject, group } = entry.token;
      const fields = [subject ?? "*", issuer, "*", "*", group ?? "*"];
      return [subject ?? "x", issuer, group ?? "x"].every((one) => word(one) && one !== "*")
        ? `authtokens = ${fields.join(" ")}`
        : null;
    }
    case "voms-pool":
      return null;
  }
}

/** The blocks, in order of decision; `map_to_user = group account:unixgroup`. */
export function arcConf(request: FileRequest): WrittenFile {
  const { entries, leftOut } = entriesFor(request);
  const groups: string[] = [];
  const mapping: string[] = [];
  entries.forEach((entry) => {
    const rule = ruleOf(entry);
    const name = entry.kind === "person" || entry.kind === "token-holder" ? entry.subject : entry.userGroup;
    if (rule === null || !("account" in entry) || !isAccount(entry.account)) {
      leftOut.push({
        name,
        says: "ARC cannot say it: it meets the next group that fits",
        loud: entry.kind !== "person",
      });
      return;
    }
    const label = `domus-${mapping.length + 1}`;
    groups.push(`[authgroup:${label}]`, `# ${inComment(entry.mapping.name)}: ${inComment(entry.userGroup)}`, rule, "");
    const account =
      entry.unixGroup !== null && isAccount(entry.unixGroup) ? `${entry.account}:${entry.unixGroup}` : entry.account;
    mapping.push(`map_to_user = ${label} ${account}`);
  });
  const banned = bannedNames(request);
  if (banned.length > 0) leftOut.push({ name: "bans", says: `not in this file: ${banned.join(", ")}`, loud: true });
  const hash = ({ name, says }: LeftOut): string => `# left out: ${inComment(name)}: ${inComment(says)}`;
  return lines([...groups, "[mapping]", ...mapping], leftOut, hash);
}

function bannedNames({ policy, bans }: FileRequest): readonly string[] {
  return [...policy.banned, ...bans.map((one) => `${one.kind} ${one.value}`)].sort();
}
