/**
 * Which copy answers wrongly. What the site file decides is right whoever says it; where records decide too (a person was added, another banned),
 * the copies are compared with each other, and with two of them the site file is the third voice.
 */
import type { Finding } from "../contract.ts";
import type { Answers, Interviewed } from "./interview.ts";

interface Asked {
  readonly part: string;
  readonly guest: string | null;
  readonly alias: { readonly name: string } | null;
  readonly questions: readonly Interviewed[];
  readonly answers: Answers;
}

/** @returns a finding for each copy that says something else than it should, or than the others */
export function judgeAnswers(asked: readonly Asked[]): readonly Finding[] {
  const aliases = new Map<string, Asked[]>();
  for (const one of asked)
    if (one.alias && one.guest !== null) aliases.set(one.alias.name, [...(aliases.get(one.alias.name) ?? []), one]);
  return [...aliases].flatMap(([alias, copies]) =>
    (copies[0]?.questions ?? []).flatMap((question, index) =>
      question.compared ? judgeQuestion(alias, copies, index) : [],
    ),
  );
}

/** Copies have the same questions in the same order. */
function judgeQuestion(alias: string, copies: readonly Asked[], index: number): readonly Finding[] {
  const { asks, right } = copies[0]!.questions[index]!;
  const said = copies.map((copy) => ({ copy, words: wordsOf(copy, index) })).filter(({ words }) => words.length > 0);
  const all = new Set(said.flatMap(({ words }) => words));
  if (all.size === 0 || (all.size === 1 && (right === null || all.has(right)))) return [];
  if (all.size === 1) {
    // All agree against the site file: somebody has recorded something. That is no fault of a copy.
    const says = `every copy says ${quoted([...all])} to ${asks}, the site file makes it ${quoted([right!])}: records may have changed it (domus explain says)`;
    return [{ level: "warning", about: `alias ${alias}`, says }];
  }
  const votes = [...said.flatMap(({ words }) => (words.length === 1 ? words : [])), ...(right === null ? [] : [right])];
  const count = (word: string): number => votes.filter((one) => one === word).length;
  const most = Math.max(...[...all].map(count));
  const leading = [...all].filter((word) => count(word) === most);
  if (leading.length > 1)
    return [
      {
        level: "failed",
        about: `alias ${alias}`,
        says: `copies disagree about ${asks}: ${said.map(({ copy, words }) => `${copy.guest} says ${quoted(words)}`).join(", ")}`,
      },
    ];
  return said
    .filter(({ words }) => words.length > 1 || words[0] !== leading[0])
    .map(({ copy, words }) => ({
      level: "failed",
      about: copy.part,
      says: `${copy.part} answers wrongly: to ${asks} it says ${quoted(words)}, right is ${quoted(leading)}`,
    }));
}

const wordsOf = ({ answers, questions }: Asked, index: number): readonly string[] => [
  ...(answers.get(questions[index]!)?.keys() ?? []),
];

const quoted = (words: readonly string[]): string =>
  words.map((word) => JSON.stringify(word.slice(0, 100))).join(" and ");
