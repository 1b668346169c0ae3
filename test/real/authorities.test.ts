/**
 * The authorities that the grid trusts, as Debian packages them (igtf-policy-*): every certificate and every policy file is read, names come out
 * as OpenSSL prints them, and every authority may sign its own name space and nobody else's.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { Trust } from "../../services/trust/index.ts";
import {
  type Certificate,
  parseNamespaces,
  parseSigningPolicy,
  readPemCertificates,
  type SigningPolicy,
  whyNotSigned,
} from "../../src/grid/index.ts";
import { missingOpenssl, OPENSSL } from "../support/openssl.ts";

const files = globSync("/usr/share/igtf-policy/**/*.pem").sort();
const missing = missingOpenssl || (files.length > 0 ? false : "igtf-policy-classic is not installed on this machine");

const authorities = (): readonly { readonly file: string; readonly certificate: Certificate }[] =>
  files.map((file) => ({ file, certificate: readPemCertificates(readFileSync(file, "latin1"))[0]! }));

const KINDS: readonly (readonly [suffix: string, parse: (text: string, self: string) => readonly SigningPolicy[]])[] = [
  [".signing_policy", (text) => parseSigningPolicy(text)],
  [".namespaces", parseNamespaces],
];

describe("the grid's authorities", { skip: missing, timeout: 120_000 }, () => {
  it("have names as OpenSSL prints them", () => {
    const print = ["-noout", "-subject", "-issuer", "-serial", "-nameopt", "compat"];
    for (const { file, certificate } of authorities()) {
      const said = spawnSync(OPENSSL, ["x509", "-in", file, ...print], { encoding: "latin1", timeout: 30_000 });
      const [subject, issuer, serial] = said.stdout.split("\n").map((line) => line.slice(line.indexOf("=") + 1).trim());
      assert.deepEqual(
        [certificate.subject.normal, certificate.issuer.normal, certificate.serial],
        [subject, issuer, serial],
        file,
      );
    }
  });

  it("are read by a running service as they lie in their directory, each once, without a fault", async () => {
    const directories = new Set(files.map((file) => dirname(file)));
    for (const authorities of directories) {
      const own = readFileSync(files[0]!, "latin1");
      const faults: unknown[] = [];
      const log = (event: string, about: unknown): void => void (event === "not believed" && faults.push(about));
      const trust = new Trust({ config: { authorities, vomsdir: null, refresh: 3600 }, own, log });
      await trust.start();
      const { length } = files.filter((file) => dirname(file) === authorities);
      assert.deepEqual(faults, []);
      assert.ok(trust.about().authorities >= length, `${trust.about().authorities} of ${length}`);
      assert.ok(trust.about().signingPolicies >= 50);
      await trust.close();
    }
  });

  it("have policies that speak of them and of no stranger", () => {
    let read = 0;
    for (const { file, certificate } of authorities())
      for (const [suffix, parse] of KINDS) {
        const beside = file.replace(/\.pem$/, suffix);
        if (!existsSync(beside)) continue;
        const name = certificate.subject.normal;
        const policies = parse(readFileSync(beside, "latin1"), name);
        assert.ok(
          policies.some(({ authority }) => authority === name),
          beside,
        );
        assert.match(whyNotSigned(policies, name, "/O=Nowhere/CN=Mallory") ?? "may", /not permitted/, beside);
        read++;
      }
    assert.ok(read >= 50, String(read));
  });
});
