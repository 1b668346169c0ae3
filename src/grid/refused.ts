/**
 * Why something of the grid is refused: one class and a closed list of codes, so that a caller can decide by the code and a person can read
 * the sentence. Whatever bytes come in, nothing else is thrown by this room (names given as text throw `NameRefused`, as they always did).
 */

/** Code → what it is about. The sentence of each refusal says the particulars. */
export const GRID_REFUSALS = {
  der: "the bytes are not DER",
  limit: "more, longer or deeper than accepted",
  name: "a distinguished name that the one-line form cannot carry",
  pem: "the text is not PEM",
  certificate: "not an X.509 certificate as RFC 5280 has them",
  "revocation-list": "not a revocation list as RFC 5280 has them",
  "attribute-certificate": "not an attribute certificate as VOMS makes them",
  "policy-file": "a signing policy file with a mistake",
  "vomses-file": "a vomses or .lsc file with a mistake",
  algorithm: "a signature algorithm or key that is not accepted",
  signature: "a signature that does not fit",
  untrusted: "no path to a trusted authority",
  "not-yet-valid": "used before its time",
  expired: "used after its time",
  revoked: "taken back by its authority",
  "revocation-unknown": "no current revocation list says whether it was taken back",
  "signing-policy": "an authority outside its name space",
  "name-constraint": "a name outside what an authority may name",
  authority: "a signer that may not sign certificates",
  "key-usage": "a key used for what it is not for",
  "critical-extension": "a critical extension nobody here understands",
  "path-length": "more proxies or authorities than allowed",
  "proxy-name": "a proxy not named after its issuer",
  "proxy-kind": "proxies of different kinds in one chain",
  "proxy-rights": "a proxy with more rights than its issuer, or with rights nobody here understands",
  holder: "an attribute certificate of somebody else",
  issuer: "an attribute certificate by somebody who may not issue it",
  target: "an attribute certificate for another host",
} as const;

export type GridRefusal = keyof typeof GRID_REFUSALS;

/** Where in the input: an offset in octets, or a line and column (both from 1) of a text. */
export interface RefusedAt {
  readonly offset?: number;
  readonly line?: number;
  readonly column?: number;
}

export class GridRefused extends Error {
  override readonly name = "GridRefused";
  readonly code: GridRefusal;
  /** Octets from the beginning of the bytes given, where the mistake is in bytes. */
  readonly offset: number | null;
  readonly line: number | null;
  readonly column: number | null;

  constructor(code: GridRefusal, message: string, at: RefusedAt = {}) {
    super(message);
    this.code = code;
    this.offset = at.offset ?? null;
    this.line = at.line ?? null;
    this.column = at.column ?? null;
  }
}
