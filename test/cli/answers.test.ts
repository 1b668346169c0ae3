/** What a service's answer means for the exit status: a no is not a fault, and a fault is not a no; and which time is asked about. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { requireAnswer } from "../../src/cli/calls.ts";
import { span } from "../../src/cli/words.ts";
import { Fault } from "../../src/model/index.ts";

test("scripts can tell no from not now, and both from bad words", () => {
  for (const [status, exit, code] of [
    [400, 2, "usage.invalid"],
    [403, 1, "request.refused"],
    [409, 1, "request.refused"],
    [429, 3, "service.unable"],
    [500, 3, "service.unable"],
    [503, 3, "service.unable"],
  ] as const)
    assert.throws(
      () => requireAnswer({ status, body: { result: "ERROR", message: "why" } }),
      (error) => error instanceof Fault && error.exit === exit && error.code === code && error.message === "why",
    );
  assert.deepEqual(requireAnswer({ status: 200, body: { result: "FAILED" } }), { result: "FAILED" });
});

test("a time that ends before it begins is a mistake, not an empty answer", () => {
  const now = Date.parse("2026-11-20T12:00:00Z");
  assert.deepEqual(span({}, now), [now - 86_400_000, now]);
  assert.deepEqual(span({ to: "2026-11-10T00:00:00Z" }, now), [
    Date.parse("2026-11-09T00:00:00Z"),
    Date.parse("2026-11-10T00:00:00Z"),
  ]);
  for (const flags of [{ from: "2026-11-21T00:00:00Z" }, { from: "2026-11-20T00:00:00Z", to: "2026-11-19T00:00:00Z" }])
    assert.throws(() => span(flags, now), /ends .* before it begins/);
});
