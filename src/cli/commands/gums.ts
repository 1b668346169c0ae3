/** `domus gums …`: what operators keep in GUMS while it runs, and policies in and out of `gums.config`. */
import { type Command, Option } from "commander";
import { aliasOfRecipe, askThrough, requireAnswer } from "../calls.ts";
import { chooseSite, openState } from "../open.ts";
import { paint, say, sayJson, table } from "../say.ts";
import { addConfigCommands } from "./gums-config.ts";

interface GumsFlags {
  readonly fqan?: string;
  readonly email?: string;
  readonly group?: string;
  readonly mapper?: string;
  readonly reason: string;
  readonly site?: string;
  readonly json?: boolean;
}

type Body = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, string | null | undefined>>;

/** One command: which call it makes, with what, and how its answer is told. */
interface Operation {
  readonly name: string;
  readonly arguments: readonly (readonly [string, string])[];
  readonly options: readonly (readonly [string, string])[];
  readonly summary: string;
  readonly example: string;
  readonly call: "manualMapper" | "userGroup" | "poolMapper";
  readonly body: (words: readonly string[], flags: GumsFlags) => Body;
  readonly tell: (answer: Body, words: readonly string[]) => void;
}

const DN = "/DC=org/DC=fermigrid/OU=People/CN=Alice Example";
const WHY: readonly [string, string] = ["--reason <text>", "kept with the change"];

/** Prints rows of a list as a table. */
function rows(items: unknown, nothing: string, cells: (row: Row) => readonly (string | null | undefined)[]): void {
  const list = (items ?? []) as readonly Row[];
  if (list.length === 0) say(nothing);
  for (const line of table(list.map((row) => cells(row).map((cell) => cell || "-")))) say(line);
}

const OPERATIONS: readonly Operation[] = [
  {
    name: "accounts",
    arguments: [],
    options: [],
    summary: "people who have an account of their own",
    example: "accounts --json",
    call: "manualMapper",
    body: () => ({ action: "list" }),
    tell: ({ mappings }) =>
      rows(mappings, "Nobody has an account of his own.", (row) => [
        paint("bold", row.account ?? ""),
        row.subject,
        row.group,
        row.mapper,
        row.from === "policy" ? "site file" : `${row.actor}, ${row.at}`,
        row.reason,
      ]),
  },
  {
    name: "add-account",
    arguments: [
      ["<dn>", `e.g. "${DN}"`],
      ["<account>", "e.g. alice"],
    ],
    options: [
      ["--group <name>", "Unix group (the account's name when nothing is said)"],
      ["--mapper <name>", "of this manual mapper"],
      WHY,
    ],
    summary: "give a person an account, before all groups",
    example: `add-account "${DN}" alice`,
    call: "manualMapper",
    body: ([subject, account], flags) => ({
      action: "add",
      subject,
      account,
      reason: flags.reason,
      ...(flags.group === undefined ? {} : { group: flags.group }),
      ...(flags.mapper === undefined ? {} : { mapper: flags.mapper }),
    }),
    tell: (_answer, [subject, account]) =>
      say(`${subject} is ${paint("bold", account ?? "")} from now on, on every copy.`),
  },
  {
    name: "remove-account",
    arguments: [["<dn>", `e.g. "${DN}"`]],
    options: [["--mapper <name>", "of this manual mapper"], WHY],
    summary: "take a person's own account back",
    example: `remove-account "${DN}"`,
    call: "manualMapper",
    body: ([subject], flags) => ({
      action: "remove",
      subject,
      reason: flags.reason,
      ...(flags.mapper === undefined ? {} : { mapper: flags.mapper }),
    }),
    tell: (_answer, [subject]) => say(`${subject} has no account of his own any more; groups may still give one.`),
  },
  {
    name: "members",
    arguments: [["[group]", "of this user group"]],
    options: [],
    summary: "who is in the user groups, by name",
    example: "members banned",
    call: "userGroup",
    body: ([group]) => ({ action: "list", ...(group === undefined ? {} : { group }) }),
    tell: ({ members }) =>
      rows(members, "Nobody is in a group by name.", (row) => [
        paint("bold", row.group ?? ""),
        row.subject,
        row.fqan,
        row.from === "policy" ? "site file" : `${row.actor}, ${row.at}`,
        row.reason,
      ]),
  },
  {
    name: "add-member",
    arguments: [
      ["<group>", "a user group of the policy"],
      ["<dn>", `e.g. "${DN}"`],
    ],
    options: [["--fqan <fqan>", "only with this group and role"], ["--email <address>", "kept with the member"], WHY],
    summary: "put a person into a user group",
    example: `add-member staff "${DN}"`,
    call: "userGroup",
    body: ([group, subject], { fqan = "", email = "", reason }) => ({
      action: "add",
      group,
      subject,
      fqan,
      email,
      reason,
    }),
    tell: (_answer, [group, subject]) => say(`${subject} is in ${paint("bold", group ?? "")}, on every copy.`),
  },
  {
    name: "remove-member",
    arguments: [
      ["<group>", "a user group of the policy"],
      ["<dn>", `e.g. "${DN}"`],
    ],
    options: [["--fqan <fqan>", "the membership with this group and role"], WHY],
    summary: "take a person out of a user group",
    example: `remove-member staff "${DN}"`,
    call: "userGroup",
    body: ([group, subject], { fqan = "", reason }) => ({ action: "remove", group, subject, fqan, reason }),
    tell: (_answer, [group, subject]) => say(`${subject} is not in ${group} any more.`),
  },
  {
    name: "pools",
    arguments: [["[pool]", "of this pool"]],
    options: [],
    summary: "which pool account belongs to whom",
    example: "pools nova",
    call: "poolMapper",
    body: ([pool]) => ({ action: "list", ...(pool === undefined ? {} : { pool }) }),
    tell: ({ accounts, pools }) =>
      rows(
        accounts,
        (pools as readonly string[] | undefined)?.length ? "No account was given out yet." : "The policy has no pools.",
        (row) => [paint("bold", row.account ?? ""), row.subject, row.pool, row.state, row.at],
      ),
  },
  {
    name: "release",
    arguments: [
      ["<pool>", "the pool"],
      ["<account>", "e.g. nova0001"],
    ],
    options: [WHY],
    summary: "end a pool account; nobody else gets it",
    example: "release nova nova0001",
    call: "poolMapper",
    body: ([pool, account], { reason }) => ({ action: "release", pool, account, reason }),
    tell: (_answer, [, account]) =>
      say(`${account} is given to nobody again; whoever had it gets another one when he comes next.`),
  },
];

