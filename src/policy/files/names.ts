/**
 * How names stand in files of others. Rule of the house: a name is written in a form that only means itself, or it is left out and said. A
 * DN can never add a line, end its quotes early, or become a wildcard.
 */
import { ACCOUNT_PATTERN } from "../reading.ts";

/**
 * Between the quotes of a grid-mapfile, for Globus and LCMAPS alike: printable ASCII without quotes, a backslash only as `\xHH` (as OpenSSL
 * prints other octets), and no mark that LCMAPS takes for a wildcard.
 * Source: lcmaps_ban_dn(8) and lcmaps_voms_localaccount(8) (wildcards), Globus GSI grid-mapfile (quotes and `\x`).
 */
export function plainDn(name: string): boolean {
  return (
    name.startsWith("/") && name.length <= 1024 && /^(?:[^\\"*?[\]]|\\x[0-9A-F]{2})+$/.test(name) && isPrintable(name)
  );
}

/** Printable ASCII, no blank at either end. */
export function isPrintable(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}

export function isAccount(text: string): boolean {
  return ACCOUNT_PATTERN.test(text);
}

/** A role or a part of a group, in which nothing is special anywhere. */
export function isWord(text: string): boolean {
  return /^[A-Za-z0-9_.-]+$/.test(text);
}

/** `/fermilab/nova` */
export function isGroup(text: string): boolean {
  return /^(?:\/[A-Za-z0-9_.-]+)+$/.test(text);
}

/**
 * A text as Perl's regular expression for exactly itself, between slashes: everything but letters and digits with a backslash before it,
 * a blank as `\x20`, so that a line is cut nowhere inside.
 * @returns `null` for what is not printable ASCII
 */
export function asRegularExpression(text: string): string | null {
  if (!isPrintable(text)) return null;
  return text.replace(/[^A-Za-z0-9]/g, (mark) => (mark === " " ? "\\x20" : mark === '"' ? "\\x22" : `\\${mark}`));
}

/** A text in a comment: one line of printable ASCII, whatever it was. */
export function inComment(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (mark) => `<${mark.codePointAt(0)!.toString(16)}>`).slice(0, 300);
}

/** Order by code points, the same in every locale. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
