/**
 * Groups and roles, and generic attributes. Members ask; managers and the site's operators grant. Representatives do not: an institution vouches for
 * who somebody is, the organization decides what he may do in it.
 */
import { parseFqan } from "../../../src/grid/index.ts";
import type { Place } from "../../../src/vo/index.ts";
import { Refusal } from "../../http/index.ts";
import { FormRefused } from "../fields.ts";
import { aboutOf, type Doing, type Operation, PERSON, REASON, refuse, WHY, type Word } from "../operation.ts";
import { called, findPerson } from "../scene.ts";
import { checkPlace, MEMBERS } from "./checks.ts";

function placeOf(doing: Doing): { readonly fqan: string; readonly place: Place | undefined } {
  const fqan = doing.input.text("fqan");
  return { fqan, place: aboutOf(doing).places.get(fqan) };
}

const word = (doing: Doing, fqan: string, action: Place["state"]): Word => ({
  kind: "place",
  key: `${aboutOf(doing).id} ${fqan}`,
  action,
  reason: doing.input.text("reason"),
});

const FQAN = { kind: "fqan", label: "Group or role", required: true } as const;

/** Whose attribute it is: a person's, or a group's or role's. */
function ownerOf(doing: Doing): string {
  const owner = doing.input.text("owner");
  if (!owner.startsWith("/") || (owner.includes("=") && !owner.includes("/Role=")))
    return findPerson(doing, owner, null).id;
  const { group, role } = parseFqan(owner);
  if (!doing.vo.groups.includes(group) || (role !== null && !doing.vo.roles.includes(role)))
    throw new FormRefused({ owner: `${doing.vo.name} has no ${owner}` });
  return owner;
}

const OWNER = {
  owner: { kind: "owner", label: "Of", required: true, help: "a person's id or name, a group, or a role" },
  name: { kind: "attribute", label: "Attribute", required: true },
} as const;

export const PLACES: readonly Operation[] = [
  {
    name: "ask-place",
    says: "ask for a group or role",
    who: ["self"],
    about: "self",
    states: ["member", "unsigned"],
    changes: true,
    fields: { fqan: FQAN, reason: { ...REASON, label: "What for" } },
    run: (doing) => {
      const { fqan, place } = placeOf(doing);
      checkPlace(doing, fqan);
      if (place?.state === "asked") refuse(`${fqan} is asked for already`);
      if (place?.state === "granted") refuse(`you have ${fqan} already`);
      return { words: [word(doing, fqan, "asked")], says: `${fqan} is asked for.` };
    },
  },
  {
    name: "give-up-place",
    says: "give up a group or role, or no longer ask for it",
    who: ["self"],
    about: "self",
    states: MEMBERS,
    changes: true,
    fields: { fqan: FQAN, reason: REASON },
    run: (doing) => {
      const { fqan, place } = placeOf(doing);
      if (place?.state !== "asked" && place?.state !== "granted") refuse(`you do not have ${fqan}`);
      return { words: [word(doing, fqan, "removed")], says: `${fqan} is given up.` };
    },
  },
  {
    name: "grant",
    says: "grant a group or role",
    who: ["manager", "operator"],
    about: "person",
    states: MEMBERS,
    changes: true,
    fields: { ...PERSON, fqan: FQAN, reason: REASON },
    run: (doing) => {
      const { fqan, place } = placeOf(doing);
      checkPlace(doing, fqan);
      if (place?.state === "granted") refuse(`${called(doing.about)} has ${fqan} already`);
      return { words: [word(doing, fqan, "granted")], says: `${called(doing.about)} has ${fqan}.` };
    },
  },
  {
    name: "refuse-place",
    says: "refuse a group or role that was asked for",
    who: ["manager", "operator"],
    about: "person",
    changes: true,
    fields: { ...PERSON, fqan: FQAN, reason: WHY },
    run: (doing) => {
      const { fqan, place } = placeOf(doing);
      if (place?.state !== "asked") refuse(`${called(doing.about)} does not ask for ${fqan}`);
      return { words: [word(doing, fqan, "denied")], says: `${fqan} is refused to ${called(doing.about)}.` };
    },
  },
  {
    name: "revoke",
    says: "take back a group or role",
    who: ["manager", "operator"],
    about: "person",
    changes: true,
    fields: { ...PERSON, fqan: FQAN, reason: WHY },
    run: (doing) => {
      const { fqan, place } = placeOf(doing);
      if (place?.state !== "granted") refuse(`${called(doing.about)} does not have ${fqan}`);
      return { words: [word(doing, fqan, "removed")], says: `${called(doing.about)} has ${fqan} no longer.` };
    },
  },
  {
    name: "set-attribute",
    says: "set a generic attribute of a person, group or role",
    who: ["manager", "operator"],
    about: "nobody",
    changes: true,
    fields: { ...OWNER, text: { kind: "line", label: "Value", required: true } },
    run: (doing) => {
      const [name, text] = [doing.input.text("name"), doing.input.text("text")];
      return {
        words: [{ kind: "attribute", key: `${ownerOf(doing)} ${name}`, action: "set", value: { text } }],
        says: `${name} is ${text}.`,
      };
    },
  },
  {
    name: "remove-attribute",
    says: "remove a generic attribute",
    who: ["manager", "operator"],
    about: "nobody",
    changes: true,
    fields: OWNER,
    run: (doing) => {
      const name = doing.input.text("name");
      const owner = ownerOf(doing);
      const has = owner.startsWith("/") ? doing.facts.attributesOf(owner) : doing.facts.people.get(owner)?.attributes;
      if (!has?.has(name)) throw new Refusal(409, `there is no attribute ${name}`);
      return { words: [{ kind: "attribute", key: `${owner} ${name}`, action: "remove" }], says: `${name} is removed.` };
    },
  },
  {
    name: "set-institution",
    says: "record until when an institution is a part of the organization",
    who: ["manager", "operator"],
    about: "nobody",
    changes: true,
    fields: {
      name: { kind: "line", label: "Institution", required: true },
      until: { kind: "day", label: "Until", required: true, help: "a day, or never" },
      reason: REASON,
    },
    run: ({ vo, input }) => {
      const name = input.text("name");
      if (!vo.institutions.some((one) => one.name === name))
        throw new FormRefused({ name: `${vo.name} has no such institution` });
      const until = input.moment("until") ?? null;
      const when = until === null ? "for good" : `until ${new Date(until).toISOString().slice(0, 10)}`;
      return {
        words: [{ kind: "institution", key: name, action: "set", value: { until }, reason: input.text("reason") }],
        says: `${name} is a part of ${vo.name} ${when}.`,
      };
    },
  },
];
