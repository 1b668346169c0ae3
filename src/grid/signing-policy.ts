/**
 * Which subjects an authority may name: Globus' `.signing_policy` (EACL) and IGTF's `.namespaces`, the two files that stand beside each
 * authority's certificate. A file with a mistake is refused whole, with line and column; what is not permitted is denied; a
 * denial wins over a permission; where both kinds of file speak of an authority, both must permit.
 */
import { NameRefused, normalDn } from "./dn.ts";
import { GridRefused } from "./refused.ts";
import { expressionPattern, globPattern, matches, refusePattern, type SubjectPattern } from "./subject-pattern.ts";

export interface SigningPolicy {
  readonly kind: "signing-policy" | "namespaces";
  /** Normal form of the authority's name. */
  readonly authority: string;
  readonly permitted: readonly SubjectPattern[];
  readonly denied: readonly SubjectPattern[];
}

const CHARACTERS = 1024 * 1024;
const STATEMENTS = 4096;

interface Token {
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
  readonly column: number;
}

const END = "the end of the file";

function refuse(at: { readonly line: number; readonly column: number }, message: string): never {
  throw new GridRefused("policy-file", `${at.line}:${at.column}: ${message}`, { line: at.line, column: at.column });
}

/** Words and quoted texts; comments go; a backslash at the end of a line too. */
function tokenize(text: string): readonly Token[] {
  if (text.length > CHARACTERS) throw new GridRefused("limit", `a policy file of more than ${CHARACTERS} characters`);
  const tokens: Token[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const content = raw.replace(/\r$/, "");
    const line = index + 1;
    let at = 0;
    while (at < content.length) {
      const character = content[at]!;
      const column = at + 1;
      if (character === " " || character === "\t") at++;
      else if (character === "#") break;
      else if (character === "\\" && content.slice(at + 1).trim() === "") break;
      else if (character === '"' || character === "'") {
        const end = content.indexOf(character, at + 1);
        if (end < 0) refuse({ line, column }, `a ${character} that is not closed on its line`);
        tokens.push({ text: content.slice(at + 1, end), quoted: true, line, column });
        at = end + 1;
      } else {
        let end = at;
        while (end < content.length && !/[\s"'#]/.test(content[end]!)) end++;
        // Something that is neither blank nor word (a form feed) would stand still here.
        if (end === at) refuse({ line, column }, "a character that does not belong here");
        tokens.push({ text: content.slice(at, end), quoted: false, line, column });
        at = end;
      }
    }
  }
  return tokens;
}

class Tokens {
  readonly #tokens: readonly Token[];
  readonly #last: Token;
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
    const lines = text.split("\n");
    this.#last = { text: END, quoted: false, line: lines.length, column: lines.at(-1)!.length + 1 };
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  get peek(): Token {
    return this.#tokens[this.#at] ?? this.#last;
  }

  /** One of these words, in the letter case given or any. */
  word(words: readonly string[], anyCase = false): string {
    const token = this.peek;
    const found = words.find(
      (word) => word === token.text || (anyCase && word.toLowerCase() === token.text.toLowerCase()),
    );
    if (token.quoted || found === undefined) {
      const shown = token === this.#last ? END : `"${token.text.slice(0, 60)}"`;
      return refuse(token, `expected ${words.join(" or ")}, found ${shown}`);
    }
    this.#at++;
    return found;
  }

  quoted(what: string): Token {
    const token = this.peek;
    if (!token.quoted) refuse(token, `expected ${what} in quotation marks`);
    this.#at++;
    return token;
  }
}

function authorityName(token: Token, text: string): string {
  try {
    return normalDn(text);
  } catch (error) {
    if (error instanceof NameRefused) refuse(token, `not a name: ${error.message}`);
    throw error;
  }
}

/** `'"/C=x/*" "/C=y/*"'`: several in quotation marks inside the quotation marks; or one as it is. */
function globsOf(token: Token): readonly SubjectPattern[] {
  const start = token.column + 1;
  const found: SubjectPattern[] = [];
  const { text } = token;
  const first = text.search(/\S/);
  if (first < 0) refuse(token, "no subject");
  const stray = text.indexOf('"');
  if (text[first] !== '"' && text[first] !== "'" && stray >= 0)
    refuse({ line: token.line, column: start + stray }, "a quotation mark inside a subject");
  if (text[first] !== '"' && text[first] !== "'")
    return [globPattern(text.trim(), refusePattern(token.line, start + first))];
  for (let at = 0; at < text.length; ) {
    const mark = text[at]!;
    if (/\s/.test(mark)) {
      at++;
      continue;
    }
    const end = mark === '"' || mark === "'" ? text.indexOf(mark, at + 1) : -1;
    if (end < 0) return refuse({ line: token.line, column: start + at }, "expected a subject in quotation marks");
    found.push(globPattern(text.slice(at + 1, end), refusePattern(token.line, start + at + 1)));
    at = end + 1;
  }
  return found;
}

/**
 * Globus' format: `access_id_CA X509 '…'`, `pos_rights globus CA:sign`, `cond_subjects globus '"…" "…"'`, again and again. `neg_rights` is
 * refused: Globus passes over it, and passing over a denial is not an answer.
 * @throws {GridRefused} `policy-file` with line and column, `limit`
 */
export function parseSigningPolicy(text: string): readonly SigningPolicy[] {
  const tokens = new Tokens(text);
  const policies: SigningPolicy[] = [];
  do {
    if (policies.length === STATEMENTS) refuse(tokens.peek, `more than ${STATEMENTS} entries`);
    tokens.word(["access_id_CA"]);
    tokens.word(["X509"]);
    const name = tokens.quoted("the authority's name");
    const authority = authorityName(name, name.text.replace(/^\s*"(.*)"\s*$/, "$1"));
    const permitted: SubjectPattern[] = [];
    const denied: SubjectPattern[] = [];
    do {
      tokens.word(["pos_rights"]);
      tokens.word(["globus"]);
      tokens.word(["CA:sign"]);
      do {
        const kind = tokens.word(["cond_subjects", "cond_banned_subjects"]);
        tokens.word(["globus"]);
        (kind === "cond_subjects" ? permitted : denied).push(...globsOf(tokens.quoted("subjects")));
      } while (tokens.peek.text.startsWith("cond_"));
    } while (tokens.peek.text === "pos_rights");
    policies.push({ kind: "signing-policy", authority, permitted, denied });
  } while (!tokens.done);
  return policies;
}

/**
 * IGTF's format: `TO Issuer "…" PERMIT Subject "…"`, with expressions.
 * @param self normal form of the name of the authority beside whose certificate the file stands; what SELF means
 * @throws {GridRefused} `policy-file` with line and column, `limit`
 */
export function parseNamespaces(text: string, self: string | null = null): readonly SigningPolicy[] {
  const tokens = new Tokens(text);
  const policies: SigningPolicy[] = [];
  do {
    if (policies.length === STATEMENTS) refuse(tokens.peek, `more than ${STATEMENTS} statements`);
    tokens.word(["TO"], true);
    tokens.word(["Issuer"], true);
    let authority: string;
    if (!tokens.peek.quoted && tokens.peek.text.toLowerCase() === "self") {
      authority = self ?? refuse(tokens.peek, "SELF, but nobody said whose file this is");
      tokens.word(["SELF"], true);
    } else {
      const name = tokens.quoted("the authority's name");
      authority = authorityName(name, name.text);
    }
    const permits = tokens.word(["PERMIT", "DENY"], true) === "PERMIT";
    tokens.word(["Subject"], true);
    const subject = tokens.quoted("a subject");
    const pattern = [expressionPattern(subject.text, refusePattern(subject.line, subject.column + 1))];
    policies.push({ kind: "namespaces", authority, permitted: permits ? pattern : [], denied: permits ? [] : pattern });
  } while (!tokens.done);
  return policies;
}

/**
 * @param authority normal form
 * @param subject normal form of the name it signed
 * @param withoutPolicy what an authority may of which no policy speaks: nothing, unless told
 * @returns why it may not, or `null` when it may
 */
export function whyNotSigned(
  policies: readonly SigningPolicy[],
  authority: string,
  subject: string,
  withoutPolicy: "refuse" | "accept" = "refuse",
): string | null {
  const spoken = policies.filter((policy) => policy.authority === authority);
  if (spoken.length === 0) return withoutPolicy === "accept" ? null : `no signing policy speaks of ${authority}`;
  if (spoken.some(({ denied }) => denied.some((pattern) => matches(pattern, subject))))
    return `${authority} is denied to sign ${subject}`;
  for (const kind of new Set(spoken.map((policy) => policy.kind))) {
    const permits = spoken.filter((policy) => policy.kind === kind).flatMap(({ permitted }) => permitted);
    if (!permits.some((pattern) => matches(pattern, subject)))
      return `${authority} is not permitted to sign ${subject} by its ${kind === "namespaces" ? ".namespaces" : ".signing_policy"}`;
  }
  return null;
}
