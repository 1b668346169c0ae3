/**
 * XML as far as SOAP messages need it: elements with their namespaces, attributes and text. No document type, so no entities but the five of
 * XML itself and no bombs; no processing instructions; everything counted, so that a small message cannot become large work.
 * What is read is a tree of plain values: prefixes are gone, and nothing downstream can mistake one for a meaning.
 */
import { type SaxesAttributeNS, SaxesParser } from "saxes";
import { SoapRefused } from "./refusal.ts";

export interface XmlElement {
  /** Namespace; empty for none. */
  readonly space: string;
  /** Name without prefix. */
  readonly name: string;
  /** By name; those in a namespace by {@link attributeKey}. Declarations of namespaces are not among them. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All text directly inside, in one piece. */
  readonly text: string;
}

export interface XmlLimits {
  readonly characters: number;
  readonly depth: number;
  readonly elements: number;
  /** Of one element. */
  readonly attributes: number;
}

/** What one message may have at most; characters are the server's body limit. */
export const XML_LIMITS: XmlLimits = { characters: 64 * 1024, depth: 32, elements: 1024, attributes: 32 };

const DECLARATION = "http://www.w3.org/2000/xmlns/";

/** @returns under which key an attribute in a namespace stands; a blank is in no name */
export function attributeKey(space: string, name: string): string {
  return space === "" ? name : `${space} ${name}`;
}

export interface Growing extends XmlElement {
  readonly attributes: Map<string, string>;
  readonly children: Growing[];
  text: string;
}

/**
 * @param text a whole document
 * @throws {SoapRefused} for what is no well-formed XML of the kind above
 */
export function readStrictXml(text: string, limits: XmlLimits = XML_LIMITS): XmlElement {
  if (text.length > limits.characters) throw new SoapRefused(`a message has at most ${limits.characters} characters`);
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: Growing[] = [];
  let root: Growing | null = null;
  let elements = 0;
  let attributes = 0;
  const refuse = (says: string): never => {
    throw new SoapRefused(says);
  };
  parser.on("error", (error) => refuse(`no XML: ${error.message.replace(/\.$/, "").slice(0, 200)}`));
  parser.on("xmldecl", ({ version, encoding }) => {
    if (version !== undefined && version !== "1.0") refuse("expected XML 1.0");
    if (encoding !== undefined && !/^(utf-8|us-ascii)$/i.test(encoding)) refuse("expected UTF-8");
  });
  parser.on("doctype", () => refuse("a document type is not allowed: it could define entities"));
  parser.on("processinginstruction", () => refuse("a processing instruction is not allowed"));
  const add = (found: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += found;
  };
  parser.on("text", add);
  parser.on("cdata", add);
  // Counted as they come: the tag is whole only when all of them are read.
  parser.on("attribute", () => {
    if (++attributes > limits.attributes) refuse(`an element has at most ${limits.attributes} attributes`);
  });
  parser.on("opentag", (tag) => {
    attributes = 0;
    if (open.length >= limits.depth) refuse(`elements are nested at most ${limits.depth} deep`);
    if (++elements > limits.elements) refuse(`a message has at most ${limits.elements} elements`);
    const element: Growing = { space: tag.uri, name: tag.local, attributes: new Map(), children: [], text: "" };
    for (const { uri, local, value } of Object.values(tag.attributes) as SaxesAttributeNS[])
      if (uri !== DECLARATION) element.attributes.set(attributeKey(uri, local), value);
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.write(text).close();
  return root ?? refuse("no XML: expected an element");
}

/** @returns the children of this name */
export function childrenOf(element: XmlElement, space: string, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name && child.space === space);
}

/**
 * @returns the child of this name, `null` when it is not there
 * @throws {SoapRefused} when there are several: two readers could take different ones
 */
export function onlyChild(element: XmlElement, space: string, name: string): XmlElement | null {
  const found = childrenOf(element, space, name);
  if (found.length > 1) throw new SoapRefused(`${name} stands ${found.length} times where it is expected once`);
  return found[0] ?? null;
}

const MARKUP: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what no XML may contain
const SPECIAL = /[&<>"'\t\n\r]|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]/gu;

/** @returns the text as it may stand between tags and in attributes; what no XML can say becomes U+FFFD */
export function escapeXml(text: string): string {
  return text.replace(SPECIAL, (character) => MARKUP[character] ?? "\ufffd");
}
