/** `domus status [SITE]`: hosts, guests, services, who holds each alias, availability. Exit 0 only when the site is well. */
import type { Command } from "commander";
import type { SiteObservation } from "../../controller/index.ts";
import { type DirectorStatus, Fault, type ProbeOutcome } from "../../model/index.ts";
import {
  askDirectors,
  daysOf,
  type Flapping,
  type History,
  historyPage,
  holderOf,
  percentText,
  zoneHere,
} from "../../probe/index.ts";
import type { Availability, StoredEvent, Target } from "../../store/index.ts";
import {
  DAYS_SHOWN,
  historyInBrief,
  historyLines,
  historySentence,
  lastDays,
  readHistory,
  whoFlaps,
} from "../history.ts";
import { chooseSite, type OpenSite, openState, operatorTls } from "../open.ts";
import { writePage } from "../page-file.ts";
import { paint, type Style, say, sayJson, table } from "../say.ts";
import { moment, wholeNumber } from "../words.ts";

export interface SiteStatus {
  readonly site: string;
  readonly phase: "up" | "down";
  readonly blueprint: { readonly number: number; readonly id: string; readonly cause: string };
  readonly well: boolean;
  /** Everything that keeps it from being well, one sentence each. */
  readonly troubles: readonly string[];
  readonly hosts: readonly { readonly name: string; readonly state: string; readonly says: string }[];
  readonly guests: readonly {
    readonly name: string;
    readonly service: string;
    readonly birthHost: string;
    readonly host: string;
    readonly state: string;
    readonly outcome: ProbeOutcome;
    readonly says: string;
    readonly restarts: number;
    /** A person wants it as it is: nobody starts it again but a person. */
    readonly held: boolean;
  }[];
  readonly aliases: readonly {
    readonly name: string;
    readonly address: string;
    readonly port: number;
    readonly heldBy: string | null;
    readonly outcome: ProbeOutcome;
    readonly says: string;
    readonly copies: readonly { readonly guest: string; readonly state: string; readonly writer: boolean }[];
  }[];
  readonly availability: readonly {
    readonly subject: string;
    readonly asked: number;
    readonly answered: number;
    readonly changes: number;
    /** Of the time in which somebody looked, 0 to 1; `null`: nobody did. */
    readonly share: number | null;
  }[];
  readonly events: readonly StoredEvent[];
}

const DAY = 24 * 3600 * 1000;

/** Looks at a site once. */
export async function lookAtSite(open: OpenSite): Promise<SiteStatus | null> {
  const observed = await open.controller.observe();
  if (!observed) return null;
  const directors = await askDirectors(observed.target.blueprint, operatorTls(open));
  const now = Date.now();
  const availability = await open.store.availability(now - DAY);
  return statusOf(
    observed.target,
    observed.seen,
    directors,
    availability,
    await open.store.events(8),
    await open.store.held(),
    await whoFlaps(open.store, now),
    await readHistory(open.store, observed.target.blueprint, now - DAY, now + 1, "UTC"),
  );
}

function statusOf(
  { id, blueprint, phase }: Target,
  seen: SiteObservation,
  directors: readonly DirectorStatus[],
  availability: readonly Availability[],
  events: readonly StoredEvent[],
  held: readonly string[],
  flaps: readonly Flapping[],
  day: History,
): SiteStatus {
  const shares = new Map(day.subjects.map(({ subject, total }) => [subject, total.share]));
  const hostState = new Map(seen.hosts.map((host) => [host.name, host.state]));
  const guests = seen.guests.map(({ guest, status, probe }) => ({
    name: guest.name,
    service: guest.service,
    birthHost: guest.birthHost,
    host: guest.host,
    state: status?.state ?? (hostState.get(guest.host) === "up" ? "missing" : "without its host"),
    outcome: probe.outcome,
    says: probe.says,
    restarts: status?.restarts ?? 0,
    held: held.includes(guest.name),
  }));
  const aliases = seen.aliases.map(({ alias, probe }) => ({
    name: alias.name,
    address: alias.address,
    port: alias.port,
    heldBy: holderOf(directors, alias.name),
    outcome: probe.outcome,
    says: probe.says,
    copies:
      directors
        .find((one) => one.role === "active")
        ?.aliases.find((one) => one.name === alias.name)
        ?.copies.map(({ guest, state, writer }) => ({ guest, state, writer })) ?? [],
  }));
  const troubles = [
    ...seen.hosts.filter((host) => host.state !== "up").map((host) => host.says),
    ...guests
      .filter((guest) => guest.outcome === "failed" && hostState.get(guest.host) === "up")
      .map((guest) => `${guest.name} (${guest.service}) does not answer: ${guest.says}`),
    ...aliases
      .filter((alias) => alias.outcome === "failed")
      .map((alias) => `alias ${alias.name} does not answer: ${alias.says}`),
    ...flaps.map(
      ({ subject, changes, last }) =>
        `${subject} flaps: ${changes} changes within an hour, the last at ${new Date(last.at).toTimeString().slice(0, 8)} (${last.says})`,
    ),
  ];
  return {
    site: blueprint.site,
    phase,
    blueprint: { number: blueprint.number, id, cause: blueprint.cause.says },
    well: phase === "up" && troubles.length === 0,
    troubles: phase === "up" ? troubles : [`${blueprint.site} is down`],
    hosts: seen.hosts.map(({ name, state, says }) => ({ name, state, says })),
    guests,
    aliases,
    availability: availability.map(({ subject, asked, answered, changes }) => ({
      subject,
      asked,
      answered,
      changes: changes.length,
      share: shares.get(subject) ?? null,
    })),
    events,
  };
}

