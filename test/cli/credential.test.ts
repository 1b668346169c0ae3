/** What `--credential` sends: the certificates of a proxy file, and nothing of its private key. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { certificatesOf } from "../../src/cli/credential.ts";
import { Fault } from "../../src/model/index.ts";
import { AUTHORITY, INHERIT, missingOpenssl, PERSON, Workshop } from "../support/openssl.ts";

describe("--credential", { skip: missingOpenssl }, () => {
  const openssl = missingOpenssl ? null! : new Workshop();
  after(() => openssl?.remove());

  it("sends the certificates in their order, and no octet of a private key of any kind", () => {
    const root = openssl.make({ subject: "/CN=Root", extensions: AUTHORITY });
    for (const kind of ["ec", "rsa"] as const) {
      const alice = openssl.make({ subject: "/CN=Alice", by: root, kind, extensions: PERSON });
      const proxy = openssl.proxy(alice, INHERIT, { kind });
      const keys = [
        readFileSync(proxy.key, "utf8"),
        openssl.run("pkey", "-in", proxy.key, "-traditional"),
        openssl.run("pkey", "-in", proxy.key, "-aes256", "-passout", "pass:x"),
      ];
      for (const key of keys) {
        const file = `Bag Attributes\n${proxy.pem}${key}${alice.pem}`;
        const sent = certificatesOf("proxy.pem", file);
        assert.equal(sent, proxy.pem + alice.pem);
        assert.doesNotMatch(sent, /PRIVATE/);
        for (const line of key.split("\n").filter((one) => one.length > 20 && !one.startsWith("-")))
          assert.ok(file.includes(line) && !sent.includes(line));
      }
      // Of a file that pretends that a key is a certificate, nothing is sent.
      const disguised = keys[0]!.replaceAll("PRIVATE KEY", "CERTIFICATE");
      assert.throws(() => certificatesOf("proxy.pem", proxy.pem + disguised), Fault);
      assert.throws(() => certificatesOf("proxy.pem", keys[0]!), /proxy\.pem: no certificate in the text/);
    }
  });
});
