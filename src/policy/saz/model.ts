/**
 * The policy of SAZ, neutral: who may use the site at all. Four kinds of value are looked at (the person, the organization, the role,
 * the authority); what is banned or permitted in the site file is here, what operators ban while it runs is in the database.
 * Source of the four kinds: Fermilab's SAZ (user, VO, role, CA).
 */
import { formatFqan, NameRefused, normalDn, parseFqan } from "../../grid/index.ts";

/** What can be banned or permitted: a person, a VO, a role (any FQAN), an authority. */
export const SAZ_KINDS = ["dn", "vo", "role", "ca"] as const;
export type SazKind = (typeof SAZ_KINDS)[number];

export interface SazEntry {
  readonly kind: SazKind;
  /** In normal form. */
  readonly value: string;
}

/** `etc/policy.json` of SAZ. */
export interface SazPolicy {
  /** For whom no ban and no permit speaks. */
  readonly default: "permit" | "deny";
  /** Who comes without any organization (a plain proxy): judged like anybody, or denied unless permitted by name. */
  readonly withoutVo: "default" | "deny";
  /** Permitted where the default is deny; a ban is always stronger. */
  readonly permit: readonly SazEntry[];
  /** Denied for good: lifted in the site file alone. */
  readonly deny: readonly SazEntry[];
}

export const OPEN_SAZ: SazPolicy = { default: "permit", withoutVo: "default", permit: [], deny: [] };

/** By what a caller is judged. */
export interface SazQuestion {
  /** Normal form. */
  readonly subject: string;
  readonly vo: string | null;
  /** Short normal forms. */
  readonly fqans: readonly string[];
  /** The authority's name in normal form. */
  readonly ca: string | null;
}

export interface SazDecision {
  readonly decision: "Permit" | "Deny";
  readonly reason: string;
}

const NORMAL_FORMS: Readonly<Record<SazKind, (value: string) => string>> = {
  dn: normalDn,
  ca: normalDn,
  role: (value) => formatFqan(parseFqan(value)),
  vo: (value) => {
    if (!/^[A-Za-z0-9_.-]{1,255}$/.test(value)) throw new NameRefused("expected a VO's name");
    return value;
  },
};

/**
 * @returns the value in the form by which it is compared
 * @throws {NameRefused} when it is not a value of this kind
 */
export function normalSazValue(kind: SazKind, value: string): string {
  return NORMAL_FORMS[kind](value);
}

/** @returns `{ dn: … }` and the like as an entry, or `null` */
export function readSazEntry(value: unknown): SazEntry | null {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  const [named, ...more] = Object.entries(value);
  const kind = SAZ_KINDS.find((one) => one === named?.[0]);
  if (named === undefined || more.length > 0 || kind === undefined || typeof named[1] !== "string") return null;
  try {
    return { kind, value: normalSazValue(kind, named[1]) };
  } catch {
    return null;
  }
}
