/** Forms made from an operation's fields: labels, help, what was wrong beside the field, and the token that shows that the form is ours. */

import { type Content, type Html, html } from "../../../src/pages/index.ts";
import { type Field, LONGEST } from "../fields.ts";
import { OPERATIONS } from "../operations/index.ts";
import type { View } from "./view.ts";

export interface Choice {
  readonly value: string;
  readonly text: string;
}

export interface FormShape {
  /** Name of the operation. */
  readonly does: string;
  /** Tells forms of one page for the same operation apart. */
  readonly key?: string;
  /** What the button says. */
  readonly submit: string;
  readonly tone?: "quiet" | "danger";
  /** Said for those who do not see what the button stands beside. */
  readonly about?: string;
  readonly hidden?: Readonly<Record<string, string>>;
  /** Fields to be shown, in this order. */
  readonly fields?: readonly string[];
  readonly values?: Readonly<Record<string, string>>;
  readonly choices?: Readonly<Record<string, readonly Choice[]>>;
  /** Fields that are agreed to: what the box says, and what is sent. */
  readonly agree?: Readonly<Record<string, Choice>>;
  readonly before?: Content;
  /** In one line with the button. */
  readonly row?: boolean;
  /** Hidden behind this line until somebody opens it, or something was wrong in it. */
  readonly fold?: string;
  readonly open?: boolean;
}

/** How each kind is asked for, where it is not one line of text. */
const TYPES: Readonly<Record<string, string>> = { email: "email", phone: "tel", day: "date" };

/** @returns the form; after a refusal with what was written into it, and what was wrong */
export function form(view: View, shape: FormShape): Html {
  if (shape.fold === undefined) return plainForm(view, shape);
  const open = shape.open || isFailed(view, shape);
  const about = shape.about === undefined ? "" : html`<span class="hidden"> ${shape.about}</span>`;
  return html`<details${open ? html` open` : ""}><summary>${shape.fold}${about}</summary>${plainForm(view, shape)}</details>`;
}

const isFailed = ({ failed }: View, { does, key = "" }: FormShape): boolean =>
  failed?.does === does && failed.key === key;

function plainForm(view: View, shape: FormShape): Html {
  const { does, key = "", submit, tone, about, hidden = {}, fields = [], before, row = false } = shape;
  const failed = isFailed(view, shape) ? view.failed : null;
  const idOf = (name: string): string => `${does}-${key.replace(/[^A-Za-z0-9-]/g, "_")}-${name}`;
  const shown = fields.map((name) => field(shape, name, idOf(name), failed));
  const orphans = Object.entries(failed?.faults ?? {}).filter(([name]) => !fields.includes(name));
  const says =
    failed === null || (orphans.length === 0 && Object.keys(failed.faults).length > 0)
      ? []
      : orphans.length > 0
        ? orphans.map(([, one]) => one)
        : [failed.message];
  const button = html`<button${tone === undefined ? "" : html` class="${tone}"`}>${submit}${about === undefined ? "" : html`<span class="hidden"> ${about}</span>`}</button>`;
  const body = row ? html`<div class="row">${shown}<div>${button}</div></div>` : html`${shown}${button}`;
  return html`<form method="post" action="${view.path}#${idOf("form")}" id="${idOf("form")}">
${failed === null ? "" : html`<div class="said bad" role="alert">${says.length > 0 ? says.map((one) => html`<p>${one}</p>`) : html`<p>Nothing was done: see what is said beside the fields.</p>`}</div>`}
<input type="hidden" name="do" value="${does}"><input type="hidden" name="key" value="${key}"><input type="hidden" name="token" value="${view.token}">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}${before ?? ""}${body}</form>`;
}

function field(shape: FormShape, name: string, id: string, failed: View["failed"]): Html {
  const known: Field = OPERATIONS.get(shape.does)!.fields[name]!;
  const { label } = known;
  const wrong = failed?.faults[name];
  const value = failed?.given[name] ?? shape.values?.[name] ?? "";
  const described = [known.help === undefined ? "" : `${id}-help`, wrong === undefined ? "" : `${id}-wrong`].filter(
    Boolean,
  );
  const common = html`id="${id}" name="${name}"${known.required ? html` required` : ""}${described.length > 0 ? html` aria-describedby="${described.join(" ")}"` : ""}${wrong === undefined ? "" : html` aria-invalid="true"`}`;
  const notes = html`${known.help === undefined ? "" : html`<p class="help" id="${id}-help">${known.help}</p>`}${wrong === undefined ? "" : html`<p class="wrong" id="${id}-wrong">${wrong}</p>`}`;
  const agree = shape.agree?.[name] ?? (known.kind === "check" ? { value: "yes", text: label } : null);
  if (agree !== null)
    return html`<div class="field"><div class="check"><input type="checkbox" ${common} value="${agree.value}"><label for="${id}">${agree.text}</label></div>${notes}</div>`;
  const top = html`<label for="${id}">${label}${known.required ? "" : html` <span class="optional">(optional)</span>`}</label>${notes}`;
  return html`<div class="field">${top}${control(known, common, value, shape.choices?.[name])}</div>`;
}

function control(known: Field, common: Html, value: string, choices: readonly Choice[] | undefined): Html {
  const { kind, autocomplete } = known;
  if (choices !== undefined)
    return html`<select ${common}><option value="">Choose…</option>${choices.map((one) => html`<option value="${one.value}"${one.value === value ? html` selected` : ""}>${one.text}</option>`)}</select>`;
  if (kind === "essay" || kind === "pem")
    return html`<textarea ${common}${kind === "pem" ? html` class="pem" spellcheck="false"` : ""} rows="${kind === "pem" ? 8 : 3}">${value === "" ? "" : `\n${value}`}</textarea>`;
  const longest = LONGEST[kind];
  // Where "never" can be said, a field for days would not take it.
  const type = kind === "day" && known.help?.includes("never") ? "text" : (TYPES[kind] ?? "text");
  return html`<input type="${type}" ${common} value="${value}"${longest === undefined ? "" : html` maxlength="${longest}"`}${autocomplete === undefined ? "" : html` autocomplete="${autocomplete}"`}>`;
}
