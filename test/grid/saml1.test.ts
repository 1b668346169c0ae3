/** The older calls of GUMS: SAML 1 decisions and RPC, read and written as their clients have them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  readRpcCall,
  readSaml1Query,
  type Saml1Query,
  SoapRefused,
  writeRpcAnswer,
  writeSaml1Response,
} from "../../src/grid/index.ts";
import { ALICE, gridmapUsersCall, mapUserCall, PRIMARY, saml1Query } from "./messages.ts";

const read = (text: string): Saml1Query => readSaml1Query(Buffer.from(text));
const refused = (text: string, says: RegExp): void =>
  assert.throws(
    () => read(text),
    (error) => error instanceof SoapRefused && says.test(error.message),
  );
const HOST = "/DC=org/DC=fermigrid/OU=Services/CN=fnpc1.fermigrid.test";

describe("SAML 1", () => {
  it("reads who asks for whom, and what the evidence says", () => {
    assert.deepEqual(read(saml1Query()), { id: "q-1", subject: ALICE, host: HOST, fqan: PRIMARY, checked: true });
    assert.deepEqual(read(saml1Query({ fqan: null, host: "ce1.example.org" })), {
      id: "q-1",
      subject: ALICE,
      host: "ce1.example.org",
      fqan: null,
      checked: false,
    });
    assert.equal(read(saml1Query({ voms: "" })).checked, false);
  });

  it("refuses evidence about somebody else, no host, no name, another action", () => {
    refused(saml1Query({ about: "/DC=org/CN=Eve" }), /somebody else/);
    refused(saml1Query({ host: "" }), /Resource: expected/);
    refused(saml1Query({ subject: "Alice" }), /NameIdentifier: expected/);
    refused(saml1Query().replace("access_as_local_identity", "read"), /expected the action/);
    refused(saml1Query().replace('<samlRequest xmlns="">', "<samlRequest>"), /samlRequest is missing/);
    refused(
      saml1Query().replaceAll("samlp:AuthorizationDecisionQuery", "samlp:AttributeQuery"),
      /AuthorizationDecisionQuery is missing/,
    );
  });

  it("answers as GUMS's own server did, octet for octet", () => {
    const stamp = {
      id: "1",
      at: "2026-11-20T12:00:00Z",
      until: "2026-11-20T12:10:00Z",
      issuer: "BasicMappingAuthZService",
      recipient: "ce1",
    };
    const who = `<saml:Subject><saml:NameIdentifier Format="urn:osasis:names:tc:SAML:1.1nameid-format:X509SubjectName">${ALICE}</saml:NameIdentifier></saml:Subject><saml:Action Namespace="opensciencegrid:authorization">access_as_local_identity</saml:Action>`;
    const around = (statement: string): string =>
      `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><SAMLRequestResponse xmlns="http://www.gridforum.org/namespaces/2004/03/ogsa-authz/saml"><samlResponse xmlns=""><samlp:Response InResponseTo="q-1" IssueInstant="2026-11-20T12:00:00Z" MajorVersion="1" MinorVersion="1" Recipient="ce1" ResponseID="_r1" xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol"><samlp:Status><samlp:StatusCode Value="samlp:Success"/></samlp:Status><saml:Assertion AssertionID="_a1" IssueInstant="2026-11-20T12:00:00Z" Issuer="BasicMappingAuthZService" MajorVersion="1" MinorVersion="1"><saml:Conditions NotBefore="2026-11-20T12:00:00Z" NotOnOrAfter="2026-11-20T12:10:00Z"/>${statement}</saml:Assertion></samlp:Response></samlResponse></SAMLRequestResponse></soapenv:Body></soapenv:Envelope>`;
    assert.equal(
      writeSaml1Response(read(saml1Query()), "novapro", stamp),
      around(
        `<ns1:ObligatedAuthorizationDecisionStatement Decision="Permit" Resource="${HOST}" xmlns:ns1="opensciencegrid:authorization:saml">${who}<ns1:XACMLObligation FullfillOn="Permit" ObligationId="opensciencegrid:authorization:UserIdObligation"><ns1:AttributeAssignment AttributeId="opensciencegrid:authorization:attribute:UserId" Datatype="http://www.w3.org/2001/XMLSchema#string">novapro</ns1:AttributeAssignment></ns1:XACMLObligation></ns1:ObligatedAuthorizationDecisionStatement>`,
      ),
    );
    assert.equal(
      writeSaml1Response(read(saml1Query()), null, stamp),
      around(
        `<saml:AuthorizationDecisionStatement Decision="Deny" Resource="${HOST}">${who}</saml:AuthorizationDecisionStatement>`,
      ),
    );
  });

  it("is refused with the one error, whatever comes", () => {
    const whole = saml1Query();
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.constantFrom("", "<", '"', "</a>", "<a/>", "&"),
        fc.nat(60),
        (at, put, cut) => {
          try {
            read(whole.slice(0, at) + put + whole.slice(at + cut));
          } catch (error) {
            assert.ok(error instanceof SoapRefused, String((error as Error).stack));
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("RPC", () => {
  it("reads an operation and its texts", () => {
    assert.deepEqual(readRpcCall(Buffer.from(gridmapUsersCall("/fermilab/nova"))), {
      operation: "getGridmapUsers",
      space: "",
      parameters: [{ name: "c-gensym3", value: "/fermilab/nova" }],
    });
    assert.deepEqual(readRpcCall(Buffer.from(mapUserCall(HOST, ALICE, PRIMARY))), {
      operation: "mapUser",
      space: "http://www.bnl.gov/namespaces/2004/09/gums/GUMSService",
      parameters: [
        { name: "hostname", value: HOST },
        { name: "userDN", value: ALICE },
        { name: "fqan", value: PRIMARY },
      ],
    });
  });

  it("answers with a text, texts, or nothing", () => {
    const call = { operation: "mapUser", space: "urn:x" };
    assert.match(
      writeRpcAnswer(call, "a<b"),
      /<ns1:mapUserResponse xmlns:ns1="urn:x".*<mapUserReturn xsi:type="xsd:string">a&lt;b</,
    );
    assert.match(writeRpcAnswer(call, null), /<mapUserReturn xsi:nil="true"\/>/);
    assert.match(
      writeRpcAnswer({ ...call, space: "" }, []),
      /<mapUserResponse xmlns:soapenc.*arrayType="xsd:string\[0\]"/,
    );
  });
});
