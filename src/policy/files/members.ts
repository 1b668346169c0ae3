/**
 * Who is listed in a VO, a group or a role: what VOMS-Admin's `getGridmapUsers` gives, made of the lists GUMS decides by. Who is banned is in no
 * list: software that makes accounts of it knows no other way to keep him out.
 */
import { covers, type Fqan, NameRefused, nameOrNull, parseFqan, voOf, withProxyParents } from "../../grid/index.ts";
import type { Member, UserGroup, VomsGroup } from "../gums/model.ts";
import type { FileRequest } from "./entries.ts";
import { byText } from "./names.ts";

type Listed = Pick<FileRequest, "policy" | "state" | "bans">;

function membersOf({ state }: Listed, group: UserGroup): readonly Pick<Member, "subject" | "fqan">[] {
  if (group.kind !== "manual" && group.kind !== "voms") return [];
  return [...group.members, ...state.memberships.filter((one) => one.group === group.name)];
}

function banOf(request: Listed): (subject: string) => boolean {
  const banned = new Set(request.bans.filter(({ kind }) => kind === "dn").map(({ value }) => value));
  for (const group of request.policy.userGroups)
    if (request.policy.banned.includes(group.name))
      for (const { subject } of membersOf(request, group)) banned.add(subject);
  return (subject) => withProxyParents(subject).some((name) => banned.has(name));
}

/** Is everybody of the group banned, by its VO or by a group or role above it? */
function isBanned({ bans }: Listed, group: Fqan): boolean {
  return bans.some(
    ({ kind, value }) =>
      (kind === "vo" && value === voOf(group)) || (kind === "role" && covers(parseFqan(value), group)),
  );
}

/** @returns what a VOMS group is about; `null` for one that names no group */
function fqanOf({ group, role }: VomsGroup): Fqan | null {
  return group === null ? null : { group, role };
}

/**
 * @param container `/fermilab`, `/fermilab/nova/Role=Production`, the name of a group of the policy, or nothing for everybody
 * @returns names in normal form, in order, each once
 * @throws {NameRefused} when it is neither an FQAN nor the name of a group
 */
export function gridmapUsers(request: Listed, container: string): readonly string[] {
  const isName = request.policy.userGroups.some(({ name }) => name === container);
  const wanted = isName || container === "" ? null : nameOrNull(() => parseFqan(container));
  if (!isName && container !== "" && wanted === null)
    throw new NameRefused(`${container.slice(0, 60)} is neither a group of the policy nor an FQAN`);
  const banned = banOf(request);
  const users = new Set<string>();
  for (const group of request.policy.userGroups) {
    if (request.policy.banned.includes(group.name) || (isName && group.name !== container)) continue;
    const about = group.kind === "voms" ? fqanOf(group) : null;
    if (wanted !== null && (about === null || !covers(wanted, about))) continue;
    if (about !== null && isBanned(request, about)) continue;
    for (const { subject, fqan } of membersOf(request, group)) {
      if (!subject.startsWith("/") || banned(subject)) continue;
      if (wanted !== null && fqan !== null && !covers(wanted, parseFqan(fqan))) continue;
      users.add(subject);
    }
  }
  return [...users].sort(byText);
}
