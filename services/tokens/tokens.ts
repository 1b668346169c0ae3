/**
 * Tokens of the issuers that the policy names, checked here: signature, issuer, audience, times. What comes out is what the rules decide by
 * (subject, groups, scopes); the token itself is kept nowhere, not even in the record.
 *
 * Keys are fetched from the issuer (OpenID Connect Discovery, RFC 8414; JWKS, RFC 7517) and kept: refreshed every ten minutes, fetched at once
 * for a key that is not known (but not more often than every half minute, whatever is asked), and used for a day when the issuer is away. No
 * address comes from a token: a token that names another issuer than the policy's is refused before anything is fetched.
 * Profiles: WLCG Common JWT Profiles 1.0, SciTokens 1.0 and 2.0.
 */
import { createHash } from "node:crypto";
import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { steadyMilliseconds } from "../../src/world/index.ts";
import { Refusal } from "../http/index.ts";
import type { TlsFiles } from "../serving/index.ts";
import { type FetchText, fetchText } from "./fetching.ts";

export interface Claims {
  readonly issuer: string;
  readonly subject: string;
  /** `wlcg.groups` */
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
}

export interface TokensOptions {
  /** Issuers that the policy names. */
  readonly issuers: readonly string[];
  /** Audiences that are ours, beside those that mean anybody. */
  readonly audiences: readonly string[];
  readonly tls: TlsFiles;
  readonly log: (event: string, about: Readonly<Record<string, unknown>>) => void;
  /** For tests. */
  readonly fetch?: FetchText;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Characters of a token; header fields of HTTP servers end there too. */
export const TOKEN_LIMIT = 16 * 1024;
/** Audiences that mean whoever it is given to. */
const ANYBODY = ["https://wlcg.cern.ch/jwt/v1/any", "ANY"];
/** Asymmetric ones alone: a public key must not be taken for a shared secret. */
const ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"];
/** Seconds by which clocks may differ. */
const TOLERANCE = 30;
/** Milliseconds. */
const KEYS = { fresh: 600_000, again: 30_000, stale: 86_400_000 } as const;
const LIMITS = { octets: 1024 * 1024, patience: 5000 } as const;
/** Tokens that were found good and are not checked again until they end, and entries of one claim. */
const REMEMBERED = 10_000;
const ENTRIES = 64;

/** The keys of one issuer. */
class IssuerKeys {
  readonly #issuer: string;
  readonly #fetch: () => Promise<JSONWebKeySet>;
  readonly #onFault: (says: string) => void;
  #keys: { readonly find: ReturnType<typeof createLocalJWKSet>; readonly at: number } | null = null;
  #tried = Number.NEGATIVE_INFINITY;
  #trying: Promise<void> | null = null;
  #says = "its keys were not asked for yet";

  constructor(issuer: string, fetch: () => Promise<JSONWebKeySet>, onFault: (says: string) => void) {
    this.#issuer = issuer;
    this.#fetch = fetch;
    this.#onFault = onFault;
  }

  /**
   * @param unknown the keys that are there did not have the one that is asked for
   * @throws {Refusal} 503 when there are none to be had
   */
  async find(unknown: boolean): Promise<ReturnType<typeof createLocalJWKSet>> {
    const now = steadyMilliseconds();
    const age = this.#keys === null ? Number.POSITIVE_INFINITY : now - this.#keys.at;
    if ((unknown || age > KEYS.fresh) && now - this.#tried >= KEYS.again) {
      this.#tried = now;
      this.#trying = this.#refresh().finally(() => {
        this.#trying = null;
      });
    }
    // Whoever has keys that will do does not wait for newer ones.
    if (unknown || age > KEYS.stale) await this.#trying;
    if (this.#keys === null || steadyMilliseconds() - this.#keys.at > KEYS.stale)
      throw new Refusal(
        503,
        `the keys of ${this.#issuer} cannot be had now (${this.#says}): its tokens cannot be checked`,
      );
    return this.#keys.find;
  }

  async #refresh(): Promise<void> {
    try {
      this.#keys = { find: createLocalJWKSet(await this.#fetch()), at: steadyMilliseconds() };
      this.#says = "";
    } catch (error) {
      const says = error instanceof Error ? error.message : String(error);
      if (says !== this.#says) this.#onFault(says);
      this.#says = says;
    }
  }
}

export class Tokens {
  readonly #options: TokensOptions;
  readonly #keys: ReadonlyMap<string, IssuerKeys>;
  readonly #audiences: string[];
  /** Digest of a token → what it says and when it ends. */
  readonly #good = new Map<string, { readonly claims: Claims; readonly until: number }>();
  #tls: TlsFiles;

