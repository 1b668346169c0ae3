/** Messages as the clients send them, typed from what was captured of each; what differs is a parameter. */
const INTEROP = "http://authz-interop.org/xacml";
const STRING = "http://www.w3.org/2001/XMLSchema#string";

export type Attribute = readonly [id: string, value: string, issuer?: string];

export interface Interop {
  readonly subject?: readonly Attribute[];
  readonly resource?: readonly Attribute[];
  readonly obligations?: readonly string[];
  /** Attributes of the query. */
  readonly query?: string;
}

export const ALICE = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
export const VOMS = "/DC=org/DC=fermigrid/OU=Services/CN=voms.fermigrid.test";
export const PRIMARY = "/fermilab/nova/Role=Production";

function attributes(prefix: string, list: readonly Attribute[]): string {
  return list
    .map(
      ([id, value, issuer]) =>
        `<${prefix}Attribute AttributeId="${id}" DataType="${STRING}"${issuer === undefined ? "" : ` Issuer="${issuer}"`}><${prefix}AttributeValue>${value}</${prefix}AttributeValue></${prefix}Attribute>`,
    )
    .join("");
}

export const interopId = (name: string): string => `${INTEROP}/${name}`;
export const obligation = (name: string): string => `${INTEROP}/obligation/${name}`;

/** What the callout of the privilege project asks (Java): LCMAPS's SCAS and GUMS clients differ in prefixes alone. */
export function interopQuery({
  subject = [
    [interopId("subject/subject-x509-id"), ALICE],
    [interopId("subject/subject-x509-issuer"), "/DC=org/DC=fermigrid/CN=Certificate Authority"],
    [interopId("subject/vo"), "fermilab"],
    [interopId("subject/voms-signing-subject"), VOMS],
    [interopId("subject/voms-signing-issuer"), "/DC=org/DC=fermigrid/CN=Certificate Authority"],
    [interopId("subject/voms-primary-fqan"), PRIMARY, VOMS],
    [interopId("subject/voms-fqan"), PRIMARY],
    [interopId("subject/voms-fqan"), "/fermilab/nova"],
  ],
  resource = [
    ["urn:oasis:names:tc:xacml:1.0:resource:resource-id", interopId("resource/resource-type/se")],
    [interopId("resource/dns-host-name"), "fnpc1.fermigrid.test"],
    [interopId("resource/resource-x509-id"), "/DC=org/DC=fermigrid/OU=Services/CN=fnpc1.fermigrid.test"],
    [interopId("resource/resource-x509-issuer"), "/DC=org/DC=fermigrid/CN=Certificate Authority"],
  ],
  obligations = ["username", "uidgid", "secondary-gids"],
  query = 'ID="_3497" CombinePolicies="true" InputContextOnly="false" Version="2.0"',
}: Interop = {}): string {
  const supported = obligations.map(
    (name): Attribute => [interopId("environment/pep-oblig-supported"), obligation(name)],
  );
  const action: Attribute = ["urn:oasis:names:tc:xacml:1.0:action:action-id", interopId("action/action-type/access")];
  const c = "xacml-context:";
  return `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><XACMLAuthzDecisionQuery ${query} xmlns="urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/><xacml-context:Request xmlns:xacml-context="urn:oasis:names:tc:xacml:2.0:context:schema:os"><xacml-context:Subject SubjectCategory="urn:oasis:names:tc:xacml:1.0:subject-category:access-subject">${attributes(c, subject)}</xacml-context:Subject><xacml-context:Resource>${attributes(c, resource)}</xacml-context:Resource><xacml-context:Action>${attributes(c, [action])}</xacml-context:Action><xacml-context:Environment>${attributes(c, supported)}</xacml-context:Environment></xacml-context:Request></XACMLAuthzDecisionQuery></soapenv:Body></soapenv:Envelope>`;
}

