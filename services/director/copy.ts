/** One copy behind an alias as the director knows it: its state, its counters, and the connections that run to it. */
import type { Backend, CopyState, DirectorCopyStatus, DirectorCounters } from "../../src/model/index.ts";
import type { Relay } from "./relay.ts";

/** Counters while they are counted; octets of open connections are added when asked. */
export class Counters {
  accepted = 0;
  refused = 0;
  active = 0;
  failedConnects = 0;
  retried = 0;
  bytesIn = 0;
  bytesOut = 0;

  /** @param open connections whose octets are not yet in the sums */
  report(open: Iterable<Relay>): DirectorCounters {
    let { bytesIn, bytesOut } = this;
    for (const relay of open) {
      bytesIn += relay.bytesIn();
      bytesOut += relay.bytesOut();
    }
    const { accepted, refused, active, failedConnects, retried } = this;
    return { accepted, refused, active, failedConnects, retried, bytesIn, bytesOut };
  }
}

export class Copy {
  backend: Backend;
  state: CopyState = "unknown";
  says = "not yet checked";
  since = Date.now();
  readonly counters = new Counters();
  readonly checks = { ok: 0, failed: 0 };
  readonly relays = new Set<Relay>();
  readonly #onChange: (copy: Copy, before: CopyState) => void;

  /** @param onChange told after every change of state */
  constructor(backend: Backend, onChange: (copy: Copy, before: CopyState) => void) {
    this.backend = backend;
    this.#onChange = onChange;
  }

  /** Takes note of what a check or a connection saw. */
  mark(state: CopyState, says: string): void {
    this.says = says;
    if (this.state === state) return;
    const before = this.state;
    this.state = state;
    this.since = Date.now();
    this.#onChange(this, before);
  }

  /** Cuts what runs to it: a hung copy's clients are told now, not when their patience ends. */
  cut(): void {
    for (const relay of [...this.relays]) relay.cut();
  }

  status(writer: boolean): DirectorCopyStatus {
    const { guest, address, port } = this.backend;
    const { state, says, since } = this;
    const counters = this.counters.report(this.relays);
    return { guest, address, port, state, says, since, writer, checks: { ...this.checks }, counters };
  }
}
