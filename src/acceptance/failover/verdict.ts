/** From the record of one kill to its line in the report, and to what a person should know of it. Pure. */
import { type Blueprint, objectivesOf, type Site } from "../../model/index.ts";
import type { FailoverMoment, FailoverPart, Finding } from "../contract.ts";
import type { Door } from "./doors.ts";
import type { Change } from "./eyes.ts";
import { brokenObjectives, feltAt, type Span, timelineOf } from "./felt.ts";
import type { Stall, WatchedCall, WatchedGap } from "./watch.ts";
import type { Window } from "./window.ts";
import { counted, inSeconds, listed } from "./words.ts";

/** Everything that was seen in the whole test. */
export interface Records {
  readonly site: Site;
  readonly blueprint: Blueprint;
  readonly doors: readonly Door[];
  readonly calls: readonly WatchedCall[];
  readonly gaps: readonly WatchedGap[];
  readonly changes: readonly Change[];
  readonly stalls: readonly Stall[];
}

export interface Verdict {
  readonly part: FailoverPart;
  readonly findings: readonly Finding[];
}

type CopyChange = Extract<Change, { kind: "copy" }>;

/** @param span what belongs to this kill: from shortly before it to shortly before the next */
export function judgeWindow(window: Window, span: Span, records: Records): Verdict {
  const { victim, killedAt, backAt, wholeAt } = window;
  const felt = records.doors.map((door) => feltAt(door, span, records.calls, records.gaps));
  const changes = records.changes.filter(({ at }) => at >= killedAt && at < span.to);
  const tookOver = takenOver(window, records.blueprint);
  const wholeAfterSeconds = wholeAt === null || backAt === null ? null : Math.round(wholeAt - backAt) / 1000;
  const said = [
    ...records.doors.flatMap((door, index) => brokenObjectives(door, felt[index]!)),
    ...takeover(window),
    ...comingBack(window, changes, records, wholeAfterSeconds),
    ...collateral(window, changes),
    ...ownDelay(span, records.stalls),
  ];
  const findings = said.map(
    ({ level, says }): Finding => ({ level, about: victim.part, says: `${victim.part}: ${says}` }),
  );
  const failed = said.filter(({ level }) => level === "failed");
  const sum = (count: (one: (typeof felt)[number]) => number): number => felt.reduce((all, one) => all + count(one), 0);
  const worst = felt.toSorted((a, b) => b.gapSeconds - a.gapSeconds)[0];
  const requests = sum((one) => one.requests);
  const lost = sum((one) => one.lost);
  const lostAfterRetry = sum((one) => one.lostAfterRetry);
  const gapSeconds = worst?.gapSeconds ?? 0;
  return {
    findings,
    part: {
      test: "failover",
      part: victim.part,
      kind: victim.kind,
      service: victim.service,
      host: victim.host,
      guests: victim.guests,
      how: window.how,
      passed: failed.length === 0,
      says:
        failed.length > 0
          ? failed.map(({ says }) => says).join("; ")
          : [
              requests === 0
                ? null
                : `${lostAfterRetry === 0 ? "no call lost" : `${counted(lostAfterRetry, "call")} lost, as the objective allows`}, ${lost - lostAfterRetry} of ${requests} repeated`,
              gapSeconds === 0 ? "no gap" : `at most ${inSeconds(gapSeconds)} without service (${worst!.alias})`,
              tookOver === "" ? null : `in its place: ${tookOver}`,
              `whole ${inSeconds(wholeAfterSeconds ?? 0)} after it was given back`,
            ]
              .filter((words) => words !== null)
              .join("; "),
      requests,
      lost,
      lostAfterRetry,
      gapSeconds,
      callsPerDay: null,
      nextServerAt: null,
      aliases: felt,
      tookOver,
      wholeAfterSeconds,
      moments: momentsOf(window, changes),
      timeline: timelineOf(span, records.calls),
    },
  };
}

/** Who answers in the victim's place: what directors counted while it was dead, who holds the aliases, who writes. */
function takenOver({ victim, before, after, carriedBy }: Window, blueprint: Blueprint): string {
  const dead = new Set<string>(victim.guests);
  const calls = new Map<string, string[]>();
  for (const { name, distribution, backends } of blueprint.aliases) {
    if (distribution !== "all" || !backends.some(({ guest }) => dead.has(guest))) continue;
    const carriers = backends
      .map(({ guest }) => guest)
      .filter(
        (guest) => !dead.has(guest) && (after.get(`${name} ${guest}`) ?? 0) > (before.get(`${name} ${guest}`) ?? 0),
      );
    const who = carriers.length > 0 ? listed(carriers) : "nobody";
    calls.set(who, [...(calls.get(who) ?? []), name]);
  }
  const holds = carriedBy.active === null ? "nobody holds the aliases" : `${carriedBy.active} holds the aliases`;
  const writes = carriedBy.writers.map(([alias, copy]) => `${dead.has(copy) ? "nobody" : copy} writes ${alias}`);
  const serves = [...calls].map(([who, aliases]) => `${who} for ${listed(aliases)}`);
  const words: Readonly<Record<Window["victim"]["kind"], readonly string[]>> = {
    copy: serves,
    database: writes,
    director: [holds],
    host: blueprint.aliases.length === 0 ? [] : [holds, ...writes, ...serves],
  };
  return words[victim.kind].join("; ");
}

