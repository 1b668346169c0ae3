/** One person: to himself, and to those who decide about him. */

import { breakable, type Html, html, sentence } from "../../../src/pages/index.ts";
import type { Person } from "../../../src/vo/index.ts";
import { OPERATIONS } from "../operations/index.ts";
import { called, type Role, rolesOf, standing, whyNoSelf } from "../scene.ts";
import {
  type CertificateView,
  type HistoryLine,
  historyView,
  organizationView,
  type PersonView,
  personView,
} from "../views.ts";
import { type FormShape, form } from "./forms.ts";
import { choice } from "./front.ts";
import { card, day, facts, minute, note, type Page, standingTag, tabled, tag, type View, voPath } from "./view.ts";

export function mePage(view: View): Page {
  const { scene } = view;
  const title = "My membership";
  if (scene.claimedBy !== null) return { title, body: claimed(view) };
  const { self } = scene;
  if (self === null)
    return {
      title,
      body: html`<h1>My membership</h1>${note("warn", `What you show now is nobody's in ${scene.vo.title}.`)}<p><a class="button" href="${voPath(scene.vo.name, "/apply")}">Apply for membership</a></p>`,
    };
  const person = personView(scene, self);
  const unusable = whyNoSelf(scene);
  const active = ["member", "unsigned", "suspended", "expired"].includes(person.standing.state);
  return {
    title,
    body: html`<h1>${person.name}</h1><p class="lead">in ${scene.vo.title}</p>
${unusable === null ? "" : note("bad", sentence(unusable))}
${card("Standing", standingFacts(person), person.standing.state === "candidate" ? form(view, { does: "resend", submit: "Send the e-mail again", tone: "quiet" }) : "")}
${rulesCard(view, self)}
${active ? placesCard(view, person, true) : ""}
${active ? certificatesCard(view, person, true) : ""}
${card("What is recorded of you", detailFacts(person), html`<p class="help">Something is wrong or has changed? Ask a representative of your institution to mend it.</p>`, history(view, self))}
${["denied", "removed"].includes(person.standing.state) ? html`<p><a class="button" href="${voPath(scene.vo.name, "/apply")}">Apply again</a></p>` : card("Leave", form(view, { fold: `Leave ${scene.vo.title}`, does: "leave", submit: "Leave", tone: "danger", fields: ["sure"] }))}`,
  };
}

/** Somebody asked for the certificate that the caller shows. */
function claimed(view: View): Html {
  const { claimedBy, identity, vo } = view.scene;
  return html`<h1>A further certificate</h1><p class="lead">in ${vo.title}</p>${card(
    `For ${called(claimedBy)}`,
    html`<p>${called(claimedBy)} and the certificate you show now, <code>${identity?.subject}</code>, are said to be one person.</p>`,
    identity?.shown
      ? html`<p>That you have its key is recorded; ${identity.wanted ? "a representative has to approve it." : "now he has to agree, with the certificate he has."}</p>`
      : form(view, { does: "show-certificate", submit: "Yes, this is me" }),
    html`<p></p>`,
    form(view, { does: "disown-certificate", submit: "No, it is somebody else's", tone: "danger" }),
  )}`;
}

function standingFacts({ standing: now, fqans }: PersonView): Html {
  const ends = {
    membership: "The membership ends",
    institution: "The institution leaves",
    rules: "The rules have to be signed by",
  } as const;
  return facts([
    ["Now", html`${standingTag(now)} ${now.says}`],
    [now.ends === null ? "" : ends[now.ends], now.ends === null ? "" : day(now.until)],
    ["VOMS gives", fqans.length === 0 ? "nothing" : fqans.map((fqan) => html`<code>${breakable(fqan)}</code><br>`)],
  ]);
}

function detailFacts({
  email,
  institution,
  phone,
  application,
  suspension,
  signatures,
  attributes,
  id,
}: PersonView): Html {
  return facts([
    ["E-mail", email],
    ["Institution", institution],
    ["Telephone", phone],
    ["Comment", application?.comment ?? ""],
    [
      "Last decision",
      application === null
        ? ""
        : `${application.state} by ${application.actor || "the site file"}, ${minute(application.at)}${application.reason === "" ? "" : `: ${application.reason}`}`,
    ],
    ["Suspended", suspension === null ? "" : `by ${suspension.actor}, ${minute(suspension.at)}: ${suspension.reason}`],
    ["Rules signed", signatures.map(({ version, at }) => html`version ${version} on ${day(at)}<br>`)],
    ["Attributes", attributes.map(({ name, text }) => html`<code>${name}</code> = ${text}<br>`)],
    ["Id", html`<code>${id}</code>`],
  ]);
}

