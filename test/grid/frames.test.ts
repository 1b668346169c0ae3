/**
 * Messages read by the frame of an earlier one: they say what the reader without a memory says, for messages as clients write them, for texts of every
 * kind, and for messages that somebody bent.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SoapRefused } from "../../src/grid/index.ts";
import { Frames } from "../../src/grid/xacml/frames.ts";
import { readAuthorizationQuery, readAuthorizationQueryAnew } from "../../src/grid/xacml/query.ts";
import { creamQuery, emiQuery, interopId, interopQuery, subjectQuery } from "./messages.ts";

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" })[one]!);

function outcome(read: (octets: Uint8Array) => unknown, text: string): unknown {
  try {
    return read(Buffer.from(text));
  } catch (error) {
    if (error instanceof SoapRefused) return error.message;
    throw error;
  }
}
const same = (text: string): void =>
  assert.deepEqual(outcome(readAuthorizationQuery, text), outcome(readAuthorizationQueryAnew, text), text);

/** What people, hosts and forgers put into a value. */
const names = fc.oneof(
  fc.constantFrom(
    "/DC=org/CN=Alice",
    "/DC=org/CN=O'Neill & Co",
    "CN=Alice,DC=org",
    "",
    "  /DC=org/CN=Blank  ",
    "]]>",
    "mark.0.",
    "/DC=org/CN=Zoë",
  ),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 20 }),
);
const fqans = fc.constantFrom("/fermilab", "/fermilab/nova/Role=Production", "/cms/x", "no fqan", "");

const interop = fc
  .record({ subject: names, host: names, fqans: fc.array(fqans, { maxLength: 4 }), id: fc.nat() })
  .map(({ subject, host, fqans: list, id }) =>
    interopQuery({
      subject: [
        [interopId("subject/subject-x509-id"), escaped(subject)],
        ...list.map((fqan) => [interopId("subject/voms-fqan"), escaped(fqan)] as const),
        ...list.slice(0, 1).map((fqan) => [interopId("subject/voms-primary-fqan"), escaped(fqan), "/CN=voms"] as const),
      ],
      resource: [[interopId("resource/dns-host-name"), escaped(host)]],
      query: `ID="_${id}" Version="2.0"`,
    }),
  );
const arc = fc
  .tuple(fc.constantFrom(subjectQuery, emiQuery, creamQuery), names)
  .map(([write, subject]) => write(escaped(subject)));

describe("frames of messages", () => {
  it("say the same as a reader without memory, whatever stands in the texts", () => {
    fc.assert(
      fc.property(fc.oneof(interop, arc), (text) => same(text)),
      { numRuns: 2000 },
    );
  });

  it("say the same of messages that were bent: an octet changed, a piece cut out or doubled", () => {
    fc.assert(
      fc.property(
        fc.oneof(interop, arc),
        fc.nat(),
        fc.nat({ max: 60 }),
        fc.constantFrom("<", ">", "&", '"', "/", "a", " ", "\n", "<!--x-->", "<a/>"),
        fc.constantFrom("change", "cut", "double"),
        (text, where, length, put, how) => {
          same(text);
          const at = where % text.length;
          const piece = text.slice(at, at + length);
          const bent = { change: put, cut: "", double: piece + piece }[how];
          same(text.slice(0, at) + bent + text.slice(at + (how === "change" ? 1 : length)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("say the same of what only an attribute must not have", () => {
    same(interopQuery({ query: 'ID="_1" Version="2.0"' }));
    for (const id of ["_2", "a<b", "a>b", "a&b", "a&amp;b", "a\tb", "a'b", "", "ü", "x".repeat(600)])
      for (let time = 0; time < 5; time++) same(interopQuery({ query: `ID="${id}" Version="2.0"` }));
  });

  it("are really used, and never more than a few", () => {
    let whole = 0;
    const frames = new Frames((text) => {
      whole++;
      const [, id = "", value = ""] = /ID="([^"]*)"[\s\S]*?AttributeValue>([^<]*)</.exec(text) ?? [];
      return { id, sections: [new Map([["who", [{ text: value, issuer: null }]]])] };
    });
    const message = (form: number, value: string): string =>
      `<q:XACMLAuthzDecisionQuery ID="${value}1" a="${form}"><AttributeValue>${value}</AttributeValue></q:XACMLAuthzDecisionQuery>`;
    assert.equal(frames.read(message(0, "x")), null);
    frames.learn(message(0, "x"));
    const read = whole;
    for (const value of ["y", "z", ""]) {
      const framed = frames.read(message(0, value));
      assert.deepEqual([framed?.id, framed?.sections[0]?.get("who")], [`${value}1`, [{ text: value, issuer: null }]]);
    }
    assert.equal(whole, read, "nothing was read as a whole");
    for (const odd of ["a&amp;b", "a\tb", "é", "]]>"]) assert.equal(frames.read(message(0, odd)), null, odd);
    for (let form = 1; form < 200; form++) frames.learn(message(form, "x"));
    assert.ok(whole < 100, "most strangers make no frame");
    const known = Array.from({ length: 200 }, (_, form) => frames.read(message(form, "x"))).filter(Boolean);
    assert.ok(known.length <= 8, String(known.length));
  });
});
