/** Everything that can be done, by name. */
import type { Operation } from "../operation.ts";
import { APPLYING } from "./applying.ts";
import { CERTIFICATES } from "./certificates.ts";
import { MEMBERSHIP } from "./membership.ts";
import { PLACES } from "./places.ts";
import { READING } from "./reading.ts";

export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  [...READING, ...APPLYING, ...MEMBERSHIP, ...PLACES, ...CERTIFICATES].map((one) => [one.name, one]),
);
