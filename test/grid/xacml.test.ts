/** XACML questions and answers: captured messages, the rules of obligations, and whatever a hostile client may send. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SaxesParser } from "saxes";
import {
  type AuthorizationQuery,
  inSoap,
  type Result,
  readAuthorizationQuery,
  readSoap,
  resultFor,
  SoapRefused,
  soapFault,
  writeAuthorizationQuery,
  writeAuthorizationResponse,
  XML_LIMITS,
} from "../../src/grid/index.ts";
import {
  ALICE,
  type Attribute,
  creamQuery,
  emiQuery,
  interopId,
  interopQuery,
  obligation,
  PRIMARY,
  subjectQuery,
  VOMS,
} from "./messages.ts";

const read = (text: string): AuthorizationQuery => readAuthorizationQuery(Buffer.from(text));
const refused = (text: string, says: RegExp, code = "Client"): void =>
  assert.throws(
    () => read(text),
    (error) => error instanceof SoapRefused && error.code === code && says.test(error.message),
  );
const STAMP = { id: "1", at: "2026-11-20T12:00:00.000Z", issuer: "gums" };
const write = (query: AuthorizationQuery, result: Result): string => writeAuthorizationResponse(query, result, STAMP);

describe("an XACML question", () => {
  it("of the authz-interop profile", () => {
    const { obligations, ...query } = read(interopQuery());
    assert.deepEqual(query, {
      dialect: "authz-interop",
      id: "_3497",
      subject: ALICE,
      issuer: "/DC=org/DC=fermigrid/CN=Certificate Authority",
      vo: "fermilab",
      fqans: [PRIMARY, "/fermilab/nova"],
      primaryFqan: PRIMARY,
      checked: true,
      host: "/DC=org/DC=fermigrid/OU=Services/CN=fnpc1.fermigrid.test",
      action: interopId("action/action-type/access"),
      context: null,
    });
    assert.deepEqual([...obligations], ["username", "uidgid", "secondary-gids"].map(obligation));
  });

  it("of EMI's profile, the environment first", () => {
    const { context, obligations, ...query } = read(emiQuery());
    assert.deepEqual(query, {
      dialect: "common-ce",
      id: "74cdc83c-85a3",
      subject: ALICE,
      issuer: "/DC=org/DC=fermigrid/CN=People CA",
      vo: "fermilab",
      fqans: [PRIMARY, "/fermilab/nova"],
      primaryFqan: PRIMARY,
      checked: true,
      host: "ce1.example.org",
      action: "http://dci-sec.org/xacml/action/ANY",
    });
    assert.equal(obligations.size, 0);
    assert.equal(context?.name, "Request");
  });

  it("of CREAM, with the caller's whole chain", () => {
    const { context, obligations, ...query } = read(creamQuery());
    assert.deepEqual(query, {
      dialect: "cream",
      id: "74cdc83c-85a3",
      subject: ALICE,
      issuer: "/DC=org/DC=fermigrid/CN=People CA",
      vo: "fermilab",
      fqans: ["/fermilab/nova", "/fermilab/minos"],
      primaryFqan: "/fermilab/nova",
      checked: true,
      host: "ce1.example.org",
      action: "http://glite.org/xacml/action/ANY",
    });
  });

  it("of somebody with two VOs: the first stands for him, the other is an FQAN of his", () => {
    const two = emiQuery()
      .replace(/(virtual-organization"[^>]*>)(<[^>]*>fermilab<[^>]*>)/, "$1$2$2")
      .replace(">fermilab<", ">cms<");
    const { vo, fqans } = read(two);
    assert.deepEqual({ vo, fqans }, { vo: "cms", fqans: [PRIMARY, "/fermilab", "/fermilab/nova"] });
    refused(
      interopQuery({
        subject: [
          [interopId("subject/subject-x509-id"), ALICE],
          [interopId("subject/vo"), "a"],
          [interopId("subject/vo"), "b"],
        ],
      }),
      /vo has different values/,
    );
  });

  it("with a subject alone, in each spelling of the name", () => {
    for (const name of [
      ALICE,
      "CN=Alice Example,OU=People,DC=fermigrid,DC=org",
      "CN=Alice Example, OU=People, DC=fermigrid, DC=org",
    ]) {
      const { dialect, subject, fqans, host, checked } = read(subjectQuery(name));
      assert.deepEqual(
        { dialect, subject, fqans, host, checked },
        { dialect: "subject", subject: ALICE, fqans: [], host: null, checked: false },
      );
    }
  });

  it("says whether the FQAN was checked: an Issuer that is not none", () => {
    const who: Attribute = [interopId("subject/subject-x509-id"), ALICE];
    const primary = interopId("subject/voms-primary-fqan");
    const checked = (attribute: Attribute): boolean => read(interopQuery({ subject: [who, attribute] })).checked;
    assert.equal(checked([primary, PRIMARY, VOMS]), true);
    assert.equal(checked([primary, PRIMARY]), false);
    assert.equal(checked([primary, PRIMARY, "http://authz-interop.org/xacml/issuer/none"]), false);
  });

  it("names the host: the DN before the DNS name, the first of several", () => {
    const dns: Attribute = [interopId("resource/dns-host-name"), "a.example.org"];
    const host = (...resource: Attribute[]): string | null => read(interopQuery({ resource })).host;
    assert.equal(host(dns, [interopId("resource/dns-host-name"), "b.example.org"]), "a.example.org");
    assert.equal(host(dns, [interopId("resource/resource-x509-id"), "CN=c,DC=org"]), "/DC=org/CN=c");
    assert.equal(host(), null);
  });

  it("may use any prefixes and any order", () => {
    const text = interopQuery()
      .replaceAll("xacml-context:", "ns7:")
      .replaceAll("xmlns:xacml-context", "xmlns:ns7")
      .replaceAll("soapenv:", "S:")
      .replaceAll("xmlns:soapenv", "xmlns:S");
    assert.deepEqual(read(text), read(interopQuery()));
    const environment = /<xacml-context:Environment>.*<\/xacml-context:Environment>/.exec(interopQuery())![0];
    const first = interopQuery()
      .replace(environment, "")
      .replace("<xacml-context:Subject ", `${environment}<xacml-context:Subject `);
    assert.deepEqual(read(first), read(interopQuery()));
    assert.deepEqual(
      read(
        interopQuery()
          .replaceAll("AttributeValue>", "AttributeValue><!-- a remark -->")
          .replaceAll("</xacml-context:AttributeValue><!-- a remark -->", "</xacml-context:AttributeValue>"),
      ),
      read(interopQuery()),
    );
  });

  it("is refused where two readers could differ", () => {
    const who: Attribute = [interopId("subject/subject-x509-id"), ALICE];
    refused(interopQuery({ subject: [who, [who[0], "/DC=org/CN=Eve"]] }), /subject-x509-id has different values/);
    refused(
      interopQuery({ subject: [who, ["http://glite.org/xacml/attribute/fqan/primary", PRIMARY]] }),
      /one dialect, found authz-interop and cream/,
    );
    refused(
      interopQuery().replace(/(<xacml-context:Request.*<\/xacml-context:Request>)/, "$1$1"),
      /Request stands 2 times/,
    );
    refused(
      emiQuery().replace(
        'role/primary" DataType="http://www.w3.org/2001/XMLSchema#string" Issuer="/fermilab/nova"',
        'role/primary" DataType="x" Issuer="/fermilab/minos"',
      ),
      /not of the primary group/,
    );
    refused(
      emiQuery().replace(/(attribute\/role" DataType="[^"]*") Issuer="[^"]*"/, "$1"),
      /does not say of which group/,
    );
  });

  it("is refused with a reason when it is none", () => {
    refused(interopQuery({ subject: [] }), /subject-x509-id is missing/);
    refused(
      interopQuery({ subject: [[interopId("subject/subject-x509-id"), "Alice"]] }),
      /subject-x509-id: expected TYPE=value/,
    );
    refused(inSoap("<x/>"), /expected an XACMLAuthzDecisionQuery/);
    refused("<x/>", /expected a SOAP envelope/);
    refused('<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"/>', /SOAP 1.1/, "VersionMismatch");
    refused(inSoap(""), /one request in the SOAP body/);
    refused(
      interopQuery().replace(
        "<soapenv:Body>",
        '<soapenv:Header><s:Sign xmlns:s="urn:s" soapenv:mustUnderstand="1"/></soapenv:Header><soapenv:Body>',
      ),
      /header Sign is not understood/,
      "MustUnderstand",
    );
    refused(interopQuery({ query: 'ID="a" Version="1.1"' }), /SAML 2.0/);
    refused(interopQuery({ query: 'ID="a" ReturnContext="maybe"' }), /ReturnContext: expected true or false/);
    refused("", /no XML/);
    assert.throws(() => readAuthorizationQuery(Buffer.from([0x3c, 0xff])), SoapRefused);
  });

  it("takes no document type, no entity, no processing instruction", () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>`;
    refused(interopQuery().replace("?>", `?>${bomb}`), /document type/);
    refused(interopQuery().replace("?>", `?><!DOCTYPE x SYSTEM "file:///etc/passwd">`), /document type/);
    refused(interopQuery().replace("Alice", "&lol;"), /no XML/);
    refused(interopQuery().replace("Alice", "<?php x?>"), /processing instruction/);
    assert.equal(read(interopQuery().replace("Alice", "&#65;lice")).subject, ALICE);
    assert.equal(read(interopQuery().replace("Alice Example", "<![CDATA[Alice Example]]>")).subject, ALICE);
  });

  it("is bounded in depth, elements, attributes and length, and refused at once", () => {
    const began = performance.now();
    refused(inSoap("<a>".repeat(20_000)), /nested at most/);
    refused(inSoap(`<a>${"<b/>".repeat(15_000)}</a>`), /elements/);
    refused(inSoap(`<a ${Array.from({ length: 5000 }, (_, i) => `a${i}="1"`).join(" ")}/>`), /attributes/);
    refused(inSoap(`<a ${Array.from({ length: 3000 }, (_, i) => `xmlns:a${i}="u"`).join(" ")}/>`), /attributes/);
    refused(inSoap(`<a>${"x".repeat(XML_LIMITS.characters)}</a>`), /characters/);
    refused(`<a b="${"&amp;".repeat(13_000)}`, /no XML/);
    assert.ok(performance.now() - began < 1000, "seven bombs within a second");
  });

  it("is refused with the one error, whatever octets come", () => {
    const typed = (octets: Uint8Array): void => {
      try {
        readAuthorizationQuery(octets);
      } catch (error) {
        assert.ok(error instanceof SoapRefused, String((error as Error).stack));
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), typed), { numRuns: 500 });
    const whole = [interopQuery(), emiQuery(), creamQuery(), subjectQuery()].map((text) => Buffer.from(text));
    fc.assert(
      fc.property(fc.constantFrom(...whole), fc.nat(), (message, at) =>
        typed(message.subarray(0, at % message.length)),
      ),
      { numRuns: 500 },
    );
    const piece = fc.constantFrom(
      "<",
      ">",
      "&",
      '"',
      "'",
      "/",
      "<!--",
      "-->",
      "<![CDATA[",
      "]]>",
      "&#0;",
      "&#x110000;",
      " xmlns:x='u' x:a='1'",
      "<x:y/>",
      "\u0000",
      "/CN=",
      ",",
      "\\",
      "=",
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...whole),
        fc.array(fc.tuple(fc.nat(), piece, fc.nat(40)), { minLength: 1, maxLength: 4 }),
        (message, changes) => {
          let text = message.toString();
          for (const [at, put, cut] of changes) {
            const place = at % text.length;
            text = text.slice(0, place) + put + text.slice(place + cut);
          }
          typed(Buffer.from(text));
        },
      ),
      { numRuns: 1500 },
    );
  });
});

describe("an XACML answer", () => {
  const query = read(interopQuery());

  it("is octet for octet what ARC, the Java and the C client took", () => {
    assert.equal(
      write(query, { decision: "Permit", obligations: [{ kind: "username", username: "novapro" }] }),
      '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><saml2p:Response xmlns:saml2p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1" InResponseTo="_3497" IssueInstant="2026-11-20T12:00:00.000Z" Version="2.0"><saml2p:Status><saml2p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></saml2p:Status><saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" IssueInstant="2026-11-20T12:00:00.000Z" Version="2.0"><saml2:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">gums</saml2:Issuer><saml2:Statement xmlns:xacml-saml="urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xacml-saml:XACMLAuthzDecisionStatementType"><xacml-context:Response xmlns:xacml-context="urn:oasis:names:tc:xacml:2.0:context:schema:os"><xacml-context:Result><xacml-context:Decision>Permit</xacml-context:Decision><xacml-context:Status><xacml-context:StatusCode Value="urn:oasis:names:tc:xacml:1.0:status:ok"/></xacml-context:Status><xp:Obligations xmlns:xp="urn:oasis:names:tc:xacml:2.0:policy:schema:os"><xp:Obligation ObligationId="http://authz-interop.org/xacml/obligation/username" FulfillOn="Permit"><xp:AttributeAssignment AttributeId="http://authz-interop.org/xacml/attribute/username" DataType="http://www.w3.org/2001/XMLSchema#string">novapro</xp:AttributeAssignment></xp:Obligation></xp:Obligations></xacml-context:Result></xacml-context:Response></saml2:Statement></saml2:Assertion></saml2p:Response></soapenv:Body></soapenv:Envelope>',
    );
  });

  it("lays on a client what it knows: the name, the group as a number, the group by name, or nothing", () => {
    const supported = (...names: string[]) => ({
      dialect: "authz-interop" as const,
      obligations: new Set(names.map(obligation)),
    });
    const kinds = (result: Result): readonly string[] | string =>
      result.decision === "Permit" ? result.obligations.map(({ kind }) => kind) : result.decision;
    const nova = { account: "novapro", group: "nova" };
    const rows = [
      [supported("username", "uidgid"), { account: "novapro", group: null }, ["username"]],
      [supported(), { account: "novapro", group: null }, ["username"]],
      [supported("username", "uidgid"), { account: "novapro", group: "501" }, ["username", "uidgid"]],
      [supported("username"), { account: "novapro", group: "501" }, "Indeterminate"],
      [supported("username", "account"), nova, ["username", "account"]],
      [supported("username", "uidgid", "secondary-gids"), nova, "Indeterminate"],
      [supported(), nova, "Indeterminate"],
      [supported("uidgid"), { account: "novapro", group: null }, "Indeterminate"],
      [{ dialect: "common-ce" as const, obligations: new Set<string>() }, nova, ["username"]],
    ] as const;
    for (const [asked, account, expected] of rows)
      assert.deepEqual(kinds(resultFor(asked, account)), expected, JSON.stringify([[...asked.obligations], account]));
    const written = write(query, resultFor(supported("username", "uidgid"), { account: "novapro", group: "501" }));
    assert.match(
      written,
      /obligation\/uidgid" FulfillOn="Permit"><xp:AttributeAssignment AttributeId="[^"]*posix-gid" DataType="[^"]*#integer">501</,
    );
    assert.doesNotMatch(written, /posix-uid/);
    const indeterminate = write(query, resultFor(supported(), nova));
    assert.match(
      indeterminate,
      /<xacml-context:Decision>Indeterminate<.*status:processing-error"\/><xacml-context:StatusMessage>the account needs/,
    );
    assert.doesNotMatch(indeterminate, /Obligations|novapro/);
  });

  it("that says no has no obligation (the original's had an account without a name)", () => {
    for (const decision of ["Deny", "NotApplicable"] as const) {
      const written = write(query, { decision, says: null });
      assert.match(written, new RegExp(`<xacml-context:Decision>${decision}</`));
      assert.doesNotMatch(written, /Obligation|username/);
    }
  });

  it("carries every kind of obligation", () => {
    const written = write(query, {
      decision: "Permit",
      obligations: [
        { kind: "uidgid", uid: 7, gid: 8 },
        { kind: "secondaryGids", gids: [9, 10] },
        { kind: "account", username: "a<b", primaryGroup: "g", secondaryGroups: ["h"] },
      ],
    });
    assert.match(
      written,
      /posix-uid"[^>]*>7<.*posix-gid"[^>]*>8<.*secondary-gids.*>9<.*>10<.*username"[^>]*>a&lt;b<.*primary-groupname"[^>]*>g<.*secondary-groupname"[^>]*>h</,
    );
  });

  it("has the question in it when that is asked for, and is still one that can be read", () => {
    const asked = read(creamQuery());
    const written = write(asked, { decision: "Permit", obligations: [] });
    assert.match(
      written,
      /<\/xacml-context:Response><xacml-context:Request xmlns:xacml-context="[^"]*"><xacml-context:Environment>/,
    );
    const again = read(
      inSoap(
        `<q:XACMLAuthzDecisionQuery xmlns:q="urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol" ID="74cdc83c-85a3" ReturnContext="1">${/<xacml-context:Request .*<\/xacml-context:Request>/s.exec(written)![0]}</q:XACMLAuthzDecisionQuery>`,
      ),
    );
    assert.deepEqual(again, asked);
  });

  it("is well-formed whatever was asked, and so is a fault", () => {
    const wellFormed = (text: string): void => {
      const parser = new SaxesParser({ xmlns: true });
      parser.on("error", (error) => {
        throw error;
      });
      parser.write(text).close();
    };
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (id, says) => {
        wellFormed(write({ ...query, id }, { decision: "Deny", says }));
        const fault = soapFault(new SoapRefused(says));
        wellFormed(fault);
        assert.equal(fault.split("<").length, soapFault(new SoapRefused("")).split("<").length);
      }),
    );
    const strange = interopQuery({ query: 'ID="a" ReturnContext="true"' }).replace(
      "<xacml-context:Action>",
      '<r:R xmlns:r="urn:&quot;r&apos;" r:a="&lt;&amp;" xml:lang="de">&lt;evil/&gt;<xacml-context:X/></r:R><xacml-context:Action>',
    );
    const written = write(read(strange), { decision: "Deny", says: null });
    wellFormed(written);
    assert.match(written, /&lt;evil\/&gt;/);
    assert.doesNotMatch(written, /<evil/);
    assert.throws(() => readSoap(Buffer.from("<evil>")), SoapRefused);
  });
});

it("the question that probes send is read as it was meant, whatever is in it", () => {
  const names = fc.constantFrom("/DC=org/CN=Alice", "/DC=org/CN=O'Neill <& Co>", '/DC=org/CN="quoted"');
  fc.assert(
    fc.property(
      names,
      fc.constantFrom([], ["/fermilab"], ["/fermilab/nova/Role=Production", "/fermilab"]),
      (subject, fqans) => {
        const sent = writeAuthorizationQuery({ subject, issuer: null, host: "ce1.example.org", fqans });
        const query = readAuthorizationQuery(Buffer.from(sent));
        assert.deepEqual([query.subject, query.dialect, query.fqans], [subject, "authz-interop", fqans]);
        assert.equal(query.checked, false);
        const signed = writeAuthorizationQuery({ subject, issuer: null, host: "h", fqans, vomsServer: "/CN=a & b" });
        assert.equal(readAuthorizationQuery(Buffer.from(signed)).checked, fqans.length > 0);
      },
    ),
  );
});
