/**
 * Which community a call belongs to. Shares are given to communities, so that one that floods takes nothing from the others. Who matches
 * no rule is a community of his own, by the name in his certificate: without any configuration each caller is kept apart from the next.
 * A VO is what the caller says; a rule that must not be claimed by others names certificates or addresses too. Pure.
 */
import { BlockList, isIPv6 } from "node:net";
import type { CommunityRule } from "../../src/recipes/index.ts";
import type { Query } from "./query.ts";

/** What is known of a call; the query is looked at only where a rule speaks of VOs. */
export interface Asking {
  readonly address: string;
  /** Common name in the certificate. */
  readonly peer: string;
  readonly query: Query | null;
}

export interface Belonging {
  readonly name: string;
  readonly share: number;
  /** No rule speaks of it. */
  readonly own: boolean;
}

export interface Classifier {
  readonly classify: (asking: Asking) => Belonging;
  /** Whether the query can matter: otherwise a connection's community is known once and for all. */
  readonly needsQuery: boolean;
}

/** FQANs of a call that are looked at. */
const FQANS = 16;

/** @param rules the first that matches counts; in a rule everything named must match, of each list one entry */
export function compileCommunities(rules: readonly CommunityRule[]): Classifier {
  const compiled = rules.map((rule) => ({
    belonging: { name: rule.name, share: rule.share, own: false },
    tests: [
      ...(rule.certificates.length === 0 ? [] : [certificateTest(rule.certificates)]),
      ...(rule.addresses.length === 0 ? [] : [addressTest(rule.addresses)]),
      ...(rule.vos.length === 0 ? [] : [voTest(rule.vos)]),
    ],
  }));
  return {
    needsQuery: rules.some((rule) => rule.vos.length > 0),
    classify: (asking) =>
      compiled.find(({ tests }) => tests.every((test) => test(asking)))?.belonging ?? {
        // Whose name nobody has checked is known by his address: a name of his choice could be another's.
        name: asking.peer === "" ? asking.address : asking.peer,
        share: 1,
        own: true,
      },
  };
}

type Test = (asking: Asking) => boolean;

/** `*` in a pattern is any text. */
function certificateTest(patterns: readonly string[]): Test {
  const expressions = patterns.map(
    (pattern) => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "i"),
  );
  return ({ peer }) => expressions.some((expression) => expression.test(peer));
}

function addressTest(ranges: readonly string[]): Test {
  const list = new BlockList();
  for (const range of ranges) {
    const [address, bits] = range.split("/") as [string, string | undefined];
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    list.addSubnet(address, Number(bits ?? (family === "ipv6" ? 128 : 32)), family);
  }
  return ({ address }) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

function voTest(vos: readonly string[]): Test {
  const wanted = new Set(vos);
  return ({ query }) =>
    query !== null &&
    (wanted.has(query.get("vo") ?? "") ||
      query
        .getAll("voms-fqan")
        .slice(0, FQANS)
        .some((fqan) => wanted.has(fqan.split("/", 2)[1] ?? "")));
}
