/** Authorization questions as SOAP messages: SAML 2 with XACML 2 in three dialects, and SAML 1 as GUMS spoke it. Pure. */

export { type RpcCall, readRpcCall, readRpcTexts, writeRpcAnswer } from "./admin.ts";
export { type Dialect, OBLIGATIONS } from "./names.ts";
export { readPlainXml } from "./plain-xml.ts";
export { type AuthorizationQuery, readAuthorizationQuery } from "./query.ts";
export { SoapRefused } from "./refusal.ts";
export { type Obligation, type Result, resultFor, type Stamp, writeAuthorizationResponse } from "./response.ts";
export { readSaml1Query, type Saml1Query, type Saml1Stamp, writeSaml1Response } from "./saml1.ts";
export { inSoap, readSoap, soapFault } from "./soap.ts";
export { type AskedBy, writeAuthorizationQuery } from "./write-query.ts";
export { escapeXml, readStrictXml, XML_LIMITS, type XmlElement } from "./xml.ts";
