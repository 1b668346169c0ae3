/** What the agent of a database guest says about itself at `GET /health` (mutual TLS, own address). The agent writes it, the faces read it. */
export interface DatabaseHealth {
  readonly state: "starting" | "ok" | "catching-up" | "replication-stopped";
  /** It takes writes. */
  readonly writable: boolean;
  readonly says: string;
  /** Seconds behind its upstream; `null`: not known, because it does not follow now. */
  readonly lagSeconds: number | null;
  /** Servers it follows: one, or none in a ring of one. */
  readonly peers: readonly { readonly guest: string; readonly connected: boolean; readonly says: string }[];
  /** Its position in MariaDB's global transaction ids; see `parsePosition`. */
  readonly gtid: string;
  readonly serverId: number;
}
