/** What a server says of its load: who is served, who waits, who is refused. Names of communities are for operators. */
import type { HandshakeGate } from "./handshakes.ts";
import type { Turns } from "./turns.ts";

export interface CommunityLoad {
  readonly name: string;
  /** `false`: no rule speaks of it, it is one certificate. */
  readonly configured: boolean;
  readonly share: number;
  readonly connections: number;
  readonly accepted: number;
  readonly answered: number;
  readonly refused: number;
  readonly queued: number;
  /** Waiting for something outside, such as the database. */
  readonly outside: number;
  /** Milliseconds in the queue, of those calls of the last minute that had to wait. */
  readonly waitedP50: number;
  readonly waitedP99: number;
}

export interface Load {
  readonly connections: number;
  /** Closed at once: too many in all. */
  readonly dropped: number;
  readonly queued: number;
  readonly refused: number;
  /** Communities that are read by turns now, because too many of theirs speak at once. */
  readonly crowded: number;
  readonly handshakes: Readonly<Record<string, number>>;
  readonly communities: readonly CommunityLoad[];
}

/** Communities that are shown: those with the most calls. */
const SHOWN = 100;

export function loadOf(server: {
  readonly connections: ReadonlySet<unknown>;
  readonly dropped: number;
  readonly turns: Turns;
  readonly reading: { readonly crowded: number };
  readonly gate: HandshakeGate;
}): Load {
  const { turns, gate } = server;
  const communities = [...turns.communities]
    .sort((a, b) => b.accepted - a.accepted)
    .map((community) => ({
      name: community.name,
      configured: !community.own,
      share: community.share,
      connections: community.connections,
      accepted: community.accepted,
      answered: community.answered,
      refused: community.refused,
      queued: turns.waitingOf(community),
      outside: community.outside,
      waitedP50: community.waiting.percentile(0.5),
      waitedP99: community.waiting.percentile(0.99),
    }));
  return {
    connections: server.connections.size,
    dropped: server.dropped,
    queued: turns.waiting,
    crowded: server.reading.crowded,
    refused: communities.reduce((sum, { refused }) => sum + refused, 0),
    handshakes: { ...gate.counters, waiting: gate.waiting, underWay: gate.underWay, unheard: gate.silent },
    communities: communities.slice(0, SHOWN),
  };
}
