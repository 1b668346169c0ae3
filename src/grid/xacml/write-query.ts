/** A question as a gatekeeper's callout asks it, in the authz-interop dialect: what probes and loads of this house send. */
import { ACCESS_SUBJECT, ACTION_ID, RESOURCE_ID, SPACES, STRING, VOCABULARIES } from "./names.ts";
import { escapeXml } from "./xml.ts";

export interface AskedBy {
  /** Normal forms of names. */
  readonly subject: string;
  readonly issuer: string | null;
  readonly host: string;
  /** Primary first. */
  readonly fqans: readonly string[];
  /** Name of the VOMS server whose signature under them was checked: without it nobody believes them. */
  readonly vomsServer?: string;
}

type Attribute = readonly [id: string, value: string, issuer?: string];

const attribute = ([id, value, issuer]: Attribute): string =>
  `<xacml-context:Attribute AttributeId="${id}" DataType="${STRING}"${issuer === undefined ? "" : ` Issuer="${escapeXml(issuer)}"`}><xacml-context:AttributeValue>${escapeXml(value)}</xacml-context:AttributeValue></xacml-context:Attribute>`;

const INTEROP = "http://authz-interop.org/xacml";

/** @returns a whole SOAP message; the same question gives the same octets */
export function writeAuthorizationQuery({ subject, issuer, host, fqans, vomsServer }: AskedBy): string {
  const names = VOCABULARIES["authz-interop"];
  const part = (name: string, attributes: readonly Attribute[], more = ""): string =>
    `<xacml-context:${name}${more}>${attributes.map(attribute).join("")}</xacml-context:${name}>`;
  const who: Attribute[] = [[names.subject, subject]];
  if (issuer !== null) who.push([names.issuer!, issuer]);
  const [primary] = fqans;
  const signed = (name: string, fqan: string): Attribute =>
    vomsServer === undefined ? [name, fqan] : [name, fqan, vomsServer];
  if (primary !== undefined) who.push(signed(names.primaryFqan!, primary));
  for (const fqan of fqans) who.push(signed(names.fqan!, fqan));
  const request = [
    part("Subject", who, ` SubjectCategory="${ACCESS_SUBJECT}"`),
    part("Resource", [
      [RESOURCE_ID, `${INTEROP}/resource/resource-type/ce`],
      [names.hosts[1]!, host],
    ]),
    part("Action", [[ACTION_ID, `${INTEROP}/action/action-type/execute-now`]]),
    part(
      "Environment",
      // A mapping with a group is told by the second one alone.
      ["username", "account"].map((name) => [names.obligations!, `${INTEROP}/obligation/${name}`] as const),
    ),
  ].join("");
  return `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="${SPACES.soapenv}"><soapenv:Body><xacml-samlp:XACMLAuthzDecisionQuery xmlns:xacml-samlp="${SPACES["xacml-samlp"]}" ID="_probe" Version="2.0" InputContextOnly="false"><xacml-context:Request xmlns:xacml-context="${SPACES["xacml-context"]}">${request}</xacml-context:Request></xacml-samlp:XACMLAuthzDecisionQuery></soapenv:Body></soapenv:Envelope>`;
}
