/** What is asked of GUMS, from a call's parameters (the names of GUMS's own JSON calls) and from what is believed of who asks. */
import { DN_LIMIT, formatFqan, NameRefused, Names, normalDn, parseFqan } from "../../src/grid/index.ts";
import { hostNames, type MappingQuestion, patternMatches } from "../../src/policy/index.ts";
import { named } from "../deciding/index.ts";
import { decoded, type Peer, type Query, Refusal, single } from "../http/index.ts";

/** Groups one token may name. */
const TOKEN_GROUPS = 64;
/** Characters of an issuer's address and of a token's subject. */
const TOKEN_TEXT = 512;
const PRINTABLE = /^[^\p{C}\p{Z}]+$/u;

/** Says whose word about FQANs and tokens counts. */
export type Believes = (peer: Peer) => boolean;

/**
 * A gatekeeper has checked the caller's proxy or token; whoever else asks could claim any group.
 * @param gatekeepers patterns of certificate names; `null` is every guest of the site
 */
export function compileGatekeepers(gatekeepers: readonly string[] | null): Believes {
  if (gatekeepers === null) return ({ unit }) => unit !== "other";
  const known = new WeakMap<Peer, boolean>();
  return (peer) => {
    let believed = known.get(peer);
    if (believed === undefined) {
      const names = hostNames(peer.name);
      believed = peer.unit === "operator" || gatekeepers.some((pattern) => patternMatches(pattern, names));
      known.set(peer, believed);
    }
    return believed;
  };
}

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
  if (issuer !== null) return { ...readToken(query, decoded(issuer), believed), host };
  return {
    subject: named("subject-x509-id", () => readDn.get(subject ?? "")),
    fqan: fqan === null ? null : named("voms-fqan", () => readFqan.get(fqan)),
    believed,
    host,
    token: null,
  };
}

function readToken(query: Query, issuer: string, believed: boolean): Omit<MappingQuestion, "host"> {
  if (!believed)
    throw new Refusal(403, "a token's contents are taken from gatekeepers alone: they have checked its signature");
  for (const name of ["subject-x509-id", "voms-fqan"])
    if (query.get(name)) throw new Refusal(400, `${name}: a caller has a certificate or a token, not both`);
  const sent = single(query, "token-subject");
  if (sent === null) throw new Refusal(400, "token-subject is missing: expected the token's sub");
  const subject = decoded(sent);
  const groups = query.getAll("token-group");
  if (groups.length > TOKEN_GROUPS) throw new Refusal(400, `token-group: at most ${TOKEN_GROUPS}`);
  const scopes = query.getAll("token-scope");
  if (scopes.length > TOKEN_GROUPS) throw new Refusal(400, `token-scope: at most ${TOKEN_GROUPS}`);
  const texts: readonly (readonly [string, string])[] = [
    ["token-issuer", issuer],
    ["token-subject", subject],
    ...groups.map((one) => ["token-group", one] as const),
    ...scopes.map((one) => ["token-scope", one] as const),
  ];
  for (const [name, text] of texts)
    if (text.length > TOKEN_TEXT || !PRINTABLE.test(text))
      throw new Refusal(
        400,
        `${name}: expected at most ${TOKEN_TEXT} characters, without blanks and control characters`,
      );
  return { subject, fqan: null, believed, token: { issuer, groups, scopes } };
}
