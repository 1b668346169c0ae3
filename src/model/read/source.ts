/**
 * A file being read: its YAML with positions and anchors, and every mistake found in it, each said once. What YAML can do and no site
 * file needs (tags, several documents, anchors that contain themselves) is a mistake with a position, never a guess.
 */
import {
  Alias,
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { suggestion } from "./nearest.ts";

export interface Diagnostic {
  /** Name of the file as it was given. */
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** `hosts[1].memory`; empty for the whole file. */
  readonly path: string;
  readonly says: string;
}

/** @returns `site.yaml:7:11: hosts[1].memory: expected a size like 16 GiB`. */
export function formatDiagnostic(one: Diagnostic): string {
  return `${clip(one.file, 4096)}:${one.line}:${one.column}: ${one.path ? `${one.path}: ` : ""}${one.says}`;
}

/** A sentence, or how to make it: mistakes beyond the last that is shown should cost nothing. */
export type Sentence = string | (() => string);

/** Values read in one file, anchors unfolded: stops a small file from becoming a huge one. */
const MOST_VALUES = 1_000_000;
/** Mistakes reported for one file. */
const MOST = 200;

/** A place in a file: what stands there and how one gets there. */
export interface Place {
  readonly source: Source;
  readonly node: Node | null;
  readonly path: string;
  readonly depth: number;
  /** Where its key stands, for places whose value is missing. */
  readonly keyOffset: number | null;
}

/** Our words where those of the YAML library speak to programmers: the first that matches counts. */
const SYNTAX: readonly (readonly [code: YAMLError["code"], said: RegExp, says: string])[] = [
  ["TAB_AS_INDENT", /^/, "a tab cannot indent a line: use blanks"],
  ["MULTIPLE_DOCS", /^/, "a second document begins here: a file has one"],
  ["RESOURCE_EXHAUSTION", /^/, "nested too deeply"],
  ["TAG_RESOLVE_FAILED", /^/, "tags (words that begin with !) mean nothing here"],
  ["BAD_SCALAR_START", /character (.)/, "a text that begins with $1 needs quotes around it"],
  ["BLOCK_AS_IMPLICIT_KEY", /^Nested/, 'a second ": " in one value: put quotes around it, or mend the indentation'],
  ["BLOCK_AS_IMPLICIT_KEY", /^/, "the indentation fits nothing above"],
  ["BAD_INDENT", /end with an? (.)$/, "expected $1 before this: a bracket is not closed"],
  ["BAD_INDENT", /^/, "the indentation fits nothing above"],
  ["MISSING_CHAR", /quote$/, "a text in quotes has no end"],
  ["MISSING_CHAR", /end with an? (.)$/, "expected $1 before this: a bracket is not closed"],
  ["MISSING_CHAR", /^Implicit/, 'expected "key: value"'],
  ["MULTILINE_IMPLICIT_KEY", /^/, 'expected "key: value" in one line'],
  ["UNEXPECTED_TOKEN", /^/, "this does not belong here"],
];

function syntaxSentence({ code, message }: YAMLError): string {
  for (const [known, said, says] of SYNTAX) {
    const match = known === code ? said.exec(message) : null;
    if (match) return says.replace("$1", match[1] ?? "");
  }
  return message.split("\n")[0]!;
}

export class Source {
  readonly file: string;
  readonly diagnostics: Diagnostic[] = [];
  private readonly remarks: Diagnostic[] = [];
  private readonly said = new Set<string>();
  private readonly mistaken = new Set<string>();
  private overflow: Diagnostic | null = null;
  private budget = MOST_VALUES;
  private readonly lines = new LineCounter();
  private readonly contents: Node | null;
  private readonly anchored = new Map<Alias, Node>();

  constructor(file: string, text: string) {
    this.file = file;
    const document = this.parse(text);
    this.contents = (document?.contents as Node | null) ?? null;
    if (document && this.diagnostics.length === 0 && text.includes("*")) this.follow(document);
  }

  get top(): Place {
    return { source: this, node: this.contents, path: "", depth: 0, keyOffset: null };
  }

  /** Every mistake in the order of the file; the last one says so when there are more than anybody reads. */
  get found(): readonly Diagnostic[] {
    const inOrder = this.diagnostics.toSorted((a, b) => a.line - b.line || a.column - b.column);
    return this.overflow ? [...inOrder, this.overflow] : inOrder;
  }

  reportAt(offset: number, path: string, says: Sentence): void {
    this.blame(path);
    if (this.overflow) return;
    const full = this.diagnostics.length >= MOST;
    const words = full
      ? `there are more than ${MOST} mistakes; mend these first`
      : typeof says === "string"
        ? says
        : says();
    // Through an anchor the same line is read several times: its mistake is one.
    const key = `${offset} ${words}`;
    if (this.said.has(key)) return;
    this.said.add(key);
    const one = this.diagnosticAt(offset, full ? "" : path, words);
    if (full) this.overflow = one;
    else this.diagnostics.push(one);
  }

  /** Something that a person should know and that is no mistake: the file counts as it is. */
  remarkAt(offset: number, path: string, says: string): void {
    if (this.remarks.length < MOST) this.remarks.push(this.diagnosticAt(offset, path, says));
  }

  /** Every remark in the order of the file. */
  get remarked(): readonly Diagnostic[] {
    return this.remarks.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  private diagnosticAt(offset: number, path: string, says: string): Diagnostic {
    const { line, col } = this.lines.linePos(offset);
    return {
      file: this.file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      path: clip(path, 200),
      says: clip(says, 300),
    };
  }

  /** Remembers that what is read at a path, and around it, is not what was meant. */
  blame(path: string): void {
    for (
      let end = path.length;
      end > 0;
      end = Math.max(path.lastIndexOf(".", end - 1), path.lastIndexOf("[", end - 1))
    ) {
      const part = path.slice(0, end);
      if (this.mistaken.has(part)) return;
      this.mistaken.add(part);
    }
  }

  /** @returns whether nothing is wrong at a place or inside it: only then may others be judged by what it says. */
  isSound(path: string): boolean {
    return !this.mistaken.has(path);
  }

  lineOf(offset: number): number {
    return Math.max(1, this.lines.linePos(offset).line);
  }

  /** @returns false when the file unfolds into more values than any site has. */
  spend(values: number): boolean {
    this.budget -= values + 1;
    return this.budget > 0;
  }

  resolve(node: Node | null): Node | null {
    return node instanceof Alias ? (this.anchored.get(node) ?? null) : node;
  }

  private parse(text: string): Document.Parsed | null {
    // A broken file makes an Error for every other character; collecting the stack of each takes most of the time.
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      const document = parseDocument(text, {
        lineCounter: this.lines,
        prettyErrors: false,
        // Reported with their path while reading; the library compares every key with every other.
        uniqueKeys: false,
        merge: false,
        version: "1.2",
        schema: "core",
        resolveKnownTags: false,
      });
      const lines = new Set<number>();
      for (const error of [...document.errors, ...document.warnings]) {
        // What follows in the same line mostly follows from it.
        const line = this.lineOf(error.pos[0]);
        if (!lines.has(line)) this.reportAt(error.pos[0], "", syntaxSentence(error));
        lines.add(line);
      }
      return document;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.reportAt(0, "", "nested too deeply");
      return null;
    } finally {
      Error.stackTraceLimit = before;
    }
  }

  /** Finds what each alias stands for, once for the whole file. */
  private follow(document: Document.Parsed): void {
    const anchors = new Map<string, Node>();
    visit(document, {
      Node: (_key, node, path) => {
        if (!(node instanceof Alias)) {
          if (node.anchor) anchors.set(node.anchor, node);
          return;
        }
        const target = anchors.get(node.source);
        const offset = node.range?.[0] ?? 0;
        if (!target)
          this.reportAt(
            offset,
            "",
            `no anchor is called ${node.source}${suggestion(node.source, [...anchors.keys()])}`,
          );
        else if (path.includes(target)) this.reportAt(offset, "", `the anchor ${node.source} contains itself`);
        else this.anchored.set(node, target);
      },
    });
  }
}

/** @returns where to go on inside a place: as far as the keys (text) and entries (numbers) lead. */
export function inside(place: Place, ...keys: readonly (string | number)[]): Place {
  let here = place;
  for (const key of keys) {
    const node = here.source.resolve(here.node);
    if (typeof key === "number" && isSeq(node) && key < node.items.length)
      here = {
        ...here,
        node: node.items[key] as Node | null,
        path: `${here.path}[${key}]`,
        depth: here.depth + 1,
        keyOffset: node.range?.[0] ?? null,
      };
    else if (typeof key === "string" && isMap(node)) {
      const pair = (node.items as Pair<Node, Node | null>[]).find((one) => keyText(here.source, one) === key);
      if (!pair) return here;
      here = {
        ...here,
        node: pair.value,
        path: here.path ? `${here.path}.${key}` : key,
        depth: here.depth + 1,
        keyOffset: pair.key?.range?.[0] ?? null,
      };
    } else return here;
  }
  return here;
}

/** @returns the key of a pair as text; `null` when it is no plain key. */
export function keyText(source: Source, pair: Pair<Node, Node | null>): string | null {
  const key = source.resolve(pair.key);
  return isScalar(key) && key.value !== null && typeof key.value !== "object" ? String(key.value) : null;
}

/** Characters that would command a terminal or turn the direction of its text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters of a bad file must not reach a terminal
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

function clip(text: string, longest: number): string {
  const clean = text.slice(0, longest + 1).replace(UNPRINTABLE, "\ufffd");
  return clean.length > longest ? `${clean.slice(0, longest - 1)}…` : clean;
}
