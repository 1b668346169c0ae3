/**
 * What Domus knows of the time around an outage, and which of it is its cause. What was done on purpose comes before what merely happened
 * at the same time, what concerns the subject itself before what concerns its parts. Where nothing is known, that is said.
 */
import type { Span } from "./spans.ts";

export type CauseKind =
  /** An acceptance test was under way: it kills things on purpose. */
  | "acceptance"
  /** A person stopped it, or did something else to it. */
  | "person"
  /** Its host was cut off or its supervisor away. */
  | "host"
  /** It ended by itself, or was ended by its peer. */
  | "ended"
  /** `domus up` made it anew. */
  | "replaced"
  /** `domus up` was at work. */
  | "up"
  | "unknown";

export interface Fact extends Span {
  readonly kind: Exclude<CauseKind, "unknown">;
  /** A guest's or host's name; empty: the whole site. */
  readonly about: string;
  readonly says: string;
}

/** What the store remembers of things that were done. */
export interface RecordedEvent {
  readonly at: number;
  readonly kind: string;
  readonly about: string;
  readonly says: string;
}

export interface RecordedStep {
  readonly at: number;
  /** `guest.retire:fg5x2@fermigrid5`. */
  readonly step: string;
  readonly state: string;
}

/** Whom a subject depends on: names of guests and hosts. */
export interface Related {
  readonly self: string;
  readonly host: string | null;
  /** Of an alias: its copies, the directors, and the hosts of both. */
  readonly parts: readonly string[];
}

export interface Cause {
  readonly kind: CauseKind;
  readonly says: string;
}

const HOUR = 3_600_000;
/** A test or a run whose end was never written down ended at the latest then. */
const LONGEST_TEST = 2 * HOUR;
const LONGEST_RUN = HOUR;
/**
 * How near to an outage's beginning its cause must be, milliseconds: Domus looks once a second, may wait some seconds for an answer, and notes what a
 * person did when it is done. What happened after it was over is no cause of it.
 */
const BEFORE = 30_000;
const AFTER = 15_000;
const AFTER_ITS_END = 5000;

/** What a person does to a guest that cannot take it away. */
const BRINGS_BACK = /^(?:start|resume|restore|snapshot) /;

/** Pairs of begin and end. What is begun again has ended; what never ended is given up after `longest`. */
function windows(
  marks: readonly { readonly at: number; readonly begins: boolean }[],
  longest: number,
): readonly Span[] {
  const found: Span[] = [];
  let begun: number | null = null;
  for (const { at, begins } of marks) {
    if (begun !== null) found.push({ from: begun, to: Math.min(at, begun + longest) });
    begun = begins ? at : null;
  }
  if (begun !== null) found.push({ from: begun, to: begun + longest });
  return found;
}

/**
 * @param events in the order in which they were recorded
 * @param steps of the journal, in their order
 */
export function factsOf(events: readonly RecordedEvent[], steps: readonly RecordedStep[]): readonly Fact[] {
  const facts: Fact[] = [];
  const point = (kind: Fact["kind"], at: number, about: string, says: string) =>
    facts.push({ kind, from: at, to: at + 1, about, says });
  // One test at a time: whichever begins, the one before has ended.
  const tests = events.filter(({ kind }) => kind === "acceptance");
  for (const span of windows(
    tests.map(({ at, says }) => ({ at, begins: says.startsWith("begin") })),
    LONGEST_TEST,
  )) {
    const test = tests.find(({ at, says }) => at === span.from && says.startsWith("begin"))?.about;
    facts.push({ ...span, kind: "acceptance", about: "", says: `the acceptance test ${test}` });
  }
  const runs = events.filter(({ kind }) => kind === "blueprint" || kind === "up" || kind === "down");
  for (const span of windows(
    runs.map(({ at, kind }) => ({ at, begins: kind === "blueprint" })),
    LONGEST_RUN,
  )) {
    const begun = runs.find(({ at, kind }) => kind === "blueprint" && at === span.from);
    facts.push({
      ...span,
      kind: "up",
      about: "",
      says: `a run of domus up (blueprint ${begun?.about}: ${begun?.says})`,
    });
  }
  for (const { at, kind, about, says } of events) {
    if (kind === "guest" && !BRINGS_BACK.test(says)) point("person", at, about, says);
    if (kind === "ended") point("ended", at, about, `${about}: ${says}`);
  }
  for (const { at, step, state } of steps) {
    const guest = /^guest\.(?:stop|retire):([^@]+)/.exec(step)?.[1];
    if (guest && state === "begun") point("replaced", at, guest, `domus up made ${guest} anew`);
  }
  return facts;
}

/** A host that was away: known from its own history. */
export function hostFact(host: string, span: Span, says: string): Fact {
  return { ...span, kind: "host", about: host, says };
}

/** In which order causes are looked for, and about whom. */
const PRECEDENCE: readonly (readonly [kind: Fact["kind"], scope: "site" | "self" | "host" | "parts"])[] = [
  ["acceptance", "site"],
  ["person", "self"],
  ["host", "host"],
  ["replaced", "self"],
  ["ended", "self"],
  ["host", "parts"],
  ["person", "parts"],
  ["replaced", "parts"],
  ["ended", "parts"],
  ["up", "site"],
];

/** More of one kind and name than that within a minute are alike. */
const LOOKED_BACK = 8;

/** Facts by kind and name, so that ten thousand outages are explained in moments. */
export class Knowledge {
  readonly #facts = new Map<string, Fact[]>();

  constructor(facts: readonly Fact[]) {
    for (const fact of [...facts].sort((a, b) => a.from - b.from)) {
      const key = `${fact.kind} ${fact.about}`;
      const list = this.#facts.get(key);
      if (list) list.push(fact);
      else this.#facts.set(key, [fact]);
    }
  }

  /** What of its kind is nearest to the beginning of an outage. */
  #near(kind: Fact["kind"], about: string, outage: Span): Fact | null {
    const facts = this.#facts.get(`${kind} ${about}`) ?? [];
    // A test explains what began in it, and nothing that was so before.
    const [early, late] =
      kind === "acceptance"
        ? [outage.from, outage.from]
        : [outage.from - BEFORE, Math.min(outage.from + AFTER, outage.to + AFTER_ITS_END)];
    let low = 0;
    let high = facts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (facts[middle]!.from <= late) low = middle + 1;
      else high = middle;
    }
    const away = ({ from, to }: Fact): number =>
      outage.from < from ? from - outage.from : Math.max(0, outage.from - to);
    let best: Fact | null = null;
    for (let at = low - 1; at >= 0 && at >= low - LOOKED_BACK; at--) {
      const fact = facts[at]!;
      if (fact.to >= early && (best === null || away(fact) < away(best))) best = fact;
    }
    return best;
  }

  causeOf(outage: Span, { self, host, parts }: Related): Cause {
    const names = { site: [""], self: [self], host: host === null ? [] : [host], parts } as const;
    const found = PRECEDENCE.flatMap(([kind, scope]) => {
      for (const name of names[scope]) {
        const fact = this.#near(kind, name, outage);
        if (fact) return [fact];
      }
      return [];
    });
    const [first, second] = found;
    if (!first) return { kind: "unknown", says: "nothing else was noted at that time" };
    // A test's own kills: which of them is what a person wants to know.
    const also = first.kind === "acceptance" && second && second.kind !== "up" ? ` (${second.says})` : "";
    return { kind: first.kind, says: `${first.says}${also}` };
  }
}
