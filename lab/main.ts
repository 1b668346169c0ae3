/**
 * `bin/domus-lab cut|heal HOST`: takes and gives the power of a simulated physical host of this machine, nothing else. It is a program of
 * its own, because power is not Domus's to take: what it does to a host, Domus must find out.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { complainDefect, complainFault, paint, say, sayJson } from "../src/cli/index.ts";
import { EmbeddedHosts } from "../src/controller/index.ts";
import { BundleCache } from "../src/images/index.ts";
import { Fault, type HostName } from "../src/model/index.ts";
import { knownSites, siteDirectory, stateBase } from "../src/store/index.ts";

interface LabFlags {
  readonly site?: string;
  readonly json?: boolean;
}

interface Found {
  readonly site: string;
  readonly hosts: EmbeddedHosts;
  readonly host: HostName;
}

/** Finds a host among the sites of this machine. @throws Fault `host.unknown`, `usage.invalid` */
function findHost(name: string, flags: LabFlags): Found {
  const base = stateBase(process.env);
  const found: Found[] = [];
  const known: string[] = [];
  for (const site of knownSites(base)) {
    if (flags.site !== undefined && flags.site !== site) continue;
    const directory = siteDirectory(base, site);
    const place = join(directory, "hosts");
    for (const host of existsSync(place) ? readdirSync(place) : []) {
      known.push(host);
      if (host === name)
        found.push({
          site,
          host: host as HostName,
          hosts: new EmbeddedHosts(directory, new BundleCache(join(directory, "bundles"))),
        });
    }
  }
  if (found.length === 0)
    throw new Fault("host.unknown", { host: name, known: known.join(", ") || "none; bring a site up first" });
  if (found.length > 1)
    throw new Fault("usage.invalid", {
      reason: `${name} is a host of ${found.map((one) => one.site).join(" and ")}: say which with --site`,
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
    run: (found: Found) => found.hosts.cut(found.host),
  },
  {
    name: "heal",
    summary: "give a host its power back: it boots and starts its own guests",
    done: (host: string) => `${paint("green", host)} has power again; its guests are starting.`,
    run: (found: Found) => found.hosts.heal(found.host),
  },
] as const;

async function main(words: readonly string[]): Promise<number> {
  const json = words.includes("--json");
  const program = new Command("domus-lab")
    .description("Simulated physical hosts on this machine: their power switch.")
    .exitOverride();
  for (const action of ACTIONS)
    program
      .command(action.name)
      .summary(action.summary)
      .description(`${action.summary[0]!.toUpperCase()}${action.summary.slice(1)}.`)
      .argument("<host>", "e.g. fermigrid6")
      .option("--site <name>", "which site, when several have a host of this name")
      .option("--json", "for machines")
      .addHelpText("after", `\nExample:\n  bin/domus-lab ${action.name} fermigrid6`)
      .exitOverride()
      .action(async (name: string, flags: LabFlags) => {
        const found = findHost(name, flags);
        await action.run(found);
        await found.hosts.close();
        if (flags.json) sayJson({ site: found.site, host: name, done: action.name });
        else say(action.done(name));
      });
  try {
    await program.parseAsync(words as string[], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return error instanceof Fault ? complainFault(error, json) : complainDefect(error, json);
  }
}

process.umask(0o077);

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
