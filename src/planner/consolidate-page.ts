/** The consolidation report as one page that stands alone. Pure: what it shows is in the report, so the same report gives the same bytes. */
import { ASSUMPTIONS, type AssumptionKey, NUMBER_ASSUMPTIONS } from "../model/index.ts";
import {
  barPlot,
  type Content,
  formatNumber,
  html,
  linePlot,
  notice,
  section,
  standingPage,
  tableOf,
} from "../pages/index.ts";
import type { Consolidation } from "./consolidate.ts";
import { figuresOf, rangeText, roughly } from "./consolidate-figures.ts";

export interface ConsolidationAbout {
  readonly title: string;
  readonly facts: readonly (readonly [term: string, says: string])[];
  /** What comes first, in a sentence. */
  readonly lead: string;
  /** Slips of the table, with their places. */
  readonly warnings: readonly string[];
  /** Who assumed what: `default`, `file` or `option`. */
  readonly origin: Readonly<Record<AssumptionKey, string>>;
  /** What was asked for, to make the page again. */
  readonly command: string;
}

const LONGEST_NAME = 30;
const short = (name: string): string => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name);

/** Bars beyond that make a plot nobody reads; the table has every row. */
const MOST_BARS = 40;

export function consolidationPage(report: Consolidation, about: ConsolidationAbout): string {
  return standingPage({
    title: `Consolidation: ${about.title}`,
    lead: about.lead,
    facts: about.facts,
    body: [
      about.warnings.length > 0 &&
        notice(
          "warn",
          html`The table has slips; its totals are kept.${about.warnings.map((one) => html`<br><code>${one}</code>`)}`,
        ),
      section("Machines", machines(report)),
      section("Consolidation", ranges(report)),
      section("Systems", systems(report)),
      section("Energy, space, money", money(report)),
      section("Assumed", assumed(report, about)),
    ],
    foot: html`Made by <code>${about.command}</code>. Every number is computed from the rows above and the assumptions; change one, and make it again.`,
  });
}

function machines({ physical, virtual, pairs, about }: Consolidation): Content {
  const format = (value: number): string => `${about ? "~" : ""}${formatNumber(value)}`;
  const without = physical - pairs / 2;
  return barPlot({
    title: "Physical machines",
    describe: `${format(virtual)} machines with one service each; ${format(physical)} hosts with virtualization${pairs > 0 ? `; ${format(without)} if half of the ${pairs} hosts that hold pairs were given up` : ""}.`,
    x: { label: "machines" },
    bars: [
      { name: "a machine for each guest", value: virtual, says: format(virtual), ink: 4 },
      { name: "with virtualization", value: physical, says: format(physical) },
      ...(pairs > 0 ? [{ name: "without second copies", value: without, says: format(without), ink: 1 }] : []),
    ],
  });
}

function ranges({ ranges: found, factor }: Consolidation): Content {
  return [
    barPlot({
      title: "Guests for each host",
      describe: `${found.map((range) => `${range.title}: ${rangeText(range)}`).join("; ")}.`,
      x: { label: "guests for each host" },
      bars: found.map((range, index) => ({
        name: index === 0 ? "as it is" : "without second copies",
        low: range.low,
        value: range.high,
        says: `${range.low.toFixed(1)} to ${range.highAtLeast ? "≥ " : ""}${formatNumber(range.high)}`,
        ink: index,
      })),
      marks: [{ at: factor, says: `mean ${factor.toFixed(1)}` }],
    }),
    html`<ul class="plain">${found.map(
      (range) =>
        html`<li><strong>${range.title}: ${rangeText(range)}</strong><br>${range.definition}${range.caveat && html`<br>${range.caveat}`}</li>`,
    )}</ul>`,
  ];
}

