/**
 * `bin/domus-lab`: physical hosts simulated on this machine, and their power switches. It is a program of its own, because power is not Domus's
 * to take: what it does to a host, Domus must find out.
 */
import { Command, CommanderError } from "commander";
import {
  carryOnUnheard,
  complainDefect,
  complainFault,
  openSite,
  paint,
  say,
  sayJson,
  table,
} from "../src/cli/index.ts";
import { Fault, formatSize } from "../src/model/index.ts";
import { embeddedHosts, type Switchable } from "./embedded.ts";
import {
  hostOf,
  knownLabs,
  LabDirectory,
  type LabState,
  labDown,
  labHeal,
  labState,
  labUp,
  MOST_HOSTS,
  setCable,
  switchOff,
  type WantedHost,
} from "./machines/index.ts";

interface LabFlags {
  readonly site?: string;
  readonly json?: boolean;
}

interface UpFlags {
  readonly hosts: string;
  readonly like?: string;
  readonly json?: boolean;
}

const LAB = "lab";

/** @returns every host of every lab of this machine */
function labHosts(): readonly Switchable[] {
  return knownLabs().flatMap((directory) => {
    const record = directory.read();
    return (record?.hosts ?? []).map(
      (host): Switchable => ({
        host: host.name,
        of: directory.name,
        cut: () => switchOff(directory, record!, host),
        heal: () => labHeal(directory, record!, host),
        partition: () => setCable(record!, hostOf(record!, host.name), "down"),
      }),
    );
  });
}

/** Finds a host among the sites and labs of this machine. @throws Fault `host.unknown`, `usage.invalid` */
function findHost(name: string, flags: LabFlags): Switchable {
  const all = [...embeddedHosts(), ...labHosts()].filter((one) => flags.site === undefined || flags.site === one.of);
  const found = all.filter((one) => one.host === name);
  if (found.length === 0)
    throw new Fault("host.unknown", {
      host: name,
      known: all.map(({ host }) => host).join(", ") || "none; bring a site or a lab up first",
    });
  if (found.length > 1)
    throw new Fault("usage.invalid", {
      reason: `${name} is a host of ${found.map((one) => one.of).join(" and ")}: say which with --site`,
      help: "domus-lab --help",
    });
  return found[0]!;
}

const ACTIONS = [
  {
    name: "cut",
    summary: "take a host's power: it and all its guests end at once",
    done: (host: string) =>
      `${paint("red", host)} is without power, and so are its guests. Give it back: bin/domus-lab heal ${host}`,
    run: (found: Switchable) => found.cut(),
  },
  {
    name: "partition",
    summary: "pull a host's cable: it goes on, and nobody hears it",
    done: (host: string) => `${paint("red", host)} is cut off from the others. Mend it: bin/domus-lab heal ${host}`,
    run: (found: Switchable) => {
      if (found.partition) return found.partition();
      throw new Fault("request.refused", {
        reason: `${found.host} is a process of this machine and has no cable`,
        remedy: "Take its power (cut), or use a lab: bin/domus-lab up --hosts 2.",
      });
    },
  },
  {
    name: "heal",
    summary: "give a host its power and cable back: it boots and starts its own guests",
    done: (host: string) => `${paint("green", host)} has power again; its guests are starting.`,
    run: (found: Switchable) => found.heal(),
  },
] as const;

/** @returns hosts like those of a site file, or so many of the lab's own */
function wantedHosts({ hosts, like }: UpFlags): readonly WantedHost[] {
  if (like !== undefined)
    return openSite(like).hosts.map(({ name, prefix, cpus, memory, reserve, rack }) => ({
      name,
      prefix,
      cpus,
      memory: formatSize(memory),
      reserve: formatSize(reserve),
      rack,
    }));
  const count = Number(hosts);
  if (!/^\d+$/.test(hosts) || count < 1 || count > MOST_HOSTS)
    throw new Fault("usage.invalid", {
      reason: `--hosts expects a whole number from 1 to ${MOST_HOSTS}, found ${JSON.stringify(hosts)}`,
      help: "domus-lab up --help",
    });
  return Array.from({ length: count }, (_, index) => ({
    name: `host${index + 1}`,
    prefix: `h${index + 1}x`,
    cpus: 2,
    memory: "4 GiB",
    reserve: "0 B",
    rack: null,
  }));
}

