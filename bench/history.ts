/**
 * How long history takes: 400 days of twenty-two subjects, looked at all the time but for a pause a day, with thirty changes a day and one
 * subject that flaps all the time. Beside it what the same figures would cost from counts by minute (`--minutes`; makes eleven million
 * rows first). Run by `bin/node bench/history.ts`.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { factsOf, historyOf, historyPage } from "../src/probe/index.ts";
import { Store } from "../src/store/index.ts";
import { realClock } from "../src/world/index.ts";
import { median, verdict } from "./verdict.ts";

const DAYS = 400;
const DAY = 86_400_000;
const SUBJECTS = [
  ...Array.from({ length: 6 }, (_, index) => `alias a${index}`),
  ...Array.from({ length: 10 }, (_, index) => `guest g${index}`),
  ...Array.from({ length: 6 }, (_, index) => `host h${index}`),
];
const now = Date.now();
const begun = now - DAYS * DAY;

const directory = mkdtempSync(join(tmpdir(), "domus-history-"));
const file = join(directory, "store.sqlite");
try {
  await (await Store.open(directory, realClock)).close();
  const raw = new DatabaseSync(file);
  raw.exec("PRAGMA synchronous = OFF; BEGIN");
  const watch = raw.prepare("INSERT INTO probe_watch (begun, until, subjects) VALUES (?, ?, ?)");
  const change = raw.prepare("INSERT INTO probe_change (subject, at, outcome, says) VALUES (?, ?, ?, 'refused')");
  const event = raw.prepare("INSERT INTO event (at, kind, about, says) VALUES (?, 'ended', ?, 'signal SIGKILL')");
  for (const subject of SUBJECTS) change.run(subject, begun, "answers");
  for (let day = 0; day < DAYS; day++) {
    const from = begun + day * DAY;
    watch.run(from, from + DAY - 600_000, JSON.stringify(SUBJECTS));
    for (let index = 0; index < 15; index++) {
      const subject = SUBJECTS[(day * 7 + index) % SUBJECTS.length]!;
      const at = from + index * 5_000_000;
      change.run(subject, at, "failed");
      event.run(at, subject.split(" ")[1]!);
      change.run(subject, at + 8000, "answers");
    }
    for (let at = 0; at < DAY; at += 1_800_000)
      change.run("guest g0", from + at, at % 3_600_000 ? "answers" : "failed");
  }
  raw.exec("COMMIT");
  const size = statSync(file).size + statSync(`${file}-wal`).size;
  console.log(`${DAYS} days, ${SUBJECTS.length} subjects: ${(size / 1024 ** 2).toFixed(1)} MiB in the store`);

  const store = await Store.open(directory, realClock);
  const times = { read: [] as number[], reckon: [] as number[], page: [] as number[] };
  for (let run = 0; run < 5; run++) {
    let start = performance.now();
    const recorded = await store.history(begun, now);
    times.read.push(performance.now() - start);
    start = performance.now();
    const history = historyOf({
      ...recorded,
      from: begun,
      to: now,
      zone: "Europe/Berlin",
      facts: factsOf(recorded.events, recorded.steps),
      related: (subject) => ({ self: subject.split(" ")[1]!, host: "h0", parts: [] }),
    });
    times.reckon.push(performance.now() - start);
    start = performance.now();
    const page = historyPage(history, { site: "bench", lead: "", titles: new Map(), command: "" });
    times.page.push(performance.now() - start);
    if (run === 0)
      console.log(
        `  ${recorded.changes.length} changes, ${history.subjects.reduce((sum, one) => sum + one.outages.length, 0)} outages, a page of ${Math.round(page.length / 1024)} KiB`,
      );
  }
  const [read, reckon, page] = [median(times.read), median(times.reckon), median(times.page)];
  console.log(`  read ${read.toFixed(0)} ms, reckoned ${reckon.toFixed(0)} ms, page ${page.toFixed(0)} ms`);
  console.log(`  ${verdict(read + reckon, 1000, "ms")}`);

  if (process.argv.includes("--minutes")) {
    raw.exec("BEGIN");
    const minute = raw.prepare("INSERT INTO probe_minute VALUES (?, ?, 55, 55, 300)");
    for (let at = 0; at < DAYS * 1440; at++)
      for (const subject of SUBJECTS) minute.run(subject, Math.floor(begun / 60_000) + at);
    raw.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    const start = performance.now();
    raw
      .prepare(
        "SELECT subject, minute / 1440 AS day, SUM(asked), SUM(answered) FROM probe_minute GROUP BY subject, day",
      )
      .all();
    console.log(
      `  from ${DAYS * 1440 * SUBJECTS.length} counts by minute: ${(performance.now() - start).toFixed(0)} ms, ${(statSync(file).size / 1024 ** 2).toFixed(0)} MiB`,
    );
  }
  raw.close();
  await store.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