function takeover({ victim, activeBefore, carriedBy, undead }: Window): readonly Omit<Finding, "about">[] {
  const risen = undead.map((guest) => ({
    level: "failed" as const,
    says: `${guest} answered although it had been killed: somebody else starts it, so nothing can be said of this kill`,
  }));
  if (activeBefore === null || carriedBy.active !== null || !victim.guests.some((guest) => guest === activeBefore))
    return risen;
  return [
    ...risen,
    {
      level: "failed",
      says: `no director took over the aliases while ${activeBefore} was dead`,
    },
  ];
}

function comingBack(
  window: Window,
  changes: readonly Change[],
  { site }: Records,
  wholeAfter: number | null,
): readonly Omit<Finding, "about">[] {
  const { victim, backAt, missing, answered } = window;
  if (backAt === null) return [];
  const service = site.services.find(({ name }) => name === victim.service);
  const { whole } = objectivesOf(site, service);
  const objective = `the objective "whole" allows ${inSeconds(whole)}`;
  const falls = victim.guests.flatMap((guest) => {
    const times = fallsOf(guest, window, changes);
    if (times === 0) return [];
    const ends = window.ends.get(guest);
    return [
      {
        level: "failed" as const,
        says: `${guest} came back and went down again${times > 1 ? ` ${times} times` : ""} while it should have been whole${ends ? ` (${ends})` : ""}`,
      },
    ];
  });
  if (wholeAfter !== null)
    return wholeAfter > whole
      ? [
          ...falls,
          { level: "failed", says: `it was whole only ${inSeconds(wholeAfter)} after it was given back; ${objective}` },
        ]
      : falls;
  const lost = victim.guests.filter((guest) => !answered.has(guest));
  const never = lost.map((guest) => {
    const seen = [missing.find(({ about }) => about === guest)?.says, window.ends.get(guest), window.startSays];
    return {
      level: "failed" as const,
      says: `${guest} did not come back: ${seen.filter(Boolean).join("; ") || "it does not answer"}; ${objective}`,
    };
  });
  const rest = missing.filter(({ about }) => !lost.some((guest) => guest === about));
  return [
    ...falls,
    ...never,
    ...(never.length > 0 && rest.length === 0
      ? []
      : [
          {
            level: "failed" as const,
            says: `the site was not whole again: ${
              rest
                .map(({ says }) => says)
                .slice(0, 3)
                .join("; ") || "it did not stay so"
            }; ${objective}`,
          },
        ]),
  ];
}

/** What a busy machine looks like: whoever was only slow has not gone down. */
const SLOW = /no (?:answer|connection) (?:within|in time)/;

/** How often a guest that had come back went down again, as the directors or the hosts saw it. */
function fallsOf(guest: string, { backAt, relapses }: Window, changes: readonly Change[]): number {
  const down = changes.filter(
    (change): change is CopyChange =>
      change.kind === "copy" &&
      change.copy === guest &&
      change.before === "up" &&
      change.state === "down" &&
      change.at > backAt! &&
      !SLOW.test(change.says),
  );
  // Each director, and each alias, sees the same fall.
  const seen = new Map<string, number>();
  for (const { director, alias } of down) seen.set(`${director} ${alias}`, (seen.get(`${director} ${alias}`) ?? 0) + 1);
  const relapsed = relapses.filter(({ missing }) =>
    missing.some(({ about, says, down }) => about === guest && down && !SLOW.test(says)),
  ).length;
  return Math.max(0, relapsed, ...seen.values());
}

/** Copies that nobody killed and that went down all the same. */
function collateral({ victim, killedAt }: Window, changes: readonly Change[]): readonly Omit<Finding, "about">[] {
  const dead = new Set<string>(victim.guests);
  const falls = changes.filter(
    (change): change is CopyChange =>
      change.kind === "copy" &&
      change.before === "up" &&
      change.state === "down" &&
      !dead.has(change.copy) &&
      change.active,
  );
  const first = new Map<string, CopyChange>();
  for (const fall of falls) if (!first.has(fall.copy)) first.set(fall.copy, fall);
  return [...first.values()].map(({ copy, alias, at, says, director }) => ({
    level: "warning",
    says: `${director} marked ${copy} of ${alias} down too, ${inSeconds((at - killedAt) / 1000)} after the kill: ${says}`,
  }));
}

