/**
 * `stress`: how much each service can do while its objectives hold, who is full first, and at which load the next server is to be planned, and what it
 * should be. The load comes from processes of its own; what they can do themselves is measured first.
 */
import { availableParallelism } from "node:os";
import type { GuestStatus } from "../../hypervisor/index.ts";
import { type Blueprint, type BlueprintAlias, objectivesOf } from "../../model/index.ts";
import { formatNumber } from "../../pages/index.ts";
import { directorsOf, holderOf } from "../../probe/index.ts";
import type { SampleRequest } from "../../recipes/index.ts";
import type { Finding, StressPart, TestReport } from "../contract.ts";
import type { Subject } from "../subject.ts";
import { summarize } from "../verdict.ts";
import { ChildEnded } from "./child.ts";
import { type Climbed, climb } from "./climb.ts";
import { Generators, generatorsFor } from "./generators.ts";
import { Meter } from "./meter.ts";
import { roomFor } from "./next.ts";
import { generatorLimit } from "./own-limit.ts";
import { findingsOf, partOf } from "./part.ts";
import { DEFAULT_SECONDS, LEAST_SECONDS, type Schedule, scheduleOf } from "./schedule.ts";
import { type StepOrder, Stepper, type Target } from "./steps.ts";

export interface StressOptions {
  /** Seconds for all of it, about; 210 when silent, 5 for each alias at least. */
  readonly seconds?: number;
}

/** Addresses that calls come from on a machine of one's own: as many clients, for limits by address and for ports. */
const CLIENT_ADDRESSES = 32;

/** @returns what was found; what was reached when the signal came before the end */
export async function runStress(subject: Subject, options: StressOptions = {}): Promise<TestReport<StressPart>> {
  const startedAt = Date.now();
  const { targets, findings } = targetsOf(subject);
  const parts: StressPart[] = [];
  const schemes = [...new Set(targets.map(schemeOf))];
  const schedule = scheduleOf(
    Math.max(LEAST_SECONDS * targets.length, options.seconds ?? DEFAULT_SECONDS),
    targets.length,
    schemes.length,
  );
  const before = await standing(subject);
  try {
    if (targets.length > 0) await load(subject, { targets, schemes, schedule }, parts, findings);
  } catch (error) {
    if (!(error instanceof ChildEnded)) throw error;
    if (!subject.signal.aborted)
      findings.push({
        level: "failed",
        about: "load generator",
        says: `${error.message}; what was found before is in the report`,
      });
  }
  if (!subject.signal.aborted) findings.push(...changed(before, await standing(subject)));
  return summarize({
    test: "stress",
    startedAt,
    parts,
    findings,
    interrupted: subject.signal.aborted,
    well: wellSays(parts),
  });
}

interface Plan {
  readonly targets: readonly Target[];
  readonly schemes: readonly SampleRequest["scheme"][];
  readonly schedule: Schedule;
}

async function load(subject: Subject, plan: Plan, parts: StressPart[], findings: Finding[]): Promise<void> {
  const { targets, schemes, schedule } = plan;
  const { signal } = subject;
  const shared = subject.blueprint.network.mode === "loopback";
  const generators = await Generators.start(generatorsFor(availableParallelism(), shared), subject.tls);
  // Ending the generators ends whatever step is under way.
  const onAbort = () => void generators.close();
  const progress = new Progress(subject, plan);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    progress.limit();
    const limits = new Map<string, number>();
    for (const scheme of schemes)
      if (!signal.aborted) limits.set(scheme, await generatorLimit(generators, scheme, schedule.limit));
    const meter = new Meter(subject, generators, shared);
    for (const [index, target] of targets.entries()) {
      if (signal.aborted) return;
      const stepper = new Stepper(generators, meter, signal);
      let spent = 0;
      const climbed = await climb(stepper, target, schedule, (order) => {
        progress.step(index, target, order, spent);
        spent += order.seconds;
      }).catch((error: unknown): Climbed => {
        if (signal.aborted) return { steps: [], whole: false };
        throw error;
      });
      const part = partOf({
        alias: target.alias.name,
        service: target.alias.service,
        objectives: target.objectives,
        climbed,
        shared,
        generatorPerSecond: Math.round(limits.get(schemeOf(target)) ?? 0),
        room: roomFor(subject.site, subject.blueprint, target.alias.service),
      });
      if (part === null) continue;
      parts.push(part);
      if (climbed.whole) findings.push(...findingsOf(part, target.objectives, stepper.sentences));
    }
  } finally {
    progress.end();
    signal.removeEventListener("abort", onAbort);
    await generators.close();
  }
}

const schemeOf = ({ samples }: Target): SampleRequest["scheme"] => samples[0]!.scheme;

/** What is asked of whom; who cannot be asked is said. */
function targetsOf(subject: Subject): { readonly targets: readonly Target[]; readonly findings: Finding[] } {
  const { site, blueprint } = subject;
  const findings: Finding[] = [];
  const targets = blueprint.aliases.flatMap((alias): readonly Target[] => {
    const all = subject.samples(alias).filter(({ kind }) => kind === "read");
    const samples = all.filter(({ scheme }) => scheme === all[0]?.scheme);
    if (samples.length === 0) {
      findings.push({
        level: "note",
        about: `alias ${alias.name}`,
        says: `${alias.name} was not loaded by itself: no requests are known that its clients make. What it does for others is in their figures`,
      });
      return [];
    }
    const service = site.services.find(({ name }) => name === alias.service);
    return [
      { alias, samples, objectives: objectivesOf(site, service), from: clientAddresses(blueprint, alias, findings) },
    ];
  });
  return { targets, findings };
}

