/**
 * What a person is in the organization now, and why. The words are VOMRS's: visitor, candidate (applied, address not confirmed), applicant
 * (waits for approval), member; a member may be suspended, his membership or his institution's expired, the rules not signed.
 */
import type { VoDefinition } from "./definition.ts";
import { type Identity, type Person, SITE_FILE, type VoFacts } from "./facts.ts";

export const STANDINGS = [
  "visitor",
  "candidate",
  "applicant",
  "member",
  "unsigned",
  "suspended",
  "expired",
  "denied",
  "removed",
] as const;

export interface Standing {
  readonly state: (typeof STANDINGS)[number];
  /** Why it is so, in a sentence that the person may read. */
  readonly says: string;
  /** Milliseconds since the epoch at which this ends by itself; `null` where nothing ends it. */
  readonly until: number | null;
  /** What ends it, for the notice: `membership`, `institution`, `rules`. */
  readonly ends: "membership" | "institution" | "rules" | null;
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** When an institution stops being a part; what was recorded counts more than the file. */
export function institutionUntil(vo: VoDefinition, facts: Pick<VoFacts, "institutions">, name: string): number | null {
  const recorded = facts.institutions.get(name);
  return recorded !== undefined ? recorded : (vo.institutions.find((one) => one.name === name)?.until ?? null);
}

/**
 * Until when the person may go on without signing (again); `null` is for good. Who has not signed the version in force has the grace from its
 * first day, or from his approval where that was later. A version whose first day nobody has recorded yet is in force from now: a new version must
 * not lock everybody out before VOMRS has seen it.
 */
function rulesUntil(vo: VoDefinition, facts: Pick<VoFacts, "rules">, person: Person, now: number): number | null {
  // Whom the site file names, the site's operators answer for.
  if (vo.rules === null || person.application?.actor === SITE_FILE) return null;
  const { version, every, grace } = vo.rules;
  const signed = person.signatures.get(version);
  if (signed !== undefined) return every === null ? null : signed + every * 1000;
  const approved = person.application?.since ?? (Date.parse(person.application?.at ?? "") || 0);
  const inForce = facts.rules?.version === version ? facts.rules.since : now;
  return Math.max(approved, inForce) + grace * 1000;
}

/**
 * @param now milliseconds since the epoch
 */
export function standingOf(vo: VoDefinition, facts: VoFacts, person: Person | undefined, now: number): Standing {
  const application = person?.application;
  const still = (state: Standing["state"], says: string): Standing => ({ state, says, until: null, ends: null });
  if (!person || !application) return still("visitor", `not known to ${vo.name}`);
  const because = application.reason === "" ? "" : `: ${application.reason}`;
  switch (application.state) {
    case "applied":
      return still("candidate", "the e-mail address is not confirmed yet");
    case "confirmed":
      return still("applicant", "waits for a representative's approval");
    case "denied":
      return still("denied", `the application was denied${because}`);
    case "removed":
      return still("removed", `no longer a member${because}`);
    case "approved":
      break;
  }
  if (person.suspension !== null)
    return still("suspended", `suspended${person.suspension.reason === "" ? "" : `: ${person.suspension.reason}`}`);
  const institution = person.details?.institution ?? "";
  const ends = [
    { ends: "membership", at: application.until, says: (at: number) => `the membership ended on ${day(at)}` },
    {
      ends: "institution",
      at: institutionUntil(vo, facts, institution),
      says: (at: number) => `${institution} is no part of ${vo.name} since ${day(at)}`,
    },
  ] as const;
  for (const { at, says } of ends) if (at !== null && at <= now) return still("expired", says(at));
  const rules = rulesUntil(vo, facts, person, now);
  if (rules !== null && rules <= now)
    return still("unsigned", `version ${vo.rules?.version} of the rules is not signed, or not in time`);
  const next = [...ends, { ends: "rules", at: rules } as const]
    .filter((one): one is typeof one & { at: number } => one.at !== null)
    .sort((a, b) => a.at - b.at)[0];
  return { state: "member", says: `a member of ${vo.name}`, until: next?.at ?? null, ends: next?.ends ?? null };
}

/** Why an identity of a member cannot be used, or `null`. */
export function whyNotUsable(identity: Pick<Identity, "state" | "reason">): string | null {
  switch (identity.state) {
    case "good":
      return null;
    case "asked":
      return "this certificate waits for approval";
    case "suspended":
      return `this certificate is suspended${identity.reason === "" ? "" : `: ${identity.reason}`}`;
    case "refused":
    case "removed":
      return "this certificate is not, or no longer, a member's";
  }
}

/** Groups and roles a member holds: granted ones that the file still knows, in whose groups he is; the organization itself first. */
export function placesOf(vo: VoDefinition, person: Person): readonly string[] {
  const groups = new Set([`/${vo.name}`]);
  const granted = [...person.places.values()].filter((one) => one.state === "granted").map((one) => one.fqan);
  for (const fqan of granted) {
    const parts = fqan.split("/Role=")[0]!.slice(1).split("/");
    // Who is in a group is in those above it.
    for (let length = 1; length <= parts.length; length++) groups.add(`/${parts.slice(0, length).join("/")}`);
  }
  const known = [...groups].filter((group) => vo.groups.includes(group)).sort();
  const roles = granted.filter((fqan) => {
    const [group = "", role] = fqan.split("/Role=");
    return role !== undefined && vo.roles.includes(role) && vo.groups.includes(group);
  });
  return [...known, ...roles.sort()];
}
