/** From parts and findings to a test's report. */
import type { Finding, Part, TestName, TestReport } from "./contract.ts";

interface Ended<P extends Part> {
  readonly test: TestName;
  readonly startedAt: number;
  readonly parts: readonly P[];
  readonly findings: readonly Finding[];
  readonly interrupted: boolean;
  /** What is said when nothing failed. */
  readonly well: string;
}

/** A test has passed when nothing failed, something was tested and nobody interrupted it. */
export function summarize<P extends Part>({ well, ...ended }: Ended<P>): TestReport<P> {
  const failed = ended.findings.filter(({ level }) => level === "failed");
  const about = [...new Set(failed.map((one) => one.about))];
  const passed =
    failed.length === 0 && ended.parts.every((part) => part.passed) && ended.parts.length > 0 && !ended.interrupted;
  const says = ended.interrupted
    ? `interrupted after ${ended.parts.length} parts`
    : passed
      ? well
      : about.length > 0
        ? `not passed because of ${about.join(", ")}`
        : ended.parts.length === 0
          ? "there is nothing to test"
          : `not passed: ${ended.parts.find((part) => !part.passed)?.says ?? ""}`;
  return { ...ended, passed, says, durationMs: Date.now() - ended.startedAt };
}
