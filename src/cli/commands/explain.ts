/** `domus explain DN`: the whole way to the answers of GUMS and SAZ: what was looked at, what held, what decided. Gives nothing out. */
import type { Command } from "commander";
import { Fault } from "../../model/index.ts";
import { aliasOfRecipe, askThrough, requireAnswer, type ServiceAnswer } from "../calls.ts";
import { chooseSite, type OpenSite, openState } from "../open.ts";
import { paint, say, sayJson, table } from "../say.ts";

interface ExplainFlags {
  readonly fqan?: string;
  readonly host: string;
  readonly vo?: string;
  readonly ca?: string;
  readonly issuer?: string;
  readonly subject?: string;
  readonly group?: readonly string[];
  readonly scope?: readonly string[];
  readonly unbelieved?: boolean;
  readonly site?: string;
  readonly json?: boolean;
}

interface GumsStep {
  readonly looked: string;
  readonly name: string;
  readonly mapping: string | null;
  readonly holds: boolean;
  readonly says: string;
}

interface SazStep {
  readonly looked: string;
  readonly says: string;
}

export function addExplain(program: Command): void {
  program
    .command("explain")
    .summary("why GUMS and SAZ answer what they answer")
    .description(
      "Asks GUMS and SAZ through their aliases for every rule they look at on the way to their answer. Nothing is given out and nothing is counted as a decision.",
    )
    .argument("[dn]", 'e.g. "/DC=org/DC=fermigrid/OU=People/CN=Alice Example"')
    .option("--fqan <fqan>", "e.g. /fermilab/nova/Role=Production")
    .option("--host <name>", "the host that asks GUMS", "fnpc1.example.org")
    .option("--vo <name>", "for SAZ: the organization")
    .option("--ca <dn>", "for SAZ: who issued the certificate")
    .option("--issuer <url>", "instead of a name: a token of this issuer")
    .option("--subject <sub>", "of the token: its subject")
    .option("--group <group...>", "of the token: its groups, e.g. /fermilab/nova")
    .option("--scope <scope...>", "of the token: its scopes, e.g. compute.create")
    .option("--unbelieved", "as if one asked whose word about FQANs does not count")
    .option("--site <name>", "which site, when several are known")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      '\nExample:\n  domus explain "/DC=org/DC=fermigrid/OU=People/CN=Alice Example" --fqan /fermilab/nova',
    )
    .action(async (dn: string | undefined, flags: ExplainFlags) => {
      const { issuer, subject } = flags;
      if ((dn === undefined) === (issuer === undefined) || (issuer === undefined) !== (subject === undefined))
        throw new Fault("usage.invalid", {
          reason: "expected a name, or --issuer and --subject of a token",
          help: "domus explain --help",
        });
      const who: Words = {
        "subject-x509-id": dn,
        "voms-fqan": flags.fqan,
        "token-issuer": issuer,
        "token-subject": subject,
        "token-group": flags.group,
        "token-scope": flags.scope,
      };
      const open = await openState(chooseSite(flags.site));
      try {
        const gums = await ask(open, "gums", {
          ...who,
          "dns-host-name": flags.host,
          unbelieved: flags.unbelieved ? "1" : undefined,
        });
        const saz = await ask(open, "saz", { ...who, vo: flags.vo, ca: flags.ca });
        if (flags.json) sayJson({ gums, saz });
        else {
          if (gums) showGums(gums.body, flags.host);
          if (saz) showSaz(saz.body);
        }
      } finally {
        await open.close();
      }
    });
}

/** Parameters of a call; what is not given is left out. */
type Words = Readonly<Record<string, string | readonly string[] | undefined>>;

/** @returns `null` when the site has no such service */
async function ask(open: OpenSite, recipe: "gums" | "saz", words: Words): Promise<ServiceAnswer | null> {
  let alias: Awaited<ReturnType<typeof aliasOfRecipe>>;
  try {
    alias = await aliasOfRecipe(open, recipe);
  } catch (error) {
    if (error instanceof Fault && error.code === "alias.unknown") return null;
    throw error;
  }
  const given = Object.entries(words).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): [string, string] => [name, one as string]),
  );
  const query = new URLSearchParams(given).toString().replaceAll("+", "%20");
  const answer = await askThrough(open, alias, "GET", `/${recipe}/json/explain?${query}`);
  requireAnswer(answer);
  return answer;
}

function showGums(body: Readonly<Record<string, unknown>>, host: string): void {
  const steps = (body.steps ?? []) as readonly GumsStep[];
  say(`GUMS, asked for ${host}: ${paint("bold", String(body.says))}`);
  const rows = steps.map(({ looked, name, mapping, holds, says }) => [
    holds ? paint("green", "●") : paint("dim", "○"),
    looked,
    `${name}${mapping === null || mapping === name ? "" : ` (${mapping})`}`,
    says,
  ]);
  for (const line of table(rows)) say(line);
}

function showSaz(body: Readonly<Record<string, unknown>>): void {
  const decision = String(body.decision);
  say(`SAZ: ${paint(decision === "Permit" ? "green" : "red", decision)}: ${body.reason}`);
  for (const line of table(((body.steps ?? []) as readonly SazStep[]).map(({ looked, says }) => [looked, says])))
    say(line);
}
