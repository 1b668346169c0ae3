/** One page that stands alone: no scripts, nothing fetched, readable in ten years and without a network. */
import { type Content, type Html, html, raw } from "./html.ts";
import { BASE_STYLE, REPORT_STYLE } from "./style.ts";

export interface StandingPage {
  readonly title: string;
  /** What the reader should know first, in a sentence or two. */
  readonly lead: Content;
  /** What it is about and when: `["Site", "fermigrid-ha"]`. */
  readonly facts: readonly (readonly [term: string, says: Content])[];
  readonly body: Content;
  /** The last line: who made it, how to make it again. */
  readonly foot: Content;
}

/** Nothing may be fetched and nothing may run, whatever a name in a report says. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** @returns the whole file */
export function standingPage({ title, lead, facts, body, foot }: StandingPage): string {
  return html`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><title>${title}</title>
<style>${raw(BASE_STYLE)}${raw(REPORT_STYLE)}</style></head>
<body>
<a class="skip" href="#content">Skip to content</a>
<main id="content" tabindex="-1">
<header><h1>${title}</h1><p class="lead">${lead}</p>${facts.length > 0 && factsOf(facts)}</header>
${body}
</main>
<footer><p>${foot}</p></footer>
</body>
</html>
`.text;
}

function factsOf(facts: StandingPage["facts"]): Html {
  return html`<dl class="facts">${facts.map(([term, says]) => html`<div><dt>${term}</dt><dd>${says}</dd></div>`)}</dl>`;
}

/** A part of a page with a heading of its own. @param id for links to it */
export function section(heading: string, body: Content, id?: string): Html {
  return html`<section class="card"${id ? html` id="${id}"` : null}><h2>${heading}</h2>${body}</section>
`;
}

export type Tone = "good" | "bad" | "warn" | "plain";

/** A word that says how something ended; the colour only repeats it. */
export function tag(tone: Tone, says: string): Html {
  return html`<span class="tag ${tone}">${says}</span>`;
}

/** Something to be read before the rest. */
export function notice(tone: Exclude<Tone, "plain">, says: Content): Html {
  return html`<div class="said ${tone}"><p>${says}</p></div>`;
}
