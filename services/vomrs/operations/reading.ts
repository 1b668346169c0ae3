/** What is only read. Who may see whom is the same rule as who may decide about him. */
import type { Person } from "../../../src/vo/index.ts";
import { FormRefused } from "../fields.ts";
import { aboutOf, type Doing, type Operation, PERSON } from "../operation.ts";
import { called, maySee, rolesOf, STANDING_WORDS, standing } from "../scene.ts";
import { historyView, lineView, organizationView, personView } from "../views.ts";

/** People on one page. */
export const PAGE = 50;
const OVERSEERS = ["representative", "manager", "operator"] as const;

const byName = (a: Person, b: Person): number => called(a).localeCompare(called(b), "en") || (a.id < b.id ? -1 : 1);

function seen(doing: Doing): readonly Person[] {
  return [...doing.facts.people.values()].filter((person) => person.application !== null && maySee(doing, person));
}

/** What waits for whom: the same to representatives (their own people's applications and certificates) and managers. */
export function waitingOf(doing: Doing) {
  const people = seen(doing).toSorted(byName);
  const longest = (a: { readonly at: string }, b: { readonly at: string }): number =>
    a.at < b.at ? -1 : a.at > b.at ? 1 : 0;
  const decides = (person: Person): boolean => rolesOf(doing, person).some((role) => OVERSEERS.includes(role as never));
  const places = (person: Person): boolean =>
    rolesOf(doing, person).some((role) => role === "manager" || role === "operator");
  return {
    applications: people
      .filter((person) => standing(doing, person).state === "applicant" && decides(person))
      .map((person) => personView(doing, person))
      .toSorted((a, b) => longest(a.application!, b.application!)),
    unconfirmed: people
      .filter((person) => standing(doing, person).state === "candidate" && decides(person))
      .map((person) => lineView(doing, person)),
    places: people.flatMap((person) =>
      places(person)
        ? [...person.places.values()]
            .filter(({ state }) => state === "asked")
            .map(({ fqan, reason, at }) => ({ person: lineView(doing, person), fqan, reason, at }))
        : [],
    ),
    certificates: people.flatMap((person) =>
      decides(person)
        ? personView(doing, person)
            .certificates.filter(({ state }) => state === "asked")
            .map((certificate) => ({ person: lineView(doing, person), ...certificate }))
        : [],
    ),
  };
}

function people(doing: Doing) {
  const { input } = doing;
  const words = input.text("q").toLowerCase().split(" ").filter(Boolean);
  const state = input.text("state");
  if (state !== "" && !Object.hasOwn(STANDING_WORDS, state))
    throw new FormRefused({ state: `expected one of ${Object.keys(STANDING_WORDS).join(", ")}` });
  const found = seen(doing)
    .filter((person) => state === "" || standing(doing, person).state === state)
    .filter((person) => {
      if (words.length === 0) return true;
      const { name = "", email = "", institution = "" } = person.details ?? {};
      const subjects = [...person.identities.values()].map(({ subject }) => subject);
      const text = [name, email, institution, ...subjects].join("\n").toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .toSorted(byName);
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const page = Math.min(pages, Math.max(1, Number(input.text("page")) || 1));
  const shown = input.checked("all") ? found : found.slice((page - 1) * PAGE, page * PAGE);
  return { total: found.length, page, pages, people: shown.map((person) => lineView(doing, person)) };
}

/** For operations that only read: what they say is what they found. */
const found = (data: Readonly<Record<string, unknown>>) => ({ says: "", data });

export const READING: readonly Operation[] = [
  {
    name: "organization",
    says: "see what an organization is",
    who: ["anybody"],
    about: "nobody",
    changes: false,
    fields: {},
    run: (doing) => found({ organization: organizationView(doing) }),
  },
  {
    name: "me",
    says: "see one's own membership",
    who: ["person"],
    about: "self",
    changes: false,
    fields: {},
    run: (doing) => {
      const { self, claimedBy, caller, institutions, manages } = doing;
      return found({
        identity: caller.identity,
        person: self === null ? null : personView(doing, self),
        // Who claims one's certificate is no secret to oneself.
        claimedBy: claimedBy === null ? null : called(claimedBy),
        represents: institutions,
        manages: manages || caller.site === "operator",
      });
    },
  },
  {
    name: "waiting",
    says: "see what waits for a decision",
    who: OVERSEERS,
    about: "nobody",
    changes: false,
    fields: {},
    run: (doing) => found(waitingOf(doing)),
  },
  {
    name: "people",
    says: "see who is in the organization",
    who: OVERSEERS,
    about: "nobody",
    changes: false,
    fields: {
      q: { kind: "line", label: "Search" },
      state: { kind: "line", label: "Standing" },
      page: { kind: "line", label: "Page" },
      all: { kind: "check", label: "All on one page" },
    },
    run: (doing) => found(people(doing)),
  },
  {
    name: "person",
    says: "see a person and everything recorded about him",
    who: ["self", ...OVERSEERS],
    about: "person",
    changes: false,
    fields: PERSON,
    run: (doing) => {
      const person = aboutOf(doing);
      return found({
        person: personView(doing, person),
        history: historyView(doing.means.book, doing.vo.name, person.id),
      });
    },
  },
  {
    name: "institutions",
    says: "see the institutions and their people's number",
    who: OVERSEERS,
    about: "nobody",
    changes: false,
    fields: {},
    run: (doing) => {
      const counts = new Map<string, number>();
      for (const person of doing.facts.people.values())
        if (standing(doing, person).state === "member")
          counts.set(person.details?.institution ?? "", (counts.get(person.details?.institution ?? "") ?? 0) + 1);
      const { institutions } = organizationView(doing);
      return found({
        institutions: institutions.map((one) => ({
          ...one,
          representatives: doing.vo.institutions.find(({ name }) => name === one.name)?.representatives ?? [],
          members: counts.get(one.name) ?? 0,
        })),
        attributes: [
          ...doing.vo.groups,
          ...doing.vo.groups.flatMap((group) => doing.vo.roles.map((role) => `${group}/Role=${role}`)),
        ].flatMap((owner) => [...doing.facts.attributesOf(owner)].map(([name, text]) => ({ owner, name, text }))),
        history: historyView(doing.means.book, doing.vo.name, ""),
      });
    },
  },
];
