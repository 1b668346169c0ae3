/** The failover test on the page: what was killed, who took over, what clients felt. */
import { barPlot, type Content, type Html, html, sparkline, tableOf, tag } from "../../pages/index.ts";
import type { AcceptanceReport, FailoverPart, TestReport } from "../contract.ts";
import { duration, number } from "./words.ts";

export function failoverSection({ parts }: TestReport<FailoverPart>, { objectives }: AcceptanceReport): Html {
  const longest = Math.max(0, ...parts.map(({ gapSeconds }) => gapSeconds));
  return html`<p>Under a steady load each of these was killed as a power switch would, left dead for some seconds, and brought back; then the next one. The last column is calls answered in each tenth of a second, from two seconds before; lost calls are full red bars.</p>${tableOf(
    {
      caption: "What was killed, and what clients felt",
      hideCaption: true,
      columns: [
        { head: "Killed" },
        { head: "Service" },
        { head: "Verdict" },
        { head: "Calls", number: true },
        { head: "Repeated", number: true },
        { head: "Lost", number: true },
        { head: "Without service", number: true },
        { head: "Whole again", number: true },
        { head: "In its place" },
        { head: "Calls answered" },
      ],
      rows: parts.map((part) => [
        part.part,
        part.service ?? (part.kind === "host" ? `${part.guests.length} guests` : ""),
        part.passed ? tag("good", "kept") : tag("bad", "not kept"),
        number(part.requests),
        number(part.lost),
        number(part.lostAfterRetry),
        part.gapSeconds === 0 ? "none" : duration(part.gapSeconds),
        part.wholeAfterSeconds === null ? "never" : duration(part.wholeAfterSeconds),
        part.tookOver,
        sparkline(
          part.timeline.map(({ answered }) => answered),
          `${number(part.requests)} calls while ${part.part} was dead and came back, ${part.lostAfterRetry} lost`,
          (index) => part.timeline[index]!.lost > 0,
        ),
      ]),
    },
  )}${barPlot({
    title: "Longest time without service",
    describe: `At most ${duration(longest)}; the objective is ${duration(objectives.site.gap)}.`,
    x: { label: "seconds", to: Math.max(longest, objectives.site.gap) },
    bars: parts.map(({ part, gapSeconds }) => ({
      name: part,
      value: gapSeconds,
      says: gapSeconds === 0 ? "none" : duration(gapSeconds),
    })),
    marks: [{ at: objectives.site.gap, says: "objective" }],
  })}${parts.map(story)}`;
}

/** What happened, moment by moment, and what each alias felt. */
function story(part: FailoverPart): Content {
  return html`<details><summary>${part.part}: ${part.says}</summary><p class="soft">${part.how}, on ${part.host}${part.guests.length > 1 && html`, with ${part.guests.join(", ")}`}.</p><ol>${part.moments.map(({ at, says }) => html`<li>${at < 0 ? "" : `after ${duration(at / 1000)}: `}${says}</li>`)}</ol>${tableOf(
    {
      caption: `What each alias felt when ${part.part} died`,
      hideCaption: true,
      columns: [
        { head: "Alias" },
        { head: "Calls", number: true },
        { head: "Repeated", number: true },
        { head: "Lost", number: true },
        { head: "Without service", number: true },
        { head: "Slowest", number: true },
        { head: "What was seen" },
      ],
      rows: part.aliases.map((alias) => [
        alias.alias,
        number(alias.requests),
        number(alias.lost),
        number(alias.lostAfterRetry),
        alias.gapSeconds === 0 ? "none" : duration(alias.gapSeconds),
        duration(alias.slowestMs / 1000),
        alias.says,
      ]),
    },
  )}</details>`;
}
