/** `domus map|authorize|ban|unban|bans|seen`: asks GUMS and SAZ through their aliases, as any client would. */
import { type Command, Option } from "commander";
import { type BlueprintAlias, Fault } from "../../model/index.ts";
import { SAZ_KINDS } from "../../policy/index.ts";
import { aliasOfRecipe, askThrough, requireAnswer, type ServiceAnswer } from "../calls.ts";
import { readCredential } from "../credential.ts";
import { chooseSite, type OpenSite, openState, readText } from "../open.ts";
import { complain, formatMilliseconds, paint, say, sayJson, table } from "../say.ts";

interface IdentityFlags {
  readonly site?: string;
  readonly fqan?: string;
  readonly token?: string;
  readonly credential?: string;
  readonly host?: string;
  readonly vo?: string;
  readonly ca?: string;
  readonly kind?: string;
  readonly issuer?: string;
  readonly subject?: string;
  readonly scope?: string;
  readonly reason?: string;
  readonly json?: boolean;
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

function common(command: Command): Command {
  return command.option("--site <name>", "which site, when several are known").option("--json", "for machines");
}

/** @throws {Fault} unless exactly one of the ways to say who it is was taken */
function requireOne(command: string, dn: string | undefined, { token, credential }: IdentityFlags): void {
  if ([dn, token, credential].filter((one) => one !== undefined).length !== 1)
    throw new Fault("usage.invalid", {
      reason: "expected a name, --token or --credential, one of them",
      help: `domus ${command} --help`,
    });
}

function readToken(path: string): string {
  return readText(path === "-" ? "/dev/stdin" : path).text.trim();
}

/** Asks about a name, the holder of a token, or a proxy: each has its call. @throws {Fault} */
async function askAbout(
  open: OpenSite,
  alias: BlueprintAlias,
  { token, credential, host }: IdentityFlags,
  paths: { readonly name: string; readonly token: string; readonly credential: string },
): Promise<ServiceAnswer["body"]> {
  if (token !== undefined)
    return requireAnswer(await askThrough(open, alias, "POST", paths.token, { token: readToken(token), host }));
  if (credential === undefined) return requireAnswer(await askThrough(open, alias, "GET", paths.name));
  const chain = readCredential(credential);
  return requireAnswer(await askThrough(open, alias, "POST", paths.credential, { chain, host }));
}

export function addMap(program: Command): void {
  common(
    program
      .command("map")
      .summary("ask GUMS: which account is this identity?")
      .description("Asks GUMS through its alias.")
      .argument("[dn]", 'e.g. "/DC=org/DC=fermigrid/OU=People/CN=Alice Example"')
      .option("--fqan <fqan>", "e.g. /fermilab/nova/Role=Production")
      .option("--token <file>", "instead of a name: the holder of the token in this file (- is the standard input)")
      .option("--credential <file>", "instead of a name: the proxy in this file; its private key is not sent")
      .option("--host <name>", "the host that asks", "fnpc1.example.org")
      .addHelpText(
        "after",
        '\nExample:\n  domus map "/DC=org/DC=fermigrid/OU=People/CN=Alice Example" --fqan /fermilab/nova/Role=Production',
      ),
  ).action((dn: string | undefined, flags: IdentityFlags) =>
    withSite(flags, async (open) => {
      requireOne("map", dn, flags);
      const alias = await aliasOfRecipe(open, "gums");
      const words = query({ "subject-x509-id": dn, "voms-fqan": flags.fqan, "dns-host-name": flags.host });
      const body = await askAbout(open, alias, flags, {
        name: `/gums/json/mapGridIdentity?${words}`,
        token: "/gums/json/mapToken",
        credential: "/gums/json/mapCredential",
      });
      const who = dn ?? (flags.token === undefined ? String(body.subject) : "The holder of this token");
      if (flags.json) sayJson(body);
      else if (body.result === "OK")
        say(`${who} is ${paint("bold", String(body.username))}${body.groupname ? `, group ${body.groupname}` : ""}`);
      else say(`${who} has no account here`);
      if (body.result !== "OK") process.exitCode = 1;
    }),
  );
}

export function addAuthorize(program: Command): void {
  common(
    program
      .command("authorize")
      .summary("ask SAZ: may this identity use the site?")
      .description("Asks SAZ through its alias.")
      .argument("[dn]", 'e.g. "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example"')
      .option("--token <file>", "instead of a name: the holder of the token in this file (- is the standard input)")
      .option("--credential <file>", "instead of a name: the proxy in this file; its private key is not sent")
      .option("--vo <name>", "its organization")
      .option("--fqan <fqan>", "its group and role")
      .option("--ca <dn>", "who issued its certificate")
      .addHelpText(
        "after",
        '\nExample:\n  domus authorize "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example" --vo fermilab',
      ),
  ).action((dn: string | undefined, flags: IdentityFlags) =>
    withSite(flags, async (open) => {
      requireOne("authorize", dn, flags);
      const alias = await aliasOfRecipe(open, "saz");
      const words = query({ "subject-x509-id": dn, vo: flags.vo, "voms-fqan": flags.fqan, ca: flags.ca });
      const body = await askAbout(open, alias, flags, {
        name: `/saz/json/authorize?${words}`,
        token: "/saz/json/authorizeToken",
        credential: "/saz/json/authorizeCredential",
      });
      if (flags.json) sayJson(body);
      else
        say(
          `${body.decision === "Permit" ? paint("green", "Permit") : paint("red", String(body.decision))}: ${body.reason}`,
        );
      if (body.decision !== "Permit") process.exitCode = 1;
    }),
  );
}

export const addBan = (program: Command): void => addBanAction(program, "ban");
export const addUnban = (program: Command): void => addBanAction(program, "unban");

function addBanAction(program: Command, action: "ban" | "unban"): void {
  common(
    program
      .command(action)
      .summary(action === "ban" ? "shut an identity out, on every copy" : "let it in again")
      .description(
        action === "ban"
          ? "Bans by name, organization, role or authority, or the holders of tokens; says which copies have it."
          : "Lifts a ban.",
      )
      .argument("[value]", "a DN, a VO, an FQAN or a CA's DN")
      .addOption(new Option("--kind <kind>", "what the value is (default: dn)").choices(SAZ_KINDS))
      .option("--issuer <url>", "instead of a value: tokens of this issuer")
      .option("--subject <sub>", "of those, the tokens of this subject")
      .option("--scope <scope>", "of those, the tokens with this scope")
      .option("--reason <text>", "kept with the ban", "by hand")
      .addHelpText("after", `\nExample:\n  domus ${action} "/DC=org/DC=fermigrid/OU=People/CN=Mallory Example"`),
  ).action((value: string | undefined, flags: IdentityFlags) =>
    withSite(flags, async (open) => {
      const { issuer, subject, scope } = flags;
      const ofToken = [issuer, subject, scope].some((one) => one !== undefined);
      if ((value === undefined) !== ofToken || (ofToken && (issuer === undefined || flags.kind !== undefined)))
        throw new Fault("usage.invalid", {
          reason: "expected a value, or --issuer (with --subject or --scope where not all of its tokens are meant)",
          help: `domus ${action} --help`,
        });
      const target = value === undefined ? { issuer, subject, scope } : { [flags.kind ?? "dn"]: value };
      const who = value ?? ["tokens of", issuer, subject, scope].filter((one) => one !== undefined).join(" ");
      const alias = await aliasOfRecipe(open, "saz");
      const began = performance.now();
      const body = requireAnswer(
        await askThrough(open, alias, "POST", `/saz/json/${action}`, {
          ...target,
          reason: flags.reason,
        }),
      );
      const took = formatMilliseconds(performance.now() - began);
      if (flags.json) sayJson(body);
      else
        say(
          `${who} ${action === "ban" ? `is ${paint("red", "banned")}` : body.was === false ? "was not banned" : "is no longer banned"}${copiesText(body.copies)} (${took})`,
        );
    }),
  );
}

export function addBans(program: Command): void {
  common(
    program
      .command("bans")
      .summary("every ban in force")
      .description("Lists the bans in force.")
      .addHelpText("after", "\nExample:\n  domus bans --json"),
  ).action((flags: IdentityFlags) =>
    withSite(flags, async (open) => {
      const body = requireAnswer(await askThrough(open, await aliasOfRecipe(open, "saz"), "GET", "/saz/json/bans"));
      if (flags.json) sayJson(body);
      else {
        const bans = (body.bans ?? []) as readonly {
          readonly kind: string;
          readonly value: string;
          readonly reason?: string;
        }[];
        if (bans.length === 0) say("Nobody is banned.");
        for (const ban of bans) say(`${ban.kind}  ${ban.value}${ban.reason ? `  (${ban.reason})` : ""}`);
        if (body.state !== "ok")
          complain(
            `${paint("yellow", "!")} the copy that answers has not seen its database for ${body.freshnessSeconds ?? "?"} s: there may be others`,
          );
      }
    }),
  );
}

export function addSeen(program: Command): void {
  common(
    program
      .command("seen")
      .summary("who and what SAZ was asked about")
      .description("Lists everybody and everything that SAZ was ever asked about.")
      .addOption(new Option("--kind <kind>", "only these").choices(SAZ_KINDS))
      .addHelpText("after", "\nExample:\n  domus seen --kind vo"),
  ).action((flags: IdentityFlags) =>
    withSite(flags, async (open) => {
      const body = requireAnswer(await askThrough(open, await aliasOfRecipe(open, "saz"), "GET", "/saz/json/seen"));
      const all = (body.seen ?? []) as readonly {
        readonly kind: string;
        readonly value: string;
        readonly at: string;
      }[];
      const seen = all.filter((one) => flags.kind === undefined || one.kind === flags.kind);
      if (flags.json) sayJson({ ...body, seen });
      else {
        if (seen.length === 0) say("SAZ was asked about nobody yet.");
        for (const line of table(seen.map(({ kind, value, at }) => [kind, value, `first seen ${at}`]))) say(line);
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