function rulesCard(view: View, person: Person): Html | "" {
  const { vo, now } = view.scene;
  const { state } = standing(view.scene, person);
  if (vo.rules === null || ["denied", "removed"].includes(state)) return "";
  const { version, text, every } = vo.rules;
  const at = person.signatures.get(version);
  const good = at !== undefined && (every === null || at + every * 1000 > now);
  const says = !good
    ? `Version ${version} has to be signed.`
    : `You signed version ${version} on ${new Date(at).toISOString().slice(0, 10)}${every === null ? "" : `; it holds until ${new Date(at + every * 1000).toISOString().slice(0, 10)}`}.`;
  const sign = html`<pre class="rules" tabindex="0">${text}</pre>${form(view, { does: "sign", submit: good ? "Sign again" : "Sign the rules", fields: ["agree"], hidden: { version } })}`;
  return card(
    "Rules",
    html`<p>${says}</p>`,
    good ? html`<details><summary>Read and sign again</summary>${sign}</details>` : sign,
  );
}

function placesCard(view: View, person: PersonView, own: boolean, may = own): Html {
  const { vo } = view.scene;
  const target: Readonly<Record<string, string>> = own ? {} : { person: person.id };
  const held = person.places.filter(({ state }) => state === "granted" || state === "asked");
  const button = (does: string, fqan: string, submit: string, shape: Partial<FormShape> = {}): Html =>
    form(view, {
      does,
      key: `${person.id} ${fqan}`,
      submit,
      tone: "quiet",
      about: fqan,
      hidden: { ...target, fqan },
      ...shape,
    });
  const rows = person.places.map(({ fqan, state, reason, actor, at }) => [
    html`<code>${breakable(fqan)}</code>`,
    tag(state),
    html`${reason}<small>${breakable(actor)}, ${minute(at)}</small>`,
    !may || (state !== "granted" && state !== "asked")
      ? ""
      : own
        ? button("give-up-place", fqan, state === "asked" ? "No longer ask" : "Give up")
        : state === "asked"
          ? html`${button("grant", fqan, "Grant")}${button("refuse-place", fqan, "Refuse", { fields: ["reason"], fold: "Refuse" })}`
          : button("revoke", fqan, "Take back", { fields: ["reason"], fold: "Take back" }),
  ]);
  const all = [
    ...vo.groups.filter((group) => group !== `/${vo.name}`),
    ...vo.groups.flatMap((group) => vo.roles.map((role) => `${group}/Role=${role}`)),
  ];
  const free = all.filter((fqan) => !held.some((one) => one.fqan === fqan));
  const more = own ? ({ does: "ask-place", submit: "Ask" } as const) : ({ does: "grant", submit: "Grant" } as const);
  return card(
    "Groups and roles",
    tabled(
      "Groups and roles",
      ["Group or role", "State", "Why, and by whom", ""],
      rows,
      "None beside the organization itself.",
    ),
    !may || free.length === 0 || !OPERATIONS.get(more.does)?.states?.includes(person.standing.state)
      ? ""
      : html`<h3>${own ? "Ask for more" : "Grant another"}</h3>${form(view, { ...more, key: own ? "" : person.id, hidden: target, fields: ["fqan", "reason"], choices: { fqan: choice(free) }, row: true })}`,
  );
}

function certificatesCard(view: View, person: PersonView, own: boolean, roles: readonly Role[] = ["self"]): Html {
  const target: Readonly<Record<string, string>> = own ? {} : { person: person.id };
  const decides = roles.some((role) => role !== "self" && role !== "person" && role !== "anybody");
  const button = (
    does: string,
    { certificate, subject }: CertificateView,
    submit: string,
    fields: readonly string[] = [],
  ): Html =>
    form(view, {
      does,
      key: `${person.id} ${certificate}`,
      submit,
      tone: "quiet",
      about: subject,
      hidden: { ...target, certificate },
      fields,
      ...(fields.length > 0 ? { fold: submit } : {}),
    });
  const buttons = (one: CertificateView): readonly Html[] => [
    ...(own && one.state === "asked" && !one.wanted ? [button("agree-certificate", one, "It is mine")] : []),
    ...(decides && one.state === "asked"
      ? [button("approve-certificate", one, "Approve", one.shown && one.wanted ? [] : ["unproven"])]
      : []),
    ...(one.state === "asked" ? [button("refuse-certificate", one, "Refuse")] : []),
    ...(one.state === "good" ? [button("suspend-certificate", one, "Suspend", ["reason"])] : []),
    ...(decides && one.state === "suspended" ? [button("resume-certificate", one, "Lift")] : []),
    ...(one.state === "good" || one.state === "suspended" ? [button("remove-certificate", one, "Remove")] : []),
  ];
  const rows = person.certificates.map((one) => [
    html`${breakable(one.subject)}<small>${one.kind === "token" ? "tokens of" : "under"} ${breakable(one.issuer ?? "any trusted authority")}</small>`,
    html`${tag(one.state)}${one.state === "asked" ? html`<small>${one.shown ? "its key was shown" : "its key was not shown yet"}; ${one.wanted ? "the member wants it" : "the member has not agreed yet"}</small>` : ""}`,
    html`${buttons(one)}`,
  ]);
  return card(
    "Certificates",
    tabled("Certificates", ["Name", "State", ""], rows, "None."),
    own
      ? form(view, {
          fold: "Ask for a further certificate",
          does: "ask-certificate",
          submit: "Ask",
          fields: ["pem", "reason"],
        })
      : "",
    !own && roles.some((role) => role === "manager" || role === "operator")
      ? form(view, {
          fold: "Give a further certificate",
          does: "add-certificate",
          submit: "Give",
          hidden: target,
          fields: ["subject", "ca", "reason"],
        })
      : "",
  );
}

