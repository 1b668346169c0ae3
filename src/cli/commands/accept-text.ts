/** An acceptance report in lines for people. */
import {
  type AcceptanceReport,
  type BasicPart,
  type Comparison,
  type FailoverPart,
  type Finding,
  NEXT,
  type Part,
  type StressPart,
  type TestReport,
} from "../../acceptance/index.ts";
import { formatNumber } from "../../pages/index.ts";
import { formatMilliseconds, paint, table } from "../say.ts";

const BARS = "▁▂▃▄▅▆▇█";

/** @returns a line of so many characters at most, each the sum of its share of the values; what was lost is a cross */
export function sparkText(timeline: FailoverPart["timeline"], width = 30): string {
  if (timeline.length === 0) return "";
  const per = Math.ceil(timeline.length / width);
  const sums = Array.from({ length: Math.ceil(timeline.length / per) }, (_, index) =>
    timeline.slice(index * per, (index + 1) * per).reduce(
      (sum, one) => ({
        answered: sum.answered + one.answered,
        lost: sum.lost + one.lost,
        repeated: sum.repeated + one.repeated,
      }),
      { answered: 0, lost: 0, repeated: 0 },
    ),
  );
  const most = Math.max(1, ...sums.map(({ answered }) => answered));
  return sums
    .map(({ answered, lost, repeated }) => {
      if (lost > 0) return paint("red", "✗");
      const bar = BARS[Math.min(BARS.length - 1, Math.round((answered / most) * (BARS.length - 1)))]!;
      return repeated > 0 ? paint("yellow", bar) : bar;
    })
    .join("");
}

const mark = ({ passed }: Part): string => (passed ? paint("green", "✔") : paint("red", "✗"));
const dim = (words: readonly string[]): readonly string[] => words.map((word) => paint("dim", word));
const seconds = (value: number): string => (value === 0 ? "no gap" : formatMilliseconds(value * 1000));

function basicRows(parts: readonly BasicPart[]): readonly (readonly string[])[] {
  return [
    dim(["", "", "asked", "right", "middle", "99 %", "gap"]),
    ...parts.map((part) => [
      `${mark(part)} ${part.part}`,
      part.service ?? "",
      String(part.requests),
      String(part.requests - part.lost),
      formatMilliseconds(part.latency.p50),
      formatMilliseconds(part.latency.p99),
      seconds(part.gapSeconds),
    ]),
  ];
}

function failoverRows(parts: readonly FailoverPart[]): readonly (readonly string[])[] {
  return [
    dim(["killed", "", "calls", "repeated", "lost", "gap", "whole after", "", "in its place"]),
    ...parts.map((part) => [
      `${mark(part)} ${part.part}`,
      part.service ?? "",
      String(part.requests),
      String(part.lost),
      part.lostAfterRetry > 0 ? paint("red", String(part.lostAfterRetry)) : "0",
      seconds(part.gapSeconds),
      part.wholeAfterSeconds === null ? paint("red", "never") : formatMilliseconds(part.wholeAfterSeconds * 1000),
      sparkText(part.timeline),
      part.tookOver,
    ]),
  ];
}

function stressRows(parts: readonly StressPart[]): readonly (readonly string[])[] {
  return [
    dim([
      "alias",
      "calls/s",
      "a day",
      "99 %",
      "of a processor",
      "kept connections",
      "next server at",
      "full first",
      "then add",
    ]),
    ...parts.map((part) => [
      `${mark(part)} ${part.alias}`,
      formatNumber(part.knee.perSecond),
      part.callsPerDay === null ? "" : formatNumber(part.callsPerDay),
      formatMilliseconds(part.knee.p99Ms),
      part.perProcessor === null ? "" : `${formatNumber(part.perProcessor)}/s`,
      part.keptPerSecond === null ? "" : `${formatNumber(part.keptPerSecond)}/s`,
      part.nextServerAt === null ? "" : `${formatNumber(part.nextServerAt)} a day`,
      part.saturated.tier,
      NEXT[part.next.add],
    ]),
  ];
}

