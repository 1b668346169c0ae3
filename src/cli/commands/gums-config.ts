/** `domus gums import|export`: policies from and to the original's `gums.config`, with a report of what cannot be said. */
import type { Command } from "commander";
import { stringify } from "yaml";
import { Fault } from "../../model/index.ts";
import { exportGumsConfig, importGumsConfig, policyToSite, readGumsPolicy } from "../../policy/index.ts";
import { openSite, readText } from "../open.ts";
import { complain, paint, say, sayJson } from "../say.ts";

interface ConfigFlags {
  readonly json?: boolean;
}

export function addConfigCommands(gums: Command): void {
  gums
    .command("import")
    .summary("a gums.config as the policy of a site file")
    .description(
      "Reads a gums.config and prints the policy to put under services.gums.settings of a site file. What cannot be carried over is reported with its line and its consequence.",
    )
    .argument("<file>", "the gums.config")
    .option("--json", "for machines: policy and report")
    .addHelpText("after", "\nExample:\n  domus gums import gums.config > policy.yaml")
    .action((file: string, flags: ConfigFlags) => importFile(file, flags));
  gums
    .command("export")
    .summary("the policy of a site file as a gums.config")
    .description("Prints the policy of a site file as a gums.config. What that cannot say is reported.")
    .argument("<file>", "the site file")
    .option("--json", "for machines: text and report")
    .addHelpText("after", "\nExample:\n  domus gums export sites/fermigrid-ha.yaml > gums.config")
    .action((file: string, flags: ConfigFlags) => exportFile(file, flags));
}

function importFile(file: string, flags: ConfigFlags): void {
  const reading = importGumsConfig(readText(file).text);
  if (reading.policy === undefined)
    throw new Fault("site.invalid", {
      file,
      diagnostics: reading.mistakes.map(({ line, column, says }) => `${file}:${line}:${column}: ${says}`).join("\n"),
    });
  const { policy, carried, notCarried } = reading;
  const setting = policyToSite(policy);
  if (flags.json) sayJson({ policy: setting, carried, notCarried });
  else {
    say(stringify({ policy: setting }, { lineWidth: 0 }).trimEnd());
    complain(
      `${carried.length} things are carried over, ${notCarried.length} are not${notCarried.length > 0 ? ":" : "."}`,
    );
    for (const { line, column, element, name, says, consequence, loud } of notCarried) {
      complain(
        `${paint(loud ? "red" : "yellow", loud ? "✗" : "!")} ${file}:${line}:${column}: ${element} ${name}: ${says}`,
      );
      complain(`    ${consequence}`);
    }
  }
  // Somebody who was kept out may get in: whoever goes on by script should not.
  if (notCarried.some((one) => one.loud)) process.exitCode = 1;
}

function exportFile(file: string, flags: ConfigFlags): void {
  const service = openSite(file).services.find((one) => one.recipe === "gums");
  if (service === undefined) throw new Fault("usage.invalid", { reason: `${file} has no service with recipe gums` });
  const { policy } = readGumsPolicy(service.settings.policy);
  if (policy === undefined) throw new Fault("usage.invalid", { reason: `${file} has no policy that can be read` });
  const { text, notExported } = exportGumsConfig(policy);
  if (flags.json) sayJson({ text, notExported });
  else {
    process.stdout.write(text);
    for (const { name, says } of notExported) complain(`${paint("yellow", "!")} ${name}: ${says}`);
  }
}
