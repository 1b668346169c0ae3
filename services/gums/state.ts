/** What the database knows beyond the policy, in memory: recorded members, recorded accounts, pool accounts. */
import { type GumsState, PEOPLE } from "../../src/policy/index.ts";
import {
  type Fields,
  type Follower,
  Merged,
  type Pools,
  type RecordedEvent,
  type SavedMerge,
} from "../records/index.ts";

/** A blank and a slash can stand in names; this cannot. */
const BETWEEN = "\n";

/** @returns what an event of the stream `mapping` speaks of; those of before mappers had names are the people's */
export function accountKey(fields: Fields): string {
  return `${fields.mapper || PEOPLE}${BETWEEN}${fields.subject ?? ""}`;
}

function memberKey(fields: Fields): string {
  return [fields.group, fields.subject, fields.fqan].join(BETWEEN);
}

/** Recorded members of groups, found by person: the last word about each (group, person, FQAN) counts. */
export class MemberBook extends Merged {
  /** Person → group → the FQANs he is in it with; an empty text is any. */
  readonly #people = new Map<string, Map<string, Set<string>>>();

  constructor() {
    super(memberKey);
  }

  override learn(event: RecordedEvent): boolean {
    const changed = super.learn(event);
    if (changed) this.#enter(event.fields);
    return changed;
  }

  override restore(saved: SavedMerge): void {
    super.restore(saved);
    for (const { fields } of saved.events) this.#enter(fields);
  }

  /** @returns the FQANs a person is recorded with, `null` for any */
  memberships(group: string, subject: string): readonly (string | null)[] {
    const fqans = this.#people.get(subject)?.get(group);
    return fqans === undefined ? [] : [...fqans].map((fqan) => fqan || null);
  }

  /** @returns the groups a person is recorded in */
  groupsOf(subject: string): readonly string[] {
    return [...(this.#people.get(subject)?.keys() ?? [])];
  }

  /** Everybody who is in a group now, in the order of the records. */
  members(group?: string): readonly RecordedEvent[] {
    return this.events().filter(
      ({ fields }) => fields.action === "add" && (group === undefined || fields.group === group),
    );
  }

  /** @returns the last note that the members of a group were fetched from its server */
  note(group: string): RecordedEvent | undefined {
    return this.get(memberKey({ group, subject: "", fqan: "" }));
  }

  #enter({ action, group = "", subject = "", fqan = "" }: Fields): void {
    if (action === "note") return;
    const groups = this.#people.get(subject) ?? new Map<string, Set<string>>();
    const fqans = groups.get(group) ?? new Set<string>();
    if (action === "add") fqans.add(fqan);
    else fqans.delete(fqan);
    if (fqans.size > 0) groups.set(group, fqans);
    else groups.delete(group);
    if (groups.size > 0) this.#people.set(subject, groups);
    else this.#people.delete(subject);
  }
}

/** @returns the look-ups of the engine over what is followed */
export function gumsState(
  accounts: Follower<Merged>,
  members: Follower<MemberBook>,
  pools: Pick<Pools, "pooled">,
): GumsState {
  return {
    memberships: (group, subject) => members.merged.memberships(group, subject),
    groupsOf: (subject) => members.merged.groupsOf(subject),
    account: (mapper, subject) => {
      const fields = accounts.merged.get(accountKey({ mapper, subject }))?.fields;
      return fields?.action === "add" ? { account: fields.account ?? "", group: fields.groupname || null } : undefined;
    },
    pooled: (pool, subject) => pools.pooled(pool, subject),
  };
}
