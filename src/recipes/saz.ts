/** SAZ: permit or deny. The default is the site file's; bans are events in the database, in force from each copy's memory. */

import type { Service, SettingMistake } from "../model/index.ts";
import { compileSaz, isIssuer, OPEN_SAZ, readSazEntry, type SazEntry, type SazPolicy } from "../policy/index.ts";
import { AUDIENCES, audiencesOf, GATEKEEPERS, gatekeepersOf } from "./callers.ts";
import { CREDENTIAL_SETTINGS, type CredentialRule, credentialsOf } from "./credentials.ts";
import type { Question, Recipe } from "./recipe.ts";
import { answerField, servedAlias, servedDefinition, xacmlQuestion, xacmlSample } from "./serving.ts";
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
  readList,
  readStale,
  type ServingConfig,
  STALE_DEFAULT,
  STALE_EXPECTED,
  type StaleRule,
} from "./surroundings.ts";

/** `etc/saz.json` */
export interface SazConfig extends ServingConfig {
  readonly database: DatabaseAccess | null;
  readonly stale: StaleRule;
  readonly audit: AuditRule;
  /** Whom is believed about proxies that are checked here; absent: what the recipe does by default. */
  readonly credentials?: CredentialRule;
  /** Patterns of the certificates whose word about FQANs and tokens counts; absent: every guest of the site. */
  readonly gatekeepers?: readonly string[];
  /** Issuers of tokens that are looked at at all; absent: none. */
  readonly issuers?: readonly string[];
  /** Audiences of tokens that are this site's; absent: only those that mean anybody. */
  readonly audiences?: readonly string[];
  /** The other copies, who are asked whether they have a ban. */
  readonly copies: readonly { readonly guest: string; readonly address: string }[];
}

const ENTRIES_EXPECTED =
  "a list of { dn: /DC=…/CN=… }, { vo: name }, { role: /vo/group/Role=role }, { ca: /DC=…/CN=… }, { issuer: https://… }, { issuer, subject } or { issuer, scope }";
const ISSUERS_EXPECTED = "a list of issuers of tokens such as https://tokens.example.org";

/** What is wrong with a list of issuers, each at its place. */
function issuerMistakes(value: unknown): readonly SettingMistake[] {
  if (!Array.isArray(value)) return [{ path: [], says: `expected ${ISSUERS_EXPECTED}` }];
  return value.flatMap((one: unknown, index) =>
    isIssuer(one) ? [] : [{ path: [index], says: "expected an issuer of tokens such as https://tokens.example.org" }],
  );
}

/** Those that are listed, and those that a permit names: what is permitted must be looked at. */
function issuersOf(listed: unknown, permit: readonly SazEntry[]): readonly string[] {
  const named = permit.flatMap(({ kind, value }) =>
    kind === "issuer" || kind === "token" || kind === "scope" ? [value.split(" ")[0]!] : [],
  );
  return [...new Set([...(Array.isArray(listed) ? listed.filter(isIssuer) : []), ...named])];
}

const PORT = 8443;
const EXAMPLE = encodeURIComponent("/DC=org/DC=fermigrid/OU=People/CN=Alice Example");

function policyOf(settings: Service["settings"]): SazPolicy {
  return {
    default: settings.default === "deny" ? "deny" : OPEN_SAZ.default,
    withoutVo: settings["without-vo"] === "deny" ? "deny" : OPEN_SAZ.withoutVo,
    permit: readList(settings.permit, readSazEntry) ?? [],
    deny: readList(settings.deny, readSazEntry) ?? [],
  };
}

const DECISION_PORT = "/saz/services/SAZXACMLAuthorizationServicePort";
/** Somebody whom nobody has a reason to ban: what the site file makes of him is what every copy must say. */
const STRANGER = "/DC=org/DC=domus/OU=Acceptance/CN=Nobody";

