/**
 * The second acceptance test: under a steady load every copy, database server, director and host is killed and brought back, one after the
 * other. Measured is what clients felt, at every door of the site at once; a part passes when they kept what the site file promises them.
 *
 * Only a site that is whole is struck, so that each kill meets what people planned; a site that does not become whole again ends the test. What is
 * killed is first told to a guardian (`guardian.ts`), so that no end of this process leaves anything dead.
 */
import { setTimeout as pause } from "node:timers/promises";
import { objectivesOf } from "../../model/index.ts";
import { probeGuest } from "../../probe/index.ts";
import type { FailoverPart, Finding, TestReport } from "../contract.ts";
import type { Subject } from "../subject.ts";
import { Debts } from "./debts.ts";
import type { Deed } from "./deeds.ts";
import { doorsOf } from "./doors.ts";
import { Estimate } from "./estimate.ts";
import { Eyes } from "./eyes.ts";
import { feltAt } from "./felt.ts";
import { Inspector } from "./inspector.ts";
import { judgeWindow, type Records, summaryOf, type Verdict } from "./verdict.ts";
import { nextVictim, type Victim, victimsOf } from "./victims.ts";
import { BUDGET, Watch } from "./watch.ts";
import { LEAD, openWindow, type Window } from "./window.ts";
import { counted, listed } from "./words.ts";

export interface FailoverOptions {
  /** Calls a second at each alias; 20 when silent. */
  readonly perSecond?: number;
  /** Share of calls that write, where there are such; 0.1 when silent. */
  readonly writeShare?: number;
  /** Seconds that a victim stays dead; 4 when silent, which is longer than any client's patience: nobody can wait for it to return. */
  readonly deadSeconds?: number;
  /** Kills these and nothing else, such as `host north`; the report says that the others were not tested. */
  readonly parts?: readonly string[];
  /** Told of each part when the site is whole again; the report has in it besides what ends a moment later. */
  readonly onPart?: (part: FailoverPart) => void;
}

const DEFAULTS = { perSecond: 20, writeShare: 0.1, deadSeconds: 4 } as const;
/** Milliseconds between two words about progress. */
const TELL = 400;
/** Milliseconds for giving back what is dead when the test ends early, and for the site to become whole then. */
const MENDING = { interrupted: 30_000, ended: 2000 } as const;
/** Milliseconds after which the guardian gives back what this process has not. */
const STOPPED = 30_000;
/** A site that is not whole in time is waited for a little longer: how much too late is worth knowing. */
const patienceOf = (wholeSeconds: number): number => Math.max(wholeSeconds * 1.5, wholeSeconds + 5) * 1000;

const HOW: Readonly<Record<"guest" | "host", string>> = {
  guest: "its processes were ended at once",
  host: "its power was taken",
};

/** Runs the test to its end, or until `subject.signal`; the site is whole, or on its way to it, when it returns. */
export function runFailover(subject: Subject, options: FailoverOptions = {}): Promise<TestReport<FailoverPart>> {
  return new FailoverTest(subject, options).run();
}

class FailoverTest {
  readonly #subject: Subject;
  readonly #options: FailoverOptions & Required<Omit<FailoverOptions, "onPart" | "parts">>;
  readonly #startedAt = Date.now();
  readonly #began = performance.now();
  readonly #watch: Watch;
  readonly #eyes: Eyes;
  readonly #inspector: Inspector;
  readonly #records: Omit<Records, "gaps">;
  readonly #findings: Finding[] = [];
  readonly #windows: Window[] = [];
  readonly #estimate = new Estimate();
  readonly #patience: number;
  #left: Victim[];
  #current: Victim | null = null;
  #gapsAtEnd: Records["gaps"] = [];
  #says = "waiting until the site is whole";
  #partBegan = performance.now();

