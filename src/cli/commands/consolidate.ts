/** `domus consolidate INVENTORY`: how many guests stand on how many machines, and what that saves. From a table of systems, or of a site itself. */
import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import {
  ASSUMPTIONS,
  type AssumptionKey,
  type Assumptions,
  CURRENCY_PATTERN,
  defaultAssumptions,
  Fault,
  formatDiagnostic,
  isSystemsFile,
  NUMBER_ASSUMPTIONS,
  readSystems,
  type SystemsRow,
} from "../../model/index.ts";
import { formatNumber } from "../../pages/index.ts";
import {
  type Consolidation,
  consolidate,
  consolidationPage,
  figuresOf,
  rangeText,
  type SizeResult,
  size as sizeOf,
  systemsOf,
} from "../../planner/index.ts";
import { knownSites, stateBase } from "../../store/index.ts";
import { readText } from "../open.ts";
import { writePage } from "../page-file.ts";
import { paint, say, sayJson, table } from "../say.ts";
import { standingSite } from "../standing.ts";

type ConsolidateFlags = {
  readonly html?: string;
  readonly json?: boolean;
} & Readonly<Record<string, string | boolean | undefined>>;

const HELP = "domus consolidate --help";

/** What is reported on: a table's rows, or a site's own hosts. */
interface Matter {
  readonly title: string;
  readonly date: string | null;
  readonly source: string | null;
  readonly rows: readonly SystemsRow[];
  readonly assumed: Partial<Assumptions>;
  readonly warnings: readonly string[];
  /** Of a site: how many machines it needs without virtualization, and with it. */
  readonly needs: SizeResult | null;
}

/** `watts-per-host` is `wattsPerHost` among the flags. */
const flagOf = (key: AssumptionKey): string => key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

export function addConsolidate(program: Command): void {
  const command = program
    .command("consolidate")
    .summary("what virtualization saves: guests for each host, energy, space, money")
    .description(
      "Computes the consolidation report from a table of systems: the guests for each host, the range as it is and the range without second copies, and what is saved in energy, space and money under assumptions that are printed beside the figures. Given a site instead, its own hosts and guests are the table.",
    )
    .argument("<inventory>", "table of systems (YAML), site file, or the name of a site")
    .option("--html <file>", "write the report as one page")
    .option("--json", "for machines");
  for (const key of NUMBER_ASSUMPTIONS) {
    const { value, unit, says } = ASSUMPTIONS[key];
    command.addOption(
      new Option(
        `--${key} <n>`,
        `assume: ${unit === "money" ? "money" : unit}${unit ? " " : ""}${says} (else ${value})`,
      ),
    );
  }
  command
    .option("--currency <code>", "assume: currency of all prices, such as EUR or € (else EUR)")
    .addHelpText(
      "after",
      "\nExamples:\n  domus consolidate sites/fermigrid-2009-inventory.yaml\n  domus consolidate sites/fermigrid-2009-inventory.yaml --price-per-kwh 0.31 --html report.html\n  domus consolidate sites/karlsruhe-2007-inventory.yaml --json | jq .ranges\n  domus consolidate sites/fermigrid-ha.yaml",
    )
    .action(async (given: string, flags: ConsolidateFlags) => {
      const options = assumedByOptions(flags);
      const matter = await matterOf(given);
      const assumptions: Assumptions = { ...defaultAssumptions(), ...matter.assumed, ...options };
      const origin = (key: AssumptionKey) =>
        key in options ? `--${key}` : key in matter.assumed ? "the file" : "default";
      const report = consolidate(matter.rows, assumptions);
      const title = [matter.title, matter.date].filter(Boolean).join(", ");
      const origins = Object.fromEntries(
        [...NUMBER_ASSUMPTIONS, "currency" as const].map((key) => [key, origin(key)]),
      ) as Record<AssumptionKey, string>;
      if (flags.html) {
        const chosen = Object.entries(options).map(([key, value]) => ` --${key} ${value}`);
        const page = consolidationPage(report, {
          title,
          lead: `${sentenceOf(report)}.`,
          facts: [
            ...(matter.source ? [["Source", matter.source] as const] : []),
            ...(matter.needs ? [["Machines needed", needsOf(matter.needs).join("; ")] as const] : []),
          ],
          warnings: matter.warnings,
          origin: origins,
          command: `domus consolidate ${given}${chosen.join("")} --html ${flags.html}`,
        });
        writePage(flags.html, page);
      }
      if (flags.json) sayJson(consolidationJson(report, matter, origins));
      else {
        for (const line of consolidationText(report, title, matter, origins)) say(line);
        if (flags.html) say(`\n  Written: ${flags.html}`);
      }
    });
}

