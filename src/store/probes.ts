/**
 * What probes saw, as the store keeps it: when somebody looked, every change, and counts by minute. Changes and times of looking say all that
 * history needs, to the millisecond, in some rows a day; the counts are for the last hours.
 */
import { type Kysely, sql } from "kysely";
import type { ProbeOutcome, ProbeResult } from "../model/index.ts";
import type { Clock } from "../world/index.ts";
import type { Tables } from "./database.ts";

export interface Availability {
  readonly subject: string;
  readonly asked: number;
  readonly answered: number;
  /** Changes, newest first. */
  readonly changes: readonly { readonly at: number; readonly outcome: string; readonly says: string }[];
}

/** What is known of a time: who looked when, what changed, what was done. */
export interface RecordedHistory {
  /** Somebody looked at these subjects, again and again, from `begun` to `until`; milliseconds since the epoch. */
  readonly watches: readonly { readonly begun: number; readonly until: number; readonly subjects: readonly string[] }[];
  /** In the order in which they were recorded, with the last of each subject before that time. */
  readonly changes: readonly {
    readonly subject: string;
    readonly at: number;
    readonly outcome: ProbeOutcome;
    readonly says: string;
  }[];
  /** Of the day before too: what began then may have lasted. */
  readonly events: readonly {
    readonly at: number;
    readonly kind: string;
    readonly about: string;
    readonly says: string;
  }[];
  /** Steps that end guests, likewise. */
  readonly steps: readonly { readonly at: number; readonly step: string; readonly state: string }[];
}

/** Days that counts by minute are kept: twenty subjects make thirty thousand rows of them a day, and only the last day's are read. */
const MINUTES_KEPT_DAYS = 8;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Between two looks that are further apart nobody looked, milliseconds: a look may wait some seconds for an answer. */
const LOOKS_APART = 15_000;

const COUNTS_AS_ANSWER: Readonly<Record<ProbeOutcome, boolean>> = {
  answers: true,
  "read-only": true,
  failed: false,
};

/** Events that may be the cause of an outage. */
const TELLING = ["acceptance", "guest", "ended", "blueprint", "up", "down"];

interface OpenWatch {
  readonly entry: number;
  readonly subjects: string;
  readonly until: number;
}

export class ProbeRecords {
  readonly #database: Kysely<Tables>;
  readonly #clock: Clock;
  readonly #lastOutcome = new Map<string, string>();
  /** The row that says that we are looking. */
  #watch: OpenWatch | null = null;

  constructor(database: Kysely<Tables>, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /**
   * Keeps what one look saw.
   * @param begun when the look began, milliseconds since the epoch: a failure counts from its question on, an answer from when it was there
   */
  async record(
    results: readonly { readonly subject: string; readonly result: ProbeResult }[],
    begun?: number,
  ): Promise<void> {
    const at = this.#clock.now();
    const asked = Math.min(begun ?? at, at);
    const minute = Math.floor(at / MINUTE);
    const subjects = JSON.stringify(results.map(({ subject }) => subject).sort());
    const changed: (readonly [subject: string, outcome: string])[] = [];
    const watch = await this.#database.transaction().execute(async (transaction) => {
      for (const { subject, result } of results) {
        const good = COUNTS_AS_ANSWER[result.outcome] ? 1 : 0;
        const took = Math.round(result.milliseconds);
        await sql`INSERT INTO probe_minute (subject, minute, asked, answered, milliseconds) VALUES (${subject}, ${minute}, 1, ${good}, ${took})
          ON CONFLICT (subject, minute) DO UPDATE SET asked = asked + 1, answered = answered + ${good}, milliseconds = milliseconds + ${took}`.execute(
          transaction,
        );
        if (this.#lastOutcome.get(subject) === result.outcome) continue;
        const last = await transaction
          .selectFrom("probe_change")
          .select("outcome")
          .where("subject", "=", subject)
          .orderBy("entry", "desc")
          .limit(1)
          .executeTakeFirst();
        if (last?.outcome !== result.outcome)
          await transaction
            .insertInto("probe_change")
            .values({ entry: null, subject, at: good ? at : asked, outcome: result.outcome, says: result.says })
            .execute();
        changed.push([subject, result.outcome]);
      }
      return this.#keepWatch(transaction, subjects, at);
    });
    // Only what is in the store is remembered here.
    for (const [subject, outcome] of changed) this.#lastOutcome.set(subject, outcome);
    this.#watch = watch;
  }

