/** What reading throws: a GridRefused with its code, and nothing else. */
import assert from "node:assert/strict";
import { GridRefused } from "../../src/grid/index.ts";

/** @returns the code of a refusal; anything else thrown fails the test */
export function codeOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    assert.ok(error instanceof GridRefused, error instanceof Error ? String(error.stack) : String(error));
    return error.code;
  }
}
