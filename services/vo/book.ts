/**
 * The people of every organization, folded from the records: VOMS and VOMRS read the same book. The last word of each thing counts, so the book
 * depends on the set of events alone, not on their order of arrival.
 */
import { createHash } from "node:crypto";
import {
  type Person,
  SITE_FILE,
  VO_KINDS,
  type VoDefinition,
  VoFacts,
  type VoKind,
  type VoWord,
} from "../../src/vo/index.ts";
import { type Cursor, type Fields, type Fold, Merged, type RecordedEvent, type SavedMerge } from "../records/index.ts";

/** @returns what belongs to a word, or `null` for what a later version wrote and this one does not know */
function valueIn({ kind = "", value = "" }: Fields): VoWord["value"] | null {
  if (!VO_KINDS.includes(kind as VoKind)) return null;
  try {
    const read: unknown = value === "" ? {} : JSON.parse(value);
    return read === null || typeof read !== "object" || Array.isArray(read) ? null : (read as VoWord["value"]);
  } catch {
    return null;
  }
}

/** What nobody here can read is about nothing that anybody can: else it would hide the word before it, or not, as they came in. */
const keyOf = (fields: Fields): string => {
  const { vo = "", kind = "", name = "" } = fields;
  return valueIn(fields) === null ? JSON.stringify(fields) : `${vo}\n${kind}\n${name}`;
};

function wordOf({ fields, at }: RecordedEvent): VoWord | null {
  const value = valueIn(fields);
  const { vo = "", kind = "", name = "", action = "", reason = "", actor = "" } = fields;
  return value === null ? null : { vo, kind: kind as VoKind, key: name, action, value, reason, actor, at };
}

/** The key of an identity: names are longer than a key may be. */
export function identityKey(kind: "certificate" | "token", subject: string, issuer: string | null): string {
  return createHash("sha256")
    .update(`${kind}\n${issuer ?? ""}\n${subject}`)
    .digest("hex");
}

/** The person that the site file names, always the same. */
export function namedPerson(vo: string, subject: string): string {
  return `file-${createHash("sha256").update(`${vo}\n${subject}`).digest("hex").slice(0, 24)}`;
}

export class VoBook implements Fold {
  readonly #merged = new Merged(keyOf);
  readonly #facts = new Map<string, VoFacts>();
  readonly #definitions: ReadonlyMap<string, VoDefinition>;

  constructor(definitions: readonly VoDefinition[]) {
    this.#definitions = new Map(definitions.map((one) => [one.name, one]));
    for (const one of definitions) this.#facts.set(one.name, factsOfFile(one));
  }

  get definitions(): readonly VoDefinition[] {
    return [...this.#definitions.values()];
  }

  definition(vo: string): VoDefinition | undefined {
    return this.#definitions.get(vo);
  }

  /** The facts of an organization; none are known of one that the file does not name. */
  facts(vo: string): VoFacts {
    return this.#facts.get(vo) ?? new VoFacts();
  }

  /** Whose certificate it is: the one recorded under this authority, or the one that the file names under any. */
  holder(vo: string, subject: string, issuer: string): Person | undefined {
    const facts = this.facts(vo);
    return (
      facts.holderOf(identityKey("certificate", subject, issuer)) ??
      facts.holderOf(identityKey("certificate", subject, null))
    );
  }

  /** Every word on one person that is in force, for the record shown to people; the order of the events. */
  events(vo: string): readonly RecordedEvent[] {
    return this.#merged.events().filter(({ fields }) => fields.vo === vo);
  }

  take(event: RecordedEvent): boolean {
    if (!this.#merged.take(event)) return false;
    this.#put(event);
    return true;
  }

  learn(event: RecordedEvent): boolean {
    if (!this.#merged.learn(event)) return false;
    this.#put(event);
    return true;
  }

  get counter(): number {
    return this.#merged.counter;
  }

  cursor(): Cursor {
    return this.#merged.cursor();
  }

  save(): SavedMerge {
    return this.#merged.save();
  }

  restore(saved: SavedMerge): void {
    this.#merged.restore(saved);
    for (const event of this.#merged.events()) this.#put(event);
  }

  /** Puts the last word on what the event is about; the event itself need not be it. */
  #put(event: RecordedEvent): void {
    const last = this.#merged.get(keyOf(event.fields));
    const word = last === undefined ? null : wordOf(last);
    if (word !== null) this.#facts.get(word.vo)?.put(word);
  }
}

/** Members that the file names, as facts: approved for good, with their groups, under any authority where it names none. */
function factsOfFile(vo: VoDefinition): VoFacts {
  const facts = new VoFacts();
  const about = { vo: vo.name, reason: "by the site file", actor: SITE_FILE, at: "" };
  for (const { subject, issuer, fqans, email } of vo.members) {
    const person = namedPerson(vo.name, subject);
    const name = subject.slice(subject.lastIndexOf("=") + 1);
    facts.put({ ...about, kind: "person", key: person, action: "set", value: { name, email: email ?? "" } });
    facts.put({ ...about, kind: "application", key: person, action: "approved", value: {} });
    const identity = { person, kind: "certificate", subject, issuer };
    const key = identityKey("certificate", subject, issuer);
    facts.put({ ...about, kind: "identity", key, action: "good", value: identity });
    for (const fqan of fqans)
      facts.put({ ...about, kind: "place", key: `${person} ${fqan}`, action: "granted", value: {} });
  }
  return facts;
}
