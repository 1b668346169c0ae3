/**
 * The mapping rule, compiled: first host pattern that matches gives the ordered groups; a person's own mapping (from the database, then
 * from the file) comes before them; else the first group whose FQAN rule covers the caller's. Pure.
 * Refused: matching groups by text prefix and host patterns by unescaped regular expressions, the original's faults.
 */
import { covers, type Fqan, parseFqan } from "../../src/grid/index.ts";
import type { GumsPolicy } from "../../src/recipes/index.ts";

export interface Mapping {
  readonly username: string;
  readonly groupname: string;
  /** Which rule decided, for the audit record. */
  readonly rule: string;
}

/** A manual mapping as the database has it. */
export interface ManualEntry {
  readonly account: string;
  readonly groupname: string;
}

export interface MappingQuestion {
  /** Normal form. */
  readonly subject: string;
  readonly fqan: Fqan | null;
  /** A host's DN or DNS name. */
  readonly host: string;
}

/** @returns a test for one pattern; `*` alone is any host, inside it any text without `.`, `/` or `=` */
function hostTest(pattern: string): (host: string) => boolean {
  if (pattern === "*") return () => true;
  const source = pattern
    .split("*")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[^./=]*");
  const expression = new RegExp(`^${source}$`, "i");
  // A pattern for names also meets a host that comes as a certificate's DN, by its common name.
  return pattern.startsWith("/")
    ? (host) => expression.test(host)
    : (host) => expression.test(host) || expression.test(/\/CN=(?:host\/)?([^/]+)$/.exec(host)?.[1] ?? "");
}

/**
 * @param manual looks a person up in the database's state
 * @returns the decision as a function; `null` is "nobody here"
 */
export function compilePolicy(
  policy: GumsPolicy,
  manual: (subject: string) => ManualEntry | undefined,
): (question: MappingQuestion) => Mapping | null {
  const groups = new Map(policy.groups.map((group) => [group.name, { ...group, rule: parseFqan(group.fqan) }]));
  const hosts = policy.hosts.map(({ match, use }) => ({
    match,
    test: hostTest(match),
    groups: use.flatMap((name) => groups.get(name) ?? []),
  }));
  const people = new Map(policy.manual.map((entry) => [entry.subject, entry]));
  return ({ subject, fqan, host }) => {
    const place = hosts.find((one) => one.test(host));
    if (place === undefined) return null;
    const recorded = manual(subject);
    if (recorded)
      return { username: recorded.account, groupname: recorded.groupname, rule: "manual mapping (database)" };
    const listed = people.get(subject);
    if (listed) return { username: listed.account, groupname: listed.group, rule: "manual mapping (policy)" };
    if (fqan === null) return null;
    const group = place.groups.find((one) => covers(one.rule, fqan));
    return group
      ? { username: group.account, groupname: group.group, rule: `group ${group.name} on ${place.match}` }
      : null;
  };
}
