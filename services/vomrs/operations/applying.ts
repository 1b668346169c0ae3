/** From visitor to member: applying, confirming the address, being approved or denied. */
import type { Person } from "../../../src/vo/index.ts";
import { Refusal } from "../../http/index.ts";
import { identityKey } from "../../vo/index.ts";
import { FormRefused } from "../fields.ts";
import { aboutOf, type Doing, type Operation, PERSON, REASON, refuse, WHY, type Word } from "../operation.ts";
import { called, whyNoSelf } from "../scene.ts";
import { digestOf, isCode } from "../sealing.ts";
import { checkInstitution, endOf, newPerson, notByFile } from "./checks.ts";

/** Milliseconds for which a code is good, and between two e-mails with one to the same person. */
export const CODE_LIFE = 7 * 86_400_000;
export const CODE_PAUSE = 10 * 60_000;

/**
 * A new code, or none where no e-mail is sent.
 * @throws {Refusal} 429 soon after the last word on the application: whoever applies and leaves in turn must not make us write to somebody
 */
function applied(doing: Doing, person: string, email: string, comment: string): Word {
  const { means, vo, self, now } = doing;
  const since = Date.parse(self?.application?.at ?? "");
  if (means.mail && now - since < CODE_PAUSE)
    throw new Refusal(
      429,
      `an e-mail may have gone out at ${new Date(since).toISOString().slice(0, 16).replace("T", " ")} UTC: another one can be sent ten minutes later`,
    );
  const codeUntil = now + CODE_LIFE;
  const code = digestOf(means.sealing.code({ vo: vo.name, person, email, until: codeUntil }));
  const value = means.mail ? { code, codeUntil, comment } : { comment };
  return { kind: "application", key: person, action: "applied", value };
}

const NEXT = {
  true: "An e-mail is on its way: open the link in it to confirm the address.",
  false: "No e-mail is sent here: a manager confirms the address.",
} as const;

function apply(doing: Doing) {
  const { vo, caller, input, now, identity } = doing;
  if (caller.identity === null) throw new Refusal(401, "show a certificate or token to apply");
  if (caller.identity.kind === "token" && !vo.issuers.includes(caller.identity.issuer))
    refuse(`${vo.name} takes no tokens of ${caller.identity.issuer}`);
  const unusable = doing.self === null ? null : whyNoSelf(doing);
  if (unusable !== null) refuse(unusable);
  const institution = input.text("institution");
  checkInstitution(doing, institution);
  if (vo.rules !== null && input.text("rules") !== vo.rules.version)
    throw new FormRefused({ rules: `version ${vo.rules.version} of the rules has to be accepted` });
  const { kind, subject, issuer } = caller.identity;
  const person = doing.self?.id ?? newPerson(doing, identityKey(kind, subject, issuer));
  const email = input.text("email");
  const last = applied(doing, person, email, input.text("comment"));
  const words: Word[] = [
    {
      kind: "person",
      key: person,
      action: "set",
      value: { name: input.text("name"), email, institution, phone: input.text("phone") },
    },
  ];
  if (identity?.state !== "good" || doing.self?.id !== person)
    words.push({
      kind: "identity",
      key: identityKey(kind, subject, issuer),
      action: "good",
      value: { person, kind, subject, issuer, shown: true, wanted: true },
    });
  if (vo.rules !== null)
    words.push({ kind: "signature", key: `${person} ${vo.rules.version}`, action: "sign", value: { at: now } });
  return { words: [...words, last], says: `Applied. ${NEXT[`${doing.means.mail}`]}`, data: { person } };
}

/** Whatever is wrong, one answer: it must not be found out who has applied. */
const NO_CODE = "this code is not, or no longer, good: have another e-mail sent, or apply again";

function confirmed(person: Person, reason: string): Word {
  const comment = person.application?.comment ?? "";
  return { kind: "application", key: person.id, action: "confirmed", value: { comment }, reason };
}

