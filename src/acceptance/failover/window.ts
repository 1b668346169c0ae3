/** One kill, as it went: times by `performance.now()`, milliseconds. Filled in while it goes on, judged afterwards. */

import type { Missing } from "../whole.ts";
import type { Carried } from "./eyes.ts";
import type { Victim } from "./victims.ts";

export interface Window {
  readonly victim: Victim;
  readonly how: string;
  readonly killedAt: number;
  /** It was whole and then not any more, before it was whole for good. */
  readonly relapses: { readonly at: number; readonly missing: readonly Missing[] }[];
  /** Guests of the victim that answered again after it was given back, and when they were first seen to. */
  readonly answered: Map<string, number>;
  /** Sentences about the guests of the victim as their hosts saw them last: restarts, last end. */
  readonly ends: Map<string, string>;
  /** What was still missing when patience ended, or was seen last. */
  missing: readonly Missing[];
  /** Guests that answered although they were dead. */
  undead: readonly string[];
  backAt: number | null;
  /** The host has started it, or has power: what was ordered is done. */
  startedAt: number | null;
  /** Why it could not be given back at first. */
  startSays: string;
  wholeAt: number | null;
  /** Connections that each copy was given, at the kill and when the victim was given back. */
  before: Carried;
  after: Carried;
  /** The active director, and the writer of each alias that has one, when the victim was given back. */
  carriedBy: { readonly active: string | null; readonly writers: readonly (readonly [alias: string, copy: string])[] };
  activeBefore: string | null;
}

/** Milliseconds before a kill that count as its window: a call under way when it comes, and the last good answer, belong to it. */
export const LEAD = 2000;

/** @returns an empty record of a kill at this moment */
export function openWindow(
  victim: Victim,
  how: string,
  killedAt: number,
  before: Carried,
  active: string | null,
): Window {
  return {
    victim,
    how,
    killedAt,
    relapses: [],
    answered: new Map(),
    ends: new Map(),
    missing: [],
    undead: [],
    backAt: null,
    startedAt: null,
    startSays: "",
    wholeAt: null,
    before,
    after: before,
    carriedBy: { active: null, writers: [] },
    activeBefore: active,
  };
}
