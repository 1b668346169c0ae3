/**
 * All aliases of the site as one thing that is held or released. Who writes is remembered on disk too, so that a site whose two
 * directors died at once does not send writes to the copy that had been left behind.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BlueprintAlias, DirectorAliasStatus } from "../../src/model/index.ts";
import { Alias } from "./alias.ts";
import { endpointOf } from "./config.ts";
import type { Log } from "./log.ts";

/** `all`: every address is ours. `some`: others hold the rest. `none`: nothing was bound, or all was given back. */
export interface Grip {
  readonly held: readonly Alias[];
  readonly missing: readonly Alias[];
}

export class FrontEnd {
  #aliases: readonly Alias[] = [];
  readonly #own: string;
  readonly #file: string;
  readonly #log: Log;
  readonly #remembered: Readonly<Record<string, string>>;

  /** @param data directory that survives a restart */
  constructor(shapes: readonly BlueprintAlias[], own: string, data: string, log: Log) {
    this.#own = own;
    this.#log = log;
    this.#file = join(data, "writers.json");
    this.#remembered = this.#recall();
    this.reshape(shapes);
    this.adoptWriters(this.#remembered);
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

  adoptWriters(writers: Readonly<Record<string, string>>): void {
    for (const alias of this.#aliases) {
      const writer = writers[alias.shape.name];
      if (alias.shape.distribution === "one-writer" && typeof writer === "string") alias.adoptWriter(writer);
    }
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

  status(): DirectorAliasStatus[] {
    return this.#aliases.map((alias) => alias.status());
  }

  #recall(): Record<string, string> {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#file, "utf8"));
      return value !== null && typeof value === "object" ? (value as Record<string, string>) : {};
    } catch {
      // A first start, or a file cut short by a power cut: the peer or the checks will tell.
      return {};
    }
  }

  #remember(): void {
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify(this.writers()), { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      this.#log("warning", "the writers cannot be remembered on disk", { reason: (error as Error).message });
    }
  }
}