/** A second of standing still would be seen as a second without service. */
function ownDelay(span: Span, stalls: readonly Stall[]): readonly Omit<Finding, "about">[] {
  const own = stalls.filter(({ at }) => at >= span.from && at < span.to);
  const longest = Math.max(0, ...own.map(({ ms }) => ms));
  return longest < 500
    ? []
    : [
        {
          level: "warning",
          says: `whoever measured stood still for ${inSeconds(longest / 1000)}: this machine was too busy, and gaps of that length may be its own`,
        },
      ];
}

function momentsOf(window: Window, changes: readonly Change[]): readonly FailoverMoment[] {
  const { victim, killedAt, backAt, startedAt, wholeAt, relapses } = window;
  const dead = new Set<string>(victim.guests);
  const copies = changes.filter(
    (change): change is CopyChange => change.kind === "copy" && change.active && dead.has(change.copy),
  );
  const until = backAt ?? Number.POSITIVE_INFINITY;
  const fallen = copies.filter(({ state, at }) => state === "down" && at <= until);
  const risen = copies.filter(({ state, at }) => state === "up" && at > until);
  const names = (list: readonly CopyChange[]): string => listed([...new Set(list.map(({ copy }) => copy))]);
  const last = (list: readonly CopyChange[]): number => Math.max(...list.map(({ at }) => at));
  const moments: (FailoverMoment | null)[] = [
    { at: 0, says: `${victim.name} was killed: ${window.how}` },
    fallen.length > 0 ? { at: last(fallen), says: `${fallen[0]!.director} has marked ${names(fallen)} down` } : null,
    ...changes.map((change) => {
      if (change.kind === "role" && change.role === "active" && !(dead.has(change.director) && change.at > until))
        return { at: change.at, says: `${change.director} holds the aliases` };
      if (change.kind === "writer") return { at: change.at, says: `${change.copy} writes ${change.alias}` };
      return null;
    }),
    backAt === null
      ? null
      : {
          at: backAt,
          says: victim.kind === "host" ? `${victim.name} gets its power back` : `${victim.name} is started`,
        },
    startedAt === null || victim.kind !== "host" ? null : { at: startedAt, says: `${victim.name} starts its guests` },
    risen.length > 0 ? { at: last(risen), says: `${risen[0]!.director} sees ${names(risen)} up` } : null,
    ...relapses.map(({ at, missing }) => ({ at, says: `not whole any more: ${missing[0]?.says ?? ""}` })),
    wholeAt === null ? null : { at: wholeAt, says: "everything is whole" },
  ];
  return moments
    .filter((moment) => moment !== null)
    .map(({ at, says }) => ({ at: at === 0 ? 0 : Math.round(at - killedAt), says }))
    .toSorted((a, b) => a.at - b.at);
}

/** @returns what came of the whole test, in one sentence */
export function summaryOf(parts: readonly FailoverPart[], findings: readonly Finding[], interrupted: boolean): string {
  const broken = parts.filter(({ passed }) => !passed).map(({ part }) => part);
  const requests = parts.reduce((sum, one) => sum + one.requests, 0);
  const lost = parts.reduce((sum, one) => sum + one.lostAfterRetry, 0);
  const repeated = parts.reduce((sum, one) => sum + one.lost, 0) - lost;
  const worst = parts.toSorted((a, b) => b.gapSeconds - a.gapSeconds)[0];
  const felt = [
    requests === 0
      ? "no calls were made"
      : `${lost === 0 ? "no call" : counted(lost, "call")} lost of ${requests.toLocaleString("en-GB")}, ${repeated} repeated`,
    worst && worst.gapSeconds > 0
      ? `at most ${inSeconds(worst.gapSeconds)} without service (${worst.part})`
      : "never without service",
  ].join(", ");
  const killed = `${counted(parts.length, "part")} killed under load${interrupted ? ", then interrupted" : ""}`;
  if (parts.length === 0) {
    const why = findings.find(({ level }) => level === "failed")?.says;
    return why ?? (interrupted ? "interrupted before anything could be judged" : "there is nothing to kill");
  }
  const objectives = broken.length === 0 ? "" : `; objectives not kept: ${listed(broken)}`;
  return `${killed}: ${felt}${objectives}`;
}
