/** People who come with a token of an identity provider that the organization names: they apply, are approved, and are somebody by that token alone. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import { address } from "./stage.ts";
import { type Answered, definitions, FERMILAB, VomrsWorld } from "./vomrs-world.ts";

describe("tokens", { timeout: 60_000 }, () => {
  let world: VomrsWorld;
  let issuer: string;
  let key: CryptoKey;
  let provider: ReturnType<typeof createServer>;
  before(async () => {
    const where = address(30);
    const pair = await generateKeyPair("ES256");
    key = pair.privateKey;
    const keys = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "ES256", use: "sig" }] };
    provider = createServer((call, answer) => {
      answer.setHeader("content-type", "application/json");
      answer.end(JSON.stringify(call.url === "/keys" ? keys : { issuer, jwks_uri: `${issuer}/keys` }));
    });
    provider.listen(0, where);
    await once(provider, "listening");
    issuer = `https://${where}:${(provider.address() as AddressInfo).port}`;
    world = await VomrsWorld.open(
      definitions({ ...FERMILAB, managers: ["/CN=boss"], issuers: [issuer] }, { name: "other" }),
    );
    const certificate = await world.stage.identity("provider", "guest", [where]);
    provider.setSecureContext(certificate);
  });
  after(async () => {
    provider?.close();
    await world?.close();
  });

  const token = (subject: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> =>
    new SignJWT({ "wlcg.ver": "1.0", aud: "https://vomrs:8443", ...more })
      .setProtectedHeader({ alg: "ES256", kid: "k1" })
      .setIssuer(String(more.iss ?? issuer))
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime("10 min")
      .sign(key);
  const bearer = async (subject: string, more = {}) => ({
    headers: { authorization: `Bearer ${await token(subject, more)}` },
  });

  it("are as good as certificates where the organization names their issuer", async () => {
    const as = await bearer("alice-sub");
    const applied = await world.must(
      "apply",
      { name: "Alice", email: "alice@example.org", institution: "Fermilab", rules: "1" },
      as,
    );
    await world.must("confirm-address", { person: applied.json.person, reason: "known" }, { as: world.operator });
    await world.must("approve", { person: applied.json.person }, { as: world.person("Rita Representative") });
    const { person } = (await world.get("me", {}, as)).json;
    assert.deepEqual(
      [person.standing.state, person.certificates[0].kind, person.certificates[0].issuer],
      ["member", "token", issuer],
    );
    assert.equal((await world.get("me", {}, await bearer("bob-sub"))).json.person, null);
    // Members with tokens have no name that a grid-mapfile could hold.
    assert.deepEqual((await world.ask("GET", "/voms/fermilab/members", { as: world.guest })).json.members, []);
    assert.match(
      (await world.ask("GET", `/voms/fermilab/people/${person.id}`, { as: world.operator })).body,
      /tokens of/,
    );
  });

  it("are nobody's where it does not, and make no manager", async () => {
    const says = ({ status, json }: Answered): string => `${status} ${json.message}`;
    const fields = { name: "A", email: "a@example.org", institution: "Fermilab" };
    assert.match(
      says(await world.post("apply", { ...fields, vo: "other" }, await bearer("alice-sub"))),
      /^409 other takes no tokens of/,
    );
    assert.match(says(await world.get("people", {}, await bearer("/CN=boss"))), /^403/);
    assert.match(
      says(await world.get("me", {}, await bearer("x", { aud: "https://elsewhere.example.org" }))),
      /^401 the token is not good: its audience/,
    );
    assert.match(
      says(await world.get("me", {}, await bearer("x", { iss: "https://evil.example.org" }))),
      /^401 the token's issuer is none/,
    );
    assert.match(
      says(await world.get("me", {}, { headers: { authorization: "Basic YTpi" } })),
      /^401 authorization: expected Bearer/,
    );
    // A bad token is not made good by the certificate beside it.
    assert.equal(
      (await world.get("people", {}, { as: world.operator, headers: { authorization: "Bearer nonsense" } })).status,
      401,
    );
    const page = await world.ask("GET", "/voms/fermilab", { headers: { authorization: "Bearer nonsense" } });
    assert.deepEqual([page.status, /Who are you\?/.test(page.body)], [401, true]);
  });
});
