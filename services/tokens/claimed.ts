/** What a gatekeeper says stands in a token that it has checked itself: parameters of a call, believed as they are. */
import { decoded, type Query, Refusal, single } from "../http/index.ts";
import type { Claims } from "./tokens.ts";

/** Groups, and scopes, one token may name. */
const ENTRIES = 64;
/** Characters of an issuer's address and of a token's subject. */
const CHARACTERS = 512;
const PRINTABLE = /^[^\p{C}\p{Z}]+$/u;

/**
 * @param issuer the value of `token-issuer` as it was sent
 * @param believed whether the word of who asks counts
 * @throws {Refusal} 403 when it does not; 400 naming the parameter and what is wrong with it
 */
export function readClaims(query: Query, issuer: string, believed: boolean): Claims {
  if (!believed)
    throw new Refusal(403, "a token's contents are taken from gatekeepers alone: they have checked its signature");
  for (const name of ["subject-x509-id", "voms-fqan"])
    if (query.get(name)) throw new Refusal(400, `${name}: a caller has a certificate or a token, not both`);
  const sent = single(query, "token-subject");
  if (sent === null) throw new Refusal(400, "token-subject is missing: expected the token's sub");
  const claims: Claims = {
    issuer: decoded(issuer),
    subject: decoded(sent),
    groups: query.getAll("token-group"),
    scopes: query.getAll("token-scope"),
  };
  const texts: readonly (readonly [string, readonly string[]])[] = [
    ["token-issuer", [claims.issuer]],
    ["token-subject", [claims.subject]],
    ["token-group", claims.groups],
    ["token-scope", claims.scopes],
  ];
  for (const [name, values] of texts) {
    if (values.length > ENTRIES) throw new Refusal(400, `${name}: at most ${ENTRIES}`);
    if (values.some((text) => text.length > CHARACTERS || !PRINTABLE.test(text)))
      throw new Refusal(
        400,
        `${name}: expected at most ${CHARACTERS} characters, without blanks and control characters`,
      );
  }
  return claims;
}