/** Who was full and what to add, by alias: sentences are no columns. */
function stressLines(parts: readonly StressPart[]): readonly string[] {
  const generators = [...new Set(parts.map(({ generatorPerSecond }) => formatNumber(generatorPerSecond)))];
  return [
    ...parts.flatMap(({ alias, saturated, next }) => [
      `  ${paint("bold", alias)}  full first: ${saturated.says}`,
      `  ${" ".repeat(alias.length)}  then add: ${next.says}`,
    ]),
    ...(parts.length > 0
      ? [paint("dim", `  The load generator with processors of its own can ask ${generators.join(" or ")} a second.`)]
      : []),
  ];
}

const ROWS = {
  basic: (report: TestReport) => basicRows(report.parts as readonly BasicPart[]),
  failover: (report: TestReport) => failoverRows(report.parts as readonly FailoverPart[]),
  stress: (report: TestReport) => stressRows(report.parts as readonly StressPart[]),
} as const;

const MARKS: Readonly<Record<Finding["level"], string>> = {
  failed: paint("red", "✗"),
  warning: paint("yellow", "!"),
  note: paint("dim", "·"),
};

const LEVELS = Object.keys(MARKS);

function testLines(report: TestReport): readonly string[] {
  return [
    "",
    `${paint("bold", report.test)}  ${report.passed ? paint("green", "passed") : paint("red", report.interrupted ? "interrupted" : "not passed")}${paint("dim", ` in ${formatMilliseconds(report.durationMs)}`)}: ${report.says}`,
    "",
    ...table(ROWS[report.test](report)),
    ...(report.test === "stress" && report.parts.length > 0
      ? ["", ...stressLines(report.parts as readonly StressPart[])]
      : []),
    ...(report.findings.length > 0 ? [""] : []),
    ...report.findings
      .toSorted((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level))
      .map(({ level, says }) => `  ${MARKS[level]} ${says}`),
  ];
}

/** @returns what `accept` prints at its end, and `accept SITE show` */
export function reportLines(report: AcceptanceReport): readonly string[] {
  const { site, blueprint, machine } = report;
  return [
    `${paint("bold", site)} ${report.passed ? paint("green", "passed") : paint("red", "did not pass")} ${report.tests.map(({ test }) => test).join(", ")} in ${formatMilliseconds(report.durationMs)}`,
    paint(
      "dim",
      `  ${report.id}, blueprint ${blueprint.number}, ${machine.cpus} processors (${machine.model})${machine.driver === "embedded" ? ", hosts, guests and clients on this one machine" : ""}`,
    ),
    ...report.tests.flatMap(testLines),
  ];
}

const VERDICTS: Readonly<Record<Comparison["changes"][number]["verdict"], string>> = {
  better: paint("green", "better"),
  worse: paint("red", "worse"),
  same: "",
  new: paint("cyan", "new"),
  gone: paint("yellow", "gone"),
};

/** @returns what changed between two reports; what did not is only counted */
export function comparisonLines({ before, after, changes }: Comparison): readonly string[] {
  const changed = changes.filter(({ verdict }) => verdict !== "same");
  const said = (value: number | null, { what, unit }: Comparison["changes"][number]): string =>
    value === null
      ? ""
      : what === "passed"
        ? value === 1
          ? "yes"
          : "no"
        : `${formatNumber(value)}${unit && ` ${unit}`}`;
  return [
    "",
    `Since ${before.id}: ${changed.length === 0 ? paint("green", "nothing changed") : `${changed.length} of ${changes.length} figures changed`}${paint("dim", " (beyond what two runs differ anyway)")}`,
    ...table(
      changed.map((change) => [
        `${change.test} ${change.part}`,
        change.what,
        `${said(change.before, change)} → ${said(change.after, change)}`,
        VERDICTS[change.verdict],
      ]),
    ),
    ...(before.passed === after.passed
      ? []
      : [`  ${after.passed ? paint("green", "It passes again.") : paint("red", "It passed then, and does not now.")}`]),
  ];
}
