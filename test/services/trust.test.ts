/** What is believed about certificates follows the files of a directory, and what cannot be read never makes more believed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Refusal } from "../../services/http/index.ts";
import { Credentials, Trust, type TrustConfig } from "../../services/trust/index.ts";
import { codeOf } from "../grid/refusals.ts";
import { AUTHORITY, INHERIT, LIMITED, type Made, missingOpenssl, PERSON, Workshop } from "../support/openssl.ts";
import { until } from "./stage.ts";

const ALICE = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
const BOB = "/DC=org/DC=fermigrid/OU=People/CN=Bob Example";
const policyText = (authority: string, subjects: string): string =>
  `access_id_CA X509 '${authority}'\npos_rights globus CA:sign\ncond_subjects globus '"${subjects}"'\n`;

describe("trust", { skip: missingOpenssl, timeout: 60_000 }, () => {
  const openssl = missingOpenssl ? null! : new Workshop();
  after(() => openssl?.remove());
  const site = openssl?.make({ subject: "/CN=Site authority", extensions: AUTHORITY });
  const grid = openssl?.make({ subject: "/DC=org/DC=fermigrid/CN=Grid CA", extensions: AUTHORITY });
  const alice = openssl?.make({ subject: ALICE, by: grid, extensions: PERSON });
  const bob = openssl?.make({ subject: BOB, by: grid, extensions: PERSON });
  const host = openssl?.make({ subject: "/CN=fg5x2", by: site, extensions: PERSON });

  async function opened(
    files: Readonly<Record<string, string | Uint8Array>>,
    config: Partial<TrustConfig> = {},
    now?: () => number,
  ) {
    const directory = mkdtempSync(join(openssl.directory, "certificates-"));
    const log: { readonly event: string; readonly path?: unknown; readonly says?: unknown }[] = [];
    const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(directory, name), content);
    for (const [name, content] of Object.entries(files)) put(name, content);
    const trust = new Trust({
      config: { authorities: directory, vomsdir: null, refresh: 3600, ...config },
      own: site.pem,
      log: (event, about) => log.push({ event, ...about }),
      now: now ?? (() => Date.now() + 1000),
    });
    await trust.start();
    const says = (...chain: readonly Made[]): string | null =>
      codeOf(() => trust.path(chain.map(({ pem }) => pem).join("")));
    return { trust, log, directory, put, says };
  }

  it("believes its directory's authorities and the site's own, with proxies", async () => {
    const { trust, says } = await opened({ "0a0b0c0d.0": grid.pem });
    const proxy = openssl.proxy(alice, INHERIT);
    assert.equal(trust.path(proxy.pem + alice.pem).identity, ALICE);
    assert.equal(says(host), null);
    assert.deepEqual(
      { ...trust.about(), loadedAt: null },
      {
        authorities: 2,
        revocationLists: 0,
        signingPolicies: 1,
        vomsServers: 0,
        loadedAt: null,
        oldestList: null,
        faults: [],
      },
    );
    await trust.close();
  });

  it("believes only the site's own where there is no directory, says so once, and takes the directory when it comes", async () => {
    const directory = join(openssl.directory, "later");
    const { trust, log, says } = await opened({}, { authorities: directory });
    await trust.reload();
    assert.equal(says(alice), "untrusted");
    assert.equal(says(host), null);
    assert.deepEqual(log, [{ event: "not believed", path: directory, says: "there is no such directory" }]);
    mkdirSync(directory);
    writeFileSync(join(directory, "grid.pem"), grid.pem);
    await trust.reload();
    assert.equal(says(alice), null);
    assert.deepEqual(trust.about().faults, []);
    rmSync(directory, { recursive: true });
    await trust.reload();
    assert.equal(says(alice), "untrusted", "taking the directory away is how one stops believing");
    await trust.close();
  });

  it("takes a new list without restart by its timer: who is on it is refused, the others are not", async () => {
    const { trust, put, says } = await opened({ "grid.pem": grid.pem }, { refresh: 0.05 });
    assert.equal(says(alice), null);
    put("grid.r0", openssl.revoke(grid, [alice]));
    await until(async () => says(alice) === "revoked");
    assert.equal(says(bob), null);
    await trust.close();
  });

  it("takes a new list soon, when the system says that there is one", async () => {
    const { trust, put, says } = await opened({ "grid.pem": grid.pem });
    put("grid.r0", openssl.revoke(grid, [alice]));
    await until(async () => says(alice) === "revoked");
    await trust.close();
  });

  it("reads lists as DER too, and refuses by one that has ended or that somebody else signed", async () => {
    let now = Date.now() + 1000;
    const { trust, put, says } = await opened({ "grid.pem": grid.pem }, {}, () => now);
    const pem = openssl.revoke(grid, [alice], 2);
    const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
    put("grid.crl", der);
    await trust.reload();
    assert.equal(says(alice), "revoked");
    assert.equal(says(bob), null);
    assert.equal(trust.about().oldestList?.authority, grid.subject);
    now += 3 * 86_400_000;
    assert.equal(says(bob), "revocation-unknown");
    now = Date.now() + 1000;
    const other = openssl.make({ subject: grid.subject, extensions: AUTHORITY });
    put("grid.crl", openssl.revoke(other, []));
    await trust.reload();
    assert.equal(says(bob), "revocation-unknown", "a list that the authority did not sign says nothing");
    await trust.close();
  });

  it("passes over bad files, says each once, and never believes more because of one", async () => {
    const { trust, log, put, says, directory } = await opened({
      "grid.pem": grid.pem,
      "noise.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      "empty.0": "",
      README: "not looked at",
    });
    mkdirSync(join(directory, "folder.pem"));
    assert.equal(says(alice), null);
    const faulty = (): string[] =>
      log.filter(({ event }) => event === "not believed").map(({ path }) => String(path).slice(directory.length + 1));
    assert.deepEqual(faulty(), ["empty.0", "noise.pem"]);
    put("grid.r0", "half a li");
    await trust.reload();
    await trust.reload();
    assert.deepEqual(faulty(), ["empty.0", "noise.pem", "folder.pem", "grid.r0"]);
    assert.equal(says(alice), "revocation-unknown", "its list is there, and nobody knows what it says");
    assert.equal(says(host), null);
    put("grid.r0", openssl.revoke(grid, [bob]));
    await trust.reload();
    assert.equal(says(alice), null);
    assert.equal(says(bob), "revoked");
    put("grid.r0", "half a list");
    await trust.reload();
    assert.equal(says(bob), "revoked", "a list that has become unreadable counts as it was last");
    assert.equal(says(alice), null);
    put("grid.signing_policy", "access_id_CA X509");
    await trust.reload();
    assert.equal(says(alice), "signing-policy", "its policy is there, and nobody knows what it permits");
    assert.equal(trust.about().faults.length, 5);
    await trust.close();
  });

  it("is bounded: a file too long, a pipe, too many files", async () => {
    const { trust, directory, put, says } = await opened({ "grid.pem": grid.pem, "long.pem": "x".repeat(5 * 2 ** 20) });
    const pipe = join(directory, "pipe.r0");
    assert.equal(spawnSync("mkfifo", [pipe]).status, 0);
    symlinkSync("/dev/zero", join(directory, "endless.pem"));
    await trust.reload();
    assert.equal(says(alice), null);
    const { faults } = trust.about();
    assert.match(
      faults.join("\n"),
      /endless.pem: it is no plain file\n.*long.pem: it has more than \d+ octets\n.*pipe.r0: it is no plain file$/,
    );
    for (let index = 0; index < 8192; index++) put(`f${index}`, "");
    await trust.reload();
    assert.equal(says(alice), "untrusted", "a part of a directory could be the part without the lists");
    assert.match(trust.about().faults.join(), /more than 8192 files: none of them is believed/);
    await trust.close();
  });

  it("takes limited proxies for the person or not, as it is told; names every authority on the way up", async () => {
    const below = openssl.make({ subject: "/DC=org/DC=fermigrid/CN=Issuing CA", by: grid, extensions: AUTHORITY });
    const carol = openssl.make({ subject: "/DC=org/DC=fermigrid/CN=Carol", by: below, extensions: PERSON });
    const limited = openssl.proxy(carol, LIMITED);
    const chain = limited.pem + carol.pem + below.pem;
    const { trust } = await opened({ "grid.pem": grid.pem });
    assert.deepEqual(new Credentials(trust, "accept").verify(chain, null), {
      subject: carol.subject,
      fqans: [],
      vo: null,
      authorities: [below.subject, grid.subject],
    });
    assert.throws(
      () => new Credentials(trust, "refuse").verify(chain, null),
      (error) => error instanceof Refusal && error.status === 401 && /is a limited proxy/.test(error.message),
    );
    assert.equal(new Credentials(trust, "refuse").verify(carol.pem + below.pem, null).subject, carol.subject);
    await trust.close();
  });

  it("follows the .lsc files of VOMS servers", async () => {
    const vomsdir = mkdtempSync(join(openssl.directory, "vomsdir-"));
    const { trust, log } = await opened({ "grid.pem": grid.pem }, { vomsdir });
    assert.equal(trust.about().vomsServers, 0);
    mkdirSync(join(vomsdir, "fermilab"));
    writeFileSync(join(vomsdir, "fermilab", "voms.example.org.lsc"), "/CN=voms\n/CN=CA\n");
    writeFileSync(join(vomsdir, "fermilab", "half.example.org.lsc"), "/CN=voms\n");
    writeFileSync(join(vomsdir, "server.pem"), "older sites have certificates here");
    await trust.reload();
    assert.equal(trust.about().vomsServers, 1);
    assert.deepEqual(
      log.filter(({ event }) => event === "not believed").map(({ path }) => path),
      [join(vomsdir, "fermilab", "half.example.org.lsc")],
    );
    await trust.close();
  });

  it("takes another authority of the site's own while it runs", async () => {
    const { trust, says } = await opened({ "grid.pem": grid.pem });
    const next = openssl.make({ subject: "/CN=Next authority", extensions: AUTHORITY });
    trust.renew(next.pem);
    assert.equal(says(host), "untrusted");
    assert.equal(says(alice), null);
    assert.throws(() => trust.renew("nonsense"));
    assert.equal(says(openssl.make({ subject: "/CN=fg5x3", by: next, extensions: PERSON })), null);
    await trust.close();
  });

  it("is bound by signing policies and namespaces that are there; by none where there is none, unless told", async () => {
    const { trust, put, says } = await opened({
      "grid.pem": grid.pem,
      "grid.signing_policy": policyText(grid.subject, "/DC=org/DC=elsewhere/*"),
    });
    assert.equal(says(alice), "signing-policy");
    put("grid.signing_policy", policyText(grid.subject, "/DC=org/DC=fermigrid/*"));
    await trust.reload();
    assert.equal(says(alice), null);
    put("grid.signing_policy", policyText("/CN=A slip", "/DC=org/DC=fermigrid/*"));
    await trust.reload();
    assert.equal(says(alice), "signing-policy", "a policy beside it that speaks of somebody else sets nobody free");
    assert.match(trust.about().faults.join(), /does not speak of .*Grid CA beside it/);
    put("grid.signing_policy", policyText(grid.subject, "/DC=org/DC=fermigrid/*"));
    await trust.reload();
    assert.deepEqual(trust.about().faults, []);
    put("grid.namespaces", `TO Issuer SELF PERMIT Subject "${BOB}"\n`);
    await trust.reload();
    assert.equal(says(alice), "signing-policy");
    assert.equal(says(bob), null);
    put("site.signing_policy", policyText(site.subject, "/CN=somebody else"));
    await trust.reload();
    assert.equal(says(host), "signing-policy", "a policy in the directory binds the site's own authority too");
    await trust.close();

    const strict = await opened({ "grid.pem": grid.pem }, { withoutPolicy: "refuse" });
    assert.equal(strict.says(alice), "signing-policy");
    assert.equal(strict.says(host), null, "the site's own needs none");
    await strict.trust.close();
  });

  it("stops believing an authority whose file is taken away, and takes whole sets alone", async () => {
    const other = openssl.make({ subject: "/DC=org/DC=other/CN=Other CA", extensions: AUTHORITY });
    const carol = openssl.make({ subject: "/DC=org/DC=other/CN=Carol", by: other, extensions: PERSON });
    const { trust, directory, put, says } = await opened({ "grid.pem": grid.pem, "other.pem": other.pem });
    assert.deepEqual([says(alice), says(carol)], [null, null]);
    rmSync(join(directory, "grid.pem"));
    await trust.reload();
    assert.deepEqual([says(alice), says(carol)], ["untrusted", null]);
    // One change of two files: whoever asks meanwhile sees both as they were, or both as they are.
    put("grid.pem", grid.pem);
    renameSync(join(directory, "other.pem"), join(directory, "other.off"));
    const seen = new Set<string>();
    let looking = true;
    const reloaded = trust.reload().then(() => {
      looking = false;
    });
    while (looking) {
      seen.add(`${says(alice)} ${says(carol)}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await reloaded;
    seen.add(`${says(alice)} ${says(carol)}`);
    assert.deepEqual([...seen], ["untrusted null", "null untrusted"]);
    await trust.close();
  });
});
