/**
 * What clients of VOMS send, read: the same octets give the same requests wherever they are cut; what is no request is a fault and never a hang; the
 * answers have the form that the stock clients read.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { HttpFault, type HttpRequest, Query, Refusal } from "../../services/http/index.ts";
import { readLegacyRequest, readRestRequest } from "../../services/voms/request.ts";
import { LEGACY, VomsReader } from "../../services/voms/wire.ts";
import { legacyAnswer, restAnswer } from "../../services/voms/words.ts";

const C_REST =
  "0GET /generate-ac?fqans=/fermilab/nova/Role=Production&lifetime=43200 HTTP/1.0\nUser-Agent: voms APIs 2.0\nAccept: */*\nHost: h:15009\n\n";
const JAVA_REST = "GET /generate-ac?fqans=/fermilab&lifetime=43200 HTTP/1.1\r\nHost: h:15009\r\nAccept: */*\r\n\r\n";
const ELEMENT =
  '<?xml version="1.0" encoding="US-ASCII"?><voms><command>B/fermilab/nova:Production</command><base64>1</base64><version>4</version><lifetime>43200</lifetime></voms>';

function read(parts: readonly Buffer[]): HttpRequest | HttpFault | "more" {
  const reader = new VomsReader(64 * 1024);
  for (const part of parts) {
    reader.push(part);
    const reading = reader.next();
    if (typeof reading !== "string") return reading;
  }
  return "more";
}

/** A text in pieces. */
function cut(text: string, places: readonly number[]): readonly Buffer[] {
  const sorted = [...new Set(places.map((place) => place % text.length))].sort((a, b) => a - b);
  const ends = [...sorted, text.length];
  return ends.map((end, index) => Buffer.from(text.slice(ends[index - 1] ?? 0, end), "latin1"));
}

describe("what clients of VOMS send", () => {
  const SENT: readonly (readonly [what: string, text: string, method: string, target: string])[] = [
    ["the C client's REST call", C_REST, "GET", "/generate-ac?fqans=/fermilab/nova/Role=Production&lifetime=43200"],
    ["the Java client's", JAVA_REST, "GET", "/generate-ac?fqans=/fermilab&lifetime=43200"],
    ["the older protocol", `0${ELEMENT}`, LEGACY, "/"],
    ["the same from Java", ELEMENT, LEGACY, "/"],
  ];
  for (const [what, text, method, target] of SENT)
    it(`${what}: the same wherever it is cut`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat()), (places) => {
          const request = read(cut(text, places));
          assert.ok(typeof request === "object" && !(request instanceof HttpFault), String(request));
          assert.deepEqual([request.method, request.target], [method, target]);
        }),
      );
    });

  it("is a fault or waits for more, whatever it is", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (parts) => {
        const reading = read(parts.map((part) => Buffer.from(part)));
        assert.ok(reading === "more" || reading instanceof HttpFault || typeof reading.method === "string");
      }),
    );
  });

  const WRONG: readonly (readonly [what: string, text: string, status: number])[] = [
    ["a head that does not end", `GET / HTTP/1.0\n${"x: y\n".repeat(5000)}`, 431],
    ["a first line that does not end", "x".repeat(20_000), 400],
    ["an element that does not end", `<voms>${"a".repeat(20_000)}`, 413],
    ["both ends of line in one head", "GET / HTTP/1.0\nhost: x\r\na: b\n\n", 400],
    ["a body behind bare line feeds", "GET / HTTP/1.0\ncontent-length: 5\n\nabcde", 400],
  ];
  for (const [what, text, status] of WRONG)
    it(`${what} is a fault`, () => {
      const reading = read([Buffer.from(text)]);
      assert.ok(reading instanceof HttpFault, JSON.stringify(reading));
      assert.equal(reading.status, status);
    });
});

