/** A failover test on a small site that stands for a group of tests, and what to ask of its report. */
import { readFileSync } from "node:fs";
import { after, before } from "node:test";
import {
  type FailoverOptions,
  type FailoverPart,
  runFailover,
  type Subject,
  type TestReport,
} from "../../src/acceptance/index.ts";
import type { SiteName } from "../../src/model/index.ts";
import { listProcesses } from "../../src/world/index.ts";
import { TestDomus } from "../support/domus.ts";
import { eventually } from "../support/eventually.ts";
import { bringUp, type Wish, withSubject } from "./failover-sites.ts";

/** What a machine keeps that is busy with other tests: these sites are not judged by how fast it is. */
export const PATIENT = "{ lost: 90 %, gap: 60 s, whole: 120 s }";
export const failedIn = ({ findings }: TestReport): readonly string[] =>
  findings.filter(({ level }) => level === "failed").map(({ says }) => says);
export const warnedIn = ({ findings }: TestReport): readonly string[] =>
  findings.filter(({ level }) => level === "warning").map(({ says }) => says);

/** A site of its own for each group, up before and gone after. */
export function standing(
  text: (wish: Wish) => string,
  wish: Wish,
): { readonly domus: TestDomus; readonly name: () => SiteName } {
  const domus = new TestDomus();
  let name: SiteName;
  before(async () => {
    name = await bringUp(domus, text(wish));
  });
  after(() => domus.destroy());
  return { domus, name: () => name };
}

export function failover(
  { domus, name }: ReturnType<typeof standing>,
  options: FailoverOptions,
  changed: (subject: Subject) => Partial<Subject> = () => ({}),
  signal = new AbortController().signal,
): Promise<TestReport<FailoverPart>> {
  return withSubject(domus, name(), signal, (subject) => runFailover({ ...subject, ...changed(subject) }, options));
}

export async function whole(domus: TestDomus): Promise<void> {
  await eventually("the site is well", async () => (await domus.json("status")).well, 120_000);
}

/** @returns guardians of this state that are still there */
export const guardians = (domus: TestDomus): readonly string[] =>
  listProcesses().flatMap(({ pid }) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return words.includes("failover/guardian.ts") && words.includes(domus.state) ? [words] : [];
    } catch {
      return [];
    }
  });
