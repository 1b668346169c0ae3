/** The `vos` setting of a site file becomes definitions, or every mistake in it at its own place. */
import { parseDuration, type SettingMistake } from "../model/index.ts";
import { type Fields, type Path, Reading } from "../policy/index.ts";
import type { Institution, NamedMember, VoDefinition, VoRules } from "./definition.ts";

export type VosReading =
  | { readonly vos: readonly VoDefinition[]; readonly mistakes?: never }
  | { readonly vos?: never; readonly mistakes: readonly SettingMistake[] };

export const VOS_EXPECTED =
  "a list of virtual organizations such as { name: fermilab, groups: [/fermilab/nova], roles: [Production] }";

const DAY = 86_400;
const KEYS = [
  "name",
  "title",
  "groups",
  "roles",
  "managers",
  "rules",
  "institutions",
  "membership",
  "notices",
  "issuers",
  "lifetime",
  "members",
];
const MOST_VOS = 32;
/** Characters of the rules people sign: a long one has 20,000. */
const LONGEST_RULES = 100_000;
/** What one organization has when the file is silent. */
const OTHERWISE = { membership: 365 * DAY, notices: [30 * DAY, 7 * DAY, DAY], lifetime: DAY, grace: 14 * DAY } as const;

/**
 * @param value what YAML gave; silence is no organization
 * @returns the definitions in the order of the file, or every mistake
 */
export function readVos(value: unknown): VosReading {
  const reading = new Reading();
  const named: [string, Path][] = [];
  const vos = reading.list(value, [], VOS_EXPECTED, (item, path) => {
    const vo = readVo(item, path, reading);
    if (vo !== null) named.push([vo.name, path]);
    return vo;
  });
  reading.unique(named);
  if (vos.length > MOST_VOS) reading.say([], `expected at most ${MOST_VOS} organizations, found ${vos.length}`);
  return reading.mistakes.length > 0 ? { mistakes: reading.mistakes } : { vos };
}

function readVo(item: unknown, path: Path, reading: Reading): VoDefinition | null {
  const one = reading.record(item, path, KEYS, "an organization such as { name: fermilab, groups: [/fermilab/nova] }");
  if (one === null) return null;
  const name = nameOfVo(one, path, reading);
  const groups = readGroups(one, path, name, reading);
  const roles = reading.list(one.roles, [...path, "roles"], "a list of roles such as Production", (role, at) =>
    typeof role === "string" && /^[A-Za-z0-9_.-]{1,64}$/.test(role) && role !== "NULL"
      ? role
      : reading.expected(at, "a role such as Production", role),
  );
  const duration = (key: string, otherwise: number, least: number): number =>
    readDuration(one, key, path, least, reading) ?? otherwise;
  const issuers = reading.list(one.issuers, [...path, "issuers"], "a list of issuers of tokens", (issuer, at) =>
    typeof issuer === "string" && /^https:\/\/[^\s"<>]{1,490}$/.test(issuer)
      ? issuer
      : reading.expected(at, "an address like https://tokens.example.org", issuer),
  );
  const definition = {
    title: reading.optionalLine(one, "title", path, "a title in one line", 200) ?? name ?? "",
    groups,
    roles: [...new Set(roles)],
    managers: names(one, "managers", path, reading),
    rules: one.rules === undefined ? null : readRules(one.rules, [...path, "rules"], reading),
    institutions: readInstitutions(one, path, reading),
    membership: one.membership === "forever" ? null : duration("membership", OTHERWISE.membership, DAY),
    notices: readNotices(one, path, reading),
    issuers,
    lifetime: duration("lifetime", OTHERWISE.lifetime, 60),
    members: readMembers(one, path, groups, roles, reading),
  };
  return name === null ? null : { name, ...definition };
}

function nameOfVo(one: Fields, path: Path, reading: Reading): string | null {
  const { name } = one;
  if (name === undefined) return reading.say(path, "name is missing");
  // What an FQAN's part, a host name's part in `vo://host:port` and a directory can be called.
  return typeof name === "string" && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name)
    ? name
    : reading.expected([...path, "name"], "a name of letters, digits, dots, dashes such as fermilab", name);
}

/** Parents are there by themselves. */
function readGroups(one: Fields, path: Path, name: string | null, reading: Reading): readonly string[] {
  const given = reading.list(
    one.groups,
    [...path, "groups"],
    "a list of groups such as /fermilab/nova",
    (group, at) => {
      const read = reading.voGroup(group, at);
      if (read === null || name === null || read === `/${name}` || read.startsWith(`/${name}/`)) return read;
      return reading.expected(at, `a group of ${name} such as /${name}/analysis`, group);
    },
  );
  const all = new Set<string>(name === null ? [] : [`/${name}`]);
  for (const group of given) {
    const parts = group.slice(1).split("/");
    for (let length = 1; length <= parts.length; length++) all.add(`/${parts.slice(0, length).join("/")}`);
  }
  return [...all];
}

