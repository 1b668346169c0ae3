/** `domus accept SITE TEST`: proves a site and keeps the report. Exit 0 only when everything passed. */
import { cpus, release, totalmem } from "node:os";
import type { Command } from "commander";
import {
  type AcceptanceReport,
  acceptancePage,
  compareReports,
  findReport,
  keepReport,
  listReports,
  readReport,
  reportBefore,
  reportId,
  runBasic,
  runFailover,
  runStress,
  type Subject,
  TESTS,
  type TestName,
  type TestProgress,
  type TestReport,
} from "../../acceptance/index.ts";
import { Fault, objectivesOf, type SiteName } from "../../model/index.ts";
import { writeFileDurably } from "../../world/index.ts";
import { chooseSite, lockSite, openState, VERSION } from "../open.ts";
import { complain, formatMilliseconds, paint, say, sayJson, table } from "../say.ts";
import { subjectOf } from "../subject.ts";
import { moment, seconds } from "../words.ts";
import { comparisonLines, reportLines } from "./accept-text.ts";
import { interruptible } from "./up.ts";

interface AcceptFlags {
  readonly html?: string;
  readonly since?: string;
  readonly for?: string;
  readonly json?: boolean;
}

interface RunOptions {
  /** What a test takes by itself when silent. */
  readonly seconds?: number;
}

const RUNNERS: Readonly<Record<TestName, (subject: Subject, options: RunOptions) => Promise<TestReport>>> = {
  basic: runBasic,
  failover: (subject) => runFailover(subject),
  stress: runStress,
};

/** What can be said in place of a test: about reports that are kept. */
const READING = ["reports", "show", "compare"] as const;

export function addAccept(program: Command): void {
  program
    .command("accept")
    .summary("prove a site: basic, failover, stress; the report is kept")
    .description(
      "Tests a site that is up, as those who build one do before they hand it over. basic asks every copy and alias; failover kills each copy, director, database server and host in turn under load; stress finds out how much it can do and when the next server is due. Judged by the site file's objectives. Ctrl-C ends it and leaves the site whole.",
    )
    .argument("<site>", "site file or name")
    .argument("<what>", `${TESTS.join(", ")} or all; or ${READING.join(", ")} for reports that are kept`)
    .argument("[reports...]", "with show: a report; with compare: one or two of them; last is the newest")
    .option("--html <file>", "write the report as one page, to be handed on; it is kept beside the report too")
    .option("--for <time>", "how long basic asks (10s when silent) or stress loads (210s); with all: stress")
    .option("--since <moment>", "with compare: the newest report before this moment, e.g. 2026-10-20")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nExamples:\n  domus accept fermigrid-ha basic\n  domus accept sites/fermigrid-ha.yaml all --html report.html\n  domus accept fermigrid-ha reports\n  domus accept fermigrid-ha compare --since 2026-10-20\n\nfailover takes services down for moments and stress loads them to their limit: clients of the site feel both.",
    )
    .action(async (given: string, what: string, words: readonly string[], flags: AcceptFlags) => {
      const name = chooseSite(given);
      if (what === "reports") return list(name, flags);
      if (what === "show") return show(name, words[0] ?? "last", flags);
      if (what === "compare") return compare(name, words, flags);
      if (words.length > 0) throw new Fault("usage.invalid", { reason: `${what} takes no ${words[0]}`, help: HELP });
      const tests = TESTS.filter((test) => what === "all" || test === what);
      if (tests.length === 0)
        throw new Fault("usage.invalid", {
          reason: `no test is called ${what}: expected ${[...TESTS, "all", ...READING].join(", ")}`,
          help: HELP,
        });
      await accept(name, tests, what, flags);
    });
}

const HELP = "domus accept --help";

