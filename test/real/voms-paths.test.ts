/**
 * Proxies judged by this house and by Debian's `voms-verify` (the chain validation of libvomsapi) beside it, legacy proxies too, which OpenSSL alone
 * does not know. Where the two differ the row says why.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { type GridRefusal, GridRefused, readPemCertificates, validateProxyPath } from "../../src/grid/index.ts";
import {
  AUTHORITY,
  INHERIT,
  LIMITED,
  type Made,
  missingOpenssl,
  type Order,
  PERSON,
  Workshop,
} from "../support/openssl.ts";

const VERIFY = "/usr/bin/voms-verify";
const missing = missingOpenssl || (existsSync(VERIFY) ? false : "voms-clients is not installed on this machine");
const ALICE = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
const DRAFT = "libvomsapi 2.1 no longer takes draft proxies";

interface Row {
  readonly name: string;
  readonly chain: readonly Made[];
  readonly expected: GridRefusal | null;
  readonly differs?: string;
}

describe("proxies beside voms-verify", { skip: missing, timeout: 120_000 }, () => {
  const openssl = missing ? null! : new Workshop();
  after(() => openssl?.remove());

  it("agrees, but for what is said", () => {
    const kind = "rsa";
    const root = openssl.make({ subject: "/DC=org/DC=fermigrid/CN=Root", kind, extensions: AUTHORITY });
    const alice = openssl.make({ subject: ALICE, by: root, kind, extensions: PERSON });
    mkdirSync(openssl.path("authorities"));
    writeFileSync(openssl.path("authorities/root.pem"), root.pem);
    openssl.run("rehash", openssl.path("authorities"));
    const proxy = (by: Made, information: string, over: Partial<Order> = {}): Made =>
      openssl.proxy(by, information, { keyOf: alice, ...over });
    const legacy = (by: Made, name = "proxy"): Made => proxy(by, "", { subject: `${by.subject}/CN=${name}` });
    const draft = (by: Made): Made =>
      proxy(by, "", {
        extensions: ["1.3.6.1.4.1.3536.1.222=critical,ASN1:SEQUENCE:pci"],
        sections: "[pci]\npolicy=SEQUENCE:policy\n[policy]\nlanguage=OID:1.3.6.1.5.5.7.21.1\n",
      });
    const full = proxy(alice, INHERIT);
    const limited = proxy(alice, LIMITED);
    const old = legacy(alice);
    const oldLimited = legacy(old, "limited proxy");
    const drafted = draft(alice);
    const last = proxy(alice, `${INHERIT},pathlen:0`);
    const table: readonly Row[] = [
      { name: "a person", chain: [alice], expected: null },
      { name: "a proxy", chain: [full, alice], expected: null },
      { name: "a proxy's proxy", chain: [proxy(full, INHERIT), full, alice], expected: null },
      { name: "a limited proxy", chain: [limited, alice], expected: null },
      { name: "a proxy's limited proxy", chain: [proxy(full, LIMITED), full, alice], expected: null },
      {
        name: "a limited proxy's limited proxy",
        chain: [proxy(limited, LIMITED), limited, alice],
        expected: null,
        differs: "libvomsapi lets an RFC limited proxy issue nothing at all; Globus lets it issue limited ones",
      },
      {
        name: "a limited proxy's full proxy",
        chain: [proxy(limited, INHERIT), limited, alice],
        expected: "proxy-rights",
      },
      { name: "a legacy proxy", chain: [old, alice], expected: null },
      { name: "a legacy proxy's proxy", chain: [legacy(old), old, alice], expected: null },
      { name: "a legacy proxy's limited proxy", chain: [oldLimited, old, alice], expected: null },
      {
        name: "a limited legacy proxy's full proxy",
        chain: [legacy(oldLimited), oldLimited, old, alice],
        expected: "proxy-rights",
      },
      { name: "a draft proxy", chain: [drafted, alice], expected: null, differs: DRAFT },
      { name: "an RFC proxy of a draft one", chain: [proxy(drafted, INHERIT), drafted, alice], expected: "proxy-kind" },
      { name: "a draft proxy of an RFC one", chain: [draft(full), full, alice], expected: "proxy-kind" },
      {
        name: "an RFC proxy of a legacy one",
        chain: [proxy(old, INHERIT), old, alice],
        expected: "proxy-kind",
        differs: "libvomsapi does not ask whether kinds are mixed",
      },
      { name: "one below none", chain: [proxy(last, INHERIT), last, alice], expected: "path-length" },
      {
        name: "a proxy of another name",
        chain: [proxy(alice, INHERIT, { subject: "/CN=Mallory/CN=1" }), alice],
        expected: "proxy-name",
      },
      {
        name: "a proxy of one more part that is no CN",
        chain: [proxy(alice, INHERIT, { subject: `${ALICE}/OU=1` }), alice],
        expected: "proxy-name",
      },
    ];
    const anchors = readPemCertificates(root.pem);
    const env = { HOME: openssl.directory, X509_CERT_DIR: openssl.path("authorities") };
    const wrong: string[] = [];
    for (const { name, chain, expected, differs } of table) {
      const pem = chain.map((made) => made.pem).join("");
      let found: GridRefusal | null = null;
      try {
        validateProxyPath(pem, anchors, { now: Date.now() + 1000 });
      } catch (error) {
        if (!(error instanceof GridRefused)) throw error;
        found = error.code;
      }
      if (found !== expected) wrong.push(`${name}: expected ${expected}, found ${found}`);
      const X509_USER_CERT = openssl.write("chain.pem", pem);
      const { status, stderr } = spawnSync(VERIFY, [], {
        env: { ...env, X509_USER_CERT },
        encoding: "utf8",
        timeout: 30_000,
      });
      if ((status === 0) !== ((expected === null) !== (differs !== undefined)))
        wrong.push(`${name}: voms-verify says ${status} ${stderr}`);
    }
    assert.deepEqual(wrong, []);
  });
});
