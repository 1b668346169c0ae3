/** From what vomsd should know to the rows of its tables. Pure but for the numbers, which are given elsewhere. */
import type { VomsdRows } from "../../../src/vo/index.ts";
import type { Cell, WantedTable } from "./schema.ts";

/** Everything that has a number, by kind and name. */
export function thingsOf(rows: VomsdRows): readonly string[] {
  const names = new Set(
    [...rows.attributes.values(), ...rows.people.map((one) => one.attributes)].flatMap((of) => [...of.keys()]),
  );
  return [
    ...new Set(rows.certificates.map((one) => thing.ca(one.authority))),
    ...rows.people.map((one) => thing.person(one.person)),
    ...rows.certificates.map((one) => thing.certificate(one.authority, one.subject)),
    ...rows.groups.map(thing.group),
    ...rows.roles.map(thing.role),
    ...rows.people.flatMap((one) => one.places.map((fqan) => thing.membership(one.person, fqan))),
    ...[...names].map(thing.attribute),
  ];
}

const thing = {
  ca: (name: string) => `ca ${name}`,
  person: (id: string) => `person ${id}`,
  certificate: (ca: string, subject: string) => `certificate ${subject} ${ca}`,
  group: (name: string) => `group ${name}`,
  role: (name: string) => `role ${name}`,
  membership: (id: string, fqan: string) => `membership ${id} ${fqan}`,
  attribute: (name: string) => `attribute ${name}`,
} as const;

const bit = (suspended: string | null): number => (suspended === null ? 0 : 1);
const cut = (text: string | null, length: number): string | null => (text === null ? null : text.slice(0, length));

/** @param number gives the number of a thing of {@link thingsOf} */
export function wantedTables(rows: VomsdRows, number: (thing: string) => number): readonly WantedTable[] {
  const parted = (fqan: string): readonly [group: string, role: string | null] => {
    const [group = "", role] = fqan.split("/Role=");
    return [group, role ?? null];
  };
  const parentOf = (group: string): number | null => {
    const above = group.slice(0, group.lastIndexOf("/"));
    return above === "" ? null : number(thing.group(above));
  };
  const authorities = [...new Set(rows.certificates.map((one) => one.authority))];
  const names = thingsOf(rows)
    .filter((one) => one.startsWith("attribute "))
    .map((one) => one.slice("attribute ".length));
  const scoped = [...rows.attributes].flatMap(([fqan, of]) =>
    [...of].map(([name, value]) => ({ fqan: parted(fqan), name, value })),
  );
  return [
    { name: "version", columns: ["version"], key: 1, rows: [[3]] },
    {
      name: "ca",
      columns: ["cid", "subject_string", "creation_time"],
      key: 1,
      rows: authorities.map((name) => [number(thing.ca(name)), name, "1970-01-01 00:00:00"]),
    },
    {
      name: "usr",
      columns: [
        "userid",
        "dn",
        "name",
        "email_address",
        "institution",
        "phone_number",
        "suspended",
        "suspension_reason",
      ],
      key: 1,
      rows: rows.people.map((one) => [
        number(thing.person(one.person)),
        one.subject,
        one.name.slice(0, 255),
        one.email.slice(0, 255),
        one.institution.slice(0, 255),
        one.phone.slice(0, 255),
        bit(one.suspended),
        cut(one.suspended, 500),
      ]),
    },
    {
      name: "certificate",
      columns: ["id", "subject_string", "ca_id", "usr_id", "suspended", "suspended_reason"],
      key: 1,
      rows: rows.certificates.map((one) => [
        number(thing.certificate(one.authority, one.subject)),
        one.subject,
        number(thing.ca(one.authority)),
        number(thing.person(one.person)),
        bit(one.suspended),
        cut(one.suspended, 500),
      ]),
    },
    {
      name: "groups",
      columns: ["gid", "dn", "parent", "must"],
      key: 1,
      rows: rows.groups.map((group) => [number(thing.group(group)), group, parentOf(group), 1]),
    },
    {
      name: "roles",
      columns: ["rid", "role"],
      key: 1,
      rows: rows.roles.map((role) => [number(thing.role(role)), role]),
    },
    {
      name: "m",
      columns: ["mapping_id", "userid", "gid", "rid"],
      key: 1,
      rows: rows.people.flatMap((one) =>
        one.places.map((fqan): readonly Cell[] => {
          const [group, role] = parted(fqan);
          const id = number(thing.membership(one.person, fqan));
          return [
            id,
            number(thing.person(one.person)),
            number(thing.group(group)),
            role === null ? null : number(thing.role(role)),
          ];
        }),
      ),
    },
    {
      name: "attributes",
      columns: ["a_id", "a_name", "a_uniq"],
      key: 1,
      rows: names.map((name) => [number(thing.attribute(name)), name, 0]),
    },
    {
      name: "usr_attrs",
      columns: ["a_id", "u_id", "a_value"],
      key: 2,
      rows: rows.people.flatMap((one) =>
        [...one.attributes].map(([name, value]) => [
          number(thing.attribute(name)),
          number(thing.person(one.person)),
          value,
        ]),
      ),
    },
    {
      name: "group_attrs",
      columns: ["a_id", "g_id", "a_value"],
      key: 2,
      rows: scoped
        .filter(({ fqan: [, role] }) => role === null)
        .map(({ fqan: [group], name, value }) => [number(thing.attribute(name)), number(thing.group(group)), value]),
    },
    {
      name: "role_attrs",
      columns: ["a_id", "g_id", "r_id", "a_value"],
      key: 3,
      rows: scoped
        .filter(({ fqan: [, role] }) => role !== null)
        .map(({ fqan: [group, role], name, value }) => [
          number(thing.attribute(name)),
          number(thing.group(group)),
          number(thing.role(role!)),
          value,
        ]),
    },
  ];
}
