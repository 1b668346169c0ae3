/** The basic test on the page: every copy and alias in one table, and how fast they answered. */
import { barPlot, type Html, html, sparkline, tableOf, tag } from "../../pages/index.ts";
import type { BasicPart, TestReport } from "../contract.ts";
import { duration, milliseconds, number } from "./words.ts";

export function basicSection({ parts }: TestReport<BasicPart>): Html {
  return html`<p>Each copy was asked at its own address, and each alias through the front end, all at the same time. Right means the answer that the site file makes it, or the same from every copy.</p>${tableOf(
    {
      caption: "Copies and aliases",
      hideCaption: true,
      columns: [
        { head: "Part" },
        { head: "Service" },
        { head: "Verdict" },
        { head: "Questions", number: true },
        { head: "Right", number: true },
        { head: "Middle", number: true },
        { head: "99 %", number: true },
        { head: "Longest gap", number: true },
        { head: "Answers in order" },
      ],
      rows: parts.map((part) => [
        part.part,
        part.service ?? "",
        part.passed ? tag("good", "right") : tag("bad", "not right"),
        number(part.requests),
        number(part.requests - part.lost),
        milliseconds(part.latency.p50),
        milliseconds(part.latency.p99),
        part.gapSeconds === 0 ? "none" : duration(part.gapSeconds),
        sparkline(
          part.series.map((value) => value ?? 0),
          `${part.requests} questions in order; ${part.lost === 0 ? "none failed" : `${part.lost} failed`}`,
          (index) => part.series[index] === null,
        ),
      ]),
    },
  )}${barPlot({
    title: "How fast they answered",
    describe: describe(parts),
    x: { label: "milliseconds for 99 of 100 answers" },
    bars: parts.map(({ part, latency }) => ({
      name: part,
      value: latency.p99,
      ink: part.startsWith("alias") ? 1 : 0,
      says: milliseconds(latency.p99),
    })),
  })}<details><summary>What was asked</summary><ul class="plain">${[...new Set(parts.flatMap(({ asked }) => asked))].map((asks) => html`<li>${asks}</li>`)}</ul></details>`;
}

function describe(parts: readonly BasicPart[]): string {
  const sorted = [...parts].sort((a, b) => a.latency.p99 - b.latency.p99);
  const [first, last] = [sorted[0], sorted.at(-1)];
  return first && last
    ? `From ${milliseconds(first.latency.p99)} (${first.part}) to ${milliseconds(last.latency.p99)} (${last.part}).`
    : "Nothing was asked.";
}
