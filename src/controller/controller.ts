/**
 * The controller: plan, up, down, and keep it so. It holds no memory of its own: everything is in the store and in the world, so that any
 * controller may be killed at any moment and any other goes on.
 */
import { type Blueprint, type BlueprintId, Fault, type Inventory, type Site } from "../model/index.ts";
import { type PlanResult, type RecipeBook, sameTarget } from "../planner/index.ts";
import type { Store, Target } from "../store/index.ts";
import type { Clock } from "../world/index.ts";
import { downSteps } from "./down.ts";
import { type ExecutionResult, execute, type Watcher } from "./execute.ts";
import type { HostPool } from "./hosts.ts";
import { observeHost, observeSite, type SiteObservation, takeInventory } from "./observe.ts";
import type { SiteSecrets } from "./orders.ts";
import { type PlanOptions, planSite } from "./planning.ts";
import type { Ask, StepContext } from "./steps.ts";

export interface ControllerParts {
  readonly store: Store;
  readonly hosts: HostPool;
  readonly secrets: SiteSecrets;
  readonly recipes: RecipeBook;
  readonly ask: Ask;
  readonly clock: Clock;
  readonly programs: Inventory["programs"];
  /** Version of Domus, and so of the bundles. */
  readonly version: string;
  /** Called with a Blueprint before its first step; throws when it cannot be carried out here (taken addresses). */
  readonly preflight: (blueprint: Blueprint) => void;
}

export type SuccessfulPlan = Extract<PlanResult, { ok: true }>;

export interface UpResult {
  readonly target: Target;
  /** `false`: the same was the target before. */
  readonly adopted: boolean;
  readonly plan: SuccessfulPlan;
  readonly execution: ExecutionResult;
}

export interface RunOptions extends Watcher {
  readonly signal?: AbortSignal;
  readonly note?: StepContext["note"];
  readonly destroyData?: boolean;
}

export class Controller {
  private readonly parts: ControllerParts;

  constructor(parts: ControllerParts) {
    this.parts = parts;
  }

  /** Plans and changes nothing. */
  async plan(site: Site, options: PlanOptions): Promise<PlanResult> {
    const { store, hosts, recipes, version, programs } = this.parts;
    const target = await store.target();
    const names = new Set([...site.hosts, ...(target?.blueprint.hosts ?? [])].map((host) => host.name));
    const inventory = await takeInventory(hosts, [...names], programs);
    return planSite(site, { target, inventory, recipes, version }, options);
  }

  /**
   * Makes a site so. What is so already is not touched.
   * @throws Fault `plan.impossible`, `address.taken`, `blueprint.stale`
   */
  async up(site: Site, options: PlanOptions, run: RunOptions = {}): Promise<UpResult> {
    const { store } = this.parts;
    const result = await this.plan(site, options);
    if (!result.ok) throw new Fault("plan.impossible", { reasons: result.refusals.join("\n") });
    const before = await store.target();
    const unchanged = before !== null && sameTarget(before.blueprint, result.blueprint);
    this.parts.preflight(result.blueprint);
    let target: Target;
    if (unchanged) {
      target = before;
      if (before.phase !== "up") await store.setPhase("up");
    } else {
      target = await store.adopt(result.blueprint);
      await store.event("blueprint", String(result.blueprint.number), result.blueprint.cause.says);
    }
    // The steps of the new plan, even when the target is the same: they know what was seen on the hosts just now.
    // Whoever brings a site up wants all of it: guests that a person had stopped too.
    await store.releaseHeld();
    const execution = await this.execute(target.id, result.blueprint, result.blueprint.steps, run);
    await this.sweep(target, run);
    if (execution.changed > 0)
      await store.event("up", site.name, `${execution.changed} steps carried out, ${execution.failed.length} failed`);
    return { target, adopted: !unchanged, plan: result, execution };
  }

