/**
 * `POST /gums/json/whatIf`: what another policy would have answered to the questions of this copy's record. Asked of each copy, because
 * each has its own record; what the database knows (members, accounts, pools) is as it is now, for both policies.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  comparePolicies,
  compileGums,
  type GumsPolicy,
  type GumsState,
  type MappingQuestion,
  readGumsPolicy,
} from "../../src/policy/index.ts";
import { type AuditRecord, type DecisionRecord, searchAudit } from "../audit/index.ts";
import { type Handler, json, moment, oneAtATime, Refusal, readJson, requireOperator } from "../http/index.ts";

/** Different questions one comparison looks at; a site's day has some ten thousand. */
const QUESTIONS = 200_000;
/** Characters of them all: names may be long, and whoever may ask GUMS could have filled its memory with them. */
const CHARACTERS = 32 * 1024 * 1024;
/** Questions in one turn of the loop: decisions come first. */
const AT_ONCE = 200;
const EXAMPLES = 100;

/** @returns the question a record answers, or `null` when it records something else */
function questionOf(record: AuditRecord): MappingQuestion | null {
  const { subject, host, fqan = null, believed = true, token = null } = record;
  if (typeof subject !== "string" || typeof host !== "string" || record.rule === undefined) return null;
  return { subject, host, fqan, believed, token } as MappingQuestion;
}

/** @param present the policy in force */
export function whatIfCall(
  audit: Pick<DecisionRecord, "directory" | "flush">,
  present: GumsPolicy,
  state: GumsState,
  limits = { questions: QUESTIONS, characters: CHARACTERS },
): Handler {
  const inTurn = oneAtATime("policies are being compared");
  return async ({ peer, request }) => {
    requireOperator(peer, "compare policies");
    return inTurn(async () => {
      const body = await readJson(request);
      const [from, to] = [moment(body.from, "from"), moment(body.to, "to")];
      const reading = readGumsPolicy(body.policy);
      if (reading.policy === undefined) {
        const [first] = reading.mistakes;
        throw new Refusal(400, `policy.${first?.path.join(".")}: ${first?.says}`);
      }
      audit.flush();
      let characters = 0;
      const asked = new Map<string, { readonly question: MappingQuestion; count: number }>();
      const found = await searchAudit(audit.directory, { from, to, equal: {} }, (record) => {
        const question = questionOf(record);
        if (question === null) return true;
        const key = JSON.stringify([question.subject, question.fqan, question.host, question.believed, question.token]);
        const known = asked.get(key);
        if (known) known.count++;
        else {
          asked.set(key, { question, count: 1 });
          characters += key.length;
        }
        return asked.size < limits.questions && characters < limits.characters;
      });
      const comparison = comparePolicies(compileGums(present, state), compileGums(reading.policy, state), EXAMPLES);
      let taken = 0;
      for (const record of asked.values()) {
        comparison.take(record);
        if (++taken % AT_ONCE === 0) await nextTurn();
      }
      return json(200, { result: "OK", oldest: found.oldest, more: found.more, ...comparison.result() });
    });
  };
}
