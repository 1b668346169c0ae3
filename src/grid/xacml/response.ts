/**
 * Decisions → answers, with exactly the prefixes that ARC looks for and that the C and Java clients of the profile take as well. A client must
 * refuse whatever it cannot fulfil, so nothing is laid on it that it does not know; and a no has no obligation: the original's had an empty
 * account's name in it.
 */
import { ASSIGNMENTS, INTEGER, OBLIGATIONS, SPACES, STRING } from "./names.ts";
import type { AuthorizationQuery } from "./query.ts";
import { inSoap } from "./soap.ts";
import { escapeXml, type XmlElement } from "./xml.ts";

export type Obligation =
  | { readonly kind: "username"; readonly username: string }
  /** `uid` is left out where only the group is known by number. */
  | { readonly kind: "uidgid"; readonly uid: number | null; readonly gid: number }
  | { readonly kind: "secondaryGids"; readonly gids: readonly number[] }
  | {
      readonly kind: "account";
      readonly username: string;
      readonly primaryGroup: string;
      readonly secondaryGroups: readonly string[];
    };

export type Result =
  | { readonly decision: "Permit"; readonly obligations: readonly Obligation[] }
  /** Says why, where callers may know. */
  | { readonly decision: "Deny" | "NotApplicable"; readonly says: string | null }
  | { readonly decision: "Indeterminate"; readonly status: keyof typeof STATUS; readonly says: string };

/** XACML 2.0, B.9. */
const STATUS = {
  ok: "urn:oasis:names:tc:xacml:1.0:status:ok",
  missing: "urn:oasis:names:tc:xacml:1.0:status:missing-attribute",
  syntax: "urn:oasis:names:tc:xacml:1.0:status:syntax-error",
  failed: "urn:oasis:names:tc:xacml:1.0:status:processing-error",
} as const;

/** What an answer has besides its decision; a pure room has no clock and no chance. */
export interface Stamp {
  /** Different for each answer: letters, digits, hyphens. */
  readonly id: string;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** Who answers. */
  readonly issuer: string;
}

/**
 * What a client is told of an account: its name; its group as a number where it is one, else by name, if the client knows how to take
 * that. A client that could not give the job its group must not start it. Clients of the other dialects take no group and are not asked to.
 * Source: GUMSXACMLMappingServiceImpl of opensciencegrid/gums.
 */
export function resultFor(
  { dialect, obligations }: Pick<AuthorizationQuery, "dialect" | "obligations">,
  { account, group }: { readonly account: string; readonly group: string | null },
): Result {
  const wanted: Obligation[] = [{ kind: "username", username: account }];
  if (group !== null && dialect === "authz-interop") {
    if (/^[0-9]{1,10}$/.test(group)) wanted.push({ kind: "uidgid", uid: null, gid: Number(group) });
    else {
      wanted.push({ kind: "account", username: account, primaryGroup: group, secondaryGroups: [] });
      if (!obligations.has(OBLIGATIONS.account)) return cannot("account");
    }
  }
  const unknown = obligations.size === 0 ? undefined : wanted.find(({ kind }) => !obligations.has(OBLIGATIONS[kind]));
  return unknown === undefined ? { decision: "Permit", obligations: wanted } : cannot(unknown.kind);
}

function cannot(kind: Obligation["kind"]): Result {
  return {
    decision: "Indeterminate",
    status: "failed",
    says: `the account needs the obligation ${OBLIGATIONS[kind]}, which the client does not say it can fulfil`,
  };
}

type Assignment = readonly [id: string, type: string, value: string];

function assignmentsOf(obligation: Obligation): readonly Assignment[] {
  switch (obligation.kind) {
    case "username":
      return [[ASSIGNMENTS.username, STRING, obligation.username]];
    case "uidgid": {
      const gid: Assignment = [ASSIGNMENTS.gid, INTEGER, String(obligation.gid)];
      return obligation.uid === null ? [gid] : [[ASSIGNMENTS.uid, INTEGER, String(obligation.uid)], gid];
    }
    case "secondaryGids":
      return obligation.gids.map((gid) => [ASSIGNMENTS.gid, INTEGER, String(gid)]);
    case "account":
      return [
        [ASSIGNMENTS.username, STRING, obligation.username],
        [ASSIGNMENTS.primaryGroup, STRING, obligation.primaryGroup],
        ...obligation.secondaryGroups.map((group): Assignment => [ASSIGNMENTS.secondaryGroup, STRING, group]),
      ];
  }
}

