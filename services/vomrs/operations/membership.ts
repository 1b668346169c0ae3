/** What happens to a membership: renewed, suspended, ended; the rules signed; details mended; people put in by hand. */
import { Refusal } from "../../http/index.ts";
import { identityKey } from "../../vo/index.ts";
import { FormRefused } from "../fields.ts";
import { aboutOf, type Doing, type Operation, PERSON, REASON, refuse, WHY, type Word } from "../operation.ts";
import { called, standing } from "../scene.ts";
import { checkInstitution, checkPlace, endOf, MEMBERS, newPerson, notByFile } from "./checks.ts";

function ended(doing: Doing, reason: string): Word {
  notByFile(doing);
  const { id, application } = aboutOf(doing);
  return { kind: "application", key: id, action: "removed", value: { comment: application?.comment ?? "" }, reason };
}

function addMember(doing: Doing) {
  const { vo, facts, input } = doing;
  const [subject, issuer] = [input.text("subject"), input.text("ca")];
  const key = identityKey("certificate", subject, issuer);
  const holder = facts.holderOf(key) ?? facts.holderOf(identityKey("certificate", subject, null));
  const state = standing(doing, holder ?? null).state;
  if (holder && state !== "visitor" && state !== "removed" && state !== "denied")
    refuse(`${called(holder)} has this certificate, and is ${state} in ${vo.name}`);
  const fqans = input.list("fqans");
  for (const fqan of fqans) checkPlace(doing, fqan, "fqans");
  if (input.has("institution")) checkInstitution(doing, input.text("institution"));
  const person = holder?.id ?? newPerson(doing, key);
  const name = input.text("name") || subject.slice(subject.lastIndexOf("=") + 1);
  const details = { name, email: input.text("email"), institution: input.text("institution"), phone: "" };
  const reason = input.text("reason");
  const words: Word[] = [
    { kind: "person", key: person, action: "set", value: details },
    {
      kind: "identity",
      key,
      action: "good",
      value: { person, kind: "certificate", subject, issuer, shown: false, wanted: true },
      reason,
    },
    ...fqans.map((fqan): Word => ({ kind: "place", key: `${person} ${fqan}`, action: "granted", reason })),
    { kind: "application", key: person, action: "approved", value: { until: endOf(doing) }, reason },
  ];
  return { words, says: `${name} is a member of ${vo.name}.`, data: { person } };
}

