/** `domus map|authorize|ban|unban|bans`: asks GUMS and SAZ through their aliases, as any client would, with the operator's certificate. */
import type { Command } from "commander";
import { type BlueprintAlias, Fault } from "../../model/index.ts";
import { connector, RequestFailure } from "../../world/index.ts";
import { chooseSite, type OpenSite, openState, rememberedSite } from "../open.ts";
import { paint, say, sayJson } from "../say.ts";

interface IdentityFlags {
  readonly site?: string;
  readonly fqan?: string;
  readonly host?: string;
  readonly vo?: string;
  readonly ca?: string;
  readonly kind?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Milliseconds for one question; the alias may move to the other director meanwhile, so it is asked again until then. */
const BUDGET = 3000;

/** @returns the alias of the first service with this recipe. @throws Fault `alias.unknown` */
export async function aliasOfRecipe(open: OpenSite, recipe: string): Promise<BlueprintAlias> {
  const target = await open.store.target();
  const service = rememberedSite(open).services.find((one) => one.recipe === recipe && one.alias);
  const alias = target?.blueprint.aliases.find((one) => one.service === service?.name);
  if (!alias)
    throw new Fault("alias.unknown", {
      alias: recipe,
      known: target?.blueprint.aliases.map((one) => one.name).join(", ") || "none",
    });
  return alias;
}

/**
 * Asks through an alias, again until the budget is spent: what a client of a site should do.
 * @throws Fault `alias.silent`
 */
export async function askThrough(
  open: OpenSite,
  alias: BlueprintAlias,
  method: "GET" | "POST",
  path: string,
  body: unknown = null,
): Promise<ServiceAnswer> {
  const { operator } = open;
  const deadline = Date.now() + BUDGET;
  let last = "no answer";
  for (let attempt = 0; Date.now() < deadline; attempt++) {
    const one = connector(
      {
        scheme: "https",
        address: alias.address,
        port: alias.port,
        servername: alias.name,
        tls: { ca: operator.authority, cert: operator.certificate, key: operator.key },
        localAddress: null,
        preamble: null,
        connectTimeoutMs: 500,
      },
      false,
    );
    try {
      const answer = await one.ask({
        method,
        path,
        timeoutMs: Math.max(100, deadline - Date.now()),
        ...(body === null ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      return { status: answer.status, body: JSON.parse(answer.body) as Record<string, unknown> };
    } catch (error) {
      if (!(error instanceof RequestFailure) && !(error instanceof SyntaxError)) throw error;
      last = error.message;
      await new Promise((resolve) => setTimeout(resolve, Math.min(400, 25 * 2 ** attempt)));
    } finally {
      one.close();
    }
  }
  throw new Fault("alias.silent", { alias: alias.name, address: `${alias.address}:${alias.port}`, reason: last });
}

async function withSite<T>(flags: IdentityFlags, work: (open: OpenSite) => Promise<T>): Promise<T> {
  const open = await openState(chooseSite(flags.site));
  try {
    return await work(open);
  } finally {
    await open.close();
  }
}

function query(words: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(words).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(given).toString().replaceAll("+", "%20");
}

/** @throws Fault `request.refused` when the service says no in its own words */
function accept(answer: ServiceAnswer): ServiceAnswer {
  if (answer.status >= 400 || answer.body.result === "ERROR")
    throw new Fault("request.refused", {
      reason: String(answer.body.message ?? `status ${answer.status}`),
      remedy: "See domus status.",
    });
  return answer;
}

export function addIdentity(program: Command): void {
  const common = (command: Command): Command =>
    command.option("--site <name>", "which site, when several are known").option("--json", "for machines");
  common(
    program
      .command("map")
      .summary("ask GUMS: which account is this identity?")
      .description("Asks GUMS through its alias.")
      .argument("<dn>", 'e.g. "/DC=org/DC=fermigrid/OU=People/CN=Alice Example"')
      .option("--fqan <fqan>", "e.g. /fermilab/nova/Role=Production")
      .option("--host <name>", "the host that asks", "fnpc1.example.org")
      .addHelpText(
        "after",
        '\nExample:\n  domus map "/DC=org/DC=fermigrid/OU=People/CN=Alice Example" --fqan /fermilab/nova/Role=Production',
      ),
  ).action((dn: string, flags: IdentityFlags) =>
    withSite(flags, async (open) => {
      const words = query({ "subject-x509-id": dn, "voms-fqan": flags.fqan, "dns-host-name": flags.host });
      const { body } = accept(
        await askThrough(open, await aliasOfRecipe(open, "gums"), "GET", `/gums/json/mapGridIdentity?${words}`),
      );
      if (flags.json) sayJson(body);
      else if (body.result === "OK")
        say(`${dn} is ${paint("bold", String(body.username))}${body.groupname ? `, group ${body.groupname}` : ""}`);
      else say(`${dn} has no account here`);
      if (body.result !== "OK") process.exitCode = 1;
    }),
  );
  common(
    program
      .command("authorize")
      .summary("ask SAZ: may this identity use the site?")
      .description("Asks SAZ through its alias.")
      .argument("<dn>", 'e.g. "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example"')
      .option("--vo <name>", "its organization")
      .option("--fqan <fqan>", "its group and role")
      .option("--ca <dn>", "who issued its certificate")
      .addHelpText(
        "after",
        '\nExample:\n  domus authorize "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example" --vo fermilab',
      ),
  ).action((dn: string, flags: IdentityFlags) =>
    withSite(flags, async (open) => {
      const words = query({ "subject-x509-id": dn, vo: flags.vo, "voms-fqan": flags.fqan, ca: flags.ca });
      const { body } = accept(
        await askThrough(open, await aliasOfRecipe(open, "saz"), "GET", `/saz/json/authorize?${words}`),
      );
      if (flags.json) sayJson(body);
      else
        say(
          `${body.decision === "Permit" ? paint("green", "Permit") : paint("red", String(body.decision))}: ${body.reason}`,
        );
      if (body.decision !== "Permit") process.exitCode = 1;
    }),
  );
  for (const action of ["ban", "unban"] as const)
    common(
      program
        .command(action)
        .summary(action === "ban" ? "shut an identity out, on every copy" : "let it in again")
        .description(
          action === "ban"
            ? "Bans by name, organization, role or authority; says which copies have it."
            : "Lifts a ban.",
        )
        .argument("<value>", "a DN, a VO, an FQAN or a CA's DN")
        .option("--kind <kind>", "dn, vo, role or ca", "dn")
        .option("--reason <text>", "kept with the ban", "by hand")
        .addHelpText("after", `\nExample:\n  domus ${action} "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example"`),
    ).action((value: string, flags: IdentityFlags) =>
      withSite(flags, async (open) => {
        const { body } = accept(
          await askThrough(open, await aliasOfRecipe(open, "saz"), "POST", `/saz/json/${action}`, {
            [flags.kind ?? "dn"]: value,
            reason: flags.reason,
          }),
        );
        if (flags.json) sayJson(body);
        else
          say(
            `${value} is ${action === "ban" ? paint("red", "banned") : "no longer banned"}${copiesText(body.copies)}`,
          );
      }),
    );
  common(
    program
      .command("bans")
      .summary("every ban in force")
      .description("Lists the bans in force.")
      .addHelpText("after", "\nExample:\n  domus bans --json"),
  ).action((flags: IdentityFlags) =>
    withSite(flags, async (open) => {
      const { body } = accept(await askThrough(open, await aliasOfRecipe(open, "saz"), "GET", "/saz/json/bans"));
      if (flags.json) sayJson(body);
      else {
        const bans = (body.bans ?? []) as readonly {
          readonly kind: string;
          readonly value: string;
          readonly reason?: string;
        }[];
        if (bans.length === 0) say("Nobody is banned.");
        for (const ban of bans) say(`${ban.kind}  ${ban.value}${ban.reason ? `  (${ban.reason})` : ""}`);
      }
    }),
  );
}

/** @returns which copies already act on it, when the service says so. */
function copiesText(copies: unknown): string {
  if (!Array.isArray(copies)) return "";
  const words = (copies as readonly { readonly guest?: string; readonly has?: boolean; readonly says?: string }[]).map(
    (copy) => `${copy.guest} ${copy.has ? "has it" : `has it not yet${copy.says ? ` (${copy.says})` : ""}`}`,
  );
  return words.length > 0 ? `: ${words.join(", ")}` : "";
}
