/** Names on the wire: namespaces, and the attribute ids of the dialects. Data, so that a reader sees at once in what they differ. */

/** Namespaces by the prefix that is written for them. ARC picks answers by these very prefixes, so they are always written. */
export const SPACES = {
  soapenv: "http://schemas.xmlsoap.org/soap/envelope/",
  saml2p: "urn:oasis:names:tc:SAML:2.0:protocol",
  saml2: "urn:oasis:names:tc:SAML:2.0:assertion",
  "xacml-samlp": "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol",
  "xacml-saml": "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion",
  "xacml-context": "urn:oasis:names:tc:xacml:2.0:context:schema:os",
  xp: "urn:oasis:names:tc:xacml:2.0:policy:schema:os",
  xsi: "http://www.w3.org/2001/XMLSchema-instance",
} as const;

/** The query stood in the first of these before the profile's second working draft; clients of both are about. */
export const QUERY_SPACES: ReadonlySet<string> = new Set([
  SPACES["xacml-samlp"],
  "urn:oasis:xacml:2.0:saml:protocol:schema:os",
]);

/** How a client names who asks: by which attribute ids. */
export type Dialect = "authz-interop" | "common-ce" | "cream" | "subject";

const INTEROP = "http://authz-interop.org/xacml";
const COMMON = "http://dci-sec.org/xacml/attribute";
const GLITE = "http://glite.org/xacml/attribute";
const SUBJECT_ID = "urn:oasis:names:tc:xacml:1.0:subject:subject-id";
export const RESOURCE_ID = "urn:oasis:names:tc:xacml:1.0:resource:resource-id";
export const ACTION_ID = "urn:oasis:names:tc:xacml:1.0:action:action-id";
export const ACCESS_SUBJECT = "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject";
export const STRING = "http://www.w3.org/2001/XMLSchema#string";
export const INTEGER = "http://www.w3.org/2001/XMLSchema#integer";

/** The attribute ids of one dialect; `null` where it has no such thing. */
export interface Vocabulary {
  /** What all ids of the dialect begin with: by it a message is recognized. */
  readonly family: string | null;
  readonly subject: string;
  readonly issuer: string | null;
  readonly vo: string | null;
  readonly fqan: string | null;
  readonly primaryFqan: string | null;
  /** FQANs in two halves: the group, and the role, whose Issuer is its group. */
  readonly group: string | null;
  readonly primaryGroup: string | null;
  readonly role: string | null;
  readonly primaryRole: string | null;
  /** Names of the asking host, best first; where there are none, the resource's id is an endpoint. */
  readonly hosts: readonly string[];
  /** Says in the environment which obligations the client can fulfil. */
  readonly obligations: string | null;
  /** Whether a client of this dialect has always checked the FQANs it shows. */
  readonly checked: boolean;
}

const NO_HALVES = { group: null, primaryGroup: null, role: null, primaryRole: null } as const;

/**
 * Sources: "An XACML Attribute and Obligation Profile for Authorization Interoperability in Grids" 1.1 (EDMS 929867); "Common XACML
 * Authorization Profile" 1.1 of EMI; gLite's profile for CREAM.
 */
export const VOCABULARIES: Readonly<Record<Dialect, Vocabulary>> = {
  "authz-interop": {
    family: `${INTEROP}/`,
    subject: `${INTEROP}/subject/subject-x509-id`,
    issuer: `${INTEROP}/subject/subject-x509-issuer`,
    vo: `${INTEROP}/subject/vo`,
    fqan: `${INTEROP}/subject/voms-fqan`,
    primaryFqan: `${INTEROP}/subject/voms-primary-fqan`,
    ...NO_HALVES,
    hosts: [`${INTEROP}/resource/resource-x509-id`, `${INTEROP}/resource/dns-host-name`],
    obligations: `${INTEROP}/environment/pep-oblig-supported`,
    checked: false,
  },
  "common-ce": {
    family: "http://dci-sec.org/xacml/",
    subject: SUBJECT_ID,
    issuer: `${COMMON}/subject-issuer`,
    vo: `${COMMON}/virtual-organization`,
    fqan: null,
    primaryFqan: null,
    group: `${COMMON}/group`,
    primaryGroup: `${COMMON}/group/primary`,
    role: `${COMMON}/role`,
    primaryRole: `${COMMON}/role/primary`,
    hosts: [],
    obligations: null,
    checked: true,
  },
  cream: {
    family: "http://glite.org/xacml/",
    subject: SUBJECT_ID,
    issuer: `${GLITE}/subject-issuer`,
    vo: `${GLITE}/virtual-organization`,
    fqan: `${GLITE}/fqan`,
    primaryFqan: `${GLITE}/fqan/primary`,
    ...NO_HALVES,
    hosts: [],
    obligations: null,
    checked: true,
  },
  subject: {
    family: null,
    subject: SUBJECT_ID,
    issuer: null,
    vo: null,
    fqan: null,
    primaryFqan: null,
    ...NO_HALVES,
    hosts: [],
    obligations: null,
    checked: false,
  },
};

/** As Issuer of a primary FQAN: nobody has checked it. */
export const UNCHECKED = `${INTEROP}/issuer/none`;

/** Obligations this house can lay on a client, by their names in the profile. */
export const OBLIGATIONS = {
  username: `${INTEROP}/obligation/username`,
  uidgid: `${INTEROP}/obligation/uidgid`,
  secondaryGids: `${INTEROP}/obligation/secondary-gids`,
  account: `${INTEROP}/obligation/account`,
} as const;

/** What they are fulfilled with. */
export const ASSIGNMENTS = {
  username: `${INTEROP}/attribute/username`,
  uid: `${INTEROP}/attribute/posix-uid`,
  gid: `${INTEROP}/attribute/posix-gid`,
  primaryGroup: `${INTEROP}/attribute/primary-groupname`,
  secondaryGroup: `${INTEROP}/attribute/secondary-groupname`,
} as const;

/** SAML 1, as GUMS spoke it before XACML. The misspelt format is what goes over the wire. */
export const SAML1 = {
  port: "http://www.gridforum.org/namespaces/2004/03/ogsa-authz/saml",
  saml: "urn:oasis:names:tc:SAML:1.0:assertion",
  samlp: "urn:oasis:names:tc:SAML:1.0:protocol",
  osg: "opensciencegrid:authorization:saml",
  attributes: "opensciencegrid:authorization",
  action: "access_as_local_identity",
  nameFormat: "urn:osasis:names:tc:SAML:1.1nameid-format:X509SubjectName",
} as const;
