/** `domus what-if SITE`: what the policy of a changed site file would have answered to what GUMS was asked. Changes nothing. */
import type { Command } from "commander";
import { Fault } from "../../model/index.ts";
import { CHANGES, type Change, type Mapping, type MappingQuestion } from "../../policy/index.ts";
import { aliasOfRecipe, askCopies, type CopyAnswer } from "../calls.ts";
import { chooseSite, openSite, openState } from "../open.ts";
import { complain, paint, say, sayJson, table } from "../say.ts";
import { span } from "../words.ts";

interface WhatIfFlags {
  readonly from?: string;
  readonly to?: string;
  readonly site?: string;
  readonly json?: boolean;
}

interface Answered {
  readonly calls: Readonly<Record<Change, number>>;
  readonly questions: Readonly<Record<Change, number>>;
  readonly examples: readonly {
    readonly question: MappingQuestion;
    readonly before: Mapping;
    readonly after: Mapping;
    readonly count: number;
    readonly change: Change;
  }[];
  readonly more: boolean;
}

/** Seconds a copy has. */
const PATIENCE = 300;
const SHOWN = 20;

export function addWhatIf(program: Command): void {
  program
    .command("what-if")
    .summary("what another mapping policy would have answered")
    .description(
      "Takes the policy of GUMS from a changed site file and asks every copy what it would have answered to the questions of its record. The site stays as it is.",
    )
    .argument("<file>", "the changed site file")
    .option("--from <time>", "questions from this moment on (24 hours when nothing is said)")
    .option("--to <time>", "questions until this moment")
    .option("--site <name>", "which site, when it is not the file's own")
    .option("--json", "for machines")
    .addHelpText("after", "\nExample:\n  domus what-if new-policy.yaml --from 2026-11-19")
    .action(async (file: string, flags: WhatIfFlags) => {
      const site = openSite(file);
      const service = site.services.find((one) => one.recipe === "gums");
      if (service === undefined)
        throw new Fault("usage.invalid", { reason: `${file} has no service with recipe gums` });
      const [from, to] = span(flags, Date.now());
      const open = await openState(chooseSite(flags.site ?? site.name));
      try {
        const alias = await aliasOfRecipe(open, "gums");
        const copies = await askCopies(
          open,
          alias,
          "POST",
          "/gums/json/whatIf",
          { policy: service.settings.policy, from: new Date(from).toISOString(), to: new Date(to).toISOString() },
          PATIENCE,
        );
        report(copies, flags);
      } finally {
        await open.close();
      }
    });
}

function total(answers: readonly Answered[]): Answered {
  const add = (part: "calls" | "questions"): Record<Change, number> =>
    Object.fromEntries(
      CHANGES.map((change) => [change, answers.reduce((sum, one) => sum + one[part][change], 0)]),
    ) as Record<Change, number>;
  const examples = new Map<string, Answered["examples"][number]>();
  for (const example of answers.flatMap((one) => one.examples)) {
    const key = JSON.stringify(example.question);
    const known = examples.get(key);
    examples.set(key, known ? { ...example, count: known.count + example.count } : example);
  }
  return {
    calls: add("calls"),
    questions: add("questions"),
    examples: [...examples.values()].sort((a, b) => b.count - a.count),
    more: answers.some((one) => one.more),
  };
}

function outcome(mapping: Mapping): string {
  if (mapping.outcome === "account")
    return mapping.group === null ? mapping.account : `${mapping.account}:${mapping.group}`;
  if (mapping.outcome === "needs-pool") return `pool ${mapping.pool}`;
  return mapping.outcome === "banned" ? "banned" : "no account";
}

function report(copies: readonly CopyAnswer[], flags: WhatIfFlags): void {
  const refused = copies.find((copy) => copy.answer?.status === 400);
  if (refused) throw new Fault("usage.invalid", { reason: refused.says });
  const heard = copies.filter((copy) => copy.answer?.status === 200);
  const silent = copies.filter((copy) => copy.answer?.status !== 200);
  if (heard.length === 0) throw new Fault("service.unable", { reason: silent[0]?.says ?? "no copy answers" });
  const sum = total(heard.map((copy) => copy.answer!.body as unknown as Answered));
  const changed = CHANGES.filter((change) => change !== "same").reduce((calls, change) => calls + sum.calls[change], 0);
  if (flags.json) sayJson({ ...sum, silent: silent.map(({ guest, says }) => ({ guest, says })) });
  else {
    say(
      changed === 0
        ? sum.calls.same === 0
          ? "GUMS was asked nothing in this time: there is nothing to compare."
          : "Every answer would have been the same."
        : `${changed} ${changed === 1 ? "answer" : "answers"} would have been different.`,
    );
    for (const line of table(
      CHANGES.map((change) => [change, `${sum.calls[change]} calls`, `${sum.questions[change]} different questions`]),
    ))
      say(line);
    for (const line of table(
      sum.examples
        .slice(0, SHOWN)
        .map(({ question, before, after, count, change }) => [
          paint(change === "lost" || change === "gained" ? "yellow" : "bold", change),
          `${count}×`,
          question.subject,
          question.fqan ?? "-",
          question.host,
          `${outcome(before)} → ${outcome(after)}`,
        ]),
    ))
      say(line);
    if (sum.examples.length > SHOWN) say(`  and ${sum.examples.length - SHOWN} more: --json`);
    if (sum.more) say("  the record has more questions than were compared: a shorter time");
  }
  for (const { guest, says } of silent)
    complain(`${paint("yellow", "!")} ${guest} does not answer (${says}): its record is missing here`);
  // That nothing changes can be said only by all of them.
  if (changed > 0 || silent.length > 0) process.exitCode = changed > 0 ? 1 : 3;
}
