/**
 * The history of everything that is probed, by day and month, with its outages and their causes. Reckoned from three things that are recorded
 * exactly: when somebody looked, when what was seen changed, and what was done meanwhile. Times in which nobody looked are neither good nor
 * bad: they are in no share, and an outage that reaches into one says so. Refused: counting answers by the minute. Failing questions take
 * longer than good ones, so a count makes every outage look shorter than it was.
 */
import type { ProbeOutcome } from "../../model/index.ts";
import { type Day, daysOf } from "./calendar.ts";
import { type Cause, type Fact, hostFact, Knowledge, type Related } from "./facts.ts";
import { lengthOf, meet, type Span, spread, union } from "./spans.ts";

/** Somebody looked at these subjects, again and again, from `begun` to `until`; milliseconds since the epoch. */
export interface Watch {
  readonly begun: number;
  readonly until: number;
  readonly subjects: readonly string[];
}

export interface OutcomeChange {
  readonly subject: string;
  readonly at: number;
  readonly outcome: ProbeOutcome;
  readonly says: string;
}

export interface HistoryInput {
  readonly from: number;
  /** Not included. */
  readonly to: number;
  /** IANA name: whose calendar days are. */
  readonly zone: string;
  readonly watches: readonly Watch[];
  /** In the order in which they were recorded, with the last of each subject before `from`. */
  readonly changes: readonly OutcomeChange[];
  readonly facts: readonly Fact[];
  readonly related: (subject: string) => Related;
}

export interface Figures {
  /** Seconds in which somebody looked. */
  readonly looked: number;
  /** Of them, without an answer, and of those in outages that an acceptance test made. */
  readonly unanswered: number;
  readonly tested: number;
  /** Answered share of the time that was looked at, 0 to 1, and the same apart from acceptance tests; `null`: nobody looked. */
  readonly share: number | null;
  readonly shareApart: number | null;
  /** Outages that began then. */
  readonly outages: number;
}

export interface Period extends Figures, Span {
  /** `2026-11-20`, `2026-11`. */
  readonly name: string;
}

export interface Outage {
  readonly subject: string;
  /** From the first question without an answer to the first answer; `null`: none has been seen yet. */
  readonly from: number;
  readonly to: number | null;
  /** Seconds of it in which somebody looked, and in which nobody did. */
  readonly seconds: number;
  readonly unseen: number;
  /** What the first question saw. */
  readonly says: string;
  readonly cause: Cause;
}

export interface SubjectHistory {
  readonly subject: string;
  readonly total: Figures;
  readonly days: readonly Period[];
  readonly months: readonly Period[];
  /** In order of time. */
  readonly outages: readonly Outage[];
}

export interface History extends Span {
  readonly zone: string;
  readonly subjects: readonly SubjectHistory[];
}

const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000;

function figures(looked: number, unanswered: number, tested: number, outages: number): Figures {
  const share = (of: number, bad: number): number | null => (of > 0 ? (of - bad) / of : null);
  return {
    looked: seconds(looked),
    unanswered: seconds(unanswered),
    tested: seconds(tested),
    share: share(looked, unanswered),
    shareApart: share(looked - tested, unanswered - tested),
    outages,
  };
}

interface Failing extends Span {
  readonly over: boolean;
  readonly says: string;
}

/** Times in which a subject did not answer as far as anybody knows, the last one perhaps without an end. */
function failures(changes: readonly OutcomeChange[], end: number): readonly Failing[] {
  const found: Failing[] = [];
  let open: OutcomeChange | null = null;
  let clock = Number.NEGATIVE_INFINITY;
  for (const change of changes) {
    // A clock that was set back must not turn time round.
    const at = Math.max(clock, change.at);
    clock = at;
    if (change.outcome === "failed") open ??= { ...change, at };
    else if (open) {
      found.push({ from: open.at, to: at, over: true, says: open.says });
      open = null;
    }
  }
  if (open) found.push({ from: open.at, to: Math.max(end, open.at), over: false, says: open.says });
  return found;
}

/** @returns the history; for the same input the same, whatever the time is now */
export function historyOf(input: HistoryInput): History {
  const { from, to, zone } = input;
  const days = daysOf(from, to, zone);
  const range: readonly Span[] = [{ from, to }];
  const changes = Map.groupBy(input.changes, ({ subject }) => subject);
  const watched = new Map<string, Span[]>();
  for (const { begun, until, subjects } of input.watches)
    for (const subject of subjects) {
      const spans = watched.get(subject);
      if (spans) spans.push({ from: begun, to: until });
      else watched.set(subject, [{ from: begun, to: until }]);
    }
  const looks = new Map([...watched].map(([subject, spans]) => [subject, meet(union(spans), range)] as const));
  const failing = new Map([...changes].map(([subject, list]) => [subject, failures(list, to)] as const));
  const away = [...failing].flatMap(([subject, spans]) =>
    subject.startsWith("host ") ? spans.map((span) => hostFact(subject.slice(5), span, span.says)) : [],
  );
  const knowledge = new Knowledge([...input.facts, ...away]);
  const subjects = [...new Set([...looks.keys(), ...changes.keys()])].sort(bySubject);
  return {
    from,
    to,
    zone,
    subjects: subjects.flatMap((subject) => {
      const looked = afterFirst(looks.get(subject) ?? [], changes.get(subject) ?? []);
      const bad = failing.get(subject) ?? [];
      if (looked.length === 0) return [];
      const related = input.related(subject);
      const isHost = subject.startsWith("host ");
      const causeOf = (failing: Failing): Cause => {
        const cause = knowledge.causeOf(failing, related);
        // Nobody knows more of a host than what it is like.
        return isHost && cause.kind === "unknown" ? { kind: "host", says: failing.says } : cause;
      };
      return [oneHistory(subject, looked, bad, days, to, causeOf)];
    }),
  };
}

