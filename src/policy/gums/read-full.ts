/** The full spelling of a policy: every part of the model under its own name, told apart by its keys. */
import type { Path, Reading } from "../reading.ts";
import {
  type AccountMapper,
  FQAN_MATCHES,
  GROUP_ACCESS,
  type GroupToAccount,
  type GumsPolicy,
  type Member,
  type UserGroup,
  type VomsServer,
} from "./model.ts";
import { expandAccounts } from "./pools.ts";
import { hostRules, personEntry } from "./read-parts.ts";

export const FULL_KEYS = ["voms-servers", "user-groups", "account-mappers", "mappings", "hosts", "banned"] as const;

type Fields = Readonly<Record<string, unknown>>;

/** Tells what a thing is by which of these keys it has: exactly one. */
function kindOf<Kind extends string>(
  reading: Reading,
  fields: Fields,
  path: Path,
  kinds: readonly Kind[],
): Kind | null {
  const given = kinds.filter((kind) => kind in fields);
  if (given.length === 1) return given[0]!;
  return reading.say(path, `expected one of the keys ${kinds.join(", ")}, found ${given.join(" and ") || "none"}`);
}

function member(reading: Reading, item: unknown, path: Path): Member | null {
  if (typeof item === "string") {
    const subject = reading.subject(item, path);
    return subject === null ? null : { subject, fqan: null, email: null };
  }
  const one = reading.record(item, path, ["subject", "fqan", "email"], "a name, or { subject, fqan, email }");
  if (one === null) return null;
  const subject = reading.subject(one.subject, [...path, "subject"]);
  const fqan = one.fqan === undefined ? null : reading.fqan(one.fqan, [...path, "fqan"]);
  const email = reading.optionalLine(one, "email", path, "an address in one line", 320);
  return subject === null ? null : { subject, fqan, email };
}

const members = (reading: Reading, value: unknown, path: Path): readonly Member[] =>
  reading.list(value, path, "a list of names", (item, at) => member(reading, item, at));

const GROUP_KEYS = {
  manual: ["manual"],
  voms: ["voms", "role", "match", "without-fqan", "server", "remainder", "members"],
  token: ["token"],
  mapped: ["mapped"],
} as const;
const GROUP_KINDS = ["manual", "voms", "token", "mapped"] as const;

/** Matches that compare a group, and so need one. */
const NEEDS_GROUP = new Set(["exact", "vorole", "vogroup", "vo"]);

interface Known {
  readonly servers: readonly string[];
  readonly mappers: readonly string[];
}

function userGroup(reading: Reading, item: unknown, path: Path, known: Known): UserGroup | null {
  const keys = ["name", "access", "description", ...GROUP_KINDS.flatMap((kind) => GROUP_KEYS[kind])];
  const one = reading.record(item, path, keys, "a group such as { name, voms: /vo/group }");
  if (one === null) return null;
  const name = reading.name(one, path);
  const kind = kindOf(reading, one, path, GROUP_KINDS);
  const base = {
    name: name ?? "",
    description: reading.optionalLine(one, "description", path, "a text in one line"),
    access: reading.choice(one, "access", path, GROUP_ACCESS, "read self") ?? "read self",
  };
  if (kind !== null)
    for (const key of GROUP_KINDS.flatMap((other) => GROUP_KEYS[other].slice(1)))
      if (key in one && !(GROUP_KEYS[kind] as readonly string[]).includes(key))
        reading.say([...path, key], `${key} means nothing for a ${kind} group`, true);
  switch (kind) {
    case "manual":
      return { kind, ...base, members: members(reading, one.manual, [...path, "manual"]) };
    case "mapped": {
      const [mapper] = reading.references([one.mapped], [...path, "mapped"], "account-mappers", known.mappers);
      return mapper === undefined ? null : { kind, ...base, mapper };
    }
    case "voms":
      return vomsGroup(reading, one, path, base, known);
    case "token":
      return tokenGroup(reading, one.token, [...path, "token"], base);
    case null:
      return null;
  }
}

type Base = Pick<UserGroup, "name" | "description" | "access">;

function vomsGroup(reading: Reading, one: Fields, path: Path, base: Base, known: Known): UserGroup {
  const group = one.voms === null ? null : reading.voGroup(one.voms, [...path, "voms"]);
  const role = reading.optionalLine(one, "role", path, "a role", 100);
  if (role !== null && !/^[A-Za-z0-9_.-]+$/.test(role)) reading.expected([...path, "role"], "a role", role);
  const match = reading.choice(one, "match", path, FQAN_MATCHES, role === null ? "vogroup" : "exact") ?? "exact";
  if (one.voms === null && NEEDS_GROUP.has(match))
    reading.expected([...path, "voms"], `a group such as /fermilab/nova (match is ${match})`, null);
  if (match === "role" && role === null) reading.say(path, "role is missing (match is role)");
  const server = reading.optionalLine(one, "server", path, "the name of one of voms-servers");
  if (server !== null) reading.references([server], [...path, "server"], "voms-servers", known.servers);
  return {
    kind: "voms",
    ...base,
    match,
    group,
    role: role === "NULL" ? null : role,
    withoutFqan: reading.flag(one, "without-fqan", path, false),
    server,
    remainder: reading.optionalLine(one, "remainder", path, "a text in one line"),
    members: members(reading, one.members, [...path, "members"]),
  };
}

