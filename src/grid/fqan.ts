/**
 * Fully qualified attribute names of VOMS: `/vo/group/Role=role/Capability=capability`. `NULL` and absence mean the same, and the
 * capability is ignored (deprecated since 2005, always NULL in practice). Groups are compared part by part: `/cms/us` is not a
 * prefix of `/cms/usfoo`.
 */
import { NameRefused } from "./dn.ts";

export interface Fqan {
  /** `/fermilab/nova` */
  readonly group: string;
  /** `null` where the text has none or says NULL. */
  readonly role: string | null;
}

export const FQAN_LIMIT = 512;
const PART = /^[A-Za-z0-9_.-]+$/;

/**
 * @throws {NameRefused} for anything that is not an FQAN
 */
export function parseFqan(text: string): Fqan {
  const trimmed = text.trim();
  if (trimmed.length > FQAN_LIMIT) throw new NameRefused(`an FQAN has at most ${FQAN_LIMIT} characters`);
  if (!trimmed.startsWith("/")) throw new NameRefused('an FQAN starts with "/", as in /fermilab/nova/Role=Production');
  const parts = trimmed.slice(1).split("/");
  const groups: string[] = [];
  let role: string | null = null;
  let stage = 0;
  for (const part of parts) {
    const assignment = /^(Role|Capability)=(.*)$/.exec(part);
    if (!assignment) {
      if (stage > 0 || !PART.test(part)) throw new NameRefused(`"${trimmed.slice(0, 60)}" is not an FQAN`);
      groups.push(part);
      continue;
    }
    const position = assignment[1] === "Role" ? 1 : 2;
    if (position <= stage || !PART.test(assignment[2]!))
      throw new NameRefused(`"${trimmed.slice(0, 60)}" is not an FQAN`);
    stage = position;
    if (position === 1 && assignment[2] !== "NULL") role = assignment[2]!;
  }
  if (groups.length === 0) throw new NameRefused(`"${trimmed.slice(0, 60)}" names no group`);
  return { group: `/${groups.join("/")}`, role };
}

/** @returns the short form: `/fermilab/nova` or `/fermilab/nova/Role=Production`. */
export function formatFqan(fqan: Fqan): string {
  return fqan.role === null ? fqan.group : `${fqan.group}/Role=${fqan.role}`;
}

/** @returns the form LCMAPS compares with: Role and Capability always written. */
export function formatFullFqan(fqan: Fqan): string {
  return `${fqan.group}/Role=${fqan.role ?? "NULL"}/Capability=NULL`;
}

/** @returns the VO: the first part of the group. */
export function voOf(fqan: Fqan): string {
  return fqan.group.split("/")[1]!;
}

/**
 * Does a rule speak of this FQAN? A rule with a role means exactly that group and role; a rule without one means the group and
 * everything below it, in any role.
 */
export function covers(rule: Fqan, fqan: Fqan): boolean {
  if (rule.role !== null) return rule.group === fqan.group && rule.role === fqan.role;
  return fqan.group === rule.group || fqan.group.startsWith(`${rule.group}/`);
}
