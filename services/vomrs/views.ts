/** What is shown of organizations and people: the same to pages and to programs. Times are ISO 8601, ends `null` where there is none. */
import { institutionUntil, type Person, placesOf, whyNotUsable } from "../../src/vo/index.ts";
import type { RecordedEvent } from "../records/index.ts";
import type { Chronicle } from "./chronicle.ts";
import { called, type Scene, standing } from "./scene.ts";

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

export type StandingView = ReturnType<typeof standingView>;
export type PersonView = ReturnType<typeof personView>;
export type CertificateView = PersonView["certificates"][number];
export type PlaceView = PersonView["places"][number];
export type HistoryLine = ReturnType<typeof historyLine>;

function standingView(scene: Scene, person: Person | null) {
  const { state, says, until, ends } = standing(scene, person);
  return { state, says, until: iso(until), ends };
}

/** A person in a list. */
export function lineView(scene: Scene, person: Person) {
  return {
    id: person.id,
    name: called(person),
    email: person.details?.email ?? "",
    institution: person.details?.institution ?? "",
    subject: [...person.identities.values()].find(({ state }) => state === "good")?.subject ?? "",
    standing: standingView(scene, person),
  };
}

/** Everything that is in force of a person. */
export function personView(scene: Scene, person: Person) {
  const { application, suspension, details } = person;
  const { state } = standing(scene, person);
  return {
    ...lineView(scene, person),
    phone: details?.phone ?? "",
    application:
      application === null
        ? null
        : {
            state: application.state,
            until: iso(application.until),
            comment: application.comment,
            reason: application.reason,
            actor: application.actor,
            at: application.at,
          },
    suspension,
    /** What VOMS gives him now. */
    fqans: state === "member" ? placesOf(scene.vo, person) : [],
    places: [...person.places.values()]
      .map(({ fqan, state, reason, actor, at }) => ({ fqan, state, reason, actor, at }))
      .sort((a, b) => (a.fqan < b.fqan ? -1 : 1)),
    certificates: [...person.identities.values()].map((one) => ({
      certificate: one.key,
      kind: one.kind,
      subject: one.subject,
      issuer: one.issuer,
      state: one.state,
      shown: one.shown,
      wanted: one.wanted,
      says: whyNotUsable(one) ?? "can be used",
      actor: one.actor,
      at: one.at,
    })),
    signatures: [...person.signatures].map(([version, at]) => ({ version, at: iso(at) })),
    attributes: [...person.attributes].map(([name, text]) => ({ name, text })),
  };
}

/** An organization, as anybody may see it. */
export function organizationView({ vo, facts, now }: Scene) {
  const institutions = vo.institutions.map(({ name }) => ({ name, until: iso(institutionUntil(vo, facts, name)) }));
  return {
    name: vo.name,
    title: vo.title,
    groups: vo.groups,
    roles: vo.roles,
    institutions: institutions.map((one) => ({ ...one, over: one.until !== null && Date.parse(one.until) <= now })),
    rules: vo.rules === null ? null : { version: vo.rules.version, text: vo.rules.text },
    membershipSeconds: vo.membership,
  };
}

/** What each field of a record's value says, to people; codes and digests say nothing. */
const UNSAID: readonly string[] = ["code", "person", "kind"];

function historyLine({ at, origin, seq, fields }: RecordedEvent) {
  const { kind = "", name = "", action = "", value = "", reason = "", actor = "" } = fields;
  let said: Record<string, unknown> = {};
  try {
    const read: unknown = JSON.parse(value === "" ? "{}" : value);
    if (read !== null && typeof read === "object") said = read as Record<string, unknown>;
  } catch {
    // A later version's way of writing: shown without it.
  }
  // What is said of a person names him first; he is who it is shown for.
  const rest = name.startsWith("/") ? name : name.includes(" ") ? name.slice(name.indexOf(" ") + 1) : "";
  const about = kind === "identity" ? String(said.subject ?? "") : kind === "institution" ? name : rest;
  const details = Object.entries(said)
    .filter(
      ([key, one]) =>
        !UNSAID.includes(key) && one !== "" && one !== null && !(kind === "identity" && key === "subject"),
    )
    .map(([key, one]) => ({ name: key, text: momentText(key, one) }));
  return { at, kind, about, action, details, reason, actor, event: `${origin}:${seq}` };
}

const MOMENTS: readonly string[] = ["until", "codeUntil", "since", "at"];
const momentText = (key: string, value: unknown): string =>
  typeof value === "number" && MOMENTS.includes(key) ? new Date(value).toISOString() : String(value);

/** Everything that was ever said of a person, or of the organization where `person` is empty; the last first. */
export function historyView(book: Chronicle, vo: string, person: string) {
  return book.history(vo, person).map(historyLine);
}