async function run(operation: Operation, words: readonly string[], flags: GumsFlags): Promise<void> {
  const open = await openState(chooseSite(flags.site));
  try {
    const alias = await aliasOfRecipe(open, "gums");
    const body = requireAnswer(
      await askThrough(open, alias, "POST", `/gums/json/${operation.call}`, operation.body(words, flags)),
      (status) => (status === 409 ? "See domus gums members, accounts or pools." : "See domus status."),
    );
    if (flags.json) sayJson(body);
    else operation.tell(body, words);
  } finally {
    await open.close();
  }
}

export function addGums(program: Command): void {
  const gums = program
    .command("gums")
    .summary("people, groups and pool accounts of GUMS; gums.config in and out")
    .description(
      "What operators keep in GUMS while it runs. Rules stand in the site file; these are the names they speak of.",
    )
    .addHelpText(
      "after",
      `\nExamples:\n  domus gums add-account "${DN}" alice\n  domus gums import gums.config > policy.yaml`,
    );
  addConfigCommands(gums);
  for (const operation of OPERATIONS) {
    const command = gums
      .command(operation.name)
      .summary(operation.summary)
      .description(`${operation.summary[0]!.toUpperCase()}${operation.summary.slice(1)}.`);
    for (const [name, says] of operation.arguments) command.argument(name, says);
    for (const [name, says] of operation.options)
      command.addOption(
        name.startsWith("--reason") ? new Option(name, says).default("by hand") : new Option(name, says),
      );
    command
      .option("--site <name>", "which site, when several are known")
      .option("--json", "for machines")
      .addHelpText("after", `\nExample:\n  domus gums ${operation.example}`)
      .action((...given: unknown[]) => {
        const words = given
          .slice(0, operation.arguments.length)
          .filter((one): one is string => typeof one === "string");
        return run(operation, words, given[operation.arguments.length] as GumsFlags);
      });
  }
}
