/** What the directors say of themselves and of every copy, followed closely: whoever was marked down when, who took over, who took the calls. */
import type { Blueprint, CopyState, DirectorRole, DirectorStatus, GuestName } from "../../model/index.ts";
import { type DirectorSighting, followDirectors } from "../../probe/index.ts";
import type { TlsIdentity } from "../../world/index.ts";

/** Something that is not as it was when a director was asked before. `at`: `performance.now()`. */
export type Change = { readonly at: number; readonly director: GuestName; readonly active: boolean } & (
  | {
      readonly kind: "copy";
      readonly alias: string;
      readonly copy: string;
      readonly before: CopyState;
      readonly state: CopyState;
      readonly says: string;
    }
  | { readonly kind: "role"; readonly role: DirectorRole }
  | { readonly kind: "writer"; readonly alias: string; readonly copy: string }
);

/** Connections that each copy was given until now: `alias copy` → number. */
export type Carried = ReadonlyMap<string, number>;

/** Milliseconds between two questions to a director. */
const SPACING = 50;

export class Eyes {
  readonly changes: Change[] = [];
  readonly #latest = new Map<GuestName, DirectorStatus | null>();
  /** The last that each director said, also of one that is dead now. */
  readonly #known = new Map<GuestName, { readonly at: number; readonly status: DirectorStatus }>();
  /** What directors counted that have ended since. */
  readonly #past = new Map<string, number>();
  readonly #blueprint: Blueprint;
  readonly #tls: TlsIdentity;
  #close: () => void = () => {};

  constructor(blueprint: Blueprint, tls: TlsIdentity) {
    this.#blueprint = blueprint;
    this.#tls = tls;
  }

  open(): void {
    this.#close = followDirectors(this.#blueprint, this.#tls, SPACING, (sighting) => this.#take(sighting));
  }

  /** @returns what those say that answered when they were asked last */
  get directors(): readonly DirectorStatus[] {
    return [...this.#latest.values()].filter((status) => status !== null);
  }

  get active(): DirectorStatus | null {
    return this.directors.find(({ role }) => role === "active") ?? null;
  }

  carried(): Carried {
    const sum = new Map(this.#past);
    for (const { status } of this.#known.values()) add(sum, status);
    return sum;
  }

  close(): void {
    this.#close();
  }

  #take({ guest, at, status }: DirectorSighting): void {
    this.#latest.set(guest, status);
    if (status === null) return;
    const before = this.#known.get(guest);
    this.#known.set(guest, { at, status });
    if (before && before.status.startedAt !== status.startedAt) add(this.#past, before.status);
    const anew = before?.status.startedAt !== status.startedAt;
    const active = status.role === "active";
    if (before?.status.role !== status.role)
      this.changes.push({ at, director: guest, active, kind: "role", role: status.role });
    if (anew || before === undefined) return;
    for (const alias of status.aliases)
      for (const copy of alias.copies) {
        const was = before.status.aliases
          .find(({ name }) => name === alias.name)
          ?.copies.find((one) => one.guest === copy.guest);
        if (!was) continue;
        const about = { director: guest, active, alias: alias.name, copy: copy.guest };
        // When it happened is known to the director, and bounded by when it was asked.
        const since = Math.min(at, Math.max(before.at, copy.since - performance.timeOrigin));
        if (was.state !== copy.state)
          this.changes.push({
            ...about,
            at: since,
            kind: "copy",
            before: was.state,
            state: copy.state,
            says: copy.says,
          });
        if (copy.writer && !was.writer && active) this.changes.push({ ...about, at, kind: "writer" });
      }
  }
}

function add(sum: Map<string, number>, { aliases }: DirectorStatus): void {
  for (const { name, copies } of aliases)
    for (const { guest, counters } of copies) {
      const key = `${name} ${guest}`;
      sum.set(key, (sum.get(key) ?? 0) + counters.accepted);
    }
}