const OUTCOME: Readonly<Record<ProbeOutcome, { readonly mark: string; readonly style: Style; readonly says: string }>> =
  {
    answers: { mark: "●", style: "green", says: "answers" },
    "read-only": { mark: "◐", style: "yellow", says: "read-only" },
    failed: { mark: "✗", style: "red", says: "does not answer" },
  };

function outcomeText(outcome: ProbeOutcome): string {
  const { mark, style, says } = OUTCOME[outcome];
  return paint(style, `${mark} ${says}`);
}

/** @returns what `status` prints for people. */
export function statusText(status: SiteStatus): readonly string[] {
  if (status.phase === "down")
    return [
      `${paint("bold", status.site)} is down (blueprint ${status.blueprint.number}); its data stays. Bring it up: domus up SITE`,
    ];
  const percent = (subject: string) => {
    const found = status.availability.find((one) => one.subject === subject);
    return found && found.share !== null ? paint("dim", percentText(found.share)) : "";
  };
  return [
    `${paint("bold", status.site)}  ${status.well ? paint("green", "well") : paint("yellow", "not well")}${paint("dim", `  blueprint ${status.blueprint.number}${status.availability.length > 0 ? "; %: answered in 24 h, of the time in which somebody looked" : ""}`)}`,
    "",
    ...status.hosts.flatMap((host) => [
      `${host.state === "up" ? paint("bold", host.name) : paint(["bold", "red"], host.name)}  ${host.state === "up" ? paint("dim", host.says) : paint("red", host.says)}`,
      ...table(
        status.guests
          .filter((guest) => guest.host === host.name)
          .map((guest) => [
            guest.name,
            guest.service,
            guest.state === "running" ? outcomeText(guest.outcome) : paint("red", `✗ ${guest.state}`),
            [
              guest.birthHost !== guest.host ? `born on ${guest.birthHost}` : "",
              guest.held ? "by a person" : "",
              guest.restarts > 0 ? `${guest.restarts} restarts` : "",
              percent(`guest ${guest.name}`),
            ]
              .filter(Boolean)
              .join("  "),
          ]),
        "    ",
      ),
    ]),
    "",
    paint("bold", "Aliases"),
    ...table(
      status.aliases.map((alias) => [
        alias.name,
        `${alias.address}:${alias.port}`,
        outcomeText(alias.outcome),
        alias.heldBy ? `held by ${alias.heldBy}` : paint("red", "held by nobody"),
        alias.copies
          .map((copy) =>
            copy.state === "up"
              ? `${copy.guest}${copy.writer ? " (writer)" : ""}`
              : paint("red", `${copy.guest} ${copy.state}`),
          )
          .join(", "),
        percent(`alias ${alias.name}`),
      ]),
      "    ",
    ),
    ...(status.troubles.length > 0
      ? ["", ...status.troubles.map((trouble) => `${paint("yellow", "!")} ${trouble}`)]
      : []),
  ];
}

interface StatusFlags {
  readonly json?: boolean;
  readonly history?: boolean;
  readonly days?: string;
  readonly from?: string;
  readonly to?: string;
  readonly utc?: boolean;
  readonly html?: string;
}

