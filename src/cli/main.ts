/** The command line. Every command: help with examples, `--json`, exit 0 done, 1 not so, 2 bad input, 3 the outside failed. */
import { Command, CommanderError } from "commander";
import { Fault } from "../model/index.ts";
import { complainDefect, complainFault } from "./say.ts";

/** Commands are loaded when they are asked for: `--help` and `plan` should not wait for what `load` needs. */
const COMMANDS: readonly (() => Promise<(program: Command) => void>)[] = [
  async () => (await import("./commands/plan.ts")).addPlan,
  async () => (await import("./commands/up.ts")).addUp,
  async () => (await import("./commands/up.ts")).addDown,
  async () => (await import("./commands/status.ts")).addStatus,
  async () => (await import("./commands/guest.ts")).addGuest,
  async () => (await import("./commands/probe.ts")).addProbe,
  async () => (await import("./commands/load.ts")).addLoad,
  async () => (await import("./commands/identity.ts")).addIdentity,
  async () => (await import("./commands/serve.ts")).addServe,
  async () => (await import("./commands/showcase.ts")).addShowcase,
];

async function main(words: readonly string[]): Promise<number> {
  const json = words.includes("--json");
  const program = new Command("domus")
    .description("One site file says what you want; Domus plans it, builds it, proves it, keeps it up.")
    .version((await import("./open.ts")).VERSION)
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();
  for (const load of COMMANDS) (await load())(program);
  for (const command of program.commands) command.exitOverride().showHelpAfterError("(--help shows how)");
  try {
    await program.parseAsync(words as string[], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Fault) return complainFault(error, json);
    return complainDefect(error, json);
  }
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever read our output has gone (`| head`): that is no error.
  if (error.code === "EPIPE") process.exit(0);
});

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.exitCode = complainDefect(error, false);
  },
);
