/** What a site remembers survives: a kill, a broken file, two writers. */
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type Blueprint, Fault, type StepId } from "../../src/model/index.ts";
import { Store } from "../../src/store/index.ts";
import { realClock } from "../../src/world/index.ts";

const base = mkdtempSync(join(tmpdir(), "ds-"));
after(() => rmSync(base, { recursive: true, force: true }));
const refused = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

function blueprint(number: number, parent: string | null): Blueprint {
  return {
    format: 1,
    site: "s",
    number,
    parent,
    cause: { by: "person", says: "test" },
    guests: [],
    steps: [],
  } as unknown as Blueprint;
}

describe("the store", () => {
  it("takes a Blueprint only from the target in force", async () => {
    const store = await Store.open(join(base, "one"), realClock);
    const first = await store.adopt(blueprint(1, null));
    await assert.rejects(store.adopt(blueprint(2, null)), refused("blueprint.stale"));
    const second = await store.adopt(blueprint(2, first.id));
    assert.equal((await store.target())?.id, second.id);
    await store.setPhase("down");
    assert.equal((await store.target())?.phase, "down");
    await store.close();
  });

  it("is private to its owner", () => {
    assert.equal(statSync(join(base, "one")).mode & 0o777, 0o700);
    for (const name of readdirSync(join(base, "one", "secrets")))
      assert.equal(statSync(join(base, "one", "secrets", name)).mode & 0o777, 0o600);
  });

  it("names the step that a killed run was in", async () => {
    const store = await Store.open(join(base, "two"), realClock);
    const { id } = await store.adopt(blueprint(1, null));
    const entry = (step: string, state: "begun" | "done") =>
      store.journal({ blueprint: id, run: "r", step: step as StepId, state, says: "" });
    await entry("a", "begun");
    await entry("a", "done");
    await entry("b", "begun");
    assert.deepEqual(await store.interruptedSteps(), ["b"]);
    await store.close();
  });

  it("says in one sentence that a file is broken, and goes on from the plain files when it is moved aside", async () => {
    const directory = join(base, "three");
    const store = await Store.open(directory, realClock);
    const first = await store.adopt(blueprint(1, null));
    const second = await store.adopt(blueprint(2, first.id));
    const secret = await store.secrets.get("k@1", () => "value");
    await store.close();
    const file = join(directory, "store.sqlite");
    for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true });
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 0, 2000);
    writeFileSync(file, bytes);
    await assert.rejects(Store.open(directory, realClock), refused("store.corrupt"));
    renameSync(file, `${file}.broken`);
    const again = await Store.open(directory, realClock);
    assert.equal((await again.target())?.id, second.id);
    assert.equal(await again.secrets.get("k@1", () => "another"), secret);
    await again.close();
  });

  it("goes on from the plain files when the run that did so was killed, and names one that is damaged", async () => {
    const directory = join(base, "killed");
    const store = await Store.open(directory, realClock);
    const first = await store.adopt(blueprint(1, null));
    await store.close();
    // A kill between making the tables and filling them leaves a good store with nothing in it.
    const place = join(directory, "blueprints");
    renameSync(place, `${place}.away`);
    for (const name of readdirSync(directory)) if (name.startsWith("store.sqlite")) rmSync(join(directory, name));
    await (await Store.open(directory, realClock)).close();
    rmSync(place, { recursive: true });
    renameSync(`${place}.away`, place);
    const again = await Store.open(directory, realClock);
    assert.equal((await again.target())?.id, first.id);
    await again.close();
    for (const name of readdirSync(directory)) if (name.startsWith("store.sqlite")) rmSync(join(directory, name));
    writeFileSync(join(place, "000001.json"), '{"format": 1, "si');
    await assert.rejects(
      Store.open(directory, realClock),
      (error: unknown) => refused("store.corrupt")(error) && (error as Error).message.includes("000001.json"),
    );
  });

  it("adopts nothing that could not be kept as a plain file", async () => {
    const directory = join(base, "full");
    const store = await Store.open(directory, realClock);
    const place = join(directory, "blueprints");
    // Stands for a full disk: the file cannot be made.
    rmSync(place, { recursive: true });
    await assert.rejects(store.adopt(blueprint(1, null)));
    assert.equal(await store.target(), null);
    mkdirSync(place);
    await store.adopt(blueprint(1, null));
    await store.close();
  });

  it("seals secrets: no value in any file, and a foreign one is refused", async () => {
    const store = await Store.open(join(base, "four"), realClock);
    await store.secrets.get("tls-a@1", () => "very secret words");
    const directory = join(base, "four", "secrets");
    for (const name of readdirSync(directory))
      assert.ok(!readFileSync(join(directory, name), "utf8").includes("secret words"));
    renameSync(join(directory, "tls-a%401.sealed"), join(directory, "tls-b%401.sealed"));
    await assert.rejects(
      store.secrets.get("tls-b@1", () => "x"),
      refused("store.corrupt"),
    );
    await store.close();
  });

  it("counts what probes saw, and keeps each change once", async () => {
    const store = await Store.open(join(base, "five"), realClock);
    const good = { outcome: "answers", says: "fine", milliseconds: 1 } as const;
    const bad = { outcome: "failed", says: "refused", milliseconds: 1 } as const;
    for (const result of [good, good, bad, bad, good]) await store.recordProbes([{ subject: "copy a", result }]);
    const [seen] = await store.availability(0);
    assert.deepEqual({ asked: seen?.asked, answered: seen?.answered }, { asked: 5, answered: 3 });
    assert.deepEqual(
      seen?.changes.map((change) => change.outcome),
      ["answers", "failed", "answers"],
    );
    await store.close();
  });

  it("keeps when somebody looked: one row while nothing changes, a new one after a pause and for other subjects", async () => {
    let now = Date.UTC(2026, 10, 20, 12);
    const clock = { now: () => now, sleep: async () => {} };
    const directory = join(base, "watch");
    let store = await Store.open(directory, clock);
    const good = { outcome: "answers", says: "fine", milliseconds: 1 } as const;
    const bad = { outcome: "failed", says: "refused", milliseconds: 900 } as const;
    const begun = now;
    const look = async (after: number, result: typeof good | typeof bad, ...subjects: string[]) => {
      const asked = now + after;
      now = asked + result.milliseconds;
      await store.recordProbes(
        subjects.map((subject) => ({ subject, result })),
        asked,
      );
    };
    for (const result of [good, good, bad, good]) await look(1000, result, "copy a");
    // Another controller goes on where the first one ended.
    await store.close();
    store = await Store.open(directory, clock);
    await look(5000, good, "copy a");
    await look(60_000, good, "copy a");
    await look(1000, good, "copy a", "copy b");
    const seen = await store.history(begun, now + 1);
    assert.deepEqual(
      seen.watches.map((one) => [one.begun - begun, one.until - begun, one.subjects]),
      [
        [1001, 9903 + 1, ["copy a"]],
        [69_905, 69_905, ["copy a"]],
        [70_906, 70_906, ["copy a", "copy b"]],
      ],
    );
    // A failure counts from its question on, an answer from when it was there.
    assert.deepEqual(
      seen.changes.map(({ subject, at, outcome }) => [subject, at - begun, outcome]),
      [
        ["copy a", 1001, "answers"],
        ["copy a", 3002, "failed"],
        ["copy a", 4903, "answers"],
        ["copy b", 70_906, "answers"],
      ],
    );
    // Of the time before, the last change of each subject is told.
    assert.deepEqual(
      (await store.history(begun + 60_000, now + 1)).changes.map(({ at, outcome }) => [at - begun, outcome]),
      [
        [4903, "answers"],
        [70_906, "answers"],
      ],
    );
    assert.equal(await store.firstLook(), begun + 1001);
    // After more than a year nothing is left of it but what each subject was last.
    now += 401 * 86_400_000;
    await store.prune();
    const old = await store.history(0, now);
    assert.deepEqual([old.watches.length, old.changes.length], [0, 2]);
    assert.deepEqual(await store.availability(0), []);
    await store.close();
  });

  it("carries an earlier store's counts over as times of looking, and the version before reads this one's", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const directory = join(base, "earlier");
    await (await Store.open(directory, realClock)).close();
    const file = join(directory, "store.sqlite");
    let raw = new DatabaseSync(file);
    const known = (raw.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
    raw.exec(
      "DROP TABLE probe_watch; DROP INDEX probe_change_by_time; DROP INDEX event_by_time; PRAGMA user_version = 2",
    );
    const minute = raw.prepare("INSERT INTO probe_minute VALUES (?, ?, 50, 50, 100)");
    for (const [subject, at] of [
      ["copy a", 100],
      ["copy a", 101],
      ["copy a", 105],
      ["copy b", 101],
    ] as const)
      minute.run(subject, at);
    raw.close();
    const store = await Store.open(directory, realClock);
    assert.deepEqual(
      (await store.history(0, Date.now())).watches.map(({ begun, until, subjects }) => [
        begun / 60_000,
        until / 60_000,
        ...subjects,
      ]),
      [
        [100, 102, "copy a"],
        [101, 102, "copy b"],
        [105, 106, "copy a"],
      ],
    );
    await store.close();
    raw = new DatabaseSync(file);
    raw.exec(`CREATE TABLE of_the_next_version (one INTEGER) STRICT; PRAGMA user_version = ${known + 1}`);
    raw.close();
    const next = await Store.open(directory, realClock);
    await next.recordProbes([{ subject: "copy a", result: { outcome: "answers", says: "", milliseconds: 1 } }]);
    await next.close();
    raw = new DatabaseSync(file);
    assert.equal((raw.prepare("PRAGMA user_version").get() as { user_version: number }).user_version, known + 1);
    raw.exec(`PRAGMA user_version = ${known + 2}`);
    raw.close();
    await assert.rejects(Store.open(directory, realClock), refused("store.newer"));
  });

  it("refuses a store of a newer Domus", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const directory = join(base, "six");
    await (await Store.open(directory, realClock)).close();
    const raw = new DatabaseSync(join(directory, "store.sqlite"));
    raw.exec("PRAGMA user_version = 99");
    raw.close();
    await assert.rejects(Store.open(directory, realClock), refused("store.newer"));
  });
});
