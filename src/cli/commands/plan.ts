/** `domus plan SITE`: layout, proof of N+1, differences, steps. Changes nothing. */
import type { Command } from "commander";
import { planSite, programsHere } from "../../controller/index.ts";
import { type Blueprint, Fault, formatSize, type Site } from "../../model/index.ts";
import { blueprintId, type Change, type PlanResult, type SizeResult, size as sizeOf } from "../../planner/index.ts";
import { RECIPES } from "../../recipes/index.ts";
import { openSite, VERSION } from "../open.ts";
import { paint, say, sayJson, table } from "../say.ts";
import { lookAt } from "../standing.ts";
import { network } from "../words.ts";

interface PlanFlags {
  readonly hosts?: string;
  readonly loopback?: string;
  readonly planOnly?: boolean;
  readonly json?: boolean;
  readonly why?: boolean;
  readonly mariadb?: boolean;
}

/** Why a Blueprint is made when a person asks for it at the command line. */
export const ASKED = { by: "person", says: "asked by a person" } as const;

export function addPlan(program: Command): void {
  program
    .command("plan")
    .summary("show layout, proof and steps; change nothing")
    .description(
      "Plans a site: where each guest would be and why, what becomes of each service when a host is lost, and what would change.",
    )
    .argument("<site>", "site file, e.g. sites/fermigrid-ha.yaml")
    .option("--hosts <file>", "use the hosts (and network) of this file instead")
    .option("--loopback <cidr>", "network for the embedded default, e.g. 127.9.9.0/24")
    .option("--plan-only", "plan also what this machine could not run")
    .option("--why", "one sentence for each placement, and every step")
    .option("--mariadb", "plan as if MariaDB were installed here")
    .option("--no-mariadb", "plan as if it were not")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nExamples:\n  domus plan sites/wiki.yaml\n  domus plan sites/fermigrid-2009.yaml --plan-only --why\n  domus plan sites/fermigrid-ha.yaml --json | jq .proof",
    )
    .action(async (file: string, flags: PlanFlags) => {
      const loopback = network("--loopback", flags.loopback) ?? null;
      const site = openSite(file, flags.hosts);
      const known = await lookAt(site, programsHere());
      const result = planSite(
        site,
        { ...known, recipes: RECIPES, version: VERSION },
        {
          loopback,
          planOnly: flags.planOnly ?? false,
          mariadb: flags.mariadb ?? null,
          cause: ASKED,
        },
      );
      if (!result.ok) throw refusal(result, flags);
      const size = await sizeOf(site);
      if (flags.json) sayJson(planJson(result, size));
      else for (const line of planText(site, result, size, flags.why ?? false)) say(line);
    });
}

function refusal(result: Extract<PlanResult, { ok: false }>, flags: PlanFlags): Fault {
  const remedy = flags.planOnly ? undefined : "Change the site file, add a host, or look at it with --plan-only.";
  return new Fault("plan.impossible", { reasons: result.refusals.join("\n"), ...(remedy ? { remedy } : {}) });
}

/** The contract of `plan --json`. */
export function planJson(result: Extract<PlanResult, { ok: true }>, size: SizeResult) {
  const { blueprint, changes, warnings } = result;
  return {
    blueprint: blueprintId(blueprint),
    parent: blueprint.parent,
    number: blueprint.number,
    site: blueprint.site,
    network: blueprint.network,
    hosts: blueprint.hosts.map((host) => ({
      name: host.name,
      guests: blueprint.guests.filter((guest) => guest.host === host.name).map((guest) => guest.name),
    })),
    guests: blueprint.guests.map(({ name, service, host, birthHost, address }) => ({
      name,
      service,
      host,
      birthHost,
      address,
    })),
    aliases: blueprint.aliases.map(({ name, service, address, port }) => ({ name, service, address, port })),
    proof: blueprint.proof,
    size,
    changes,
    warnings,
    reasons: blueprint.reasons,
    steps: blueprint.steps.map(({ id, after }) => ({ id, after })),
  };
}

const MARK = { answers: "✓", "read-only": "◐", lost: "✗" } as const;
const COLOUR = { answers: "green", "read-only": "yellow", lost: "red" } as const;

function layout(site: Site, blueprint: Blueprint): readonly string[] {
  const titles = new Map(site.services.map((service) => [service.name, service.title]));
  const lines: string[] = [];
  for (const host of blueprint.hosts) {
    const declared = site.hosts.find((one) => one.name === host.name);
    const guests = blueprint.guests.filter((guest) => guest.host === host.name);
    const used = guests.reduce((sum, guest) => sum + guest.definition.memory, 0);
    const room = declared ? ` ${formatSize(used)} of ${formatSize(declared.memory - declared.reserve)}` : "";
    const place = declared?.rack ? `, rack ${declared.rack}` : "";
    lines.push(paint("bold", host.name) + paint("dim", `  ${host.address}${place}${room ? `,${room}` : ""}`));
    lines.push(
      ...table(
        guests.map((guest) => [
          guest.name,
          titles.get(guest.service) ?? guest.service,
          paint("dim", guest.address),
          formatSize(guest.definition.memory),
        ]),
        "    ",
      ),
    );
  }
  return lines;
}

