/** The command line. Every command: help with examples, `--json`, exit 0 done, 1 not so, 2 bad input, 3 the outside failed. */
import { Command, CommanderError } from "commander";
import { Fault } from "../model/index.ts";
import { carryOnUnheard, complainDefect, complainFault } from "./say.ts";

type AddCommand = (program: Command) => void;

/** Where each command is. Only the one that is asked for is loaded: `plan` should not wait for what `load` needs. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  plan: async () => (await import("./commands/plan.ts")).addPlan,
  up: async () => (await import("./commands/up.ts")).addUp,
  down: async () => (await import("./commands/up.ts")).addDown,
  status: async () => (await import("./commands/status.ts")).addStatus,
  guest: async () => (await import("./commands/guest.ts")).addGuest,
  accept: async () => (await import("./commands/accept.ts")).addAccept,
  probe: async () => (await import("./commands/probe.ts")).addProbe,
  load: async () => (await import("./commands/load.ts")).addLoad,
  map: async () => (await import("./commands/identity.ts")).addMap,
  authorize: async () => (await import("./commands/identity.ts")).addAuthorize,
  ban: async () => (await import("./commands/identity.ts")).addBan,
  unban: async () => (await import("./commands/identity.ts")).addUnban,
  bans: async () => (await import("./commands/identity.ts")).addBans,
  seen: async () => (await import("./commands/identity.ts")).addSeen,
  gums: async () => (await import("./commands/gums.ts")).addGums,
  vo: async () => (await import("./commands/vo.ts")).addVo,
  explain: async () => (await import("./commands/explain.ts")).addExplain,
  "what-if": async () => (await import("./commands/what-if.ts")).addWhatIf,
  files: async () => (await import("./commands/files.ts")).addFiles,
  audit: async () => (await import("./commands/audit.ts")).addAudit,
  size: async () => (await import("./commands/size.ts")).addSize,
  consolidate: async () => (await import("./commands/consolidate.ts")).addConsolidate,
  serve: async () => (await import("./commands/serve.ts")).addServe,
  showcase: async () => (await import("./commands/showcase.ts")).addShowcase,
};

/** Commands that have commands of their own. */
const GROUPS: ReadonlySet<string> = new Set(["guest", "gums", "vo"]);

async function main(words: readonly string[]): Promise<number> {
  const json = words.includes("--json");
  const program = new Command("domus")
    .description("One site file says what you want; Domus plans it, builds it, proves it, keeps it up.")
    .version((await import("./open.ts")).VERSION)
    .showSuggestionAfterError()
    .addHelpText(
      "after",
      "\nExamples:\n  domus plan sites/wiki.yaml\n  domus up sites/wiki.yaml\n  domus status wiki --json",
    )
    .configureHelp({ showGlobalOptions: false })
    // Said below, once, in the way that was asked for.
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  const asked = words.find((word) => Object.hasOwn(COMMANDS, word));
  const loaders = asked !== undefined && asked === words[0] ? [COMMANDS[asked]!] : Object.values(COMMANDS);
  for (const load of loaders) (await load())(program);
  try {
    await program.parseAsync(words as string[], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return complainUsage(error, words, json);
    if (error instanceof Fault) return complainFault(error, json);
    return complainDefect(error, json);
  }
}

/** @returns 0 when help or version was asked for, else 2 */
function complainUsage(error: CommanderError, words: readonly string[], json: boolean): number {
  if (error.exitCode === 0) return 0;
  const asked = words.filter((word) => /^[a-z-]+$/.test(word)).slice(0, GROUPS.has(words[0] ?? "") ? 2 : 1);
  const known = asked.length > 0 && Object.hasOwn(COMMANDS, asked[0]!);
  const help = known && error.code !== "commander.unknownCommand" ? `domus ${asked.join(" ")} --help` : "domus --help";
  // Commander has printed the help itself where a command is missing: there is nothing to add for people.
  if (error.code === "commander.help") {
    if (json) complainFault(new Fault("usage.invalid", { reason: "a command is missing", help }), json);
    return 2;
  }
  const reason = error.message
    .replace(/^error: /, "")
    .replace(/\n\((Did you mean .*)\)$/s, "; $1")
    .replace(/; Did/, "; did");
  return complainFault(new Fault("usage.invalid", { reason, help }), json);
}

carryOnUnheard();

/** Ends when everything is written: what a library left open must not keep a finished command. */
function end(code: number): void {
  process.stderr.write("", () => process.stdout.write("", () => process.exit(code)));
  // Nobody reads any more: then nothing is waited for.
  setTimeout(() => process.exit(code), 2000).unref();
}

// Whatever is written is its owner's alone.
process.umask(0o077);

main(process.argv.slice(2)).then(end, (error: unknown) => end(complainDefect(error, false)));
