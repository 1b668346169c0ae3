/** The steps that take a site down: who needs others stops first, the front end last, and data stays where it is. Pure. */
import {
  type Blueprint,
  type GuestName,
  type HostName,
  STEP_KINDS,
  type Step,
  type StepId,
  type StepKind,
} from "../model/index.ts";

/** @returns for each guest how many others stand between it and the ground: directors 0, a database behind them 1, … */
function levels(blueprint: Blueprint): ReadonlyMap<GuestName, number> {
  const depth = new Map<StepId, number>();
  const level = new Map<GuestName, number>();
  // Steps come after those they wait for, so one pass is enough.
  for (const step of blueprint.steps) {
    const before = step.after.reduce((deepest, earlier) => Math.max(deepest, depth.get(earlier) ?? 0), 0);
    depth.set(step.id, step.kind === "guest.start" ? before + 1 : before);
    if (step.kind === "guest.start" && step.guest) level.set(step.guest, before);
  }
  return level;
}

/**
 * @param left guests that were seen on hosts, whether the Blueprint knows them or not: nothing stays behind
 * @returns steps in an order in which each comes after those it waits for
 */
export function downSteps(
  blueprint: Blueprint,
  left: readonly { readonly name: GuestName; readonly host: HostName }[],
): readonly Step[] {
  const level = levels(blueprint);
  const known = new Map(left.map((guest) => [`${guest.name}@${guest.host}`, guest]));
  for (const guest of blueprint.guests)
    if (guest.definition.program.kind !== "none")
      known.set(`${guest.name}@${guest.host}`, { name: guest.name, host: guest.host });
  const guests = [...known.values()].sort(
    (a, b) => (level.get(b.name) ?? 99) - (level.get(a.name) ?? 99) || (a.name < b.name ? -1 : 1),
  );
  const steps: Step[] = [];
  const add = (
    kind: StepKind,
    guest: GuestName | null,
    host: HostName,
    after: readonly StepId[],
    check: string,
  ): StepId => {
    const id = `${kind}:${guest ? `${guest}@` : ""}${host}` as StepId;
    steps.push({ id, kind, guest, host, alias: null, after, check, undo: STEP_KINDS[kind].undo });
    return id;
  };
  let above: StepId[] = [];
  let current: StepId[] = [];
  let currentLevel: number | null = null;
  const retired = new Map<HostName, StepId[]>();
  for (const guest of guests) {
    const its = level.get(guest.name) ?? 99;
    if (its !== currentLevel) {
      above = current;
      current = [];
      currentLevel = its;
    }
    const stop = add("guest.stop", guest.name, guest.host, above, `${guest.name} does not run on ${guest.host}`);
    current.push(stop);
    const retire = add("guest.retire", guest.name, guest.host, [stop], `${guest.name} is not known to ${guest.host}`);
    retired.set(guest.host, [...(retired.get(guest.host) ?? []), retire]);
  }
  const hosts = new Set([...blueprint.hosts.map((host) => host.name), ...retired.keys()]);
  for (const host of hosts) add("host.release", null, host, retired.get(host) ?? [], `nothing of ${host} runs`);
  return steps;
}
