/**
 * GUMS: who is which account. The policy is the site's and is rendered into `etc/policy.json`; what operators add while it runs
 * (manual mappings) is in the database. Names are brought into normal form here, so that the program compares text with text.
 */
import { formatFqan, normalDn, parseFqan } from "../grid/index.ts";
import type { Recipe } from "./recipe.ts";
import { servedAlias, servedDefinition } from "./serving.ts";
import {
  COMMUNITIES_EXPECTED,
  communitiesOf,
  copyPort,
  type DatabaseAccess,
  databaseAccess,
  directorAddresses,
  isRecord,
  jsonFile,
  onlyKeys,
  orNull,
  readCommunities,
  readList,
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
}

/** `etc/policy.json` of GUMS. */
export interface GumsPolicy {
  /** First host pattern that matches decides which groups are looked at, in which order. `*` stands for any text without `/`, `.` or `=`; alone for any host. */
  readonly hosts: readonly { readonly match: string; readonly use: readonly string[] }[];
  /** With a role: exactly that group and role. Without: the group and all below it, in any role. */
  readonly groups: readonly {
    readonly name: string;
    readonly fqan: string;
    readonly account: string;
    readonly group: string;
  }[];
  /** People by name; looked at before groups, after those in the database. */
  readonly manual: readonly { readonly subject: string; readonly account: string; readonly group: string }[];
}

export const ACCOUNT_PATTERN = /^[a-z_][a-z0-9_-]{0,31}$/;

function isAccount(value: unknown): value is string {
  return typeof value === "string" && ACCOUNT_PATTERN.test(value);
}

const POLICY_EXPECTED =
  '{ hosts: [{ match: "*.example.org", use: [group names] }], groups: [{ name, fqan: /vo/group, account, group }], manual: [{ subject: /DC=…/CN=…, account, group }] }';

/** @returns the policy in normal form, or `null` when it is not one */
export function readGumsPolicy(value: unknown): GumsPolicy | null {
  if (value === undefined) return { hosts: [], groups: [], manual: [] };
  if (!isRecord(value) || !onlyKeys(value, ["hosts", "groups", "manual"])) return null;
  const groups = readList(value.groups, (one) => {
    if (!isRecord(one) || !onlyKeys(one, ["name", "fqan", "account", "group"])) return null;
    const { name, fqan, account, group = account } = one;
    const normal = typeof fqan === "string" ? orNull(() => formatFqan(parseFqan(fqan))) : null;
    if (typeof name !== "string" || name === "" || normal === null || !isAccount(account) || !isAccount(group))
      return null;
    return { name, fqan: normal, account, group };
  });
  const manual = readList(value.manual, (one) => {
    if (!isRecord(one) || !onlyKeys(one, ["subject", "account", "group"])) return null;
    const { subject, account, group = account } = one;
    const normal = typeof subject === "string" ? orNull(() => normalDn(subject)) : null;
    return normal === null || !isAccount(account) || !isAccount(group) ? null : { subject: normal, account, group };
  });
  const names = new Set(groups?.map((group) => group.name));
  const hosts = readList(value.hosts, (one) => {
    if (!isRecord(one) || !onlyKeys(one, ["match", "use"]) || typeof one.match !== "string" || one.match === "")
      return null;
    const use = readList(one.use, (name) => (typeof name === "string" && names.has(name) ? name : null));
    return use === null ? null : { match: one.match, use };
  });
  if (groups === null || manual === null || hosts === null || names.size !== groups.length) return null;
  return { hosts, groups, manual };
}

const PORT = 8443;
const EXAMPLE = encodeURIComponent("/DC=org/DC=fermigrid/OU=People/CN=Alice Example");

export const gums: Recipe = {
  name: "gums",
  title: "GUMS: maps grid identities to accounts",
  defaults: { strategy: "active-active", memory: 3 * 1024 ** 3, cpus: 1, disk: 0, port: PORT },
  settings: {
    policy: {
      expected: `${POLICY_EXPECTED}, each group used by a host being one of groups`,
      accepts: (value) => readGumsPolicy(value) !== null,
    },
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
      database: databaseAccess(context),
      stale: readStale(context.service.settings.stale) ?? STALE_DEFAULT,
    };
    return {
      definition: servedDefinition("gums", port),
      files: [
        jsonFile("etc/gums.json", config),
        jsonFile("etc/policy.json", readGumsPolicy(context.service.settings.policy) ?? readGumsPolicy(undefined)),
      ],
      secrets: [],
    };
  },
  embeddedRefusal: () => null,
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
  ],
};
