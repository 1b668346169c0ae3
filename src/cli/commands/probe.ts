/** `domus probe ALIAS`: asks every 20 ms and says how long nobody answered. Exit 1 when there was a gap. */
import type { Command } from "commander";
import { Fault } from "../../model/index.ts";
import { type Ask, askStock, type Gap, type ProberReport, startProber } from "../../probe/index.ts";
import { readVos } from "../../vo/index.ts";
import { type CalledAlias, findAlias } from "../alias.ts";
import { rememberedSite } from "../open.ts";
import { formatMilliseconds, paint, say, sayJson } from "../say.ts";
import { questionTo } from "../subject.ts";
import { seconds, wholeNumber } from "../words.ts";

interface ProbeFlags {
  readonly for?: string;
  readonly spacing: string;
  readonly site?: string;
  readonly stock?: boolean;
  readonly json?: boolean;
}

export function addProbe(program: Command): void {
  program
    .command("probe")
    .summary("ask an alias every 20 ms: how long did nobody answer?")
    .description(
      "Asks a service through its alias at a fixed spacing until Ctrl-C or --for, and prints every gap between two good answers.",
    )
    .argument("<alias>", "e.g. gums")
    .option("--for <time>", "end after this time, e.g. 30s; else Ctrl-C")
    .option("--spacing <ms>", "milliseconds between questions", "20")
    .option("--site <name>", "which site, when several are known")
    .option(
      "--stock",
      "ask once with each client of others' make that is installed here (voms-proxy-init, nordugridmap)",
    )
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nExamples:\n  domus probe gums\n  domus probe voms --stock\n  domus probe wiki --for 60s --json",
    )
    .action(async (name: string, flags: ProbeFlags) => {
      if (flags.stock) return probeWithStock(name, flags);
      const spacingMs = wholeNumber("--spacing", flags.spacing, 1, 60_000);
      const limit = flags.for ? seconds("--for", flags.for) : null;
      const called = await findAlias(name, flags.site);
      const { alias } = called;
      try {
        if (!flags.json)
          say(
            `Asking ${paint("bold", alias.name)} at ${alias.address}:${alias.port} every ${spacingMs} ms${limit ? "" : "; Ctrl-C ends"} …`,
          );
        const prober = startProber({
          ask: await questionFor(called),
          spacingMs,
          ...(flags.json ? {} : { onGap: (gap: Gap) => say(gapLine(gap)) }),
        });
        await new Promise<void>((resolve) => {
          const timer = limit === null ? setInterval(() => {}, 60_000) : setTimeout(resolve, limit * 1000);
          for (const signal of ["SIGINT", "SIGTERM"] as const)
            process.once(signal, () => {
              clearTimeout(timer);
              resolve();
            });
        });
        const report = prober.stop();
        if (flags.json) sayJson({ alias: alias.name, ...report, samples: undefined });
        else for (const line of summary(report)) say(line);
        if (report.gaps.length > 0 || report.good === 0) process.exitCode = 1;
      } finally {
        await called.open.close();
      }
    });
}

/** Each client once: what it says to an operator, who is a member of nothing. */
async function probeWithStock(name: string, flags: ProbeFlags): Promise<void> {
  const { open, alias } = await findAlias(name, flags.site);
  try {
    const visitor = await open.secrets.visitor();
    const service = rememberedSite(open).services.find((one) => one.name === alias.service);
    const [vo] = readVos(service?.settings.vos).vos ?? [];
    const answers = await askStock(service?.recipe ?? "", {
      address: alias.address,
      port: alias.port,
      tls: { ca: open.operator.authority, cert: visitor.certificate, key: visitor.key },
      vo: vo?.name ?? open.name,
      serverDn: `/O=${open.name}/OU=guest/CN=${alias.name}`,
    });
    if (answers.length === 0)
      throw new Fault("usage.invalid", {
        reason: `no client of others' make is known for ${name}`,
        help: "domus probe --help",
      });
    if (flags.json) sayJson({ alias: alias.name, clients: answers });
    else
      for (const { client, installed, right, milliseconds, says } of answers)
        say(
          `  ${installed ? (right ? paint("green", "✔") : paint("red", "✗")) : paint("dim", "–")} ${client}  ${installed ? `${formatMilliseconds(milliseconds)}: ` : ""}${says}`,
        );
    if (!answers.some(({ installed }) => installed) || answers.some((one) => one.installed && !one.right))
      process.exitCode = 1;
  } finally {
    await open.close();
  }
}

async function questionFor({ open, alias, tls }: CalledAlias): Promise<Ask> {
  const target = await open.store.target();
  return questionTo(target!.blueprint, alias, alias.address, alias.name, tls);
}

function gapLine(gap: Gap): string {
  return `  ${paint("yellow", `${formatMilliseconds(gap.ms)} without service`)} from ${(gap.from / 1000).toFixed(2)} s: ${gap.says}`;
}

function summary(report: ProberReport): readonly string[] {
  const verdict =
    report.good === 0
      ? paint("red", "never answered")
      : report.gaps.length === 0
        ? paint("green", "no gap")
        : paint("yellow", `${report.gaps.length} gaps, the longest ${formatMilliseconds(report.longestGapMs)}`);
  return [
    "",
    `  ${report.asked} questions in ${formatMilliseconds(report.durationMs)}: ${report.good} good, ${report.failed} failed; ${verdict}`,
  ];
}
