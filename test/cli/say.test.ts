/** Names and words of strangers are in what the command line prints: none of them may command the terminal or forge a line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { complain, say, sayJson, table } from "../../src/cli/say.ts";

const EVIL = "a\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eb\u2028c";
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const COMMANDS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

function printed(work: () => void): string {
  let text = "";
  const streams = [process.stdout, process.stderr] as const;
  const writes = streams.map((stream) => stream.write);
  for (const stream of streams)
    stream.write = (chunk: string | Uint8Array) => {
      text += chunk;
      return true;
    };
  try {
    work();
  } finally {
    for (const [index, stream] of streams.entries()) stream.write = writes[index]!;
  }
  return text;
}

test("lines, complaints and tables command no terminal", () => {
  for (const work of [() => say(EVIL), () => complain(EVIL), () => say(table([[EVIL, EVIL]])[0])])
    assert.doesNotMatch(printed(work), COMMANDS);
});

test("a line end in a cell begins no line", () => {
  const [line, ...more] = table([["/CN=x\n  alice  /CN=forged", "host\r\n"]]);
  assert.deepEqual(more, []);
  assert.doesNotMatch(line!, /\n/);
});

test("JSON for machines commands no terminal of somebody who looks, and says the same", () => {
  const text = printed(() => sayJson({ name: EVIL }));
  assert.doesNotMatch(text, COMMANDS);
  assert.deepEqual(JSON.parse(text), { name: EVIL });
});
