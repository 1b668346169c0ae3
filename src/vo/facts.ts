/**
 * What is known of the people of one organization, from what was written down: each record is the last word on one thing (`kind` and `key`), and
 * the facts depend on the set of last words alone, in whatever order they are put in.
 *
 * | kind          | key                    | says                                                              |
 * | ------------- | ---------------------- | ----------------------------------------------------------------- |
 * | `person`      | person                 | name, e-mail, institution and so on                               |
 * | `identity`    | digest of the identity | whose certificate or token it is, and whether it may be used      |
 * | `application` | person                 | applied, confirmed, approved (until when), denied, removed        |
 * | `suspension`  | person                 | suspended and why, or no longer                                   |
 * | `signature`   | person, version        | when these rules were signed                                      |
 * | `place`       | person, group or role  | asked for, granted, denied, removed                               |
 * | `attribute`   | person or FQAN, name   | a generic attribute                                               |
 * | `institution` | institution            | until when it is a part of the organization                       |
 * | `notice`      | person, what           | that a notice went out                                            |
 * | `rules`       | `current`              | which version of the rules is in force, and since when            |
 */

export const VO_KINDS = [
  "person",
  "identity",
  "application",
  "suspension",
  "signature",
  "place",
  "attribute",
  "institution",
  "notice",
  "rules",
] as const;
export type VoKind = (typeof VO_KINDS)[number];

/** Who approved the members that the site file names. */
export const SITE_FILE = "site file";

/** The last word on one thing. */
export interface VoWord {
  readonly vo: string;
  readonly kind: VoKind;
  readonly key: string;
  readonly action: string;
  /** What belongs to it, by name. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly reason: string;
  readonly actor: string;
  /** ISO 8601, by the clock of who wrote it. */
  readonly at: string;
}

export interface Details {
  readonly name: string;
  readonly email: string;
  readonly institution: string;
  readonly phone: string;
}

export type IdentityState = "asked" | "good" | "refused" | "removed" | "suspended";

/** A certificate's name under its authority, or a token's subject under its issuer. */
export interface Identity {
  readonly key: string;
  readonly kind: "certificate" | "token";
  readonly subject: string;
  /** `null` where any trusted authority will do (members by the site file). */
  readonly issuer: string | null;
  readonly state: IdentityState;
  readonly reason: string;
  /** Of one that was asked for: whether a call was made with it, and whether the member wants it. Both have to be before it is approved lightly. */
  readonly shown: boolean;
  readonly wanted: boolean;
  readonly actor: string;
  readonly at: string;
}

export type ApplicationState = "applied" | "confirmed" | "approved" | "denied" | "removed";

export interface Application {
  readonly state: ApplicationState;
  /** Of a membership: milliseconds since the epoch at which it ends; `null` is never. */
  readonly until: number | null;
  /** Of a renewed membership: milliseconds since the epoch of its first approval; `null` where that is `at`. */
  readonly since: number | null;
  /** Of an application: SHA-256 of the code that was sent to the address, and when it ends. */
  readonly code: string | null;
  readonly codeUntil: number | null;
  /** What he wrote when he applied; each later word on the application carries it along. */
  readonly comment: string;
  readonly reason: string;
  readonly actor: string;
  readonly at: string;
}

export type PlaceState = "asked" | "granted" | "denied" | "removed";

export interface Place {
  /** `/fermilab/nova` or `/fermilab/nova/Role=Production` */
  readonly fqan: string;
  readonly state: PlaceState;
  readonly reason: string;
  readonly actor: string;
  readonly at: string;
}

/** What is recorded of one person. */
export interface Person {
  readonly id: string;
  readonly details: Details | null;
  readonly application: Application | null;
  /** Why, while it lasts. */
  readonly suspension: { readonly reason: string; readonly actor: string; readonly at: string } | null;
  readonly identities: ReadonlyMap<string, Identity>;
  readonly places: ReadonlyMap<string, Place>;
  /** Version → milliseconds since the epoch. */
  readonly signatures: ReadonlyMap<string, number>;
  readonly attributes: ReadonlyMap<string, string>;
  /** What was told, and when (ISO 8601). */
  readonly notices: ReadonlyMap<string, string>;
}

interface Draft {
  readonly id: string;
  details: Details | null;
  application: Application | null;
  suspension: Person["suspension"];
  readonly identities: Map<string, Identity>;
  readonly places: Map<string, Place>;
  readonly signatures: Map<string, number>;
  readonly attributes: Map<string, string>;
  readonly notices: Map<string, string>;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const momentOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
const oneOf = <Word extends string>(word: string, words: readonly Word[], otherwise: Word): Word =>
  words.includes(word as Word) ? (word as Word) : otherwise;

/** The part of a key before its first blank, and the rest. */
function parted(key: string): readonly [first: string, rest: string] {
  const blank = key.indexOf(" ");
  return blank < 0 ? [key, ""] : [key.slice(0, blank), key.slice(blank + 1)];
}

/** The version that was last seen in the site file, and when it was first seen there: milliseconds since the epoch. */
export interface RulesInForce {
  readonly version: string;
  readonly since: number;
}

/** The facts of one organization. */
export class VoFacts {
  readonly #people = new Map<string, Draft>();
  /** Identity → person who has it by the last word. */
  readonly #holders = new Map<string, string>();
  readonly #attributes = new Map<string, Map<string, string>>();
  readonly #institutions = new Map<string, number | null>();
  #rules: RulesInForce | null = null;

