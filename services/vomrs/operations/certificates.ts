/**
 * Several certificates of one person. Whoever asks for one has to show one that is good; to the new one belongs that a call was made with it
 * (it was *shown*) and that the member himself *wants* it. Then a representative or manager approves it.
 *
 * Certificates are public: who only sends somebody's certificate must not keep its owner out. So one that was asked for and never shown binds nobody:
 * its owner may disown it, apply with it, or ask for it himself. Two at once on two copies: the last word has it, and it is never two people's,
 * because a record is kept by certificate and names one person.
 */
import { GridRefused } from "../../../src/grid/index.ts";
import type { Identity, Person } from "../../../src/vo/index.ts";
import { Refusal } from "../../http/index.ts";
import { identityKey } from "../../vo/index.ts";
import type { CallerIdentity } from "../callers.ts";
import { FormRefused } from "../fields.ts";
import { aboutOf, type Doing, type Operation, PERSON, REASON, refuse, WHY, type Word } from "../operation.ts";
import { called, findPerson } from "../scene.ts";
import { MEMBERS } from "./checks.ts";

/** Certificates of one person that are in use or asked for. */
export const MOST_CERTIFICATES = 10;

const keyOf = ({ kind, subject, issuer }: CallerIdentity): string => identityKey(kind, subject, issuer);

function identityWord(
  doing: Doing,
  { kind, subject, issuer, shown, wanted }: Pick<Identity, "kind" | "subject" | "issuer" | "shown" | "wanted">,
  person: string,
  action: Identity["state"],
): Word {
  const value = { person, kind, subject, issuer, shown, wanted };
  const key = identityKey(kind, subject, issuer);
  return { kind: "identity", key, action, value, reason: doing.input.text("reason") };
}

/** @throws {Refusal} 409 when it is another one's, or the person has as many as one may have */
function checkFree({ facts }: Doing, key: string, person: Person): void {
  const holder = facts.holderOf(key);
  const before = holder?.identities.get(key);
  const taken =
    before && (before.state === "good" || before.state === "suspended" || (before.state === "asked" && before.shown));
  if (holder && holder.id !== person.id && taken)
    refuse("this certificate is somebody else's, or was asked for by him");
  if (holder?.id === person.id && (before?.state === "good" || before?.state === "suspended"))
    refuse(`${called(person)} has this certificate already`);
  const counted = [...person.identities.values()].filter(({ state }) => state !== "removed" && state !== "refused");
  if (counted.length >= MOST_CERTIFICATES) refuse(`one person has at most ${MOST_CERTIFICATES} certificates`);
}

function chosen(doing: Doing): Identity {
  const one = aboutOf(doing).identities.get(doing.input.text("certificate"));
  if (one === undefined) throw new Refusal(404, `${called(doing.about)} has no such certificate`);
  return one;
}

/** Nobody locks himself out. */
function leavesOne(doing: Doing, leaving: Identity): void {
  const others = [...aboutOf(doing).identities.values()].filter((one) => one !== leaving && one.state === "good");
  if (leaving.state === "good" && others.length === 0 && doing.roles.includes("self") && !overseesAbout(doing))
    refuse("this is the only certificate left: leave the organization instead, or ask a manager");
}

const overseesAbout = ({ roles }: Doing): boolean => roles.some((role) => role === "manager" || role === "operator");

const CERTIFICATE = { certificate: { kind: "certificate", label: "Certificate", required: true } } as const;
const OVERSEERS = ["representative", "manager", "operator"] as const;

/** A change of state that needs no more than the state before. */
function turning(
  name: string,
  says: string,
  who: Operation["who"],
  from: readonly Identity["state"][],
  to: Identity["state"],
  done: string,
  needsReason: boolean,
): Operation {
  return {
    name,
    says,
    who,
    about: "person",
    changes: true,
    fields: { ...PERSON, ...CERTIFICATE, reason: needsReason ? WHY : REASON },
    run: (doing) => {
      const one = chosen(doing);
      if (!from.includes(one.state)) refuse(`this certificate is ${one.state}: expected ${from.join(" or ")}`);
      if (to === "removed") leavesOne(doing, one);
      return { words: [identityWord(doing, one, aboutOf(doing).id, to)], says: done };
    },
  };
}

