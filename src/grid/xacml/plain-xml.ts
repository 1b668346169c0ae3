/**
 * The XML that programs write, read fast: no comments, no CDATA, ASCII names, entities of XML only. Whatever else comes, or is wrong in any
 * way, is left to the strict reader, which alone refuses; a property test holds the two equal. It is here because the strict one takes five
 * times as long as everything else that is done for a decision together.
 *
 * Tags are read once and remembered: a client sends the same ones all day.
 */
import { Names } from "../names.ts";
import { attributeKey, type Growing, XML_LIMITS, type XmlElement } from "./xml.ts";

/**
 * What reads differently from how it is written (line ends), or is no character of XML; surrogates are left to the strict reader too. Looked
 * for in each text and in each tag that is new, not in the whole message: most of it is tags that are known.
 */
const UNUSUAL = /[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]|\]\]>/;
const DECLARATION = /^<\?xml version="1\.0"(?: encoding="(?:utf-8|UTF-8)")?\?>/;
const TAG =
  /^([A-Za-z_][\w.-]*)(?::([A-Za-z_][\w.-]*))?((?:[ \n\t]+[A-Za-z_:][\w.:-]*="[^"<\n\t]*"|[ \n\t]+[A-Za-z_:][\w.:-]*='[^'<\n\t]*')*)[ \n\t]*(\/?)$/;
const ATTRIBUTE = /([^\s=]+)=(?:"([^"]*)"|'([^']*)')/g;
const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
};
/** Prefixes whose meaning nobody may change. */
const RESERVED: ReadonlySet<string> = new Set(["xml", "xmlns"]);
const MEANT = /^http:\/\/www\.w3\.org\/(XML\/1998\/namespace|2000\/xmlns\/)/;

type Scope = ReadonlyMap<string, string>;

interface Tag {
  /** As written: what the closing tag must say. */
  readonly written: string;
  readonly prefix: string;
  readonly name: string;
  readonly plain: ReadonlyMap<string, string>;
  readonly prefixed: readonly (readonly [prefix: string, name: string, value: string])[];
  readonly declared: readonly (readonly [prefix: string, space: string])[];
  readonly empty: boolean;
}

/** @returns the text with its entities, `null` where there is one that is not XML's own */
function meaning(text: string): string | null {
  if (!text.includes("&")) return text;
  let known = true;
  const read = text.replace(/&[^;]*;?/g, (entity) => {
    const character = ENTITIES[entity];
    if (character === undefined) known = false;
    return character ?? "";
  });
  return known ? read : null;
}

function parseTag(inside: string): Tag | "unusual" {
  const match = UNUSUAL.test(inside) ? null : TAG.exec(inside);
  if (match === null) return "unusual";
  const [, first = "", second, rest = "", slash] = match;
  const plain = new Map<string, string>();
  const prefixed: [string, string, string][] = [];
  const declared: [string, string][] = [];
  const seen = new Set<string>();
  for (const [, name = "", double, single] of rest.matchAll(ATTRIBUTE)) {
    const value = meaning(double ?? single ?? "");
    if (value === null || seen.has(name)) return "unusual";
    seen.add(name);
    const parts = name.split(":") as [string, string?];
    if (parts.length > 2 || parts.some((part) => !/^[A-Za-z_]/.test(part ?? ""))) return "unusual";
    const [prefix, local] = parts;
    if (prefix === "xmlns" && local === undefined) declared.push(["", value]);
    else if (prefix === "xmlns") declared.push([local!, value]);
    else if (local === undefined) plain.set(name, value);
    else prefixed.push([prefix, local, value]);
  }
  if (seen.size > XML_LIMITS.attributes) return "unusual";
  for (const [prefix, space] of declared)
    if (RESERVED.has(prefix) || MEANT.test(space) || space.trim() !== space || (space === "" && prefix !== ""))
      return "unusual";
  const prefix = second === undefined ? "" : first;
  if (RESERVED.has(prefix) || prefixed.some(([one]) => RESERVED.has(one))) return "unusual";
  const written = second === undefined ? first : `${first}:${second}`;
  return { written, prefix, name: second ?? first, plain, prefixed, declared, empty: slash === "/" };
}

const tags = new Names(parseTag);

/** @returns the attributes with their namespaces; `null` when a prefix means nothing or two are the same */
function attributesIn(scope: Scope, { plain, prefixed }: Tag): Map<string, string> | null {
  if (prefixed.length === 0) return plain as Map<string, string>;
  const found = new Map(plain);
  for (const [prefix, name, value] of prefixed) {
    const space = scope.get(prefix);
    if (space === undefined || found.has(attributeKey(space, name))) return null;
    found.set(attributeKey(space, name), value);
  }
  return found;
}

/** An element that is not closed yet. */
interface Open {
  readonly element: Growing;
  readonly written: string;
  readonly scope: Scope;
  readonly outer: Open | null;
  readonly depth: number;
}

/** @returns the root element, or `null`: then the strict reader is to be asked */
export function readPlainXml(text: string): XmlElement | null {
  if (text.length > XML_LIMITS.characters) return null;
  let at = DECLARATION.exec(text)?.[0].length ?? 0;
  let open: Open | null = null;
  let root: Growing | null = null;
  for (let elements = 0; ; ) {
    const start = text.indexOf("<", at);
    if (start !== at) {
      const between = text.slice(at, start < 0 ? text.length : start);
      const read = UNUSUAL.test(between) ? null : meaning(between);
      if (read === null || (open === null && !/^[ \n\t]*$/.test(between))) return null;
      if (open !== null) open.element.text = open.element.text === "" ? read : open.element.text + read;
    }
    if (start < 0) return open === null ? root : null;
    if (text.charCodeAt(start + 1) === 0x2f) {
      if (open === null) return null;
      const end = start + 2 + open.written.length;
      if (text.charCodeAt(end) !== 0x3e || !text.startsWith(open.written, start + 2)) return null;
      open = open.outer;
      at = end + 1;
      continue;
    }
    // A `>` may stand in a value; then what is cut out is no whole tag, and the strict reader has it.
    const end = text.indexOf(">", start);
    if (end < 0) return null;
    const tag = tags.get(text.slice(start + 1, end));
    if (tag === "unusual" || (open === null && root !== null)) return null;
    const depth: number = open === null ? 0 : open.depth + 1;
    if (depth >= XML_LIMITS.depth || ++elements > XML_LIMITS.elements) return null;
    let scope: Scope = open === null ? NOTHING : open.scope;
    if (tag.declared.length > 0) scope = new Map([...scope, ...tag.declared]);
    const space = scope.get(tag.prefix) ?? (tag.prefix === "" ? "" : null);
    const attributes = attributesIn(scope, tag);
    if (space === null || attributes === null) return null;
    const element: Growing = { space, name: tag.name, attributes, children: [], text: "" };
    if (open !== null) open.element.children.push(element);
    root ??= element;
    if (!tag.empty) open = { element, written: tag.written, scope, outer: open, depth };
    at = end + 1;
  }
}

const NOTHING: Scope = new Map();