function writeObligation(obligation: Obligation): string {
  const assignments = assignmentsOf(obligation)
    .map(
      ([id, type, value]) =>
        `<xp:AttributeAssignment AttributeId="${id}" DataType="${type}">${escapeXml(value)}</xp:AttributeAssignment>`,
    )
    .join("");
  return `<xp:Obligation ObligationId="${OBLIGATIONS[obligation.kind]}" FulfillOn="Permit">${assignments}</xp:Obligation>`;
}

function writeObligations(obligations: readonly Obligation[]): string {
  if (obligations.length === 0) return "";
  return `<xp:Obligations xmlns:xp="${SPACES.xp}">${obligations.map(writeObligation).join("")}</xp:Obligations>`;
}

function writeStatus(result: Result): string {
  const code = result.decision === "Indeterminate" ? STATUS[result.status] : STATUS.ok;
  const says = result.decision === "Permit" ? null : result.says;
  const message = says === null ? "" : `<xacml-context:StatusMessage>${escapeXml(says)}</xacml-context:StatusMessage>`;
  return `<xacml-context:Status><xacml-context:StatusCode Value="${code}"/>${message}</xacml-context:Status>`;
}

/**
 * An element as it was read, written anew: nothing of the message's own octets comes back. Names keep their namespaces and lose their
 * prefixes; the XACML ones get the one that clients look for.
 */
export function writeElement(element: XmlElement): string {
  const known = element.space === SPACES["xacml-context"];
  const name = known ? `xacml-context:${element.name}` : element.name;
  const space = known ? "" : ` xmlns="${escapeXml(element.space)}"`;
  let attributes = "";
  for (const [key, value] of element.attributes) {
    const [first = "", second] = key.split(" ");
    if (second === undefined) attributes += ` ${first}="${escapeXml(value)}"`;
    else if (first === XML_SPACE) attributes += ` xml:${second}="${escapeXml(value)}"`;
    else
      attributes += ` a${attributes.length}:${second}="${escapeXml(value)}" xmlns:a${attributes.length}="${escapeXml(first)}"`;
  }
  const inside = escapeXml(element.text) + element.children.map(writeElement).join("");
  return `<${name}${space}${attributes}>${inside}</${name}>`;
}

const XML_SPACE = "http://www.w3.org/XML/1998/namespace";

const HEAD = `<saml2p:Response xmlns:saml2p="${SPACES.saml2p}" ID="_r`;
const SUCCESS = `<saml2p:Status><saml2p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></saml2p:Status><saml2:Assertion xmlns:saml2="${SPACES.saml2}" ID="_a`;
const STATEMENT = `</saml2:Issuer><saml2:Statement xmlns:xacml-saml="${SPACES["xacml-saml"]}" xmlns:xsi="${SPACES.xsi}" xsi:type="xacml-saml:XACMLAuthzDecisionStatementType"><xacml-context:Response xmlns:xacml-context="${SPACES["xacml-context"]}"><xacml-context:Result><xacml-context:Decision>`;

/** @returns a whole SOAP answer to a query */
export function writeAuthorizationResponse(
  { id, context }: Pick<AuthorizationQuery, "id" | "context">,
  result: Result,
  stamp: Stamp,
): string {
  const obligations = result.decision === "Permit" ? writeObligations(result.obligations) : "";
  // Declared on the element itself: there it stands outside the Response that declares it otherwise.
  const copied =
    context === null
      ? ""
      : writeElement(context).replace(
          "<xacml-context:Request",
          `<xacml-context:Request xmlns:xacml-context="${SPACES["xacml-context"]}"`,
        );
  return inSoap(
    `${HEAD}${stamp.id}" InResponseTo="${escapeXml(id)}" IssueInstant="${stamp.at}" Version="2.0">${SUCCESS}${stamp.id}" IssueInstant="${stamp.at}" Version="2.0"><saml2:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">${escapeXml(stamp.issuer)}${STATEMENT}${result.decision}</xacml-context:Decision>${writeStatus(result)}${obligations}</xacml-context:Result></xacml-context:Response>${copied}</saml2:Statement></saml2:Assertion></saml2p:Response>`,
  );
}
