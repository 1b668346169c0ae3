/** One call in one organization: who calls, who he is there, what he may be, and whom the call is about. Made anew for each call. */

import {
  type Identity,
  type Person,
  type Standing,
  standingOf,
  type VoDefinition,
  type VoFacts,
  whyNotUsable,
} from "../../src/vo/index.ts";
import { Refusal } from "../http/index.ts";
import { identityKey } from "../vo/index.ts";
import type { Caller } from "./callers.ts";

/**
 * Who may do something. `self` is whom the call is about; `person` is anybody with a certificate or token that is believed; `anybody` needs none.
 * A representative is one only of the institution of whom the call is about.
 */
export const ROLES = ["anybody", "person", "self", "representative", "manager", "operator"] as const;
export type Role = (typeof ROLES)[number];

/** How roles are called in sentences. */
export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  anybody: "anybody",
  person: "people with a certificate that is trusted here",
  self: "the person himself",
  representative: "representatives of the person's institution",
  manager: "managers of the organization",
  operator: "the site's operators",
};

export interface Scene {
  readonly vo: VoDefinition;
  readonly facts: VoFacts;
  readonly caller: Caller;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The caller's own identity as it is recorded here. */
  readonly identity: Identity | null;
  /** Who the caller is here: whose identity it is, while that is good or suspended. */
  readonly self: Person | null;
  /** Of whom somebody said that this identity is his, without it being approved. */
  readonly claimedBy: Person | null;
  /** Institutions that the caller speaks for. */
  readonly institutions: readonly string[];
  readonly manages: boolean;
}

/** @returns the caller's part in an organization */
export function sceneOf(vo: VoDefinition, facts: VoFacts, caller: Caller, now: number): Scene {
  const { identity } = caller;
  const mayKnow = identity !== null && (identity.kind === "certificate" || vo.issuers.includes(identity.issuer));
  const key = mayKnow ? identityKey(identity.kind, identity.subject, identity.issuer) : "";
  const anyKey = mayKnow ? identityKey(identity.kind, identity.subject, null) : "";
  const holder = facts.holderOf(key) ?? facts.holderOf(anyKey) ?? null;
  const known = holder?.identities.get(key) ?? holder?.identities.get(anyKey) ?? null;
  const state = known?.state;
  // A certificate that was lost must not go on managing.
  const subject =
    identity?.kind === "certificate" && (state === undefined || state === "good" || state === "asked")
      ? identity.subject
      : null;
  return {
    vo,
    facts,
    caller,
    now,
    identity: known,
    self: state === "good" || state === "suspended" ? holder : null,
    claimedBy: state === "asked" ? holder : null,
    institutions:
      subject === null
        ? []
        : vo.institutions.filter(({ representatives }) => representatives.includes(subject)).map(({ name }) => name),
    manages: subject !== null && vo.managers.includes(subject),
  };
}

/** @returns everything the caller is, towards the person a call is about */
export function rolesOf(scene: Scene, about: Person | null): readonly Role[] {
  const { caller, self, manages, institutions } = scene;
  const own = about !== null && self === about;
  const institution = about?.details?.institution ?? "";
  const has: Readonly<Record<Role, boolean>> = {
    anybody: true,
    person: caller.identity !== null,
    self: own && whyNoSelf(scene) === null,
    // Nobody decides about himself.
    representative: !own && (about === null ? institutions.length > 0 : institutions.includes(institution)),
    manager: manages,
    operator: caller.site === "operator",
  };
  return ROLES.filter((role) => has[role]);
}

/** @returns why the caller may not act for the person whose identity he shows, or `null` */
export function whyNoSelf({ identity }: Scene): string | null {
  return identity === null ? null : whyNotUsable(identity);
}

/** Whether the caller sees others' data at all. */
export function oversees({ caller, manages, institutions }: Scene): boolean {
  return caller.site === "operator" || manages || institutions.length > 0;
}

/** @returns whether the caller may see a person */
export function maySee(scene: Scene, person: Person): boolean {
  return rolesOf(scene, person).some((role) => role !== "anybody" && role !== "person");
}

/** @returns the standing of somebody now */
export function standing({ vo, facts, now }: Scene, person: Person | null): Standing {
  return standingOf(vo, facts, person ?? undefined, now);
}

/** @returns how a person is called in sentences */
export function called(person: Person | null): string {
  if (person === null) return "nobody";
  return person.details?.name || [...person.identities.values()][0]?.subject || person.id;
}

/**
 * @param text a person's id, or the name in one of his certificates
 * @param issuer the authority of that certificate, where several have people of one name
 * @throws {Refusal} 404 when there is no such person, or more than one
 */
export function findPerson({ facts, vo }: Scene, text: string, issuer: string | null): Person {
  const byId = facts.people.get(text);
  if (byId !== undefined) return byId;
  const found = new Set<Person>();
  for (const person of facts.people.values())
    for (const one of person.identities.values())
      if (one.subject === text && (issuer === null || one.issuer === null || one.issuer === issuer)) found.add(person);
  const [first] = found;
  if (first === undefined) throw new Refusal(404, `${vo.name} knows nobody as ${text.slice(0, 200)}`);
  if (found.size > 1)
    throw new Refusal(404, `${found.size} people have certificates for ${text.slice(0, 200)}: name the authority too`);
  return first;
}

/** What standings are called, to people. */
export const STANDING_WORDS: Readonly<Record<Standing["state"], string>> = {
  visitor: "Visitor",
  candidate: "Address not confirmed",
  applicant: "Waits for approval",
  member: "Member",
  unsigned: "Rules not signed",
  suspended: "Suspended",
  expired: "Expired",
  denied: "Denied",
  removed: "No longer a member",
};
