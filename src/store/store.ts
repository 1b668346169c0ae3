/**
 * What a site remembers: Blueprints, which of them is in force, the journal of steps, events and what probes saw. Everything needed to
 * start over is also kept as plain files (`blueprints/`, `secrets/`), so that a broken store is moved aside and nothing is lost.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kysely } from "kysely";
import { type Blueprint, type BlueprintId, canonicalJson, digest, Fault, type StepId } from "../model/index.ts";
import { type Clock, makePrivateDirectory, readIfThere, writeFileDurably } from "../world/index.ts";
import { openDatabase, sql, storeFault, type Tables } from "./database.ts";
import { type Availability, ProbeRecords, type RecordedHistory } from "./probes.ts";
import { SecretVault } from "./secrets.ts";

export interface Target {
  readonly id: BlueprintId;
  readonly blueprint: Blueprint;
  readonly phase: "up" | "down";
}

export interface StoredEvent {
  readonly at: number;
  readonly kind: string;
  readonly about: string;
  readonly says: string;
}

/** Days that changes, events and the times of looking are kept: history is made of them. */
const KEPT_DAYS = 400;
const MINUTE = 60_000;

export class Store {
  readonly directory: string;
  readonly secrets: SecretVault;
  private readonly file: string;
  private readonly database: Kysely<Tables>;
  private readonly clock: Clock;
  private readonly probes: ProbeRecords;

  private constructor(directory: string, file: string, database: Kysely<Tables>, clock: Clock) {
    this.directory = directory;
    this.file = file;
    this.database = database;
    this.clock = clock;
    this.secrets = new SecretVault(join(directory, "secrets"));
    this.probes = new ProbeRecords(database, clock);
  }