  /** Goes on with the watch that is under way, or begins one: after a pause, and when other subjects are looked at. */
  async #keepWatch(transaction: Kysely<Tables>, subjects: string, at: number): Promise<OpenWatch> {
    const before =
      this.#watch ??
      (await transaction.selectFrom("probe_watch").selectAll().orderBy("entry", "desc").limit(1).executeTakeFirst());
    if (before?.subjects === subjects && at >= before.until && at - before.until <= LOOKS_APART) {
      await transaction.updateTable("probe_watch").set({ until: at }).where("entry", "=", before.entry).execute();
      return { entry: before.entry!, subjects, until: at };
    }
    const { insertId } = await transaction
      .insertInto("probe_watch")
      .values({ entry: null, begun: at, until: at, subjects })
      .executeTakeFirstOrThrow();
    return { entry: Number(insertId), subjects, until: at };
  }

  /**
   * @param from milliseconds since the epoch
   * @param to not included
   */
  async history(from: number, to: number): Promise<RecordedHistory> {
    const watches = await this.#database
      .selectFrom("probe_watch")
      .select(["begun", "until", "subjects"])
      .where("until", ">=", from)
      .where("begun", "<", to)
      .orderBy("entry")
      .execute();
    const before = await sql<RecordedHistory["changes"][number]>`SELECT subject, at, outcome, says FROM probe_change
      WHERE entry IN (SELECT MAX(entry) FROM probe_change WHERE at < ${from} GROUP BY subject) ORDER BY entry`.execute(
      this.#database,
    );
    const changes = await this.#database
      .selectFrom("probe_change")
      .select(["subject", "at", "outcome", "says"])
      .where("at", ">=", from)
      .where("at", "<", to)
      .orderBy("entry")
      .execute();
    const events = await this.#database
      .selectFrom("event")
      .select(["at", "kind", "about", "says"])
      .where("at", ">=", from - DAY)
      .where("at", "<", to)
      .where("kind", "in", TELLING)
      .orderBy("entry")
      .execute();
    const steps = await this.#database
      .selectFrom("journal")
      .select(["at", "step", "state"])
      .where("at", ">=", from - DAY)
      .where("at", "<", to)
      .where("state", "=", "begun")
      .where((e) => e.or([e("step", "like", "guest.retire:%"), e("step", "like", "guest.stop:%")]))
      .orderBy("entry")
      .execute();
    return {
      watches: watches.map((one) => ({ ...one, subjects: JSON.parse(one.subjects) as string[] })),
      changes: [...before.rows, ...(changes as RecordedHistory["changes"])],
      events,
      steps,
    };
  }

  /** @returns when somebody looked first; `null`: never */
  async firstLook(): Promise<number | null> {
    const row = await this.#database
      .selectFrom("probe_watch")
      .select((e) => e.fn.min("begun").as("begun"))
      .executeTakeFirst();
    return (row?.begun as number | null | undefined) ?? null;
  }

  /** @param since milliseconds since the epoch */
  async availability(since: number): Promise<readonly Availability[]> {
    const counts = await this.#database
      .selectFrom("probe_minute")
      .select((e) => ["subject", e.fn.sum<number>("asked").as("asked"), e.fn.sum<number>("answered").as("answered")])
      .where("minute", ">=", Math.floor(since / MINUTE))
      .groupBy("subject")
      .orderBy("subject")
      .execute();
    const changes = await this.#database
      .selectFrom("probe_change")
      .select(["subject", "at", "outcome", "says"])
      .where("at", ">=", since)
      .orderBy("entry", "desc")
      .limit(10_000)
      .execute();
    const bySubject = Map.groupBy(changes, ({ subject }) => subject);
    return counts.map((count) => ({
      ...count,
      changes: (bySubject.get(count.subject) ?? []).map(({ at, outcome, says }) => ({ at, outcome, says })),
    }));
  }

  /** @param oldest forget what was before, milliseconds since the epoch */
  async prune(oldest: number): Promise<void> {
    await this.#database
      .deleteFrom("probe_minute")
      .where("minute", "<", Math.floor(this.#clock.now() / MINUTE) - MINUTES_KEPT_DAYS * 24 * 60)
      .execute();
    await this.#database.deleteFrom("probe_watch").where("until", "<", oldest).execute();
    // Of each subject the last one stays: who has not changed for that long still is what he was.
    await sql`DELETE FROM probe_change WHERE at < ${oldest} AND entry NOT IN (SELECT MAX(entry) FROM probe_change GROUP BY subject)`.execute(
      this.#database,
    );
  }
}
