/**
 * SAML 2 / XACML 2 authorization decision queries → who asks for whom, in one shape for all dialects. Elements are found by namespace and name,
 * in whatever order they stand: ARC puts the environment first, against the schema.
 *
 * Refused rather than guessed at: two dialects in one message, and two values where one is expected. Of two readers one would take the first
 * and one the last, and a person could be permitted as one and mapped as the other.
 * Source: "SAML 2.0 profile of XACML v2.0", working draft 5; the profiles named at {@link VOCABULARIES}.
 */
import { NameRefused, normalDn } from "../dn.ts";
import { formatFqan, parseFqan } from "../fqan.ts";
import { Names } from "../names.ts";
import { type Framed, Frames, type Section, type Value } from "./frames.ts";
import {
  ACCESS_SUBJECT,
  ACTION_ID,
  type Dialect,
  QUERY_SPACES,
  RESOURCE_ID,
  SPACES,
  UNCHECKED,
  VOCABULARIES,
  type Vocabulary,
} from "./names.ts";
import { SoapRefused } from "./refusal.ts";
import { readSoapText, textOf } from "./soap.ts";
import { childrenOf, onlyChild, type XmlElement } from "./xml.ts";

export interface AuthorizationQuery {
  readonly dialect: Dialect;
  /** `ID` of the query, by which the answer refers to it. */
  readonly id: string;
  /** Whose request it is, in normal form. */
  readonly subject: string;
  /** Who issued the subject's certificate, in normal form. */
  readonly issuer: string | null;
  readonly vo: string | null;
  /** Short normal forms, the primary one first, none twice. */
  readonly fqans: readonly string[];
  readonly primaryFqan: string | null;
  /** Does the client say that it has checked the FQANs? Whether it is believed is another question. */
  readonly checked: boolean;
  /** Name of the asking host, a DN in normal form or a DNS name; `null` where the message names none. */
  readonly host: string | null;
  readonly action: string | null;
  /** Ids of the obligations the client can fulfil; empty where it does not say. */
  readonly obligations: ReadonlySet<string>;
  /** The request that is to be copied into the answer; `null` where that was not asked for. */
  readonly context: XmlElement | null;
}

/** FQANs one query may carry. */
const FQANS = 64;
/** Characters of an id and of an action. */
const LONGEST_TEXT = 512;
const CONTEXT = SPACES["xacml-context"];

const dns = new Names(normalDn);
const fqanNames = new Names((text) => formatFqan(parseFqan(text)));

function readSection(elements: readonly XmlElement[]): Section {
  const found = new Map<string, Value[]>();
  for (const element of elements)
    for (const attribute of childrenOf(element, CONTEXT, "Attribute")) {
      const id = attribute.attributes.get("AttributeId");
      if (id === undefined) throw new SoapRefused("an Attribute without AttributeId");
      const values = found.get(id) ?? [];
      found.set(id, values);
      const issuer = attribute.attributes.get("Issuer") ?? null;
      for (const value of childrenOf(attribute, CONTEXT, "AttributeValue")) {
        if (value.children.length > 0) throw new SoapRefused("an AttributeValue with elements in it: expected text");
        values.push({ text: value.text.trim(), issuer });
      }
    }
  return found;
}

const DIALECTS = Object.entries(VOCABULARIES) as [Dialect, Vocabulary][];
/** Attribute id → the dialect of its family, `null` for those that all may use. */
const families = new Names(
  (id): Dialect | null => DIALECTS.find(([, { family }]) => family !== null && id.startsWith(family))?.[0] ?? null,
);

/** @returns the one dialect whose ids are in the message; `subject` where none of a family is */
function dialectOf(sections: readonly Section[]): Dialect {
  const found = new Set<Dialect | null>();
  for (const section of sections) for (const id of section.keys()) found.add(families.get(id));
  found.delete(null);
  const spoken = [...found];
  if (spoken.length > 1) throw new SoapRefused(`expected one dialect, found ${spoken.join(" and ")}`);
  return spoken[0] ?? "subject";
}