  constructor(options: TokensOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#audiences = [...ANYBODY, ...options.audiences];
    this.#keys = new Map(
      [...new Set(options.issuers)].map((issuer) => [
        issuer,
        new IssuerKeys(
          issuer,
          () => this.#fetchKeys(issuer),
          (says) => options.log("keys not fetched", { issuer, says }),
        ),
      ]),
    );
  }

  renew(tls: TlsFiles): void {
    this.#tls = tls;
  }

  /** @throws {Refusal} 401 with what is wrong with the token, 503 when its issuer's keys cannot be had */
  async verify(token: string): Promise<Claims> {
    if (token.length > TOKEN_LIMIT) throw new Refusal(401, `a token has at most ${TOKEN_LIMIT} characters`);
    const now = (this.#options.now ?? Date.now)();
    const digest = createHash("sha256").update(token).digest("base64");
    const known = this.#good.get(digest);
    if (known !== undefined && now < known.until) return known.claims;
    this.#good.delete(digest);
    const payload = await this.#check(token, now);
    const claims = claimsOf(payload);
    if (this.#good.size >= REMEMBERED) this.#good.clear();
    this.#good.set(digest, { claims, until: (payload.exp ?? 0) * 1000 });
    return claims;
  }

  async #check(token: string, now: number): Promise<JWTPayload> {
    let issuer: string | undefined;
    try {
      issuer = decodeJwt(token).iss;
    } catch {
      throw new Refusal(401, "this is no token: expected a JWT");
    }
    const keys = this.#keys.get(issuer ?? "");
    if (issuer === undefined || keys === undefined)
      throw new Refusal(401, "the token's issuer is none that the policy names");
    const verify = async (unknown: boolean): Promise<JWTPayload> =>
      (
        await jwtVerify(token, await keys.find(unknown), {
          issuer,
          algorithms: ALGORITHMS,
          clockTolerance: TOLERANCE,
          requiredClaims: ["exp", "sub"],
          currentDate: new Date(now),
        })
      ).payload;
    try {
      const payload = await verify(false).catch((error: unknown) => {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        return verify(true);
      });
      this.#forUs(payload);
      return payload;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (error instanceof errors.JOSEError) throw new Refusal(401, `the token is not good: ${sentenceOf(error)}`);
      throw error;
    }
  }

  /** WLCG's profile and SciTokens 2.0 demand an audience; a SciToken 1.0 may have none. */
  #forUs({ aud, ver, "wlcg.ver": wlcg }: JWTPayload): void {
    const given = aud === undefined ? [] : [aud].flat();
    if (given.length === 0 && wlcg === undefined && ver !== "scitoken:2.0") return;
    if (!given.some((one) => this.#audiences.includes(one)))
      throw new Refusal(401, "the token is not good: its audience is somebody else");
  }

  async #fetchKeys(issuer: string): Promise<JSONWebKeySet> {
    const fetch = this.#options.fetch ?? fetchText;
    const about = JSON.parse(
      await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, this.#tls, LIMITS),
    ) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
    if (about.issuer !== issuer) throw new Error("its configuration is of another issuer");
    if (typeof about.jwks_uri !== "string" || !about.jwks_uri.startsWith("https://"))
      throw new Error("its configuration names no https address of keys");
    const keys = JSON.parse(await fetch(about.jwks_uri, this.#tls, LIMITS)) as JSONWebKeySet;
    if (!Array.isArray(keys.keys)) throw new Error("its keys are no key set");
    return keys;
  }
}

/** The sentences of jose name the claim that is wrong; what the token says stands in none of them. */
function sentenceOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return "it has expired";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "its signature is wrong";
  if (error instanceof errors.JWKSNoMatchingKey) return "its issuer has no such key";
  if (error instanceof errors.JWTClaimValidationFailed) return `the claim ${error.claim} is wrong or missing`;
  return "it is malformed or signed in a way that is not taken";
}

/** @throws {Refusal} 401 when a claim is not what its profile says */
function claimsOf(payload: JWTPayload): Claims {
  const { iss = "", sub = "", scope = "" } = payload;
  const groups = payload["wlcg.groups"] ?? [];
  if (typeof scope !== "string" || !Array.isArray(groups) || !groups.every((one) => typeof one === "string"))
    throw new Refusal(401, "the token is not good: scope is a text and wlcg.groups a list of texts");
  const scopes = scope.split(" ").filter((one) => one !== "");
  const texts = [sub, ...groups, ...scopes] as readonly string[];
  if (
    groups.length > ENTRIES ||
    scopes.length > ENTRIES ||
    texts.some((one) => one.length > 512 || /[\p{C}\p{Z}]/u.test(one))
  )
    throw new Refusal(
      401,
      `the token is not good: at most ${ENTRIES} groups and scopes, 512 characters each, without blanks`,
    );
  return { issuer: iss, subject: sub, groups: groups as string[], scopes };
}