function tokenGroup(reading: Reading, value: unknown, path: Path, base: Base): UserGroup | null {
  const one = reading.record(value, path, ["issuer", "subject", "group", "scope"], "{ issuer, subject, group, scope }");
  if (one === null) return null;
  const issuer = reading.line(one, "issuer", path, "an address like https://tokens.example.org", 500);
  if (issuer !== null && !/^https:\/\/\S+$/.test(issuer))
    reading.expected([...path, "issuer"], "an address like https://tokens.example.org", issuer);
  const subject = reading.optionalLine(one, "subject", path, "a subject in one line");
  const group = one.group === undefined ? null : reading.voGroup(one.group, [...path, "group"]);
  const scope = reading.optionalLine(one, "scope", path, "one scope such as compute.create");
  if (scope?.includes(" ")) reading.expected([...path, "scope"], "one scope such as compute.create", scope);
  return issuer === null ? null : { kind: "token", ...base, issuer, subject, group, scope };
}

const MAPPER_KEYS = ["name", "description", "group", "account", "people", "pool", "accounts"];
const MAPPER_KINDS = ["account", "people", "pool"] as const;

function accountMapper(reading: Reading, item: unknown, path: Path): AccountMapper | null {
  const one = reading.record(item, path, MAPPER_KEYS, "a mapper such as { name, account }");
  if (one === null) return null;
  const name = reading.name(one, path) ?? "";
  const kind = kindOf(reading, one, path, MAPPER_KINDS);
  const base = {
    name,
    description: reading.optionalLine(one, "description", path, "a text in one line"),
    group: reading.unixGroup(one, path),
  };
  if ("accounts" in one && kind !== null && kind !== "pool")
    reading.say([...path, "accounts"], "accounts means nothing without pool", true);
  switch (kind) {
    case "account": {
      const account = reading.account(one.account, [...path, "account"]);
      return account === null ? null : { kind: "group", ...base, account };
    }
    case "people": {
      const entries = reading.list(
        one.people,
        [...path, "people"],
        "a list of { subject, account, group }",
        (one, at) => personEntry(reading, one, at),
      );
      return { kind: "manual", ...base, entries };
    }
    case "pool": {
      const pool = reading.line(one, "pool", path, "the name of a pool in one line", 100);
      const accounts = reading.list(one.accounts, [...path, "accounts"], "a list such as [nova0001-0500]", (one, at) =>
        typeof one === "string" && expandAccounts(one) !== null
          ? one
          : reading.expected(at, "an account, or a range of equally wide numbers like nova0001-0500", one),
      );
      return pool === null ? null : { kind: "pool", ...base, pool, accounts };
    }
    case null:
      return null;
  }
}

function mapping(
  reading: Reading,
  item: unknown,
  path: Path,
  groups: readonly string[],
  mappers: readonly string[],
): GroupToAccount | null {
  const keys = ["name", "description", "groups", "accounts", "accounting-vo", "accounting-vo-subgroup"];
  const one = reading.record(item, path, keys, "{ name, groups, accounts }");
  if (one === null) return null;
  for (const key of ["groups", "accounts"]) if (!(key in one)) reading.say(path, `${key} is missing`);
  return {
    name: reading.name(one, path) ?? "",
    description: reading.optionalLine(one, "description", path, "a text in one line"),
    userGroups: reading.references(one.groups, [...path, "groups"], "user-groups", groups),
    accountMappers: reading.references(one.accounts, [...path, "accounts"], "account-mappers", mappers),
    accountingVo: reading.optionalLine(one, "accounting-vo", path, "the name of a VO", 100),
    accountingVoSubgroup: reading.optionalLine(one, "accounting-vo-subgroup", path, "the name of a subgroup", 100),
  };
}

function vomsServer(reading: Reading, item: unknown, path: Path): VomsServer | null {
  const one = reading.record(item, path, ["name", "url", "description"], "{ name, url }");
  if (one === null) return null;
  const url = reading.line(one, "url", path, "an address like https://voms.example.org:8443/voms/vo", 500);
  if (url !== null && !/^https:\/\/\S+$/.test(url))
    reading.expected([...path, "url"], "an address like https://voms.example.org:8443/voms/vo", url);
  const description = reading.optionalLine(one, "description", path, "a text in one line");
  return url === null ? null : { name: reading.name(one, path) ?? "", url, description };
}

/** Names as written, read or not: what could not be read can still be named. */
function namesIn(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => {
    const name = one !== null && typeof one === "object" ? (one as Fields).name : null;
    return typeof name === "string" ? [name] : [];
  });
}

/** @returns what could be read; its mistakes are in `reading` */
export function readFull(fields: Fields, reading: Reading): GumsPolicy {
  const part = <Item>(key: string, expected: string, read: (item: unknown, path: Path) => Item | null) => {
    const value = fields[key];
    const names: [string, Path][] = [];
    const items = reading.list(value, [key], expected, (item, path) => {
      const [name] = namesIn([item]);
      if (name !== undefined) names.push([name, path]);
      return read(item, path);
    });
    reading.unique(names);
    return items;
  };
  const groups = namesIn(fields["user-groups"]);
  const mappers = namesIn(fields["account-mappers"]);
  const manual = Array.isArray(fields["account-mappers"])
    ? namesIn((fields["account-mappers"] as unknown[]).filter((one) => one !== null && "people" in Object(one)))
    : [];
  const known: Known = { servers: namesIn(fields["voms-servers"]), mappers: manual };
  return {
    vomsServers: part("voms-servers", "a list of { name, url }", (item, path) => vomsServer(reading, item, path)),
    userGroups: part("user-groups", "a list of groups", (item, path) => userGroup(reading, item, path, known)),
    accountMappers: part("account-mappers", "a list of mappers", (item, path) => accountMapper(reading, item, path)),
    mappings: part("mappings", "a list of { name, groups, accounts }", (item, path) =>
      mapping(reading, item, path, groups, mappers),
    ),
    hosts: hostRules(reading, fields.hosts, namesIn(fields.mappings), "mappings"),
    banned: reading.references(fields.banned, ["banned"], "user-groups", groups),
  };
}
