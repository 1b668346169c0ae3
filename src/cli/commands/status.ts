/** `domus status [SITE]`: hosts, guests, services, who holds each alias, availability. Exit 0 only when the site is well. */
import type { Command } from "commander";
import type { SiteObservation } from "../../controller/index.ts";
import type { DirectorStatus, ProbeOutcome } from "../../model/index.ts";
import { askDirectors, holderOf } from "../../probe/index.ts";
import type { Availability, StoredEvent, Target } from "../../store/index.ts";
import { chooseSite, type OpenSite, openState, operatorTls } from "../open.ts";
import { paint, type Style, say, sayJson, table } from "../say.ts";

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
  }[];
  readonly events: readonly StoredEvent[];
}

const DAY = 24 * 3600 * 1000;

/** Looks at a site once. */
export async function lookAtSite(open: OpenSite): Promise<SiteStatus | null> {
  const observed = await open.controller.observe();
  if (!observed) return null;
  const directors = await askDirectors(observed.target.blueprint, operatorTls(open));
  const availability = await open.store.availability(Date.now() - DAY);
  return statusOf(
    observed.target,
    observed.seen,
    directors,
    availability,
    await open.store.events(8),
    await open.store.held(),
  );
}

function statusOf(
  { id, blueprint, phase }: Target,
  seen: SiteObservation,
  directors: readonly DirectorStatus[],
  availability: readonly Availability[],
  events: readonly StoredEvent[],
  held: readonly string[],
): SiteStatus {
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
    return found && found.asked > 0 ? paint("dim", `${((100 * found.answered) / found.asked).toFixed(2)} %`) : "";
  };
  return [
    `${paint("bold", status.site)}  ${status.well ? paint("green", "well") : paint("yellow", "not well")}${paint("dim", `  blueprint ${status.blueprint.number}${status.availability.length > 0 ? "; %: answered in 24 h, while somebody served" : ""}`)}`,
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

export function addStatus(program: Command): void {
  program
    .command("status")
    .summary("hosts, guests, services, who holds each alias")
    .description(
      "Looks at a site now. Exit status 0 says that all of it is well; what is not implemented counts as not well.",
    )
    .argument("[site]", "site file or name; not needed when only one is known")
    .option("--json", "for machines")
    .addHelpText("after", "\nExamples:\n  domus status\n  domus status wiki --json | jq .troubles")
    .action(async (given: string | undefined, flags: { readonly json?: boolean }) => {
      const open = await openState(chooseSite(given));
      try {
        const status = await lookAtSite(open);
        if (!status) {
          if (flags.json) sayJson({ site: open.name, phase: "down", well: false, troubles: ["never brought up"] });
          else say(`${open.name} was never brought up.`);
          process.exitCode = 1;
          return;
        }
        if (flags.json) sayJson(status);
        else for (const line of statusText(status)) say(line);
        if (!status.well) process.exitCode = 1;
      } finally {
        await open.close();
      }
    });
}
