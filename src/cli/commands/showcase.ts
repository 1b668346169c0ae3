/** `npm start`: brings an example site up on this machine, shows real calls through its aliases, says what to try, and stays in front. */
import { stripVTControlCharacters } from "node:util";
import type { Command } from "commander";
import type { UpResult } from "../../controller/index.ts";
import { type BlueprintAlias, Fault, type HostName, type Site } from "../../model/index.ts";
import { connector } from "../../world/index.ts";
import { aliasOfRecipe, askThrough } from "../calls.ts";
import { exampleSite, type OpenSite, openSite } from "../open.ts";
import { formatMilliseconds, paint, say, table } from "../say.ts";
import { keepUp } from "./serve.ts";
import { lookAtSite, statusText } from "./status.ts";
import { bringUp, failOnTrouble, holdSite, takeDown } from "./up.ts";

interface ShowcaseFlags {
  readonly detach?: boolean;
  readonly loopback?: string;
  readonly mariadb?: boolean;
}

const NORA = "/DC=org/DC=fermigrid/OU=People/CN=Nora Example";
const MALLORY = "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example";

/** Real calls, each answered by whichever copy the director chose. */
async function gridCalls(open: OpenSite): Promise<readonly (readonly string[])[]> {
  const [gums, saz] = [await aliasOfRecipe(open, "gums"), await aliasOfRecipe(open, "saz")];
  const map = async (fqan: string) => {
    const words = `subject-x509-id=${encodeURIComponent(NORA)}&voms-fqan=${encodeURIComponent(fqan)}&dns-host-name=fnpc1.example.org`;
    return (await askThrough(open, gums, "GET", `/gums/json/mapGridIdentity?${words}`)).body;
  };
  const authorize = async () =>
    (
      await askThrough(
        open,
        saz,
        "GET",
        `/saz/json/authorize?subject-x509-id=${encodeURIComponent(MALLORY)}&vo=fermilab`,
      )
    ).body;
  const change = async (action: string) =>
    (await askThrough(open, saz, "POST", `/saz/json/${action}`, { dn: MALLORY, reason: "showcase" })).body;
  const mapped = await map("/fermilab/nova/Role=Production");
  const before = await authorize();
  const ban = await change("ban");
  const after = await authorize();
  const lifted = await change("unban");
  const copies = (ban.copies ?? []) as readonly { readonly guest: string; readonly has: boolean }[];
  return [
    [
      "gums",
      "who is Nora, in nova's production role?",
      paint("green", `${mapped.username}`) + paint("dim", ` (group ${mapped.groupname})`),
    ],
    ["saz", "may Mallory use the site?", decision(before)],
    [
      "saz",
      "ban Mallory",
      ban.result === "OK"
        ? `in force on ${copies
            .filter((copy) => copy.has)
            .map((copy) => copy.guest)
            .join(" and ")}`
        : paint("yellow", String(ban.message)),
    ],
    ["saz", "may Mallory use the site?", decision(after)],
    ["saz", "lift the ban", lifted.result === "OK" ? "done" : paint("yellow", String(lifted.message))],
  ];
}

function decision(body: Readonly<Record<string, unknown>>): string {
  return body.decision === "Permit"
    ? paint("green", "Permit")
    : paint("red", `${body.decision ?? body.result}`) + paint("dim", ` (${body.reason ?? body.message})`);
}

/** A page of each alias that speaks plain HTTP. */
async function webCalls(aliases: readonly BlueprintAlias[]): Promise<readonly (readonly string[])[]> {
  const rows: string[][] = [];
  for (const alias of aliases) {
    const check = alias.backends[0]?.check;
    if (check?.kind !== "http") continue;
    const one = connector(
      {
        scheme: "http",
        address: alias.address,
        port: alias.port,
        servername: null,
        tls: null,
        localAddress: null,
        preamble: null,
        connectTimeoutMs: 500,
      },
      false,
    );
    const answer = await one.ask({ method: "GET", path: check.path, timeoutMs: 3000 }).finally(() => one.close());
    const title = /<title>([^<]{0,80})/.exec(answer.body)?.[1] ?? `${answer.body.length} characters`;
    rows.push([
      alias.name,
      `GET http://${alias.address}:${alias.port}${check.path}`,
      `${paint("green", String(answer.status))} ${title}`,
    ]);
  }
  return rows;
}