function names(one: Fields, key: string, path: Path, reading: Reading): readonly string[] {
  return reading.list(one[key], [...path, key], "a list of names such as /DC=org/CN=Alice", (name, at) =>
    reading.subject(name, at),
  );
}

function readDuration(one: Fields, key: string, path: Path, least: number, reading: Reading): number | null {
  const value = one[key];
  if (value === undefined) return null;
  const seconds = typeof value === "string" ? parseDuration(value) : null;
  if (seconds !== null && seconds >= least) return seconds;
  return reading.expected(
    [...path, key],
    `a time of ${least / DAY >= 1 ? "a day" : "a minute"} or more, such as 365 days`,
    value,
  );
}

function readRules(value: unknown, path: Path, reading: Reading): VoRules | null {
  const one = reading.record(value, path, ["version", "text", "every", "grace"], "{ version, text, every, grace }");
  if (one === null) return null;
  const given = typeof one.version === "number" ? String(one.version) : one.version;
  const version = reading.line({ ...one, version: given }, "version", path, "a version such as 2.1", 40);
  const { text } = one;
  if (
    typeof text !== "string" ||
    text.trim() === "" ||
    text.length > LONGEST_RULES ||
    /\p{Cc}/u.test(text.replace(/[\n\t]/g, ""))
  )
    return reading.expected([...path, "text"], `the rules, at most ${LONGEST_RULES} characters`, text);
  const every = one.every === "never" ? null : (readDuration(one, "every", path, DAY, reading) ?? 365 * DAY);
  const grace = one.grace === "none" ? 0 : (readDuration(one, "grace", path, 60, reading) ?? OTHERWISE.grace);
  return version === null ? null : { version, text: text.trimEnd(), every, grace };
}

function readInstitutions(one: Fields, path: Path, reading: Reading): readonly Institution[] {
  const named: [string, Path][] = [];
  const list = reading.list(
    one.institutions,
    [...path, "institutions"],
    "a list of institutions such as { name: Fermilab, representatives: [/DC=org/CN=Rita] }",
    (item, at): Institution | null => {
      const entry = reading.record(item, at, ["name", "representatives", "until"], "{ name, representatives, until }");
      if (entry === null) return null;
      const name = reading.line(entry, "name", at, "a name in one line", 200);
      if (name !== null) named.push([name, at]);
      const until = readDay(entry.until, [...at, "until"], reading);
      return name === null ? null : { name, representatives: names(entry, "representatives", at, reading), until };
    },
  );
  reading.unique(named);
  return list;
}

/** The last moment of a day, UTC. */
function readDay(value: unknown, path: Path, reading: Reading): number | null {
  if (value === undefined) return null;
  const text = value instanceof Date ? value.toISOString().slice(0, 10) : value;
  const day =
    typeof text === "string" && /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T23:59:59Z`) : Number.NaN;
  return Number.isNaN(day) ? reading.expected(path, "a day such as 2027-06-30", value) : day;
}

function readNotices(one: Fields, path: Path, reading: Reading): readonly number[] {
  if (one.notices === undefined) return OTHERWISE.notices;
  const at = [...path, "notices"];
  const given = reading.list(one.notices, at, "a list of times such as [30 days, 7 days]", (item, place) => {
    const seconds = typeof item === "string" ? parseDuration(item) : null;
    return seconds !== null && seconds > 0 ? seconds : reading.expected(place, "a time such as 30 days", item);
  });
  return [...new Set(given)].sort((a, b) => b - a);
}

function readMembers(
  one: Fields,
  path: Path,
  groups: readonly string[],
  roles: readonly string[],
  reading: Reading,
): readonly NamedMember[] {
  const expected = "a list of members such as { subject: /DC=org/CN=Alice, fqans: [/fermilab/nova] }";
  const seen = new Set<string>();
  return reading.list(one.members, [...path, "members"], expected, (item, at): NamedMember | null => {
    const entry = reading.record(
      item,
      at,
      ["subject", "issuer", "fqans", "email"],
      "{ subject, issuer, fqans, email }",
    );
    if (entry === null) return null;
    const subject = reading.subject(entry.subject, [...at, "subject"]);
    const issuer = entry.issuer === undefined ? null : reading.subject(entry.issuer, [...at, "issuer"]);
    const email = reading.optionalLine(entry, "email", at, "an address in one line", 255);
    const fqans = reading.list(entry.fqans, [...at, "fqans"], "a list of groups and roles", (fqan, place) => {
      const read = reading.fqan(fqan, place);
      if (read === null) return null;
      const [group = "", role] = read.split("/Role=");
      if (!groups.includes(group)) return reading.say(place, `groups has no ${group}`);
      if (role !== undefined && !roles.includes(role)) return reading.say(place, `roles has no ${role}`);
      return read;
    });
    if (subject === null) return null;
    if (seen.has(subject)) reading.say([...at, "subject"], `${subject} is given twice`);
    seen.add(subject);
    return { subject, issuer, fqans, email };
  });
}
