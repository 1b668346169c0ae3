/** Object identifiers by what they are called here, and where they are written down. */

export const OID = {
  // RFC 5280 4.2
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  issuerAltName: "2.5.29.18",
  basicConstraints: "2.5.29.19",
  crlNumber: "2.5.29.20",
  reasonCode: "2.5.29.21",
  nameConstraints: "2.5.29.30",
  crlDistributionPoints: "2.5.29.31",
  certificatePolicies: "2.5.29.32",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  anyExtendedKeyUsage: "2.5.29.37.0",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  // RFC 3820 3.8; the draft's own is Globus'
  proxyCertInfo: "1.3.6.1.5.5.7.1.14",
  draftProxyCertInfo: "1.3.6.1.4.1.3536.1.222",
  inheritAll: "1.3.6.1.5.5.7.21.1",
  independent: "1.3.6.1.5.5.7.21.2",
  limitedProxy: "1.3.6.1.4.1.3536.1.1.1.9",
  // RFC 5755 4.3
  targetInformation: "2.5.29.55",
  noRevAvail: "2.5.29.56",
  // VOMS, "The VOMS Attribute Certificate Format" (OGF GFD.182)
  vomsFqans: "1.3.6.1.4.1.8005.100.100.4",
  vomsSequence: "1.3.6.1.4.1.8005.100.100.5",
  vomsIssuerCertificates: "1.3.6.1.4.1.8005.100.100.10",
  vomsAttributes: "1.3.6.1.4.1.8005.100.100.11",
} as const;

/** Types of names (RFC 4519, RFC 5280 A) → as OpenSSL's one line spells them. Others are spelled in digits, as OpenSSL does too. */
export const NAME_TYPES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "street",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "2.5.4.13": "description",
  "2.5.4.15": "businessCategory",
  "2.5.4.17": "postalCode",
  "2.5.4.41": "name",
  "2.5.4.42": "GN",
  "2.5.4.43": "initials",
  "2.5.4.44": "generationQualifier",
  "2.5.4.46": "dnQualifier",
  "2.5.4.65": "pseudonym",
  "2.5.4.97": "organizationIdentifier",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
  "1.2.840.113549.1.9.2": "unstructuredName",
};
