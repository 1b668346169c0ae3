/**
 * Which e-mails are due, worked out from what is recorded: there is no queue that could be lost. Each has a name that says what it is about and
 * when that happened; a notice recorded under that name is an e-mail that went out (or that a server will never take), and then it is due no more.
 *
 * | due                                             | to                                                                |
 * | ----------------------------------------------- | ----------------------------------------------------------------- |
 * | the code of an application                      | the address that is to be confirmed                               |
 * | an application waits                            | representatives of its institution, else managers, else operators |
 * | a group or role is asked for                    | managers, else operators                                          |
 * | a certificate is asked for                      | as for an application                                             |
 * | approved, denied, removed                       | the person                                                        |
 * | suspended                                       | the person                                                        |
 * | a group, role or certificate decided            | the person                                                        |
 * | membership, institution or rules about to end   | the person, at the times the organization has set                 |
 *
 * What happened longer ago than a week is told to nobody any more: when e-mail is set up for an organization that has been there for years, its people
 * must not all get letters about their approval. Whoever decides is found by his name among the members: the site file knows names, not addresses. Pure.
 */
import { createHash } from "node:crypto";
import { type Person, SITE_FILE, standingOf, type VoDefinition, type VoFacts } from "../../../src/vo/index.ts";

export interface Notice {
  readonly vo: string;
  readonly person: string;
  /** What it is about; with the person, the name it is recorded under. */
  readonly what: string;
  /** Milliseconds since the epoch at which it became due. */
  readonly due: number;
  /** Nobody, where no address is known of anybody who should be told. */
  readonly to: readonly string[];
  readonly letter: Letter;
}

export interface Letter {
  readonly kind: keyof typeof LETTERS;
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly reason: string;
  /** Address of the page, or of the link with the code. */
  readonly link: string;
}

export interface NoticeOptions {
  /** Where people reach the pages. */
  readonly url: string;
  readonly operators: string | null;
  readonly code: (person: string, email: string, until: number) => string;
}

/** Milliseconds after which what happened is told to nobody any more. */
export const TOLD_WITHIN = 7 * 86_400_000;
/** Milliseconds for which a code is good, as `operations/applying.ts` makes it. */
const CODE_LIFE = 7 * 86_400_000;

/** What each letter says. A line each; what people wrote stands in lines of its own, so that it cannot pass for ours. */
export const LETTERS = {
  confirm: {
    greets: false,
    subject: ({ title }: Letter) => `Confirm your application to ${title}`,
    // It goes to an address that anybody may have given: nothing that he wrote stands in it, only the name in his certificate or token.
    lines: ({ title, about, link }: Letter) => [
      `somebody, probably you, applied for membership in ${title} as`,
      "",
      `    ${about}`,
      "",
      "To confirm that this is your address and your application, open this page within seven days:",
      "",
      link,
      "",
      "If you did not apply, do nothing.",
    ],
  },
  waiting: {
    greets: false,
    subject: ({ title }: Letter) => `An application to ${title} waits for you`,
    lines: ({ title, name, about, link }: Letter) => [
      `to become a member of ${title} asks`,
      "",
      `    ${name}, ${about}`,
      "",
      "Approve or deny it here:",
      "",
      link,
    ],
  },
  place: {
    greets: false,
    subject: ({ title, about }: Letter) => `${about} is asked for in ${title}`,
    lines: ({ about, name, reason, link }: Letter) => [
      `for ${about} asks`,
      "",
      `    ${name}`,
      ...quoted(reason),
      "",
      "Grant or refuse it here:",
      "",
      link,
    ],
  },
  certificate: {
    greets: false,
    subject: ({ title }: Letter) => `A further certificate is asked for in ${title}`,
    lines: ({ about, name, link }: Letter) => [
      "a further certificate is asked for by",
      "",
      `    ${name}`,
      "",
      "with the name",
      "",
      `    ${about}`,
      "",
      "Approve or refuse it here:",
      "",
      link,
    ],
  },
  approved: {
    greets: true,
    subject: ({ title }: Letter) => `You are a member of ${title}`,
    lines: ({ title, about, reason, link }: Letter) => [
      `your membership in ${title} is approved, ${about}.`,
      ...quoted(reason),
      "",
      link,
    ],
  },
  denied: {
    greets: true,
    subject: ({ title }: Letter) => `Your application to ${title} was denied`,
    lines: ({ title, reason, link }: Letter) => [
      `your application to ${title} was denied:`,
      ...quoted(reason),
      "",
      link,
    ],
  },
  removed: {
    greets: true,
    subject: ({ title }: Letter) => `You are no longer a member of ${title}`,
    lines: ({ title, reason, link }: Letter) => [`your membership in ${title} has ended:`, ...quoted(reason), "", link],
  },
  suspended: {
    greets: true,
    subject: ({ title }: Letter) => `You are suspended in ${title}`,
    lines: ({ title, reason, link }: Letter) => [
      `you are suspended in ${title}:`,
      ...quoted(reason),
      "",
      "VOMS gives you nothing until that is lifted.",
      "",
      link,
    ],
  },
  decided: {
    greets: true,
    subject: ({ about, title }: Letter) => `${about} in ${title}`,
    lines: ({ about, reason, link }: Letter) => [`${about}.`, ...quoted(reason), "", link],
  },
  ending: {
    greets: true,
    subject: ({ title, about }: Letter) => `${title}: ${about}`,
    lines: ({ title, about, reason, link }: Letter) => [`in ${title} ${about}.`, "", reason, "", link],
  },
} as const satisfies Record<
  string,
  {
    readonly greets: boolean;
    readonly subject: (letter: Letter) => string;
    readonly lines: (letter: Letter) => readonly string[];
  }
