/**
 * Who holds the aliases: one pure function from what a director sees to what it does, so that every case can be tested without time.
 * The kernel is the referee (an address is bound once), the supervisor of the peer's host is the executioner; this only says when to
 * turn to them. Never preempts: a director that returns to a living active stands by.
 */
import type { DirectorRole } from "../../src/model/index.ts";
import { TIMING } from "./timing.ts";

/** What is known of the other director. */
export type Evidence =
  /** None is configured. */
  | { readonly kind: "none" }
  /** Heard within the silence window. */
  | { readonly kind: "heard"; readonly role: DirectorRole; readonly term: number; readonly copy: number }
  /** It said it leaves, its supervisor ended it, or nothing listens at its heartbeat port. */
  | { readonly kind: "gone"; readonly surely: boolean }
  /** It said nothing; milliseconds, counted from our own last stall at the earliest. */
  | { readonly kind: "silent"; readonly forMs: number };

export interface View {
  readonly role: DirectorRole;
  readonly copy: number;
  readonly term: number;
  /** Milliseconds since our own start. */
  readonly age: number;
  /** Milliseconds that nobody has been active, as far as we know. */
  readonly headless: number;
  readonly peer: Evidence;
}

/** `take`: bind the aliases. `ask`: have the peer's supervisor look. `yield`: release them. `stand-by`: somebody else is active. */
export type Decision = "wait" | "stand-by" | "take" | "ask" | "yield";

/** @returns what to do now; asked again at every event and heartbeat */
export function decide(view: View): Decision {
  const { peer } = view;
  if (view.role === "leaving") return "wait";
  if (view.role === "active") {
    const outranked =
      peer.kind === "heard" &&
      peer.role === "active" &&
      (peer.term > view.term || (peer.term === view.term && peer.copy < view.copy));
    return outranked ? "yield" : "wait";
  }
  switch (peer.kind) {
    case "none":
      return "take";
    case "gone":
      return peer.surely || view.role === "standby" || view.age >= TIMING.alone ? "take" : "wait";
    case "heard":
      if (peer.role === "active") return "stand-by";
      if (peer.role === "leaving") return "take";
      return view.copy < peer.copy || view.headless >= TIMING.patience ? "take" : "wait";
    case "silent":
      return peer.forMs >= TIMING.silence ? "ask" : "wait";
  }
}
