/**
 * What a site file says of a virtual organization: its groups and roles, the rules its people sign, how long a membership lasts, the
 * institutions that vouch for people and who speaks for them. Who is a member is in the database; the few that the file itself names are
 * members as long as it does.
 */

/** Rules everybody signs to be a member (an AUP). */
export interface VoRules {
  /** Whoever has signed another version has not signed this one. */
  readonly version: string;
  readonly text: string;
  /** Seconds after which a signature has to be given again; `null` is never. */
  readonly every: number | null;
  /** Seconds for which a member may go on without having signed: a new version must not lock everybody out at once. */
  readonly grace: number;
}

export interface Institution {
  readonly name: string;
  /** Normal forms of the names of those who approve its people. */
  readonly representatives: readonly string[];
  /** Milliseconds since the epoch at which it is no longer a part of the organization; `null` is never. */
  readonly until: number | null;
}

/** A member by the site file. */
export interface NamedMember {
  /** Normal form of the name. */
  readonly subject: string;
  /** Normal form of the authority's name; `null` is any that is trusted. */
  readonly issuer: string | null;
  /** Groups and roles beside the organization itself, short form. */
  readonly fqans: readonly string[];
  readonly email: string | null;
}

export interface VoDefinition {
  readonly name: string;
  readonly title: string;
  /** Every group, parents before children, the organization itself first: `/fermilab`, `/fermilab/nova`. */
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  /** Normal forms of the names of those who may do everything in it, beside the site's operators. */
  readonly managers: readonly string[];
  /** `null`: there is nothing to sign. */
  readonly rules: VoRules | null;
  readonly institutions: readonly Institution[];
  /** Seconds that a membership lasts from its approval; `null` is for good. */
  readonly membership: number | null;
  /** Seconds before an end at which people are told, the earliest first. */
  readonly notices: readonly number[];
  /** Issuers of tokens that may stand for an applicant. */
  readonly issuers: readonly string[];
  /** Seconds an attribute certificate lasts at most. */
  readonly lifetime: number;
  readonly members: readonly NamedMember[];
}