export const APPLYING: readonly Operation[] = [
  {
    name: "apply",
    says: "apply for membership",
    who: ["person"],
    about: "self",
    states: ["visitor", "candidate", "denied", "removed"],
    changes: true,
    fields: {
      name: { kind: "line", label: "Name", required: true, autocomplete: "name" },
      email: {
        kind: "email",
        label: "E-mail",
        required: true,
        autocomplete: "email",
        help: "A link to confirm it is sent there.",
      },
      institution: { kind: "line", label: "Institution", required: true, autocomplete: "organization" },
      phone: { kind: "phone", label: "Telephone", autocomplete: "tel" },
      comment: { kind: "essay", label: "Comment", help: "What your representative should know to recognize you." },
      rules: { kind: "line", label: "Version of the rules that you accept" },
    },
    run: apply,
  },
  {
    name: "resend",
    says: "have the e-mail with the code sent again",
    who: ["self"],
    about: "self",
    states: ["candidate"],
    changes: true,
    fields: {},
    run: (doing) => {
      const person = aboutOf(doing);
      if (!doing.means.mail) refuse(NEXT.false);
      const comment = person.application?.comment ?? "";
      return { words: [applied(doing, person.id, person.details?.email ?? "", comment)], says: NEXT.true };
    },
  },
  {
    name: "confirm",
    says: "confirm an address with the code of the e-mail",
    who: ["anybody"],
    about: "nobody",
    changes: true,
    fields: {
      person: { kind: "line", label: "Application", required: true },
      code: { kind: "code", label: "Code", required: true },
    },
    run: ({ facts, input, now }) => {
      const person = facts.people.get(input.text("person"));
      const application = person?.application;
      if (person && application?.state === "confirmed")
        refuse("this address is confirmed already, or the code is not good");
      if (!person || application?.state !== "applied" || application.code === null) throw new Refusal(404, NO_CODE);
      if ((application.codeUntil ?? 0) <= now || !isCode(input.text("code"), application.code))
        throw new Refusal(404, NO_CODE);
      return {
        words: [confirmed(person, "by the code in the e-mail")],
        says: "The address is confirmed. Now a representative looks at the application; an e-mail tells what came of it.",
      };
    },
  },
  {
    name: "confirm-address",
    says: "confirm an address by hand",
    who: ["manager", "operator"],
    about: "person",
    states: ["candidate"],
    changes: true,
    fields: { ...PERSON, reason: WHY },
    run: (doing) => ({
      words: [confirmed(aboutOf(doing), doing.input.text("reason"))],
      says: `The address of ${called(doing.about)} is confirmed.`,
    }),
  },
  {
    name: "approve",
    says: "approve an application",
    who: ["representative", "manager", "operator"],
    about: "person",
    states: ["applicant"],
    changes: true,
    fields: {
      ...PERSON,
      until: { kind: "day", label: "Member until", help: "As long as the organization has it when empty." },
      reason: REASON,
    },
    run: (doing) => {
      const person = aboutOf(doing);
      notByFile(doing);
      checkInstitution(doing, person.details?.institution ?? "");
      const value = { until: endOf(doing), comment: person.application?.comment ?? "" };
      return {
        words: [{ kind: "application", key: person.id, action: "approved", value, reason: doing.input.text("reason") }],
        says: `${called(person)} is a member of ${doing.vo.name}.`,
      };
    },
  },
  {
    name: "deny",
    says: "deny an application",
    who: ["representative", "manager", "operator"],
    about: "person",
    states: ["candidate", "applicant"],
    changes: true,
    fields: { ...PERSON, reason: WHY },
    run: (doing) => {
      const { id, application } = aboutOf(doing);
      const value = { comment: application?.comment ?? "" };
      return {
        words: [{ kind: "application", key: id, action: "denied", value, reason: doing.input.text("reason") }],
        says: `The application of ${called(doing.about)} is denied.`,
      };
    },
  },
];
