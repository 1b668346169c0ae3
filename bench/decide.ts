/**
 * How long one mapping decision takes inside the process: 500 groups in one host rule, 10,000 people, each with an FQAN. Median of five
 * rounds over all people, after one that warms up. Run by `bin/node bench/decide.ts`.
 */
import { compileGums, EMPTY_STATE, type MappingQuestion, readGumsPolicy, stateOf } from "../src/policy/index.ts";
import { median, verdict } from "./verdict.ts";

const PROMISE_MICROSECONDS = 5;
const GROUPS = 500;
const PEOPLE = 10_000;

const numbers = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);
const personName = (index: number): string => `/DC=org/DC=example/OU=People/CN=Person ${index}`;
const role = (index: number): string | null => (index % 2 === 0 ? null : "Production");

/** @returns a policy as a site file spells it */
function largePolicy(): unknown {
  const names = numbers(GROUPS).map((index) => `group-${index}`);
  return {
    "user-groups": names.map((name, index) => {
      const voms = `/vo${index % 20}/group${index}`;
      return role(index) === null ? { name, voms } : { name, voms, role: role(index) };
    }),
    "account-mappers": [
      {
        name: "people",
        people: numbers(PEOPLE / 2).map((index) => ({ subject: personName(2 * index), account: `p${index}` })),
      },
      ...names.map((name, index) => ({ name, account: `a${index}` })),
    ],
    mappings: names.map((name) => ({ name, groups: [name], accounts: ["people", name] })),
    hosts: [{ match: "*.example.org", use: names }],
  };
}

if (import.meta.main) {
  const { policy } = readGumsPolicy(largePolicy());
  if (policy === undefined) throw new Error("the policy of this benchmark is none");
  const decide = compileGums(policy, stateOf(EMPTY_STATE));
  const questions = numbers(PEOPLE).map((index): MappingQuestion => {
    const group = index % GROUPS;
    const fqan = `/vo${group % 20}/group${group}${role(group) === null ? "/deeper" : `/Role=${role(group)}`}`;
    return { subject: personName(index), fqan, believed: true, host: `node${index % 200}.example.org`, token: null };
  });
  const rounds = numbers(6).map(() => {
    const began = performance.now();
    for (const question of questions)
      if (decide(question).outcome !== "account") throw new Error("nobody is nobody here");
    return ((performance.now() - began) * 1000) / questions.length;
  });
  const microseconds = median(rounds.slice(1));
  console.log(
    `a decision among ${GROUPS} groups and ${PEOPLE} people: ${microseconds.toFixed(2)} µs  ${verdict(microseconds, PROMISE_MICROSECONDS, "µs")}`,
  );
}
