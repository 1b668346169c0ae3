/**
 * What each kind of step does, as a table: how to see that it is already true, and how to make it true. Every entry may be repeated,
 * may fail half way, and may be undone by the entry that `STEP_KINDS` names, twice.
 */
import type { GuestStatus } from "../hypervisor/index.ts";
import {
  type Blueprint,
  type BlueprintAlias,
  type BlueprintGuest,
  Fault,
  type GuestName,
  type HostName,
  type Probe,
  type ProbeResult,
  type Step,
  type StepKind,
} from "../model/index.ts";
import { guestDigest } from "../planner/index.ts";
import type { Clock } from "../world/index.ts";
import type { HostPool } from "./hosts.ts";
import { guestOrder, type SiteSecrets } from "./orders.ts";

/** Asks a guest or an alias whether it does its work. */
export type Ask = (probe: Probe, address: string, name: string) => Promise<ProbeResult>;

export interface StepContext {
  readonly blueprint: Blueprint;
  readonly hosts: HostPool;
  readonly secrets: SiteSecrets;
  readonly ask: Ask;
  readonly clock: Clock;
  /** Said to whoever watches, while something takes long. */
  readonly note: (step: Step, says: string) => void;
  readonly signal: AbortSignal;
  /** Only when data may go with its guest. */
  readonly destroyData: boolean;
  /** The site goes down: what the Blueprint wants is not wanted now. */
  readonly leaving: boolean;
}

export interface StepHandler {
  readonly isTrue: (context: StepContext, step: Step) => Promise<boolean>;
  readonly make: (context: StepContext, step: Step) => Promise<void>;
}

/** Longest that a guest or alias may take until it answers, milliseconds. A first database on a busy machine is the slowest. */
const LONGEST_WAIT = 180_000;
/** A guest that ended this often since it was started is not going to answer. */
const TOO_MANY_ENDS = 6;
const GRACE_SECONDS = 8;

async function statusOf(context: StepContext, host: HostName, guest: GuestName): Promise<GuestStatus | null> {
  const hypervisor = await context.hosts.connect(host);
  return (await hypervisor.list()).find((one) => one.name === guest) ?? null;
}

function placed(context: StepContext, step: Step): BlueprintGuest {
  const guest = context.blueprint.guests.find((one) => one.name === step.guest);
  if (!guest) throw new Error(`blueprint ${context.blueprint.number} has no guest ${step.guest}`);
  return guest;
}

/** Tells whether a probe's answer lets the plan go on. */
const goesOn = (result: ProbeResult): boolean => result.outcome !== "failed";

async function waitFor(context: StepContext, step: Step, look: () => Promise<ProbeResult>, who: string): Promise<void> {
  const deadline = context.clock.now() + LONGEST_WAIT;
  let pause = 25;
  for (;;) {
    const seen = await look();
    if (goesOn(seen)) return;
    if (context.signal.aborted) throw new Fault("step.failed", { step: step.id, reason: "interrupted" });
    if (context.clock.now() > deadline)
      throw new Fault("step.failed", {
        step: step.id,
        reason: `${who} did not answer within ${LONGEST_WAIT / 1000} s: ${seen.says}`,
      });
    context.note(step, seen.says);
    await context.clock.sleep(pause, context.signal);
    pause = Math.min(250, pause * 1.3);
  }
}

async function failWhenItKeepsEnding(context: StepContext, step: Step): Promise<void> {
  const status = await statusOf(context, step.host!, step.guest!);
  if (!status || status.restarts < TOO_MANY_ENDS) return;
  const console = await (await context.hosts.connect(step.host!)).console(step.guest!, 2000);
  const words = console.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  throw new Fault("guest.failed", {
    guest: step.guest!,
    host: step.host!,
    reason: `it ended ${status.restarts} times (${status.lastEnd}); it last said: ${words || "nothing"}`,
  });
}

/** An alias answers when the question that is asked of its copies is answered through it; others are asked for a connection only. */
export function aliasProbe(alias: BlueprintAlias): Probe {
  const check = alias.backends[0]?.check;
  return check && "port" in check && check.port === alias.port ? check : { kind: "tcp", port: alias.port };
}