/** @returns the values of an id that are not empty */
function all(section: Section, id: string | null): readonly Value[] {
  return (id === null ? undefined : section.get(id))?.filter(({ text }) => text !== "") ?? [];
}

/** @returns the one value; `null` when there is none */
function single(section: Section, id: string | null): Value | null {
  const [first, ...more] = all(section, id);
  if (more.some(({ text, issuer }) => text !== first?.text || issuer !== first.issuer))
    throw new SoapRefused(`${lastPart(id!)} has different values: expected one`);
  return first ?? null;
}

function lastPart(id: string): string {
  return id.slice(Math.max(id.lastIndexOf("/"), id.lastIndexOf(":")) + 1);
}

function named<Result>(what: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof NameRefused) throw new SoapRefused(`${what}: ${error.message}`);
    throw error;
  }
}

const readDn = (what: string, text: string): string => named(what, () => dns.get(text));
const readFqan = (text: string): string => named("FQAN", () => fqanNames.get(text));

/** Of somebody with attributes of several VOs, where the dialect can say so, the first VO stands for him; the others are FQANs of his. */
function voOf(subject: Section, words: Vocabulary): string | null {
  return (words.checked ? all(subject, words.vo)[0] : single(subject, words.vo))?.text ?? null;
}

/** A role's Issuer is the group it is held in. */
const withRole = (group: string, role: string): string => readFqan(`${group}/Role=${role}`);

function primaryOf(subject: Section, words: Vocabulary): { readonly fqan: string; readonly checked: boolean } | null {
  const whole = single(subject, words.primaryFqan);
  if (whole !== null) {
    const { issuer } = whole;
    return { fqan: readFqan(whole.text), checked: words.checked || (issuer !== null && issuer !== UNCHECKED) };
  }
  const group = single(subject, words.primaryGroup);
  if (group === null) return null;
  const role = single(subject, words.primaryRole);
  const fqan = role === null ? readFqan(group.text) : withRole(group.text, role.text);
  if (role?.issuer != null && readFqan(role.issuer) !== readFqan(group.text))
    throw new SoapRefused("the primary role is not of the primary group");
  return { fqan, checked: words.checked };
}

function fqansOf(subject: Section, words: Vocabulary, primary: string | null): readonly string[] {
  const found = new Set<string>(primary === null ? [] : [primary]);
  for (const { text } of all(subject, words.fqan)) found.add(readFqan(text));
  for (const { text } of all(subject, words.vo).slice(1)) if (words.checked) found.add(readFqan(`/${text}`));
  for (const { text } of all(subject, words.group)) found.add(readFqan(text));
  for (const { text, issuer } of all(subject, words.role)) {
    if (issuer === null) throw new SoapRefused(`the role ${text.slice(0, 60)} does not say of which group it is`);
    found.add(withRole(issuer, text));
  }
  if (found.size > FQANS) throw new SoapRefused(`at most ${FQANS} FQANs`);
  return [...found];
}

