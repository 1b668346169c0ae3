/** SAZ: permit or deny. The default is the site file's; bans are events in the database, in force from each copy's memory. */
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
  orNull,
  readCommunities,
  readList,
  readStale,
  type ServingConfig,
  STALE_DEFAULT,
  STALE_EXPECTED,
  type StaleRule,
} from "./surroundings.ts";

/** What can be banned or permitted: a person, a VO, a role (any FQAN), an authority. */
export const SAZ_KINDS = ["dn", "vo", "role", "ca"] as const;
export type SazKind = (typeof SAZ_KINDS)[number];

export interface SazEntry {
  readonly kind: SazKind;
  /** In normal form. */
  readonly value: string;
}

/** `etc/saz.json` */
export interface SazConfig extends ServingConfig {
  readonly database: DatabaseAccess | null;
  readonly stale: StaleRule;
  /** The other copies, who are asked whether they have a ban. */
  readonly copies: readonly { readonly guest: string; readonly address: string }[];
}

/** `etc/policy.json` of SAZ. */
export interface SazPolicy {
  /** For whom no ban and no permit speaks. */
  readonly default: "permit" | "deny";
  /** Permitted where the default is deny; a ban is always stronger. */
  readonly permit: readonly SazEntry[];
}

const NORMAL_FORMS: Readonly<Record<SazKind, (value: string) => string>> = {
  dn: normalDn,
  ca: normalDn,
  role: (value) => formatFqan(parseFqan(value)),
  vo: (value) => {
    if (!/^[A-Za-z0-9_.-]{1,255}$/.test(value)) throw new TypeError("expected a VO's name");
    return value;
  },
};

/**
 * @returns the value in the form by which it is compared
 * @throws when it is not a value of this kind
 */
export function normalSazValue(kind: SazKind, value: string): string {
  return NORMAL_FORMS[kind](value);
}

/** @returns `{ dn: … }` and the like as an entry, or `null` */
export function readSazEntry(value: unknown): SazEntry | null {
  if (!isRecord(value)) return null;
  const [named, ...more] = Object.entries(value);
  const kind = SAZ_KINDS.find((one) => one === named?.[0]);
  if (named === undefined || more.length > 0 || kind === undefined || typeof named[1] !== "string") return null;
  const text = named[1];
  const normal = orNull(() => normalSazValue(kind, text));
  return normal === null ? null : { kind, value: normal };
}

const PORT = 8443;
const EXAMPLE = encodeURIComponent("/DC=org/DC=fermigrid/OU=People/CN=Alice Example");

export const saz: Recipe = {
  name: "saz",
  title: "SAZ: says who may use the site",
  defaults: { strategy: "active-active", memory: 3 * 1024 ** 3, cpus: 1, disk: 0, port: PORT },
  settings: {
    default: { expected: "permit or deny", accepts: (value) => value === "permit" || value === "deny" },
    permit: {
      expected: "a list of { dn: /DC=…/CN=… }, { vo: name }, { role: /vo/group/Role=role } or { ca: /DC=…/CN=… }",
      accepts: (value) => readList(value, readSazEntry) !== null,
    },
    communities: { expected: COMMUNITIES_EXPECTED, accepts: (value) => readCommunities(value) !== null },
    stale: { expected: STALE_EXPECTED, accepts: (value) => readStale(value) !== null },
  },
  withoutNeeds: "read-only",
  holders: (_database, copies) => copies,
  alias: (service, { target }) => servedAlias(service, target, PORT),
  render: (context) => {
    const port = copyPort(context.service, context.target, PORT);
    const { settings } = context.service;
    const config: SazConfig = {
      port,
      directors: directorAddresses(context),
      ...communitiesOf(context.service),
      database: databaseAccess(context),
      stale: readStale(settings.stale) ?? STALE_DEFAULT,
      copies: context.copies.map((seat) => ({ guest: seat.name, address: seat.address })),
    };
    const policy: SazPolicy = {
      default: settings.default === "deny" ? "deny" : "permit",
      permit: readList(settings.permit, readSazEntry) ?? [],
    };
    return {
      definition: servedDefinition("saz", port),
      files: [jsonFile("etc/saz.json", config), jsonFile("etc/policy.json", policy)],
      secrets: [],
    };
  },
  embeddedRefusal: () => null,
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