export const MEMBERSHIP: readonly Operation[] = [
  {
    name: "add",
    says: "put somebody in as a member without an application",
    who: ["manager", "operator"],
    about: "nobody",
    changes: true,
    fields: {
      subject: {
        kind: "dn",
        label: "Name in the certificate",
        required: true,
        help: "such as /DC=org/DC=example/CN=Alice Example",
      },
      ca: { kind: "dn", label: "Name of its authority", required: true },
      name: { kind: "line", label: "Name" },
      email: { kind: "email", label: "E-mail" },
      institution: { kind: "line", label: "Institution" },
      fqans: {
        kind: "fqans",
        label: "Groups and roles",
        help: "such as /vo/group /vo/group/Role=Production, with blanks between",
      },
      until: { kind: "day", label: "Member until" },
      reason: REASON,
    },
    run: addMember,
  },
  {
    name: "renew",
    says: "renew a membership",
    who: ["representative", "manager", "operator"],
    about: "person",
    states: MEMBERS,
    changes: true,
    fields: {
      ...PERSON,
      until: { kind: "day", label: "Member until", help: "As long as the organization has it when empty." },
      reason: REASON,
    },
    run: (doing) => {
      const { id, application, details } = aboutOf(doing);
      notByFile(doing);
      checkInstitution(doing, details?.institution ?? "");
      const until = endOf(doing);
      const since = application?.since ?? Date.parse(application?.at ?? "");
      const value = { until, comment: application?.comment ?? "", ...(Number.isNaN(since) ? {} : { since }) };
      const when = until === null ? "for good" : `until ${new Date(until).toISOString().slice(0, 10)}`;
      return {
        words: [{ kind: "application", key: id, action: "approved", value, reason: doing.input.text("reason") }],
        says: `The membership of ${called(doing.about)} lasts ${when}.`,
      };
    },
  },
  {
    name: "suspend",
    says: "suspend a member",
    who: ["representative", "manager", "operator"],
    about: "person",
    states: [...MEMBERS, "candidate", "applicant"],
    changes: true,
    fields: { ...PERSON, reason: WHY },
    run: (doing) => ({
      words: [{ kind: "suspension", key: aboutOf(doing).id, action: "suspend", reason: doing.input.text("reason") }],
      says: `${called(doing.about)} is suspended.`,
    }),
  },
  {
    name: "resume",
    says: "lift a suspension",
    who: ["representative", "manager", "operator"],
    about: "person",
    changes: true,
    fields: { ...PERSON, reason: REASON },
    run: (doing) => {
      const { id, suspension } = aboutOf(doing);
      if (suspension === null) refuse(`${called(doing.about)} is not suspended`);
      return {
        words: [{ kind: "suspension", key: id, action: "resume", reason: doing.input.text("reason") }],
        says: `${called(doing.about)} is not suspended any more.`,
      };
    },
  },
  {
    name: "remove",
    says: "end a membership",
    who: ["representative", "manager", "operator"],
    about: "person",
    states: [...MEMBERS, "candidate", "applicant", "denied"],
    changes: true,
    fields: { ...PERSON, reason: WHY },
    run: (doing) => ({
      words: [ended(doing, doing.input.text("reason"))],
      says: `${called(doing.about)} is no member of ${doing.vo.name} any more.`,
    }),
  },
  {
    name: "leave",
    says: "leave the organization",
    who: ["self"],
    about: "self",
    states: [...MEMBERS, "candidate", "applicant"],
    changes: true,
    fields: { sure: { kind: "check", label: "I want to leave", required: true } },
    run: (doing) => ({
      words: [ended(doing, "left by own wish")],
      says: `You are no member of ${doing.vo.name} any more.`,
    }),
  },
  {
    name: "sign",
    says: "sign the rules",
    who: ["self"],
    about: "self",
    states: [...MEMBERS, "candidate", "applicant"],
    changes: true,
    fields: {
      version: { kind: "line", label: "Version", required: true },
      agree: { kind: "check", label: "I have read these rules and will keep them", required: true },
    },
    run: (doing) => {
      const { rules, name } = doing.vo;
      if (rules === null) refuse(`${name} has no rules to sign`);
      if (doing.input.text("version") !== rules.version)
        throw new Refusal(409, `version ${rules.version} of the rules is in force now: read that one`);
      const { id } = aboutOf(doing);
      return {
        words: [{ kind: "signature", key: `${id} ${rules.version}`, action: "sign", value: { at: doing.now } }],
        says: `Version ${rules.version} of the rules is signed.`,
      };
    },
  },
  {
    name: "correct",
    says: "mend what is recorded of a person",
    who: ["representative", "manager", "operator"],
    about: "person",
    states: [...MEMBERS, "candidate", "applicant"],
    changes: true,
    fields: {
      ...PERSON,
      name: { kind: "line", label: "Name", autocomplete: "off" },
      email: { kind: "email", label: "E-mail", autocomplete: "off" },
      institution: { kind: "line", label: "Institution", autocomplete: "off" },
      phone: { kind: "phone", label: "Telephone", autocomplete: "off" },
      reason: REASON,
    },
    run: (doing) => {
      const { id, details, application } = aboutOf(doing);
      const { input, roles, institutions } = doing;
      const before = { name: "", email: "", institution: "", phone: "", ...details };
      const given = (name: keyof typeof before): string => (input.has(name) ? input.text(name) : before[name]);
      const institution = given("institution");
      if (institution !== before.institution) {
        checkInstitution(doing, institution);
        if (!roles.includes("manager") && !roles.includes("operator") && !institutions.includes(institution))
          throw new FormRefused({ institution: `you do not speak for ${institution}` }, 403);
      }
      // The code in the e-mail was made for the other address, and an address is confirmed by whoever reads it.
      if (application?.state === "applied" && given("email") !== before.email)
        refuse("the address is not confirmed yet: apply again with the right one");
      const value = { name: given("name"), email: given("email"), institution, phone: given("phone") };
      return {
        words: [{ kind: "person", key: id, action: "set", value, reason: input.text("reason") }],
        says: `What is recorded of ${value.name || id} is mended.`,
      };
    },
  },
];
