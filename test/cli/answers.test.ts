/** What a service's answer means for the exit status: a no is not a fault, and a fault is not a no. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { requireAnswer } from "../../src/cli/calls.ts";
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
