/** Availability as one page that stands alone: each day of each subject, each month, every outage with its cause. Pure. */
import {
  type Cell,
  type Content,
  html,
  section,
  sparkline,
  standingPage,
  strip,
  tableOf,
  tag,
} from "../../pages/index.ts";
import { wallClock } from "./calendar.ts";
import type { History, Outage, SubjectHistory } from "./history.ts";
import { type DayLevel, LEVELS, lengthText, levelOf, outageText, percentText, periodText, worstOf } from "./words.ts";

export interface HistoryAbout {
  readonly site: string;
  /** What comes first, in a sentence. */
  readonly lead: string;
  /** What each subject is: `gums copy 0 on fermigrid5`. */
  readonly titles: ReadonlyMap<string, string>;
  /** What was asked for, to make the page again. */
  readonly command: string;
}

const CELLS: Readonly<Record<DayLevel, Cell["level"]>> = {
  none: "none",
  good: "good",
  test: "warn",
  warn: "warn",
  bad: "bad",
};
/** More rows than that are no list that anybody reads; the sums have them all. */
const MOST_OUTAGES = 300;

export function historyPage(history: History, about: HistoryAbout): string {
  const { subjects, zone, from, to } = history;
  const outages = subjects.flatMap((one) => one.outages);
  const days = subjects[0]?.days ?? [];
  return standingPage({
    title: `Availability of ${about.site}`,
    lead: about.lead,
    facts: [
      ["From", wallClock(from, zone)],
      ["To", wallClock(to, zone)],
      ["Days and times", zone],
      ["Outages", outages.length],
    ],
    body: [
      subjects.length === 0
        ? section("Days", html`<p>Nobody looked in this time: <code>domus serve</code> looks every second.</p>`)
        : [
            section(`Each day, ${days[0]!.name} to ${days.at(-1)!.name}`, dayTable(subjects, about)),
            section("Each month", monthTable(subjects)),
            section("Outages", outageTable(outages, zone)),
          ],
      section("How this is reckoned", reckoning()),
    ],
    foot: html`Made by <code>${about.command}</code>.`,
  });
}

function dayTable(subjects: readonly SubjectHistory[], { titles }: HistoryAbout): Content {
  const legend = (["good", "warn", "bad", "none"] as const).map(
    (level) =>
      html`<li>${strip([{ level, says: LEVELS[level].says }], LEVELS[level].says)} ${LEVELS[level].says}${level === "warn" ? ", or acceptance tests only" : null}</li>`,
  );
  return [
    html`<ul class="legend">${legend}</ul>`,
    tableOf({
      caption: "One mark for each day, the oldest at the left; point at one for its figures",
      columns: [
        { head: "Subject" },
        { head: "Days" },
        { head: "Answered", number: true },
        { head: "Without an answer", number: true },
        { head: "Outages", number: true },
        { head: "Looked at", number: true },
      ],
      rows: subjects.map(({ subject, days, total }) => [
        [subject, titles.has(subject) && html`<br><small class="soft">${titles.get(subject)}</small>`],
        strip(
          days.map((day) => ({ level: CELLS[levelOf(day)], says: periodText(day) })),
          daysInWords(days),
        ),
        [
          percentText(total.share),
          total.tested > 0 && html`<br><small class="soft">${percentText(total.shareApart)} apart from tests</small>`,
        ],
        total.unanswered > 0 ? lengthText(total.unanswered) : "none",
        total.outages,
        lengthText(total.looked),
      ]),
    }),
  ];
}

/** For somebody who cannot see the marks. */
function daysInWords(days: SubjectHistory["days"]): string {
  const counts = Map.groupBy(days, levelOf);
  const count = (level: DayLevel) => counts.get(level)?.length ?? 0;
  const bad = days.filter((day) => levelOf(day) === "bad").map(({ name }) => name);
  const named = bad.length > 0 && bad.length <= 8 ? ` (${bad.join(", ")})` : "";
  return `${days.length} days: ${count("good")} without an outage, ${count("warn")} with a short one, ${count("test")} with acceptance tests only, ${bad.length} bad${named}, ${count("none")} in which nobody looked`;
}

function monthTable(subjects: readonly SubjectHistory[]): Content {
  return tableOf({
    caption: "Each month of each subject; the bars are the seconds without an answer of each day",
    columns: [
      { head: "Subject" },
      { head: "Month", number: true },
      { head: "Answered", number: true },
      { head: "Apart from tests", number: true },
      { head: "Without an answer", number: true },
      { head: "Outages", number: true },
      { head: "Looked at", number: true },
      { head: "By day" },
    ],
    rows: subjects.flatMap(({ subject, months, days }) =>
      months
        .filter(({ looked }) => looked >= 1)
        .map((month) => {
          const within = days.filter(({ name }) => name.startsWith(month.name));
          return [
            subject,
            month.name,
            percentText(month.share),
            percentText(month.shareApart),
            month.unanswered > 0 ? lengthText(month.unanswered) : "none",
            month.outages,
            lengthText(month.looked),
            month.unanswered > 0
              ? sparkline(
                  within.map(({ unanswered }) => unanswered),
                  `${subject}, ${month.name}: at most ${lengthText(Math.max(...within.map(({ unanswered }) => unanswered)))} without an answer in a day`,
                )
              : "",
          ];
        }),
    ),
  });
}

function outageTable(outages: readonly Outage[], zone: string): Content {
  if (outages.length === 0) return html`<p>None was seen.</p>`;
  const shown = worstOf(outages, MOST_OUTAGES).toSorted((a, b) => b.from - a.from);
  return [
    outages.length > shown.length && html`<p>The worst ${shown.length} of ${outages.length}, the newest first.</p>`,
    tableOf({
      caption: "Outages, the newest first",
      hideCaption: true,
      columns: [{ head: "Began" }, { head: "Subject" }, { head: "Kind" }, { head: "How long, why, what was seen" }],
      rows: shown.map((one) => [
        wallClock(one.from, zone),
        one.subject,
        tag(
          one.cause.kind === "unknown" ? "bad" : one.cause.kind === "acceptance" ? "plain" : "warn",
          CAUSE_WORDS[one.cause.kind],
        ),
        outageText(one),
      ]),
    }),
  ];
}

const CAUSE_WORDS: Readonly<Record<Outage["cause"]["kind"], string>> = {
  acceptance: "acceptance test",
  person: "by a person",
  host: "host away",
  ended: "it ended",
  replaced: "made anew",
  up: "during up",
  unknown: "not known",
};

function reckoning(): Content {
  return html`<ul class="plain">
<li>A subject is looked at once a second while <code>domus serve</code> (or <code>npm start</code>) runs. Times in which nobody looked are neither good nor bad: they are in no share.</li>
<li>An outage lasts from the first question without an answer to the first answer. Answering reads only counts as an answer.</li>
<li>Causes are what Domus noted at that time; where it noted nothing, it says so. Outages of acceptance tests are in the sums and told apart.</li>
<li>Days are those of the time zone above: one with a change of daylight saving has 23 or 25 hours.</li>
</ul>`;
}
