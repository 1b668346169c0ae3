import type { GridRefusal, PathRules } from "../../src/grid/index.ts";
import { AUTHORITY, INHERIT, LIMITED, type Made, PERSON, type Workshop } from "../support/openssl.ts";

export const DAY = 24 * 3600 * 1000;
export const PEOPLE = "/DC=org/DC=fermigrid/OU=People";
export const ALICE = `${PEOPLE}/CN=Alice Example`;

export interface Row {
  readonly name: string;
  /** The one to judge first, the anchor last. */
  readonly chain: readonly Made[];
  /** Why it is refused; `null` when it is good. */
  readonly expected: GridRefusal | null;
  /** Why OpenSSL says the opposite, when it does. */
  readonly differs?: string;
  /** Days from now. */
  readonly at?: number;
  readonly crls?: readonly string[];
  readonly rules?: Partial<PathRules>;
  readonly result?: Readonly<Record<string, unknown>>;
}

function flipped(openssl: Workshop, one: Made): Made {
  const body = one.pem.split("\n").slice(1, -2).join("");
  const octets = Buffer.from(body, "base64");
  octets[octets.length - 5]! ^= 1;
  const pem = `-----BEGIN CERTIFICATE-----\n${octets.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
  return { ...one, pem, certificate: openssl.write(`${one.name}-flipped.pem`, pem) };
}

/** OpenSSL has no words for the draft's extension. */
const draft = (language: string): Partial<{ extensions: string[]; sections: string }> => ({
  extensions: ["1.3.6.1.4.1.3536.1.222=critical,ASN1:SEQUENCE:pci"],
  sections: `[pci]\npolicy=SEQUENCE:policy\n[policy]\nlanguage=OID:${language}\n`,
});

/** Every chain, made anew. */
export function rows(openssl: Workshop): readonly Row[] {
  const root = openssl.make({
    subject: "/DC=org/DC=fermigrid/CN=Root",
    extensions: [...AUTHORITY, "subjectKeyIdentifier=hash"],
  });
  const authority = (subject: string, by: Made, extensions: readonly string[] = AUTHORITY): Made =>
    openssl.make({
      subject,
      by,
      extensions: [...extensions, "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"],
    });
  const person = (by: Made, subject = ALICE, extensions: readonly string[] = PERSON): Made =>
    openssl.make({ subject, by, extensions });
  const alice = person(root);
  const proxy = openssl.proxy(alice, INHERIT);
  const second = openssl.proxy(proxy, INHERIT);
  const limited = openssl.proxy(alice, LIMITED);
  const issuing = authority("/DC=org/DC=fermigrid/CN=Issuing", root);
  const bob = person(issuing, `${PEOPLE}/CN=Bob`);
  const bobs = openssl.proxy(bob, INHERIT);

  const rsaRoot = openssl.make({ subject: "/O=RSA/CN=Root", kind: "rsa", extensions: AUTHORITY });
  const rsaAlice = openssl.make({ subject: ALICE, by: rsaRoot, kind: "rsa", extensions: PERSON });
  const pss = openssl.make({
    subject: `${PEOPLE}/CN=Salted`,
    by: rsaRoot,
    extensions: PERSON,
    arguments: [
      "-sigopt",
      "rsa_padding_mode:pss",
      "-sigopt",
      "rsa_pss_saltlen:32",
      "-sigopt",
      "rsa_mgf1_md:sha256",
      "-sha256",
    ],
  });
  const edward = openssl.make({ subject: `${PEOPLE}/CN=Edward`, by: root, kind: "ed25519", extensions: PERSON });
  const noSignature = person(root, `${PEOPLE}/CN=Mute`, ["keyUsage=critical,keyEncipherment"]);
  const noSigning = authority("/DC=org/CN=No keyCertSign", root, [
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,cRLSign",
  ]);
  const notCa = authority("/DC=org/CN=No authority", root, [
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,keyCertSign",
  ]);
  const short = authority("/DC=org/CN=Short", root, ["basicConstraints=critical,CA:TRUE,pathlen:0", AUTHORITY[1]]);
  const belowShort = authority("/DC=org/CN=Below short", short);
  const constrained = openssl.make({
    subject: "/DC=org/CN=Constrained",
    by: root,
    extensions: [...AUTHORITY, "nameConstraints=critical,permitted;dirName:space"],
    sections: "[space]\nDC=example\n",
  });
  const constraint = (line: string): Made =>
    openssl.make({
      subject: "/DC=org/CN=Constrained too",
      by: root,
      extensions: [...AUTHORITY, `nameConstraints=critical,${line}`],
      sections: "[space]\nDC=denied\n",
    });
  const denying = constraint("excluded;dirName:space");
  const domain = constraint("permitted;DNS:example.org");
  const postal = constraint("permitted;email:example.org");
  const inside = person(constrained, "/DC=example/CN=Inside");
  const outside = person(constrained, "/DC=elsewhere/CN=Outside");
  const once = openssl.proxy(alice, `${INHERIT},pathlen:1`);
  const none = openssl.proxy(alice, `${INHERIT},pathlen:0`);
  const belowOnce = openssl.proxy(once, INHERIT);
  const stranger = openssl.make({ subject: "/O=Elsewhere/CN=Root", extensions: AUTHORITY });
  const crossA = openssl.make({ subject: "/O=Loop/CN=A", extensions: AUTHORITY });
  const crossB = openssl.make({ subject: "/O=Loop/CN=B", by: crossA, extensions: AUTHORITY });
  const crossA2 = openssl.make({ subject: "/O=Loop/CN=A", by: crossB, keyOf: crossA, extensions: AUTHORITY });
  const looped = person(crossA, `${PEOPLE}/CN=Looped`);
  const newRoot = openssl.make({ subject: root.subject, extensions: [...AUTHORITY] });
  const legacy = openssl.proxy(alice, "", { subject: `${ALICE}/CN=proxy` });
  const legacyLimited = openssl.proxy(legacy, "", { subject: `${ALICE}/CN=proxy/CN=limited proxy` });
  const legacyFull = openssl.proxy(legacyLimited, "", { subject: `${legacyLimited.subject}/CN=proxy` });
  const drafted = openssl.proxy(alice, "", draft("1.3.6.1.5.5.7.21.1"));
  let deep: Made[] = [alice];
  for (let depth = 0; depth < 33; depth++) deep = [openssl.proxy(deep[0]!, INHERIT, { keyOf: alice }), ...deep];
  const emptyRoot = openssl.revoke(root, []);

  return [
    {
      name: "a person",
      chain: [alice, root],
      expected: null,
      result: { identity: ALICE, kind: "none", rights: "all" },
    },
    { name: "a person under two authorities", chain: [bob, issuing, root], expected: null },
    {
      name: "a proxy",
      chain: [proxy, alice, root],
      expected: null,
      result: { identity: ALICE, subject: proxy.subject, kind: "rfc", rights: "all", pathLength: null },
    },
    { name: "a proxy's proxy", chain: [second, proxy, alice, root], expected: null, result: { identity: ALICE } },
    { name: "a proxy under two authorities", chain: [bobs, bob, issuing, root], expected: null },
    { name: "in any order", chain: [bobs, issuing, bob, root], expected: null },
    { name: "a limited proxy", chain: [limited, alice, root], expected: null, result: { rights: "limited" } },
    {
      name: "a limited proxy's limited proxy",
      chain: [openssl.proxy(limited, LIMITED), limited, alice, root],
      expected: null,
      result: { rights: "limited" },
    },
    {
      name: "an independent proxy",
      chain: [openssl.proxy(alice, "proxyCertInfo=critical,language:id-ppl-independent"), alice, root],
      expected: null,
      result: { rights: "independent" },
    },
    {
      name: "RSA all the way",
      chain: [openssl.proxy(rsaAlice, INHERIT, { kind: "rsa" }), rsaAlice, rsaRoot],
      expected: null,
    },
    { name: "RSA-PSS", chain: [pss, rsaRoot], expected: null },
    { name: "a proxy signed with Ed25519", chain: [openssl.proxy(edward, INHERIT), edward, root], expected: null },
    { name: "a proxy that may have one below", chain: [once, alice, root], expected: null, result: { pathLength: 1 } },
    { name: "the one below", chain: [belowOnce, once, alice, root], expected: null, result: { pathLength: 0 } },
    {
      name: "two below one",
      chain: [openssl.proxy(belowOnce, INHERIT), belowOnce, once, alice, root],
      expected: "path-length",
    },
    { name: "one below none", chain: [openssl.proxy(none, INHERIT), none, alice, root], expected: "path-length" },
    {
      name: "a full proxy of a limited one",
      chain: [openssl.proxy(limited, INHERIT), limited, alice, root],
      expected: "proxy-rights",
      differs: "OpenSSL does not know Globus' limited proxies",
    },
    {
      name: "a proxy of somebody else's name",
      chain: [openssl.proxy(alice, INHERIT, { subject: `${PEOPLE}/CN=Mallory/CN=1` }), alice, root],
      expected: "proxy-name",
    },
    {
      name: "a proxy whose name begins like its issuer's",
      chain: [openssl.proxy(alice, INHERIT, { subject: `${ALICE}s/CN=1` }), alice, root],
      expected: "proxy-name",
    },
    {
      name: "a proxy of two more parts",
      chain: [openssl.proxy(alice, INHERIT, { subject: `${ALICE}/CN=1/CN=2` }), alice, root],
      expected: "proxy-name",
    },
    {
      name: "a proxy of the same name",
      chain: [openssl.proxy(alice, INHERIT, { subject: ALICE }), alice, root],
      expected: "proxy-name",
    },
    {
      name: "a proxy of one more part that is no CN",
      chain: [openssl.proxy(alice, INHERIT, { subject: `${ALICE}/OU=1` }), alice, root],
      expected: "proxy-name",
    },
    {
      name: "a proxy with the authority's bit",
      chain: [openssl.proxy(alice, INHERIT, { extensions: ["basicConstraints=CA:TRUE"] }), alice, root],
      expected: "authority",
    },
    {
      name: "a proxy with a second name",
      chain: [openssl.proxy(alice, INHERIT, { extensions: ["subjectAltName=DNS:root.example.org"] }), alice, root],
      expected: "proxy-name",
    },
    {
      name: "a proxy that says so uncritically",
      chain: [openssl.proxy(alice, INHERIT.replace("critical,", "")), alice, root],
      expected: "proxy-kind",
      differs: "RFC 3820 3.8 asks for critical, OpenSSL does not look",
    },
    {
      name: "a proxy with rights in an unknown language",
      chain: [openssl.proxy(alice, "proxyCertInfo=critical,language:1.2.3.4,policy:text:all"), alice, root],
      expected: "proxy-rights",
      differs: "OpenSSL leaves the language to its caller",
    },
    {
      name: "a proxy of a key that may not sign",
      chain: [openssl.proxy(noSignature, INHERIT), noSignature, root],
      expected: "key-usage",
    },
    {
      name: "a proxy of an authority",
      chain: [openssl.proxy(root, INHERIT), root],
      expected: "untrusted",
    },
    { name: "a proxy without its issuer", chain: [second, alice, root], expected: "untrusted" },
    {
      name: "a proxy after its time",
      chain: [openssl.proxy(alice, INHERIT, { days: 1 }), alice, root],
      at: 2,
      expected: "expired",
    },
    {
      name: "a proxy of a person after her time",
      chain: [openssl.proxy(alice, INHERIT, { days: 60 }), alice, root],
      at: 40,
      expected: "expired",
    },
    { name: "before its time", chain: [proxy, alice, root], at: -1, expected: "not-yet-valid" },
    {
      name: "a flipped bit in a proxy's signature",
      chain: [flipped(openssl, proxy), alice, root],
      expected: "signature",
    },
    {
      name: "a flipped bit in a person's signature",
      chain: [proxy, flipped(openssl, alice), root],
      expected: "signature",
    },
    {
      name: "a critical extension nobody knows",
      chain: [openssl.proxy(alice, INHERIT, { extensions: ["1.2.3.4=critical,DER:0500"] }), alice, root],
      expected: "critical-extension",
    },
    { name: "the same in a person's", chain: [proxy0(openssl, root), root], expected: "critical-extension" },
    {
      name: "an extension nobody knows, uncritical",
      chain: [openssl.proxy(alice, INHERIT, { extensions: ["1.2.3.4=DER:0500"] }), alice, root],
      expected: null,
    },
    { name: "an authority nobody trusts", chain: [proxy, alice, stranger], expected: "untrusted" },
    { name: "an authority that is missing", chain: [bobs, bob, root], expected: "untrusted" },
    { name: "a person signs a person", chain: [person(alice, `${PEOPLE}/CN=Eve`), alice, root], expected: "authority" },
    {
      name: "an authority without its bit",
      chain: [person(notCa, `${PEOPLE}/CN=Eve`), notCa, root],
      expected: "authority",
    },
    {
      name: "an authority that may not sign",
      chain: [person(noSigning, `${PEOPLE}/CN=Eve`), noSigning, root],
      expected: "key-usage",
    },
    {
      name: "an authority that may have none below",
      chain: [person(short, `${PEOPLE}/CN=Carol`), short, root],
      expected: null,
    },
    {
      name: "one below it",
      chain: [person(belowShort, `${PEOPLE}/CN=Carol`), belowShort, short, root],
      expected: "path-length",
    },
    {
      name: "within the name space",
      chain: [openssl.proxy(inside, INHERIT), inside, constrained, root],
      expected: null,
    },
    {
      name: "beside a denied name space",
      chain: [person(denying, "/DC=else/CN=a"), denying, root],
      expected: null,
    },
    {
      name: "in a denied name space, in other letters",
      chain: [person(denying, "/DC=Denied/CN=a"), denying, root],
      expected: "name-constraint",
    },
    {
      name: "a second name within the domain",
      chain: [person(domain, "/CN=a", [...PERSON, "subjectAltName=DNS:www.example.org"]), domain, root],
      expected: null,
    },
    {
      name: "a second name outside the domain",
      chain: [person(domain, "/CN=a", [...PERSON, "subjectAltName=DNS:www.badexample.org"]), domain, root],
      expected: "name-constraint",
    },
    {
      name: "a mail address where mail addresses are constrained",
      chain: [person(postal, "/CN=a", [...PERSON, "subjectAltName=email:a@example.org"]), postal, root],
      expected: "name-constraint",
      differs: "constraints on mail addresses are not compared here, so whoever has one is refused",
    },
    { name: "outside the name space", chain: [outside, constrained, root], expected: "name-constraint" },
    {
      name: "an identity that is an authority",
      chain: [issuing, root],
      expected: "authority",
    },
    {
      name: "a server's certificate as a client",
      chain: [person(root, "/CN=server", ["extendedKeyUsage=serverAuth"]), root],
      expected: "key-usage",
    },
    {
      name: "authorities in a circle, none trusted",
      chain: [looped, crossA2, crossB, stranger],
      expected: "untrusted",
    },
    { name: "authorities in a circle, one trusted", chain: [looped, crossA2, crossB, crossA], expected: null },
    { name: "an authority with a new key of the same name", chain: [proxy, alice, newRoot], expected: "untrusted" },
    {
      name: "SHA-1",
      chain: [openssl.make({ subject: ALICE, by: rsaRoot, extensions: PERSON, arguments: ["-sha1"] }), rsaRoot],
      expected: "algorithm",
      differs: "openssl verify does not ask for a security level",
    },
    {
      name: "SHA-1, told so",
      chain: [openssl.make({ subject: ALICE, by: rsaRoot, extensions: PERSON, arguments: ["-sha1"] }), rsaRoot],
      expected: null,
      rules: { allowSha1: true },
    },
    shortKey(openssl, root),
    {
      name: "a legacy proxy",
      chain: [legacy, alice, root],
      expected: null,
      differs: "older than RFC 3820",
      result: { kind: "legacy", identity: ALICE },
    },
    {
      name: "a limited legacy proxy's limited proxy",
      chain: [legacyLimited, legacy, alice, root],
      expected: null,
      differs: "older than RFC 3820",
      result: { rights: "limited" },
    },
    {
      name: "a limited legacy proxy's full proxy",
      chain: [legacyFull, legacyLimited, legacy, alice, root],
      expected: "proxy-rights",
    },
    {
      name: "a draft proxy",
      chain: [drafted, alice, root],
      expected: null,
      differs: "older than RFC 3820",
      result: { kind: "draft" },
    },
    {
      name: "an RFC proxy of a draft one",
      chain: [openssl.proxy(drafted, INHERIT), drafted, alice, root],
      expected: "proxy-kind",
    },
    {
      name: "an RFC proxy of a legacy one",
      chain: [openssl.proxy(legacy, INHERIT), legacy, alice, root],
      expected: "proxy-kind",
    },
    {
      name: "a legacy proxy's name without an issuer of that name",
      chain: [
        openssl.make({
          subject: `${ALICE}/CN=proxy`,
          by: openssl.make({ subject: "/CN=Eve", by: root, extensions: PERSON }),
          extensions: PERSON,
        }),
        root,
      ],
      expected: "untrusted",
    },
    { name: "too many proxies", chain: [...deep, root], expected: "limit", differs: "OpenSSL takes a hundred" },
    { name: "not taken back", chain: [proxy, alice, root], crls: [emptyRoot], expected: null },
    { name: "taken back", chain: [proxy, alice, root], crls: [openssl.revoke(root, [alice])], expected: "revoked" },
    {
      name: "a list after its time",
      chain: [proxy, alice, root],
      crls: [openssl.revoke(root, [], 1)],
      at: 3,
      expected: "revocation-unknown",
    },
    {
      name: "a list by somebody else of that name",
      chain: [proxy, alice, root],
      crls: [openssl.revoke(newRoot, [])],
      expected: "revocation-unknown",
    },
    {
      name: "an authority taken back",
      chain: [bobs, bob, issuing, root],
      crls: [openssl.revoke(root, [issuing]), openssl.revoke(issuing, [])],
      expected: "revoked",
    },
    {
      name: "an authority without a list",
      chain: [bobs, bob, issuing, root],
      crls: [emptyRoot],
      rules: { missingLists: "refuse" },
      expected: "revocation-unknown",
    },
  ];
}

function proxy0(openssl: Workshop, root: Made): Made {
  return openssl.make({ subject: ALICE, by: root, extensions: [...PERSON, "1.2.3.4=critical,DER:0500"] });
}

function shortKey(openssl: Workshop, root: Made): Row {
  const weak = openssl.make({ subject: ALICE, by: root, kind: "rsa1024", extensions: PERSON });
  return {
    name: "a key of 1024 bits that signs",
    chain: [openssl.proxy(weak, INHERIT), weak, root],
    expected: "algorithm",
    differs: "openssl verify does not ask for a security level",
  };
}
