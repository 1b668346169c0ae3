/**
 * The `policy` setting of a site file becomes a policy. Two spellings: the full one has every part by name (`read-full.ts`); the short one,
 * for sites whose groups are FQANs and whose people are a list, is unfolded into the same parts here.
 */
import type { SettingMistake } from "../../model/index.ts";
import { type Path, Reading } from "../reading.ts";
import type { AccountMapper, GroupToAccount, GumsPolicy, HostRule, UserGroup } from "./model.ts";
import { checkPools } from "./pools.ts";
import { FULL_KEYS, readFull } from "./read-full.ts";
import { hostRules, personEntry } from "./read-parts.ts";

export type PolicyReading =
  | { readonly policy: GumsPolicy; readonly mistakes?: never }
  | { readonly policy?: never; readonly mistakes: readonly SettingMistake[] };

const SHORT_KEYS = ["hosts", "groups", "manual"] as const;

/** Mapping, mapper and group of the people in a short spelling's `manual` and in the database. */
export const PEOPLE = "people";

export const POLICY_EXPECTED =
  "{ hosts: [{ match, use }], groups: [{ name, fqan, account, group }], manual: [{ subject, account, group }] } or the full spelling { user-groups, account-mappers, mappings, hosts, … }";

/**
 * @param value what YAML gave; `undefined` is a policy that maps people of the database and no host
 * @returns the policy in normal form, or every mistake with the way to it
 */
export function readGumsPolicy(value: unknown): PolicyReading {
  const reading = new Reading();
  const policy = read(value === undefined ? {} : value, reading);
  return policy === null || reading.mistakes.length > 0 ? { mistakes: reading.mistakes } : { policy };
}

function read(value: unknown, reading: Reading): GumsPolicy | null {
  const known = [...new Set([...SHORT_KEYS, ...FULL_KEYS])];
  const fields = reading.record(value, [], known, POLICY_EXPECTED);
  if (fields === null) return null;
  const full = FULL_KEYS.some((key) => key !== "hosts" && key in fields);
  if (!full) return readShort(fields, reading);
  for (const [short, instead] of [
    ["groups", "user-groups"],
    ["manual", "account-mappers: [{ name, people: [...] }]"],
  ] as const)
    if (short in fields)
      reading.say([short], `${short} belongs to the short spelling: beside the other keys write ${instead}`, true);
  const policy = readFull(fields, reading);
  // Places in the list are those of the file only when everything in it could be read.
  if (reading.mistakes.length === 0) checkPools(policy, (index) => ["account-mappers", index], reading);
  return policy;
}

interface ShortGroup {
  readonly name: string;
  readonly userGroup: UserGroup;
  readonly mapper: AccountMapper;
}

function readShort(fields: Readonly<Record<string, unknown>>, reading: Reading): GumsPolicy {
  const named: [string, Path][] = [];
  const groups = reading.list(
    fields.groups,
    ["groups"],
    "a list of groups such as { name, fqan, account, group }",
    (item, path): ShortGroup | null => {
      const one = reading.record(item, path, ["name", "fqan", "account", "group"], "{ name, fqan, account, group }");
      if (one === null) return null;
      const name = reading.name(one, path);
      if (name === PEOPLE) reading.say([...path, "name"], `${PEOPLE} is the name of those in manual: take another`);
      if (name !== null) named.push([name, path]);
      const fqan = reading.fqan(one.fqan, [...path, "fqan"]);
      const account = reading.account(one.account, [...path, "account"]);
      const group = reading.unixGroup(one, path) ?? account;
      if (name === null || fqan === null || account === null) return null;
      const [voGroup, role = null] = fqan.split("/Role=");
      return {
        name,
        userGroup: {
          kind: "voms",
          name,
          description: null,
          access: "read self",
          match: role === null ? "vogroup" : "exact",
          group: voGroup!,
          role,
          withoutFqan: false,
          server: null,
          remainder: null,
          members: [],
        },
        mapper: { kind: "group", name, description: null, account, group },
      };
    },
  );
  reading.unique(named);
  const entries = reading.list(fields.manual, ["manual"], "a list of { subject, account, group }", (item, path) => {
    const entry = personEntry(reading, item, path);
    return entry && { ...entry, group: entry.group ?? entry.account };
  });
  const mapping = (name: string): GroupToAccount => ({
    name,
    description: null,
    userGroups: [name],
    accountMappers: [name],
    accountingVo: null,
    accountingVoSubgroup: null,
  });
  // A group that could not be read is still one that a host may name.
  const known = named.map(([name]) => name);
  const hosts = hostRules(reading, fields.hosts, known, "groups").map(
    (rule): HostRule => ({ ...rule, mappings: [PEOPLE, ...rule.mappings] }),
  );
  return {
    banned: [],
    vomsServers: [],
    userGroups: [
      { kind: "mapped", name: PEOPLE, description: null, access: "read self", mapper: PEOPLE },
      ...groups.map((one) => one.userGroup),
    ],
    accountMappers: [
      { kind: "manual", name: PEOPLE, description: null, group: null, entries },
      ...groups.map((one) => one.mapper),
    ],
    mappings: [PEOPLE, ...groups.map((one) => one.name)].map(mapping),
    hosts,
  };
}