/** Aliases first: they are what people use. */
const KINDS: readonly string[] = ["alias", "guest", "host"];
function bySubject(a: string, b: string): number {
  const kind = (subject: string) => (KINDS.indexOf(subject.split(" ")[0]!) + KINDS.length + 1) % (KINDS.length + 1);
  return kind(a) - kind(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Before its first answer or failure nothing is known of a subject. */
function afterFirst(looked: readonly Span[], changes: readonly OutcomeChange[]): readonly Span[] {
  const first = changes[0]?.at;
  return first === undefined ? [] : meet(looked, [{ from: first, to: Number.POSITIVE_INFINITY }]);
}

function oneHistory(
  subject: string,
  looked: readonly Span[],
  bad: readonly Failing[],
  days: readonly Day[],
  end: number,
  causeOf: (failing: Failing) => Cause,
): SubjectHistory {
  const outages: Outage[] = [];
  const unanswered: Span[] = [];
  const tested: Span[] = [];
  const begun = days.map(() => 0);
  const parts = meetEach(bad, looked);
  bad.forEach((one, index) => {
    const seen = parts[index]!;
    if (seen.length === 0) return;
    const cause = causeOf(one);
    const length = lengthOf(seen);
    const begins = Math.max(one.from, days[0]!.from);
    outages.push({
      subject,
      from: one.from,
      to: one.over ? one.to : null,
      seconds: seconds(length),
      unseen: seconds(Math.max(0, Math.min(one.to, end) - begins - length)),
      says: one.says,
      cause,
    });
    unanswered.push(...seen);
    if (cause.kind === "acceptance") tested.push(...seen);
    const day = dayAt(days, one.from);
    if (day >= 0) begun[day]!++;
  });
  const [l, u, t] = [spread(looked, days), spread(unanswered, days), spread(tested, days)];
  const byDay = days.map((day, index) => ({ ...figures(l[index]!, u[index]!, t[index]!, begun[index]!), ...day }));
  const months = [...Map.groupBy(days.keys(), (index) => days[index]!.date.slice(0, 7))].map(([name, indices]) => {
    const sum = (amounts: readonly number[]) => indices.reduce((total, index) => total + amounts[index]!, 0);
    const [first, last] = [days[indices[0]!]!, days[indices.at(-1)!]!];
    return { name, from: first.from, to: last.to, ...figures(sum(l), sum(u), sum(t), sum(begun)) };
  });
  return {
    subject,
    total: figures(lengthOf(looked), lengthOf(unanswered), lengthOf(tested), outages.length),
    days: byDay.map(({ date, ...day }) => ({ name: date, ...day })),
    months,
    outages,
  };
}

/** What of each span is in the others; both in order, so that it takes one pass. */
function meetEach(spans: readonly Span[], others: readonly Span[]): readonly (readonly Span[])[] {
  let first = 0;
  return spans.map((span) => {
    while (first < others.length && others[first]!.to <= span.from) first++;
    const found: Span[] = [];
    for (let at = first; at < others.length && others[at]!.from < span.to; at++)
      found.push({ from: Math.max(span.from, others[at]!.from), to: Math.min(span.to, others[at]!.to) });
    return found;
  });
}

function dayAt(days: readonly Day[], at: number): number {
  let low = 0;
  let high = days.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const day = days[middle]!;
    if (at < day.from) high = middle - 1;
    else if (at >= day.to) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** Changes within an hour beyond which a subject flaps, and for how long it must have been quiet to be forgiven. */
export const FLAPS = 6;
const FLAP_WINDOW = 3_600_000;
const FLAP_QUIET = 600_000;

export interface Flapping {
  readonly subject: string;
  readonly changes: number;
  readonly last: OutcomeChange;
}

/**
 * @param changes of the last hour at least; those that an acceptance test made do not count
 * @returns who changed too often, the worst first
 */
export function flapping(changes: readonly OutcomeChange[], facts: readonly Fact[], now: number): readonly Flapping[] {
  const tests = facts.filter(({ kind }) => kind === "acceptance");
  // What a test killed comes back moments after its end.
  const byTest = ({ at }: OutcomeChange) => tests.some(({ from, to }) => at >= from && at < to + BEFORE_CALM);
  const recent = changes.filter((change) => change.at > now - FLAP_WINDOW && change.at <= now && !byTest(change));
  return [...Map.groupBy(recent, ({ subject }) => subject)]
    .map(([subject, list]) => ({ subject, changes: list.length, last: list.at(-1)! }))
    .filter(({ changes: count, last }) => count > FLAPS && now - last.at < FLAP_QUIET)
    .sort((a, b) => b.changes - a.changes || (a.subject < b.subject ? -1 : 1));
}
const BEFORE_CALM = 60_000;
