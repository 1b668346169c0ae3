/** An issuer of tokens: an HTTPS server with OpenID Connect discovery and keys, and the keys to sign with. */
import { createServer, type Server } from "node:https";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import type { Identity } from "./stage.ts";

/** What stands in a token; `undefined` leaves a claim out. */
export type Claimed = Readonly<Record<string, unknown>>;

export interface SignedBy {
  readonly alg?: "ES256" | "RS256";
  readonly kid?: string;
  /** Another key than the issuer's own of that algorithm. */
  readonly key?: CryptoKey;
}

type Keys = Readonly<Record<"ES256" | "RS256", { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }>>;

export class TokenIssuer {
  readonly url: string;
  /** Paths it was asked for. */
  readonly asked: string[] = [];
  /** What stands at its keys' address. */
  readonly keys: readonly JWK[];
  readonly #server: Server;
  readonly #pairs: Keys;

  private constructor(url: string, server: Server, keys: readonly JWK[], pairs: Keys) {
    this.url = url;
    this.#server = server;
    this.keys = keys;
    this.#pairs = pairs;
  }

  /** @param tls of a server with this address */
  static async open(tls: Identity, address: string, path = ""): Promise<TokenIssuer> {
    const options = { extractable: true };
    const keys = { ES256: await generateKeyPair("ES256", options), RS256: await generateKeyPair("RS256", options) };
    const jwks: JWK[] = [];
    for (const [alg, { publicKey }] of Object.entries(keys))
      jwks.push({ ...(await exportJWK(publicKey)), kid: alg, alg, use: "sig" });
    const server = createServer(tls, (request, response) => {
      issuer.asked.push(request.url ?? "");
      const texts: Readonly<Record<string, unknown>> = {
        [`${path}/.well-known/openid-configuration`]: { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` },
        [`${path}/keys`]: { keys: jwks },
      };
      const found = texts[request.url ?? ""];
      response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify(found ?? {}));
    });
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, address, resolve));
    const { port } = server.address() as { readonly port: number };
    const issuer = new TokenIssuer(`https://${address}:${port}${path}`, server, jwks, keys);
    return issuer;
  }

  /** A WLCG token that is good for ten minutes, but for what is said. */
  claims(over: Claimed = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.url,
      sub: "a-person",
      aud: "https://wlcg.cern.ch/jwt/v1/any",
      iat: now,
      nbf: now,
      exp: now + 600,
      "wlcg.ver": "1.0",
      "wlcg.groups": ["/fermilab", "/fermilab/nova"],
      scope: "compute.create storage.read:/",
      ...over,
    };
  }

  sign(over: Claimed = {}, { alg = "ES256", kid = alg, key }: SignedBy = {}): Promise<string> {
    return new SignJWT(this.claims(over))
      .setProtectedHeader({ alg, kid, typ: "JWT" })
      .sign(key ?? this.#pairs[alg].privateKey);
  }

  /** @returns PEM of a public key, which everybody may know */
  publicKey(alg: "ES256" | "RS256"): Promise<string> {
    return exportSPKI(this.#pairs[alg].publicKey);
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