/** What ARC 6.17 asks; its own order, its own prefixes. */
function arcQuery(subject: string, { environment = "", endpoint = "ANY", action = "ANY", owner = "" } = {}): string {
  const one = (id: string, value: string): string => attributes("xacml-ctx:", [[id, value]]);
  return `<soap-env:Envelope xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap-env:Body><xacml-samlp:XACMLAuthzDecisionQuery xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:xacml-samlp="urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol" ID="74cdc83c-85a3" IssueInstant="2026-11-20T12:46:36Z" Version="2.0" InputContextOnly="false" ReturnContext="true"><saml:Issuer>CN=ce1,OU=guest,O=stage</saml:Issuer><xacml-ctx:Request xmlns:xacml-ctx="urn:oasis:names:tc:xacml:2.0:context:schema:os">${environment}<xacml-ctx:Subject>${subject}</xacml-ctx:Subject><xacml-ctx:Resource>${one("urn:oasis:names:tc:xacml:1.0:resource:resource-id", endpoint)}${owner}</xacml-ctx:Resource><xacml-ctx:Action>${one("urn:oasis:names:tc:xacml:1.0:action:action-id", action)}</xacml-ctx:Action></xacml-ctx:Request></xacml-samlp:XACMLAuthzDecisionQuery></soap-env:Body></soap-env:Envelope>`;
}

const SUBJECT_ID = "urn:oasis:names:tc:xacml:1.0:subject:subject-id";
const environment = (family: string, profile: string): string =>
  `<xacml-ctx:Environment><xacml-ctx:Attribute DataType="http://www.w3.org/2001/XMLSchema#anyURI" AttributeId="${family}/xacml/attribute/profile-id"><xacml-ctx:AttributeValue>${profile}</xacml-ctx:AttributeValue></xacml-ctx:Attribute></xacml-ctx:Environment>`;

export function subjectQuery(subject = "CN=Alice Example,OU=People,DC=fermigrid,DC=org"): string {
  return arcQuery(attributes("xacml-ctx:", [[SUBJECT_ID, subject]]));
}

export function emiQuery(subject = "CN=Alice Example, OU=People, DC=fermigrid, DC=org"): string {
  const id = (name: string): string => `http://dci-sec.org/xacml/attribute/${name}`;
  return arcQuery(
    attributes("xacml-ctx:", [
      [SUBJECT_ID, subject],
      [id("subject-issuer"), "CN=People CA, DC=fermigrid, DC=org"],
      [id("virtual-organization"), "fermilab"],
      [id("group"), "/fermilab/nova"],
      [id("group/primary"), "/fermilab/nova"],
      [id("role"), "Production", "/fermilab/nova"],
      [id("role/primary"), "Production", "/fermilab/nova"],
    ]),
    {
      environment: environment("http://dci-sec.org", "http://dci-sec.org/xacml/profile/common-ce/1.0"),
      endpoint: "https://ce1.example.org:60000/Echo",
      action: "http://dci-sec.org/xacml/action/ANY",
      owner: attributes("xacml-ctx:", [
        [id("resource-owner"), "CN=ce1.example.org, OU=Services, DC=fermigrid, DC=org"],
      ]),
    },
  );
}

