/** The site's authority as others see it: openssl, Node's TLS, and the rules of RFC 5280. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect, createServer } from "node:tls";
import {
  type CertificateSubject,
  createAuthority,
  expiresAt,
  issueCertificate,
  type KeyPairPem,
} from "../../src/pki/index.ts";

const DAY = 24 * 3600 * 1000;
const NOW = Math.floor(Date.now() / 1000) * 1000;
const GUEST: CertificateSubject = {
  commonName: "fg5x2",
  unit: "guest",
  dns: ["fg5x2", "gums"],
  ip: ["127.1.2.3", "127.1.2.254"],
};
const files = mkdtempSync(join(tmpdir(), "dk-"));
after(() => rmSync(files, { recursive: true, force: true }));

const openssl = spawnSync("openssl", ["version"]).status === 0 ? false : "openssl is not installed";

/** @returns the path of a file with this text */
function file(name: string, text: string): string {
  const path = join(files, name);
  writeFileSync(path, text);
  return path;
}

let authority: KeyPairPem;
let other: KeyPairPem;
let guest: KeyPairPem;
let stranger: KeyPairPem;
before(async () => {
  [authority, other] = await Promise.all([createAuthority("house", NOW), createAuthority("house", NOW)]);
  [guest, stranger] = await Promise.all([issueCertificate(authority, GUEST, NOW), issueCertificate(other, GUEST, NOW)]);
});

