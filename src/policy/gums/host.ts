/**
 * Which host rule speaks of an asking host. Patterns: `*` alone is any host; inside a pattern it is any text without `.`, `/` and `=`;
 * everything else, the dot too, means itself; letter case does not count. A pattern that starts with `/` is compared with the host's whole
 * DN; any other with its DNS name, or the CN of its DN, with or without `host/` before it.
 * Refused: the original's regular expressions, in which a dot was any letter.
 */
import { nameOrNull, parseOneline } from "../../grid/index.ts";
import type { HostRule } from "./model.ts";

/** Characters a `*` never stands for. */
const STOPS = new Set([".", "/", "="]);

/**
 * @param pattern small letters
 * @param text small letters
 */
function matches(pattern: string, text: string): boolean {
  let at = 0;
  let read = 0;
  let star = -1;
  let taken = 0;
  // Going back to the last star alone is enough: stops pin every star to one part of the name.
  while (read < text.length) {
    if (pattern[at] === "*") {
      star = at++;
      taken = read;
    } else if (pattern[at] === text[read]) {
      at++;
      read++;
    } else if (star >= 0 && !STOPS.has(text[taken]!)) {
      at = star + 1;
      read = ++taken;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** @returns the names under which a host is looked for: of a DN itself, its CN, and its CN without `host/`; small letters */
export function hostNames(host: string): readonly string[] {
  const whole = host.toLowerCase();
  if (!whole.startsWith("/")) return [whole];
  const last = nameOrNull(() => parseOneline(host))?.at(-1);
  if (last?.type !== "CN") return [whole];
  const common = last.value.toLowerCase();
  // A CN that looks like a DN is no DNS name.
  if (common.startsWith("/")) return [whole];
  return common.startsWith("host/") ? [whole, common, common.slice(5)] : [whole, common];
}

/** @returns whether one pattern speaks of a host of these names */
export function patternMatches(pattern: string, names: readonly string[]): boolean {
  if (pattern === "*") return true;
  const small = pattern.toLowerCase();
  return names.some((name) => small.startsWith("/") === name.startsWith("/") && matches(small, name));
}

/** Hosts whose rule is remembered; a site asks from as many as it has, anybody else makes it forget. */
const REMEMBERED = 20_000;

/**
 * @returns a look-up of the first rule that speaks of a host, as its place in the list; `-1` where none does. Names without `*` are found
 * by name; the others are tried in order, and the answer is remembered.
 */
export function compileHosts(rules: readonly HostRule[]): (host: string) => number {
  const exact = new Map<string, number>();
  const wild: { readonly pattern: string; readonly rule: number }[] = [];
  rules.forEach((rule, index) => {
    for (const pattern of rule.match) {
      const small = pattern.toLowerCase();
      if (small.includes("*")) wild.push({ pattern: small, rule: index });
      else if (!exact.has(small)) exact.set(small, index);
    }
  });
  const remembered = new Map<string, number>();
  return (host) => {
    const known = remembered.get(host);
    if (known !== undefined) return known;
    const names = hostNames(host);
    let first = rules.length;
    for (const name of names) first = Math.min(first, exact.get(name) ?? first);
    const better = wild.find(({ pattern, rule }) => rule < first && patternMatches(pattern, names));
    const found = better?.rule ?? (first < rules.length ? first : -1);
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(host, found);
    return found;
  };
}
