/** The compiled policy against the slow reference, and the explained one against both. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileGums, explainGums } from "../../src/policy/index.ts";
import { difference, randomCase } from "./random.ts";
import { referenceMapping } from "./reference.ts";

test("1,000 random policies, 200 questions each: the compiled policy answers as the reference does", () => {
  assert.equal(difference(compileGums, 1000, 200), null);
});

test("every outcome and every kind of rule comes up often", () => {
  const outcomes = new Map<string, number>();
  for (let seed = 1; seed <= 300; seed++) {
    const { policy, state, questions } = randomCase(seed, 50);
    for (const { question, exhausted } of questions) {
      const { outcome, rule } = referenceMapping(policy, state, question, exhausted);
      const kind = policy.userGroups.find((one) => one.name === rule.userGroup)?.kind ?? "no group";
      const key = `${outcome}, ${kind}`;
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
    }
  }
  for (const outcome of ["account", "needs-pool", "banned"])
    for (const kind of ["manual", "mapped", "voms", "token"])
      assert.ok(
        (outcomes.get(`${outcome}, ${kind}`) ?? 0) >= 10,
        `${outcome}, ${kind}: ${JSON.stringify([...outcomes])}`,
      );
});

test("the explanation ends as the decision does, and its last step is what decided", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { policy, state, questions } = randomCase(seed, 40);
    const decide = compileGums(policy, state);
    for (const { question, exhausted } of questions) {
      const { mapping, steps, says } = explainGums(policy, state, question, exhausted);
      assert.deepEqual(mapping, decide(question, exhausted));
      assert.ok(says.length > 5);
      const last = steps.at(-1);
      if (mapping.outcome === "account" || mapping.outcome === "needs-pool")
        assert.deepEqual([last?.looked, last?.name, last?.holds], ["account mapper", mapping.rule.accountMapper, true]);
      if (mapping.outcome === "banned")
        assert.deepEqual([last?.looked, last?.name, last?.holds], ["banned group", mapping.rule.userGroup, true]);
    }
  }
});