/** @returns the host's name; the first of several, as GUMS always took it */
function hostOf(resource: Section, words: Vocabulary): string | null {
  for (const id of words.hosts) {
    const [first] = all(resource, id);
    if (first === undefined) continue;
    if (first.text.startsWith("/") || first.text.includes("=")) return readDn(lastPart(id), first.text);
    return printable(lastPart(id), first.text);
  }
  if (words.hosts.length > 0) return null;
  const endpoint = single(resource, RESOURCE_ID)?.text ?? "";
  if (!/^https?:\/\//i.test(endpoint)) return null;
  const { hostname } = URL.parse(endpoint) ?? { hostname: "" };
  if (hostname === "") throw new SoapRefused("resource-id: expected the address of an endpoint");
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

function printable(what: string, text: string): string {
  if (text.length > LONGEST_TEXT || !/^[\x21-\x7e]+$/.test(text))
    throw new SoapRefused(`${what}: expected at most ${LONGEST_TEXT} visible characters`);
  return text;
}

function flag(query: XmlElement, name: string): boolean {
  const text = query.attributes.get(name)?.trim() ?? "false";
  if (!/^(true|false|0|1)$/.test(text)) throw new SoapRefused(`${name}: expected true or false`);
  return text === "true" || text === "1";
}

function sectionsOf(request: XmlElement, name: string): readonly XmlElement[] {
  return childrenOf(request, CONTEXT, name);
}

/** What a message holds, before anybody asks what it means. */
interface Asked extends Framed {
  /** Subject, resource, action, environment. */
  readonly sections: readonly [Section, Section, Section, Section];
  readonly context: XmlElement | null;
}

function readWhole(text: string): Asked {
  const query = readSoapText(text);
  if (query.name !== "XACMLAuthzDecisionQuery" || !QUERY_SPACES.has(query.space))
    throw new SoapRefused("expected an XACMLAuthzDecisionQuery");
  if ((query.attributes.get("Version") ?? "2.0") !== "2.0") throw new SoapRefused("expected SAML 2.0");
  const request = onlyChild(query, CONTEXT, "Request");
  if (request === null) throw new SoapRefused("expected an XACML 2.0 Request in the query");
  // Who hands the job on (a pilot, a broker) is not who asks.
  const subject = readSection(
    sectionsOf(request, "Subject").filter(
      ({ attributes }) => (attributes.get("SubjectCategory") ?? ACCESS_SUBJECT) === ACCESS_SUBJECT,
    ),
  );
  const others = ["Resource", "Action", "Environment"].map((name) => readSection(sectionsOf(request, name)));
  return {
    id: query.attributes.get("ID") ?? "none",
    sections: [subject, ...others] as unknown as Asked["sections"],
    context: flag(query, "ReturnContext") ? request : null,
  };
}

/** A request that is copied into the answer is needed as a whole. */
const frames = new Frames((text) => {
  const asked = readWhole(text);
  return asked.context === null ? asked : null;
});

function meaningOf({ id, sections: [subject, resource, action, environment], context }: Asked): AuthorizationQuery {
  const dialect = dialectOf([subject, resource, environment]);
  const words = VOCABULARIES[dialect];
  const who = single(subject, words.subject);
  if (who === null) throw new SoapRefused(`${lastPart(words.subject)} is missing: expected who asks`);
  const primary = primaryOf(subject, words);
  // Of a chain of issuers the first one signed the subject's certificate.
  const issuer = all(subject, words.issuer)[0];
  return {
    dialect,
    id: printable("ID", id),
    subject: readDn(lastPart(words.subject), who.text),
    issuer: issuer === undefined ? null : readDn("issuer", issuer.text),
    vo: voOf(subject, words),
    fqans: fqansOf(subject, words, primary?.fqan ?? null),
    primaryFqan: primary?.fqan ?? null,
    checked: primary?.checked ?? false,
    host: hostOf(resource, words),
    action: single(action, ACTION_ID)?.text.slice(0, LONGEST_TEXT) ?? null,
    obligations: new Set(all(environment, words.obligations).map(({ text }) => text)),
    context,
  };
}

/**
 * @param octets the body of a request
 * @throws {SoapRefused} for whatever is no query with a subject
 */
export function readAuthorizationQuery(octets: Uint8Array): AuthorizationQuery {
  const text = textOf(octets);
  const framed = frames.read(text);
  if (framed !== null) return meaningOf({ ...framed, context: null } as Asked);
  const query = meaningOf(readWhole(text));
  frames.learn(text);
  return query;
}

/** The same without any memory of earlier messages: what the tests hold it against. */
export function readAuthorizationQueryAnew(octets: Uint8Array): AuthorizationQuery {
  return meaningOf(readWhole(textOf(octets)));
}
