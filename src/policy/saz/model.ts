/**
 * The policy of SAZ, neutral: who may use the site at all. Of who comes with a certificate four kinds of value are looked at (the person, the
 * organization, the role, the authority), of who comes with a token as many: its holder, the issuer, the scopes, and the groups, which are
 * organizations and roles like those of VOMS. What is banned or permitted in the site file is here, what operators ban while it runs is in
 * the database. Source of the first four kinds: Fermilab's SAZ (user, VO, role, CA).
 */
import { formatFqan, NameRefused, normalDn, parseFqan } from "../../grid/index.ts";

/**
 * What can be banned or permitted: a person, a VO, a role (any FQAN), an authority; a token's holder (issuer, blank, subject), its issuer,
 * a scope (issuer, blank, scope).
 */
export const SAZ_KINDS = ["dn", "vo", "role", "ca", "token", "issuer", "scope"] as const;
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
  /** Normal form; of a token: its subject as it is. */
  readonly subject: string;
  readonly vo: string | null;
  /** Short normal forms; of a token: its groups. */
  readonly fqans: readonly string[];
  /** Is what is said of VO, groups and roles to be believed? If not, it can only speak against the caller. */
  readonly believed: boolean;
  /** Name of who issued the certificate, in normal form. */
  readonly ca: string | null;
  /** Names of the authorities above that one, where the whole path was seen. */
  readonly above?: readonly string[];
  /** Given when the caller has a token in place of a certificate. */
  readonly token: { readonly issuer: string; readonly scopes: readonly string[] } | null;
}

export interface SazDecision {
  readonly decision: "Permit" | "Deny";
  readonly reason: string;
}

const ISSUER = /^https:\/\/[^\p{C}\p{Z}]{1,500}$/u;
const CLAIM = /^[^\p{C}\p{Z}]{1,512}$/u;

function issuer(value: string): string {
  if (!ISSUER.test(value)) throw new NameRefused("expected an issuer of tokens such as https://tokens.example.org");
  return value;
}

/** Kept as they are: an issuer's names mean what the issuer says, octet by octet. */
const ofIssuer =
  (what: string) =>
  (value: string): string => {
    const cut = value.indexOf(" ");
    if (cut < 0 || !CLAIM.test(value.slice(cut + 1)))
      throw new NameRefused(`expected an issuer of tokens, a blank, and ${what}`);
    return `${issuer(value.slice(0, cut))}${value.slice(cut)}`;
  };

const NORMAL_FORMS: Readonly<Record<SazKind, (value: string) => string>> = {
  dn: normalDn,
  ca: normalDn,
  role: (value) => formatFqan(parseFqan(value)),
  vo: (value) => {
    if (!/^[A-Za-z0-9_.-]{1,255}$/.test(value)) throw new NameRefused("expected a VO's name");
    return value;
  },
  token: ofIssuer("a subject"),
  issuer,
  scope: ofIssuer("a scope"),
};

/**
 * @returns the value in the form by which it is compared
 * @throws {NameRefused} when it is not a value of this kind
 */
export function normalSazValue(kind: SazKind, value: string): string {
  return NORMAL_FORMS[kind](value);
}

/** Keys of an entry in a site file or a call → its kind, and what its value is made of. */
const SPELLINGS: Readonly<Record<string, { readonly kind: SazKind; readonly parts: readonly string[] }>> = {
  ...Object.fromEntries(SAZ_KINDS.map((kind) => [kind, { kind, parts: [kind] }])),
  "issuer subject": { kind: "token", parts: ["issuer", "subject"] },
  "issuer scope": { kind: "scope", parts: ["issuer", "scope"] },
};

/** Every key an entry may have. */
export const SAZ_ENTRY_KEYS: readonly string[] = [...SAZ_KINDS, "subject"];

/**
 * @param fields `{ dn }`, `{ vo }`, `{ role }`, `{ ca }`, `{ issuer }`, `{ issuer, subject }`, `{ issuer, scope }`, or a kind with its whole value
 * @returns the entry, its value in the form by which it is compared
 * @throws {NameRefused} when it is none
 */
export function sazEntry(fields: Readonly<Record<string, unknown>>): SazEntry {
  const given = Object.keys(fields).sort();
  const spelling = Object.hasOwn(SPELLINGS, given.join(" ")) ? SPELLINGS[given.join(" ")] : undefined;
  if (spelling === undefined)
    throw new NameRefused("expected exactly one of dn, vo, role, ca, issuer, or issuer with subject or scope");
  const parts = spelling.parts.map((name) => fields[name]);
  if (!parts.every((part) => typeof part === "string")) throw new NameRefused("expected a text");
  return { kind: spelling.kind, value: normalSazValue(spelling.kind, parts.join(" ")) };
}

/** @returns `{ dn: … }` and the like as an entry, or `null` */
export function readSazEntry(value: unknown): SazEntry | null {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  try {
    return sazEntry(value as Readonly<Record<string, unknown>>);
  } catch (error) {
    if (error instanceof NameRefused) return null;
    throw error;
  }
}

/** @returns whether a text is the address of an issuer of tokens */
export function isIssuer(value: unknown): value is string {
  return typeof value === "string" && ISSUER.test(value);
}
