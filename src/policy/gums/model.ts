/**
 * The mapping policy of GUMS, neutral: what a site file says and what a `gums.config` says both become this. Mapping is: the first host
 * rule that speaks of the asking host gives mappings, in order; of each, the first user group that has the caller; then its account
 * mappers in order until one gives an account; if none does, the next group or mapping. Banned groups are looked at before anything.
 *
 * Names are in normal form here (grid/), so that deciding compares text with text.
 * Source of the model: the schema of gums.config of opensciencegrid/gums.
 */

/** How a VOMS group compares the caller's FQAN with its own group and role. */
export const FQAN_MATCHES = ["exact", "vorole", "role", "vogroup", "vo", "ignore"] as const;
export type FqanMatch = (typeof FQAN_MATCHES)[number];

/** Who may change or read a manual group by GUMS's own calls. */
export const GROUP_ACCESS = ["write", "read all", "read self"] as const;
export type GroupAccess = (typeof GROUP_ACCESS)[number];

/** A person in a list; `fqan` narrows it to calls with that FQAN, `null` means with any or none. */
export interface Member {
  /** Normal form. */
  readonly subject: string;
  /** Short normal form (`/fermilab/nova/Role=Production`). */
  readonly fqan: string | null;
  readonly email: string | null;
}

interface GroupBase {
  readonly name: string;
  readonly description: string | null;
  readonly access: GroupAccess;
}

/** A list by hand: the members named here, and those recorded in the database. */
export interface ManualGroup extends GroupBase {
  readonly kind: "manual";
  readonly members: readonly Member[];
}

/** Members of a virtual organization, by FQAN; where the FQAN is not believed or not given, by its list of members. */
export interface VomsGroup extends GroupBase {
  readonly kind: "voms";
  readonly match: FqanMatch;
  /** `/fermilab/nova`; `null` where the match does not look at it. */
  readonly group: string | null;
  readonly role: string | null;
  /** Is a caller without any FQAN in the group when the list of members has him? */
  readonly withoutFqan: boolean;
  /** Where its members are listed, by name; `null` is nowhere but here and in the database. */
  readonly server: string | null;
  /** What is appended to the server's address. */
  readonly remainder: string | null;
  readonly members: readonly Member[];
}

/** Holders of a token: issuer, and subject, group and scope where given. */
export interface TokenGroup extends GroupBase {
  readonly kind: "token";
  readonly issuer: string;
  readonly subject: string | null;
  /** A `wlcg.groups` entry such as `/fermilab/nova`; it and all below it. */
  readonly group: string | null;
  /** One scope of the token, such as `compute.create`, as it is written there; a path after a colon is part of it. */
  readonly scope: string | null;
}

/** Whoever has an account in a manual mapper, by the policy or the database: the people of a site file's `manual`. */
export interface MappedGroup extends GroupBase {
  readonly kind: "mapped";
  /** Name of the manual mapper. */
  readonly mapper: string;
}

export type UserGroup = ManualGroup | VomsGroup | TokenGroup | MappedGroup;

interface MapperBase {
  readonly name: string;
  readonly description: string | null;
  /** Unix group of the accounts; `null` is not said. */
  readonly group: string | null;
}

/** One account for all. */
export interface GroupMapper extends MapperBase {
  readonly kind: "group";
  readonly account: string;
}

/** An account for each person: those named here, and those recorded in the database (which win). */
export interface ManualMapper extends MapperBase {
  readonly kind: "manual";
  readonly entries: readonly { readonly subject: string; readonly account: string; readonly group: string | null }[];
}

/** An account of a pool for each person, given at the first call and never to anybody else. Mappers with the same `pool` share it. */
export interface PoolMapper extends MapperBase {
  readonly kind: "pool";
  readonly pool: string;
  /** Ranges such as `nova0001-0500` or single names, in order. */
  readonly accounts: readonly string[];
}

export type AccountMapper = GroupMapper | ManualMapper | PoolMapper;

