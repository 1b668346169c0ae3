/** The stress test on the page: each alias up to its limit, who was full first, and when the next server is due. */
import { formatSize } from "../../model/index.ts";
import { barPlot, type Html, html, linePlot, tableOf, tag } from "../../pages/index.ts";
import type { AcceptanceReport, StressPart, StressStep, TestReport } from "../contract.ts";
import { NEXT } from "../stress/next.ts";
import { GENERATOR, MACHINE } from "../stress/tiers.ts";
import { duration, milliseconds, number } from "./words.ts";

/** Nobody reads hundredths of it. */
const MiB = 1024 ** 2;

export function stressSection({ parts }: TestReport<StressPart>, report: AcceptanceReport): Html {
  return html`<p>Calls a second were raised until the objectives no longer held; the highest load at which they did is the limit. The next server is to be planned when three quarters of it are reached.</p>${tableOf(
    {
      caption: "What each service can do",
      hideCaption: true,
      columns: [
        { head: "Alias" },
        { head: "Verdict" },
        { head: "Calls a second", number: true },
        { head: "Calls a day", number: true },
        { head: "Plan the next server at", number: true },
        { head: "99 % within", number: true },
        { head: "Full first" },
        { head: "Then add" },
      ],
      rows: parts.map((part) => [
        part.alias,
        part.passed ? tag("good", "kept") : tag("bad", "not kept"),
        number(part.knee.perSecond),
        part.callsPerDay === null ? "–" : number(part.callsPerDay),
        part.nextServerAt === null ? "–" : `${number(part.nextServerAt)} a day`,
        milliseconds(part.knee.p99Ms),
        part.saturated.tier,
        NEXT[part.next.add],
      ]),
    },
  )}${parts.map((part) => aliasOf(part, report))}`;
}

function aliasOf(part: StressPart, { objectives }: AcceptanceReport): Html {
  const { latency } = objectives.services[part.service ?? ""] ?? objectives.site;
  const open = byLoad(part.steps);
  const at = part.steps.find(({ kind, kept }) => kind === "soak" && kept) ?? open.findLast(({ kept }) => kept);
  return html`<h3>${part.part}</h3><p>${part.says}.</p><p><strong>Full first:</strong> ${part.saturated.says}.</p><p><strong>Then add:</strong> ${part.next.says}.</p><p>${beside(part)}</p>${
    open.length > 1 &&
    linePlot({
      title: `${part.alias}: how long answers took, by how much was asked`,
      describe: `The objective of ${duration(latency)} held up to ${number(part.knee.perSecond)} calls a second.`,
      x: { label: "calls a second offered" },
      y: { label: "milliseconds", scale: "log" },
      series: [
        { name: "99 of 100 answers", points: open.map((step) => [step.offered, step.latency.p99]) },
        { name: "middle answer", points: open.map((step) => [step.offered, step.latency.p50]) },
      ],
      marks: [
        { axis: "y", at: latency * 1000, says: "objective" },
        { axis: "x", at: part.knee.perSecond, says: "limit" },
        { axis: "x", at: part.knee.perSecond * 0.75, says: "75 %" },
      ],
    })
  }${at && used(part, at)}<details><summary>Every step of ${part.alias}</summary>${steps(part)}</details>`;
}

/** A load that was tried again counts once: as it held, or as it broke the last time. */
function byLoad(steps: readonly StressStep[]): readonly StressStep[] {
  const tried = new Map<number, StressStep>();
  for (const step of steps) if (step.kind === "open" && !tried.get(step.offered)?.kept) tried.set(step.offered, step);
  return [...tried.values()].sort((a, b) => a.offered - b.offered);
}

function beside({ service, generatorPerSecond, keptPerSecond, perProcessor }: StressPart): string {
  const own =
    perProcessor === null
      ? ""
      : ` One processor of the copies of ${service} answers ${number(perProcessor)} calls a second.`;
  const kept =
    keptPerSecond === null ? "" : ` With connections that are kept it answers ${number(keptPerSecond)} calls a second.`;
  return `Each call has a connection of its own.${own}${kept} The load generator, with processors of its own, can ask ${number(generatorPerSecond)} a second with new ones.`;
}

function used(part: StressPart, step: StressStep): Html {
  return barPlot({
    title: `${part.alias}: processors used at ${number(step.answeredPerSecond)} calls a second`,
    describe: `The machine was idle for ${number(step.idle * 100)} % of the time, its load average ${number(step.loadAverage)}.`,
    x: { label: "processors" },
    bars: step.use.map(({ name, tier, processors, of, memory }) => ({
      name: tier === name || tier === MACHINE ? name : `${name} (${tier})`,
      value: processors,
      says: `${number(processors)} of ${number(of)}${memory === null ? "" : `, ${formatSize(Math.round(memory / MiB) * MiB)}`}`,
      ink: tier === GENERATOR ? 1 : 0,
    })),
  });
}

function steps({ steps: all, alias }: StressPart): Html {
  return tableOf({
    caption: `Every step of ${alias}`,
    hideCaption: true,
    columns: [
      { head: "Load" },
      { head: "Answered a second", number: true },
      { head: "Middle", number: true },
      { head: "99 %", number: true },
      { head: "99.9 %", number: true },
      { head: "Repeated", number: true },
      { head: "Refused", number: true },
      { head: "Lost", number: true },
      { head: "Load average", number: true },
      { head: "Idle", number: true },
      { head: "Objectives" },
    ],
    rows: all.map((step) => [
      step.kind === "closed"
        ? `${step.offered} clients${step.connections === "kept" ? ", kept connections" : ""}`
        : `${number(step.offered)} a second${step.kind === "soak" ? `, ${duration(step.seconds)}` : ""}`,
      number(step.answeredPerSecond),
      milliseconds(step.latency.p50),
      milliseconds(step.latency.p99),
      milliseconds(step.latency.p999),
      number(step.repeated),
      number(step.refused),
      number(step.lost),
      number(step.loadAverage),
      `${number(step.idle * 100)} %`,
      step.kept ? tag("good", "held") : html`${tag("bad", "broken")} ${step.says}`,
    ]),
  });
}
