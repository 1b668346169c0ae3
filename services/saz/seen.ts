/**
 * Values that SAZ was asked about and nobody had named before: recorded once, so that operators see who comes and can ban by a click
 * instead of by typing a name. Recorded beside the decision, which never waits for it; bounded in rate and in number, because a flood of
 * invented names must not fill the database.
 */
import { SAZ_KINDS, type SazKind, type SazQuestion, sazKey } from "../../src/policy/index.ts";
import { type Follower, type RecordedEvent, RecordsError } from "../records/index.ts";
import type { Log } from "../serving/index.ts";

export interface SeenLimits {
  /** Values that are recorded in all. */
  readonly values: number;
  /** Of these, asked about by the holder of one certificate since this copy started: one that invents names does not keep others out. */
  readonly ofOne: number;
  /** That wait to be recorded; more are left until they come again. */
  readonly waiting: number;
  /** Recorded in a second by one copy. */
  readonly perSecond: number;
}

const LIMITS: SeenLimits = { values: 20_000, ofOne: 2000, waiting: 1000, perSecond: 50 };

export class SeenValues {
  readonly #follower: Follower;
  readonly #log: Log;
  readonly #limits: SeenLimits;
  readonly #waiting = new Map<string, { readonly kind: SazKind; readonly value: string }>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** Values that were not recorded because too many came: they are when they come again. */
  unrecorded = 0;

  /** Certificate → values it brought since this copy started. */
  readonly #askers = new Map<string, number>();

  constructor(follower: Follower, log: Log, limits: Partial<SeenLimits> = {}) {
    this.#follower = follower;
    this.#log = log;
    this.#limits = { ...LIMITS, ...limits };
  }

  /**
   * Looks at a question; what is new in it is recorded soon. Costs a look-up for each value.
   * @param asker name in the certificate of who asks
   */
  look(question: SazQuestion, asker: string): void {
    const { token } = question;
    if (token === null) this.#one("dn", question.subject, asker);
    else {
      this.#one("token", `${token.issuer} ${question.subject}`, asker);
      this.#one("issuer", token.issuer, asker);
    }
    if (question.vo !== null) this.#one("vo", question.vo, asker);
    for (const fqan of question.fqans) this.#one("role", fqan, asker);
    if (question.ca !== null) this.#one("ca", question.ca, asker);
  }

  /** Every recorded value, in the order of the records. */
  events(): readonly RecordedEvent[] {
    return this.#follower.merged.events().filter((event) => SAZ_KINDS.some((kind) => kind === event.fields.kind));
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  #one(kind: SazKind, value: string, asker: string): void {
    const key = sazKey(kind, value);
    if (this.#follower.merged.get(key) !== undefined || this.#waiting.has(key)) return;
    if (
      this.#waiting.size >= this.#limits.waiting ||
      this.#follower.merged.size + this.#waiting.size >= this.#limits.values ||
      (this.#askers.get(asker) ?? 0) >= this.#limits.ofOne
    ) {
      if (this.unrecorded++ === 0)
        this.#log("seen", { says: "more unseen values than are recorded; they are when they come again" });
      return;
    }
    this.#waiting.set(key, { kind, value });
    // As many entries as values at most: who asked about nothing new is not counted.
    this.#askers.set(asker, (this.#askers.get(asker) ?? 0) + 1);
    this.#timer ??= setTimeout(() => void this.#record(), 1000 / this.#limits.perSecond);
  }

  async #record(): Promise<void> {
    const [next] = this.#waiting;
    if (next !== undefined && this.#follower.fault === null) {
      const [key, fields] = next;
      try {
        if (this.#follower.merged.get(key) === undefined) await this.#follower.append(fields);
        this.#waiting.delete(key);
      } catch (error) {
        // The database takes no writes now: the value waits, and the decision was made long ago. One that it refuses must not hold the others up.
        if (error instanceof RecordsError && error.code === "refused") this.#waiting.delete(key);
      }
    }
    this.#timer =
      this.#closed || this.#waiting.size === 0
        ? null
        : setTimeout(() => void this.#record(), 1000 / this.#limits.perSecond);
  }
}