export const CERTIFICATES: readonly Operation[] = [
  {
    name: "ask-certificate",
    says: "ask for a further certificate of one's own",
    who: ["self"],
    about: "self",
    states: MEMBERS,
    changes: true,
    fields: {
      pem: {
        kind: "pem",
        label: "New certificate",
        required: true,
        help: "The text from BEGIN CERTIFICATE to END CERTIFICATE. Never give the private key.",
      },
      reason: REASON,
    },
    run: (doing) => {
      const person = aboutOf(doing);
      let identity: CallerIdentity;
      try {
        identity = doing.means.certificate(doing.input.text("pem"));
      } catch (error) {
        if (!(error instanceof GridRefused)) throw error;
        throw new FormRefused({ pem: error.message });
      }
      checkFree(doing, keyOf(identity), person);
      const before = person.identities.get(keyOf(identity));
      const shown = before?.state === "asked" && before.shown;
      return {
        words: [identityWord(doing, { ...identity, shown, wanted: true }, person.id, "asked")],
        says: shown
          ? "The certificate is asked for."
          : "The certificate is asked for. Now come back once with the new certificate, to show that its key is yours.",
      };
    },
  },
  {
    name: "show-certificate",
    says: "show that the key of a certificate asked for is one's own",
    who: ["person"],
    about: "nobody",
    changes: true,
    fields: {},
    run: (doing) => {
      const { claimedBy, identity } = doing;
      if (claimedBy === null || identity === null) refuse("nobody asked for the certificate you show now");
      return {
        words: [identityWord(doing, { ...identity, shown: true }, claimedBy.id, "asked")],
        says: "That the key is yours is recorded. The certificate can be used when it is approved.",
      };
    },
  },
  {
    name: "disown-certificate",
    says: "say that the certificate shown is not that person's",
    who: ["person"],
    about: "nobody",
    changes: true,
    fields: {},
    run: (doing) => {
      const { claimedBy, identity } = doing;
      if (claimedBy === null || identity === null) refuse("nobody asked for the certificate you show now");
      const word = identityWord(doing, { ...identity, shown: true }, claimedBy.id, "refused");
      return {
        words: [{ ...word, reason: "disowned by who has its key" }],
        says: "It stays yours alone.",
      };
    },
  },
  {
    name: "claim-certificate",
    says: "ask with a new certificate to be the member one is with another",
    who: ["person"],
    about: "nobody",
    changes: true,
    fields: { of: { kind: "dn", label: "Name in the certificate you are a member with", required: true } },
    run: (doing) => {
      const { caller, self, vo, facts, input } = doing;
      if (
        caller.identity === null ||
        (caller.identity.kind === "token" && !vo.issuers.includes(caller.identity.issuer))
      )
        refuse("show the new certificate to ask for it");
      if (self !== null) refuse(`you are ${called(self)} with this certificate already`);
      const says = "If there is such a member, he has to agree: on his page, with the certificate he has.";
      let person: Person;
      try {
        person = findPerson(doing, input.text("of"), null);
      } catch (error) {
        if (error instanceof Refusal) return { says };
        throw error;
      }
      const own = facts.holderOf(keyOf(caller.identity));
      checkFree(doing, keyOf(caller.identity), person);
      const wanted = own?.id === person.id && (doing.identity?.wanted ?? false);
      return { words: [identityWord(doing, { ...caller.identity, shown: true, wanted }, person.id, "asked")], says };
    },
  },
  {
    name: "agree-certificate",
    says: "agree that a certificate is one's own",
    who: ["self"],
    about: "self",
    changes: true,
    fields: CERTIFICATE,
    run: (doing) => {
      const one = chosen(doing);
      if (one.state !== "asked" || one.wanted) refuse("there is nothing to agree to");
      return {
        words: [identityWord(doing, { ...one, wanted: true }, aboutOf(doing).id, "asked")],
        says: "Agreed. The certificate can be used when it is approved.",
      };
    },
  },
  {
    name: "approve-certificate",
    says: "approve a further certificate",
    who: OVERSEERS,
    about: "person",
    changes: true,
    fields: {
      ...PERSON,
      ...CERTIFICATE,
      unproven: { kind: "check", label: "Although nobody has shown that the key is his, or that he wants it" },
      reason: REASON,
    },
    run: (doing) => {
      const one = chosen(doing);
      if (one.state !== "asked" && one.state !== "refused")
        refuse(`this certificate is ${one.state}, and not asked for`);
      if ((!one.shown || !one.wanted) && !doing.input.checked("unproven"))
        throw new FormRefused(
          {
            unproven: one.shown
              ? "the member has not agreed that it is his"
              : "nobody has come with this certificate yet",
          },
          409,
        );
      return {
        words: [identityWord(doing, one, aboutOf(doing).id, "good")],
        says: `${called(doing.about)} can use the certificate.`,
      };
    },
  },
  {
    name: "add-certificate",
    says: "give a person a further certificate",
    who: ["manager", "operator"],
    about: "person",
    states: MEMBERS,
    changes: true,
    fields: {
      person: PERSON.person,
      subject: { kind: "dn", label: "Name in the certificate", required: true },
      ca: { kind: "dn", label: "Name of its authority", required: true },
      reason: REASON,
    },
    run: (doing) => {
      const { input } = doing;
      const identity = { kind: "certificate", subject: input.text("subject"), issuer: input.text("ca") } as const;
      checkFree(doing, keyOf(identity), aboutOf(doing));
      return {
        words: [identityWord(doing, { ...identity, shown: false, wanted: true }, aboutOf(doing).id, "good")],
        says: `${called(doing.about)} can use the certificate.`,
      };
    },
  },
  turning(
    "refuse-certificate",
    "refuse a certificate that was asked for",
    ["self", ...OVERSEERS],
    ["asked"],
    "refused",
    "The certificate is refused.",
    false,
  ),
  turning(
    "suspend-certificate",
    "suspend one certificate",
    ["self", ...OVERSEERS],
    ["good"],
    "suspended",
    "The certificate is suspended.",
    true,
  ),
  turning(
    "resume-certificate",
    "lift the suspension of a certificate",
    OVERSEERS,
    ["suspended"],
    "good",
    "The certificate can be used again.",
    false,
  ),
  turning(
    "remove-certificate",
    "remove one certificate",
    ["self", ...OVERSEERS],
    ["good", "suspended", "asked"],
    "removed",
    "The certificate is removed.",
    false,
  ),
];