/** The host whose loss says most: the one that holds the only database, when there is only one. */
function hostToCut(result: UpResult): HostName {
  const { blueprint } = result.target;
  const hurting = blueprint.proof.services.find((entry) => entry.outcome !== "answers");
  return hurting?.host ?? blueprint.hosts[0]!.name;
}

/** The alias worth watching while a host is cut. */
function aliasToWatch(site: Site, result: UpResult): string {
  const order = ["gums", "own", "saz"];
  const aliases = result.target.blueprint.aliases;
  const recipeOf = (alias: BlueprintAlias) =>
    site.services.find((service) => service.name === alias.service)?.recipe ?? "";
  for (const recipe of order) {
    const found = aliases.find((alias) => recipeOf(alias) === recipe);
    if (found) return found.name;
  }
  return aliases[0]?.name ?? "";
}

function advice(site: Site, result: UpResult): readonly string[] {
  const cut = hostToCut(result);
  const { proof } = result.target.blueprint;
  const losses = proof.services.filter((entry) => entry.host === cut && entry.outcome !== "answers");
  const expect =
    losses.length === 0
      ? "every service goes on"
      : `honestly: ${losses.map((entry) => `${entry.name} ${entry.outcome}`).join(", ")}`;
  return [
    paint("bold", "Try this in another terminal"),
    ...table([
      [`  bin/domus load ${aliasToWatch(site, result)} --for 30s`, paint("dim", "a steady load, and while it runs …")],
      [`  bin/domus-lab cut ${cut}`, paint("dim", `… take the power of a host: ${expect}`)],
      [`  bin/domus-lab heal ${cut}`, paint("dim", "give it back: the site becomes whole by itself")],
      [`  bin/domus status`, paint("dim", "hosts, guests, who holds each alias")],
      [
        `  bin/domus accept ${site.name} all --html report.html`,
        paint("dim", "prove it: ask, kill and load everything; five minutes, a report to hand on"),
      ],
      ...(hasRecipe(site, "gums")
        ? [
            [`  bin/domus explain "${NORA}" --fqan /fermilab/nova`, paint("dim", "every rule on the way to an answer")],
            ["  bin/domus audit", paint("dim", "who was told what, by which rule")],
          ]
        : []),
      ...(hasRecipe(site, "voms")
        ? [[`  bin/domus vo people fermilab`, paint("dim", "who is in the virtual organization, and how each stands")]]
        : []),
      [`  bin/domus plan ${exampleSite(site.name)} --why`, paint("dim", "why each guest is where it is")],
    ]),
  ];
}

function hasRecipe(site: Site, recipe: string): boolean {
  return site.services.some((service) => service.recipe === recipe);
}

async function showCalls(open: OpenSite, site: Site, result: UpResult): Promise<void> {
  say();
  say(paint("bold", "Real calls through the aliases"));
  const rows = [
    ...(hasRecipe(site, "gums") && hasRecipe(site, "saz") ? await gridCalls(open) : []),
    ...(await webCalls(result.target.blueprint.aliases)),
  ];
  for (const line of table(rows)) say(line);
}

/** @returns a line that takes one row: a wrapped one would break the picture. Colours go where something had to be cut. */
function fitted(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length < columns ? line : `${plain.slice(0, columns - 2)}…`;
}

