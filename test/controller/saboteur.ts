/** Kills its own process at one named moment of a run: before, during or after one step. Shared by the kill tests on every driver. */
import type { ControllerParts, HostPool, StepReport, Watcher } from "../../src/controller/index.ts";
import type { Hypervisor } from "../../src/hypervisor/index.ts";

/** `checking`: before; `begun`: journalled, nothing done; `during`: an order is on its way; `made`: done, not journalled; `done`: after. */
export type Moment = "checking" | "begun" | "during" | "made" | "done";
export const MOMENTS: readonly Moment[] = ["checking", "begun", "during", "made", "done"];

export interface KillPoint {
  readonly step: string;
  readonly moment: Moment;
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("unreachable");
}

/** @returns the parts and the watcher of a run that ends at the point */
export function sabotage(parts: ControllerParts, point: KillPoint): { parts: ControllerParts; watcher: Watcher } {
  let armed = false;
  const soon = () => {
    if (armed) setImmediate(die);
  };
  const wrap = (hypervisor: Hypervisor): Hypervisor =>
    new Proxy(hypervisor, {
      get: (target, key) => {
        const value = Reflect.get(target, key) as unknown;
        if (typeof value !== "function" || !["define", "undefine", "start", "stop"].includes(String(key))) return value;
        return (...parameters: unknown[]) => {
          const answer = (value as (...parameters: unknown[]) => unknown).apply(target, parameters);
          soon();
          return answer;
        };
      },
    });
  const hosts: HostPool = new Proxy(parts.hosts, {
    get: (target, key) => {
      const value = Reflect.get(target, key) as unknown;
      if (typeof value !== "function") return value;
      return (...parameters: unknown[]) => {
        const answer = (value as (...parameters: unknown[]) => unknown).apply(target, parameters);
        if (key === "prepare" || key === "release") soon();
        return key === "connect" || key === "prepare" ? (answer as Promise<Hypervisor>).then(wrap) : answer;
      };
    },
  });
  const ask: ControllerParts["ask"] = (...question) => {
    soon();
    return parts.ask(...question);
  };
  const onStep = (report: StepReport, step: { readonly id: string }) => {
    if (step.id !== point.step) return;
    if (point.moment === "during" && report === "begun") armed = true;
    else if (report === point.moment) die();
  };
  return { parts: { ...parts, hosts, ask }, watcher: { onStep } };
}
