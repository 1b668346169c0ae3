/** How the answers of VOMRS are told to people at a terminal. */
import { paint, say, table } from "../say.ts";

type Body = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, unknown>>;

const list = (value: unknown): readonly Row[] => (Array.isArray(value) ? (value as Row[]) : []);
const row = (value: unknown): Row => (value !== null && typeof value === "object" ? (value as Row) : {});
const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");
const day = (value: unknown): string => (typeof value === "string" ? value.slice(0, 10) : "");

function rows(items: unknown, nothing: string, cells: (one: Row) => readonly string[]): void {
  const all = list(items);
  if (all.length === 0) say(nothing);
  for (const line of table(all.map((one) => cells(one).map((cell) => cell || "-")))) say(line);
}

function standing(one: Row): readonly string[] {
  const { state, until, ends } = row(one.standing);
  return [text(state), until === null ? "" : `${text(ends)} until ${day(until)}`];
}

export function tellOrganizations({ organizations }: Body): void {
  rows(organizations, "The site file names no organization.", (one) => [
    paint("bold", text(one.name)),
    text(one.title),
    `${list(one.groups).length} groups`,
    `${list(one.roles).length} roles`,
    `${list(one.institutions).length} institutions`,
  ]);
}

export function tellPeople({ people }: Body): void {
  rows(people, "Nobody.", (one) => [
    paint("bold", text(one.name)),
    ...standing(one),
    text(one.institution),
    text(one.email),
    text(one.subject),
  ]);
}

export function tellWaiting({ applications, places, certificates }: Body): void {
  const waits = [
    ...list(applications).map((one) => ({ what: "membership", who: one, about: text(one.institution) })),
    ...list(places).map((one) => ({ what: "group or role", who: row(one.person), about: text(one.fqan) })),
    ...list(certificates).map((one) => ({ what: "certificate", who: row(one.person), about: text(one.subject) })),
  ];
  rows(waits, "Nothing waits.", ({ what, who, about }) => [
    text(what),
    paint("bold", text(row(who).name)),
    text(about),
    text(row(who).id),
  ]);
}

export function tellPerson({ person }: Body): void {
  const one = row(person);
  const { state, says } = row(one.standing);
  say(`${paint("bold", text(one.name))}  ${text(state)}: ${text(says)}`);
  const details = [
    ["id", one.id],
    ["e-mail", one.email],
    ["institution", one.institution],
    ["telephone", one.phone],
  ] as const;
  for (const line of table([
    ...details.filter(([, value]) => text(value) !== "").map(([name, value]) => [`  ${name}`, text(value)]),
    ...list(one.places).map((place) => [`  ${text(place.state)}`, text(place.fqan)]),
    ...list(one.attributes).map((attribute) => ["  attribute", `${text(attribute.name)} = ${text(attribute.text)}`]),
    ...list(one.signatures).map((signature) => [
      "  signed",
      `version ${text(signature.version)} on ${day(signature.at)}`,
    ]),
  ]))
    say(line);
  for (const certificate of list(one.certificates)) {
    say(`  certificate ${text(certificate.subject)} (${text(certificate.state)})`);
    say(`    under ${text(certificate.issuer) || "any trusted authority"}, id ${text(certificate.certificate)}`);
  }
}

export function tellHistory({ history }: Body): void {
  rows(history, "Nothing is recorded: the site file alone names him.", (one) => [
    text(one.at),
    `${text(one.kind)} ${text(one.action)}`,
    text(one.about),
    text(one.actor),
    text(one.reason),
  ]);
}

export function tellAttributes({ attributes }: Body): void {
  rows(attributes, "No group or role has an attribute.", (one) => [
    paint("bold", text(one.owner)),
    text(one.name),
    text(one.text),
  ]);
}

export function tellInstitutions({ institutions }: Body): void {
  rows(institutions, "The site file names none.", (one) => [
    paint("bold", text(one.name)),
    one.until === null ? "for good" : `${one.over ? "ended" : "until"} ${day(one.until)}`,
    one.members === 1 ? "1 member" : `${text(one.members)} members`,
    Array.isArray(one.representatives) ? one.representatives.join(", ") : "",
  ]);
}
