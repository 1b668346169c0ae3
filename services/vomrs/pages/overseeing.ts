/** For representatives and managers: what waits, who is there, the institutions. */

import { breakable, type Html, html } from "../../../src/pages/index.ts";
import { PAGE, type waitingOf } from "../operations/reading.ts";
import { STANDING_WORDS } from "../scene.ts";
import { form } from "./forms.ts";
import { decisions, historyTable } from "./person.ts";
import { card, day, facts, minute, type Page, personLink, standingTag, tabled, type View, voPath } from "./view.ts";

type Waiting = ReturnType<typeof waitingOf>;

export function waitingPage(view: View, waiting: Waiting): Page {
  const { vo, facts: known } = view.scene;
  const { applications, unconfirmed, places, certificates } = waiting;
  const nothing = applications.length + places.length + certificates.length === 0;
  const application = (person: Waiting["applications"][number]): Html =>
    card(
      person.name,
      facts([
        ["Institution", person.institution],
        ["E-mail", `${person.email} (confirmed)`],
        ["Telephone", person.phone],
        ["Certificate", person.subject],
        ["Comment", person.application?.comment ?? ""],
        ["Since", minute(person.application?.at ?? "")],
        ["More", personLink(vo.name, { id: person.id, name: "everything recorded" })],
      ]),
      decisions(view, known.people.get(person.id)!, ["approve"]),
    );
  const placeRows = places.map(({ person, fqan, reason, at }) => [
    personLink(vo.name, person),
    html`<code>${breakable(fqan)}</code><small>${reason}</small>`,
    minute(at),
    html`${form(view, { does: "grant", key: `${person.id} ${fqan}`, submit: "Grant", tone: "quiet", about: `${fqan} to ${person.name}`, hidden: { person: person.id, fqan } })}${form(view, { does: "refuse-place", key: `${person.id} ${fqan}`, submit: "Refuse", tone: "quiet", about: `${fqan} to ${person.name}`, hidden: { person: person.id, fqan }, fields: ["reason"], fold: "Refuse" })}`,
  ]);
  const certificateRows = certificates.map(({ person, subject, issuer, at, shown, wanted }) => [
    personLink(vo.name, person),
    html`${breakable(subject)}<small>under ${breakable(issuer ?? "any authority")}</small>`,
    html`${shown ? "its key was shown" : "its key was not shown yet"}<small>${wanted ? "the member wants it" : "the member has not agreed yet"}</small>`,
    minute(at),
  ]);
  return {
    title: "Waiting",
    body: html`<h1>Waiting for a decision</h1><p class="lead">${nothing ? "Nothing waits for you." : "Who has waited longest comes first."}</p>
${applications.length === 0 ? "" : html`<h2>Applications (${applications.length})</h2><div>${applications.map(application)}</div>`}
${places.length === 0 ? "" : card(`Groups and roles (${places.length})`, tabled("Groups and roles asked for", ["Who", "What", "Since", ""], placeRows, ""))}
${certificates.length === 0 ? "" : card(`Certificates (${certificates.length})`, html`<p class="help">Decide on the person's page.</p>`, tabled("Certificates asked for", ["Who", "Certificate", "Proof", "Since"], certificateRows, ""))}
${
  unconfirmed.length === 0
    ? ""
    : card(
        `Address not confirmed yet (${unconfirmed.length})`,
        tabled(
          "Not confirmed",
          ["Who", "E-mail", "Institution"],
          unconfirmed.map((one) => [personLink(vo.name, one), one.email, one.institution]),
          "",
        ),
      )
}`,
  };
}

export function peoplePage(view: View, found: ReturnType<typeof asFound>): Page {
  const { vo } = view.scene;
  const [q, state] = [view.query.get("q") ?? "", view.query.get("state") ?? ""];
  const link = (page: number): string => `?${new URLSearchParams({ q, state, page: String(page) })}`;
  const rows = found.people.map((one) => [
    html`${personLink(vo.name, one)}<small>${breakable(one.subject)}</small>`,
    html`${one.email}<small>${one.institution}</small>`,
    html`${standingTag(one.standing)}<small>${one.standing.until === null ? one.standing.says : `${one.standing.ends} until ${day(one.standing.until)}`}</small>`,
  ]);
  return {
    title: "People",
    body: html`<h1>People</h1><p class="lead">${found.total === 1 ? "One person" : `${found.total} people`}${q === "" && state === "" ? "" : " found"}.</p>
<form method="get" action="${view.path}" role="search" class="card"><div class="row"><div class="field"><label for="q">Search</label><input type="search" id="q" name="q" value="${q}" maxlength="200"></div><div class="field"><label for="state">Standing</label><select id="state" name="state"><option value="">Any</option>${Object.entries(
      STANDING_WORDS,
    )
      .filter(([value]) => value !== "visitor")
      .map(
        ([value, text]) => html`<option value="${value}"${value === state ? html` selected` : ""}>${text}</option>`,
      )}</select></div><div><button>Search</button></div></div></form>
${card("Found", tabled("People", ["Who", "E-mail and institution", "Standing"], rows, "Nobody."), found.pages < 2 ? "" : html`<nav class="pages" aria-label="Pages">${found.page > 1 ? html`<a href="${link(found.page - 1)}">Before</a>` : ""}<span>Page ${found.page} of ${found.pages}, ${PAGE} each</span>${found.page < found.pages ? html`<a href="${link(found.page + 1)}">Next</a>` : ""}</nav>`)}
${addCard(view)}`,
  };
}

function addCard(view: View): Html | "" {
  if (!view.scene.manages && view.scene.caller.site !== "operator") return "";
  return card(
    "Put somebody in",
    form(view, {
      fold: "Without an application",
      does: "add",
      submit: "Put in",
      fields: ["subject", "ca", "name", "email", "institution", "fqans", "until", "reason"],
    }),
  );
}

/** What the operation `people` found, as the page takes it. */
export function asFound(data: Readonly<Record<string, unknown>>) {
  return data as unknown as {
    readonly total: number;
    readonly page: number;
    readonly pages: number;
    readonly people: readonly PersonLine[];
  };
}
type PersonLine = Waiting["unconfirmed"][number];

export interface Institutions {
  readonly institutions: readonly {
    readonly name: string;
    readonly until: string | null;
    readonly over: boolean;
    readonly representatives: readonly string[];
    readonly members: number;
  }[];
  readonly attributes: readonly { readonly owner: string; readonly name: string; readonly text: string }[];
  readonly history: Parameters<typeof historyTable>[0];
}

export function institutionsPage(view: View, { institutions, attributes, history }: Institutions): Page {
  const { scene } = view;
  const manages = scene.manages || scene.caller.site === "operator";
  const rows = institutions.map(({ name, until, over, representatives, members }) => [
    html`${name}<small>${members === 0 ? "no members" : members === 1 ? "one member" : `${members} members`}</small>`,
    representatives.length === 0 ? "nobody" : representatives.map((one) => html`${breakable(one)}<br>`),
    html`${over ? html`<span class="tag bad">ended</span> ` : ""}${day(until)}`,
    manages
      ? form(view, {
          does: "set-institution",
          key: name,
          submit: "Record",
          tone: "quiet",
          about: name,
          hidden: { name },
          fields: ["until"],
          fold: "Change",
        })
      : "",
  ]);
  return {
    title: "Institutions",
    body: html`<h1>Institutions</h1><p class="lead">Which institutions vouch for people, and who speaks for them. Names are in the site file; ends are recorded here.</p>
${card("Institutions", tabled("Institutions", ["Institution", "Representatives", "Until", ""], rows, "The site file names none: managers decide about everybody."))}
${card(
  "Attributes of groups and roles",
  tabled(
    "Attributes",
    ["Of", "Attribute", ""],
    attributes.map(({ owner, name, text }) => [
      html`<code>${breakable(owner)}</code>`,
      html`<code>${name}</code> = ${text}`,
      manages
        ? form(view, {
            does: "remove-attribute",
            key: `${owner} ${name}`,
            submit: "Remove",
            tone: "quiet",
            about: `${name} of ${owner}`,
            hidden: { owner, name },
          })
        : "",
    ]),
    "None.",
  ),
  manages
    ? form(view, { fold: "Set one", does: "set-attribute", submit: "Set", fields: ["owner", "name", "text"] })
    : "",
)}
${card("Record of the organization", html`<details><summary>Everything recorded (${history.length})</summary>${historyTable(history)}</details>`)}
<p><a href="${voPath(scene.vo.name)}">To the organization</a></p>`,
  };
}