function systems(report: Consolidation): Content {
  const about = (value: number, row: { readonly about: boolean }) => `${row.about ? "~" : ""}${formatNumber(value)}`;
  const shown = report.rows.slice(0, MOST_BARS);
  return [
    tableOf({
      caption: "Each row of the table, and what follows from it",
      hideCaption: true,
      columns: [
        { head: "System" },
        { head: "Technology" },
        { head: "Hosts", number: true },
        { head: "Guests", number: true },
        { head: "For each", number: true },
        { head: "Fullest", number: true },
        { head: "With pairs", number: true },
        { head: "Services" },
      ],
      rows: report.rows.map((row) => [
        row.name,
        row.technology,
        about(row.physical, row),
        formatNumber(row.virtual),
        row.factor.toFixed(1),
        `${row.fullestAtLeast ? "≥ " : ""}${row.fullest}`,
        row.pairs,
        [
          row.services ?? row.groups.map(({ title, guests }) => `${title}: ${guests}`).join(", "),
          row.note && html`<small>${row.note}</small>`,
        ],
      ]),
      foot: [
        "In all",
        "",
        about(report.physical, report),
        formatNumber(report.virtual),
        report.factor.toFixed(1),
        `${report.ranges[0].highAtLeast ? "≥ " : ""}${report.ranges[0].high}`,
        report.pairs,
        "",
      ],
    }),
    barPlot({
      title: "Guests for each host, by system",
      describe: `The mean of each row, ${report.factor.toFixed(1)} over all; behind it the most on one host, as far as the row says.${shown.length < report.rows.length ? ` The first ${MOST_BARS} of ${report.rows.length} rows.` : ""}`,
      x: { label: "guests for each host" },
      bars: shown.map((row) => ({
        name: short(row.name),
        value: row.factor,
        says: `${row.factor.toFixed(1)}, most ${row.fullestAtLeast ? "≥ " : ""}${row.fullest}`,
      })),
    }),
  ];
}

function money(report: Consolidation): Content {
  const { savings, assumptions } = report;
  const years = savings.byYear.map(({ year }) => year);
  const energy = (end: "before" | "after") => years.map((year) => [year, (savings.energy[end] * year) / 1000] as const);
  const last = savings.byYear.at(-1)!;
  const [unit, label] = last.before >= 1e6 ? [1e6, `million ${assumptions.currency}`] : [1, assumptions.currency];
  return [
    tableOf({
      caption: "Figures with two digits, because the assumptions bear no more",
      columns: [
        { head: "Figure" },
        { head: "A machine for each guest", number: true },
        { head: "These hosts", number: true },
        { head: "Saved", number: true },
        { head: "Reckoned from" },
      ],
      rows: figuresOf(report).map(({ name, before, after, saved, because }) => [name, before, after, saved, because]),
    }),
    linePlot({
      title: `Money, ${assumptions.currency} in all`,
      describe: `After ${last.year} years ${roughly(last.before)} ${assumptions.currency} with a machine for each guest, ${roughly(last.after)} with these hosts; bought again every ${assumptions.life} years.`,
      x: { label: "years", to: assumptions.years },
      y: { label },
      series: [
        { name: "a machine for each guest", points: savings.byYear.map(({ year, before }) => [year, before / unit]) },
        { name: "these hosts", points: savings.byYear.map(({ year, after }) => [year, after / unit]) },
      ],
    }),
    linePlot({
      title: "Energy, MWh in all",
      describe: `After ${last.year} years ${roughly((savings.energy.before * last.year) / 1000)} MWh with a machine for each guest, ${roughly((savings.energy.after * last.year) / 1000)} MWh with these hosts.`,
      x: { label: "years", to: assumptions.years },
      y: { label: "MWh" },
      series: [
        { name: "a machine for each guest", points: energy("before") },
        { name: "these hosts", points: energy("after") },
      ],
    }),
  ];
}

function assumed({ assumptions }: Consolidation, { origin }: ConsolidationAbout): Content {
  return tableOf({
    caption: "Change them in the file under assumptions, or by options of the same names",
    columns: [{ head: "Name" }, { head: "Value", number: true }, { head: "Meaning" }, { head: "From" }],
    rows: [
      ...NUMBER_ASSUMPTIONS.map((key) => {
        const { unit, says } = ASSUMPTIONS[key];
        return [
          html`<code>${key}</code>`,
          `${formatNumber(assumptions[key])} ${unit === "money" ? assumptions.currency : unit}`,
          says,
          origin[key],
        ];
      }),
      [html`<code>currency</code>`, assumptions.currency, "of all prices", origin.currency],
    ],
  });
}
