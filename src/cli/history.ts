/** From the store to history: what was recorded, who depends on whom, and the span that was asked for. */
import type { Blueprint } from "../model/index.ts";
import {
  type DayLevel,
  dayBefore,
  type Fact,
  type Flapping,
  factsOf,
  flapping,
  type History,
  historyOf,
  LEVELS,
  lengthText,
  levelOf,
  outageText,
  percentText,
  type Related,
  wallClock,
  worstOf,
} from "../probe/index.ts";
import type { Store } from "../store/index.ts";
import { paint, type Style, table } from "./say.ts";

/** Days that are shown when nobody says how many. */
export const DAYS_SHOWN = 30;

/** @returns who stands behind a subject, as the Blueprint has it now */
export function relatedIn(blueprint: Blueprint): (subject: string) => Related {
  const hostOf = new Map<string, string>(blueprint.guests.map(({ name, host }) => [name, host]));
  const directors = blueprint.guests
    .filter(({ definition: { program } }) => program.kind === "bundle" && program.bundle === "director")
    .map(({ name }) => name as string);
  const parts = new Map<string, readonly string[]>(
    blueprint.aliases.map(({ name, backends }) => {
      const guests = [...backends.map(({ guest }) => guest as string), ...directors];
      return [name, [...new Set([...guests, ...guests.flatMap((guest) => hostOf.get(guest) ?? [])])]];
    }),
  );
  return (subject) => {
    const [kind, self = ""] = subject.split(" ");
    if (kind === "alias") return { self, host: null, parts: parts.get(self) ?? [] };
    return { self, host: kind === "guest" ? (hostOf.get(self) ?? null) : null, parts: [] };
  };
}

export async function readHistory(
  store: Store,
  blueprint: Blueprint,
  from: number,
  to: number,
  zone: string,
): Promise<History> {
  const { watches, changes, events, steps } = await store.history(from, to);
  return historyOf({
    from,
    to,
    zone,
    watches,
    changes,
    facts: factsOf(events, steps),
    related: relatedIn(blueprint),
  });
}

/** @returns the span of so many days, today as far as it has come included */
export function lastDays(days: number, now: number, zone: string): readonly [from: number, to: number] {
  return [dayBefore(now, days - 1, zone), now];
}

/** Who changes too often, now. */
export async function whoFlaps(store: Store, now: number): Promise<readonly Flapping[]> {
  const { changes, events, steps } = await store.history(now - 3_600_000, now + 1);
  const facts: readonly Fact[] = factsOf(events, steps);
  return flapping(changes, facts, now);
}

/** Short form for machines: a line for each subject. */
export function historyInBrief({ from, to, zone, subjects }: History) {
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    zone,
    subjects: subjects.map(({ subject, total, days }) => ({
      subject,
      ...total,
      days: days.map((day) => LEVELS[levelOf(day)].mark).join(""),
    })),
  };
}

const COLOURS: Readonly<Record<keyof typeof LEVELS, Style>> = {
  good: "green",
  warn: "yellow",
  bad: "red",
  test: "cyan",
  none: "dim",
};

/** Outages that are listed one by one. */
const WORST = 12;

/** Days that fit in a line of a terminal beside their figures. */
const WIDEST = 62;
const WORST_FIRST: readonly DayLevel[] = ["bad", "warn", "test", "good", "none"];

/** @returns the days, or of so many together the worst; the last ones are today's */
export function inLine(days: readonly DayLevel[], every: number): readonly DayLevel[] {
  const first = days.length % every || every;
  return Array.from({ length: Math.ceil(days.length / every) }, (_, index) => {
    const group = days.slice(Math.max(0, first + (index - 1) * every), first + index * every);
    return WORST_FIRST.find((level) => group.includes(level)) ?? "none";
  });
}

/** One sentence: how it was. */
export function historySentence(site: string, { subjects, zone, from, to }: History): string {
  const span = `${wallClock(from, zone).slice(0, 10)} to ${wallClock(Math.max(from, to - 1), zone).slice(0, 10)}`;
  if (subjects.length === 0) return `${site}, ${span}: nobody looked`;
  const aliases = subjects.filter(({ subject }) => subject.startsWith("alias "));
  const looked = Math.max(...subjects.map(({ total }) => total.looked));
  const [worst] = [...(aliases.length > 0 ? aliases : subjects)].sort(
    (a, b) => (a.total.shareApart ?? 1) - (b.total.shareApart ?? 1),
  );
  const { shareApart, unanswered, tested } = worst!.total;
  const how =
    shareApart === 1
      ? `every ${aliases.length > 0 ? "alias" : "subject"} answered whenever somebody looked${tested > 0 ? ", acceptance tests apart" : ""}`
      : `${worst!.subject} answered least, ${percentText(shareApart)} of the time (${lengthText(unanswered - tested)} without an answer${tested > 0 ? ", acceptance tests apart" : ""})`;
  return `${site}, ${span}: ${how}; looked at for ${lengthText(looked)}`;
}

/** @returns what `status --history` prints */
export function historyLines(site: string, history: History): readonly string[] {
  const { subjects, zone } = history;
  const outages = subjects.flatMap((one) => one.outages);
  if (subjects.length === 0)
    return [
      `${historySentence(paint("bold", site), history)}.`,
      "  History is kept while somebody looks: domus serve does so every second.",
    ];
  const { days, months } = subjects[0]!;
  const used = new Set(subjects.flatMap((one) => one.days.map(levelOf)));
  const every = days.length > WIDEST ? 7 : 1;
  const strip = (of: (typeof subjects)[number]) =>
    inLine(of.days.map(levelOf), every)
      .map((level) => paint(COLOURS[level], LEVELS[level].mark))
      .join("");
  const heads = [
    "",
    `${days[0]!.name.slice(5)} … ${days.at(-1)!.name.slice(5)}`,
    "answered",
    "without",
    "outages",
    "looked at",
  ];
  return [
    `${historySentence(paint("bold", site), history)}.`,
    paint(
      "dim",
      `  days and times of ${zone}; ${(["good", "warn", "bad", "test", "none"] as const)
        .filter((level) => used.has(level))
        .map((level) => `${LEVELS[level].mark} ${LEVELS[level].says}`)
        .join(", ")}${every > 1 ? "; one mark a week, its worst day" : ""}`,
    ),
    "",
    ...table([
      heads.map((head) => paint("dim", head)),
      ...subjects.map((one) => [
        one.subject,
        strip(one),
        `${percentText(one.total.share)}${one.total.tested > 0 ? paint("dim", ` (${percentText(one.total.shareApart)} apart from tests)`) : ""}`,
        one.total.unanswered > 0 ? lengthText(one.total.unanswered) : "",
        one.total.outages > 0 ? String(one.total.outages) : "",
        paint("dim", lengthText(one.total.looked)),
      ]),
    ]),
    ...(months.length > 1
      ? [
          "",
          paint("bold", "Months"),
          ...table([
            ["", ...months.map(({ name }) => name)].map((head) => paint("dim", head)),
            ...subjects.map((one) => [one.subject, ...one.months.map(({ share }) => percentText(share))]),
          ]),
        ]
      : []),
    ...(outages.length > 0
      ? [
          "",
          paint("bold", outages.length > WORST ? `The worst ${WORST} of ${outages.length} outages` : "Outages"),
          ...table(worstOf(outages, WORST).map((one) => [wallClock(one.from, zone), one.subject, outageText(one)])),
        ]
      : []),
  ];
}
