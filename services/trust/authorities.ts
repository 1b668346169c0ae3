/**
 * A directory as `/etc/grid-security/certificates` is: certificates of authorities, and beside each, by the name before the last dot, its
 * revocation list and what it may sign. Names are hashes, or anything.
 *
 * What cannot be read is passed over, but never so that more is believed: an authority beside which a list or a policy stands that nobody can read
 * is one whose list is unknown, or that may sign nothing; so is one of which the policy beside it does not speak. A list that has become unreadable counts as it was last, until its own time ends.
 */
import { basename, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type Certificate,
  fingerprintOf,
  parseNamespaces,
  parseSigningPolicy,
  type RevocationList,
  readCertificate,
  readPemCertificates,
  readRevocationList,
  type SigningPolicy,
} from "../../src/grid/index.ts";
import { type Kept, namesIn, type Shelf } from "./shelf.ts";

export interface Authorities {
  readonly anchors: readonly Certificate[];
  readonly lists: readonly RevocationList[];
  readonly policies: readonly SigningPolicy[];
  /** Path → what is wrong with it. */
  readonly faults: ReadonlyMap<string, string>;
}

const MEBIBYTE = 1024 * 1024;
/** Files in the directory; a whole IGTF distribution has about a thousand. */
const FILES = 8192;
/** Certificates in one file; collections of public authorities have about 150. */
const CERTIFICATES = 512;

const isPem = (content: Buffer): boolean => content.includes("-----BEGIN ");

/** A policy says SELF of whom it stands beside: it is read when the certificates are known. */
interface PolicyText {
  readonly text: string;
  readonly parse: (text: string, self: string | null) => readonly SigningPolicy[];
}

type Content =
  | { readonly kind: "certificates"; readonly certificates: readonly Certificate[] }
  | { readonly kind: "list"; readonly list: RevocationList }
  | { readonly kind: "policy"; readonly policy: PolicyText };

interface Kind {
  readonly name: RegExp;
  readonly kind: Content["kind"];
  readonly octets: number;
  /** What restricts goes on while its file is being spoiled; what permits does not. */
  readonly keepLast: boolean;
  readonly parse: (content: Buffer) => Content;
}

const policyKind = (name: RegExp, parse: PolicyText["parse"]): Kind => ({
  name,
  kind: "policy",
  octets: MEBIBYTE,
  keepLast: false,
  parse: (content) => ({ kind: "policy", policy: { text: content.toString("utf8"), parse } }),
});

const KINDS: readonly Kind[] = [
  {
    name: /\.(?:pem|crt|cer|[0-9]{1,3})$/,
    kind: "certificates",
    octets: 4 * MEBIBYTE,
    keepLast: false,
    parse: (content) => ({
      kind: "certificates",
      certificates: isPem(content)
        ? readPemCertificates(content.toString("latin1"), CERTIFICATES)
        : [readCertificate(content)],
    }),
  },
  {
    name: /\.(?:crl|r[0-9]{1,3})$/,
    kind: "list",
    octets: 32 * MEBIBYTE,
    keepLast: true,
    parse: (content) => ({
      kind: "list",
      list: readRevocationList(isPem(content) ? content.toString("latin1") : content),
    }),
  },
  policyKind(/\.signing_policy$/, (text) => parseSigningPolicy(text)),
  policyKind(/\.namespaces$/, parseNamespaces),
];

const stemOf = (path: string): string => basename(path).replace(/\.[^.]*$/, "");

/** Stands for a list that is there and says nothing: it never begins, so that asking it is answered with "unknown". */
function unreadableList({ subject, tbs, algorithm, signature }: Certificate): RevocationList {
  return {
    issuer: subject,
    thisUpdate: Number.POSITIVE_INFINITY,
    nextUpdate: Number.NEGATIVE_INFINITY,
    revoked: new Map(),
    ...{ tbs, algorithm, signature },
  };
}

/** Stands for a policy that is there and that nobody can read: it permits nothing. */
function unreadablePolicy({ subject }: Certificate, path: string): SigningPolicy {
  const kind = path.endsWith(".namespaces") ? "namespaces" : "signing-policy";
  return { kind, authority: subject.normal, permitted: [], denied: [] };
}

/** Everything read, as one set. */
function assemble(found: readonly (readonly [Kind, Kept<Content>])[]): Authorities {
  const faults = new Map(found.flatMap(([, { path, fault }]) => (fault === null ? [] : [[path, fault] as const])));
  const anchors = new Map<string, Certificate>();
  const byStem = new Map<string, Certificate[]>();
  for (const [, { path, value }] of found)
    if (value?.kind === "certificates")
      for (const read of value.certificates) {
        const print = fingerprintOf(read);
        // The same one by its hash and by its name: one object, which remembers what was verified by it.
        const one = anchors.get(print) ?? read;
        anchors.set(print, one);
        byStem.set(stemOf(path), [...(byStem.get(stemOf(path)) ?? []), one]);
      }
  const beside = (path: string): readonly Certificate[] => byStem.get(stemOf(path)) ?? [];
  const lists: RevocationList[] = [];
  const policies: SigningPolicy[] = [];
  for (const [{ kind }, { path, value }] of found) {
    if (value?.kind === "list") lists.push(value.list);
    else if (kind === "list") lists.push(...beside(path).map(unreadableList));
    else if (kind === "policy") {
      try {
        if (value?.kind !== "policy") throw new Error(faults.get(path) ?? "it cannot be read");
        const read = value.policy.parse(value.policy.text, beside(path)[0]?.subject.normal ?? null);
        policies.push(...read);
        // A slip in the name must not set an authority free.
        const spoken = new Set(read.map(({ authority }) => authority));
        const forgotten = beside(path).filter(({ subject }) => !spoken.has(subject.normal));
        policies.push(...forgotten.map((one) => unreadablePolicy(one, path)));
        for (const { subject } of forgotten) faults.set(path, `it does not speak of ${subject.normal} beside it`);
      } catch (error) {
        faults.set(path, (error as Error).message);
        policies.push(...beside(path).map((one) => unreadablePolicy(one, path)));
      }
    }
  }
  return { anchors: [...anchors.values()], lists, policies, faults };
}

/**
 * @returns how to make the set of everything the directory says, once the shelf says that something changed; `null` when there is no
 *   such directory
 * @throws Error when it cannot be listed
 */
export async function readAuthorities(shelf: Shelf, directory: string): Promise<(() => Authorities) | null> {
  const names = await namesIn(directory, FILES);
  if (names === null) return null;
  const found: (readonly [Kind, Kept<Content>])[] = [];
  for (const name of names) {
    const kind = KINDS.find((one) => one.name.test(name));
    if (kind === undefined) continue;
    found.push([kind, await shelf.take<Content>({ path: join(directory, name), ...kind })]);
    // Reading a long list takes a while: decisions come first.
    await nextTurn();
  }
  return () => assemble(found);
}
