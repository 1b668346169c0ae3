/** Tokens: those of the policy's issuers, whole and in time, for us; nothing is fetched for anybody else's. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { Refusal } from "../../services/http/index.ts";
import { Tokens } from "../../services/tokens/index.ts";

const ISSUER = "https://tokens.example.org/fermilab";
const TLS = { ca: "", cert: "", key: "" };
const NOW = Date.parse("2026-11-20T12:00:00Z");
const seconds = NOW / 1000;
let key: CryptoKey;
let other: CryptoKey;
let jwks: { keys: Record<string, unknown>[] };

before(async () => {
  const pair = await generateKeyPair("ES256", { extractable: true });
  const second = await generateKeyPair("ES256", { extractable: true });
  [key, other] = [pair.privateKey, second.privateKey];
  jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "ES256", use: "sig" }] };
});

const WLCG = {
  iss: ISSUER,
  sub: "a-person",
  aud: "https://wlcg.cern.ch/jwt/v1/any",
  exp: seconds + 600,
  "wlcg.ver": "1.0",
  "wlcg.groups": ["/fermilab", "/fermilab/nova"],
  scope: "compute.create storage.read:/",
};
const sign = (payload: JWTPayload, { kid = "k1", by = key, alg = "ES256" } = {}): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(by);

function tokens(answer?: (url: string) => string): { checker: Tokens; asked: string[] } {
  const asked: string[] = [];
  const usual = (url: string): string =>
    url.endsWith("/openid-configuration")
      ? JSON.stringify({ issuer: ISSUER, jwks_uri: "https://tokens.example.org/keys" })
      : JSON.stringify(jwks);
  const checker = new Tokens({
    issuers: [ISSUER],
    audiences: ["https://ce.example.org"],
    tls: TLS,
    log: () => {},
    now: () => NOW,
    fetch: async (url) => {
      asked.push(url);
      return (answer ?? usual)(url);
    },
  });
  return { checker, asked };
}

const refused = (status: number, says: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Refusal, String(error));
  assert.equal(error.status, status);
  assert.match(error.message, says);
  return true;
};

test("a WLCG token and a SciToken say who they are of", async () => {
  const { checker, asked } = tokens();
  assert.deepEqual(await checker.verify(await sign(WLCG)), {
    issuer: ISSUER,
    subject: "a-person",
    groups: ["/fermilab", "/fermilab/nova"],
    scopes: ["compute.create", "storage.read:/"],
  });
  const scitoken = { iss: ISSUER, sub: "robot", exp: seconds + 60, scope: "compute.read" };
  assert.deepEqual((await checker.verify(await sign({ ...scitoken, ver: "scitoken:2.0", aud: "ANY" }))).groups, []);
  assert.equal(
    (await checker.verify(await sign({ ...scitoken, aud: ["x", "https://ce.example.org"] }))).subject,
    "robot",
  );
  assert.equal((await checker.verify(await sign(scitoken))).subject, "robot", "SciTokens 1.0 need no audience");
  assert.deepEqual(asked, [`${ISSUER}/.well-known/openid-configuration`, "https://tokens.example.org/keys"]);
});

test("what is wrong with a token is said, and the token is not", async () => {
  const { checker } = tokens();
  const cases: readonly (readonly [string | Promise<string>, RegExp])[] = [
    [sign({ ...WLCG, exp: seconds - 60 }), /has expired/],
    [sign({ ...WLCG, nbf: seconds + 600 }), /the claim nbf/],
    [sign({ ...WLCG, aud: "https://elsewhere.example.org" }), /audience is somebody else/],
    [sign({ iss: ISSUER, sub: "a", exp: seconds + 60, "wlcg.ver": "1.0" }), /audience is somebody else/],
    [sign({ iss: ISSUER, exp: seconds + 60 }), /the claim sub/],
    [sign({ iss: ISSUER, sub: "a" }), /the claim exp/],
    [sign(WLCG, { by: other }), /signature is wrong/],
    [sign({ ...WLCG, "wlcg.groups": "/fermilab" }), /wlcg.groups a list/],
    [sign({ ...WLCG, sub: "a b" }), /without blanks/],
    [sign({ ...WLCG, sub: 'a\n"forged' }), /without blanks/],
    ["a.b.c", /no token/],
    ["", /no token/],
    ["x".repeat(20_000), /at most/],
  ];
  for (const [token, says] of cases)
    await assert.rejects(checker.verify(await token), refused(401, says), String(says));
});

test("no algorithm, and a public key as a shared secret, are not taken", async () => {
  const { checker } = tokens();
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  await assert.rejects(checker.verify(`${part({ alg: "none" })}.${part(WLCG)}.`), refused(401, /not taken/));
  const secret = new TextEncoder().encode(JSON.stringify(jwks.keys[0]));
  const forged = await new SignJWT(WLCG).setProtectedHeader({ alg: "HS256", kid: "k1" }).sign(secret);
  await assert.rejects(checker.verify(forged), refused(401, /not taken/));
});

test("for an issuer that the policy does not name nothing is fetched", async () => {
  const { checker, asked } = tokens();
  const token = await sign({ ...WLCG, iss: "https://evil.example.org" });
  await assert.rejects(checker.verify(token), refused(401, /none that the policy names/));
  assert.deepEqual(asked, []);
});

test("a key that is not known is looked for once, and not again for every token that names it", async () => {
  const { checker, asked } = tokens();
  await checker.verify(await sign(WLCG));
  const before = asked.length;
  for (let index = 0; index < 20; index++)
    await assert.rejects(
      checker.verify(await sign({ ...WLCG, jti: String(index) }, { kid: "k2", by: other })),
      refused(401, /no such key/),
    );
  assert.equal(asked.length, before, "the keys were fetched a moment ago");
});

test("an issuer that is away costs one question, and its tokens a sentence", async () => {
  let away = true;
  const { checker, asked } = tokens((url) => {
    if (away) throw new Error("connection refused");
    return url;
  });
  const token = await sign(WLCG);
  for (let index = 0; index < 5; index++)
    await assert.rejects(checker.verify(token), refused(503, /cannot be had now \(connection refused\)/));
  assert.equal(asked.length, 1);
  away = false;
  const strange = tokens((url) =>
    url.endsWith("configuration") ? JSON.stringify({ issuer: "https://other.example.org", jwks_uri: "x" }) : "{}",
  );
  await assert.rejects(strange.checker.verify(token), refused(503, /of another issuer/));
  const plain = tokens(() => JSON.stringify({ issuer: ISSUER, jwks_uri: "http://tokens.example.org/keys" }));
  await assert.rejects(plain.checker.verify(token), refused(503, /no https address/));
});

test("whatever is brought: claims or a refusal", async () => {
  const { checker } = tokens();
  const good = await sign(WLCG);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.nat(good.length - 1).map((at) => `${good.slice(0, at)}A${good.slice(at + 1)}`),
      ),
      async (token) => {
        await checker.verify(token).catch((error: unknown) => assert.ok(error instanceof Refusal, String(error)));
      },
    ),
    { numRuns: 300 },
  );
});
