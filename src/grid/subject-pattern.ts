/**
 * Patterns of subjects in signing policies, matched in time proportional to pattern times name whatever they are: the files come from
 * many authorities and the names from anybody. Two ways of writing become one list of steps: `*` and `?` (Globus), and the small part of
 * regular expressions that IGTF files use (literals, `.`, `[…]`, `\`, and `*`, `+`, `?` after one of them).
 */
import { GridRefused } from "./refused.ts";

interface Step {
  readonly fits: (character: string) => boolean;
  readonly once: boolean;
  readonly often: boolean;
}

export interface SubjectPattern {
  /** As it was written. */
  readonly text: string;
  readonly steps: readonly Step[];
}

export const PATTERN_LIMIT = 1024;

const anything = (): boolean => true;
const exactly =
  (wanted: string) =>
  (character: string): boolean =>
    character === wanted;

/** Spellings of types in patterns → those of the normal form, each only where a type can stand. */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/\/(?:e|email|emailaddress)=/gi, "/emailAddress="],
  [/\/(?:uid|userid)=/gi, "/UID="],
];

function respelled(text: string): string {
  return SPELLINGS.reduce((done, [from, to]) => done.replace(from, to), text);
}

/** The sentence, and how far into the pattern. */
type Refuse = (message: string, at: number) => never;

/**
 * Globus' way: `*` for any characters, `?` for one.
 * @param refuse called for what is not a pattern
 */
export function globPattern(text: string, refuse: Refuse): SubjectPattern {
  if (text.length > PATTERN_LIMIT) refuse(`a pattern has at most ${PATTERN_LIMIT} characters`, 0);
  const steps = [...respelled(text)].map((character): Step => {
    if (character === "*") return { fits: anything, once: false, often: true };
    return { fits: character === "?" ? anything : exactly(character), once: true, often: false };
  });
  return { text, steps };
}

function characterClass(text: string, from: number, refuse: Refuse): { fits: Step["fits"]; end: number } {
  const members = new Set<string>();
  let at = from + 1;
  const negated = text[at] === "^";
  if (negated) at++;
  for (const first = at; text[at] !== "]" || at === first; at++) {
    if (at >= text.length) refuse("a [ without its ]", from);
    if (text[at] === "\\") at++;
    const low = text.charCodeAt(at);
    let high = low;
    if (text[at + 1] === "-" && text[at + 2] !== "]" && at + 2 < text.length) {
      at += 2;
      high = text.charCodeAt(at);
    }
    if (!(low <= high && high < 0x80)) refuse("a range that is none", at);
    for (let code = low; code <= high; code++) members.add(String.fromCharCode(code));
  }
  return { fits: (character) => members.has(character) !== negated, end: at };
}

/**
 * IGTF's way.
 * @param refuse called for what is not a pattern, and for groups, alternatives and counts, which no such file needs
 */
export function expressionPattern(source: string, refuse: Refuse): SubjectPattern {
  if (source.length > PATTERN_LIMIT) refuse(`a pattern has at most ${PATTERN_LIMIT} characters`, 0);
  const text = respelled(source);
  const steps: Step[] = [];
  // The whole name is matched anyway.
  const end = text.endsWith("$") && !text.endsWith("\\$") ? text.length - 1 : text.length;
  for (let at = text.startsWith("^") ? 1 : 0; at < end; at++) {
    const character = text[at]!;
    let fits: Step["fits"];
    if (character === ".") fits = anything;
    else if (character === "[") ({ fits, end: at } = characterClass(text, at, refuse));
    else if (character === "\\") {
      at++;
      // \d, \w and the like mean sets elsewhere: taken for letters they would permit the wrong names.
      if (at >= end || /[A-Za-z0-9]/.test(text[at]!)) return refuse(`"\\${text[at] ?? ""}" is not supported`, at);
      fits = exactly(text[at]!);
    } else if (/[(){}|^$*+?]/.test(character)) return refuse(`"${character}" is not supported here`, at);
    else fits = exactly(character);
    const next = at + 1 < end ? text[at + 1] : undefined;
    if (next === "*" || next === "+" || next === "?") at++;
    steps.push({ fits, once: next !== "*" && next !== "?", often: next === "*" || next === "+" });
  }
  return { text: source, steps };
}

/** @returns whether the pattern covers the whole name */
export function matches(pattern: SubjectPattern, name: string): boolean {
  const { steps } = pattern;
  // Which steps may come next: a set of positions, moved along by each character.
  let current = new Uint8Array(steps.length + 1);
  const skip = (positions: Uint8Array): void => {
    for (let at = 0; at < steps.length; at++) if (positions[at] && !steps[at]!.once) positions[at + 1] = 1;
  };
  current[0] = 1;
  skip(current);
  for (const character of name) {
    const following = new Uint8Array(steps.length + 1);
    for (let at = 0; at < steps.length; at++) {
      if (!current[at] || !steps[at]!.fits(character)) continue;
      following[at + 1] = 1;
      if (steps[at]!.often) following[at] = 1;
    }
    skip(following);
    current = following;
  }
  return current[steps.length] !== 0;
}

/** @returns a {@link Refuse} that says the file's position */
export function refusePattern(line: number, column: number): Refuse {
  return (message, at) => {
    throw new GridRefused("policy-file", `${line}:${column + at}: ${message}`, { line, column: column + at });
  };
}