function askAlias(context: StepContext, alias: BlueprintAlias): Promise<ProbeResult> {
  return context.ask(aliasProbe(alias), alias.address, alias.name);
}

export const HANDLERS: Readonly<Record<StepKind, StepHandler>> = {
  "host.prepare": {
    isTrue: ({ hosts }, step) =>
      hosts.connect(step.host!).then(
        () => true,
        () => false,
      ),
    make: async ({ hosts }, step) => {
      await hosts.prepare(step.host!);
    },
  },
  "guest.retire": {
    isTrue: async (context, step) => {
      const status = await statusOf(context, step.host!, step.guest!);
      if (!status) return true;
      if (context.leaving) return false;
      const next = context.blueprint.guests.find((one) => one.name === step.guest);
      // Made anew in the same place: what stands there now is already the new one.
      return next?.host === step.host && status.digest === guestDigest(next, context.blueprint.bundles);
    },
    make: async (context, step) => {
      const hypervisor = await context.hosts.connect(step.host!);
      const status = await statusOf(context, step.host!, step.guest!);
      if (status) await hypervisor.stop(step.guest!, { graceSeconds: GRACE_SECONDS });
      await hypervisor.undefine(step.guest!, { destroyData: context.destroyData });
    },
  },
  "guest.define": {
    isTrue: async (context, step) => {
      const guest = placed(context, step);
      return (
        (await statusOf(context, guest.host, guest.name))?.digest === guestDigest(guest, context.blueprint.bundles)
      );
    },
    make: async (context, step) => {
      const guest = placed(context, step);
      const order = await guestOrder(context.blueprint, guest, context.secrets, (name) => context.hosts.bundle(name));
      await (await context.hosts.connect(guest.host)).define(order);
    },
  },
  "guest.start": {
    isTrue: async (context, step) => {
      const status = await statusOf(context, step.host!, step.guest!);
      return status?.state === "running" || placed(context, step).definition.program.kind === "none";
    },
    make: async (context, step) => {
      const hypervisor = await context.hosts.connect(step.host!);
      if ((await statusOf(context, step.host!, step.guest!))?.state === "suspended")
        return hypervisor.resume(step.guest!);
      await hypervisor.start(step.guest!);
    },
  },
  "guest.stop": {
    isTrue: async (context, step) => {
      const status = await statusOf(context, step.host!, step.guest!);
      return !status || (status.state === "stopped" && status.wanted === "stopped");
    },
    make: async (context, step) => {
      await (await context.hosts.connect(step.host!)).stop(step.guest!, { graceSeconds: GRACE_SECONDS });
    },
  },
  "guest.ready": {
    isTrue: async (context, step) => {
      const guest = placed(context, step);
      return goesOn(await context.ask(guest.definition.probe, guest.address, guest.name));
    },
    make: async (context, step) => {
      const guest = placed(context, step);
      await waitFor(
        context,
        step,
        async () => {
          const seen = await context.ask(guest.definition.probe, guest.address, guest.name);
          if (!goesOn(seen)) await failWhenItKeepsEnding(context, step);
          return seen;
        },
        guest.name,
      );
    },
  },
  "alias.ready": {
    isTrue: async (context, step) => goesOn(await askAlias(context, aliasOf(context, step))),
    make: async (context, step) => {
      const alias = aliasOf(context, step);
      await waitFor(context, step, () => askAlias(context, alias), `the alias ${alias.name}`);
    },
  },
  "host.release": {
    isTrue: ({ hosts }, step) => hosts.idle(step.host!),
    make: ({ hosts }, step) => hosts.release(step.host!),
  },
};

function aliasOf(context: StepContext, step: Step): BlueprintAlias {
  const alias = context.blueprint.aliases.find((one) => one.name === step.alias);
  if (!alias) throw new Error(`blueprint ${context.blueprint.number} has no alias ${step.alias}`);
  return alias;
}
