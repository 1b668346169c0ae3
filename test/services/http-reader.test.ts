/**
 * The reader of requests: never throws, does not care where octets are cut, and understands what it accepts as node:http does. Queries
 * are read as `URLSearchParams` reads them.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { HttpFault } from "../../services/http/head.ts";
import { Query } from "../../services/http/query.ts";
import { HttpReader, type HttpRequest } from "../../services/http/reader.ts";
import { Names } from "../../src/grid/index.ts";

/** Every request in the octets, and how the reading ended. */
function readAll(pieces: readonly Buffer[]): { requests: HttpRequest[]; fault: number | null } {
  const reader = new HttpReader();
  const requests: HttpRequest[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (;;) {
      const reading = reader.next();
      if (reading === "more" || reading === "continue") break;
      if (reading instanceof HttpFault) return { requests, fault: reading.status };
      requests.push(reading);
    }
  }
  return { requests, fault: null };
}

const lines = (...all: string[]): string => `${all.join("\r\n")}\r\n\r\n`;
const word = fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/);
/** Requests as clients send them, and nearly so. */
const requestText = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "get", "BREW"),
    target: fc.oneof(
      fc.array(word, { maxLength: 3 }).map((parts) => `/${parts.join("/")}?a=${parts.length}%20b`),
      fc.constantFrom("*", "https://gums:8443/x?y=1", "http://gums", "x", "/a b", "/\u00e9", "//x"),
    ),
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.1 "),
    host: fc.constantFrom("host: gums", "Host: gums:8443", "host:gums", "host : gums", "host: a b", ""),
    more: fc.array(
      fc.oneof(
        word.map((name) => `x-${name}:  some text\t`),
        fc.constantFrom(
          "connection: close",
          "Connection: keep-alive",
          "content-length: 3",
          "content-length: 03",
          "content-length: +3",
          "content-length: 3, 3",
          "transfer-encoding: chunked",
          "transfer-encoding: gzip, chunked",
          "transfer-encoding: identity",
          " folded",
          "bare\rreturn: x",
          "bare\nline: x",
          "expect: 100-continue",
          "x: \u00e9",
        ),
      ),
      { maxLength: 4 },
    ),
    body: fc.constantFrom(
      "",
      "abc",
      "3\r\nabc\r\n0\r\n\r\n",
      "3\r\nabcd\r\n0\r\n\r\n",
      "3;x=1\r\nabc\r\n0\r\n\r\n",
      "0\r\nt: 1\r\n\r\n",
    ),
  })
  .map(({ method, target, version, host, more, body }) =>
    Buffer.from(lines(`${method} ${target} ${version}`, ...[host, ...more].filter(Boolean)) + body, "latin1"),
  );

test("any octets: a request, a fault or more, never an exception, and bounded", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }).map((all) => Buffer.from(all)),
          requestText,
        ),
      ),
      (pieces) => {
        readAll(pieces);
        const reader = new HttpReader();
        let reading = reader.next();
        for (const piece of pieces) {
          reader.push(piece);
          reading = reader.next();
          if (reading instanceof HttpFault) break;
        }
        assert.ok(reader.held < 300_000);
      },
    ),
    { numRuns: 500 },
  );
});

