/** How a failed write is told to the caller: status and sentence by what is known. */
import { Refusal } from "../http/index.ts";
import { type Fold, RecordsError, type RecordsErrorCode } from "./event.ts";
import type { Follower } from "./follower.ts";

const STATUS: Readonly<Record<RecordsErrorCode, number>> = { away: 503, unknown: 503, "read-only": 503, refused: 500 };

/**
 * @param what is written, in the plural: "bans"
 * @throws {Refusal} for every {@link RecordsError}; anything else as it is
 */
export function refuseWrite(error: unknown, what: string, follower: Pick<Follower<Fold>, "seen">): never {
  if (!(error instanceof RecordsError)) throw error;
  const snapshot =
    follower.seen === 0
      ? "no snapshot exists yet"
      : `decisions go on from the snapshot of ${new Date(follower.seen).toISOString()}`;
  throw new Refusal(STATUS[error.code], `${error.message}: ${what} cannot be recorded now; ${snapshot}`);
}
