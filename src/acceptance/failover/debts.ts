/** What is dead by the test's hand and must be given back, whatever ends the test. Told to the guardian before it is done. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { carryOut, carryOutAll, type Deed, type Hands, nameOf } from "./deeds.ts";
import type { Told } from "./guardian.ts";

const PROGRAM = join(import.meta.dirname, "guardian.ts");

export class Debts {
  readonly #hands: Hands;
  readonly #state: string | null;
  readonly #owed = new Map<string, { readonly deed: Deed; readonly withinMs: number }>();
  readonly #waiting = new Map<number, { readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  #guardian: ChildProcess | null = null;
  #number = 0;

  private constructor(hands: Hands, state: string | null) {
    this.#hands = hands;
    this.#state = state;
  }

  /**
   * @param state the site's state directory, from which the guardian reaches the hosts; `null`: there will be none
   * @throws Error when the guardian cannot be started: without it nothing may be killed
   */
  static async open(hands: Hands, state: string | null): Promise<Debts> {
    const debts = new Debts(hands, state);
    await debts.#guard();
    return debts;
  }

  get any(): boolean {
    return this.#owed.size > 0;
  }

  /**
   * Returns when the guardian knows it; only then may it be done.
   * @param withinMs until the guardian gives it back by itself
   */
  async owe(deed: Deed, withinMs: number): Promise<void> {
    this.#owed.set(nameOf(deed), { deed, withinMs });
    // One that somebody ended is replaced, and told everything anew.
    if (this.#guardian === null) await this.#guard();
    else await this.#tell({ owes: deed, withinMs }).catch(() => this.#guard());
  }

  /** Gives it back once. @throws Fault as the host says */
  async settle(deed: Deed): Promise<void> {
    await carryOut(deed, this.#hands);
    this.#owed.delete(nameOf(deed));
    await this.#tell({ settled: deed });
  }

  /**
   * Gives everything back.
   * @param patienceMs for all of it
   * @returns sentences about what could not be
   */
  async settleAll(patienceMs: number): Promise<readonly string[]> {
    const failed = await carryOutAll(
      [...this.#owed.values()].map(({ deed }) => deed),
      this.#hands,
      patienceMs,
    );
    const left = new Set(failed.map(({ deed }) => nameOf(deed)));
    for (const [name, { deed }] of [...this.#owed])
      if (!left.has(name)) {
        this.#owed.delete(name);
        await this.#tell({ settled: deed });
      }
    return failed.map(({ deed, says }) => `could not ${nameOf(deed)}: ${says}`);
  }

  /** Lets the guardian go; what is still owed it tries once more. */
  async close(): Promise<void> {
    if (!this.any) await this.#tell({ goodbye: true });
    const guardian = this.#guardian;
    this.#guardian = null;
    guardian?.stdin?.end();
  }

  /** Starts a guardian and tells it everything that is owed. */
  async #guard(): Promise<void> {
    if (this.#state === null) return;
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", PROGRAM, this.#state], {
      cwd: "/",
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#guardian = child;
    const gone = (): void => {
      if (this.#guardian === child) this.#guardian = null;
      for (const { reject } of this.#waiting.values()) reject(new Error("the guardian of the failover test has ended"));
      this.#waiting.clear();
    };
    child.once("error", gone);
    child.once("exit", gone);
    child.stdin!.on("error", () => {});
    createInterface({ input: child.stdout! }).on("line", (line) => {
      this.#waiting.get(Number(line))?.resolve();
      this.#waiting.delete(Number(line));
    });
    await new Promise<void>((resolve, reject) => this.#waiting.set(0, { resolve, reject }));
    // It must not keep this process alive: the end of this process is what it waits for.
    child.unref();
    for (const { deed, withinMs } of this.#owed.values()) await this.#tell({ owes: deed, withinMs });
  }

  async #tell(what: { owes: Deed; withinMs: number } | { settled: Deed } | { goodbye: true }): Promise<void> {
    const guardian = this.#guardian;
    if (guardian === null) return;
    const number = ++this.#number;
    const told: Told = { number, ...what };
    const understood = new Promise<void>((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
    guardian.stdin!.write(`${JSON.stringify(told)}\n`);
    // One that has ended meanwhile is replaced at the next kill; that it was told is not what matters then.
    await understood.catch((error: Error) => {
      if ("owes" in what) throw error;
    });
  }
}