  /**
   * Opens the store of one site, making it when there is none.
   * @param directory the site's state directory, made private
   * @throws Fault `store.corrupt`, `store.newer`, `store.unwritable`, `disk.full`
   */
  static async open(directory: string, clock: Clock): Promise<Store> {
    makePrivateDirectory(directory);
    makePrivateDirectory(join(directory, "blueprints"));
    const file = join(directory, "store.sqlite");
    const store = new Store(directory, file, await openDatabase(file), clock);
    try {
      await store.recoverBlueprints();
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  async target(): Promise<Target | null> {
    const row = await this.guarded(() =>
      this.database
        .selectFrom("target")
        .innerJoin("blueprint", "blueprint.id", "target.blueprint")
        .select(["blueprint.id", "blueprint.json", "target.phase"])
        .executeTakeFirst(),
    );
    return row ? { id: row.id as BlueprintId, blueprint: JSON.parse(row.json) as Blueprint, phase: row.phase } : null;
  }

  /**
   * Makes a Blueprint the target, if its parent is the target now.
   * @throws Fault `blueprint.stale`
   */
  async adopt(blueprint: Blueprint): Promise<Target> {
    const id = digest(blueprint) as BlueprintId;
    const json = canonicalJson(blueprint);
    await this.guarded(() =>
      this.database.transaction().execute(async (transaction) => {
        const target = await transaction.selectFrom("target").select("blueprint").executeTakeFirst();
        if ((target?.blueprint ?? null) !== blueprint.parent)
          throw new Fault("blueprint.stale", {
            number: String(blueprint.number),
            parent: blueprint.parent?.slice(0, 12) ?? "nothing",
            target: target?.blueprint.slice(0, 12) ?? "nothing",
          });
        await transaction
          .insertInto("blueprint")
          .values(this.row(blueprint, id, json))
          .execute();
        await sql`INSERT INTO target (one, blueprint, phase) VALUES (1, ${id}, 'up') ON CONFLICT (one) DO UPDATE SET blueprint = ${id}, phase = 'up'`.execute(
          transaction,
        );
        // Before the commit: what the store has is always there as plain files too, and a full disk refuses both.
        const file = `${String(blueprint.number).padStart(6, "0")}.json`;
        writeFileDurably(join(this.directory, "blueprints", file), json, 0o600);
        this.writePointer(id, "up");
      }),
    );
    return { id, blueprint, phase: "up" };
  }

  /** Says whether the target is meant to be up or down. */
  async setPhase(phase: Target["phase"]): Promise<void> {
    await this.guarded(() => this.database.updateTable("target").set({ phase }).execute());
    const target = await this.target();
    if (target) this.writePointer(target.id, phase);
  }

  async journal(entry: {
    blueprint: BlueprintId;
    run: string;
    step: StepId;
    state: "begun" | "done" | "failed";
    says: string;
  }): Promise<void> {
    await this.guarded(() =>
      this.database
        .insertInto("journal")
        .values({ entry: null, at: this.clock.now(), ...entry })
        .execute(),
    );
  }

  /** @returns steps that were begun and never ended: a run was killed there. */
  async interruptedSteps(): Promise<readonly string[]> {
    const rows = await this.guarded(() =>
      sql<{
        step: string;
      }>`SELECT step FROM journal WHERE entry IN (SELECT MAX(entry) FROM journal GROUP BY step) AND state = 'begun' ORDER BY entry`.execute(
        this.database,
      ),
    );
    return rows.rows.map((row) => row.step);
  }

  /** @returns how often each step was carried out, for tests and for `status`. */
  async journalEntries(): Promise<readonly { step: string; state: string; run: string; says: string }[]> {
    return this.guarded(() =>
      this.database.selectFrom("journal").select(["step", "state", "run", "says"]).orderBy("entry").execute(),
    );
  }

  /** Notes that a person wants a guest as it is now: the reconciler leaves it alone. */
  async hold(guest: string, says: string): Promise<void> {
    const at = this.clock.now();
    await this.guarded(() =>
      this.database
        .insertInto("held")
        .values({ guest, at, says })
        .onConflict((conflict) => conflict.column("guest").doUpdateSet({ at, says }))
        .execute(),
    );
  }

  /** Forgets that a guest is held; all of them when none is named. */
  async releaseHeld(guest?: string): Promise<void> {
    await this.guarded(() => {
      const all = this.database.deleteFrom("held");
      return (guest === undefined ? all : all.where("guest", "=", guest)).execute();
    });
  }

  /** @returns names of guests that a person holds as they are */
  async held(): Promise<readonly string[]> {
    const rows = await this.guarded(() => this.database.selectFrom("held").select("guest").orderBy("guest").execute());
    return rows.map((row) => row.guest);
  }

  async event(kind: string, about: string, says: string): Promise<void> {
    await this.guarded(() =>
      this.database.insertInto("event").values({ entry: null, at: this.clock.now(), kind, about, says }).execute(),
    );
  }

  /** @returns the newest events first. */
  async events(limit: number): Promise<readonly StoredEvent[]> {
    return this.guarded(() =>
      this.database
        .selectFrom("event")
        .select(["at", "kind", "about", "says"])
        .orderBy("entry", "desc")
        .limit(limit)
        .execute(),
    );
  }

  /** See {@link ProbeRecords.record}. */
  recordProbes(...look: Parameters<ProbeRecords["record"]>): Promise<void> {
    return this.guarded(() => this.probes.record(...look));
  }

  /** @param since milliseconds since the epoch */
  availability(since: number): Promise<readonly Availability[]> {
    return this.guarded(() => this.probes.availability(since));
  }

  /** See {@link ProbeRecords.history}. */
  history(from: number, to: number): Promise<RecordedHistory> {
    return this.guarded(() => this.probes.history(from, to));
  }

  /** @returns when the first thing was recorded that history is made of; `null`: nothing yet */
  firstLook(): Promise<number | null> {
    return this.guarded(() => this.probes.firstLook());
  }

  /** Forgets what is older than the store keeps. */
  async prune(): Promise<void> {
    const oldest = this.clock.now() - KEPT_DAYS * 24 * 60 * MINUTE;
    await this.guarded(async () => {
      await this.probes.prune(oldest);
      await this.database.deleteFrom("event").where("at", "<", oldest).execute();
      await sql`DELETE FROM journal WHERE entry < (SELECT MAX(entry) FROM journal) - 100000`.execute(this.database);
    });
  }

  async close(): Promise<void> {
    await this.database.destroy();
  }

  /**
   * A store without Blueprints beside files of them: the old one was moved aside. Placement goes on where it was. All or nothing, so
   * that a kill in the middle is found and repeated by the next command.
   * @throws Fault `store.corrupt` naming the file that cannot be read
   */
  private async recoverBlueprints(): Promise<void> {
    const any = await this.guarded(() =>
      this.database.selectFrom("blueprint").select("id").limit(1).executeTakeFirst(),
    );
    if (any) return;
    const place = join(this.directory, "blueprints");
    const found = readdirSync(place)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => {
        const json = readFileSync(join(place, name), "utf8");
        return { json, blueprint: readJson<Blueprint>(json, join(place, name)) };
      });
    if (found.length === 0) return;
    const pointer = readIfThere(join(place, "target"));
    const known = pointer && readJson<{ blueprint: string; phase: Target["phase"] }>(pointer, join(place, "target"));
    await this.guarded(() =>
      this.database.transaction().execute(async (transaction) => {
        for (const { json, blueprint } of found) {
          const id = digest(blueprint);
          await transaction
            .insertInto("blueprint")
            .values(this.row(blueprint, id, json))
            .onConflict((conflict) => conflict.doNothing())
            .execute();
          if (known && id === known.blueprint)
            await transaction
              .insertInto("target")
              .values({ one: 1, blueprint: id, phase: known.phase })
              .onConflict((conflict) => conflict.doNothing())
              .execute();
        }
      }),
    );
  }

  private row({ number, parent, cause }: Blueprint, id: string, json: string): Tables["blueprint"] {
    return { number, id, parent, cause: cause.says, json, made_at: this.clock.now() };
  }

  private writePointer(blueprint: BlueprintId, phase: Target["phase"]): void {
    writeFileDurably(join(this.directory, "blueprints", "target"), JSON.stringify({ blueprint, phase }), 0o600);
  }

  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storeFault(error, this.file);
    }
  }
}

/** @throws Fault `store.corrupt` */
function readJson<Shape>(text: string, file: string): Shape {
  try {
    return JSON.parse(text) as Shape;
  } catch (error) {
    throw new Fault("store.corrupt", { file, reason: (error as Error).message }, { cause: error });
  }
}
