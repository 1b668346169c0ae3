/**
 * Tokens judged by this house and by Debian's `scitokens-verify` (scitokens-cpp, which HTCondor and xrootd use) beside it: the same tokens of an
 * issuer on loopback, whose keys both fetch over HTTPS. Where the two differ the row says why.
 *
 * scitokens-cpp 0.7 believes the machine's authorities and cannot be told others, so it runs where the stage's authority stands in their place: in a
 * mount namespace of its own. Where there are none to be had (some containers) it finds the keys in its own cache instead.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { generateKeyPair } from "jose";
import { Refusal } from "../../services/http/index.ts";
import { Tokens } from "../../services/tokens/index.ts";
import { address, Stage } from "../services/stage.ts";
import { type Claimed, type SignedBy, TokenIssuer } from "../services/token-issuer.ts";
import { called } from "../support/stock-clients.ts";

const VERIFY = "/usr/bin/scitokens-verify";
const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
const missing = existsSync(VERIFY) ? false : "scitokens-cpp is not installed on this machine";
/** `$0` is the authority, the rest is scitokens-verify's. */
const INSIDE = `mount --bind "$0" ${BUNDLE} && exec ${VERIFY} "$@"`;

interface Row {
  readonly name: string;
  readonly claims?: Claimed;
  readonly signed?: SignedBy;
  /** Makes something else of a good token. */
  readonly spoilt?: (token: string) => string | Promise<string>;
  /** Why this house refuses it; `null` when it takes it. */
  readonly refused: RegExp | null;
  /** Why scitokens-verify says the opposite. */
  readonly differs?: string;
}

