/**
 * `basic`: every copy at its own address and every alias through the front end are asked at the same time, ten times a second, with real requests
 * whose answers are known or must be the same from every copy. At the same time, so that a slow machine is slow for all and a slow copy is not;
 * for seconds, so that a copy that comes and goes is seen.
 */
import { type BlueprintAlias, objectivesOf, type ServiceName } from "../../model/index.ts";
import { askDatabases, Histogram, type ProberReport, startProber } from "../../probe/index.ts";
import type { BasicPart, Finding, TestReport } from "../contract.ts";
import type { Subject } from "../subject.ts";
import { summarize } from "../verdict.ts";
import { type Missing, missingOf } from "../whole.ts";
import { judgeAnswers } from "./answers.ts";
import { type Answers, copyOf, type Interview, interview, ownProbe, questionsOf } from "./interview.ts";

export interface BasicOptions {
  /** Seconds of asking; 10 when silent. */
  readonly seconds?: number;
  /** Milliseconds between two questions to one copy; 100 when silent. */
  readonly spacingMs?: number;
}

/** A copy or an alias, and what came of asking it. */
interface Asked {
  readonly part: string;
  readonly service: ServiceName;
  readonly address: string;
  readonly alias: BlueprintAlias | null;
  /** The copy; `null` for the alias itself. */
  readonly guest: string | null;
  readonly questions: Interview;
  readonly answers: Answers;
  readonly report: ProberReport;
}

const SECONDS = 10;
const SPACING = 100;
/** Milliseconds until a question counts as failed. */
const TIMEOUT = 2000;
/** A copy whose middle call takes so many times as long as that of the fastest other one, and so many milliseconds more, is slow. */
const SLOW = { times: 4, milliseconds: 20 } as const;

/** @returns what was found; with `interrupted` when the signal came before the end */
export async function runBasic(subject: Subject, options: BasicOptions = {}): Promise<TestReport<BasicPart>> {
  const startedAt = Date.now();
  const seconds = options.seconds ?? SECONDS;
  const before = await instancesOf(subject);
  const asked = await askAll(subject, seconds, options.spacingMs ?? SPACING);
  const after = await instancesOf(subject);
  const findings = [
    ...asked.flatMap((one) => findingsOf(subject, one)),
    ...slowCopies(asked),
    ...judgeAnswers(asked),
    ...restarted(before, after, asked),
    ...(await standing(subject)),
  ];
  const failed = new Set(findings.filter(({ level }) => level === "failed").map(({ about }) => about));
  const parts = asked.map((one) => partOf(one, !failed.has(one.part)));
  return summarize({
    test: "basic",
    startedAt,
    parts,
    findings,
    interrupted: subject.signal.aborted,
    well: `${asked.filter(({ guest }) => guest !== null).length} copies and ${asked.filter(({ guest }) => guest === null).length} aliases gave the right answers for ${seconds} s`,
  });
}

async function askAll(subject: Subject, seconds: number, spacingMs: number): Promise<readonly Asked[]> {
  const { blueprint, site } = subject;
  const targets = [
    ...blueprint.aliases.flatMap((alias) =>
      alias.backends.map((backend) => ({
        part: copyOf(blueprint, alias, backend.guest),
        service: alias.service,
        address: `${backend.address}:${backend.port}`,
        alias,
        guest: backend.guest,
        questions: questionsOf(subject, alias, { address: backend.address, port: backend.port, name: backend.guest }),
      })),
    ),
    ...blueprint.guests
      .filter(({ name }) => !blueprint.aliases.some(({ backends }) => backends.some(({ guest }) => guest === name)))
      .filter(({ definition }) => definition.program.kind !== "none")
      .map((guest) => ({
        part: `copy ${guest.name}`,
        service: guest.service,
        address: guest.address,
        alias: null,
        guest: guest.name as string,
        questions: [ownProbe(subject, guest)],
      })),
    ...blueprint.aliases.map((alias) => ({
      part: `alias ${alias.name}`,
      service: alias.service,
      address: `${alias.address}:${alias.port}`,
      alias,
      guest: null,
      questions: questionsOf(subject, alias, { address: alias.address, port: alias.port, name: alias.name }),
    })),
  ];
  const began = performance.now();
  const running = targets.map((target, index) => {
    const answers: Answers = new Map();
    // Spread over the spacing: together they would wait for each other, and the copies would look slow.
    const prober = delayed((index / targets.length) * spacingMs, () =>
      startProber({ ask: interview(target.questions, answers), spacingMs, timeoutMs: TIMEOUT }),
    );
    return { target, answers, prober };
  });
  while (!subject.signal.aborted && performance.now() - began < seconds * 1000) {
    const done = (performance.now() - began) / 1000 / seconds;
    subject.tell({
      test: "basic",
      says: `asking ${targets.length} copies and aliases of ${site.name}`,
      done,
      secondsLeft: seconds * (1 - done),
    });
    await pause(Math.min(500, spacingMs * 2), subject.signal);
  }
  return Promise.all(
    running.map(async ({ target, answers, prober }) => ({ ...target, answers, report: (await prober).stop() })),
  );
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
    signal.addEventListener("abort", end, { once: true });
  });

async function delayed<Value>(ms: number, begin: () => Value): Promise<Value> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return begin();
}

const latencyOf = ({ report }: Asked): Histogram => {
  const histogram = new Histogram();
  for (const { outcome, askedAt, endedAt } of report.samples) if (outcome === "good") histogram.add(endedAt - askedAt);
  return histogram;
};

