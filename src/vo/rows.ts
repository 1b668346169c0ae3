/**
 * What a stock vomsd reads of an organization (schema version 3): it looks at `certificate.suspended` and at nothing else that could end a membership,
 * so expiry, unsigned rules, suspensions and bans of the site all come down to that one column, with the reason people are shown.
 */
import type { VoDefinition } from "./definition.ts";
import type { Person, VoFacts } from "./facts.ts";
import { placesOf, standingOf, whyNotUsable } from "./standing.ts";

export interface PersonRow {
  readonly person: string;
  readonly name: string;
  readonly email: string;
  readonly institution: string;
  readonly phone: string;
  /** Of one of the certificates, for people who look. */
  readonly subject: string;
  readonly suspended: string | null;
  /** Groups and roles, short form. */
  readonly places: readonly string[];
  readonly attributes: ReadonlyMap<string, string>;
}

export interface CertificateRow {
  readonly person: string;
  readonly subject: string;
  readonly authority: string;
  /** Why; `null` while it may be used. */
  readonly suspended: string | null;
}

export interface VomsdRows {
  readonly people: readonly PersonRow[];
  readonly certificates: readonly CertificateRow[];
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  /** Of groups and of roles in groups, by FQAN. */
  readonly attributes: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Milliseconds since the epoch at which something ends by itself and the rows are others; `null` is never. */
  readonly until: number | null;
}

/** Why something is banned by SAZ, by kind and value; `undefined` when it is not. */
export type Banned = (kind: "dn" | "vo" | "role" | "ca", value: string) => string | undefined;

const bannedSays = (reason: string): string => `banned from this site${reason === "" ? "" : `: ${reason}`}`;

/**
 * @param now milliseconds since the epoch
 */
export function vomsdRows(vo: VoDefinition, facts: VoFacts, banned: Banned, now: number): VomsdRows {
  const people: PersonRow[] = [];
  const certificates: CertificateRow[] = [];
  let until: number | null = null;
  for (const person of facts.people.values()) {
    const standing = standingOf(vo, facts, person, now);
    if (!KNOWN.has(standing.state)) continue;
    if (standing.until !== null) until = Math.min(until ?? standing.until, standing.until);
    const own = certificatesOf(person, standing.state === "member" ? null : standing.says, vo, banned);
    if (own.length === 0) continue;
    certificates.push(...own);
    people.push({
      person: person.id,
      name: person.details?.name ?? "",
      email: person.details?.email ?? "",
      institution: person.details?.institution ?? "",
      phone: person.details?.phone ?? "",
      subject: own[0]!.subject,
      suspended: own.every((one) => one.suspended !== null) ? own[0]!.suspended : null,
      places: placesOf(vo, person).filter((fqan) => banned("role", fqan) === undefined),
      attributes: person.attributes,
    });
  }
  const fqans = vo.groups.flatMap((group) => [group, ...vo.roles.map((role) => `${group}/Role=${role}`)]);
  const attributes = new Map(
    fqans.map((fqan) => [fqan, facts.attributesOf(fqan)] as const).filter(([, of]) => of.size > 0),
  );
  return { people, certificates, groups: vo.groups, roles: vo.roles, attributes, until };
}

/** Who has rows: members, and those who would be but for something that can end. */
const KNOWN: ReadonlySet<string> = new Set(["member", "suspended", "expired", "unsigned"]);

/** @param standing why none of the person's certificates may be used, or `null` */
function certificatesOf(
  person: Person,
  standing: string | null,
  vo: VoDefinition,
  banned: Banned,
): readonly CertificateRow[] {
  return [...person.identities.values()].flatMap(({ kind, subject, issuer, state, reason }): CertificateRow[] => {
    // vomsd tells people by their authority: one that the site file leaves open cannot be written.
    if (kind !== "certificate" || issuer === null || (state !== "good" && state !== "suspended")) return [];
    const ban = banned("dn", subject) ?? banned("ca", issuer) ?? banned("vo", vo.name);
    const own = whyNotUsable({ state, reason });
    const suspended = standing ?? own ?? (ban === undefined ? null : bannedSays(ban));
    return [{ person: person.id, subject, authority: issuer, suspended }];
  });
}