/**
 * On a machine of one's own every address of 127.0.0.0/8 may be a client's. Elsewhere there is one: that a service keeps each client's address with one copy
 * is then said.
 */
function clientAddresses(blueprint: Blueprint, alias: BlueprintAlias, findings: Finding[]): readonly string[] {
  if (blueprint.network.mode === "loopback")
    return Array.from({ length: CLIENT_ADDRESSES }, (_, index) => `127.0.0.${index + 1}`);
  if (alias.persistence > 0)
    findings.push({
      level: "warning",
      about: `alias ${alias.name}`,
      says: `${alias.name} keeps each client's address with one copy for ${alias.persistence} s, and all calls come from one address here: what was measured is one copy`,
    });
  return [];
}

function stepSays({ alias: { name } }: Target, { kind, offered, connections }: StepOrder): string {
  const kept = connections === "kept" ? " with kept connections" : "";
  return kind === "closed"
    ? `${name}: ${offered} clients that wait for their answers${kept}`
    : `${name}: ${formatNumber(offered)} calls a second${kind === "soak" ? ", held" : ""}`;
}

/** Says what is done and how much is left, also while a long step goes on. */
class Progress {
  readonly #subject: Subject;
  readonly #plan: Plan;
  readonly #timer: NodeJS.Timeout;
  /** Seconds of the plan before what is done now, and of that. */
  #now = { says: "", before: 0, seconds: 0, since: 0 };

  constructor(subject: Subject, plan: Plan) {
    this.#subject = subject;
    this.#plan = plan;
    this.#timer = setInterval(() => this.#tell(), 1000);
  }

  /** The load generator's own limit is measured. */
  limit(): void {
    this.#begin("what the load generator can do itself", 0, this.#limits);
  }

  /** @param spent seconds of the alias's own that are over */
  step(index: number, target: Target, order: StepOrder, spent: number): void {
    const { alias, stretch } = this.#plan.schedule;
    const before = this.#limits + index * alias + Math.min(spent * stretch, alias);
    this.#begin(stepSays(target, order), before, order.seconds * stretch);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  get #limits(): number {
    return this.#plan.schedule.limit * this.#plan.schemes.length;
  }

  #begin(says: string, before: number, seconds: number): void {
    this.#now = { says, before, seconds, since: performance.now() };
    this.#tell();
  }

  #tell(): void {
    const { says, before, seconds, since } = this.#now;
    const all = this.#limits + this.#plan.schedule.alias * this.#plan.targets.length;
    const done = Math.min(all, before + Math.min(seconds, (performance.now() - since) / 1000));
    this.#subject.tell({ test: "stress", says, done: done / all, secondsLeft: all - done });
  }
}

function wellSays(parts: readonly StressPart[]): string {
  return parts
    .map(
      ({ alias, callsPerDay, nextServerAt }) =>
        `${alias} ${formatNumber(callsPerDay ?? 0)} calls a day (next server at ${formatNumber(nextServerAt ?? 0)})`,
    )
    .join(", ");
}

/** What a load must not change: who runs, and who holds the aliases. */
interface Standing {
  readonly guests: ReadonlyMap<string, Pick<GuestStatus, "instance" | "lastEnd">>;
  readonly holders: ReadonlyMap<string, string | null>;
}

async function standing(subject: Subject): Promise<Standing> {
  const { blueprint } = subject;
  const hosts = [...new Set(blueprint.guests.map(({ host }) => host))];
  // A host that does not answer has nothing to compare.
  const lists = await Promise.all(
    hosts.map(async (host) => {
      try {
        return await (await subject.hypervisor(host)).list();
      } catch {
        return [];
      }
    }),
  );
  const directors = directorsOf(blueprint).length > 0 ? await subject.directors() : [];
  return {
    guests: new Map(lists.flat().map((guest) => [guest.name, guest])),
    holders: new Map(blueprint.aliases.map(({ name }) => [name, holderOf(directors, name)])),
  };
}

/** @returns what the load did to the site itself */
function changed(before: Standing, after: Standing): readonly Finding[] {
  const ended = [...before.guests].flatMap(([name, old]): readonly Finding[] => {
    const now = after.guests.get(name);
    if (!now || now.instance === old.instance) return [];
    return [
      {
        level: "failed",
        about: `guest ${name}`,
        says: `${name} ended under load: ${now.lastEnd ?? "nobody knows why"}`,
      },
    ];
  });
  const moved = [...before.holders].filter(([alias, holder]) => holder !== null && after.holders.get(alias) !== holder);
  if (moved.length === 0 || ended.length > 0) return ended;
  const [alias, holder] = moved[0]!;
  const now = after.holders.get(alias);
  return [
    {
      level: "warning",
      about: "directors",
      says: `the aliases went from ${holder} to ${now ?? "nobody"} under load, though nobody had died`,
    },
  ];
}
