/** Octets that wait: first in, first out, whatever the sizes; what came in belongs to whoever brought it; memory follows what waits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Octets } from "../../services/http/octets.ts";

test("what is put in comes out in order, in pieces of any size", () => {
  const octets = new Octets();
  let random = 7;
  const next = (most: number): number => {
    random = (random * 48271) % 2147483647;
    return random % most;
  };
  let put = 0;
  let taken = 0;
  for (let round = 0; round < 5000; round++) {
    const chunk = new Uint8Array(next(round % 50 === 0 ? 40_000 : 300)).map(() => put++ % 251);
    octets.push(chunk);
    // Whoever brought them may use the memory again at once.
    chunk.fill(255);
    const length = next(octets.length + 1);
    const piece = Buffer.alloc(length);
    octets.copy(piece, 0, 0, length);
    for (const octet of piece) assert.equal(octet, taken++ % 251);
    octets.skip(length);
    assert.equal(octets.length, put - taken);
    assert.equal(octets.at(0), octets.length === 0 ? undefined : taken % 251);
  }
});

test("what another connection left in the memory is never found", () => {
  const needle = Buffer.from("\r\n\r\n");
  const first = new Octets();
  first.push(Buffer.from("first\r\n\r\n"));
  assert.equal(first.indexOf(needle), 5);
  first.skip(first.length);
  const second = new Octets();
  second.push(Buffer.from("other"));
  assert.equal(second.indexOf(needle), -1);
  second.push(Buffer.from("\r\n"));
  assert.equal(second.indexOf(needle), -1);
  second.push(Buffer.from("\r\n"));
  assert.equal(second.indexOf(needle), 5);
  second.skip(2);
  assert.equal(second.indexOf(needle), 3);
  assert.equal(second.text(3), "her");
});

test("memory follows what waits", () => {
  const octets = new Octets();
  assert.equal(octets.held, 0);
  octets.push(Buffer.alloc(100_000));
  assert.equal(octets.held, 128 * 1024);
  octets.skip(99_000);
  octets.fit();
  assert.equal(octets.held, 4096);
  assert.equal(octets.length, 1000);
  octets.skip(1000);
  assert.equal(octets.held, 0);
});
