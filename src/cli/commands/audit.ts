/** `domus audit`: who was told what, when, by which rule. Asks every copy, because each keeps the record of its own answers. */
import { type Command, Option } from "commander";
import { Fault } from "../../model/index.ts";
import { aliasOfRecipe, askCopies, type CopyAnswer } from "../calls.ts";
import { chooseSite, openState } from "../open.ts";
import { complain, paint, say, sayJson, table } from "../say.ts";
import { moment, seconds, span, wholeNumber } from "../words.ts";

interface AuditFlags {
  readonly service: "gums" | "saz";
  readonly account?: string;
  readonly subject?: string;
  readonly fqan?: string;
  readonly host?: string;
  readonly asked?: string;
  readonly decision?: string;
  readonly at?: string;
  readonly within: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
  readonly all?: boolean;
  readonly site?: string;
  readonly json?: boolean;
}

type AuditRow = Readonly<Record<string, unknown>> & { readonly at: string; readonly guest: string };

/** Fields by which a record is asked for; the services know the same. */
const FIELDS = ["account", "subject", "fqan", "host", "asked", "decision"] as const;
/** Seconds a copy has to look through its record. */
const PATIENCE = 120;

/** @returns milliseconds since the epoch, from and to */
function period(flags: AuditFlags, now: number): readonly [number, number] {
  if (flags.at !== undefined) {
    if (flags.from !== undefined || flags.to !== undefined)
      throw new Fault("usage.invalid", { reason: "--at goes with --within, not with --from or --to" });
    const at = moment("--at", flags.at, now);
    const around = seconds("--within", flags.within) * 1000;
    return [at - around, at + around];
  }
  return span(flags, now);
}

export function addAudit(program: Command): void {
  program
    .command("audit")
    .summary("who was told what, when, by which rule")
    .description(
      "Looks into the record that every copy of GUMS (or SAZ) keeps of its decisions. Without a time: the last 24 hours.",
    )
    .addOption(new Option("--service <service>", "whose record").choices(["gums", "saz"]).default("gums"))
    .option("--account <name>", "who was this account?")
    .option("--subject <dn>", "what was this person told?")
    .option("--fqan <fqan>", "with this group and role")
    .option("--host <name>", "asked for this host")
    .option("--asked <name>", "asked by the holder of this certificate")
    .option("--decision <word>", "of SAZ: Permit or Deny")
    .option("--at <time>", "around this moment: 03:12, 2026-11-20T03:12:00Z")
    .option("--within <time>", "with --at: so long before and after", "5min")
    .option("--from <time>", "from this moment on")
    .option("--to <time>", "until this moment")
    .option("--limit <n>", "records of each copy at most", "1000")
    .option("--all", "every record, not each answer once")
    .option("--site <name>", "which site, when several are known")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nExamples:\n  domus audit --account novapro --at 03:12\n  domus audit --service saz --decision Deny --from 2026-11-20 --all",
    )
    .action(async (flags: AuditFlags) => {
      const [from, to] = period(flags, Date.now());
      const limit = wholeNumber("--limit", flags.limit, 1, 10_000);
      const words = new URLSearchParams({
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        limit: String(limit),
      });
      for (const field of FIELDS) if (flags[field] !== undefined) words.set(field, flags[field]);
      const open = await openState(chooseSite(flags.site));
      try {
        const alias = await aliasOfRecipe(open, flags.service);
        const path = `/${flags.service}/json/audit?${words.toString().replaceAll("+", "%20")}`;
        report(await askCopies(open, alias, "GET", path, null, PATIENCE), flags, [from, to]);
      } finally {
        await open.close();
      }
    });
}

function report(copies: readonly CopyAnswer[], flags: AuditFlags, [from, to]: readonly [number, number]): void {
  const wrong = copies.find((copy) => copy.answer?.status === 400);
  if (wrong) throw new Fault("usage.invalid", { reason: wrong.says });
  const heard = copies.filter((copy) => copy.answer?.status === 200);
  const silent = copies.filter((copy) => copy.answer?.status !== 200);
  const rows = heard
    .flatMap(({ guest, answer }) =>
      ((answer?.body.records ?? []) as readonly { at: string }[]).map((one): AuditRow => ({ ...one, guest })),
    )
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const more = heard.filter((copy) => copy.answer?.body.more === true).map((copy) => copy.guest);
  const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  if (flags.json) sayJson({ ...span, records: rows, more, silent: silent.map(({ guest, says }) => ({ guest, says })) });
  else {
    say(`${span.from} to ${span.to}, UTC`);
    if (rows.length === 0) say("  nothing is recorded");
    for (const line of table(flags.all ? rows.map(plainRow) : summary(rows))) say(line);
    if (more.length > 0)
      say(`  ${more.join(", ")} ${more.length > 1 ? "have" : "has"} more: a shorter time, or --limit`);
  }
  for (const { guest, says } of silent)
    complain(`${paint("yellow", "!")} ${guest} does not answer (${says}): its record is missing here`);
  if (heard.length === 0) throw new Fault("service.unable", { reason: "no copy answers" });
  // That nothing is recorded can be said only by all of them.
  if (rows.length === 0) process.exitCode = silent.length > 0 ? 3 : 1;
}

const cell = (value: unknown): string => (value === null || value === undefined || value === "" ? "-" : String(value));

/** What was answered (an account, or a decision), or what an operator changed. */
function answerOf(row: AuditRow): string {
  if (row.change !== undefined) return `${row.action} ${row.change}${row.account ? ` ${row.account}` : ""}`;
  if (row.decision === undefined && row.action !== undefined) return `${row.action} ${row.kind}`;
  return row.account === undefined ? cell(row.decision) : row.account === null ? "no account" : cell(row.account);
}

/** Whom it is about, with what, for which host or group, why. */
function aboutOf(row: AuditRow): readonly string[] {
  const fqans = Array.isArray(row.fqans) ? row.fqans.join(" ") : row.fqan;
  return [row.subject ?? row.value, fqans, row.host ?? row.vo ?? row.group ?? row.pool, row.rule ?? row.reason].map(
    cell,
  );
}

function plainRow(row: AuditRow): readonly string[] {
  return [
    row.at,
    paint("bold", answerOf(row)),
    ...aboutOf(row),
    row.actor === undefined ? `asked ${cell(row.asked)}` : `by ${cell(row.actor)}`,
    row.guest,
  ];
}

/** Each answer once: how often, first and last time. */
function summary(rows: readonly AuditRow[]): readonly (readonly string[])[] {
  const seen = new Map<string, { readonly first: AuditRow; last: string; count: number }>();
  for (const row of rows) {
    const key = JSON.stringify([
      answerOf(row),
      row.subject,
      row.fqan ?? row.fqans,
      row.host ?? row.vo,
      row.rule ?? row.reason,
    ]);
    const known = seen.get(key);
    if (known) {
      known.count++;
      known.last = row.at;
    } else seen.set(key, { first: row, last: row.at, count: 1 });
  }
  return [...seen.values()].map(({ first, last, count }) => [
    paint("bold", answerOf(first)),
    ...aboutOf(first),
    `${count}×`,
    count === 1 ? first.at : `${first.at} – ${last}`,
  ]);
}
