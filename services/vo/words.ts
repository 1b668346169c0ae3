/** Writing down: one word on one thing, as an event of the stream `vo`. Who may say it is decided before. */
import type { VoKind } from "../../src/vo/index.ts";
import { type Follower, type RecordedEvent, STREAMS } from "../records/index.ts";
import type { VoBook } from "./book.ts";

export interface Said {
  readonly vo: string;
  readonly kind: VoKind;
  readonly key: string;
  readonly action: string;
  readonly value?: Readonly<Record<string, unknown>>;
  readonly reason?: string;
  /** Who says it: a normal form, an operator's name, or a program's. */
  readonly actor: string;
}

/**
 * @returns once it is on the disk of the server that took it; the follower's book has it then
 * @throws {RecordsError} when the database does not take it
 * @throws {RangeError} when a part is longer than the record takes: whoever reads input bounds it
 */
export async function writeWord(follower: Follower<VoBook>, said: Said): Promise<RecordedEvent> {
  const { vo, kind, key, action, value = {}, reason = "", actor } = said;
  const fields = { vo, kind, name: key, action, value: JSON.stringify(value), reason, actor };
  for (const [name, text] of Object.entries(fields))
    if (text.length > STREAMS.vo[name as keyof typeof fields])
      throw new RangeError(`${name} of a record has at most ${STREAMS.vo[name as keyof typeof fields]} characters`);
  return follower.append(fields);
}
