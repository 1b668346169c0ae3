/** From the steps of one alias to what a report says of it. Pure. */
import type { Objectives } from "../../model/index.ts";
import { formatNumber } from "../../pages/index.ts";
import type { Finding, StressPart, StressStep } from "../contract.ts";
import type { Climbed } from "./climb.ts";
import { dayOf, kneeOf, lowestBroken, MARK, percent } from "./judging.ts";
import { type NextQuestion, nextServer } from "./next.ts";
import { GENERATOR, OTHERS, type Saturation, saturatedTier } from "./tiers.ts";

/** Other programs that take more than this share of a machine make a measurement worth little. */
const DISTURBING = 0.15;

export interface PartQuestion {
  readonly alias: string;
  readonly service: NextQuestion["service"];
  readonly objectives: Objectives;
  readonly climbed: Climbed;
  readonly shared: boolean;
  readonly generatorPerSecond: number;
  readonly room: NextQuestion["room"];
}

/** @returns the step that shows who is full: most answers, with new connections, whatever they took */
export function fullest(steps: readonly StressStep[]): StressStep | null {
  return steps
    .filter(({ connections, kept, kind }) => connections === "new" && (kind === "closed" || !kept))
    .reduce<StressStep | null>(
      (most, one) => (most === null || one.answeredPerSecond > most.answeredPerSecond ? one : most),
      null,
    );
}

/** @returns `null` when nothing of the alias is known yet */
export function partOf(question: PartQuestion): StressPart | null {
  const { alias, service, climbed, shared, generatorPerSecond, room, objectives } = question;
  const { steps, whole } = climbed;
  const told = steps.filter(({ kind }) => kind !== "closed");
  if (told.length === 0) return null;
  const knee = kneeOf(steps);
  const perSecond = knee?.offered ?? 0;
  const { callsPerDay, nextServerAt } = dayOf(perSecond);
  const full = fullest(steps) ?? knee ?? told[0]!;
  const seen: Saturation = {
    use: full.use,
    idle: full.idle,
    loadAverage: full.loadAverage,
    shared,
    copies: `copies of ${service}`,
    perSecond,
    generatorPerSecond,
  };
  const saturated = saturatedTier(seen);
  const next = nextServer({ service, saturated, use: full.use, room });
  const soak = steps.findLast(({ kind }) => kind === "soak");
  const enough = objectives.callsPerDay === null || (callsPerDay ?? 0) >= objectives.callsPerDay;
  const sum = (of: (step: StressStep) => number): number => steps.reduce((all, step) => all + of(step), 0);
  return {
    test: "stress",
    part: `alias ${alias}`,
    service,
    alias,
    passed: knee !== null && enough && soak?.kept !== false,
    says: says(question, knee, soak ?? null),
    requests: sum(({ service: calls }) => calls.count),
    lost: sum(({ repeated, lost }) => Math.max(repeated, lost)),
    lostAfterRetry: sum(({ lost }) => lost),
    gapSeconds: 0,
    callsPerDay,
    nextServerAt,
    steps,
    knee: { perSecond, p99Ms: knee?.latency.p99 ?? 0 },
    saturated,
    next: whole ? next : { ...next, says: `${next.says} (interrupted: more was not tried)` },
    perProcessor: perProcessor(full, seen.copies),
    keptPerSecond: steps.find(({ connections }) => connections === "kept")?.answeredPerSecond ?? null,
    generatorPerSecond,
  };
}

function perProcessor({ use, answeredPerSecond }: StressStep, copies: string): number | null {
  const used = use.reduce((sum, { tier, processors }) => sum + (tier === copies ? processors : 0), 0);
  return used > 0 ? Math.round(answeredPerSecond / used) : null;
}

function says({ alias, climbed }: PartQuestion, knee: StressStep | null, soak: StressStep | null): string {
  const limit = lowestBroken(climbed.steps);
  if (knee === null)
    return `${alias} kept its objectives at no load that was tried: ${limit?.says ?? "nothing was answered"}`;
  const held = `${alias} kept its objectives up to ${formatNumber(knee.offered)} calls a second, ${formatNumber(dayOf(knee.offered).callsPerDay ?? 0)} a day, 99 % within ${formatNumber(knee.latency.p99)} ms`;
  const broke =
    limit === null
      ? "; no load that was tried broke them"
      : `; at ${formatNumber(limit.offered)} they broke (${limit.says})`;
  if (soak === null) return `${held}${broke}${climbed.whole ? "" : "; interrupted before the mark was held"}`;
  const time = `${formatNumber(soak.offered)} a second, ${percent(MARK)} of it, for ${formatNumber(Math.round(soak.seconds))} s`;
  return soak.kept ? `${held}${broke}; ${time} held` : `${held}${broke}; ${time} broke them (${soak.says})`;
}

/** What a person should know of a part beside its figures. */
export function findingsOf(
  part: StressPart,
  objectives: Objectives,
  sentences: ReadonlyMap<string, number>,
): readonly Finding[] {
  const about = part.part;
  const findings: Finding[] = [];
  const fail = (text: string) => findings.push({ level: "failed", about, says: text });
  const warn = (text: string) => findings.push({ level: "warning", about, says: text });
  const soaks = part.steps.filter(({ kind }) => kind === "soak");
  if (part.knee.perSecond === 0) fail(part.says);
  else if (soaks.at(-1)?.kept === false)
    fail(
      `${part.alias}: the mark of ${formatNumber(soaks.at(-1)!.offered)} calls a second does not hold: ${soaks.at(-1)!.says}`,
    );
  else if (soaks.some(({ kept }) => !kept))
    warn(
      `${part.alias}: what seemed its limit did not hold for longer (${soaks.find(({ kept }) => !kept)!.says}); the limit given is the one that did`,
    );
  const least = objectives.callsPerDay;
  if (least !== null && (part.callsPerDay ?? 0) < least)
    fail(`${part.alias}: ${formatNumber(part.callsPerDay ?? 0)} calls a day, the objective is ${formatNumber(least)}`);
  if (part.saturated.tier === GENERATOR) warn(`${part.alias}: ${part.saturated.says}`);
  const disturbed = part.steps.filter(({ use }) =>
    use.some(({ tier, processors, of }) => tier === OTHERS && processors / of > DISTURBING),
  );
  if (disturbed.length > part.steps.length / 3) {
    const most = Math.max(
      ...disturbed.flatMap(({ use }) => use.filter(({ tier }) => tier === OTHERS).map(({ processors }) => processors)),
    );
    warn(
      `${part.alias}: other programs of this machine took up to ${formatNumber(most)} of its processors meanwhile: it can do more than was found`,
    );
  }
  const said = [...sentences].sort((a, b) => b[1] - a[1])[0];
  if (said && part.knee.perSecond === 0)
    warn(`${part.alias}: what was said most: ${said[0]} (${formatNumber(said[1])} times)`);
  return findings;
}
