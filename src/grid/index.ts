/** Identities of the grid: names and attributes, certificates and proxies, and the messages that ask about them. Pure. */
export * from "./attribute-certificate.ts";
export * from "./certificate.ts";
export * from "./der.ts";
export * from "./der-write.ts";
export * from "./dn.ts";
export * from "./extensions.ts";
export * from "./fqan.ts";
export * from "./general-name.ts";
export * from "./issue-attribute-certificate.ts";
export * from "./names.ts";
export * from "./oids.ts";
export * from "./pem.ts";
export * from "./proxy-path.ts";
export { type ProxyKind, type ProxyRights, proxyKindOf } from "./proxy-rules.ts";
export * from "./refused.ts";
export * from "./revocation-list.ts";
export type { SignatureRules } from "./signature.ts";
export * from "./signing-policy.ts";
export {
  type AttributeRules,
  keyIdOf,
  type Membership,
  membershipsOf,
  verifyAttributeCertificate,
} from "./verify-attribute-certificate.ts";
export * from "./voms-files.ts";
export * from "./x509-name.ts";
export * from "./xacml/index.ts";
