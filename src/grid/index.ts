/** Identities of the grid: names and attributes, certificates and proxies. Pure. DER itself stays in the room. */
export {
  ATTRIBUTE_LIMITS,
  type AttributeCertificate,
  attributeCertificatesOf,
  type GenericAttribute,
  readAttributeCertificate,
} from "./attribute-certificate.ts";
export { CERTIFICATE_LIMIT, type Certificate, fingerprintOf, readCertificate } from "./certificate.ts";
export * from "./dn.ts";
export { type Extensions, KEY_USAGE, type ProxyInformation } from "./extensions.ts";
export * from "./fqan.ts";
export type { GeneralName } from "./general-name.ts";
export * from "./issue-attribute-certificate.ts";
export * from "./names.ts";
export * from "./pem.ts";
export { type PathRules, type ValidPath, validateProxyPath } from "./proxy-path.ts";
export { type ProxyKind, type ProxyRights, proxyKindOf } from "./proxy-rules.ts";
export * from "./refused.ts";
export { type RevocationList, type RevocationRules, readRevocationList } from "./revocation-list.ts";
export type { SignatureRules } from "./signature.ts";
export { parseNamespaces, parseSigningPolicy, type SigningPolicy, whyNotSigned } from "./signing-policy.ts";
export {
  type AttributeRules,
  type Membership,
  membershipsOf,
  verifyAttributeCertificate,
} from "./verify-attribute-certificate.ts";
export * from "./voms-files.ts";
export type { X509Name } from "./x509-name.ts";
export * from "./xacml/index.ts";