  constructor(subject: Subject, options: FailoverOptions) {
    this.#subject = subject;
    this.#options = { ...DEFAULTS, ...options };
    const { site, blueprint, tls } = subject;
    const doors = doorsOf(subject);
    this.#watch = new Watch(doors, tls, this.#options);
    this.#eyes = new Eyes(blueprint, tls);
    this.#inspector = new Inspector(subject, this.#eyes, this.#watch);
    const { calls, stalls } = this.#watch;
    this.#records = { site, blueprint, doors, calls, stalls, changes: this.#eyes.changes };
    const longest = Math.max(
      objectivesOf(site).whole,
      ...site.services.map((service) => objectivesOf(site, service).whole),
    );
    this.#patience = patienceOf(longest);
    const all = victimsOf(blueprint);
    const powerless = all.filter(({ kind }) => kind === "host" && subject.power === null);
    const unasked = all.filter(({ part }) => options.parts?.includes(part) === false);
    this.#left = all.filter((victim) => !powerless.includes(victim) && !unasked.includes(victim));
    for (const { part } of powerless)
      this.#warn(part, `${part} was not tested: nobody here can take a machine's power`);
    if (unasked.length > 0)
      this.#warn("failover", `${listed(unasked.map(({ part }) => part))} not tested: nobody asked for it`);
    if (subject.state === null)
      this.#warn(
        "failover",
        "were this test ended by force, what is dead then would stay dead: no guardian can reach the hosts",
      );
  }

  async run(): Promise<TestReport<FailoverPart>> {
    const { hypervisor, power, state, signal } = this.#subject;
    const debts = await Debts.open({ hypervisor, power }, state);
    const telling = setInterval(() => this.#tell(), TELL);
    let ended = performance.now();
    try {
      this.#eyes.open();
      await this.#watch.start();
      await this.#strikeAll(debts);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ended = performance.now();
      await this.#leaveWhole(debts);
      clearInterval(telling);
      this.#eyes.close();
      await debts.close();
      // What is under way may end; a load that is cut off tells nothing of it.
      if (!signal.aborted) await pause(BUDGET - LEAD);
      this.#gapsAtEnd = this.#watch.gaps();
      await this.#watch.stop();
    }
    return this.#report(ended);
  }

  async #strikeAll(debts: Debts): Promise<void> {
    const { signal } = this.#subject;
    const first = await this.#inspector.untilWhole(performance.now() + this.#patience, null);
    if (first !== null) {
      const missing = first.map(({ says }) => says).slice(0, 3);
      this.#fail("the site", `the site is not whole, so nothing was killed: ${missing.join("; ")}`);
      return this.#leaveOut("the site was not whole");
    }
    this.#judgeCalm();
    for (let victim = this.#next(); victim; victim = this.#next()) {
      signal.throwIfAborted();
      this.#partBegan = performance.now();
      const window = await this.#strike(victim, debts);
      this.#current = null;
      this.#tellPart();
      if (window.wholeAt === null)
        return this.#leaveOut(`the site was not whole again after ${victim.part} was killed`);
      this.#estimate.note(victim.kind, (performance.now() - this.#partBegan) / 1000);
    }
  }

  #next(): Victim | undefined {
    return nextVictim(this.#left, this.#eyes.directors);
  }

  async #strike(victim: Victim, debts: Debts): Promise<Window> {
    const { signal } = this.#subject;
    this.#left = this.#left.filter((other) => other !== victim);
    this.#current = victim;
    this.#says = `${victim.part} is dead, under load`;
    const deed: Deed =
      victim.kind === "host"
        ? { kind: "heal", host: victim.host }
        : { kind: "start", host: victim.host, guest: victim.guests[0]! };
    await debts.owe(deed, this.#options.deadSeconds * 1000 + STOPPED);
    const how = HOW[victim.kind === "host" ? "host" : "guest"];
    const active = this.#eyes.active?.guest ?? null;
    const window = openWindow(victim, how, performance.now(), this.#eyes.carried(), active);
    this.#windows.push(window);
    if (victim.kind === "host") await this.#subject.power!.cut(victim.host);
    else await (await this.#subject.hypervisor(victim.host)).destroy(victim.guests[0]!);
    await pause(this.#options.deadSeconds * 1000, undefined, { signal });
    window.undead = await this.#undead(victim);
    window.after = this.#eyes.carried();
    window.carriedBy = {
      active: this.#eyes.active?.guest ?? null,
      writers: (this.#eyes.active?.aliases ?? []).flatMap(({ name, copies }) =>
        copies.filter(({ writer }) => writer).map(({ guest }) => [name, guest] as const),
      ),
    };
    this.#says = `${victim.part} is given back; waiting until everything is whole`;
    window.backAt = performance.now();
    await debts.settle(deed).catch((error: Error) => {
      // Hosts go on trying what they were ordered to start; whether it comes is seen by looking.
      window.startSays = error.message;
    });
    window.startedAt = performance.now();
    window.missing = (await this.#inspector.untilWhole(window.backAt + this.#patience, window)) ?? [];
    return window;
  }

  /** @returns guests that answer although they are dead */
  async #undead({ guests }: Victim): Promise<readonly string[]> {
    const dead = this.#subject.blueprint.guests.filter(({ name }) => guests.includes(name));
    const seen = await Promise.all(
      dead.map(async ({ name, address, definition: { probe } }) => ({
        name,
        answers: probe.kind !== "running" && (await probeGuest(probe, address, this.#subject.tls)).outcome !== "failed",
      })),
    );
    return seen.filter(({ answers }) => answers).map(({ name }) => name);
  }

  /** A load that loses calls before anything is killed says nothing of kills. */
  #judgeCalm(): void {
    const to = performance.now() - LEAD / 2;
    for (const door of this.#records.doors) {
      const felt = feltAt(door, { from: to - LEAD / 2, to }, this.#records.calls, []);
      if (felt.lost > 0)
        this.#warn(
          `alias ${door.name}`,
          `${counted(felt.lost, "call")} of ${felt.requests} failed at the first attempt before anything was killed: ${felt.says}`,
        );
    }
  }

  #leaveOut(why: string): void {
    if (this.#left.length > 0)
      this.#warn("failover", `${listed(this.#left.map(({ part }) => part))} not tested: ${why}`);
    this.#left = [];
  }

  /** Whatever ended the test: what is dead is given back, and for a while somebody looks whether it comes. */
  async #leaveWhole(debts: Debts): Promise<void> {
    const { aborted } = this.#subject.signal;
    if (!aborted && !debts.any) return;
    this.#says = "giving back what is dead";
    const patience = aborted ? MENDING.interrupted : MENDING.ended;
    for (const says of await debts.settleAll(patience)) this.#fail("the site", says);
    const missing = await this.#inspector.untilMended(performance.now() + patience);
    if (missing !== null) this.#warn("the site", `the site was not yet whole when the test ended: ${missing}`);
  }

  /** @returns what the kills so far came to; one that was interrupted is not judged */
  #verdicts(end: number, gaps: Records["gaps"]): readonly Verdict[] {
    return this.#windows.flatMap((window, index) => {
      if (window.wholeAt === null && this.#subject.signal.aborted) return [];
      const next = this.#windows[index + 1];
      const span = { from: window.killedAt - LEAD, to: next ? next.killedAt - LEAD : end };
      return [judgeWindow(window, span, { ...this.#records, gaps })];
    });
  }

  #tellPart(): void {
    const verdict = this.#verdicts(performance.now(), this.#watch.gaps()).at(-1);
    if (verdict) this.#options.onPart?.(verdict.part);
  }

  #tell(): void {
    const elapsed = (performance.now() - this.#began) / 1000;
    const inPart = (performance.now() - this.#partBegan) / 1000;
    const under = this.#current ? Math.max(1, this.#estimate.of([this.#current]) - inPart) : 0;
    const secondsLeft = under + this.#estimate.of(this.#left);
    this.#subject.tell({
      test: "failover",
      says: this.#says,
      done: elapsed / Math.max(elapsed + secondsLeft, 1),
      secondsLeft: Math.round(secondsLeft),
    });
  }

  #fail(about: string, says: string): void {
    this.#findings.push({ level: "failed", about, says });
  }

  #warn(about: string, says: string): void {
    this.#findings.push({ level: "warning", about, says });
  }

  #report(end: number): TestReport<FailoverPart> {
    const interrupted = this.#subject.signal.aborted;
    const verdicts = this.#verdicts(end, this.#gapsAtEnd);
    const parts = verdicts.map(({ part }) => part);
    if (interrupted)
      for (const { victim } of this.#windows.slice(parts.length))
        this.#warn(
          victim.part,
          `${victim.part} was killed and given back, but the test was interrupted before anything could be said of it`,
        );
    const findings = [...this.#findings, ...verdicts.flatMap((verdict) => verdict.findings)];
    const passed = !interrupted && parts.length > 0 && !findings.some(({ level }) => level === "failed");
    return {
      test: "failover",
      passed,
      says: summaryOf(parts, findings, interrupted),
      startedAt: this.#startedAt,
      durationMs: Math.round(performance.now() - this.#began),
      parts,
      findings,
      interrupted,
    };
  }
}
