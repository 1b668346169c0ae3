/** The director's times, all in milliseconds, in one place: each is a promise or follows from one. */
export const TIMING = {
  /** One heartbeat; the watchdog file is touched as often. */
  heartbeat: 100,
  /** Seven missed heartbeats: hung or cut off. DESIGN, "Takeover, embedded". */
  silence: 700,
  /** The peer's supervisor is asked again this often while the silence lasts. */
  ask: 200,
  /** A supervisor that takes longer counts as unreachable for this time of asking. */
  askTimeout: 2000,
  /** Our own loop stood still for longer than this: what looked like the peer's silence was ours. */
  stall: 150,
  /** Alone at the start: how long the other copy may take to show up. */
  alone: 400,
  /** How long the second copy lets the first try to become active. */
  patience: 3000,
  /** A killed process's listeners go a moment after its connections. */
  release: 300,
  /** Aliases that a foreign program holds are tried again this often. */
  rebind: 500,
  check: 500,
  checkTimeout: 1000,
  /** TCP to a copy for a client's connection. */
  connect: 300,
  /** Heartbeat connection: TCP and TLS. */
  link: 500,
} as const;
