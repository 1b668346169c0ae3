/** GUMS's JSON calls about decisions: `mapGridIdentity` for anyone with a certificate of the site; why, for operators and guests. */
import {
  accountsOf,
  type Decide,
  type explainGums,
  type GumsPolicy,
  identityOf,
  type Mapping,
  type MappingQuestion,
} from "../../src/policy/index.ts";
import { auditCall } from "../audit/index.ts";
import { type DecidingParts, quote, quotedNow } from "../deciding/index.ts";
import { PoolExhausted, type Pools, RecordsError } from "../records/index.ts";
import { type Answer, type Call, errorAnswer, type Handler, json, type Peer } from "../serving/index.ts";
import { type Believes, readQuestion } from "./questions.ts";

export interface GumsParts extends DecidingParts {
  readonly policy: GumsPolicy;
  readonly decide: Decide;
  readonly explain: (question: MappingQuestion) => ReturnType<typeof explainGums>;
  readonly believes: Believes;
  readonly pools: Pick<Pools, "give">;
}

const FAILED: Answer = json(200, { result: "FAILED" });

/** @returns the rule that decided, for the audit record: host, mapping, group, mapper; a name that repeats is said once */
function ruleText({ outcome, rule }: Mapping): string {
  if (outcome === "banned") return `banned group ${rule.userGroup}`;
  const { host, mapping, userGroup, accountMapper } = rule;
  if (host === null) return "no rule for this host";
  const names = [mapping, userGroup, accountMapper].filter((name, at, all) => name !== null && name !== all[at - 1]);
  return names.length === 0 ? `${host}: nobody here` : `${host}: ${names.join(" > ")}`;
}

export function gumsRoutes(parts: GumsParts): Readonly<Record<string, Handler>> {
  const { policy, audit, decide, explain, believes, freshness, pools } = parts;
  const accounts = new Map(
    policy.accountMappers.flatMap((mapper) => (mapper.kind === "pool" ? [[mapper.pool, accountsOf(mapper)]] : [])),
  );

  const answer = (mapping: Mapping, question: MappingQuestion, peer: Peer, from: string, more = ""): Answer => {
    const account = mapping.outcome === "account" ? quote(mapping.account) : "null";
    const { subject, fqan, host, believed, token } = question;
    // What is usual is left out: a record is kept for months.
    const unusual = `${believed ? "" : ',"believed":false'}${token === null ? "" : `,"token":${JSON.stringify(token)}`}${more}`;
    audit.write(
      `{"at":${quotedNow()},"subject":${quote(subject)},"fqan":${fqan === null ? "null" : quote(fqan)},"host":${quote(host)},"account":${account},"rule":${quote(ruleText(mapping))},"asked":${quote(peer.name)},"from":${quote(from)}${unusual}}`,
    );
    if (mapping.outcome !== "account") return FAILED;
    const groupname = mapping.group === null ? "" : `,"groupname":${quote(mapping.group)}`;
    return { status: 200, body: `{"result":"OK","username":${account}${groupname}}` };
  };

  /** The first call of somebody who is to have an account of a pool: it is given out, then the rules are asked again. */
  const givePooled = async (question: MappingQuestion, peer: Peer, from: string): Promise<Answer> => {
    const identity = identityOf(question) ?? question.subject;
    const exhausted = new Set<string>();
    let more = "";
    for (;;) {
      const mapping = decide(question, exhausted);
      if (mapping.outcome !== "needs-pool") return answer(mapping, question, peer, from, more);
      try {
        const given = await pools.give(mapping.pool, identity, accounts.get(mapping.pool) ?? [], peer.name);
        if (given.by !== null) more = `,"given":${quote(given.by)}${given.provisional ? ',"provisional":true' : ""}`;
      } catch (error) {
        if (error instanceof PoolExhausted) {
          parts.log("pool exhausted", { pool: mapping.pool, says: error.message });
          exhausted.add(mapping.pool);
        } else if (error instanceof RecordsError)
          return errorAnswer(
            503,
            `an account of pool ${mapping.pool} is to be given and cannot be now: ${error.message}`,
          );
        else throw error;
      }
    }
  };

  const map = ({ query, peer, from }: Call): Answer | Promise<Answer> => {
    const question = readQuestion(query, believes(peer));
    const now = freshness();
    if (now.state === "stale") return errorAnswer(503, now.says);
    const mapping = decide(question);
    return mapping.outcome === "needs-pool" ? givePooled(question, peer, from) : answer(mapping, question, peer, from);
  };

  const explained = ({ query, peer }: Call): Answer => {
    if (peer.unit === "other") return errorAnswer(403, "rules are explained to operators and guests");
    const question = readQuestion(query, believes(peer) && query.get("unbelieved") === null);
    const { mapping, steps, says } = explain(question);
    return json(200, { result: "OK", ...mapping, says, steps });
  };

  return {
    "GET /gums/json/mapGridIdentity": map,
    "GET /gums/json/explain": explained,
    "GET /gums/json/audit": auditCall(audit, ["account", "subject", "fqan", "host", "asked"]),
    "GET /gums/json/version": () => json(200, { result: "OK", version: "domus", copy: parts.guest.name }),
  };
}