function stateLines({ record, hosts, hostsFile }: LabState): readonly string[] {
  return [
    `${paint("bold", record.name)}: ${hosts.length} hosts in ${record.subnet}.0/24`,
    ...table(
      hosts.map(({ name, power, cable, hypervisor }) => [
        name,
        power === "on" ? paint("green", "on") : paint("red", "without power"),
        cable === "in" ? "" : paint("red", "cut off"),
        hypervisor,
      ]),
    ),
    `  Use them: bin/domus up SITE --hosts ${hostsFile}`,
  ];
}

function addMachines(program: Command): void {
  program
    .command("up")
    .summary("make simulated physical hosts, each with a libvirt daemon of its own")
    .description(
      "Makes namespaces of this machine that stand for physical hosts: each has its own network, processes, disk and libvirt daemon, reached over TLS. Prints the file for domus up SITE --hosts. Run again, it makes what is missing. Needs root, libvirt and QEMU.",
    )
    .argument("[name]", "of the lab, when there are several", LAB)
    .option("--hosts <n>", "how many", "2")
    .option("--like <site>", "as many, by the same names, as the hosts of this site file")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nExamples:\n  bin/domus-lab up --hosts 2\n  bin/domus-lab up --like sites/fermigrid-ha.yaml",
    )
    .exitOverride()
    .action(async (name: string, flags: UpFlags) => {
      const state = await labUp(new LabDirectory(labName(name)), wantedHosts(flags));
      if (flags.json) sayJson(state);
      else for (const line of stateLines(state)) say(line);
    });
  program
    .command("down")
    .summary("take a lab away: nothing is left behind")
    .description("Ends every host of a lab and takes its namespaces, bridges, control groups and files away.")
    .argument("[name]", "of the lab", LAB)
    .option("--json", "for machines")
    .addHelpText("after", "\nExample:\n  bin/domus-lab down")
    .exitOverride()
    .action(async (name: string, flags: LabFlags) => {
      await labDown(new LabDirectory(labName(name)));
      if (flags.json) sayJson({ lab: name, done: "down" });
      else say(`${paint("bold", name)} is gone.`);
    });
  program
    .command("list")
    .summary("the labs of this machine")
    .description("Says which hosts each lab has, and whether they have power and cable.")
    .option("--json", "for machines")
    .addHelpText("after", "\nExample:\n  bin/domus-lab list")
    .exitOverride()
    .action(async (flags: LabFlags) => {
      const labs = await Promise.all(
        knownLabs().flatMap((directory) => {
          const record = directory.read();
          return record ? [labState(directory, record)] : [];
        }),
      );
      if (flags.json) sayJson(labs);
      else if (labs.length === 0) say("There is no lab. Make one: bin/domus-lab up --hosts 2");
      else for (const lab of labs) for (const line of stateLines(lab)) say(line);
    });
}

/** It becomes a directory and part of names. @throws Fault `usage.invalid` */
function labName(name: string): string {
  if (/^[a-z][a-z0-9-]{0,30}$/.test(name)) return name;
  throw new Fault("usage.invalid", {
    reason: `a lab's name is of small letters, digits and hyphens, found ${JSON.stringify(name)}`,
    help: "domus-lab up --help",
  });
}

async function main(words: readonly string[]): Promise<number> {
  const json = words.includes("--json");
  const program = new Command("domus-lab")
    .description("Physical hosts simulated on this machine, and their power switches.")
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  addMachines(program);
  for (const action of ACTIONS)
    program
      .command(action.name)
      .summary(action.summary)
      .description(`${action.summary[0]!.toUpperCase()}${action.summary.slice(1)}.`)
      .argument("<host>", "e.g. fermigrid6")
      .option("--site <name>", "of which site or lab, when several have a host of this name")
      .option("--json", "for machines")
      .addHelpText("after", `\nExample:\n  bin/domus-lab ${action.name} fermigrid6`)
      .exitOverride()
      .action(async (name: string, flags: LabFlags) => {
        const found = findHost(name, flags);
        await action.run(found);
        if (flags.json) sayJson({ site: found.of, host: name, done: action.name });
        else say(action.done(name));
      });
  try {
    await program.parseAsync(words as string[], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      const reason = error.message.replace(/^error: /, "");
      return complainFault(new Fault("usage.invalid", { reason, help: "domus-lab --help" }), json);
    }
    return error instanceof Fault ? complainFault(error, json) : complainDefect(error, json);
  }
}

process.umask(0o077);
carryOnUnheard();

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
