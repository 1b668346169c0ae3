/** Whose word counts: a gatekeeper has checked the caller's proxy or token; whoever else asks could claim any group. */
import { hostNames, patternMatches } from "../../src/policy/index.ts";
import type { Peer } from "../http/index.ts";

/** Says whose word about FQANs and tokens counts. */
export type Believes = (peer: Peer) => boolean;

/** @param gatekeepers patterns of certificate names; `null` is every guest of the site */
export function compileGatekeepers(gatekeepers: readonly string[] | null): Believes {
  if (gatekeepers === null) return ({ unit }) => unit !== "other";
  const known = new WeakMap<Peer, boolean>();
  return (peer) => {
    let believed = known.get(peer);
    if (believed === undefined) {
      const names = hostNames(peer.name);
      believed = peer.unit === "operator" || gatekeepers.some((pattern) => patternMatches(pattern, names));
      known.set(peer, believed);
    }
    return believed;
  };
}