>;

const quoted = (text: string): readonly string[] => (text === "" ? [] : ["", `    ${text}`]);

const ENDS = {
  membership: ["your membership ends on", "A representative of your institution can renew it."],
  institution: ["your institution ceases to be a part on", "Ask a manager what this means for you."],
  rules: ["the rules have to be signed by", "Open the page below, read them and sign."],
} as const;

/** A group's or role's name as part of a notice's: a record's name has 255 characters. */
const short = (fqan: string): string =>
  fqan.length <= 120 ? fqan : createHash("sha256").update(fqan).digest("hex").slice(0, 32);

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
const momentOf = (at: string): number => Date.parse(at) || 0;

/** The addresses of those who decide, each once. */
class Deciders {
  readonly #byName = new Map<string, string>();
  readonly #vo: VoDefinition;
  readonly #operators: readonly string[];

  constructor(vo: VoDefinition, facts: VoFacts, operators: string | null) {
    this.#vo = vo;
    this.#operators = operators === null ? [] : [operators];
    const wanted = new Set([...vo.managers, ...vo.institutions.flatMap(({ representatives }) => representatives)]);
    for (const { details, identities } of facts.people.values())
      for (const { subject, state } of identities.values())
        if (details?.email && state === "good" && wanted.has(subject)) this.#byName.set(subject, details.email);
  }

  managers(): readonly string[] {
    const found = this.#addresses(this.#vo.managers);
    return found.length > 0 ? found : this.#operators;
  }

