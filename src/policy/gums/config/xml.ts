/**
 * XML as far as a `gums.config` needs it: elements with attributes, each with its line and column. No document type, so no entities but
 * the five of XML itself; no processing instructions; no text between elements; no namespaces.
 */
import { SaxesParser } from "saxes";

/** Larger files are refused unread, in characters. */
export const LONGEST_CONFIG = 16 * 1024 * 1024;

/** Deeper nesting than the schema has: root, section, element, and one for a message that says so. */
const DEEPEST = 4;

export interface Position {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

export interface XmlElement extends Position {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
}

export interface ConfigMistake extends Position {
  readonly says: string;
}

type Growing = XmlElement & { readonly children: XmlElement[] };

/** Thrown inside, to end at the first mistake: what follows one in XML follows from it. */
class Ended extends Error {
  readonly mistake: ConfigMistake;
  constructor(mistake: ConfigMistake) {
    super(mistake.says);
    this.mistake = mistake;
  }
}

/** @returns the root element, or what is wrong and where */
export function readXml(
  text: string,
):
  | { readonly root: XmlElement; readonly mistake?: never }
  | { readonly root?: never; readonly mistake: ConfigMistake } {
  if (text.length > LONGEST_CONFIG)
    return { mistake: { line: 1, column: 1, says: "larger than 16 MiB: that is no gums.config" } };
  try {
    return { root: parse(text) };
  } catch (error) {
    if (error instanceof Ended) return { mistake: error.mistake };
    throw error;
  }
}

function parse(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: false, position: true });
  const open: Growing[] = [];
  let root: XmlElement | null = null;
  const here = (): Position => ({ line: parser.line, column: Math.max(1, parser.column) });
  const end = (says: string): never => {
    throw new Ended({ ...here(), says });
  };
  const tags = new TagPositions(text);

  parser.on("error", (error) => end(error.message.replace(/^[^ ]*\d+:\d+: /, "").replace(/\.$/, "")));
  parser.on("doctype", () => end("a document type is not allowed: it could define entities"));
  parser.on("processinginstruction", ({ target }) => end(`a processing instruction (${target}) is not allowed`));
  parser.on("cdata", () => end("expected elements and no text"));
  parser.on("text", (found) => {
    if (found.trim() !== "") end("expected elements and no text");
  });
  parser.on("opentag", ({ name, attributes }) => {
    if (open.length >= DEEPEST) end("nested too deeply");
    const element: Growing = {
      name,
      ...tags.before(parser.position),
      attributes: new Map(Object.entries(attributes)),
      children: [],
    };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.write(text).close();
  return root ?? end("expected the element gums");
}

/** Where tags begin; asked in the order of the text, so that a long file is gone through once. */
class TagPositions {
  private readonly text: string;
  private line = 1;
  private lineStart = 0;
  private lineEnd: number;

  constructor(text: string) {
    this.text = text;
    this.lineEnd = text.indexOf("\n");
  }

  /** @param position behind the end of a tag */
  before(position: number): Position {
    const start = this.text.lastIndexOf("<", position - 1);
    while (this.lineEnd >= 0 && this.lineEnd < start) {
      this.line++;
      this.lineStart = this.lineEnd + 1;
      this.lineEnd = this.text.indexOf("\n", this.lineStart);
    }
    return { line: this.line, column: start - this.lineStart + 1 };
  }
}
