/** Reports stay with the site's state, one JSON file each and its page beside it, so that "since last month" can be answered. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../model/index.ts";
import { makePrivateDirectory, writeFileDurably } from "../world/index.ts";
import type { AcceptanceReport } from "./contract.ts";

/** Kept of one site; the oldest go first. A report of ten guests is some hundred kilobytes. */
const KEPT = 100;
const NAME = /^\d{4}-\d{2}-\d{2}T\d{6}Z-[a-z]+$/;

export interface KeptReport {
  readonly id: string;
  readonly file: string;
}

/** @param state the site's state directory */
export const reportsDirectory = (state: string): string => join(state, "reports");

/** @returns a name that sorts by time: `2026-11-20T184012Z-all` */
export function reportId(startedAt: number, what: string): string {
  const [day, time] = new Date(startedAt).toISOString().split("T") as [string, string];
  return `${day}T${time.slice(0, 8).replaceAll(":", "")}Z-${what}`;
}

/**
 * Keeps a report and its page.
 * @returns where they are
 * @throws Fault `disk.full`
 */
export function keepReport(
  state: string,
  report: AcceptanceReport,
  page: string,
): { readonly json: string; readonly html: string } {
  const directory = reportsDirectory(state);
  makePrivateDirectory(directory);
  const json = join(directory, `${report.id}.json`);
  const html = join(directory, `${report.id}.html`);
  // The page first: a listed report has one.
  writeFileDurably(html, page, 0o600);
  writeFileDurably(json, `${JSON.stringify(report)}\n`, 0o600);
  for (const old of listReports(state).slice(0, -KEPT))
    for (const file of [old.file, old.file.replace(/json$/, "html")]) rmSync(file, { force: true });
  return { json, html };
}

/** @returns the kept reports, the oldest first */
export function listReports(state: string): readonly KeptReport[] {
  const directory = reportsDirectory(state);
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(".json") && NAME.test(name.slice(0, -5)))
    .sort()
    .map((name) => ({ id: name.slice(0, -5), file: join(directory, name) }));
}

/** @throws Fault `report.unknown` when it cannot be read or is none */
export function readReport({ id, file }: KeptReport): AcceptanceReport {
  let report: AcceptanceReport;
  try {
    report = JSON.parse(readFileSync(file, "utf8")) as AcceptanceReport;
  } catch (error) {
    throw new Fault("report.unknown", { report: id, reason: (error as Error).message }, { cause: error });
  }
  if (report.format !== 1 || !Array.isArray(report.tests))
    throw new Fault("report.unknown", { report: id, reason: `${file} is no report that this Domus reads` });
  return report;
}

/**
 * @param word a report's name, the beginning of one, or `last`
 * @throws Fault `report.unknown`
 */
export function findReport(state: string, word: string): AcceptanceReport {
  const kept = listReports(state);
  const found = word === "last" ? kept.slice(-1) : kept.filter(({ id }) => id === word || id.startsWith(word));
  if (found.length === 1) return readReport(found[0]!);
  const reason =
    kept.length === 0
      ? "none is kept of this site"
      : found.length > 1
        ? `${found.length} begin like that`
        : `kept are ${kept
            .slice(-5)
            .map(({ id }) => id)
            .join(", ")}`;
  throw new Fault("report.unknown", { report: word, reason });
}

/** @returns the newest report that is at least so old and has this test, to be compared with; `null` when there is none */
export function reportBefore(state: string, before: number, tests: readonly string[]): AcceptanceReport | null {
  for (const kept of [...listReports(state)].reverse()) {
    const report = readReport(kept);
    if (report.startedAt < before && report.tests.some(({ test }) => tests.includes(test))) return report;
  }
  return null;
}