export function addStatus(program: Command): void {
  program
    .command("status")
    .summary("hosts, guests, services, who holds each alias; how it was")
    .description(
      "Looks at a site now. Exit status 0 says that all of it is well; what is not implemented counts as not well. With --history: how it was, by day, with every outage and what was noted of its cause; then the exit status is 0.",
    )
    .argument("[site]", "site file or name; not needed when only one is known")
    .option("--history", "each alias, guest and host by day, and the worst outages")
    .option("--days <n>", `history of so many days, today included (else ${DAYS_SHOWN})`)
    .option("--from <moment>", "history from here, e.g. 2026-11-01 or 03:12")
    .option("--to <moment>", "and to here; now when silent")
    .option("--utc", "days and times in UTC; else in this machine's zone")
    .option("--html <file>", "write the history as one page")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nExamples:\n  domus status\n  domus status wiki --json | jq .troubles\n  domus status --history --days 90\n  domus status fermigrid-ha --from 2026-10-01 --to 2026-11-01 --html october.html",
    )
    .action(async (given: string | undefined, flags: StatusFlags) => {
      const asks = flags.history || flags.html || flags.days || flags.from || flags.to;
      const open = await openState(chooseSite(given));
      try {
        if (asks) await showHistory(open, flags);
        else await showStatus(open, flags);
      } finally {
        await open.close();
      }
    });
}

async function showStatus(open: OpenSite, flags: StatusFlags): Promise<void> {
  const status = await lookAtSite(open);
  if (!status) {
    if (flags.json) sayJson({ site: open.name, phase: "down", well: false, troubles: ["never brought up"] });
    else say(`${open.name} was never brought up.`);
    process.exitCode = 1;
    return;
  }
  if (flags.json) {
    const { history } = await historyFor(open, { ...flags, days: String(DAYS_SHOWN) });
    sayJson({ ...status, history: historyInBrief(history) });
  } else for (const line of statusText(status)) say(line);
  if (!status.well) process.exitCode = 1;
}

/** @throws Fault `usage.invalid`, `site.unknown` */
async function historyFor(
  open: OpenSite,
  flags: StatusFlags,
): Promise<{ readonly history: History; readonly titles: ReadonlyMap<string, string> }> {
  const zone = flags.utc ? "UTC" : zoneHere();
  const now = Date.now();
  if (flags.days !== undefined && (flags.from !== undefined || flags.to !== undefined))
    throw new Fault("usage.invalid", { reason: "expected --days, or --from and --to, not both", help: HELP });
  const days = wholeNumber("--days", flags.days ?? String(DAYS_SHOWN), 1, MOST_DAYS);
  const at = (option: string, text: string) => moment(option, text, now, flags.utc);
  const to = flags.to === undefined ? now : at("--to", flags.to);
  const from = flags.from === undefined ? lastDays(days, to, zone)[0] : at("--from", flags.from);
  if (from >= to)
    throw new Fault("usage.invalid", { reason: "the time ends before it begins: look at --from and --to", help: HELP });
  if (daysOf(from, to, zone).length > MOST_DAYS)
    throw new Fault("usage.invalid", { reason: `history has ${MOST_DAYS} days at most`, help: HELP });
  const target = await open.store.target();
  if (!target) throw new Fault("site.unknown", { directory: open.directory });
  const { guests } = target.blueprint;
  const titles = new Map(
    guests.map(({ name, service, copy, host }) => [`guest ${name}`, `${service} copy ${copy} on ${host}`]),
  );
  return { history: await readHistory(open.store, target.blueprint, from, to, zone), titles };
}

const HELP = "domus status --help";
/** The store keeps 400 days. */
const MOST_DAYS = 401;

async function showHistory(open: OpenSite, flags: StatusFlags): Promise<void> {
  const { history, titles } = await historyFor(open, flags);
  if (flags.html) {
    const said = [
      flags.days && `--days ${flags.days}`,
      flags.from && `--from ${flags.from}`,
      flags.to && `--to ${flags.to}`,
    ];
    const command = ["domus status", open.name, ...said.filter(Boolean), flags.utc && "--utc", `--html ${flags.html}`];
    writePage(
      flags.html,
      historyPage(history, {
        site: open.name,
        lead: `${historySentence(open.name, history)}.`,
        titles,
        command: command.filter(Boolean).join(" "),
      }),
    );
  }
  if (flags.json) sayJson(history);
  else {
    for (const line of historyLines(open.name, history)) say(line);
    if (flags.html) say(`\n  Written: ${flags.html}`);
  }
}