describe("what is asked", () => {
  const rest = (query: string) => readRestRequest(new Query(query));
  const legacy = (commands: string, more = "") =>
    readLegacyRequest(Buffer.from(`<voms>${commands}${more}<base64>1</base64></voms>`));

  it("is the same in both protocols", () => {
    const wishes = (request: ReturnType<typeof rest>) =>
      request.wishes.map(({ group, role, all }) => [group, role, all]);
    const PAIRS: readonly (readonly [rest: string, legacy: string])[] = [
      ["fqans=/fermilab", "<command>G/fermilab</command>"],
      ["fqans=/fermilab/nova/Role=Production", "<command>B/fermilab/nova:Production</command>"],
      ["fqans=/fermilab/nova/Role=Production/Capability=NULL", "<command>B/fermilab/nova:Production</command>"],
      ["fqans=/Role=Production", "<command>RProduction</command>"],
      ["fqans=all", "<command>A</command>"],
      ["fqans=/fermilab,/fermilab/nova", "<command>G/fermilab</command><command>G/fermilab/nova</command>"],
    ];
    for (const [one, other] of PAIRS) assert.deepEqual(wishes(rest(one)), wishes(legacy(other)), one);
    const [asked, older] = [
      rest("fqans=/f&order=/f/a,/f/b:R&targets=a.example,b.example&lifetime=60"),
      legacy(
        "<command>G/f</command>",
        "<order>/f/a,/f/b:R</order><targets>a.example,b.example</targets><lifetime>60</lifetime>",
      ),
    ];
    for (const request of [asked, older])
      assert.deepEqual(
        [request.order, request.targets, request.lifetime],
        [["/f/a", "/f/b/Role=R"], ["a.example", "b.example"], 60],
      );
  });

  it("may leave the lifetime open, and name parameters nobody knows", () => {
    assert.equal(rest("fqans=/f&lifetime=0").lifetime, null);
    assert.equal(rest("fqans=/f&lifetime=-1").lifetime, null);
    assert.equal(legacy("<command>G/f</command>", "<lifetime></lifetime>").lifetime, null);
    assert.deepEqual(rest("fqans=/f&colour=red").unknown, ["colour"]);
  });

  for (const [what, ask] of [
    ["a name that is none", () => rest("fqans=fermilab")],
    ["a group with blanks", () => rest("fqans=/f%20x")],
    ["a lifetime in words", () => rest("fqans=/f&lifetime=long")],
    ["a target that is no host", () => rest("fqans=/f&targets=a%0Ab")],
    ["too many wishes", () => rest(`fqans=${"/f,".repeat(300)}`)],
    ["no command", () => legacy("")],
    ["a command of another letter", () => legacy("<command>X/f</command>")],
    ["another element", () => readLegacyRequest(Buffer.from("<soap><command>G/f</command></soap>"))],
    ["a document type", () => readLegacyRequest(Buffer.from('<!DOCTYPE voms [<!ENTITY a "b">]><voms>&a;</voms>'))],
    ["elements without end", () => readLegacyRequest(Buffer.from("<voms><command>"))],
    ["depth", () => readLegacyRequest(Buffer.from(`${"<a>".repeat(100)}${"</a>".repeat(100)}`))],
  ] as const)
    it(`${what} is refused with a sentence`, () => {
      assert.throws(ask, (error) => error instanceof Refusal && error.status === 400 && error.message.length > 10);
    });
});

describe("what is answered", () => {
  const ac = Buffer.alloc(100, 7);

  it("has base64 in lines of 64, each ended, or the C client decodes nothing", () => {
    for (const { body } of [restAnswer({ ac, warnings: [] }), legacyAnswer({ ac, warnings: [] })]) {
      const lines = /<ac>([^<]*)<\/ac>/.exec(body)![1]!.split("\n");
      assert.equal(lines.at(-1), "");
      assert.ok(lines.slice(0, -1).every((line) => line.length > 0 && line.length <= 64));
      assert.deepEqual(Buffer.from(lines.join(""), "base64"), ac);
    }
  });

  it("has vomsd's codes and numbers", () => {
    const rest = restAnswer({ failure: "suspended", says: "User is <currently> suspended!" });
    assert.deepEqual([rest.status, rest.type], [403, "text/xml"]);
    assert.match(rest.body, /<code>SuspendedUser<\/code><message>User is &lt;currently&gt; suspended!<\/message>/);
    const legacy = legacyAnswer({ failure: "suspended", says: "gesperrt: Schlüssel" });
    assert.equal(legacy.bare, true);
    assert.match(legacy.body, /<number>1004<\/number><message>gesperrt: Schl&#252;ssel<\/message>/);
    const warned = legacyAnswer({ ac, warnings: [{ kind: "shortened", says: "shorter" }] });
    assert.doesNotMatch(warned.body, /shorter|error/, "ARC takes a warning here for an error");
    assert.match(
      restAnswer({ ac, warnings: [{ kind: "shortened", says: "<shorter>" }] }).body,
      /<warning>&lt;shorter&gt;</,
    );
  });
});
