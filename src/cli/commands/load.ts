/** `domus load ALIAS`: a steady load as clients make it, with a 3 s budget for each call. Exit 1 when a call was lost. */
import type { Command } from "commander";
import { clientLimit, type LatencySummary, type LoadReport, runLoad } from "../../probe/index.ts";
import { findAlias, samplesOf } from "../alias.ts";
import { formatMilliseconds, paint, say, sayJson, table } from "../say.ts";
import { seconds, share, wholeNumber } from "../words.ts";

interface LoadFlags {
  readonly rate: string;
  readonly workers?: string;
  readonly calls?: string;
  readonly for?: string;
  readonly writes?: string;
  readonly keepAlive?: boolean;
  readonly site?: string;
  readonly json?: boolean;
}

/** When nothing is said about the end. */
const DEFAULT_SECONDS = 10;

export function addLoad(program: Command): void {
  program
    .command("load")
    .summary("a steady load through an alias")
    .description(
      "Calls a service through its alias as its clients do: 500 ms to connect, repeated with growing pauses, 3 s for each call. Says how many calls were answered, refused with a sentence, or lost.",
    )
    .argument("<alias>", "e.g. gums")
    .option("--rate <n>", "calls a second, whatever becomes of them", "50")
    .option("--workers <n>", "instead of a rate: so many clients that call again when they have their answer")
    .option("--calls <n>", "end after so many calls")
    .option("--for <time>", "end after this time, e.g. 30s (10s when nothing is said)")
    .option("--writes <share>", "share of calls that write, e.g. 10%")
    .option("--keep-alive", "keep connections instead of a new one for each call")
    .option("--site <name>", "which site, when several are known")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nExamples:\n  domus load gums --for 30s\n  domus load saz --rate 50 --calls 1000 --writes 10%\n  domus load wiki --workers 8 --keep-alive --json",
    )
    .action(async (name: string, flags: LoadFlags) => {
      const options = {
        pace: flags.workers
          ? ({ kind: "closed", workers: wholeNumber("--workers", flags.workers, 1, 10_000) } as const)
          : ({ kind: "open", perSecond: wholeNumber("--rate", flags.rate, 1, 100_000) } as const),
        ...(flags.calls ? { calls: wholeNumber("--calls", flags.calls, 1, 1_000_000_000) } : {}),
        ...(flags.for ? { seconds: seconds("--for", flags.for) } : flags.calls ? {} : { seconds: DEFAULT_SECONDS }),
        ...(flags.writes ? { writeShare: share("--writes", flags.writes) } : {}),
        keepAlive: flags.keepAlive ?? false,
      };
      const called = await findAlias(name, flags.site);
      try {
        const samples = samplesOf(called);
        const only = flags.writes ? samples : samples.filter((sample) => sample.kind === "read");
        const stop = new AbortController();
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
        const { alias } = called;
        if (!flags.json) say(`Calling ${paint("bold", alias.name)} at ${alias.address}:${alias.port} …`);
        const report = await runLoad({
          ...options,
          target: {
            address: alias.address,
            port: alias.port,
            servername: only[0]?.scheme === "https" ? alias.name : null,
          },
          tls: only[0]?.scheme === "https" ? called.tls : null,
          samples: only,
          signal: stop.signal,
          ...(flags.json ? {} : { onProgress: showSecond() }),
        });
        if (flags.json) sayJson({ alias: alias.name, ...report });
        else for (const line of reportLines(report, options.pace.kind)) say(line);
        if (report.lost > 0 || report.answered === 0) process.exitCode = 1;
      } finally {
        await called.open.close();
      }
    });
}

/** @returns a listener that prints each second once: dots on a terminal would say less. */
function showSecond(): (report: LoadReport) => void {
  let shown = -1;
  return (report) => {
    for (const second of report.seconds) {
      if (second.second <= shown || second.second >= Math.floor(report.durationMs / 1000)) continue;
      shown = second.second;
      const troubles = [
        second.repeated > 0 ? paint("yellow", `${second.repeated} repeated`) : "",
        second.refused > 0 ? paint("yellow", `${second.refused} refused`) : "",
        second.lost > 0 ? paint("red", `${second.lost} lost`) : "",
      ].filter(Boolean);
      say(
        `  ${String(second.second + 1).padStart(4)} s  ${String(second.answered).padStart(6)} answered, slowest ${formatMilliseconds(second.maxMs)}${troubles.length > 0 ? `, ${troubles.join(", ")}` : ""}`,
      );
    }
  };
}

/** What the clients saw, and in closed loop also what they would have seen had they not waited. */
function latencyLines({ latency, service }: LoadReport, pace: "open" | "closed"): readonly string[] {
  const line = (says: string, { p50, p99, max }: LatencySummary) =>
    `  ${says}: median ${formatMilliseconds(p50)}, 99 % within ${formatMilliseconds(p99)}, slowest ${formatMilliseconds(max)}`;
  if (pace === "open") return [line("latency", latency)];
  return [line("latency", service), line("had nobody waited for his answer before he called again", latency)];
}

function reportLines(report: LoadReport, pace: "open" | "closed"): readonly string[] {
  const limit = clientLimit(report, pace);
  const kinds = (Object.keys(report.byKind) as (keyof LoadReport["byKind"])[]).filter((kind) =>
    Object.values(report.byKind[kind]).some((count) => count > 0),
  );
  return [
    "",
    ...table([
      ["", "answered", "refused", "lost"].map((word) => paint("dim", word)),
      ...kinds.map((kind) => [
        `${kind}s`,
        ...(["answered", "refused", "lost"] as const).map((outcome) => String(report.byKind[kind][outcome])),
      ]),
    ]),
    "",
    `  ${report.calls} calls in ${formatMilliseconds(report.durationMs)}; ${report.repeated} had to be repeated; ${report.lost === 0 ? paint("green", "none lost") : paint("red", `${report.lost} lost`)}`,
    ...latencyLines(report, pace),
    `  at this pace ${Math.round(report.callsPerDay).toLocaleString("en-GB")} calls a day`,
    ...(limit === null ? [] : [paint("yellow", `  ${limit}`)]),
    ...Object.entries(report.sentences)
      .slice(0, 8)
      .map(([says, times]) => paint("dim", `  ${times}× ${says}`)),
  ];
}
