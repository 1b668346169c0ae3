/**
 * Many user groups in a fixed order, asked at once: which of them hold this caller? FQANs, names and issuers are keys of tables whose
 * values are places in that order, so that the cost grows with what the caller shows and not with the number of groups.
 */
import type { GumsState, MappingQuestion, Member, TokenGroup, UserGroup, VomsGroup } from "./model.ts";

export interface Asked extends MappingQuestion {
  readonly identity: string;
}

/** Places in ascending order. */
type Places = number[];

function add<Key>(table: Map<Key, Places>, key: Key, place: number): void {
  const places = table.get(key);
  if (places) places.push(place);
  else table.set(key, [place]);
}

/** Every FQAN a member is listed with; `null` is any. */
type Lists = Map<string, (string | null)[]>;

function lists(members: readonly Member[]): Lists {
  const table: Lists = new Map();
  for (const { subject, fqan } of members) {
    const known = table.get(subject);
    if (known) known.push(fqan);
    else table.set(subject, [fqan]);
  }
  return table;
}

const speaksOf = (listed: readonly (string | null)[] | undefined, fqan: string | null): boolean => {
  if (listed !== undefined) for (const one of listed) if (one === null || one === fqan) return true;
  return false;
};

const NONE: Places = [];

export class GroupTable {
  private readonly groups: readonly UserGroup[];
  private readonly state: GumsState;
  private readonly hasAccount: (mapper: string, identity: string) => boolean;
  private readonly members: readonly (Lists | null)[];
  private readonly exact = new Map<string, Places>();
  private readonly below = new Map<string, Places>();
  private readonly vo = new Map<string, Places>();
  private readonly voRole = new Map<string, Map<string | null, Places>>();
  private readonly role = new Map<string | null, Places>();
  private readonly any: Places = [];
  private readonly withoutFqan: Places = [];
  private readonly issuers = new Map<string, Places>();
  private readonly mapped: Places = [];
  /** Manual groups that cannot be found by name beforehand: all of them, or none when the state says who is where. */
  private readonly manual: Places = [];
  private readonly bySubject = new Map<string, Places>();
  private readonly byName = new Map<string, Places>();

  /**
   * @param groups one for each place; the same may stand at several
   * @param hasAccount whether a manual mapper has an account for somebody
   */
  constructor(
    groups: readonly UserGroup[],
    state: GumsState,
    hasAccount: (mapper: string, identity: string) => boolean,
  ) {
    this.groups = groups;
    this.state = state;
    this.hasAccount = hasAccount;
    const made = new Map<UserGroup, Lists>();
    this.members = groups.map((group) => {
      if (group.kind !== "manual" && group.kind !== "voms") return null;
      const known = made.get(group) ?? lists(group.members);
      made.set(group, known);
      return known;
    });
    groups.forEach((group, place) => {
      this.file(group, place);
    });
  }

  private file(group: UserGroup, place: number): void {
    switch (group.kind) {
      case "voms":
        if (group.withoutFqan) this.withoutFqan.push(place);
        this.fileFqan(group, place);
        return;
      case "token":
        add(this.issuers, group.issuer, place);
        return;
      case "mapped":
        this.mapped.push(place);
        return;
      case "manual":
        if (this.state.groupsOf === undefined) this.manual.push(place);
        else {
          for (const subject of this.members[place]!.keys()) add(this.bySubject, subject, place);
          add(this.byName, group.name, place);
        }
    }
  }

  private fileFqan({ match, group, role }: VomsGroup, place: number): void {
    if (match === "ignore") this.any.push(place);
    else if (match === "role") add(this.role, role, place);
    else if (group === null) return;
    else if (match === "exact") add(this.exact, role === null ? group : `${group}/Role=${role}`, place);
    else if (match === "vogroup") add(this.below, group, place);
    else if (match === "vo") add(this.vo, firstPart(group), place);
    else {
      const roles = this.voRole.get(firstPart(group)) ?? new Map<string | null, Places>();
      this.voRole.set(firstPart(group), roles);
      add(roles, role, place);
    }
  }

  /** @returns lists of places whose groups may hold the caller; certain ones for a believed FQAN, else to be looked at */
  private candidates(asked: Asked): Places[] {
    const found: Places[] = [];
    const push = (places: Places | undefined): void => {
      if (places !== undefined && places.length > 0) found.push(places);
    };
    push(this.mapped);
    this.pushManual(asked.identity, push);
    if (asked.token !== null) push(this.issuers.get(asked.token.issuer));
    else if (asked.fqan === null) push(this.withoutFqan);
    else this.pushFqan(asked.fqan, push);
    return found;
  }