const NO_WLCG = { "wlcg.ver": undefined, "wlcg.groups": undefined };
const SCITOKEN = { ...NO_WLCG, ver: "scitoken:2.0", aud: "ANY", scope: "read:/ write:/home" };
const NOT_ASKED = "who verifies says which audience he is; scitokens-verify has nobody to ask";
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("tokens beside scitokens-verify", { skip: missing, timeout: 120_000 }, () => {
  let stage: Stage;
  let issuer: TokenIssuer;
  let tokens: Tokens;
  let authority: string;
  let namespaces: boolean;
  let judged = 0;

  before(async () => {
    stage = await Stage.open();
    const tls = await stage.identity("issuer", "guest", [address(40)]);
    issuer = await TokenIssuer.open(tls, address(40), "/fermilab");
    tokens = new Tokens({ issuers: [issuer.url], audiences: ["https://ce.example.org"], tls, log: () => {} });
    authority = join(stage.directory, "authority.pem");
    writeFileSync(authority, stage.authority.certificate);
    const tried = spawnSync("unshare", ["-rm", "sh", "-c", `mount --bind "$0" ${BUNDLE}`, authority], {
      timeout: 10_000,
    });
    namespaces = tried.status === 0;
    if (!namespaces) giveKeys();
  });
  after(async () => {
    await issuer?.close();
    await stage?.close();
    called("scitokens-verify", judged);
    if (!missing) assert.ok(judged > 0, "scitokens-verify was not asked");
  });

  /** As scitokens-cpp itself would have written them down after fetching them. */
  function giveKeys(): void {
    mkdirSync(join(stage.directory, "scitokens"));
    const cache = new DatabaseSync(join(stage.directory, "scitokens/scitokens_cpp.sqllite"));
    cache.exec("CREATE TABLE keycache (issuer text UNIQUE PRIMARY KEY NOT NULL, keys text NOT NULL)");
    const later = Math.floor(Date.now() / 1000) + 3600;
    const keys = { jwks: { keys: issuer.keys }, next_update: later, expires: later };
    cache.prepare("INSERT INTO keycache VALUES (?, ?)").run(issuer.url, JSON.stringify(keys));
    cache.close();
  }

  /** @returns what scitokens-verify says against it, or `null`; our server has to answer meanwhile, so it is waited for and not blocked on */
  function judge(token: string): Promise<string | null> {
    const [program, words] = namespaces ? ["unshare", ["-rm", "sh", "-c", INSIDE, authority]] : [VERIFY, []];
    return new Promise((resolve, reject) => {
      const child = spawn(program as string, [...(words as readonly string[]), token], {
        env: { PATH: "/usr/bin:/bin", XDG_CACHE_HOME: stage.directory },
        timeout: 20_000,
      });
      let said = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => {
          said += chunk.toString();
        });
      child.on("error", reject);
      child.on("close", (code) => {
        judged++;
        const good = said.includes("Token deserialization successful.");
        // Anything else (a namespace that was not made, a signal) is no verdict.
        if (good !== (code === 0) || !(good || said.startsWith("Failed to deserialize a token: ")))
          reject(new Error(`scitokens-verify: ${code} ${said}`));
        resolve(good ? null : said.trim());
      });
    });
  }

  async function ours(token: string): Promise<string | null> {
    try {
      await tokens.verify(token);
      return null;
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) throw error;
      return error.message;
    }
  }

  const now = Math.floor(Date.now() / 1000);
  const secret = async (token: string): Promise<string> => {
    const signed = `${part({ alg: "HS256", kid: "RS256", typ: "JWT" })}.${token.split(".")[1]}`;
    const mark = createHmac("sha256", await issuer.publicKey("RS256")).update(signed);
    return `${signed}.${mark.digest("base64url")}`;
  };
  const TABLE: readonly Row[] = [
    { name: "WLCG, elliptic curve", refused: null },
    { name: "WLCG, RSA", signed: { alg: "RS256" }, refused: null },
    { name: "WLCG for us by name", claims: { aud: ["x", "https://ce.example.org"] }, refused: null },
    { name: "SciToken 2.0", claims: SCITOKEN, refused: null },
    { name: "SciToken 1.0 without audience", claims: { ...SCITOKEN, ver: undefined, aud: undefined }, refused: null },
    { name: "long expired", claims: { iat: now - 7200, nbf: now - 7200, exp: now - 3600 }, refused: /has expired/ },
    { name: "of tomorrow", claims: { nbf: now + 86_400, exp: now + 90_000 }, refused: /the claim nbf/ },
    {
      name: "expired ten seconds ago",
      claims: { exp: now - 10 },
      refused: null,
      differs: "30 s for clocks that differ; scitokens-cpp has none",
    },
    { name: "without an end", claims: { exp: undefined }, refused: /the claim exp/ },
    {
      name: "without a beginning",
      claims: { nbf: undefined },
      refused: null,
      differs: "RFC 7519 lets nbf be left out; scitokens-cpp wants it",
    },
    { name: "WLCG without audience", claims: { aud: undefined }, refused: /audience is somebody else/ },
    { name: "SciToken 2.0 without audience", claims: { ...SCITOKEN, aud: undefined }, refused: /audience/ },
    {
      name: "for somebody else",
      claims: { aud: "https://elsewhere.example.org" },
      refused: /audience is somebody else/,
      differs: NOT_ASKED,
    },
    {
      name: "of nobody",
      claims: { sub: undefined },
      refused: /the claim sub/,
      differs: "scitokens-cpp looks at what may be done, and we at who does it",
    },
    { name: "of another issuer", claims: { iss: "https://127.0.0.1:9/other" }, refused: /none that the policy names/ },
    { name: "of no issuer", claims: { iss: undefined }, refused: /none that the policy names/ },
    { name: "by a key that is not published", signed: { kid: "nobody's" }, refused: /no such key/ },
    {
      name: "altered",
      spoilt: (token) => {
        const [head, , mark] = token.split(".");
        return `${head}.${part(issuer.claims({ scope: "storage.modify:/" }))}.${mark}`;
      },
      refused: /signature is wrong/,
    },
    {
      name: "with no algorithm",
      spoilt: (token) => `${part({ alg: "none", kid: "ES256" })}.${token.split(".")[1]}.`,
      refused: /not taken/,
    },
    { name: "a public key as shared secret", spoilt: secret, refused: /not taken/ },
    { name: "cut", spoilt: (token) => token.slice(0, -10), refused: /signature is wrong|not taken/ },
    { name: "no token", spoilt: () => "salve", refused: /no token/ },
  ];

  for (const { name, claims, signed, spoilt, refused, differs } of TABLE)
    it(`${refused === null ? "takes" : "refuses"} ${name}${differs ? `, and the other does not agree: ${differs}` : ""}`, async () => {
      const good = await issuer.sign(claims, signed);
      const token = spoilt ? await spoilt(good) : good;
      const mine = await ours(token);
      if (refused === null) assert.equal(mine, null);
      else assert.match(mine ?? "taken", refused);
      const theirs = await judge(token);
      assert.equal(theirs === null, (mine === null) !== (differs !== undefined), `scitokens-verify: ${theirs}`);
    });

  it("refuses another's signature under the issuer's name, as the other does", async () => {
    const { privateKey: key } = await generateKeyPair("ES256");
    const forged = await issuer.sign({}, { key });
    assert.match((await ours(forged)) ?? "taken", /signature is wrong/);
    assert.notEqual(await judge(forged), null);
  });

  it("asks the issuer for its keys, and not for every token; so does the other", async () => {
    const asked = issuer.asked.filter((path) => path.endsWith("/keys")).length;
    // An unknown key is asked for once more by scitokens-cpp.
    assert.ok(asked >= (namespaces ? 2 : 1) && asked <= 4, `${asked} times`);
    assert.ok(judged > TABLE.length);
  });
});
