/** The two readers of XML: the fast one either gives what the strict one gives, or nothing; and it does read what clients send. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readPlainXml, readStrictXml, SoapRefused, type XmlElement } from "../../src/grid/index.ts";
import { creamQuery, emiQuery, interopQuery, subjectQuery } from "./messages.ts";

function strictly(text: string): XmlElement | null {
  try {
    return readStrictXml(text);
  } catch (error) {
    assert.ok(error instanceof SoapRefused, String((error as Error).stack));
    return null;
  }
}

/** @returns whether the fast reader read it */
function same(text: string): boolean {
  const fast = readPlainXml(text);
  if (fast !== null) assert.deepEqual(fast, strictly(text), text);
  return fast !== null;
}

const MESSAGES = [interopQuery(), emiQuery(), creamQuery(), subjectQuery()];
const PIECES = [
  ..."<>&\"'/=:;!?-[] \n\t\r#xa0é\u0085\u2028\ufffe\u0000😀",
  "<!--",
  "-->",
  "<![CDATA[",
  "]]>",
  "<?xml version='1.0'?>",
  '<?xml version="1.0" encoding="UTF-8"?>',
  "<?x?>",
  "<!DOCTYPE a>",
  "&amp;",
  "&lt;",
  "&#65;",
  "&nbsp;",
  "&",
  "<a>",
  "</a>",
  "<a/>",
  "<b:c",
  "</b:c>",
  "<b:c/>",
  " xmlns='u'",
  ' xmlns=""',
  ' xmlns:b="u"',
  ' xmlns:b=""',
  ' xmlns:b=" u"',
  ' xmlns:xml="http://www.w3.org/XML/1998/namespace"',
  ' xmlns:b="http://www.w3.org/2000/xmlns/"',
  ' xmlns:xmlns="u"',
  ' xml:lang="de"',
  ' b:d="1"',
  ' d="1"',
  ' d = "1"',
  ' d="a>b"',
  ' d="a\nb"',
  ' 1="1"',
  ' b:1="1"',
  ' :d="1"',
  ' b:c:d="1"',
  ' __proto__="1"',
];

describe("the fast reader of XML", () => {
  it("reads what clients send", () => {
    for (const message of MESSAGES) assert.ok(same(message), message.slice(0, 200));
  });

  it("gives what the strict one gives, or nothing: texts put together from pieces", () => {
    let read = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }), (pieces) => {
        if (same(pieces.join(""))) read++;
        if (same(`<a xmlns:b="u">${pieces.join("")}</a>`)) read++;
        if (same(`<a xmlns:b="u" xmlns:e="u"${pieces.join("")}></a>`)) read++;
      }),
      { numRuns: 4000 },
    );
    assert.ok(read > 100, `${read} were read by both`);
  });

  it("the same of messages with pieces in them, and of elements within elements", () => {
    let read = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...MESSAGES),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(...PIECES, ""), fc.nat(3)), { minLength: 1, maxLength: 2 }),
        (message, changes) => {
          let text = message;
          for (const [at, put, cut] of changes) {
            const place = at % text.length;
            text = text.slice(0, place) + put + text.slice(place + cut);
          }
          if (same(text)) read++;
        },
      ),
      { numRuns: 1500 },
    );
    const tree = fc.letrec<{ element: string }>((tie) => ({
      element: fc
        .tuple(
          fc.constantFrom("a", "b:c", "e:f", "g"),
          fc.uniqueArray(
            fc.constantFrom(
              ' xmlns="v"',
              ' xmlns=""',
              ' xmlns:b="w"',
              ' xmlns:e="u"',
              ' b:d="1"',
              ' e:d="2"',
              ' d="3"',
              " d='&quot;>'",
            ),
          ),
          fc.array(fc.oneof({ maxDepth: 4 }, fc.constantFrom("text", " ", "&gt;", "\n"), tie("element")), {
            maxLength: 3,
          }),
        )
        .map(([name, attributes, inside]) => `<${name}${attributes.join("")}>${inside.join("")}</${name}>`),
    })).element;
    fc.assert(
      fc.property(tree, (text) => {
        if (same(`<r xmlns:b="u">${text}</r>`)) read++;
      }),
      { numRuns: 2000 },
    );
    assert.ok(read > 100, `${read} were read by both`);
  });
});