  /** Takes the site down; data stays unless asked. Nothing of it runs afterwards, whatever an earlier run left. */
  async down(run: RunOptions = {}): Promise<ExecutionResult> {
    const { store, hosts } = this.parts;
    const target = await store.target();
    if (!target) return { outcomes: [], changed: 0, failed: [] };
    await store.setPhase("down");
    const seen = await Promise.all(target.blueprint.hosts.map((host) => observeHost(hosts, host.name)));
    // A host whose supervisor was killed still has its guests: it must be woken to end them.
    for (const host of seen)
      if (host.state === "down" && !(await hosts.idle(host.name))) await hosts.prepare(host.name);
    const awake = await Promise.all(target.blueprint.hosts.map((host) => observeHost(hosts, host.name)));
    const left = awake.flatMap((host) => host.guests.map((guest) => ({ name: guest.name, host: host.name })));
    // Hosts without power and hosts at rest hold nothing that could be stopped.
    const resting = new Set(awake.filter((host) => host.state !== "up").map((host) => host.name));
    const steps = downSteps(target.blueprint, left).filter(
      (step) => !step.host || !resting.has(step.host) || step.kind === "host.release",
    );
    const kept = new Set(steps.map((step) => step.id));
    const execution = await this.execute(
      target.id,
      target.blueprint,
      steps.map((step) => ({ ...step, after: step.after.filter((id) => kept.has(id)) })),
      run,
      true,
    );
    if (execution.changed > 0)
      await store.event("down", target.blueprint.site, `${execution.changed} steps carried out`);
    return execution;
  }

  /**
   * Makes the world agree with the target where it does not: the reconciler's one turn. Hosts without power are left alone. No input but
   * the store and the world.
   * @returns what had to be done, or `null` when nothing is meant to be up
   */
  async reconcile(run: RunOptions = {}): Promise<ExecutionResult | null> {
    const { store, hosts } = this.parts;
    const target = await store.target();
    if (target?.phase !== "up") return null;
    const { blueprint } = target;
    const seen = await Promise.all(blueprint.hosts.map((host) => observeHost(hosts, host.name)));
    const held = new Set(await store.held());
    const dark = new Set(seen.filter((host) => host.state === "cut").map((host) => host.name));
    // Waiting for answers is for `up`: here only what is missing is put back.
    const steps = blueprint.steps
      .filter(
        (step) =>
          ["host.prepare", "guest.define", "guest.start"].includes(step.kind) &&
          !dark.has(step.host!) &&
          !held.has(step.guest ?? ""),
      )
      .map((step) => ({
        ...step,
        after: step.after.filter((id) => !/^(?:guest\.ready|alias\.ready|guest\.retire):/.test(id)),
      }));
    const kept = new Set(steps.map((step) => step.id));
    const result = await this.execute(
      target.id,
      blueprint,
      steps.map((step) => ({ ...step, after: step.after.filter((id) => kept.has(id)) })),
      run,
    );
    for (const outcome of result.outcomes)
      if (outcome.report === "done") await store.event("mended", outcome.step.id, outcome.step.check);
    return result;
  }

  async observe(): Promise<{ target: Target; seen: SiteObservation } | null> {
    const target = await this.parts.store.target();
    return target && { target, seen: await observeSite(target.blueprint, this.parts.hosts, this.parts.ask) };
  }

  /** Retires what stands on hosts and belongs to nobody: the remains of a plan that was killed and replaced by another. */
  private async sweep(target: Target, run: RunOptions): Promise<void> {
    const { hosts } = this.parts;
    const { blueprint } = target;
    const placed = new Set(blueprint.guests.map((guest) => `${guest.name}@${guest.host}`));
    const seen = await Promise.all(blueprint.hosts.map((host) => observeHost(hosts, host.name)));
    const strangers = seen.flatMap((host) =>
      host.guests
        .filter((guest) => !placed.has(`${guest.name}@${host.name}`))
        .map((guest) => ({ name: guest.name, host: host.name })),
    );
    if (strangers.length === 0) return;
    const steps = downSteps({ ...blueprint, guests: [], hosts: [], steps: [] }, strangers).filter(
      (step) => step.kind !== "host.release",
    );
    await this.execute(target.id, blueprint, steps, run);
  }

  private execute(
    id: BlueprintId,
    blueprint: Blueprint,
    steps: Blueprint["steps"],
    run: RunOptions,
    leaving = false,
  ): Promise<ExecutionResult> {
    const { store, hosts, secrets, ask, clock } = this.parts;
    const context: StepContext = {
      blueprint,
      hosts,
      secrets,
      ask,
      clock,
      note: run.note ?? (() => {}),
      signal: run.signal ?? new AbortController().signal,
      destroyData: run.destroyData ?? false,
      leaving,
    };
    return execute(store, id, steps, context, run);
  }
}
