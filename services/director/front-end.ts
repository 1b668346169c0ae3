/**
 * All aliases of the site as one thing that is held or released. Who writes is remembered on disk too, so that a site whose two
 * directors died at once does not send writes to the copy that had been left behind.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BlueprintAlias, DirectorAliasStatus } from "../../src/model/index.ts";
import { Alias } from "./alias.ts";
import { endpointOf } from "./config.ts";
import type { Log } from "./log.ts";

/** What a try to bind has brought. */
export interface Grip {
  readonly held: readonly Alias[];
  readonly missing: readonly Alias[];
}

export class FrontEnd {
  #aliases: readonly Alias[] = [];
  readonly #own: string;
  readonly #file: string;
  readonly #log: Log;
  #term = 0;

  /** @param data directory that survives a restart */
  constructor(shapes: readonly BlueprintAlias[], own: string, data: string, log: Log) {
    this.#own = own;
    this.#log = log;
    this.#file = join(data, "writers.json");
    this.reshape(shapes);
    const memory = this.#recall();
    this.adoptWriters(memory.writers, memory.term);
  }

  /** The term in which the writers were last known to be so; the greater one is believed when two directors come back. */
  get writersTerm(): number {
    return this.#term;
  }

  get aliases(): readonly Alias[] {
    return this.#aliases;
  }

  /** Guest that writes, by alias. */
  writers(): Record<string, string> {
    return Object.fromEntries(
      this.#aliases.flatMap((alias) => (alias.writer === null ? [] : [[alias.shape.name, alias.writer]])),
    );
  }

  /** Believes what somebody with a later term says about the writers, and remembers the term. */
  adoptWriters(writers: Readonly<Record<string, string>>, term: number): void {
    for (const alias of this.#aliases) {
      const writer = writers[alias.shape.name];
      if (alias.shape.distribution === "one-writer" && typeof writer === "string") alias.adoptWriter(writer);
    }
    this.enter(term);
  }

  /** A new term has begun. */
  enter(term: number): void {
    if (this.#term === term) return;
    this.#term = term;
    this.#remember();
  }

  /** Binds what is not yet bound. */
  async bind(): Promise<Grip> {
    const results = await Promise.all(this.#aliases.map(async (alias) => ({ alias, result: await alias.bind() })));
    return {
      held: results.filter(({ result }) => result === "held").map(({ alias }) => alias),
      missing: results.filter(({ result }) => result !== "held").map(({ alias }) => alias),
    };
  }

  release(): void {
    for (const alias of this.#aliases) alias.release();
  }

  /** Takes over changed copies and limits; what is gone is released, what is new is bound at the next {@link bind}. */
  reshape(shapes: readonly BlueprintAlias[]): void {
    const known = new Map(this.#aliases.map((alias) => [`${alias.shape.name} ${endpointOf(alias.shape)}`, alias]));
    this.#aliases = shapes.map((shape) => {
      const key = `${shape.name} ${endpointOf(shape)}`;
      const alias = known.get(key);
      known.delete(key);
      if (!alias) return new Alias(shape, this.#own, this.#log, () => this.#remember());
      alias.reshape(shape);
      return alias;
    });
    for (const gone of known.values()) gone.release();
  }

  /** @param active a director that stands by holds nothing, and need not say why */
  status(active: boolean): DirectorAliasStatus[] {
    return this.#aliases.map((alias) => (active ? alias.status() : { ...alias.status(), says: "" }));
  }

  #recall(): { term: number; writers: Record<string, string> } {
    try {
      const { term, writers } = JSON.parse(readFileSync(this.#file, "utf8"));
      if (Number.isSafeInteger(term) && writers !== null && typeof writers === "object") return { term, writers };
    } catch {
      // A first start, or a file cut short by a power cut: the peer or the checks will tell.
    }
    return { term: 0, writers: {} };
  }

  #remember(): void {
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      writeFileSync(`${this.#file}.new`, JSON.stringify({ term: this.#term, writers: this.writers() }), {
        mode: 0o600,
      });
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      this.#log("warning", "the writers cannot be remembered on disk", { reason: (error as Error).message });
    }
  }
}