test("the same octets give the same requests wherever they are cut", () => {
  fc.assert(
    fc.property(
      fc.array(requestText, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(600), { maxLength: 8 }),
      (all, at) => {
        const whole = Buffer.concat(all);
        const cuts = [0, ...at.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
        const pieces = cuts.slice(1).map((end, index) => whole.subarray(cuts[index]!, end));
        assert.deepEqual(readAll(pieces), readAll([whole]));
        assert.deepEqual(readAll([...whole].map((octet) => Buffer.from([octet]))), readAll([whole]));
      },
    ),
    { numRuns: 300 },
  );
});

/** What node:http understood of the octets of one connection. */
const seen: { method: string; url: string; body: string }[] = [];
const reference = createServer((request, response) => {
  let body = "";
  request.setEncoding("latin1");
  request.on("data", (chunk: string) => {
    body += chunk;
  });
  request.on("end", () => {
    seen.push({ method: request.method ?? "", url: request.url ?? "", body });
    response.end();
  });
});
before(async () => {
  reference.listen(0, "127.0.0.1");
  await once(reference, "listening");
});
after(() => reference.close());

test("what is accepted, node:http understands alike", async () => {
  await fc.assert(
    fc.asyncProperty(requestText, async (octets) => {
      const { requests } = readAll([octets]);
      const first = requests[0];
      if (first === undefined) return;
      seen.length = 0;
      const client = connect((reference.address() as AddressInfo).port, "127.0.0.1");
      client.on("error", () => {}).resume();
      client.end(octets);
      await once(client, "close");
      assert.equal(seen.length >= 1, true, `node:http refuses ${JSON.stringify(octets.toString("latin1"))}`);
      assert.equal(seen[0]!.method, first.method);
      assert.equal(seen[0]!.body, first.body.toString("latin1"));
      // Of an absolute address only path and query are kept here.
      const { url } = seen[0]!;
      if (url.startsWith("http")) assert.equal(first.target, new URL(url).pathname + new URL(url).search);
      else assert.equal(first.target, url);
    }),
    { numRuns: 300 },
  );
});

test("what two readers could understand differently is refused", () => {
  const post = (...more: string[]): string => lines("POST / HTTP/1.1", "host: x", ...more);
  const cases: readonly (readonly [number, string])[] = [
    [400, post("content-length: 3", "transfer-encoding: chunked")],
    [400, post("content-length: 3", "content-length: 3")],
    [400, post("transfer-encoding: chunked", "transfer-encoding: chunked")],
    [400, post("transfer-encoding: xchunked")],
    [400, lines("POST / HTTP/1.0", "transfer-encoding: chunked")],
    [400, post("x: 1", " 2")],
    [400, post("x : 1")],
    [400, post("x: a\rb")],
    [400, post("x: a\nb: c")],
    [400, post("x: \u0000")],
    [400, lines("GET / HTTP/1.1")],
    [400, lines("GET / HTTP/1.1", "host: a", "host: b")],
    [400, lines("GET gums:8443 HTTP/1.1", "host: x")],
    [400, `${post("transfer-encoding: chunked")}3;a=b\r\nabc\r\n0\r\n\r\n`],
    [400, `${post("transfer-encoding: chunked")}0\r\nx: 1\r\n\r\n`],
    [400, `${post("transfer-encoding: chunked")}-3\r\nabc\r\n`],
    [413, post("content-length: 65537")],
    [413, `${post("transfer-encoding: chunked")}10001\r\n`],
    [414, lines(`GET /${"a".repeat(4096)} HTTP/1.1`, "host: x")],
    [431, lines("GET / HTTP/1.1", "host: x", ...Array.from({ length: 64 }, (_, n) => `x${n}: 1`))],
    [431, `GET / HTTP/1.1\r\nx: ${"a".repeat(17_000)}`],
    [501, lines("BREW / HTTP/1.1", "host: x")],
    [505, lines("GET / HTTP/3.0", "host: x")],
    [417, post("expect: tea", "content-length: 1")],
  ];
  for (const [status, text] of cases)
    assert.equal(readAll([Buffer.from(text, "latin1")]).fault, status, JSON.stringify(text.slice(0, 80)));
});

test("bodies: by length, in chunks, after a word", () => {
  const text = `${lines("POST /a HTTP/1.1", "host: x", "content-length: 3")}abc`;
  const chunked = `${lines("POST /b HTTP/1.1", "host: x", "transfer-encoding: chunked")}2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`;
  const { requests } = readAll([Buffer.from(text + chunked + lines("GET https://gums:8443/c?d HTTP/1.0"))]);
  assert.deepEqual(
    requests.map(({ method, target, body, stays }) => [method, target, String(body), stays]),
    [
      ["POST", "/a", "abc", true],
      ["POST", "/b", "abc", true],
      ["GET", "/c?d", "", false],
    ],
  );
  const reader = new HttpReader();
  reader.push(Buffer.from(lines("POST / HTTP/1.1", "host: x", "expect: 100-continue", "content-length: 1")));
  assert.equal(reader.next(), "continue");
  reader.push(Buffer.from("y"));
  assert.equal(String((reader.next() as HttpRequest).body), "y");
});

test("a query is what URLSearchParams says", () => {
  const part = fc.oneof(
    fc.constantFrom("a", "b", "=", "&", "+", "%20", "%C3%B6", "%FF", "%", "%2", "%zz", "/", "%26"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const text = parts.join("").replace(/[^\x21-\x7e]/g, "");
      const ours = new Query(text);
      const theirs = new URLSearchParams(`&${text}`);
      for (const name of new Set(["a", "b", "", ...theirs.keys()])) {
        assert.equal(ours.get(name), theirs.get(name), text);
        assert.deepEqual(ours.getAll(name), theirs.getAll(name), text);
      }
    }),
    { numRuns: 2000 },
  );
});

test("names are read once and not for ever", () => {
  let reads = 0;
  const names = new Names((text) => `${text}${++reads}`, { names: 10, characters: 1600 });
  assert.equal(names.get("a"), names.get("a"));
  assert.equal(reads, 1);
  for (let index = 0; index < 1000; index++) {
    names.get("a");
    names.get(`stranger ${index}`);
    assert.ok(names.size <= 20);
  }
  assert.equal(names.get("a"), "a1");
  for (let index = 0; index < 100; index++) names.get("x".repeat(99) + index);
  assert.ok(names.size <= 20);
  const faulty = new Names<string>(() => {
    throw new TypeError("no name");
  });
  assert.throws(() => faulty.get("a"), TypeError);
  assert.equal(faulty.size, 0);
});