/** @throws Fault `usage.invalid` */
function assumedByOptions(flags: ConsolidateFlags): Partial<Assumptions> {
  const found: Record<string, number | string> = {};
  for (const key of NUMBER_ASSUMPTIONS) {
    const text = flags[flagOf(key)];
    if (typeof text !== "string") continue;
    const { least, most, whole } = ASSUMPTIONS[key];
    const value = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || value < least || value > most || (whole && !Number.isInteger(value)))
      throw new Fault("usage.invalid", {
        reason: `--${key} expects a ${whole ? "whole " : ""}number from ${least} to ${most}, found ${JSON.stringify(text)}`,
        help: HELP,
      });
    found[key] = value;
  }
  const { currency } = flags;
  if (typeof currency === "string") {
    if (!CURRENCY_PATTERN.test(currency))
      throw new Fault("usage.invalid", {
        reason: `--currency expects a code or sign such as EUR or €, found ${JSON.stringify(currency)}`,
        help: HELP,
      });
    found.currency = currency;
  }
  return found as Partial<Assumptions>;
}

/** @throws Fault `site.unreadable`, `site.invalid` with every mistake at its place, `site.unknown`, `plan.impossible` */
async function matterOf(given: string): Promise<Matter> {
  const isName = knownSites(stateBase(process.env)).some((name) => name === given) && !existsSync(given);
  const file = isName ? null : readText(given);
  if (file && isSystemsFile(file)) {
    const reading = readSystems(file);
    if (!reading.ok)
      throw new Fault("site.invalid", {
        file: given,
        diagnostics: reading.diagnostics.map(formatDiagnostic).join("\n"),
      });
    const { title, date, source, rows, assumptions } = reading.inventory;
    return {
      title,
      date,
      source,
      rows,
      assumed: assumptions,
      warnings: reading.warnings.map(formatDiagnostic),
      needs: null,
    };
  }
  const { site, blueprint, refusals, from } = await standingSite(given);
  if (!blueprint) throw new Fault("plan.impossible", { reasons: refusals.join("\n") });
  return {
    title: site.name,
    date: null,
    source: from === "in force" ? `blueprint ${blueprint.number}, in force` : `${given}, as it would be planned`,
    rows: systemsOf(site, blueprint),
    assumed: {},
    warnings: [],
    needs: await sizeOf(site),
  };
}

/** The contract of `consolidate --json`. */
function consolidationJson(report: Consolidation, matter: Matter, origins: Readonly<Record<AssumptionKey, string>>) {
  const { physical, virtual, factor, pairs, about, rows, ranges, savings, assumptions } = report;
  return {
    title: matter.title,
    date: matter.date,
    source: matter.source,
    physical,
    virtual,
    factor,
    pairs,
    about,
    rows,
    ranges,
    savings,
    assumptions: Object.fromEntries(
      Object.entries(assumptions).map(([key, value]) => [key, { value, from: origins[key as AssumptionKey] }]),
    ),
    warnings: matter.warnings,
    ...(matter.needs ? { needs: matter.needs } : {}),
  };
}

