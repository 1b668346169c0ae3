/**
 * Messages of a form that was read before: a client sends the same five thousand octets all day, and only a dozen short texts in them change. The
 * form is remembered as a frame: what always stands there, and the places of what changes. A message that fits a frame octet for octet is read by
 * comparing and cutting, which takes a tenth of the time; whatever does not fit is read as a whole.
 *
 * A frame is not made by knowing what a message means: the texts are replaced by marks, the marked message is read by the reader of whole messages, and where
 * the marks come out is where the texts of later messages go. So there is one reader of meaning, and a frame cannot say anything else than it would.
 */
import { XML_LIMITS } from "./xml.ts";

/** One value, and who vouches for it. */
export interface Value {
  readonly text: string;
  readonly issuer: string | null;
}
/** Values by attribute id. */
export type Section = ReadonlyMap<string, readonly Value[]>;

/** What a message says, as far as frames go: sections of attributes, and what the query is called. */
export interface Framed {
  readonly id: string;
  readonly sections: readonly Section[];
}

/** A text as it stands, or the place of one that changes. */
type Slot = string | number;

interface Frame {
  /** What stands before, between and behind the changing texts. */
  readonly fixed: readonly string[];
  /** What ends each of them: `<` in elements, `"` in attributes. */
  readonly ends: readonly string[];
  readonly id: Slot;
  readonly sections: readonly (readonly (readonly [
    id: string,
    values: readonly (readonly [Slot, issuer: string | null])[],
  ])[])[];
}

/** Frames that are remembered, the last used first; forms that clients of a site have are two or three. */
const MOST = 8;
/** Of messages that fit no frame, one in so many is made one: making costs three readings. */
const EACH = 4;

const VALUE = /<((?:[A-Za-z_][\w.-]*:)?AttributeValue)(?:[ \t\n][^<>]*)?>([^<&]*)<\/\1>/g;
const QUERY = /<(?:[A-Za-z_][\w.-]*:)?XACMLAuthzDecisionQuery[ \t\n][^<>]*>/;
const CHANGING = /[ \t\n](?:ID|IssueInstant)="([^"<&]*)"/g;
/** What stands for itself in a text: neither markup nor an entity, nor anything that XML reads otherwise than it is written. */
const PLAIN = /^[\x20-\x25\x27-\x3b\x3d-\x7e]*$/;

interface Span {
  readonly from: number;
  readonly to: number;
  readonly end: string;
}

function spansOf(text: string): readonly Span[] {
  const spans: Span[] = [];
  const query = QUERY.exec(text);
  if (query !== null)
    for (const { index, 0: whole, 1: value } of query[0].matchAll(CHANGING)) {
      const to = query.index + index + whole.length - 1;
      spans.push({ from: to - value!.length, to, end: '"' });
    }
  for (const { index, 0: whole, 1: name, 2: value } of text.matchAll(VALUE)) {
    const to = index + whole.length - name!.length - 3;
    spans.push({ from: to - value!.length, to, end: "<" });
  }
  return spans.sort((a, b) => a.from - b.from);
}

export class Frames {
  readonly #read: (text: string) => Framed | null;
  #frames: Frame[] = [];
  #strangers = 0;

  /** @param read the reader of whole messages; `null` for what frames cannot hold; what it throws is thrown to nobody here */
  constructor(read: (text: string) => Framed | null) {
    this.#read = read;
  }

  /** @returns what the message says, or `null`: then it is to be read as a whole */
  read(text: string): Framed | null {
    for (const [index, frame] of this.#frames.entries()) {
      const values = fitting(frame, text);
      if (values === null) continue;
      if (index > 0) this.#frames = [frame, ...this.#frames.filter((one) => one !== frame)];
      return filled(frame, values);
    }
    return null;
  }

  /** To be told of a message that fitted no frame and was good. */
  learn(text: string): void {
    if (this.#strangers++ % EACH !== 0 || text.length > XML_LIMITS.characters) return;
    const frame = frameOf(text, this.#read);
    if (frame !== null) this.#frames = [frame, ...this.#frames].slice(0, MOST);
  }
}

/** @returns the changing texts, when everything else is as the frame has it */
function fitting({ fixed, ends }: Frame, text: string): string[] | null {
  const values: string[] = [];
  let at = 0;
  for (let index = 0; index < fixed.length; index++) {
    const part = fixed[index]!;
    const after = at + part.length;
    // Cut and compared: V8 compares whole words so, and single characters with startsWith.
    if (text.slice(at, after) !== part) return null;
    at = after;
    if (index === ends.length) break;
    const end = text.indexOf(ends[index]!, at);
    const value = text.slice(at, end);
    if (end < 0 || !PLAIN.test(value) || value.includes("]]>")) return null;
    values.push(value);
    at = end;
  }
  return at === text.length ? values : null;
}

function filled({ id, sections }: Frame, values: readonly string[]): Framed {
  const textOf = (slot: Slot): string => (typeof slot === "number" ? values[slot]! : slot);
  return {
    id: textOf(id),
    sections: sections.map(
      (section) =>
        new Map(
          section.map(([name, of]) => [name, of.map(([slot, issuer]) => ({ text: textOf(slot).trim(), issuer }))]),
        ),
    ),
  };
}

function frameOf(text: string, read: (text: string) => Framed | null): Frame | null {
  const spans = spansOf(text);
  // No mark is part of another one, or of the message.
  const mark = (index: number): string => `mark.${index}.`;
  if (spans.length === 0 || text.includes("mark.")) return null;
  const fixed: string[] = [];
  let marked = "";
  let at = 0;
  for (const [index, { from, to }] of spans.entries()) {
    fixed.push(text.slice(at, from));
    marked += text.slice(at, from) + mark(index);
    at = to;
  }
  fixed.push(text.slice(at));
  const said = read(marked + text.slice(at));
  if (said === null) return null;
  const places = new Map(spans.map((_, index) => [mark(index), index]));
  const slot = (value: string): Slot => places.get(value) ?? value;
  const frame: Frame = {
    // Flat copies: pieces of the message would keep all of it.
    fixed: fixed.map((part) => Buffer.from(part, "latin1").toString("latin1")),
    ends: spans.map(({ end }) => end),
    id: slot(said.id),
    sections: said.sections.map((section) =>
      [...section].map(
        ([name, of]) => [name, of.map(({ text: value, issuer }) => [slot(value), issuer] as const)] as const,
      ),
    ),
  };
  // A mark inside of a longer text would be taken for a text that never changes.
  return JSON.stringify(frame.sections).includes("mark.") || String(frame.id).includes("mark.") ? null : frame;
}