  /** Takes a last word, in place of the one before it on the same thing. */
  put(word: VoWord): void {
    PUTS[word.kind](this, word);
  }

  get people(): ReadonlyMap<string, Person> {
    return this.#people;
  }

  /** Until when institutions are a part, where that was recorded after the file. */
  get institutions(): ReadonlyMap<string, number | null> {
    return this.#institutions;
  }

  get rules(): RulesInForce | null {
    return this.#rules;
  }

  /** Whose identity it is. */
  holderOf(identity: string): Person | undefined {
    const id = this.#holders.get(identity);
    return id === undefined ? undefined : this.#people.get(id);
  }

  /** Generic attributes of a group or role. */
  attributesOf(fqan: string): ReadonlyMap<string, string> {
    return this.#attributes.get(fqan) ?? NOTHING;
  }

  draft(id: string): Draft {
    let draft = this.#people.get(id);
    if (draft === undefined) {
      draft = {
        id,
        details: null,
        application: null,
        suspension: null,
        identities: new Map(),
        places: new Map(),
        signatures: new Map(),
        attributes: new Map(),
        notices: new Map(),
      };
      this.#people.set(id, draft);
    }
    return draft;
  }

  putIdentity({ key, action, value, reason, actor, at }: VoWord): void {
    const before = this.#holders.get(key);
    const id = textOf(value.person);
    if (before !== undefined && before !== id) this.#people.get(before)?.identities.delete(key);
    this.#holders.set(key, id);
    this.draft(id).identities.set(key, {
      key,
      kind: value.kind === "token" ? "token" : "certificate",
      subject: textOf(value.subject),
      issuer: typeof value.issuer === "string" ? value.issuer : null,
      state: oneOf(action, ["asked", "good", "refused", "removed", "suspended"], "refused"),
      reason,
      shown: value.shown === true,
      wanted: value.wanted === true,
      actor,
      at,
    });
  }

  putAttribute({ key, action, value }: VoWord): void {
    const [owner, name] = parted(key);
    const owned = owner.startsWith("/") ? this.#attributesOf(owner) : this.draft(owner).attributes;
    if (action === "set") owned.set(name, textOf(value.text));
    else owned.delete(name);
  }

  putInstitution({ key, value }: VoWord): void {
    this.#institutions.set(key, momentOf(value.until));
  }

  putRules({ value }: VoWord): void {
    const since = momentOf(value.since);
    this.#rules = since === null ? null : { version: textOf(value.version), since };
  }

  #attributesOf(fqan: string): Map<string, string> {
    let owned = this.#attributes.get(fqan);
    if (owned === undefined) {
      owned = new Map();
      this.#attributes.set(fqan, owned);
    }
    return owned;
  }
}

const NOTHING: ReadonlyMap<string, string> = new Map();

/** What each kind of record does to the facts. */
const PUTS: Readonly<Record<VoKind, (facts: VoFacts, word: VoWord) => void>> = {
  person: (facts, { key, action, value }) => {
    const { name, email, institution, phone } = value;
    facts.draft(key).details =
      action === "set"
        ? { name: textOf(name), email: textOf(email), institution: textOf(institution), phone: textOf(phone) }
        : null;
  },
  identity: (facts, word) => facts.putIdentity(word),
  application: (facts, { key, action, value, reason, actor, at }) => {
    facts.draft(key).application = {
      state: oneOf(action, ["applied", "confirmed", "approved", "denied", "removed"], "denied"),
      until: momentOf(value.until),
      since: momentOf(value.since),
      comment: textOf(value.comment),
      code: typeof value.code === "string" ? value.code : null,
      codeUntil: momentOf(value.codeUntil),
      reason,
      actor,
      at,
    };
  },
  suspension: (facts, { key, action, reason, actor, at }) => {
    facts.draft(key).suspension = action === "suspend" ? { reason, actor, at } : null;
  },
  signature: (facts, { key, action, value }) => {
    const [id, version] = parted(key);
    const at = momentOf(value.at);
    if (action === "sign" && at !== null) facts.draft(id).signatures.set(version, at);
    else facts.draft(id).signatures.delete(version);
  },
  place: (facts, { key, action, reason, actor, at }) => {
    const [id, fqan] = parted(key);
    const state = oneOf(action, ["asked", "granted", "denied", "removed"], "removed");
    facts.draft(id).places.set(fqan, { fqan, state, reason, actor, at });
  },
  attribute: (facts, word) => facts.putAttribute(word),
  institution: (facts, word) => facts.putInstitution(word),
  notice: (facts, { key, at }) => {
    const [id, what] = parted(key);
    facts.draft(id).notices.set(what, at);
  },
  rules: (facts, word) => facts.putRules(word),
};