  private pushManual(identity: string, push: (places: Places | undefined) => void): void {
    push(this.manual);
    push(this.bySubject.get(identity));
    if (this.byName.size > 0 && this.state.groupsOf)
      for (const name of this.state.groupsOf(identity)) push(this.byName.get(name));
  }

  private pushFqan(fqan: string, push: (places: Places | undefined) => void): void {
    const cut = fqan.indexOf("/Role=");
    const group = cut < 0 ? fqan : fqan.slice(0, cut);
    const role = cut < 0 ? null : fqan.slice(cut + 6);
    const vo = firstPart(group);
    push(this.exact.get(fqan));
    if (this.below.size > 0)
      for (let end = group.length; end > 0; end = group.lastIndexOf("/", end - 1))
        push(this.below.get(group.slice(0, end)));
    push(this.vo.get(vo));
    push(this.voRole.get(vo)?.get(role));
    push(this.role.get(role));
    push(this.any);
  }

  /** Is a name in the list of the group at this place, for calls with this FQAN? */
  private listed(place: number, name: string, fqan: string | null): boolean {
    if (speaksOf(this.members[place]?.get(name), fqan)) return true;
    return speaksOf(this.state.memberships(this.groups[place]!.name, name), fqan);
  }

  /** Of a candidate: does the group really hold him? */
  private holds(place: number, asked: Asked): boolean {
    const group = this.groups[place]!;
    switch (group.kind) {
      case "voms":
        if (asked.fqan !== null && asked.believed && group.match !== "ignore") return true;
        return this.listed(place, asked.identity, asked.fqan);
      case "manual":
        return this.listed(place, asked.identity, asked.fqan);
      case "mapped":
        return this.hasAccount(group.mapper, asked.identity);
      case "token":
        return holdsToken(group, asked);
    }
  }

  /**
   * Goes through the places whose groups hold the caller, in order, until one gives something.
   * @returns what was given, or `null`
   */
  search<Given>(asked: Asked, give: (place: number) => Given | null): Given | null {
    const found = this.candidates(asked);
    const at = found.map(() => 0);
    for (let last = -1; ; ) {
      let next = Number.POSITIVE_INFINITY;
      for (let index = 0; index < found.length; index++) {
        const places = found[index]!;
        while (at[index]! < places.length && places[at[index]!]! <= last) at[index]!++;
        if (at[index]! < places.length) next = Math.min(next, places[at[index]!]!);
      }
      if (next === Number.POSITIVE_INFINITY) return null;
      last = next;
      if (!this.holds(next, asked)) continue;
      const given = give(next);
      if (given !== null) return given;
    }
  }

  /**
   * @param names the caller and whose proxy he is
   * @returns the first place whose group bans him, or `-1`
   */
  firstBanned(asked: Asked, names: readonly string[]): number {
    const certain =
      asked.token === null && asked.fqan !== null && asked.believed ? this.certain(asked.fqan) : new Set(NONE);
    return this.groups.findIndex((group, place) => {
      if (certain.has(place)) return true;
      if (group.kind === "token") return asked.token !== null && holdsToken(group, asked);
      if (group.kind === "mapped") return names.some((name) => this.hasAccount(group.mapper, name));
      return names.some((name) => this.listed(place, name, asked.fqan));
    });
  }

  /** @returns the places that a believed FQAN alone decides */
  private certain(fqan: string): ReadonlySet<number> {
    const found = new Set<number>();
    this.pushFqan(fqan, (places) => {
      for (const place of places ?? NONE) if (!this.any.includes(place)) found.add(place);
    });
    return found;
  }
}

function firstPart(group: string): string {
  const end = group.indexOf("/", 1);
  return end < 0 ? group : group.slice(0, end);
}

function holdsToken(group: TokenGroup, { subject, token }: Asked): boolean {
  if (token === null || token.issuer !== group.issuer) return false;
  if (group.subject !== null && group.subject !== subject) return false;
  if (group.scope !== null && !token.scopes.includes(group.scope)) return false;
  const wanted = group.group;
  return wanted === null || token.groups.some((one) => one === wanted || one.startsWith(`${wanted}/`));
}