function proofLines(blueprint: Blueprint): readonly string[] {
  const { proof } = blueprint;
  const hosts = [...new Set(proof.services.map((entry) => entry.host))];
  const services = [...new Set(proof.services.map((entry) => entry.name))];
  const lines = [
    proof.survivesAnyOneHost
      ? paint("green", "✓ any one host may be lost: every service still answers")
      : paint("yellow", "✗ not every host may be lost:"),
  ];
  // A wider table says less than the sentences below it.
  if (hosts.length <= 8 && services.length <= 8) {
    lines.push(
      ...table([
        [paint("dim", "lost host"), ...services.map((service) => paint("dim", service))],
        ...hosts.map((host) => [
          host,
          ...services.map((service) => {
            const found = proof.services.find((entry) => entry.name === service && entry.host === host);
            const outcome = found?.outcome ?? "answers";
            return paint(COLOUR[outcome], `${MARK[outcome]} ${outcome}`);
          }),
        ]),
      ]),
    );
  }
  for (const entry of proof.services) if (entry.outcome !== "answers") lines.push(`  ${entry.says}`);
  // While every service answers from its other copy, restarting the lost one elsewhere is no matter.
  const stranded = proof.survivesAnyOneHost ? [] : proof.restarts.filter((restart) => restart.onto === null);
  if (stranded.length > 0 && stranded.length <= 6)
    for (const restart of stranded) lines.push(paint("dim", `  ${restart.says}`));
  else if (stranded.length > 0)
    lines.push(paint("dim", `  ${stranded.length} guests of a lost host could not be restarted elsewhere (--why)`));
  return lines;
}

function changeLines(changes: readonly Change[], steps: number, parent: boolean): readonly string[] {
  if (parent && changes.length === 0) return ["Nothing would change."];
  const counts = Map.groupBy(changes, (change) => change.kind);
  const summary = [...counts].map(([kind, list]) => `${list.length} ${kind}`).join(", ");
  const shown = parent ? changes.slice(0, 30).map((change) => `  ${change.says}`) : [];
  return [`${summary || "nothing"}; ${steps} steps, of which those that are so already are only checked.`, ...shown];
}

/** @returns what `plan` prints for people. */
export function planText(
  site: Site,
  result: Extract<PlanResult, { ok: true }>,
  size: SizeResult,
  why: boolean,
): readonly string[] {
  const { blueprint } = result;
  const head = `${paint("bold", blueprint.site)}: ${blueprint.guests.length} guests on ${blueprint.hosts.length} hosts`;
  return [
    `${head}${paint("dim", `  blueprint ${blueprint.number} (${blueprintId(blueprint).slice(0, 12)}), network ${blueprint.network.cidr}`)}`,
    "",
    ...layout(site, blueprint),
    "",
    ...(blueprint.aliases.length > 0
      ? [
          paint("bold", "Aliases"),
          ...table(
            blueprint.aliases.map((alias) => [
              alias.name,
              `${alias.address}:${alias.port}`,
              paint("dim", `→ ${alias.backends.map((one) => one.guest).join(", ")}`),
            ]),
            "    ",
          ),
          "",
        ]
      : []),
    paint("bold", "If a host is lost"),
    ...proofLines(blueprint),
    "",
    paint("bold", "How many machines"),
    ...sizeLines(size),
    "",
    paint("bold", "Changes"),
    ...changeLines(result.changes, blueprint.steps.length, blueprint.parent !== null).map((line) => `  ${line}`),
    ...result.warnings.map((warning) => paint("yellow", `  ! ${warning}`)),
    ...(why
      ? [
          "",
          paint("bold", "Why"),
          ...blueprint.reasons.map((reason) => `  ${reason.says}`),
          ...blueprint.proof.restarts.map((restart) => `  ${restart.says}`),
          "",
          paint("bold", "Steps"),
          ...blueprint.steps.map(
            (step) => `  ${step.id}${step.after.length > 0 ? paint("dim", `  after ${step.after.join(", ")}`) : ""}`,
          ),
        ]
      : []),
  ];
}

function sizeLines(size: SizeResult): readonly string[] {
  return [
    size.unvirtualized.says,
    size.virtualized.says,
    ...(size.witness.machines > 0 ? [size.witness.says] : []),
  ].map((line) => `  ${line}`);
}
