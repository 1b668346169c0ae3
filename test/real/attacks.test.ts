/**
 * Attacks made with Debian's `voms-proxy-fake`, which forges whatever it is told to: brought to running copies of GUMS and SAZ, each is refused
 * for its reason; what it makes without forging passes by the same call.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { certificatesOf } from "../../src/cli/credential.ts";
import { attributeCertificatesOf, readPemCertificates } from "../../src/grid/index.ts";
import { ALICE, CREDENTIAL, Guards, PRODUCTION, VO, VOMS_HOST, WHERE } from "../services/guards.ts";
import { until } from "../services/stage.ts";
import { type Made, missingOpenssl, PERSON } from "../support/openssl.ts";
import { called } from "../support/stock-clients.ts";

const FAKE = "/usr/bin/voms-proxy-fake";
const missing = missingOpenssl || (existsSync(FAKE) ? false : "voms-clients is not installed on this machine");

describe("what voms-proxy-fake forges", { skip: missing, timeout: 180_000 }, () => {
  let guards: Guards;
  let mallory: Made;
  let calls = 0;

  before(async () => {
    guards = await Guards.open("rsa");
    mallory = guards.mallory;
    guards.openssl.run("rehash", guards.authorities);
    // Without it voms-proxy-fake fails for want of randomness from the last century.
    guards.openssl.write(".rnd", "");
  });
  after(() => guards?.close());

  /** @returns the certificates of the proxy file that it writes */
  function fake(words: readonly string[]): string {
    const { openssl, alice, voms, authorities } = guards;
    const out = openssl.path("fake.pem");
    const made = spawnSync(
      FAKE,
      [
        ...["-cert", alice.certificate, "-key", alice.key, "-certdir", authorities, "-out", out, "-rfc"],
        ...["-hostcert", voms.certificate, "-hostkey", voms.key, "-voms", VO, "-uri", `${VOMS_HOST}:15001`],
        ...["-fqan", `${PRODUCTION}/Capability=NULL`, "-hours", "6", "-vomslife", "5", "-quiet", ...words],
      ],
      {
        env: { PATH: "/usr/bin:/bin", HOME: openssl.directory, X509_CERT_DIR: authorities },
        encoding: "utf8",
        timeout: 30_000,
      },
    );
    assert.equal(made.status, 0, `${words.join(" ")}: ${made.signal} ${made.stdout}${made.stderr}`);
    calls++;
    return certificatesOf(out, readFileSync(out, "utf8"));
  }

  const bring = (chain: string) => guards.ask(CREDENTIAL, { chain, ...WHERE });

  async function good(words: readonly string[]): Promise<void> {
    const [gums, saz] = await bring(fake(words));
    assert.equal(gums.json.username, "novapro", gums.body);
    assert.equal(gums.json.subject, ALICE);
    assert.equal(saz.json.decision, "Permit", saz.body);
  }

  const FORGED: readonly (readonly [what: string, words: () => readonly string[], code: string, says: RegExp])[] = [
    ["an attribute certificate after its time", () => ["-pastac", "10:00"], "expired", /of the VO fermilab was valid/],
    ["a proxy after its time", () => ["-pastproxy", "10:00"], "expired", /CN=\d+ was valid only until/],
    [
      "attributes by a person",
      () => ["-hostcert", mallory.certificate, "-hostkey", mallory.key],
      "issuer",
      /Mallory Example .*is not known to speak for the VO fermilab/,
    ],
    [
      "attributes in the server's name by another key",
      () => ["-hostkey", mallory.key],
      "signature",
      /attribute certificate of the VO fermilab/,
    ],
    ["attributes of another server", () => ["-uri", "elsewhere.fermigrid.test:15001"], "issuer", /at elsewhere/],
    ["attributes of a VO that nobody here knows", () => ["-voms", "cms"], "attribute-certificate", /of the VO cms/],
    [
      "a group of another VO among its own",
      () => ["-fqan", "/cms/Role=NULL/Capability=NULL"],
      "attribute-certificate",
      /not of the VO fermilab/,
    ],
    ["a proxy with a critical extension", () => ["-extension", "1.2.3.4/true:foo"], "critical-extension", /1\.2\.3\.4/],
    ["a proxy whose key may not sign", () => ["-keyusage", "keyEncipherment"], "key-usage", /may not sign/],
    ["a proxy for servers", () => ["-extkeyusage", "serverAuth"], "key-usage", /not meant for clients/],
    ["a proxy with a short key", () => ["-bits", "1024"], "algorithm", /1024|bits/],
    ["a proxy of nobody's issuer", () => ["-newissuer", "/CN=x"], "untrusted", /no trusted authority/],
    ["a proxy with a foreign subject", () => ["-newsubject", "/CN=x/CN=1"], "proxy-name", /is not its issuer's name/],
  ];

  it("passes where it forges nothing: full and limited, holder named either way", async () => {
    await good([]);
    await good(["-limited"]);
    await good(["-newformat"]);
  });

  for (const [what, words, code, says] of FORGED)
    it(`is refused: ${what}`, async () => {
      for (const { status, json } of await bring(fake(words()))) {
        assert.equal(status, 401, JSON.stringify(json));
        assert.ok(String(json.message).startsWith(`the credential is not good (${code}): `), String(json.message));
        assert.match(String(json.message), says);
      }
      await good([]);
    });

  it("is refused: what a VO said of her, copied into somebody else's proxy", async () => {
    const [proxy] = readPemCertificates(fake([]));
    const copied = attributeCertificatesOf(proxy!).map(({ der }) => der);
    assert.equal(copied.length, 1);
    for (const { status, json } of await bring(guards.carrying(mallory, ...copied))) {
      assert.equal(status, 401);
      assert.match(String(json.message), /\(holder\): made out to serial .*, not to .*Mallory Example/);
    }
    const [gums] = await bring(guards.carrying(guards.alice, ...copied));
    assert.equal(gums.json.username, "novapro", "in a new proxy of her own it is as good as before");
  });

  it("is refused: a proxy under a certificate that was revoked meanwhile", async () => {
    const { openssl, root } = guards;
    const lost = openssl.make({ subject: ALICE, by: root, kind: "rsa", extensions: PERSON });
    const words = ["-cert", lost.certificate, "-key", lost.key];
    await good(words);
    guards.put("root.r0", openssl.revoke(root, [lost]));
    const chain = fake(words);
    await until(async () => (await bring(chain)).every(({ status }) => status === 401));
    for (const { json } of await bring(chain))
      assert.match(String(json.message), /\(revoked\): .*Alice Example .*was taken back/);
    await good([]);
  });

  after(() => {
    called("voms-proxy-fake", calls);
    if (!missing) assert.ok(calls >= FORGED.length + 4, "voms-proxy-fake was not asked");
  });
});