/** By the site file: somebody in no list, and one who is denied for good. */
function decisionQuestions(policy: SazPolicy): readonly Question[] {
  const decide = compileSaz(policy, () => undefined);
  const denied = policy.deny.find(({ kind }) => kind === "dn")?.value;
  const questions = [STRANGER, ...(denied === undefined ? [] : [denied])].map((subject): Question => {
    const asked = { subject, vo: "fermilab", fqans: [], believed: true, ca: null, token: null };
    const words = new URLSearchParams({ "subject-x509-id": subject, vo: "fermilab" });
    return {
      request: {
        kind: "read",
        method: "GET",
        scheme: "https",
        path: `/saz/json/authorize?${words}`,
        body: null,
        statuses: [200],
        contains: '"decision"',
      },
      asks: `whether ${subject} may use the site`,
      reads: (body) => answerField(body, "decision") ?? "no decision",
      right: decide(asked).decision,
    };
  });
  const host = "fnpc1.example.org";
  const asks = `whether ${STRANGER} may use the site, by XACML`;
  return [...questions, xacmlQuestion(DECISION_PORT, { subject: STRANGER, host, fqans: [] }, asks)];
}

export const saz: Recipe = {
  name: "saz",
  title: "SAZ: says who may use the site",
  defaults: { strategy: "active-active", memory: 3 * 1024 ** 3, cpus: 1, disk: 0, port: PORT },
  settings: {
    default: { expected: "permit or deny", accepts: (value) => value === "permit" || value === "deny" },
    "without-vo": {
      expected: "default (judged like anybody) or deny (unless permitted by name)",
      accepts: (value) => value === "default" || value === "deny",
    },
    permit: { expected: ENTRIES_EXPECTED, accepts: (value) => readList(value, readSazEntry) !== null },
    deny: { expected: ENTRIES_EXPECTED, accepts: (value) => readList(value, readSazEntry) !== null },
    gatekeepers: GATEKEEPERS,
    issuers: {
      expected: ISSUERS_EXPECTED,
      accepts: (value) => issuerMistakes(value).length === 0,
      mistakes: issuerMistakes,
    },
    audiences: AUDIENCES,
    ...CREDENTIAL_SETTINGS,
    audit: { expected: AUDIT_EXPECTED, accepts: (value) => readAuditRule(value) !== null },
    communities: { expected: COMMUNITIES_EXPECTED, accepts: (value) => readCommunities(value) !== null },
    stale: { expected: STALE_EXPECTED, accepts: (value) => readStale(value) !== null },
  },
  withoutNeeds: "read-only",
  holders: (_database, copies) => copies,
  alias: (service, { target }) => servedAlias(service, target, PORT),
  render: (context) => {
    const port = copyPort(context.service, context.target, PORT);
    const { settings } = context.service;
    const policy = policyOf(settings);
    const issuers = issuersOf(settings.issuers, policy.permit);
    const config: SazConfig = {
      port,
      directors: directorAddresses(context),
      ...communitiesOf(context.service),
      ...gatekeepersOf(context.service),
      ...(issuers.length === 0 ? {} : { issuers }),
      ...audiencesOf(context.service),
      ...credentialsOf(context.service),
      database: databaseAccess(context),
      stale: readStale(settings.stale) ?? STALE_DEFAULT,
      audit: readAuditRule(settings.audit) ?? AUDIT_DEFAULT,
      copies: context.copies.map((seat) => ({ guest: seat.name, address: seat.address })),
    };
    return {
      definition: servedDefinition("saz", port),
      files: [jsonFile("etc/saz.json", config), jsonFile("etc/policy.json", policy)],
      secrets: [],
    };
  },
  embeddedRefusal: () => null,
  questions: ({ settings }) => decisionQuestions(policyOf(settings)),
  samples: [
    {
      kind: "read",
      method: "GET",
      scheme: "https",
      path: `/saz/json/authorize?subject-x509-id=${EXAMPLE}&vo=fermilab`,
      body: null,
      statuses: [200],
      contains: '"decision"',
    },
    xacmlSample(DECISION_PORT),
    {
      kind: "write",
      method: "POST",
      scheme: "https",
      path: "/saz/json/unban",
      body: JSON.stringify({ dn: "/DC=org/DC=domus/OU=Load/CN=Nobody", reason: "load test" }),
      statuses: [200],
      contains: '"result":"OK"',
    },
  ],
};
