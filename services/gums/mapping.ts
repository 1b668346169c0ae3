/**
 * One decision of GUMS, whatever the call came as: refuse when the copy is stale, ask the rules, give out a pool's account where one is due,
 * write the record. JSON and SOAP differ in what they read and in what they answer, and in nothing between.
 */
import {
  accountsOf,
  type Decide,
  type GumsPolicy,
  identityOf,
  type Mapping,
  type MappingQuestion,
} from "../../src/policy/index.ts";
import { type DecidingParts, quote, quotedNow } from "../deciding/index.ts";
import { type Call, Refusal } from "../http/index.ts";
import { PoolExhausted, type Pools, RecordsError } from "../records/index.ts";

export interface MappingParts extends DecidingParts {
  readonly policy: GumsPolicy;
  readonly decide: Decide;
  readonly pools: Pick<Pools, "give">;
}

/** A decision that is one: an account, or none. */
export type Mapped = Exclude<Mapping, { readonly outcome: "needs-pool" }>;

/**
 * @param dialect what the question came as; `null` for JSON
 * @throws {Refusal} 503 when the copy may not decide, or an account of a pool cannot be given now
 */
export type MapIdentity = (
  question: MappingQuestion,
  call: Pick<Call, "peer" | "from">,
  dialect: string | null,
) => Mapped | Promise<Mapped>;

/** @returns the rule that decided, for the audit record: host, mapping, group, mapper; a name that repeats is said once */
function ruleText({ outcome, rule }: Mapped): string {
  if (outcome === "banned") return `banned group ${rule.userGroup}`;
  const { host, mapping, userGroup, accountMapper } = rule;
  if (host === null) return "no rule for this host";
  const names = [mapping, userGroup, accountMapper].filter((name, at, all) => name !== null && name !== all[at - 1]);
  return names.length === 0 ? `${host}: nobody here` : `${host}: ${names.join(" > ")}`;
}

export function compileMapping(parts: MappingParts): MapIdentity {
  const { policy, audit, decide, freshness, pools } = parts;
  const accounts = new Map(
    policy.accountMappers.flatMap((mapper) => (mapper.kind === "pool" ? [[mapper.pool, accountsOf(mapper)]] : [])),
  );

  const record = (
    mapping: Mapped,
    question: MappingQuestion,
    { peer, from }: Pick<Call, "peer" | "from">,
    more: string,
  ): Mapped => {
    const account = mapping.outcome === "account" ? quote(mapping.account) : "null";
    const { subject, fqan, host, believed, token } = question;
    // What is usual is left out: a record is kept for months.
    const unusual = `${believed ? "" : ',"believed":false'}${token === null ? "" : `,"token":${JSON.stringify(token)}`}${more}`;
    audit.write(
      `{"at":${quotedNow()},"subject":${quote(subject)},"fqan":${fqan === null ? "null" : quote(fqan)},"host":${quote(host)},"account":${account},"rule":${quote(ruleText(mapping))},"asked":${quote(peer.name)},"from":${quote(from)}${unusual}}`,
    );
    return mapping;
  };

  /** The first call of somebody who is to have an account of a pool: it is given out, then the rules are asked again. */
  const givePooled = async (
    question: MappingQuestion,
    call: Pick<Call, "peer" | "from">,
    spoken: string,
  ): Promise<Mapped> => {
    const identity = identityOf(question) ?? question.subject;
    const exhausted = new Set<string>();
    let more = spoken;
    for (;;) {
      const mapping = decide(question, exhausted);
      if (mapping.outcome !== "needs-pool") return record(mapping, question, call, more);
      try {
        const given = await pools.give(mapping.pool, identity, accounts.get(mapping.pool) ?? [], call.peer.name);
        if (given.by !== null)
          more = `${spoken},"given":${quote(given.by)}${given.provisional ? ',"provisional":true' : ""}`;
      } catch (error) {
        if (error instanceof PoolExhausted) {
          parts.log("pool exhausted", { pool: mapping.pool, says: error.message });
          exhausted.add(mapping.pool);
        } else if (error instanceof RecordsError)
          throw new Refusal(
            503,
            `an account of pool ${mapping.pool} is to be given and cannot be now: ${error.message}`,
          );
        else throw error;
      }
    }
  };

  return (question, call, dialect) => {
    const now = freshness();
    if (now.state === "stale") throw new Refusal(503, now.says);
    const spoken = dialect === null ? "" : `,"dialect":${quote(dialect)}`;
    const mapping = decide(question);
    return mapping.outcome === "needs-pool"
      ? givePooled(question, call, spoken)
      : record(mapping, question, call, spoken);
  };
}
