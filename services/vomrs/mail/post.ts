/**
 * Sends what is due, from two copies or more that know nothing of each other but the records.
 *
 * The rule: each e-mail has one copy that sends it, by a hash of its name; another one takes it over a minute after it first saw it due and not recorded.
 * Whoever has sent one records that. So an e-mail is sent twice at worst: when a copy dies, or loses its database, between
 * sending and recording (it goes on trying to record while it lives, and sends nothing while the database is out of its sight). It is never lost
 * silently: what is due follows from the records; what a server does not take is tried again, later each time, for a week, and health says how
 * many wait and why; what a server will never take, and what there is nobody for, is recorded as such.
 */
import { steadyMilliseconds } from "../../../src/world/index.ts";
import type { Follower } from "../../records/index.ts";
import type { Log } from "../../serving/index.ts";
import { writeWord } from "../../vo/index.ts";
import type { Chronicle } from "../chronicle.ts";
import { NotSent, nameOf } from "./mailer.ts";
import { dueNotices, type Notice, type NoticeOptions } from "./notices.ts";

/** Milliseconds. */
const EVERY = { look: 500, anew: 5_000 } as const;
const TAKEOVER = 60_000;
const AGAIN = [5_000, 30_000, 60_000, 300_000, 900_000, 3_600_000] as const;

export interface PostOptions extends Omit<NoticeOptions, "code"> {
  readonly code: (vo: string, person: string, email: string, until: number) => string;
  readonly follower: Follower<Chronicle>;
  readonly mailer: { readonly send: (notice: Notice) => Promise<void> };
  /** This copy's name, and all. */
  readonly guest: string;
  readonly copies: readonly string[];
  readonly log: Log;
  readonly now?: () => number;
  readonly takeover?: number;
}

interface Trying {
  /** By the steady clock. */
  readonly since: number;
  attempts: number;
  again: number;
  says: string;
  /** Went out, or never will: only the record is missing. */
  outcome: { readonly action: string; readonly reason: string } | null;
}

export class Post {
  readonly #options: PostOptions;
  readonly #trying = new Map<string, Trying>();
  #due: readonly Notice[] = [];
  #looked = Number.NEGATIVE_INFINITY;
  #changed = true;
  #timer: NodeJS.Timeout | null = null;
  #working: Promise<void> | null = null;
  #closed = false;

  constructor(options: PostOptions) {
    this.#options = options;
  }

  start(): void {
    const again = (): void => {
      this.#timer = setTimeout(() => {
        this.#working = this.look().finally(() => !this.#closed && again());
      }, EVERY.look);
    };
    again();
  }

  /** Something was recorded: what is due may be another thing now. */
  changed(): void {
    this.#changed = true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#working;
  }

  /** For health: what waits here, and why. */
  about(): { readonly waiting: number; readonly failing: number; readonly says: string | null } {
    const failing = [...this.#trying.values()].filter(({ attempts, outcome }) => attempts > 0 && outcome === null);
    return { waiting: this.#due.length, failing: failing.length, says: failing[0]?.says ?? null };
  }

  /** Sends what is this copy's and due. Never throws. */
  async look(): Promise<void> {
    const { follower, log } = this.#options;
    try {
      const now = steadyMilliseconds();
      if (this.#changed || now - this.#looked >= EVERY.anew) this.#find(now);
      for (const notice of this.#due) {
        // Whether another copy has sent it is not known while the records are out of sight.
        if (this.#closed || follower.fault !== null) return;
        await this.#handle(notice);
      }
    } catch (error) {
      log("defect", { says: (error as Error)?.stack ?? String(error) });
    }
  }

  #find(now: number): void {
    const { follower, url, operators, code, now: clock = Date.now } = this.#options;
    this.#changed = false;
    this.#looked = now;
    const book = follower.merged;
    this.#due = book.definitions.flatMap((vo) =>
      dueNotices(vo, book.facts(vo.name), clock(), {
        url,
        operators,
        code: (person, email, until) => code(vo.name, person, email, until),
      }),
    );
    const names = new Set(this.#due.map(nameOf));
    for (const name of this.#trying.keys()) if (!names.has(name)) this.#trying.delete(name);
    for (const name of names)
      if (!this.#trying.has(name))
        this.#trying.set(name, { since: now, attempts: 0, again: 0, says: "", outcome: null });
  }

  async #handle(notice: Notice): Promise<void> {
    const { mailer, log, follower } = this.#options;
    const name = nameOf(notice);
    const trying = this.#trying.get(name);
    const now = steadyMilliseconds();
    const { vo, person, what } = notice;
    if (trying === undefined || now < trying.again || !this.#mine(name, now - trying.since)) return;
    // While the e-mail before this one was on its way, another copy may have sent this one.
    if (follower.merged.facts(vo).people.get(person)?.notices.has(what)) return;
    if (trying.outcome === null) {
      if (notice.to.length === 0)
        trying.outcome = { action: "nobody", reason: "no address is known of whom it is for" };
      else
        try {
          await mailer.send(notice);
          trying.outcome = { action: "sent", reason: "" };
        } catch (error) {
          if (!(error instanceof NotSent)) throw error;
          if (error.refused) trying.outcome = { action: "refused", reason: error.message };
          else return this.#later(trying, error.message, "e-mail not sent");
        }
      // Addresses and what was written are nobody's business in a log.
      log(`e-mail ${trying.outcome.action}`, { name, about: what.split(" ", 1)[0] });
    }
    await this.#record(notice, trying, trying.outcome);
  }

  async #record(
    { vo, person, what }: Notice,
    trying: Trying,
    { action, reason }: NonNullable<Trying["outcome"]>,
  ): Promise<void> {
    const { follower, guest } = this.#options;
    try {
      await writeWord(follower, { vo, kind: "notice", key: `${person} ${what}`, action, reason, actor: guest });
    } catch (error) {
      this.#later(trying, (error as Error).message, "e-mail not recorded");
    }
  }

  #later(trying: Trying, says: string, event: string): void {
    if (trying.says !== says) this.#options.log(event, { says });
    trying.says = says;
    trying.again = steadyMilliseconds() + AGAIN[Math.min(trying.attempts, AGAIN.length - 1)]!;
    trying.attempts++;
  }

  #mine(name: string, seen: number): boolean {
    const { copies, guest, takeover = TAKEOVER } = this.#options;
    const sorted = [...copies].sort();
    const chosen = sorted[Number.parseInt(name.slice(0, 8), 16) % Math.max(1, sorted.length)];
    return chosen === undefined || chosen === guest || seen >= takeover;
  }
}