describe("a certificate of the house", () => {
  it("is verified by openssl, for both ends of TLS, and only under its own authority", { skip: openssl }, () => {
    const [ca, wrong, leaf] = [
      file("ca.pem", authority.certificate),
      file("other.pem", other.certificate),
      file("leaf.pem", guest.certificate),
    ];
    for (const purpose of ["sslserver", "sslclient"])
      for (const more of [
        ["-verify_hostname", "gums"],
        ["-verify_ip", "127.1.2.254"],
      ])
        assert.match(
          execFileSync("openssl", ["verify", "-x509_strict", "-purpose", purpose, ...more, "-CAfile", ca, leaf], {
            encoding: "utf8",
          }),
          /leaf\.pem: OK/,
        );
    const refuse = (...words: string[]) =>
      assert.notEqual(spawnSync("openssl", ["verify", ...words]).status, 0, words.join(" "));
    refuse("-CAfile", wrong, leaf);
    refuse("-CAfile", ca, "-verify_hostname", "saz", leaf);
    refuse("-CAfile", ca, "-attime", String(Math.floor(NOW / 1000) + 398 * 24 * 3600), leaf);
    // The authority's constraint: a guest cannot issue, although it has a key.
    assert.equal(new X509Certificate(guest.certificate).ca, false);
  });

  it("names its holder by every name and address, and nobody else", () => {
    const leaf = new X509Certificate(guest.certificate);
    assert.equal(leaf.subject, "O=house\nOU=guest\nCN=fg5x2");
    assert.deepEqual(leaf.subjectAltName?.split(", ").sort(), [
      "DNS:fg5x2",
      "DNS:gums",
      "IP Address:127.1.2.254",
      "IP Address:127.1.2.3",
    ]);
    assert.equal(leaf.checkHost("gums"), "gums");
    assert.equal(leaf.checkHost("saz"), undefined);
    assert.equal(leaf.checkIP("127.1.2.4"), undefined);
  });

  it("belongs to its key and was signed by its authority alone", () => {
    const [leaf, root, foreign] = [guest, authority, other].map((pair) => new X509Certificate(pair.certificate)) as [
      X509Certificate,
      X509Certificate,
      X509Certificate,
    ];
    assert.ok(leaf.checkPrivateKey(createPrivateKey(guest.key)));
    assert.ok(leaf.verify(root.publicKey) && leaf.checkIssued(root));
    assert.ok(!leaf.verify(foreign.publicKey));
    assert.ok(root.ca && root.verify(root.publicKey));
    assert.equal(leaf.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  });

  it("is valid from a little before now, for 397 days, and never longer than its authority", async () => {
    const times = ({ certificate }: KeyPairPem) => {
      const { validFrom, validTo } = new X509Certificate(certificate);
      return [Date.parse(validFrom), Date.parse(validTo)] as const;
    };
    const [from, to] = times(guest);
    assert.ok(from <= NOW && from >= NOW - DAY);
    assert.equal(to, NOW + 397 * DAY);
    assert.equal(expiresAt(guest.certificate), to);
    const [born, ends] = times(authority);
    assert.ok(born <= from && ends === NOW + 3650 * DAY);
    const [late, last] = times(await issueCertificate(authority, GUEST, NOW + 3600 * DAY));
    assert.ok(late < last && last === ends, "a certificate outlives its authority");
  });

  it("has a serial number of its own: positive, at most 20 octets; and a key of its own", async () => {
    const many = await Promise.all(Array.from({ length: 60 }, () => issueCertificate(authority, GUEST, NOW)));
    const serials = [...many, authority, other].map((pair) => new X509Certificate(pair.certificate).serialNumber);
    for (const serial of serials) {
      assert.match(serial, /^[0-9A-F]+$/, "negative");
      assert.ok(BigInt(`0x${serial}`) > 0n);
      // In DER a first bit of one would be a sign, so it costs another octet.
      const octets =
        Math.ceil(serial.length / 2) +
        (Number.parseInt(serial.padStart(serial.length + (serial.length % 2), "0").slice(0, 2), 16) > 127 ? 1 : 0);
      assert.ok(octets <= 20, serial);
    }
    assert.equal(new Set(serials).size, serials.length);
    const keys = [...many, authority, other, guest].map((pair) =>
      createPublicKey(pair.key).export({ type: "spki", format: "pem" }),
    );
    assert.equal(new Set(keys).size, keys.length);
  });
});

describe("a server of the house", () => {
  /** @returns what the server saw of a client: its name, or why it was refused */
  async function greet(
    client: { readonly key?: string; readonly cert?: string; readonly ca: string },
    servername: string,
  ): Promise<string> {
    const server = createServer(
      {
        key: guest.key,
        cert: guest.certificate,
        ca: authority.certificate,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
    );
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      return await new Promise((resolve) => {
        let said = "";
        const socket = connect({ host: "127.0.0.1", port, servername, ...client });
        socket.setEncoding("utf8").on("data", (chunk: string) => {
          said += chunk;
        });
        socket.on("error", (error: NodeJS.ErrnoException) => resolve(`refused: ${error.code}`));
        socket.on("close", () => resolve(said || "refused: closed"));
      });
    } finally {
      server.close();
    }
  }

  it("knows a client of its own authority by name", async () => {
    const client = await issueCertificate(
      authority,
      { commonName: "operator", unit: "operator", dns: [], ip: [] },
      NOW,
    );
    assert.equal(
      await greet({ key: client.key, cert: client.certificate, ca: authority.certificate }, "gums"),
      "operator",
    );
  });

  it("refuses a client of another authority of the same name, and one without a certificate", async () => {
    assert.match(
      await greet({ key: stranger.key, cert: stranger.certificate, ca: authority.certificate }, "gums"),
      /^refused/,
    );
    assert.match(await greet({ ca: authority.certificate }, "gums"), /^refused/);
  });

  it("is refused by a client that trusts another authority, or meant another service", async () => {
    const own = { key: guest.key, cert: guest.certificate };
    assert.match(await greet({ ...own, ca: other.certificate }, "gums"), /^refused/);
    assert.equal(await greet({ ...own, ca: authority.certificate }, "saz"), "refused: ERR_TLS_CERT_ALTNAME_INVALID");
  });

  it("refuses a client whose certificate has ended", async () => {
    const old = await createAuthority("house", NOW - 4000 * DAY);
    assert.ok(expiresAt(old.certificate) < NOW);
    const ended = await issueCertificate(authority, GUEST, NOW - 500 * DAY);
    assert.match(
      await greet({ key: ended.key, cert: ended.certificate, ca: authority.certificate }, "gums"),
      /^refused/,
    );
  });
});