function partOf(asked: Asked, passed: boolean): BasicPart {
  const { part, service, address, questions, report } = asked;
  const wrong = report.asked - report.good;
  const latency = latencyOf(asked).summary();
  return {
    test: "basic",
    part,
    service,
    address,
    passed,
    says:
      wrong <= 0
        ? `${report.good} right answers, the middle one after ${latency.p50} ms`
        : `${report.failed + report.withheld} of ${report.good + report.failed + report.withheld} questions without a right answer`,
    requests: report.good + report.failed + report.withheld,
    lost: report.failed + report.withheld,
    // A prober does not repeat: what it misses, nobody got.
    lostAfterRetry: report.failed + report.withheld,
    gapSeconds: Math.round(report.longestGapMs) / 1000,
    callsPerDay: null,
    nextServerAt: null,
    asked: questions.map(({ asks }) => asks),
    latency,
    series: [...report.samples]
      .sort((a, b) => a.askedAt - b.askedAt)
      .slice(-MOST_IN_SERIES)
      .map(({ outcome, askedAt, endedAt }) =>
        outcome === "good" ? Math.round((endedAt - askedAt) * 100) / 100 : null,
      ),
  };
}
const MOST_IN_SERIES = 300;

/** What is wrong with one copy or alias by itself: it did not answer, it came and went, it was slower than the objective. */
function findingsOf({ site }: Subject, asked: Asked): readonly Finding[] {
  const { part, report } = asked;
  const service = site.services.find(({ name }) => name === asked.service);
  const { latency } = objectivesOf(site, service);
  const failed = (says: string): Finding => ({ level: "failed", about: part, says });
  const missed = report.failed + report.withheld;
  const questions = `${missed} of ${report.good + missed} questions`;
  const first = report.samples.find(({ outcome }) => outcome !== "good")?.says ?? "";
  if (report.good === 0) return [failed(`${part} never gave a right answer: ${first || "no question was answered"}`)];
  const gaps = report.gaps.filter((gap) => gap.failed > 0);
  if (gaps.length > 1)
    return [
      failed(
        `${part} comes and goes: ${gaps.length} times without a right answer, up to ${(report.longestGapMs / 1000).toFixed(1)} s (${questions}): ${first}`,
      ),
    ];
  if (missed > 0) return [failed(`${part}: ${questions} had no right answer: ${first}`)];
  const p99 = latencyOf(asked).percentile(0.99);
  return p99 > latency * 1000
    ? [
        failed(
          `${part} is slow: 99 of 100 answers within ${Math.round(p99)} ms, the objective is ${Math.round(latency * 1000)} ms`,
        ),
      ]
    : [];
}

/** Copies are compared with each other: asked at the same time, on the same machines, a slow one is slow by itself. */
function slowCopies(asked: readonly Asked[]): readonly Finding[] {
  const copies = asked.filter(({ guest, alias, report }) => guest !== null && alias !== null && report.good > 0);
  return copies.flatMap((one) => {
    const middle = latencyOf(one).percentile(0.5);
    const others = copies.filter((other) => other !== one && other.alias === one.alias);
    const best = Math.min(...others.map((other) => latencyOf(other).percentile(0.5)));
    if (!(middle > best * SLOW.times && middle > best + SLOW.milliseconds)) return [];
    const says = `${one.part} is slow: its middle answer takes ${Math.round(middle)} ms, that of its fastest peer ${Math.round(best)} ms`;
    return [{ level: "failed" as const, about: one.part, says }];
  });
}

type Instances = ReadonlyMap<string, { readonly instance: string | null; readonly restarts: number }>;

async function instancesOf({ observe }: Subject): Promise<Instances> {
  const { guests } = await observe();
  return new Map(
    guests.map(({ guest, status }) => [
      guest.name as string,
      { instance: status?.instance ?? null, restarts: status?.restarts ?? 0 },
    ]),
  );
}

/** A guest that its host had to start again meanwhile comes and goes, even when no question happened to miss it. */
function restarted(before: Instances, after: Instances, asked: readonly Asked[]): readonly Finding[] {
  return [...after].flatMap(([guest, now]) => {
    const then = before.get(guest);
    const times = now.restarts - (then?.restarts ?? 0);
    if (!then || (times <= 0 && then.instance === now.instance)) return [];
    const about = asked.find((one) => one.guest === guest)?.part ?? `copy ${guest}`;
    return [
      {
        level: "failed" as const,
        about,
        says: `${about} comes and goes: its host started it ${Math.max(1, times)} times during the test`,
      },
    ];
  });
}

/** Milliseconds in which what is not as it should be may become so: a replica is behind for a moment, a check is just under way. */
const SETTLING = 4000;

/** What hosts, guests, directors and databases say of themselves once the asking is over: whatever is not as it should be, and stays so. */
async function standing(subject: Subject): Promise<readonly Finding[]> {
  const { blueprint, signal } = subject;
  const deadline = performance.now() + SETTLING;
  let missing = await missingOnce(subject);
  while (missing.length > 0 && performance.now() < deadline && !signal.aborted) {
    await pause(500, signal);
    missing = await missingOnce(subject);
  }
  const kinds = [
    ["host", blueprint.hosts],
    ["copy", blueprint.guests],
    ["alias", blueprint.aliases],
  ] as const;
  return missing.map(({ about, says }) => {
    const kind = kinds.find(([, all]) => all.some(({ name }) => name === about))?.[0];
    return { level: "failed", about: kind === undefined ? about : `${kind} ${about}`, says };
  });
}

async function missingOnce({ blueprint, tls, observe, directors }: Subject): Promise<readonly Missing[]> {
  const [seen, said, databases] = await Promise.all([observe(), directors(), askDatabases(blueprint, tls)]);
  return missingOf({ blueprint, seen, directors: said, databases, mark: [], shut: [] });
}