  of(institution: string): readonly string[] {
    const found = this.#addresses(
      this.#vo.institutions.find(({ name }) => name === institution)?.representatives ?? [],
    );
    return found.length > 0 ? found : this.managers();
  }

  #addresses(names: readonly string[]): readonly string[] {
    return [...new Set(names.flatMap((name) => this.#byName.get(name) ?? []))];
  }
}

/**
 * @param now milliseconds since the epoch
 * @returns e-mails that are due and have not gone out, in the order of their becoming due
 */
export function dueNotices(vo: VoDefinition, facts: VoFacts, now: number, options: NoticeOptions): readonly Notice[] {
  const deciders = new Deciders(vo, facts, options.operators);
  const due: Notice[] = [];
  for (const person of facts.people.values())
    for (const one of [...happened(vo, person, deciders, options), ...ending(vo, facts, person, now, options)])
      if (one.due <= now && now - one.due < TOLD_WITHIN && !person.notices.has(one.what)) due.push(one);
  return due.sort((a, b) => a.due - b.due);
}

function* happened(vo: VoDefinition, person: Person, deciders: Deciders, options: NoticeOptions): Generator<Notice> {
  const { application, suspension, details, id } = person;
  const email = details?.email ?? "";
  const page = `${options.url}/voms/${encodeURIComponent(vo.name)}`;
  const notice = (
    what: string,
    due: number,
    to: readonly string[],
    letter: Omit<Letter, "title" | "name">,
  ): Notice => ({
    vo: vo.name,
    person: id,
    what,
    due,
    to: to.filter((one) => one !== ""),
    letter: { name: details?.name ?? "", title: vo.title, ...letter },
  });
  const own = (what: string, at: string, kind: Letter["kind"], about: string, reason: string): Notice =>
    notice(`${what} ${momentOf(at)}`, momentOf(at), [email], { kind, about, reason, link: `${page}/me` });

  if (application !== null && application.actor !== SITE_FILE) {
    const { state, at, reason, until, since, codeUntil } = application;
    if (state === "applied" && codeUntil !== null) {
      const code = options.code(id, email, codeUntil);
      const link = `${page}/confirm?${new URLSearchParams({ person: id, code })}`;
      yield notice(`confirm ${codeUntil}`, codeUntil - CODE_LIFE, [email], {
        kind: "confirm",
        about: [...person.identities.values()].find((one) => one.state === "good")?.subject ?? "",
        reason: "",
        link,
      });
    }
    if (state === "confirmed")
      yield notice(`waiting ${momentOf(at)}`, momentOf(at), deciders.of(details?.institution ?? ""), {
        kind: "waiting",
        about: details?.institution ?? "",
        reason: "",
        link: `${page}/people/${id}`,
      });
    const lasts = until === null ? "for good" : `until ${day(until)}`;
    if (state === "approved")
      yield since === null
        ? own("approved", at, "approved", lasts, reason)
        : own("renewed", at, "decided", `Your membership lasts ${lasts}`, reason);
    if (state === "denied") yield own("denied", at, "denied", "", reason);
    if (state === "removed") yield own("removed", at, "removed", "", reason);
  }
  if (suspension !== null) yield own("suspended", suspension.at, "suspended", "", suspension.reason);
  for (const { fqan, state, at, reason } of person.places.values()) {
    if (application?.actor === SITE_FILE && at === "") continue;
    if (state === "asked")
      yield notice(`place ${momentOf(at)} ${short(fqan)}`, momentOf(at), deciders.managers(), {
        kind: "place",
        about: fqan,
        reason,
        link: `${page}/waiting`,
      });
    if (state === "granted") yield own(`granted ${short(fqan)}`, at, "decided", `You have ${fqan}`, reason);
    if (state === "denied") yield own(`refused ${short(fqan)}`, at, "decided", `${fqan} is refused`, reason);
  }
  for (const { key, subject, state, at, reason, actor } of person.identities.values()) {
    const what = key.slice(0, 16);
    if (state === "asked")
      yield notice(`certificate ${what} ${momentOf(at)}`, momentOf(at), deciders.of(details?.institution ?? ""), {
        kind: "certificate",
        about: subject,
        reason,
        link: `${page}/people/${id}`,
      });
    if (state === "suspended" && actor !== subject)
      yield own(`suspended ${what}`, at, "decided", `Your certificate ${subject} is suspended`, reason);
  }
}

/** What ends soon: the last time that has come of those the organization has set, and only if it came after what it counts from. */
function* ending(
  vo: VoDefinition,
  facts: VoFacts,
  person: Person,
  now: number,
  options: NoticeOptions,
): Generator<Notice> {
  const { ends, until } = standingOf(vo, facts, person, now);
  if (ends === null || until === null) return;
  const began = Math.max(momentOf(person.application?.at ?? ""), ...person.signatures.values());
  const before = vo.notices.toSorted((a, b) => a - b).find((seconds) => until - seconds * 1000 <= now);
  if (before === undefined || until - before * 1000 <= began) return;
  const [says, remedy] = ENDS[ends];
  yield {
    vo: vo.name,
    person: person.id,
    what: `ending ${ends} ${until} ${before}`,
    due: until - before * 1000,
    to: person.details?.email ? [person.details.email] : [],
    letter: {
      kind: "ending",
      name: person.details?.name ?? "",
      title: vo.title,
      about: `${says} ${day(until)}`,
      reason: remedy,
      link: `${options.url}/voms/${encodeURIComponent(vo.name)}/me`,
    },
  };
}
