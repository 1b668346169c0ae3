/** One decision of SAZ, whatever the call came as: refuse when the copy is stale, judge, remember who came, write the record. */
import type { SazDecision, SazQuestion } from "../../src/policy/index.ts";
import { type DecidingParts, quote, quotedNow } from "../deciding/index.ts";
import { type Call, Refusal } from "../http/index.ts";
import type { SeenValues } from "./seen.ts";

export interface JudgingParts extends DecidingParts {
  readonly seen: SeenValues;
  readonly decide: (question: SazQuestion) => SazDecision;
}

/**
 * @param dialect what the question came as; `null` for JSON
 * @throws {Refusal} 503 when the copy may not decide
 */
export type Judge = (question: SazQuestion, call: Pick<Call, "peer" | "from">, dialect: string | null) => SazDecision;

export function compileJudging({ audit, seen, decide, freshness }: JudgingParts): Judge {
  return (question, { peer, from }, dialect) => {
    const now = freshness();
    if (now.state === "stale") throw new Refusal(503, now.says);
    const decided = decide(question);
    seen.look(question, peer.name);
    const { subject, vo, fqans, believed, ca, token } = question;
    // What is usual is left out: a record is kept for months.
    const spoken = `${believed ? "" : ',"believed":false'}${token === null ? "" : `,"token":${JSON.stringify(token)}`}${dialect === null ? "" : `,"dialect":${quote(dialect)}`}`;
    audit.write(
      `{"at":${quotedNow()},"subject":${quote(subject)},"vo":${vo === null ? "null" : quote(vo)},"fqans":[${fqans.map(quote).join()}],"ca":${ca === null ? "null" : quote(ca)},"decision":"${decided.decision}","reason":${quote(decided.reason)},"asked":${quote(peer.name)},"from":${quote(from)}${spoken}}`,
    );
    return decided;
  };
}
