/**
 * The protocol GUMS spoke before XACML: SAML 1.1 authorization decisions, of which a permit carries the account as an obligation. PRIMA and
 * gPlazma of before 2008 speak it. The misspelt words (`osasis`, `Fullfill`) are what goes over the wire.
 * Source: messages captured from the privilege project's client and server classes.
 */
import { NameRefused, normalDn } from "../dn.ts";
import { formatFqan, parseFqan } from "../fqan.ts";
import { Names } from "../names.ts";
import { SAML1, STRING } from "./names.ts";
import { SoapRefused } from "./refusal.ts";
import type { Stamp } from "./response.ts";
import { inSoap, readSoap } from "./soap.ts";
import { childrenOf, escapeXml, onlyChild, type XmlElement } from "./xml.ts";

export interface Saml1Query {
  /** `RequestID`, by which the answer refers to it. */
  readonly id: string;
  /** In normal form. */
  readonly subject: string;
  /** The asking host: a DN in normal form, or a DNS name. */
  readonly host: string;
  /** Short normal form of the first FQAN in the evidence. */
  readonly fqan: string | null;
  /** Does the evidence name who issued it? */
  readonly checked: boolean;
}

const LONGEST_TEXT = 512;
const dns = new Names(normalDn);
const fqanNames = new Names((text) => formatFqan(parseFqan(text)));

function named<Result>(what: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof NameRefused) throw new SoapRefused(`${what}: ${error.message}`);
    throw error;
  }
}

function need(element: XmlElement | null, space: string, name: string): XmlElement {
  const found = element === null ? null : onlyChild(element, space, name);
  if (found === null) throw new SoapRefused(`${name} is missing`);
  return found;
}

function subjectOf(element: XmlElement): string {
  const name = need(need(element, SAML1.saml, "Subject"), SAML1.saml, "NameIdentifier");
  if (name.children.length > 0) throw new SoapRefused("NameIdentifier: expected text");
  return named("NameIdentifier", () => dns.get(name.text.trim()));
}

/** Evidence about somebody else is none. */
function evidenceOf(query: XmlElement, subject: string): { readonly fqan: string | null; readonly checked: boolean } {
  const assertions = childrenOf(query, SAML1.saml, "Evidence").flatMap((one) =>
    childrenOf(one, SAML1.saml, "Assertion"),
  );
  for (const assertion of assertions)
    for (const statement of childrenOf(assertion, SAML1.saml, "AttributeStatement")) {
      if (subjectOf(statement) !== subject) throw new SoapRefused("the evidence is about somebody else");
      const values = childrenOf(statement, SAML1.saml, "Attribute")
        .filter(({ attributes }) => attributes.get("AttributeName") === "FQAN")
        .flatMap((attribute) => childrenOf(attribute, SAML1.saml, "AttributeValue"));
      const [first] = values;
      if (first === undefined || first.text.trim() === "") continue;
      if (first.children.length > 0) throw new SoapRefused("AttributeValue: expected text");
      return {
        fqan: named("FQAN", () => fqanNames.get(first.text.trim())),
        checked: (assertion.attributes.get("Issuer") ?? "").trim() !== "",
      };
    }
  return { fqan: null, checked: false };
}

function readHost(text: string): string {
  if (text.startsWith("/") || text.includes("=")) return named("Resource", () => dns.get(text));
  if (!/^[\x21-\x7e]{1,512}$/.test(text)) throw new SoapRefused("Resource: expected the name of a host");
  return text;
}

/**
 * @param octets the body of a request
 * @throws {SoapRefused}
 */
export function readSaml1Query(octets: Uint8Array): Saml1Query {
  const port = readSoap(octets);
  if (port.name !== "SAMLRequest" || port.space !== SAML1.port) throw new SoapRefused("expected a SAMLRequest");
  const request = need(need(port, "", "samlRequest"), SAML1.samlp, "Request");
  if (request.attributes.get("MajorVersion") !== "1") throw new SoapRefused("expected SAML 1.1");
  const query = need(request, SAML1.samlp, "AuthorizationDecisionQuery");
  const actions = childrenOf(query, SAML1.saml, "Action").map(({ text }) => text.trim());
  if (!actions.includes(SAML1.action)) throw new SoapRefused(`expected the action ${SAML1.action}`);
  const id = request.attributes.get("RequestID") ?? "";
  if (!/^[\x21-\x7e]*$/.test(id) || id.length > LONGEST_TEXT) throw new SoapRefused("RequestID: expected an id");
  const subject = subjectOf(query);
  return {
    id,
    subject,
    host: readHost((query.attributes.get("Resource") ?? "").trim()),
    ...evidenceOf(query, subject),
  };
}

export interface Saml1Stamp extends Stamp {
  /** RFC 3339, UTC: until when the answer may be used. */
  readonly until: string;
  /** Who asked. */
  readonly recipient: string;
}

/**
 * @param account `null` is no
 * @returns a whole SOAP answer
 */
export function writeSaml1Response(
  { id, subject, host }: Saml1Query,
  account: string | null,
  stamp: Saml1Stamp,
): string {
  const resource = `Resource="${escapeXml(host)}"`;
  const who = `<saml:Subject><saml:NameIdentifier Format="${SAML1.nameFormat}">${escapeXml(subject)}</saml:NameIdentifier></saml:Subject><saml:Action Namespace="${SAML1.attributes}">${SAML1.action}</saml:Action>`;
  const statement =
    account === null
      ? `<saml:AuthorizationDecisionStatement Decision="Deny" ${resource}>${who}</saml:AuthorizationDecisionStatement>`
      : `<ns1:ObligatedAuthorizationDecisionStatement Decision="Permit" ${resource} xmlns:ns1="${SAML1.osg}">${who}<ns1:XACMLObligation FullfillOn="Permit" ObligationId="opensciencegrid:authorization:UserIdObligation"><ns1:AttributeAssignment AttributeId="opensciencegrid:authorization:attribute:UserId" Datatype="${STRING}">${escapeXml(account)}</ns1:AttributeAssignment></ns1:XACMLObligation></ns1:ObligatedAuthorizationDecisionStatement>`;
  const version = `MajorVersion="1" MinorVersion="1"`;
  return inSoap(
    `<SAMLRequestResponse xmlns="${SAML1.port}"><samlResponse xmlns=""><samlp:Response InResponseTo="${escapeXml(id)}" IssueInstant="${stamp.at}" ${version} Recipient="${escapeXml(stamp.recipient)}" ResponseID="_r${stamp.id}" xmlns:saml="${SAML1.saml}" xmlns:samlp="${SAML1.samlp}"><samlp:Status><samlp:StatusCode Value="samlp:Success"/></samlp:Status><saml:Assertion AssertionID="_a${stamp.id}" IssueInstant="${stamp.at}" Issuer="${escapeXml(stamp.issuer)}" ${version}><saml:Conditions NotBefore="${stamp.at}" NotOnOrAfter="${stamp.until}"/>${statement}</saml:Assertion></samlp:Response></samlResponse></SAMLRequestResponse>`,
  );
}
