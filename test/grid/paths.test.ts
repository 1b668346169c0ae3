/** Chains good and bad (`path-rows.ts`), judged by this house and by `openssl verify` beside it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type GridRefusal,
  GridRefused,
  type PathRules,
  parseNamespaces,
  parseSigningPolicy,
  readPemCertificates,
  readRevocationList,
  validateProxyPath,
} from "../../src/grid/index.ts";
import { AUTHORITY, INHERIT, missingOpenssl, PERSON, Workshop } from "../support/openssl.ts";

import { ALICE, DAY, type Row, rows } from "./path-rows.ts";

const openssl = missingOpenssl ? null : new Workshop();

describe("paths beside openssl verify", { skip: missingOpenssl, timeout: 120_000 }, () => {
  let table: readonly Row[] = [];
  let now = 0;
  before(() => {
    table = rows(openssl!);
    now = Math.floor(Date.now() / 1000) * 1000;
  });
  after(() => openssl?.remove());

  it("agrees, but for what is said", () => {
    const wrong: string[] = [];
    for (const row of table) {
      const { chain, expected, at = 0, crls = [], rules = {}, differs } = row;
      const when = now + at * DAY;
      const anchor = chain.at(-1)!;
      const given = chain.slice(0, -1);
      let found: GridRefusal | null = null;
      try {
        const result = validateProxyPath(given.map(({ pem }) => pem).join(""), readPemCertificates(anchor.pem), {
          now: when,
          crls: crls.map(readRevocationList),
          ...rules,
        });
        assert.deepEqual(
          Object.fromEntries(Object.keys(row.result ?? {}).map((key) => [key, result[key as keyof typeof result]])),
          row.result ?? {},
          row.name,
        );
      } catch (error) {
        if (!(error instanceof GridRefused)) throw error;
        found = error.code;
        if (found !== expected) wrong.push(`${row.name}: ${error.message}`);
      }
      if (found !== expected) wrong.push(`${row.name}: expected ${expected}, found ${found}`);
      const untrusted = openssl!.write(
        "untrusted.pem",
        given
          .slice(1)
          .map(({ pem }) => pem)
          .join(""),
      );
      const lists = openssl!.write("lists.pem", crls.join(""));
      const verdict = openssl!.try(
        ...["verify", "-allow_proxy_certs", "-purpose", "sslclient", "-attime", String(when / 1000)],
        ...["-no-CAfile", "-no-CApath", "-CAfile", anchor.certificate],
        ...(given.length > 1 ? ["-untrusted", untrusted] : []),
        ...(crls.length > 0 ? ["-crl_check_all", "-CRLfile", lists] : []),
        given[0]!.certificate,
      );
      if ((verdict.status === 0) !== ((expected === null) !== (differs !== undefined)))
        wrong.push(`${row.name}: openssl says ${verdict.status} ${verdict.stderr.trim().split("\n").at(-2) ?? ""}`);
    }
    assert.deepEqual(wrong, []);
    assert.ok(table.length >= 60, String(table.length));
  });

  it("believes signing policies of both kinds, and nobody without one", () => {
    const root = openssl!.make({ subject: "/DC=org/DC=fermigrid/CN=Policed", extensions: AUTHORITY });
    const alice = openssl!.make({ subject: ALICE, by: root, extensions: PERSON });
    const proxy = openssl!.proxy(alice, INHERIT);
    const anchors = readPemCertificates(root.pem);
    const judge = (signingPolicies: PathRules["signingPolicies"]): string => {
      try {
        return validateProxyPath([proxy.pem, alice.pem], anchors, { now: now + DAY, signingPolicies: signingPolicies! })
          .identity;
      } catch (error) {
        assert.ok(error instanceof GridRefused);
        return error.code;
      }
    };
    const eacl = (subjects: string): string =>
      `access_id_CA X509 '${root.subject}'\npos_rights globus CA:sign\ncond_subjects globus '${subjects}'\n`;
    const spaces = (verb: string, subject: string): string =>
      `TO Issuer "${root.subject}" \\\n  ${verb} Subject "${subject}"\n`;
    assert.equal(judge([]), "signing-policy");
    assert.equal(judge(parseSigningPolicy(eacl('"/DC=org/DC=fermigrid/*"'))), ALICE);
    assert.equal(judge(parseSigningPolicy(eacl('"/DC=org/DC=other/*"'))), "signing-policy");
    assert.equal(judge(parseNamespaces(spaces("PERMIT", "/DC=org/DC=fermigrid/.*"))), ALICE);
    assert.equal(
      judge(parseNamespaces(spaces("PERMIT", "/DC=org/.*") + spaces("DENY", "/DC=org/DC=fermigrid/.*"))),
      "signing-policy",
    );
    const both = [...parseSigningPolicy(eacl("/DC=org/*")), ...parseNamespaces(spaces("PERMIT", "/DC=com/.*"))];
    assert.equal(judge(both), "signing-policy");
  });
});