export function creamQuery(subject = "CN=Alice Example, OU=People, DC=fermigrid, DC=org"): string {
  const id = (name: string): string => `http://glite.org/xacml/attribute/${name}`;
  const fqans = `<xacml-ctx:Attribute DataType="http://glite.org/xacml/datatype/fqan" AttributeId="${id("fqan")}"><xacml-ctx:AttributeValue>/fermilab/nova</xacml-ctx:AttributeValue><xacml-ctx:AttributeValue>/fermilab/minos/Role=NULL/Capability=NULL</xacml-ctx:AttributeValue></xacml-ctx:Attribute>`;
  return arcQuery(
    attributes("xacml-ctx:", [
      [SUBJECT_ID, subject],
      [id("subject-issuer"), "CN=People CA, DC=fermigrid, DC=org"],
      [id("virtual-organization"), "fermilab"],
      [id("fqan/primary"), "/fermilab/nova"],
      [
        "urn:oasis:names:tc:xacml:1.0:subject:key-info",
        `-----BEGIN CERTIFICATE-----\n${"MIIKTjCCCTagAwIBAgIFAPg/NUUwDQYJKoZIhvcNAQELBQAwWTETMBEGCgmSJomT\n".repeat(70)}-----END CERTIFICATE-----\n`,
      ],
    ]) + fqans,
    {
      environment: environment("http://glite.org", "http://glite.org/xacml/profile/grid-ce/1.0"),
      endpoint: "http://CE1.example.org:60000/Echo",
      action: "http://glite.org/xacml/action/ANY",
    },
  );
}

export interface Saml1 {
  readonly subject?: string;
  readonly host?: string;
  readonly fqan?: string | null;
  /** Who issued the evidence. */
  readonly voms?: string;
  /** Whom the evidence is about. */
  readonly about?: string;
}

/** What PRIMA asked before XACML. */
export function saml1Query({
  subject = ALICE,
  host = "/DC=org/DC=fermigrid/OU=Services/CN=fnpc1.fermigrid.test",
  fqan = PRIMARY,
  voms = VOMS,
  about = subject,
}: Saml1 = {}): string {
  const who = (name: string): string =>
    `<saml:Subject><saml:NameIdentifier Format="urn:osasis:names:tc:SAML:1.1nameid-format:X509SubjectName">${name}</saml:NameIdentifier></saml:Subject>`;
  const evidence =
    fqan === null
      ? ""
      : `<saml:Evidence><saml:Assertion AssertionID="e1" IssueInstant="2026-11-20T12:00:00Z" Issuer="${voms}" MajorVersion="1" MinorVersion="1"><saml:AttributeStatement>${who(about)}<saml:Attribute AttributeName="FQAN" AttributeNamespace="opensciencegrid:authorization"><saml:AttributeValue>${fqan}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></saml:Evidence>`;
  return `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><SAMLRequest xmlns="http://www.gridforum.org/namespaces/2004/03/ogsa-authz/saml"><samlRequest xmlns=""><samlp:Request IssueInstant="2026-11-20T12:00:00Z" MajorVersion="1" MinorVersion="1" RequestID="q-1" xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" xmlns:rw="opensciencegrid:authorization:saml"><samlp:RespondWith>saml:AuthorizationDecisionStatement</samlp:RespondWith><samlp:RespondWith>rw:ObligatedAuthorizationDecisionStatement</samlp:RespondWith><samlp:AuthorizationDecisionQuery Resource="${host}">${who(subject)}<saml:Action Namespace="opensciencegrid:authorization">access_as_local_identity</saml:Action>${evidence}</samlp:AuthorizationDecisionQuery></samlp:Request></samlRequest></SAMLRequest></soapenv:Body></soapenv:Envelope>`;
}

/** What nordugridmap (SOAP::Lite) asks of VOMS-Admin. */
export function gridmapUsersCall(container: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><soap:Envelope soap:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body><getGridmapUsers xsi:nil="true"><c-gensym3 xsi:type="xsd:string">${container}</c-gensym3></getGridmapUsers></soap:Body></soap:Envelope>`;
}

/** What GUMS's own command line asks. */
export function mapUserCall(hostname: string, userDN: string, fqan: string): string {
  return `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><ns1:mapUser soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" xmlns:ns1="http://www.bnl.gov/namespaces/2004/09/gums/GUMSService"><hostname xsi:type="xsd:string">${hostname}</hostname><userDN xsi:type="xsd:string">${userDN}</userDN><fqan xsi:type="xsd:string">${fqan}</fqan></ns1:mapUser></soapenv:Body></soapenv:Envelope>`;
}
