/** What a page is made from, the frame around it, and small pieces that every page has. */

import { type Content, type Html, html } from "../../../src/pages/index.ts";
import type { Answer } from "../../http/index.ts";
import type { Registration } from "../doing.ts";
import { oversees, type Scene, STANDING_WORDS } from "../scene.ts";
import type { PersonView, StandingView } from "../views.ts";

/** A form that could not be carried out. */
export interface Failed {
  readonly does: string;
  readonly key: string;
  readonly given: Readonly<Record<string, string>>;
  readonly faults: Readonly<Record<string, string>>;
  readonly message: string;
  readonly status: number;
}

export interface View {
  readonly registration: Registration;
  readonly scene: Scene;
  /** Address of this page, without query. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  /** For its forms. */
  readonly token: string;
  /** What was done just now. */
  readonly said: string | null;
  readonly failed: Failed | null;
  /** Why what is shown may be old, or `null`. */
  readonly stale: string | null;
  /** Texts for people's computers. */
  readonly vomses: string;
  readonly lsc: { readonly name: string; readonly text: string };
}

export interface Page {
  readonly title: string;
  readonly body: Html;
}

export const voPath = (vo: string, rest = ""): string => `/voms/${encodeURIComponent(vo)}${rest}`;

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** A whole page. `menu` is empty where there is no organization to move about in. */
export function framed(
  { title, body }: Page,
  {
    menu = "",
    who = "",
    brand = "Virtual organizations",
    home = "/voms",
    notes = "",
  }: Partial<Record<"menu" | "who" | "notes", Content>> & { brand?: string; home?: string },
  status = 200,
): Answer {
  const page = html`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><link rel="stylesheet" href="/vomrs/style.css"><link rel="icon" href="/vomrs/icon.svg" type="image/svg+xml"></head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header class="bar"><div><a class="brand" href="${home}">${brand}</a><span class="who">${who}</span>${menu}</div></header>
<main id="content" tabindex="-1">
${notes}${body}
</main>
<footer><p>Everything that is done here is recorded with who did it, and shown to the person concerned.</p></footer>
</body>
</html>
`;
  return { status, body: page.text, type: "text/html; charset=utf-8", headers: HEADERS };
}

const MENU = [
  { path: "", text: "Organization", for: () => true },
  { path: "/apply", text: "Apply", for: (scene: Scene) => scene.caller.identity !== null && scene.self === null },
  { path: "/me", text: "My membership", for: (scene: Scene) => scene.self !== null || scene.claimedBy !== null },
  { path: "/waiting", text: "Waiting", for: oversees },
  { path: "/people", text: "People", for: oversees },
  { path: "/institutions", text: "Institutions", for: oversees },
] as const;

/** A page of an organization. */
export function framedIn(view: View, page: Page, status = 200): Answer {
  const { scene, path, said, stale } = view;
  const own = voPath(scene.vo.name);
  const links = MENU.filter((one) => one.for(scene)).map((one) => {
    const here = one.path === "" ? path === own : path.startsWith(`${own}${one.path}`);
    return html`<li><a href="${own}${one.path}"${here ? html` aria-current="page"` : ""}>${one.text}</a></li>`;
  });
  return framed(
    { ...page, title: `${page.title} · ${scene.vo.title}` },
    {
      brand: scene.vo.title,
      home: own,
      who: scene.caller.actor === "" ? "No certificate shown" : scene.caller.actor,
      menu: html`<nav aria-label="Organization"><ul>${links}</ul></nav>`,
      notes: html`${stale === null ? "" : note("warn", stale)}${said === null ? "" : note("", said)}`,
    },
    status,
  );
}

export function note(tone: "" | "bad" | "warn", says: Content): Html {
  return html`<div class="said ${tone}" role="${tone === "bad" ? "alert" : "status"}"><p>${says}</p></div>`;
}

export function card(heading: string, ...body: readonly Content[]): Html {
  return html`<section class="card"><h2>${heading}</h2>${body}</section>`;
}

/** Pairs of what and what it is; those without content are left out. */
export function facts(pairs: readonly (readonly [string, Content])[]): Html {
  return html`<dl>${pairs.filter(([, content]) => content !== "" && content !== null && !(Array.isArray(content) && content.length === 0)).map(([what, content]) => html`<dt>${what}</dt><dd>${content}</dd>`)}</dl>`;
}

/** @param label what it lists, for those who hear it */
export function tabled(
  label: string,
  heads: readonly string[],
  rows: readonly (readonly Content[])[],
  nothing: string,
): Html {
  if (rows.length === 0) return html`<p class="help">${nothing}</p>`;
  const head = (text: string): Content => (text === "" ? html`<span class="hidden">What can be done</span>` : text);
  // On narrow windows rows become blocks, which would be no table any more to those who hear it: so it is said what they are.
  const cells = (row: readonly Content[]): readonly Html[] =>
    row.map(
      (cell, at) =>
        html`<td role="cell"${at === 0 ? html` class="name"` : ""}${heads[at] === "" ? "" : html` data-head="${heads[at]}"`}>${cell}</td>`,
    );
  return html`<div class="wide" tabindex="0" role="region" aria-label="${label}"><table role="table"><thead role="rowgroup"><tr role="row">${heads.map((text) => html`<th scope="col" role="columnheader">${head(text)}</th>`)}</tr></thead><tbody role="rowgroup">${rows.map((row) => html`<tr role="row">${cells(row)}</tr>`)}</tbody></table></div>`;
}

/** A moment as people read it: a day, or a day and time. */
export function day(at: string | null, otherwise = "no end"): string {
  return at === null || at === "" ? otherwise : at.slice(0, 10);
}
export function minute(at: string): string {
  return at === "" ? "" : `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

const TONES: Readonly<Record<string, string>> = {
  member: "good",
  good: "good",
  granted: "good",
  applicant: "warn",
  candidate: "warn",
  unsigned: "warn",
  asked: "warn",
  suspended: "bad",
  expired: "bad",
  denied: "bad",
  refused: "bad",
};

export function tag(state: string, text = state): Html {
  return html`<span class="tag ${TONES[state] ?? ""}">${text}</span>`;
}

export function standingTag({ state }: Pick<StandingView, "state">): Html {
  return tag(state, STANDING_WORDS[state]);
}

export function personLink(vo: string, { id, name }: Pick<PersonView, "id" | "name">): Html {
  return html`<a href="${voPath(vo, `/people/${encodeURIComponent(id)}`)}">${name}</a>`;
}
