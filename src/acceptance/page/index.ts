/** A report as one page that can be handed to a director: nothing to fetch, nothing to run, every figure with what it means. */
import {
  type Content,
  type Html,
  html,
  notice,
  section,
  standingPage,
  type Tone,
  tableOf,
  tag,
} from "../../pages/index.ts";
import type { Change, Comparison } from "../compare.ts";
import type {
  AcceptanceReport,
  BasicPart,
  FailoverPart,
  Finding,
  StressPart,
  TestName,
  TestReport,
} from "../contract.ts";
import { basicSection } from "./basic.ts";
import { failoverSection } from "./failover.ts";
import { stressSection } from "./stress.ts";
import { duration, number } from "./words.ts";

const TITLES: Readonly<Record<TestName, string>> = {
  basic: "Basic: does every copy give the right answers?",
  failover: "Failover: what happens when something dies?",
  stress: "Stress: how much can it do, and when is the next server due?",
};

/** @param comparison with an earlier report; `null` when there is none */
export function acceptancePage(report: AcceptanceReport, comparison: Comparison | null): string {
  const { site, machine, blueprint, tests } = report;
  const at = new Date(report.startedAt).toISOString();
  return standingPage({
    title: `Acceptance of ${site}`,
    lead: verdictOf(report),
    facts: [
      ["Site", site],
      ["Verdict", report.passed ? tag("good", "passed") : tag("bad", "not passed")],
      ["When", `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`],
      ["Took", duration(report.durationMs / 1000)],
      ["Blueprint", String(blueprint.number)],
      ["Machine", `${machine.cpus} processors, ${Math.round(machine.memory / 2 ** 30)} GiB`],
    ],
    body: html`${machine.driver === "embedded" && embedded(machine)}${summary(tests)}${comparison && changed(comparison)}${tests.map((test) => section(TITLES[test.test], testBody(test, report), test.test))}${section("How it was measured", method(report))}`,
    foot: `Made by Domus ${machine.domus}, report ${report.id}, blueprint ${blueprint.id.slice(0, 12)}, kernel ${machine.kernel}. Again: domus accept ${site} ${tests.length === 3 ? "all" : (tests[0]?.test ?? "all")}`,
  });
}

function verdictOf({ passed, tests, site }: AcceptanceReport): string {
  const names = tests.map(({ test }) => test).join(", ");
  if (passed) return `${site} passed ${names}: ${tests.map(({ says }) => says).join("; ")}.`;
  const failed = tests.filter((test) => !test.passed);
  return `${site} did not pass: ${failed.map(({ test, says }) => `${test}: ${says}`).join("; ")}.`;
}

const embedded = ({ cpus, model }: AcceptanceReport["machine"]): Html =>
  notice(
    "warn",
    `Hosts, guests and the clients that measured them all ran on one machine with ${cpus} processors (${model}). What died and came back is as it would be elsewhere; how much a service can do is what was left of that machine.`,
  );

function summary(tests: readonly TestReport[]): Html {
  return section(
    "In short",
    html`${tableOf({
      caption: "The tests and what came of them",
      hideCaption: true,
      columns: [{ head: "Test" }, { head: "Verdict" }, { head: "What came of it" }, { head: "Took", number: true }],
      rows: tests.map((test) => [
        html`<a href="#${test.test}">${test.test}</a>`,
        test.passed ? tag("good", "passed") : tag("bad", test.interrupted ? "interrupted" : "not passed"),
        test.says,
        duration(test.durationMs / 1000),
      ]),
    })}${findings(tests.flatMap((test) => test.findings))}`,
  );
}

/** In the order of their weight. */
const LEVELS = { failed: "bad", warning: "warn", note: "plain" } as const satisfies Record<Finding["level"], Tone>;

function findings(all: readonly Finding[]): Content {
  if (all.length === 0) return null;
  const order = Object.keys(LEVELS);
  const sorted = [...all].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
  return html`<h3>What a person should look at</h3><ul class="plain">${sorted.map(({ level, says }) => html`<li>${tag(LEVELS[level], level)} ${says}</li>`)}</ul>`;
}

function testBody(test: TestReport, report: AcceptanceReport): Content {
  switch (test.test) {
    case "basic":
      return basicSection(test as TestReport<BasicPart>);
    case "failover":
      return failoverSection(test as TestReport<FailoverPart>, report);
    case "stress":
      return stressSection(test as TestReport<StressPart>, report);
  }
}

const TONES = { better: "good", worse: "bad", same: "plain", new: "plain", gone: "warn" } as const;

function changed({ before, changes }: Comparison): Html {
  const told = changes.filter(({ verdict }) => verdict !== "same");
  const value = (one: number | null, { what, unit }: Change): string =>
    one === null ? "–" : what === "passed" ? (one === 1 ? "yes" : "no") : `${number(one)}${unit && ` ${unit}`}`;
  const since = `${new Date(before.startedAt).toISOString().slice(0, 10)} (report ${before.id})`;
  if (told.length === 0)
    return section(
      "Since the last time",
      html`<p>Nothing changed since ${since}, beyond what two runs differ anyway.</p>`,
    );
  return section(
    "Since the last time",
    tableOf({
      caption: `${told.length} of ${changes.length} figures changed since ${since} by more than two runs differ anyway`,
      columns: [
        { head: "Part" },
        { head: "What" },
        { head: "Then", number: true },
        { head: "Now", number: true },
        { head: "Verdict" },
      ],
      rows: told.map((change) => [
        `${change.test}: ${change.part}`,
        change.what,
        value(change.before, change),
        value(change.after, change),
        tag(TONES[change.verdict], change.verdict),
      ]),
    }),
  );
}

/** Terms as they are meant, so that the reader need not ask us. */
function method({ objectives }: AcceptanceReport): Html {
  const { site, services } = objectives;
  const differing = Object.entries(services).filter(([, own]) => JSON.stringify(own) !== JSON.stringify(site));
  const row = (name: string, one: typeof site): readonly Content[] => [
    name,
    `${number(one.lost * 100)} %`,
    duration(one.gap),
    duration(one.whole),
    duration(one.latency),
    one.callsPerDay === null ? "–" : number(one.callsPerDay),
  ];
  return html`<p>A <em>call</em> is what one client wants answered: it waits 500 ms for a connection, repeats with growing pauses, and gives up after 3 seconds. Calls that had to be repeated are counted; those without an answer in the end are <em>lost</em>.</p><p>A <em>gap</em> is a time without service, from the last right answer before to the first right answer after, as a prober with 20 ms between its questions sees it (100 ms in the basic test). 99 % means: 99 of 100 answers came within that time, counted from the moment each call was due, so that a service that stands still for a second costs every call of that second.</p>${tableOf(
    {
      caption: "Objectives of the site file, by which all of this was judged",
      columns: [
        { head: "Of" },
        { head: "Calls lost", number: true },
        { head: "Gap", number: true },
        { head: "Whole again", number: true },
        { head: "99 % within", number: true },
        { head: "Calls a day", number: true },
      ],
      rows: [row("the site", site), ...differing.map(([name, own]) => row(name, own))],
    },
  )}`;
}
