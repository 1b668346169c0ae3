/**
 * Attacks on running copies of GUMS and SAZ: credentials, tokens, messages and connections as somebody with a certificate of the site and bad intentions
 * sends them. Each is refused for its own reason, and beside each stands what is good and passes, by the same call.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { generateKeyPair } from "jose";
import { interopId, interopQuery } from "../grid/messages.ts";
import { AUTHORITY, INHERIT, LIMITED, type Made, missingOpenssl, PERSON } from "../support/openssl.ts";
import { ALICE, CREDENTIAL, certificateOf, Guards, PRODUCTION, TOKEN, WHERE, XACML } from "./guards.ts";
import { type Actor, type Answered, until } from "./stage.ts";

const NO_KEY_ID = "authorityKeyIdentifier=none";
const INDEPENDENT = "proxyCertInfo=critical,language:id-ppl-independent";

describe("attacks on GUMS and SAZ", { skip: missingOpenssl, timeout: 120_000 }, () => {
  let guards: Guards;
  before(async () => {
    guards = await Guards.open();
  });
  after(() => guards?.close());

  const bring = (chain: string): Promise<readonly [Answered, Answered]> => guards.ask(CREDENTIAL, { chain, ...WHERE });
  /** Both services take it for Alice's, with these FQANs. */
  async function good(chain: string, fqans: readonly string[] = [PRODUCTION, "/fermilab"]): Promise<void> {
    const [gums, saz] = await bring(chain);
    const username =
      fqans[0] === PRODUCTION ? { username: "novapro", groupname: "nova" } : { username: "alice", groupname: null };
    assert.deepEqual(gums.json, { result: "OK", ...username, subject: ALICE, fqans }, gums.body);
    assert.deepEqual([saz.json.decision, saz.json.subject, saz.json.fqans], ["Permit", ALICE, fqans], saz.body);
  }
  /** Neither takes it, and both say why. */
  async function bad(chain: string, code: string, says: RegExp): Promise<void> {
    for (const { status, json } of await bring(chain)) {
      assert.equal(status, 401, JSON.stringify(json));
      assert.ok(String(json.message).startsWith(`the credential is not good (${code}): `), String(json.message));
      assert.match(String(json.message), says);
      assert.equal(json.result, "ERROR");
    }
  }
  const chainOf = (...made: readonly Made[]): string => made.map(({ pem }) => pem).join("");
  const person = (over: { readonly by?: Made; readonly subject?: string; readonly days?: number }): Made =>
    guards.openssl.make({ subject: ALICE, by: guards.root, extensions: PERSON, ...over });

  describe("credentials", () => {
    it("takes what is good: the person, a proxy, a proxy's proxy, a limited one, with attributes and without", async () => {
      const { openssl, alice } = guards;
      await good(alice.pem, []);
      const proxy = openssl.proxy(alice, INHERIT);
      await good(chainOf(proxy, alice), []);
      await good(chainOf(openssl.proxy(proxy, INHERIT), proxy, alice), []);
      await good(chainOf(openssl.proxy(alice, LIMITED), alice), []);
      await good(guards.carrying(alice, guards.grant()));
    });

    it("refuses what has expired: the person's certificate, a proxy, what a VO said", async () => {
      const { openssl, alice } = guards;
      await bad(person({ days: -1 }).pem, "expired", /was valid only until/);
      await bad(chainOf(openssl.proxy(alice, INHERIT, { days: -1 }), alice), "expired", /CN=\d+ was valid only until/);
      const said = guards.grant({ now: Date.now() - 7200_000, lifetime: 3600_000 });
      await bad(
        guards.carrying(alice, said),
        "expired",
        /attribute certificate of the VO fermilab was valid only until/,
      );
      await good(guards.carrying(alice, guards.grant()));
    });

    it("refuses who was revoked, and his proxies, as soon as the list is there; others of the authority go on", async () => {
      const thief = person({});
      const proxy = guards.openssl.proxy(thief, INHERIT);
      await good(chainOf(proxy, thief), []);
      guards.put("root.r0", guards.openssl.revoke(guards.root, [thief]));
      await until(async () => (await bring(thief.pem)).every(({ status }) => status === 401));
      await bad(chainOf(proxy, thief), "revoked", /was taken back on/);
      await good(guards.alice.pem, []);
    });

    it("refuses other authorities: unknown, of the same name, and people who play authority", async () => {
      const { openssl, alice, root, mallory } = guards;
      const unknown = openssl.make({ subject: "/CN=Unknown CA", extensions: AUTHORITY });
      await bad(chainOf(person({ by: unknown }), unknown), "untrusted", /no trusted authority/);
      const twin = openssl.make({ subject: root.subject, extensions: AUTHORITY });
      const twins = person({ by: twin });
      await bad(twins.pem, "untrusted", /no trusted authority issued/);
      await bad(chainOf(twins, twin), "signature", /CN=Root is not signed by .*CN=Root/);
      // Without the identifiers of keys, by which the other is told before anything is computed.
      const bare = openssl.make({ subject: ALICE, by: twin, extensions: [...PERSON.slice(0, 3), NO_KEY_ID] });
      await bad(bare.pem, "signature", /signature/);
      await bad(chainOf(person({ by: mallory }), mallory), "authority", /Mallory Example is no authority/);
      await good(alice.pem, []);
    });

    it("refuses an authority outside its name space", async () => {
      const bound = guards.openssl.make({ subject: "/DC=org/DC=bound/CN=CA", extensions: AUTHORITY });
      guards.put("bound.pem", bound.pem);
      guards.put(
        "bound.signing_policy",
        `access_id_CA X509 '${bound.subject}'\npos_rights globus CA:sign\ncond_subjects globus '"/DC=org/DC=bound/*"'\n`,
      );
      const within = person({ by: bound, subject: "/DC=org/DC=bound/CN=Bo" });
      await until(async () => (await bring(within.pem)).every(({ status }) => status === 200));
      await bad(person({ by: bound }).pem, "signing-policy", /is not permitted to sign .*Alice Example/);
      await good(guards.alice.pem, []);
    });

    it("refuses proxies of another name, too deep, by another key, with more rights, or with nobody's", async () => {
      const { openssl, alice, mallory } = guards;
      await bad(chainOf(openssl.proxy(mallory, INHERIT, { subject: `${ALICE}/CN=1` }), mallory), "proxy-name", /Alice/);
      const last = openssl.proxy(alice, `${INHERIT},pathlen:0`);
      await good(chainOf(last, alice), []);
      await bad(chainOf(openssl.proxy(last, INHERIT), last, alice), "path-length", /one proxy more/);
      // Mallory's key under Alice's name, made by himself: his proxy fits that certificate, and not hers.
      const impostor = openssl.make({ subject: ALICE, keyOf: mallory, extensions: PERSON.slice(0, 3) });
      const his = openssl.proxy(impostor, INHERIT);
      await bad(chainOf(his, alice), "untrusted", /no trusted authority issued .*Alice/);
      await bad(chainOf(his, impostor, alice), "signature", /Alice Example is not signed by/);
      const bare = openssl.proxy(impostor, INHERIT, { extensions: [NO_KEY_ID] });
      await bad(chainOf(bare, alice), "signature", /signature/);
      const limited = openssl.proxy(alice, LIMITED);
      await bad(chainOf(openssl.proxy(limited, INHERIT), limited, alice), "proxy-rights", /which is not limited/);
      await bad(chainOf(openssl.proxy(alice, INDEPENDENT), alice), "proxy-rights", /independent proxy/);
      await good(chainOf(limited, alice), []);
    });

    it("refuses attributes of somebody else, replayed, altered, of another VO, or by who may not say them", async () => {
      const { alice, mallory } = guards;
      const said = guards.grant();
      await good(guards.carrying(alice, said));
      await bad(guards.carrying(mallory, said), "holder", /not to .*Mallory Example/);
      // The same name and another certificate: what was lost with the old key is not the new one's.
      const earlier = guards.grant({ holder: certificateOf(person({})) });
      await bad(guards.carrying(alice, earlier), "holder", /made out to serial/);
      const altered = Buffer.from(said);
      altered.write("Role=Productiom", altered.indexOf("Role=Production"), "latin1");
      await bad(guards.carrying(alice, altered), "signature", /attribute certificate of the VO fermilab/);
      const cms = guards.grant({ vo: "cms", fqans: ["/cms/Role=production"] });
      await bad(guards.carrying(alice, cms), "issuer", /not known to speak for the VO cms/);
      const upstart = guards.grant({ issuer: certificateOf(mallory), key: readFileSync(mallory.key, "utf8") });
      await bad(guards.carrying(alice, upstart), "issuer", /not known to speak for the VO fermilab/);
      const namesake = guards.openssl.make({ subject: guards.voms.subject, keyOf: mallory });
      const forged = guards.grant({ issuer: certificateOf(namesake), key: readFileSync(mallory.key, "utf8") });
      await bad(guards.carrying(alice, forged), "untrusted", /vouches only for itself|no trusted authority/);
      await bad(guards.carrying(alice, said, forged), "untrusted", /./);
      await good(guards.carrying(alice, said));
    });

    it("refuses a private key and what is no chain, in a sentence without it", async () => {
      const { alice } = guards;
      const key = readFileSync(alice.key, "utf8");
      for (const [chain, says] of [
        [alice.pem + key, /a private key is in it/],
        ["", /chain is missing/],
        [7, /chain is missing/],
        ["x".repeat(61 * 1024), /at most/],
        ["\u0000", /PEM text/],
      ] as const)
        for (const { status, body } of await guards.ask(CREDENTIAL, { chain, ...WHERE })) {
          assert.equal(status, 400, body);
          assert.match(body, says);
          assert.ok(!body.includes(key.split("\n")[1]!));
        }
      for (const actor of [guards.gums, guards.saz])
        assert.ok(!actor.lines.some((line) => line.includes(key.split("\n")[1]!)), "nor in the log");
      await bad("hello", "pem", /no certificate/);
      await bad(alice.pem.replace(/\n[A-Za-z0-9+/]{20}/, "\nAAAAAAAAAAAAAAAAAAAA"), "der", /./);
      await bad(
        Array.from({ length: 40 }, () => alice.pem)
          .join("")
          .slice(0, 59_000),
        "limit",
        /more than 32/,
      );
      await good(alice.pem, []);
    });

    it("bans work on what was proved, by every name on the way up", async () => {
      const { alice, root } = guards;
      const chain = guards.carrying(alice, guards.grant());
      for (const target of [{ dn: ALICE }, { vo: "fermilab" }, { role: PRODUCTION }, { ca: root.subject }]) {
        await guards.ask(["json/nothing", "json/ban"], target, guards.operator);
        const [, banned] = await bring(chain);
        assert.equal(banned.json.decision, "Deny", JSON.stringify(target));
        assert.match(String(banned.json.reason), /is banned/);
        await guards.ask(["json/nothing", "json/unban"], target, guards.operator);
        await good(chain);
      }
    });
  });

  describe("tokens", () => {
    const present = (token: string) => guards.ask(TOKEN, { token, ...WHERE });
    const holds = async (token: string): Promise<void> => {
      const [gums, saz] = await present(token);
      assert.equal(gums.json.username, "holder", gums.body);
      assert.equal(saz.json.decision, "Permit", saz.body);
    };
    const refuses = async (token: string, says: RegExp): Promise<void> => {
      for (const { status, json } of await present(token)) {
        assert.equal(status, 401, JSON.stringify(json));
        assert.match(String(json.message), says);
      }
    };
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

    it("takes what is good, of both kinds of key", async () => {
      await holds(await guards.issuer.sign());
      await holds(await guards.issuer.sign({}, { alg: "RS256" }));
      await holds(await guards.issuer.sign({ aud: ["x", "https://ce.example.org"] }));
    });

    it("refuses no signature at all, however it is spelt", async () => {
      const claims = part(guards.issuer.claims());
      for (const alg of ["none", "None", "nOnE", ""])
        for (const kid of [{}, { kid: "RS256" }])
          await refuses(`${part({ alg, ...kid })}.${claims}.`, /signed in a way that is not taken/);
    });

    it("refuses a public key used as a shared secret", async () => {
      const { createHmac } = await import("node:crypto");
      const pem = await guards.issuer.publicKey("RS256");
      for (const [alg, hash] of [
        ["HS256", "sha256"],
        ["HS512", "sha512"],
      ] as const)
        for (const secret of [pem, pem.trim(), Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64")]) {
          const signed = `${part({ alg, kid: "RS256", typ: "JWT" })}.${part(guards.issuer.claims())}`;
          const mark = createHmac(hash, secret).update(signed).digest("base64url");
          await refuses(`${signed}.${mark}`, /signed in a way that is not taken/);
        }
      await holds(await guards.issuer.sign({}, { alg: "RS256" }));
    });

    it("refuses a key of the attacker's own, in the token or beside it, and asks nobody for it", async () => {
      const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
      const { exportJWK, SignJWT } = await import("jose");
      const jwk = await exportJWK(publicKey);
      const before = guards.issuer.asked.length;
      const forge = (header: object): Promise<string> =>
        new SignJWT(guards.issuer.claims()).setProtectedHeader({ alg: "ES256", ...header }).sign(privateKey);
      await refuses(await forge({ kid: "ES256" }), /its signature is wrong/);
      await refuses(await forge({ kid: "ES256", jwk }), /its signature is wrong/);
      await refuses(await forge({ kid: "ES256", jku: `${guards.issuer.url}/evil` }), /its signature is wrong/);
      await refuses(await forge({ kid: "../../etc/passwd" }), /its issuer has no such key/);
      assert.ok(!guards.issuer.asked.slice(before).some((path) => path.includes("evil")));
    });

    it("refuses another issuer, another audience, another time, and what was altered", async () => {
      const now = Math.floor(Date.now() / 1000);
      await refuses(
        await guards.issuer.sign({ iss: "https://evil.example.org" }),
        /issuer is none that the policy names/,
      );
      await refuses(await guards.issuer.sign({ iss: `${guards.issuer.url}/` }), /issuer is none that the policy names/);
      await refuses(await guards.issuer.sign({ aud: "https://elsewhere.example.org" }), /audience is somebody else/);
      await refuses(await guards.issuer.sign({ exp: now - 60 }), /it has expired/);
      await refuses(await guards.issuer.sign({ nbf: now + 600 }), /the claim nbf/);
      const token = await guards.issuer.sign();
      const [head, , mark] = token.split(".") as [string, string, string];
      const other = part(guards.issuer.claims({ "wlcg.groups": ["/fermilab", "/fermilab/admins"] }));
      await refuses(`${head}.${other}.${mark}`, /its signature is wrong/);
      const flipped = mark[10] === "A" ? "B" : "A";
      await refuses(
        `${head}.${token.split(".")[1]}.${mark.slice(0, 10)}${flipped}${mark.slice(11)}`,
        /signature is wrong/,
      );
      await refuses("x".repeat(16_000), /this is no token/);
      await holds(token);
    });
  });

  describe("messages", () => {
    const asAlice = interopQuery({ subject: [[interopId("subject/subject-x509-id"), ALICE]] });
    const post = (body: string, as = guards.client) => guards.ask(XACML, body, as);
    const decisions = async (body: string): Promise<readonly (string | undefined)[]> =>
      (await post(body)).map((answer) => /Decision>(\w+)</.exec(answer.body)?.[1]);
    const faults = async (body: string, says: RegExp, as = guards.client): Promise<void> => {
      for (const answer of await post(body, as)) {
        assert.equal(answer.status, 500, answer.body);
        assert.match(answer.body, /<faultcode>soapenv:Client</);
        assert.match(answer.body, says);
        assert.doesNotMatch(answer.body, /root:|Decision/);
      }
    };
    const doctype = (inside: string): string =>
      asAlice.replace(/^(<\?xml[^>]*\?>)?/, `$1<!DOCTYPE x [${inside}]>`).replace(ALICE, "&x;");

    it("takes what is good", async () => assert.deepEqual(await decisions(asAlice), ["Permit", "Permit"]));

    it("refuses entities: inside, outside, and those that multiply", async () => {
      const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY x${n + 1} "${`&x${n};`.repeat(10)}">`).join("");
      for (const inside of [
        `<!ENTITY x "${ALICE}">`,
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY % y SYSTEM "http://127.0.0.1:1/evil.dtd"> %y;',
        `<!ENTITY x0 "ha">${laughs}<!ENTITY x "&x9;">`,
      ])
        await faults(doctype(inside), /document type/);
      await faults(asAlice.replace(ALICE, "&x;"), /entit/);
      assert.deepEqual(await decisions(asAlice), ["Permit", "Permit"]);
    });

    it("refuses what is malformed, too deep, too wide or too long", async () => {
      await faults("salve", /no XML/);
      await faults(asAlice.slice(0, -20), /XML|closed|end/i);
      await faults(asAlice.replace("</soapenv:Body>", "</soapenv:Bod>"), /XML|tag/i);
      await faults("<a>".repeat(15_000), /nested/);
      await faults(`<a>${"<b/>".repeat(15_000)}</a>`, /at most \d+ elements/);
      await faults(`<a ${Array.from({ length: 5000 }, (_, n) => `b${n}=""`).join(" ")}/>`, /attributes/);
      for (const answer of await post(`<a>${"x".repeat(70_000)}</a>`)) assert.equal(answer.status, 413);
      await faults(`<a>${"x".repeat(70_000)}</a>`, /characters/, guards.operator);
      assert.deepEqual(await decisions(asAlice), ["Permit", "Permit"]);
    });
  });

  describe("slow clients", () => {
    const open = (actor: Actor): Promise<TLSSocket> =>
      new Promise((resolve, reject) => {
        const { address: host, name: servername } = actor;
        const socket = connectTls({ host, port: 8443, servername, ...guards.client }, () => resolve(socket));
        socket.once("error", reject);
      });
    /** @returns milliseconds until the server ends it, which is asked every 100 ms for one more octet */
    async function drip(actor: Actor, head: string, octet: string): Promise<number> {
      const socket = await open(actor);
      const began = performance.now();
      socket.on("error", () => {});
      socket.write(head);
      const timer = setInterval(() => socket.write(octet), 100);
      await new Promise((resolve) => socket.resume().once("close", resolve));
      clearInterval(timer);
      return performance.now() - began;
    }
    const BODY = JSON.stringify({ chain: "x" });
    const headOf = (length: number): string =>
      `POST /saz/json/authorizeCredential HTTP/1.1\r\nhost: saz\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

    it("cuts a head in drips after 3 s, a body in drips after 10 s; a quick one is answered meanwhile", async () => {
      const dripping = Promise.all([
        drip(guards.gums, "GET /gums/json/version HTTP/1.1\r\nx: ", "x"),
        drip(guards.saz, headOf(60_000), " "),
      ]);
      const socket = await open(guards.saz);
      socket.write(headOf(BODY.length) + BODY);
      const answered = await new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
      assert.match(answered, /^HTTP\/1\.1 401 /, "the same call, sent at once, is answered");
      socket.destroy();
      const [head, body] = await dripping;
      assert.ok(head > 2500 && head < 6000, `head: ${head} ms`);
      assert.ok(body > 9000 && body < 14_000, `body: ${body} ms`);
    });
  });
});