const ISO = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;

export function historyTable(lines: readonly HistoryLine[]): Html {
  return tabled(
    "Record",
    ["When", "What", "Details", "By"],
    lines.map(({ at, kind, about, action, details, reason, actor }) => [
      minute(at),
      html`${kind}: ${action}${about === "" ? "" : html`<small>${breakable(about)}</small>`}`,
      html`${details.map(({ name, text }) => html`${name}: ${ISO.test(text) ? minute(text) : breakable(text)}<br>`)}${reason === "" ? "" : html`<em>${reason}</em>`}`,
      breakable(actor),
    ]),
    "Nothing is recorded.",
  );
}

function history(view: View, person: Person): Html {
  const lines = historyView(view.registration.book, view.scene.vo.name, person.id);
  return html`<details><summary>Everything recorded (${lines.length})</summary>${historyTable(lines)}</details>`;
}

/** What can be decided about somebody in his standing: operation, button, fields. */
const DECISIONS: readonly {
  readonly does: string;
  readonly in: readonly string[];
  readonly heading: string;
  readonly fields: readonly string[];
  readonly tone?: "danger";
  readonly only?: readonly Role[];
}[] = [
  { does: "approve", in: ["applicant"], heading: "Approve", fields: ["until", "reason"] },
  {
    does: "confirm-address",
    in: ["candidate"],
    heading: "Confirm the address by hand",
    fields: ["reason"],
    only: ["manager", "operator"],
  },
  { does: "deny", in: ["candidate", "applicant"], heading: "Deny", fields: ["reason"], tone: "danger" },
  {
    does: "renew",
    in: ["member", "unsigned", "suspended", "expired"],
    heading: "Renew the membership",
    fields: ["until", "reason"],
  },
  {
    does: "suspend",
    in: ["member", "unsigned", "expired", "candidate", "applicant"],
    heading: "Suspend",
    fields: ["reason"],
    tone: "danger",
  },
  { does: "resume", in: ["suspended"], heading: "Lift the suspension", fields: ["reason"] },
  {
    does: "remove",
    in: ["member", "unsigned", "suspended", "expired", "denied"],
    heading: "End the membership",
    fields: ["reason"],
    tone: "danger",
  },
];

/** @returns forms for what may be decided about a person now, each behind its own line */
export function decisions(view: View, person: Person, open: readonly string[] = []): Html {
  const roles = rolesOf(view.scene, person);
  const { state } = standing(view.scene, person);
  const shown = DECISIONS.filter(
    (one) =>
      one.in.includes(state) &&
      (one.only ?? (["representative", "manager", "operator"] as const)).some((role) => roles.includes(role)),
  );
  if (shown.length === 0) return html`<p class="help">There is nothing you could decide here.</p>`;
  return html`${shown.map(({ does, heading, fields, tone }) =>
    form(view, {
      does,
      key: person.id,
      submit: heading,
      fold: heading,
      about: `(${called(person)})`,
      open: open.includes(does),
      hidden: { person: person.id },
      fields,
      ...(tone === undefined ? {} : { tone }),
    }),
  )}`;
}

export function personPage(view: View, person: Person): Page {
  const { scene } = view;
  const shown = personView(scene, person);
  const roles = rolesOf(scene, person);
  const manages = roles.includes("manager") || roles.includes("operator");
  const { institutions } = organizationView(scene);
  const { name, email, institution, phone } = shown;
  const listed = [...new Set([...institutions.map((one) => one.name), ...(institution === "" ? [] : [institution])])];
  return {
    title: shown.name,
    body: html`<p><a href="${voPath(scene.vo.name, "/people")}">People</a></p><h1>${shown.name}</h1><p class="lead">${shown.subject}</p>
<div class="two"><div>${card("Standing", standingFacts(shown))}${card("Decide", decisions(view, person))}</div><div>${card(
      "Recorded",
      detailFacts(shown),
      form(view, {
        fold: "Mend what is recorded",
        does: "correct",
        submit: "Mend",
        hidden: { person: shown.id },
        fields: ["name", "email", "institution", "phone", "reason"],
        values: { name, email, institution, phone },
        ...(institutions.length === 0 ? {} : { choices: { institution: choice(listed) } }),
      }),
      manages
        ? html`${form(view, { fold: "Set an attribute", does: "set-attribute", submit: "Set", hidden: { owner: shown.id }, fields: ["name", "text"] })}</details>${shown.attributes.map((one) => form(view, { does: "remove-attribute", key: one.name, submit: `Remove ${one.name}`, tone: "quiet", hidden: { owner: shown.id, name: one.name } }))}`
        : "",
    )}</div></div>
${placesCard(view, shown, false, manages)}
${certificatesCard(view, shown, false, roles)}
${card("Record", history(view, person))}`,
  };
}
