/** Names in calls: whatever is wrong with one is the caller's to mend. */
import { NameRefused } from "../../src/grid/index.ts";
import { Refusal } from "../http/index.ts";

/** @throws {Refusal} 400 with what is wrong with the name */
export function named<Value>(what: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof NameRefused) throw new Refusal(400, `${what}: ${error.message}`);
    throw error;
  }
}
