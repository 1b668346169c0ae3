/**
 * GUMS: who is which account. The policy is the site's and is rendered into `etc/policy.json`; what operators add while it runs
 * (manual mappings) is in the database. How a policy is spelt and what it means is `src/policy/`.
 */

import { parseDuration } from "../model/index.ts";
import { type GumsPolicy, POLICY_EXPECTED, readGumsPolicy } from "../policy/index.ts";
import { AUDIENCES, audiencesOf, GATEKEEPERS, gatekeepersOf } from "./callers.ts";
import { CREDENTIAL_SETTINGS, type CredentialRule, credentialsOf } from "./credentials.ts";
import { MAPPING_PORT, mappingQuestions } from "./gums-questions.ts";
import type { Recipe } from "./recipe.ts";
import { servedAlias, servedDefinition, xacmlSample } from "./serving.ts";
import {
  AUDIT_DEFAULT,
  AUDIT_EXPECTED,
  type AuditRule,
  COMMUNITIES_EXPECTED,
  communitiesOf,
  copyPort,
  type DatabaseAccess,
  databaseAccess,
  directorAddresses,
  jsonFile,
  readAuditRule,
  readCommunities,
  readStale,
  type ServingConfig,
  STALE_DEFAULT,
  STALE_EXPECTED,
  type StaleRule,
} from "./surroundings.ts";

/** `etc/gums.json` */
export interface GumsConfig extends ServingConfig {
  readonly database: DatabaseAccess | null;
  readonly stale: StaleRule;
  /** Whom is believed about proxies that are checked here; absent: what the recipe does by default. */
  readonly credentials?: CredentialRule;
  /** Patterns of the certificates whose word about FQANs and tokens counts; absent: every guest of the site. */
  readonly gatekeepers?: readonly string[];
  /** Audiences of tokens that are this site's; absent: only those that mean anybody. */
  readonly audiences?: readonly string[];
  /** Seconds between two looks at each VOMS server's list of members. */
  readonly refresh: number;
  readonly audit: AuditRule;
}

/** What the site reader accepted; a policy that it would not have is an empty one: nobody is mapped by mistake. */
function policyOf(setting: unknown): GumsPolicy {
  return readGumsPolicy(setting).policy ?? readGumsPolicy(undefined).policy!;
}

/** The original looked every twelve hours: whoever left an organization was in it until then. */
const REFRESH = "5 min";

/** @returns seconds, or `null` */
function readRefresh(value: unknown): number | null {
  const seconds = typeof value === "string" ? parseDuration(value) : null;
  return seconds !== null && seconds >= 10 && seconds <= 12 * 3600 ? seconds : null;
}

const PORT = 8443;
const EXAMPLE = encodeURIComponent("/DC=org/DC=fermigrid/OU=People/CN=Alice Example");

export const gums: Recipe = {
  name: "gums",
  title: "GUMS: maps grid identities to accounts",
  defaults: { strategy: "active-active", memory: 3 * 1024 ** 3, cpus: 1, disk: 0, port: PORT },
  settings: {
    policy: {
      expected: POLICY_EXPECTED,
      accepts: (value) => readGumsPolicy(value).policy !== undefined,
      mistakes: (value) => readGumsPolicy(value).mistakes ?? [],
    },
    gatekeepers: GATEKEEPERS,
    audiences: AUDIENCES,
    ...CREDENTIAL_SETTINGS,
    refresh: {
      expected: "a duration from 10 s to 12 h, such as 5 min",
      accepts: (value) => readRefresh(value) !== null,
    },
    audit: { expected: AUDIT_EXPECTED, accepts: (value) => readAuditRule(value) !== null },
    communities: { expected: COMMUNITIES_EXPECTED, accepts: (value) => readCommunities(value) !== null },
    stale: { expected: STALE_EXPECTED, accepts: (value) => readStale(value) !== null },
  },
  withoutNeeds: "read-only",
  holders: (_database, copies) => copies,
  alias: (service, { target }) => servedAlias(service, target, PORT),
  render: (context) => {
    const port = copyPort(context.service, context.target, PORT);
    const config: GumsConfig = {
      port,
      directors: directorAddresses(context),
      ...communitiesOf(context.service),
      ...gatekeepersOf(context.service),
      ...audiencesOf(context.service),
      ...credentialsOf(context.service),
      refresh: readRefresh(context.service.settings.refresh ?? REFRESH) ?? 0,
      database: databaseAccess(context),
      stale: readStale(context.service.settings.stale) ?? STALE_DEFAULT,
      audit: readAuditRule(context.service.settings.audit) ?? AUDIT_DEFAULT,
    };
    return {
      definition: servedDefinition("gums", port),
      files: [
        jsonFile("etc/gums.json", config),
        jsonFile("etc/policy.json", policyOf(context.service.settings.policy)),
      ],
      secrets: [],
    };
  },
  embeddedRefusal: () => null,
  questions: ({ settings }) => mappingQuestions(policyOf(settings.policy)),
  samples: [
    {
      kind: "read",
      method: "GET",
      scheme: "https",
      path: `/gums/json/mapGridIdentity?subject-x509-id=${EXAMPLE}&dns-host-name=fnpc1.example.org`,
      body: null,
      statuses: [200],
      contains: '"result"',
    },
    xacmlSample(MAPPING_PORT),
  ],
};
