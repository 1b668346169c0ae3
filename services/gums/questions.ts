/** What is asked of GUMS, from a call's parameters (the names of GUMS's own JSON calls) and from what is believed of who asks. */
import { DN_LIMIT, formatFqan, NameRefused, Names, normalDn, parseFqan } from "../../src/grid/index.ts";
import type { MappingQuestion } from "../../src/policy/index.ts";
import { named } from "../deciding/index.ts";
import { decoded, type Query, Refusal, single } from "../http/index.ts";
import { type Claims, readClaims } from "../tokens/index.ts";

const PRINTABLE = /^[^\p{C}\p{Z}]+$/u;

/** What was sent → what it says. */
const readDn = new Names((sent) => normalDn(decoded(sent)));
const readFqan = new Names((sent) => formatFqan(parseFqan(decoded(sent))));
const readSentHost = new Names((sent) => normalHost(decoded(sent)));

/** @returns a host's DN in normal form, or its DNS name as it is. @throws {NameRefused} */
export function normalHost(host: string): string {
  if (host.length > DN_LIMIT) throw new NameRefused(`a host's name has at most ${DN_LIMIT} characters`);
  if (host.startsWith("/") || host.includes("=")) return normalDn(host);
  if (!PRINTABLE.test(host)) throw new NameRefused("expected a host's name without blanks and control characters");
  return host;
}

/**
 * A caller with a certificate, from texts that are not encoded.
 * @throws {Refusal} 400
 */
export function questionFrom(
  asked: { readonly subject: string; readonly host: string; readonly fqan: string | null },
  believed: boolean,
): MappingQuestion {
  const { subject, host, fqan } = asked;
  return {
    subject: named("user", () => normalDn(subject)),
    fqan: fqan === null ? null : named("fqan", () => formatFqan(parseFqan(fqan))),
    believed,
    host: readHost(host),
    token: null,
  };
}

/** @throws {Refusal} 400 */
export function readHost(text: string): string {
  if (text === "") throw new Refusal(400, "host is missing: who asks decides which groups count");
  return named("host", () => normalHost(text));
}

/** The holder of a token that was checked, here or by a gatekeeper. */
export function tokenQuestion({ issuer, subject, groups, scopes }: Claims, host: string): MappingQuestion {
  return { subject, fqan: null, believed: true, host, token: { issuer, groups, scopes } };
}

/** @throws {Refusal} 400 naming the parameter and what is wrong with it */
export function readQuestion(query: Query, believed: boolean): MappingQuestion {
  const subject = single(query, "subject-x509-id");
  const resource = single(query, "resource-x509-id") ?? single(query, "dns-host-name");
  const fqan = single(query, "voms-fqan");
  const issuer = single(query, "token-issuer");
  if (subject === null && issuer === null)
    throw new Refusal(400, "subject-x509-id is missing: expected a name such as /DC=org/CN=Alice");
  if (resource === null)
    throw new Refusal(400, "dns-host-name or resource-x509-id is missing: who asks decides which groups count");
  const host = named("resource-x509-id", () => readSentHost.get(resource));
  if (issuer !== null) return tokenQuestion(readClaims(query, issuer, believed), host);
  return {
    subject: named("subject-x509-id", () => readDn.get(subject ?? "")),
    fqan: fqan === null ? null : named("voms-fqan", () => readFqan.get(fqan)),
    believed,
    host,
    token: null,
  };
}