/** On a terminal the status lives below; elsewhere changes are lines. */
async function stayInFront(open: OpenSite, signal: AbortSignal): Promise<void> {
  const recent: string[] = [];
  const living = process.stdout.isTTY === true;
  const onChange = (says: string) => {
    const line = `${new Date().toTimeString().slice(0, 8)}  ${says}`;
    if (!living) say(line);
    recent.push(line);
    if (recent.length > 6) recent.shift();
  };
  const keeping = keepUp(open, signal, onChange);
  if (living) {
    let drawn = 0;
    while (!signal.aborted) {
      const status = await lookAtSite(open).catch(() => null);
      if (status && !signal.aborted) {
        const lines = [
          ...statusText(status),
          "",
          ...recent.map((line) => paint("dim", line)),
          paint("dim", "Ctrl-C takes the site down and keeps its data."),
        ];
        // Back to the first line of the last picture, then clear to the end of the screen.
        const room = Math.max(5, (process.stdout.rows ?? 40) - 1);
        const shown = lines.slice(0, room).map((line) => fitted(line, process.stdout.columns ?? 80));
        process.stdout.write(`${drawn > 0 ? `\u001b[${drawn}A` : ""}\u001b[J${shown.join("\n")}\n`);
        drawn = shown.length;
      }
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 1000);
        signal.addEventListener(
          "abort",
          () => {
            clearTimeout(timer);
            resolve(null);
          },
          { once: true },
        );
      });
    }
  }
  await keeping;
}

export function addShowcase(program: Command): void {
  program
    .command("showcase")
    .summary("bring an example site up here and look at it (npm start)")
    .description(
      "Brings an example site up on this machine, shows real calls through its aliases, says what to try, and stays in front. Ctrl-C takes it down; data stays.",
    )
    .argument("[example]", "fermigrid-ha or wiki", "fermigrid-ha")
    .option("--detach", "leave the site running and return")
    .option("--mariadb", "use MariaDB, also for a site that has SQLite")
    .option("--no-mariadb", "use SQLite in place of MariaDB")
    .option("--loopback <cidr>", "network for the embedded default, e.g. 127.9.9.0/24")
    .addHelpText("after", "\nExamples:\n  npm start\n  npm start -- wiki\n  npm start -- --detach")
    .action(async (example: string, flags: ShowcaseFlags) => {
      if (!/^[a-z0-9-]+$/.test(example))
        throw new Fault("usage.invalid", { reason: `no example is called ${example}`, help: "sites/" });
      const site = openSite(exampleSite(example));
      const stop = new AbortController();
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
      const held = await holdSite(site, `showcase ${site.name}`);
      let locked = true;
      try {
        const began = performance.now();
        say(
          `${paint("bold", "Domus")} brings up ${paint("bold", site.name)}: ${site.services.reduce((sum, one) => sum + one.copies, 0)} guests on ${site.hosts.length} hosts, as processes of this machine.`,
        );
        const result = await bringUp(held.open, site, flags, stop.signal);
        failOnTrouble(result.execution, stop.signal.aborted);
        const took = performance.now() - began;
        const how = result.execution.changed === 0 ? "it was up already" : `up in ${formatMilliseconds(took)}`;
        const without = result.target.blueprint.proof.survivesAnyOneHost
          ? "any one host may be lost"
          : "not every host may be lost (see domus plan)";
        say(`${paint("green", "✓")} ${how}; ${without}.`);
        for (const warning of result.plan.warnings) say(`${paint("yellow", "!")} ${warning}`);
        await showCalls(held.open, site, result);
        say();
        for (const line of advice(site, result)) say(line);
        say();
        if (flags.detach) {
          say(`It goes on without us. ${paint("bold", `bin/domus down ${site.name}`)} takes it down.`);
          return;
        }
        // Others may work on the site while we only look and mend.
        await held.release();
        locked = false;
        await watchAndLeave(site, stop.signal);
      } finally {
        if (locked) await held.release();
      }
    });
}

async function watchAndLeave(site: Site, signal: AbortSignal): Promise<void> {
  const { openState, lockSite } = await import("../open.ts");
  const open = await openState(site.name);
  try {
    await stayInFront(open, signal);
    say();
    const lock = await lockSite(site.name, `showcase ${site.name}, leaving`);
    try {
      await takeDown(open, false, false);
    } finally {
      await lock.release();
    }
  } finally {
    await open.close();
  }
}
