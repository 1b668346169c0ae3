/**
 * Attribute certificates and proxies beside Debian's own VOMS (libvomsapi): this house reads and believes what voms-proxy-fake makes, of every
 * kind it makes; libvomsapi with full verification (voms-judge.py) believes proxies that carry this house's attribute certificates, and
 * refuses those that this house refuses too; voms-proxy-info shows them.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  type AttributeGrant,
  attributeCertificatesOf,
  type Certificate,
  formatLsc,
  GridRefused,
  issueAttributeCertificate,
  type Membership,
  membershipsOf,
  parseLsc,
  readPemCertificates,
  validateProxyPath,
  writeAttributeCertificates,
} from "../../src/grid/index.ts";
import { AUTHORITY, INHERIT, type Made, missingOpenssl, PERSON, Workshop } from "../support/openssl.ts";
import { called } from "../support/stock-clients.ts";

const FAKE = "/usr/bin/voms-proxy-fake";
const INFO = "/usr/bin/voms-proxy-info2";
const PYTHON = "/usr/bin/python3";
const missing =
  missingOpenssl ||
  ([FAKE, INFO, PYTHON].every(existsSync) ? false : "voms-clients or python3 is not installed on this machine");

const VO = "fermilab";
const HOST = "voms.fermigrid.test";
const HOUR = 3600 * 1000;
const PRODUCTION = "/fermilab/nova/Role=Production/Capability=NULL";
const PLAIN = "/fermilab/Role=NULL/Capability=NULL";

describe("the bytes of VOMS", { skip: missing, timeout: 120_000 }, () => {
  const openssl = missing ? null! : new Workshop();
  let root: Made;
  let alice: Made;
  let server: Made;
  let other: Made;
  let anchors: readonly Certificate[];
  let lsc: string;
  const one = (made: Made): Certificate => readPemCertificates(made.pem)[0]!;

  before(() => {
    const kind = "rsa";
    root = openssl.make({ subject: "/DC=org/DC=fermigrid/CN=Root", kind, extensions: AUTHORITY });
    alice = openssl.make({
      subject: "/DC=org/DC=fermigrid/OU=People/CN=Alice Example",
      by: root,
      kind,
      extensions: PERSON,
    });
    const host = (name: string): Made =>
      openssl.make({
        subject: `/DC=org/DC=fermigrid/OU=Services/CN=${name}`,
        by: root,
        kind,
        extensions: ["keyUsage=critical,digitalSignature,keyEncipherment", "subjectKeyIdentifier=hash"],
      });
    server = host(HOST);
    other = host("other.fermigrid.test");
    anchors = readPemCertificates(root.pem);
    mkdirSync(openssl.path("authorities"));
    writeFileSync(openssl.path("authorities/root.pem"), root.pem);
    openssl.run("rehash", openssl.path("authorities"));
    lsc = formatLsc({ vo: VO, host: HOST, chains: [[server.subject, root.subject]] });
    mkdirSync(openssl.path(`vomsdir/${VO}`), { recursive: true });
    writeFileSync(openssl.path(`vomsdir/${VO}/${HOST}.lsc`), lsc);
    // Without it voms-proxy-fake fails for want of randomness from the last century.
    openssl.write(".rnd", "");
  });
  const calls = { fake: 0, info: 0 };
  after(() => {
    openssl?.remove();
    called("voms-proxy-fake", calls.fake);
    called("voms-proxy-info2", calls.info);
  });

  const environment = () => ({
    PATH: "/usr/bin:/bin",
    HOME: openssl.directory,
    X509_CERT_DIR: openssl.path("authorities"),
    X509_VOMS_DIR: openssl.path("vomsdir"),
  });

  /** @returns the text of a proxy file */
  const fake = (...words: readonly string[]): string => {
    const out = openssl.path("fake.pem");
    calls.fake++;
    const made = spawnSync(
      FAKE,
      [
        ...["-cert", alice.certificate, "-key", alice.key, "-certdir", openssl.path("authorities"), "-out", out],
        ...["-hostcert", server.certificate, "-hostkey", server.key, "-voms", VO, "-uri", `${HOST}:15001`],
        ...["-hours", "6", "-vomslife", "5", "-quiet", ...words],
      ],
      { env: environment(), encoding: "utf8", timeout: 30_000 },
    );
    assert.equal(made.status, 0, `${words.join(" ")}: ${made.signal} ${made.stdout}${made.stderr}`);
    return readFileSync(out, "utf8");
  };

  const rules = (now: number) => ({ anchors, trust: [parseLsc(VO, HOST, lsc)], now, host: hostname() });
  const believe = (
    proxy: string,
    now = Date.now(),
  ): { kind: string; rights: string; memberships: readonly Membership[] } => {
    const path = validateProxyPath(proxy, anchors, { now });
    return { kind: path.kind, rights: path.rights, memberships: membershipsOf(path, rules(now)) };
  };
  const refusal = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      assert.ok(error instanceof GridRefused, String(error));
      return error.code;
    }
    return "believed";
  };

  const KINDS: readonly (readonly [words: readonly string[], kind: string, rights: string])[] = [
    [["-rfc"], "rfc", "all"],
    [["-rfc", "-limited"], "rfc", "limited"],
    [["-proxyver", "3"], "draft", "all"],
    [["-proxyver", "3", "-limited"], "draft", "limited"],
    [["-proxyver", "2"], "legacy", "all"],
    [["-proxyver", "2", "-limited"], "legacy", "limited"],
  ];

  for (const [words, kind, rights] of KINDS)
    for (const form of [[], ["-newformat"]])
      it(`believes voms-proxy-fake ${[...words, ...form].join(" ")}`, () => {
        const found = believe(
          fake(...words, ...form, "-fqan", PRODUCTION, "-fqan", PLAIN, "-ga", "nick=alice(people)"),
        );
        assert.deepEqual([found.kind, found.rights], [kind, rights]);
        assert.equal(found.memberships.length, 1);
        const [membership] = found.memberships;
        assert.deepEqual(membership!.fqans, [PRODUCTION, PLAIN]);
        assert.deepEqual(membership!.attributes, [{ name: "nick", value: "alice", qualifier: "people" }]);
        assert.equal(membership!.authority, `${VO}://${HOST}:15001`);
        assert.equal(membership!.issuer, server.subject);
      });

  it("refuses what voms-proxy-fake can fake", () => {
    const good = ["-rfc", "-fqan", PLAIN];
    const wrong: readonly (readonly [words: readonly string[], code: string])[] = [
      [["-pastac", "10:00"], "expired"],
      [["-pastproxy", "10:00"], "expired"],
      [["-hostcert", other.certificate, "-hostkey", other.key], "issuer"],
      [["-hostcert", server.certificate, "-hostkey", other.key], "signature"],
      [["-uri", "elsewhere.fermigrid.test:15001"], "issuer"],
      [["-fqan", "/cms/Role=NULL/Capability=NULL"], "attribute-certificate"],
      [["-extension", "1.2.3.4/true:foo"], "critical-extension"],
      [["-keyusage", "keyEncipherment"], "key-usage"],
      [["-extkeyusage", "serverAuth"], "key-usage"],
      [["-bits", "1024"], "algorithm"],
      [["-newissuer", "/CN=x"], "untrusted"],
      [["-newsubject", "/CN=x/CN=1"], "proxy-name"],
    ];
    const found = wrong.map(([words]) => [words, refusal(() => believe(fake(...good, ...words)))]);
    assert.deepEqual(found, wrong);
  });

  const grant = (over: Partial<AttributeGrant> = {}): AttributeGrant => ({
    holder: one(alice),
    issuer: one(server),
    key: readFileSync(server.key, "utf8"),
    vo: VO,
    host: HOST,
    port: 15001,
    fqans: ["/fermilab/nova/Role=Production", "/fermilab"],
    attributes: [{ name: "nick", value: "alice", qualifier: "people" }],
    now: Date.now(),
    lifetime: 12 * HOUR,
    ...over,
  });
  const carrying = (...certificates: readonly Buffer[]): string => {
    const bytes = writeAttributeCertificates(certificates).toString("hex");
    const proxy = openssl.proxy(alice, INHERIT, { days: 1, extensions: [`1.3.6.1.4.1.8005.100.100.5=DER:${bytes}`] });
    return proxy.pem + readFileSync(proxy.key, "utf8") + alice.pem;
  };
  const info = (proxy: string): string => {
    const file = openssl.write("proxy.pem", proxy);
    calls.info++;
    const said = spawnSync(INFO, ["-file", file, "-all"], { env: environment(), encoding: "utf8", timeout: 30_000 });
    assert.equal(said.status, 0, said.stderr);
    return said.stdout;
  };
  /** @returns what libvomsapi believes of each attribute certificate, or its error */
  const judged = (
    proxy: string,
  ): readonly { vo: string; server: string; serial: string; fqans: string[] }[] | { error: number } => {
    const words = [openssl.write("proxy.pem", proxy), openssl.path("vomsdir"), openssl.path("authorities")];
    const judge = [join(import.meta.dirname, "voms-judge.py"), ...words];
    const said = spawnSync(PYTHON, judge, { env: environment(), encoding: "utf8", timeout: 30_000 });
    assert.equal(said.status, 0, said.stderr);
    return JSON.parse(said.stdout);
  };

  for (const holderForm of ["subject", "issuer"] as const)
    it(`libvomsapi believes ours, holder named by its ${holderForm}`, () => {
      const proxy = carrying(issueAttributeCertificate(grant({ holderForm })));
      const certificate = attributeCertificatesOf(readPemCertificates(proxy)[0]!)[0]!;
      const [voms, ...more] = judged(proxy) as Extract<ReturnType<typeof judged>, readonly unknown[]>;
      assert.equal(more.length, 0);
      assert.deepEqual(voms!.fqans, [PRODUCTION, PLAIN]);
      assert.deepEqual([voms!.server, voms!.vo, voms!.serial], [server.subject, VO, certificate.serial]);
      const text = info(proxy);
      const fqans = [...text.matchAll(/^attribute : (\/.*)$/gm)].map((match) => match[1]);
      assert.deepEqual(fqans, [PRODUCTION, PLAIN]);
      assert.match(text, /^attribute : nick = alice \(people\)$/m);
      assert.match(text, new RegExp(`^uri {7}: ${HOST}:15001$`, "m"));
      assert.deepEqual(believe(proxy).memberships[0]!.fqans, [PRODUCTION, PLAIN]);
    });

  it("libvomsapi and this house agree on ours, good and bad", () => {
    const now = Date.now();
    const made = issueAttributeCertificate(grant());
    const flipped = Buffer.from(made);
    flipped[flipped.length - 9]! ^= 1;
    const table: readonly (readonly [name: string, proxy: string, code: string])[] = [
      ["good", carrying(made), "believed"],
      [
        "a serial number of 20 octets",
        carrying(issueAttributeCertificate(grant({ serial: "7f".repeat(20) }))),
        "believed",
      ],
      [
        "a thousand groups",
        carrying(
          issueAttributeCertificate(grant({ fqans: Array.from({ length: 1000 }, (_, n) => `/fermilab/g${n}`) })),
        ),
        "believed",
      ],
      ["for this host", carrying(issueAttributeCertificate(grant({ targets: ["elsewhere", hostname()] }))), "believed"],
      ["for another host", carrying(issueAttributeCertificate(grant({ targets: ["elsewhere"] }))), "target"],
      ["after its time", carrying(issueAttributeCertificate(grant({ now: now - 13 * HOUR }))), "expired"],
      ["before its time", carrying(issueAttributeCertificate(grant({ now: now + HOUR }))), "not-yet-valid"],
      ["somebody else's", carrying(issueAttributeCertificate(grant({ holder: one(other) }))), "holder"],
      ["a flipped bit", carrying(flipped), "signature"],
      [
        "by another server",
        carrying(issueAttributeCertificate(grant({ issuer: one(other), key: readFileSync(other.key, "utf8") }))),
        "issuer",
      ],
    ];
    for (const [name, proxy, code] of table) {
      assert.equal(
        refusal(() => believe(proxy)),
        code,
        name,
      );
      const verdict = judged(proxy);
      assert.equal(Array.isArray(verdict), code === "believed", `${name}: ${JSON.stringify(verdict)}`);
    }
  });

  it("two VOs in one proxy keep their order", () => {
    mkdirSync(openssl.path("vomsdir/cms"), { recursive: true });
    writeFileSync(openssl.path(`vomsdir/cms/${HOST}.lsc`), lsc);
    const proxy = carrying(
      issueAttributeCertificate(grant({ vo: "cms", fqans: ["/cms"] })),
      issueAttributeCertificate(grant()),
    );
    const verdict = judged(proxy);
    const path = validateProxyPath(proxy, anchors, { now: Date.now() });
    const trust = [parseLsc(VO, HOST, lsc), parseLsc("cms", HOST, lsc)];
    assert.deepEqual(
      membershipsOf(path, { ...rules(Date.now()), trust }).map(({ vo }) => vo),
      ["cms", VO],
    );
    assert.deepEqual(
      attributeCertificatesOf(path.certificates[0]!).map(({ vo }) => vo),
      (verdict as Extract<typeof verdict, readonly unknown[]>).map(({ vo }) => vo),
    );
  });
});