function sentenceOf({ physical, virtual, factor, about }: Consolidation): string {
  const roughly = about ? "about " : "";
  const fewer = virtual - physical;
  const saved =
    fewer > 0
      ? `${roughly}${formatNumber(fewer)} machines fewer than one for each guest`
      : "no machine is saved by virtualization";
  const hosts = `${roughly}${formatNumber(physical)} ${physical === 1 ? "host" : "hosts"}`;
  return `${formatNumber(virtual)} ${virtual === 1 ? "guest" : "guests"} on ${hosts}, ${factor.toFixed(1)} for each: ${saved}`;
}

function needsOf({ unvirtualized, virtualized }: SizeResult): readonly string[] {
  return [`without virtualization: ${unvirtualized.says}`, `with it: ${virtualized.says}`];
}

/** Columns of numbers stand at the right. */
function aligned(rows: readonly (readonly string[])[], numbers: readonly number[]): readonly string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = new Map(numbers.map((column) => [column, width(column)]));
  const [head, ...body] = rows.map((row) => row.map((cell, column) => cell.padStart(widths.get(column) ?? 0)));
  return table([head!.map((cell) => paint("dim", cell)), ...body]);
}

function consolidationText(
  report: Consolidation,
  title: string,
  matter: Matter,
  origins: Readonly<Record<AssumptionKey, string>>,
): readonly string[] {
  const { rows, ranges, assumptions } = report;
  const least = (fullest: number, open: boolean): string => `${open ? "≥" : ""}${fullest}`;
  return [
    `${paint("bold", title)}: ${sentenceOf(report)}.`,
    ...(matter.source ? [paint("dim", `  ${matter.source}`)] : []),
    "",
    ...aligned(
      [
        ["system", "technology", "hosts", "guests", "for each", "fullest", "pairs", "services"],
        ...rows.map((row) => [
          row.name,
          row.technology ?? "",
          `${row.about ? "~" : ""}${row.physical}`,
          String(row.virtual),
          row.factor.toFixed(1),
          least(row.fullest, row.fullestAtLeast),
          String(row.pairs),
          row.services ?? row.groups.map((group) => `${group.title}: ${group.guests}`).join(", "),
        ]),
        [
          "in all",
          "",
          `${report.about ? "~" : ""}${report.physical}`,
          String(report.virtual),
          report.factor.toFixed(1),
          least(ranges[0].high, ranges[0].highAtLeast),
          String(report.pairs),
          "",
        ],
      ],
      [2, 3, 4, 5, 6],
    ),
    "",
    ...(matter.needs
      ? [paint("bold", "Machines needed"), ...needsOf(matter.needs).map((line) => `  ${line}`), ""]
      : []),
    paint("bold", "Guests for each host"),
    ...ranges.flatMap((range) => [
      `  ${range.title}: ${paint("bold", rangeText(range))}`,
      paint("dim", `    ${range.definition}`),
      ...(range.caveat ? [`    ${range.caveat}`] : []),
    ]),
    "",
    paint("bold", "Energy, space, money") + paint("dim", "  (two digits: the assumptions bear no more)"),
    ...aligned(
      [
        ["", "a machine each", "these hosts", "saved", "reckoned from"],
        ...figuresOf(report).map(({ name, before, after, saved, because }) => [name, before, after, saved, because]),
      ],
      [1, 2, 3],
    ),
    "",
    paint("bold", "Assumed") + paint("dim", "  (change them in the file, or by options of these names)"),
    ...table([
      ...NUMBER_ASSUMPTIONS.map((key) => {
        const { unit, says } = ASSUMPTIONS[key];
        const shown = `${formatNumber(assumptions[key])} ${unit === "money" ? assumptions.currency : unit}`;
        return [key, shown.trim(), says, paint("dim", origins[key])];
      }),
      ["currency", assumptions.currency, "of all prices", paint("dim", origins.currency)],
    ]),
    ...(matter.warnings.length > 0
      ? ["", ...matter.warnings.map((warning) => `${paint("yellow", "!")} ${warning}`)]
      : []),
  ];
}
