/** `domus serve`: the controller in front: puts back what is missing, and keeps the history of every copy and alias. */
import type { Command } from "commander";
import type { SiteObservation } from "../../controller/index.ts";
import { Fault, type ProbeResult } from "../../model/index.ts";
import { acquireLock, realClock } from "../../world/index.ts";
import { chooseSite, lockSite, MENDING, type OpenSite, openState } from "../open.ts";
import { complain, say } from "../say.ts";

/** Milliseconds between two looks at every copy and alias, and between two turns of mending. */
const LOOK_EVERY = 1000;
const MEND_EVERY = 2000;

/** @returns what probes saw, by the names under which history is kept. */
export function probeSubjects(
  seen: SiteObservation,
): readonly { readonly subject: string; readonly result: ProbeResult }[] {
  return [
    ...seen.guests.map(({ guest, probe }) => ({ subject: `guest ${guest.name}`, result: probe })),
    ...seen.aliases.map(({ alias, probe }) => ({ subject: `alias ${alias.name}`, result: probe })),
    ...seen.hosts.map(({ name, state, says }) => ({
      subject: `host ${name}`,
      result: { outcome: state === "up" ? ("answers" as const) : ("failed" as const), says, milliseconds: 0 },
    })),
  ];
}

/** Says which guests have ended since the last look, and how: the reason for what probes see. */
class Endings {
  #known = new Map<string, { readonly restarts: number; readonly end: string | null }>();

  /** @returns guests that ended, with the reason */
  since(seen: SiteObservation): readonly { readonly guest: string; readonly says: string }[] {
    const now = new Map(
      seen.guests.flatMap(({ guest, status }) =>
        status ? [[guest.name as string, { restarts: status.restarts, end: status.lastEnd }] as const] : [],
      ),
    );
    const ended = [...now].flatMap(([guest, { restarts, end }]) => {
      const before = this.#known.get(guest);
      const again = before && (restarts > before.restarts || end !== before.end);
      // Whoever ordered it is known otherwise.
      return again && end !== null && end !== "stopped as ordered" ? [{ guest, says: end }] : [];
    });
    // A guest that cannot be seen for a while is remembered: how it ended is told when its host is back.
    this.#known = new Map([...this.#known, ...now]);
    return ended;
  }
}

/**
 * Mends and records until told to stop. Looking and mending are two loops: whoever waits for a guest to start must not stop looking at the
 * others. A turn that fails is said and the next one tries again.
 * @param onChange called with one sentence for everything that changed
 */
export async function keepUp(open: OpenSite, signal: AbortSignal, onChange: (says: string) => void): Promise<void> {
  let lastTrouble = "";
  const turns = async (every: number, turn: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      try {
        await turn();
        lastTrouble = "";
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        if (error.message !== lastTrouble) complain(`! ${error.message}`);
        lastTrouble = error.message;
      }
      await realClock.sleep(every, signal);
    }
  };
  const look = looker(open, onChange);
  await Promise.all([turns(LOOK_EVERY, look), turns(MEND_EVERY, () => mend(open, onChange))]);
}

/** @returns one look at everything, which knows what the last one saw */
function looker(open: OpenSite, onChange: (says: string) => void): () => Promise<void> {
  const endings = new Endings();
  let lastPrune = 0;
  let known = new Map<string, string>();
  return async () => {
    const begun = realClock.now();
    const observed = await open.controller.observe();
    if (observed?.target.phase === "up") {
      const { seen } = observed;
      for (const { guest, says } of endings.since(seen)) await open.store.event("ended", guest, says);
      const subjects = probeSubjects(seen);
      await open.store.recordProbes(subjects, begun);
      const now = new Map([
        ...subjects.map(({ subject, result }) => [subject, result.outcome] as const),
        ...seen.hosts.map((host) => [`host ${host.name}`, host.state] as const),
      ]);
      for (const [subject, outcome] of now) {
        const before = known.get(subject);
        if (before === undefined || before === outcome) continue;
        onChange(`${subject}: ${before} → ${outcome}`);
        await open.store.event("change", subject, `${before} → ${outcome}`);
      }
      known = now;
    }
    if (realClock.now() - lastPrune > 3_600_000) {
      await open.store.prune();
      lastPrune = realClock.now();
    }
  };
}

/** One turn of the reconciler, unless somebody else is at work: then he does it. */
async function mend(open: OpenSite, onChange: (says: string) => void): Promise<void> {
  const lock = await acquireLock(`site ${open.directory}`, `${MENDING} (process ${process.pid})`);
  if ("heldBy" in lock) return;
  try {
    const result = await open.controller.reconcile();
    for (const outcome of result?.outcomes ?? []) if (outcome.report === "done") onChange(`mended: ${outcome.says}`);
  } finally {
    await lock.release();
  }
}

export function addServe(program: Command): void {
  program
    .command("serve")
    .summary("stay in front: mend what is missing, keep the history")
    .description(
      "Runs the controller: restores supervisors, puts back missing guests, and looks once a second at every copy, alias and host: domus status --history shows what it saw. Services do not need it.",
    )
    .argument("[site]", "site file or name; not needed when only one is known")
    .option("--json", "one JSON object a line")
    .addHelpText("after", "\nExample:\n  domus serve wiki")
    .action(async (given: string | undefined, flags: { readonly json?: boolean }) => {
      const name = chooseSite(given);
      const only = await acquireLock(`serve ${name}`, `domus serve (process ${process.pid})`);
      if ("heldBy" in only) throw new Fault("site.busy", { site: name, holder: only.heldBy });
      // A look at the lock first: a broken store should be said before anything is promised.
      await (await lockSite(name, "domus serve, starting")).release();
      const open = await openState(name);
      const stop = new AbortController();
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
      if (!flags.json) say(`Keeping ${name} up. Ctrl-C ends this controller; the site goes on.`);
      await keepUp(open, stop.signal, (says) => {
        if (flags.json) process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), says })}\n`);
        else say(`${new Date().toISOString().slice(11, 19)}  ${says}`);
      });
      await open.close();
      await only.release();
    });
}