/** groupToAccountMapping: these groups get their accounts from these mappers. */
export interface GroupToAccount {
  readonly name: string;
  readonly description: string | null;
  readonly userGroups: readonly string[];
  readonly accountMappers: readonly string[];
  readonly accountingVo: string | null;
  readonly accountingVoSubgroup: string | null;
}

/** hostToGroupMapping. A pattern that starts with `/` is compared with the host's DN, any other with its DNS name. */
export interface HostRule {
  readonly match: readonly string[];
  readonly description: string | null;
  readonly mappings: readonly string[];
}

export interface VomsServer {
  readonly name: string;
  readonly description: string | null;
  /** `https://voms.example.org:8443/voms/fermilab` */
  readonly url: string;
}

export interface GumsPolicy {
  /** Names of user groups whose members get nothing, looked at first. */
  readonly banned: readonly string[];
  readonly vomsServers: readonly VomsServer[];
  readonly userGroups: readonly UserGroup[];
  readonly accountMappers: readonly AccountMapper[];
  readonly mappings: readonly GroupToAccount[];
  readonly hosts: readonly HostRule[];
}

/** What the database knows beyond the policy; all look-ups are synchronous, from memory. */
export interface GumsState {
  /** Every recorded member of a group with this subject: the FQANs he is recorded with (`null`: any). Empty: he is not in it. */
  readonly memberships: (group: string, subject: string) => readonly (string | null)[];
  /** The recorded account of a manual mapper. */
  readonly account: (
    mapper: string,
    subject: string,
  ) => { readonly account: string; readonly group: string | null } | undefined;
  /** The account of a pool that this person has. */
  readonly pooled: (pool: string, subject: string) => string | undefined;
  /**
   * Names of the groups that have a record of this subject (more than these do no harm, one less does). Without it every list is asked
   * by name, which costs where there are hundreds.
   */
  readonly groupsOf?: (subject: string) => readonly string[];
}

/** Who asks for an account, and where. */
export interface MappingQuestion {
  /** Normal form; of a token: its subject as it is. */
  readonly subject: string;
  /** Short normal form of the primary FQAN. */
  readonly fqan: string | null;
  /** Is the FQAN to be believed (a listed gatekeeper says so)? If not, lists of members decide. */
  readonly believed: boolean;
  /** A host's DN in normal form, or DNS name. */
  readonly host: string;
  /** Given when the caller has a token in place of a certificate: believed as it is, since only listed gatekeepers may say so. */
  readonly token: {
    readonly issuer: string;
    readonly groups: readonly string[];
    readonly scopes: readonly string[];
  } | null;
}

/**
 * The name under which a caller stands in lists, mappers and pools: a certificate's subject, or a token's issuer, a blank, and its subject.
 * An issuer cannot call its subject `/DC=org/CN=Alice` and be taken for her: names of certificates start with `/`, issuers with `https://`.
 * @returns `null` for a caller that cannot stand in any list
 */
export function identityOf({ subject, token }: Pick<MappingQuestion, "subject" | "token">): string | null {
  if (token === null) return subject.startsWith("/") ? subject : null;
  return /^https:\/\/\S+$/.test(token.issuer) ? `${token.issuer} ${subject}` : null;
}

/** Which rule decided, by the names of the policy; `null` where it did not come so far. */
export interface Rule {
  readonly host: string | null;
  readonly mapping: string | null;
  readonly userGroup: string | null;
  readonly accountMapper: string | null;
}

export type Mapping =
  | { readonly outcome: "account"; readonly account: string; readonly group: string | null; readonly rule: Rule }
  /** A pool's account is to be given out first; then ask again (or with the pool in `exhausted`). */
  | { readonly outcome: "needs-pool"; readonly pool: string; readonly rule: Rule }
  | { readonly outcome: "banned"; readonly rule: Rule }
  | { readonly outcome: "none"; readonly rule: Rule };