async function accept(name: SiteName, tests: readonly TestName[], what: string, flags: AcceptFlags): Promise<void> {
  const options = flags.for === undefined ? {} : { seconds: seconds("--for", flags.for) };
  // Of several the longest is meant.
  const longest = tests.at(-1);
  const lock = await lockSite(name, `domus accept ${name} ${what}`);
  const open = await openState(name);
  try {
    const interrupt = interruptible();
    const progress = flags.json ? SILENT : showProgress();
    const subject = await subjectOf(open, progress.tell, interrupt.signal);
    const startedAt = Date.now();
    if (!flags.json)
      say(`Testing ${paint("bold", name)}: ${tests.join(", ")}. Ctrl-C ends it and leaves the site whole.`);
    const ended: TestReport[] = [];
    for (const test of tests) {
      if (interrupt.signal.aborted) break;
      // What fails now is the test's doing: availability tells it apart.
      await open.store.event("acceptance", test, "begin");
      try {
        ended.push(await RUNNERS[test](subject, test === longest ? options : {}));
      } finally {
        await open.store.event("acceptance", test, "end");
      }
    }
    progress.end();
    const report: AcceptanceReport = {
      format: 1,
      id: reportId(startedAt, what),
      site: name,
      blueprint: { number: subject.blueprint.number, id: (await open.store.target())!.id },
      startedAt,
      durationMs: Date.now() - startedAt,
      passed: ended.length === tests.length && ended.every(({ passed }) => passed),
      machine: {
        cpus: cpus().length,
        model: cpus()[0]?.model.trim() ?? "unknown",
        memory: totalmem(),
        kernel: release(),
        domus: VERSION,
        driver: subject.site.hosts.every(({ hypervisor }) => hypervisor === null) ? "embedded" : "libvirt",
      },
      objectives: {
        site: objectivesOf(subject.site),
        services: Object.fromEntries(
          subject.site.services.map((service) => [service.name, objectivesOf(subject.site, service)]),
        ),
      },
      tests: ended,
    };
    const earlier = reportBefore(open.directory, startedAt, tests);
    const comparison = earlier && compareReports(earlier, report);
    const page = acceptancePage(report, comparison);
    const kept = keepReport(open.directory, report, page);
    if (flags.html) writeFileDurably(flags.html, page, 0o644);
    if (flags.json) sayJson(report);
    else {
      for (const line of reportLines(report)) say(line);
      if (comparison) for (const line of comparisonLines(comparison)) say(line);
      say();
      say(`  Kept: ${flags.html ?? kept.html}`);
    }
    if (!report.passed) process.exitCode = 1;
  } finally {
    await open.close();
    await lock.release();
  }
}

async function list(name: SiteName, flags: AcceptFlags): Promise<void> {
  const open = await openState(name);
  await open.close();
  const kept = listReports(open.directory).map((one) => ({ ...one, report: readReport(one) }));
  if (flags.json)
    sayJson(
      kept.map(({ id, file, report: { passed, startedAt, durationMs } }) => ({
        id,
        file,
        passed,
        startedAt,
        durationMs,
      })),
    );
  else if (kept.length === 0) say(`No report of ${name} is kept yet: domus accept ${name} basic`);
  else
    for (const line of table(
      kept.map(({ id, report }) => [
        id,
        report.passed ? paint("green", "passed") : paint("red", "not passed"),
        report.tests.map(({ test, says }) => `${test}: ${says}`).join("; "),
      ]),
    ))
      say(line);
}

async function show(name: SiteName, word: string, flags: AcceptFlags): Promise<void> {
  const open = await openState(name);
  await open.close();
  const report = findReport(open.directory, word);
  if (flags.html) writeFileDurably(flags.html, acceptancePage(report, null), 0o644);
  if (flags.json) sayJson(report);
  else for (const line of reportLines(report)) say(line);
  if (!report.passed) process.exitCode = 1;
}

async function compare(name: SiteName, words: readonly string[], flags: AcceptFlags): Promise<void> {
  const open = await openState(name);
  await open.close();
  if (words.length > 2) throw new Fault("usage.invalid", { reason: "compare takes two reports at most", help: HELP });
  const after = findReport(open.directory, words[1] ?? "last");
  const tests = after.tests.map(({ test }) => test);
  const until = flags.since === undefined ? after.startedAt : moment("--since", flags.since, Date.now());
  const before = words[0] ? findReport(open.directory, words[0]) : reportBefore(open.directory, until, tests);
  if (!before)
    throw new Fault("report.unknown", {
      report: "to compare with",
      reason: `none before ${new Date(until).toISOString()} has ${tests.join(" or ")}`,
    });
  const comparison = compareReports(before, after);
  if (flags.html) writeFileDurably(flags.html, acceptancePage(after, comparison), 0o644);
  if (flags.json) sayJson(comparison);
  else for (const line of comparisonLines(comparison)) say(line);
  if (comparison.changes.some(({ what, verdict }) => what === "passed" && verdict === "worse")) process.exitCode = 1;
}

interface Shown {
  readonly tell: (progress: TestProgress) => void;
  readonly end: () => void;
}

const SILENT: Shown = { tell: () => {}, end: () => {} };

/** One living line on a terminal; elsewhere a line for everything that begins. */
function showProgress(): Shown {
  const { stdout } = process;
  if (!stdout.isTTY) {
    let last = "";
    return {
      tell: ({ test, says }) => {
        if (says !== last) complain(`  ${test}: ${says}`);
        last = says;
      },
      end: () => {},
    };
  }
  const clear = "\r\u001b[2K";
  return {
    tell: ({ test, says, done, secondsLeft }) => {
      const filled = Math.round(Math.min(1, done) * 20);
      const bar = `${"━".repeat(filled)}${" ".repeat(20 - filled)}`;
      const left = `${formatMilliseconds(Math.max(0, secondsLeft) * 1000)} left`;
      stdout.write(
        `${clear}  ${test} ${bar} ${left}  ${says}`.slice(0, Math.max(20, (stdout.columns || 80) + clear.length - 1)),
      );
    },
    end: () => void stdout.write(clear),
  };
}
