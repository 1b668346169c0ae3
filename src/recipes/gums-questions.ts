/** What is asked of GUMS to see whether a copy decides as the site file says: people with an account of their own, and groups with one for all. */
import { compileGums, EMPTY_STATE, type GumsPolicy, type MappingQuestion, stateOf } from "../policy/index.ts";
import type { Question } from "./recipe.ts";
import { answerField, xacmlQuestion } from "./serving.ts";

export const MAPPING_PORT = "/gums/services/GUMSXACMLAuthorizationServicePort";

/** More would say no more about a copy, and a policy may have thousands. */
const MOST = 6;
/** Somebody who is in no list: whom a group's account is asked for. */
const STRANGER = "/DC=org/DC=domus/OU=Acceptance/CN=Nobody";
const HOST = "fnpc1.example.org";

interface Asked {
  readonly subject: string;
  readonly fqan: string | null;
}

/** Candidates in the policy's order: its people, its groups, and nobody at all. */
function candidates({ accountMappers, userGroups }: GumsPolicy): readonly Asked[] {
  const people = accountMappers.flatMap((mapper) =>
    mapper.kind === "manual" ? mapper.entries.slice(0, 2).map(({ subject }) => ({ subject, fqan: null })) : [],
  );
  const groups = userGroups.flatMap((group) =>
    group.kind === "voms" && group.group !== null
      ? [{ subject: STRANGER, fqan: `${group.group}${group.role === null ? "" : `/Role=${group.role}`}` }]
      : [],
  );
  return [...people.slice(0, 2), ...groups.slice(0, MOST - 3), { subject: STRANGER, fqan: null }];
}

/**
 * @returns questions whose answers the policy alone decides. Those that would give an account of a pool away are left out: asking must change nothing.
 */
export function mappingQuestions(policy: GumsPolicy): readonly Question[] {
  const decide = compileGums(policy, stateOf(EMPTY_STATE));
  return candidates(policy).flatMap(({ subject, fqan }) => {
    const question: MappingQuestion = { subject, fqan, believed: true, host: HOST, token: null };
    const mapping = decide(question);
    if (mapping.outcome === "needs-pool") return [];
    const right = mapping.outcome === "account" ? mapping.account : "no account";
    const who = fqan === null ? subject : `${subject} as ${fqan}`;
    const words = new URLSearchParams({
      "subject-x509-id": subject,
      "dns-host-name": HOST,
      ...(fqan === null ? {} : { "voms-fqan": fqan }),
    });
    const json: Question = {
      request: {
        kind: "read",
        method: "GET",
        scheme: "https",
        path: `/gums/json/mapGridIdentity?${words}`,
        body: null,
        statuses: [200],
        contains: '"result"',
      },
      asks: `the account of ${who}`,
      reads: (body) => answerField(body, "username") ?? "no account",
      right,
    };
    const fqans = fqan === null ? [] : [fqan];
    const xacml = xacmlQuestion(MAPPING_PORT, { subject, host: HOST, fqans }, `the account of ${who}, by XACML`);
    // By XACML there is no answer without an account but a no.
    return [json, { ...xacml, right: mapping.outcome === "account" ? `Permit as ${right}` : null }];
  });
}
