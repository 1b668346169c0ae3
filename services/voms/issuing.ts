/**
 * One request for attributes: who is it (a path under a trusted authority, proxies and all), of which organization, in good standing, not banned;
 * what is he given; signed and written down. Everything is decided from memory.
 */
import type { KeyObject } from "node:crypto";
import {
  type AttributeCertificate,
  attributeCertificatesOf,
  type Certificate,
  formatFqan,
  type GenericAttribute,
  GridRefused,
  issueAttributeCertificate,
  parseFqan,
  readPemCertificates,
  type ValidPath,
  verifyAttributeCertificate,
} from "../../src/grid/index.ts";
import { sazKey } from "../../src/policy/index.ts";
import type { VomsServerName } from "../../src/recipes/index.ts";
import {
  type Granting,
  grant,
  type Person,
  placesOf,
  type Standing,
  standingOf,
  type VoDefinition,
  whyNotUsable,
} from "../../src/vo/index.ts";
import type { DecisionRecord } from "../audit/index.ts";
import { quote, quotedNow } from "../deciding/index.ts";
import type { Call } from "../http/index.ts";
import type { Freshness } from "../serving/index.ts";
import type { VoBook } from "../vo/index.ts";
import type { AttributeRequest } from "./request.ts";
import type { Failure, Outcome, Warning } from "./words.ts";

/** What VOMS signs with; replaced as a whole when certificates are renewed. */
export interface Signer {
  readonly certificate: Certificate;
  readonly key: KeyObject;
  /** The authority of the certificate, PEM. */
  readonly authority: string;
}

export interface IssuingParts {
  readonly book: VoBook;
  /** Why something is banned by SAZ, or `undefined`. */
  readonly banned: (key: string) => string | undefined;
  /** @returns `null` when nothing was shown. @throws {GridRefused} */
  readonly pathOf: (peer: Call["peer"]) => ValidPath | null;
  readonly signer: () => Signer;
  readonly server: VomsServerName;
  readonly holderForm: "subject" | "issuer";
  readonly audit: DecisionRecord;
  readonly freshness: () => Freshness;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Why there is nothing to be had, thrown inside of this file alone. */
class NotIssued extends Error {
  readonly failure: Failure;
  constructor(failure: Failure, says: string) {
    super(says);
    this.failure = failure;
  }
}

interface Asked {
  readonly subject: string;
  readonly ca: string;
  readonly vo: string;
  readonly fqans: readonly string[];
  readonly attributes: readonly GenericAttribute[];
  readonly seconds: number;
  readonly warnings: readonly Warning[];
}

/** Who the standing makes unknown, and whom it keeps from using his membership. */
const FAILURE_OF: Readonly<Record<Exclude<Standing["state"], "member">, Failure>> = {
  visitor: "unknown",
  candidate: "unknown",
  applicant: "unknown",
  denied: "unknown",
  removed: "unknown",
  unsigned: "suspended",
  suspended: "suspended",
  expired: "suspended",
};

const DIALECTS = { rest: "voms-rest", legacy: "voms-legacy" } as const;

export type Issue = (request: AttributeRequest, call: Call, dialect: keyof typeof DIALECTS) => Outcome;

export function compileIssuing(parts: IssuingParts): Issue {
  const { audit, now } = parts;
  return (request, call, dialect) => {
    const at = now();
    let subject = "";
    const record = (decision: string, about: string, reason: string): void =>
      audit.write(
        `{"at":${quotedNow()},"subject":${quote(subject)},${about}"decision":"${decision}","reason":${quote(reason)},"from":${quote(call.from)},"dialect":"${DIALECTS[dialect]}"}`,
      );
    try {
      const fresh = parts.freshness();
      if (fresh.state === "stale") throw new NotIssued("unable", fresh.says);
      const path = pathOf(parts, call);
      subject = path.identity;
      const asked = decide(parts, path, request, at);
      const ac = sign(parts, path, asked, request, at);
      const fqans = asked.fqans.map(quote).join();
      record("issued", `"ca":${quote(asked.ca)},"vo":${quote(asked.vo)},"fqans":[${fqans}],`, `${asked.seconds} s`);
      return { ac, warnings: asked.warnings };
    } catch (error) {
      if (!(error instanceof NotIssued)) throw error;
      record("refused", "", error.message);
      return { failure: error.failure, says: error.message };
    }
  };
}

function pathOf(parts: IssuingParts, { peer }: Call): ValidPath {
  try {
    const path = parts.pathOf(peer);
    if (path === null) throw new NotIssued("unknown", "no certificate was shown");
    if (path.rights === "independent")
      throw new NotIssued("unknown", "an independent proxy has none of its owner's attributes");
    return path;
  } catch (error) {
    if (error instanceof GridRefused) throw new NotIssued("unknown", `the certificate is not taken: ${error.message}`);
    throw error;
  }
}

/** The organization that is asked: the one the attributes are of; where none are named, the only one there is, or the only one he is in. */
function organizationOf({ book }: IssuingParts, path: ValidPath, { wishes }: AttributeRequest): VoDefinition {
  const named = new Set(wishes.flatMap(({ group }) => (group === null ? [] : [group.split("/")[1] ?? ""])));
  if (named.size > 1) throw new NotIssued("malformed", "attributes of one organization are given at a time");
  const [name] = named;
  const all = book.definitions;
  if (name === undefined) {
    const own = all.filter((vo) => book.holder(vo.name, path.identity, path.endEntity.issuer.normal) !== undefined);
    const only = all.length === 1 ? all[0] : own.length === 1 ? own[0] : undefined;
    if (only === undefined)
      throw new NotIssued(
        "malformed",
        `say of which organization: ${all.map((vo) => vo.name).join(", ") || "there is none"}`,
      );
    return only;
  }
  const vo = book.definition(name);
  if (vo === undefined) throw new NotIssued("unknown", `${name}: no organization here is called so`);
  return vo;
}

function decide(parts: IssuingParts, path: ValidPath, request: AttributeRequest, at: number): Asked {
  const { book, banned } = parts;
  const { identity: subject } = path;
  const ca = path.endEntity.issuer.normal;
  const vo = organizationOf(parts, path, request);
  const facts = book.facts(vo.name);
  const person = book.holder(vo.name, subject, ca);
  const standing = standingOf(vo, facts, person, at);
  if (person === undefined || standing.state !== "member") {
    const failure = standing.state === "member" ? "unknown" : FAILURE_OF[standing.state];
    throw new NotIssued(failure, sentence(vo, failure, standing.says));
  }
  const identity = [...person.identities.values()].find(
    (one) => one.kind === "certificate" && one.subject === subject && (one.issuer === ca || one.issuer === null),
  );
  const unusable = identity === undefined ? "this certificate is not a member's" : whyNotUsable(identity);
  if (unusable !== null) {
    const failure = identity?.state === "suspended" ? "suspended" : "unknown";
    throw new NotIssued(failure, sentence(vo, failure, unusable));
  }
  for (const [kind, value] of [
    ["dn", subject],
    ["vo", vo.name],
    ["ca", ca],
  ] as const) {
    const reason = banned(sazKey(kind, value));
    if (reason !== undefined)
      throw new NotIssued(
        "suspended",
        sentence(vo, "suspended", `banned from this site${reason === "" ? "" : `: ${reason}`}`),
      );
  }
  const has = placesOf(vo, person).filter((fqan) => banned(sazKey("role", fqan)) === undefined);
  const given = grant(has, request.wishes, request.order, shownBy(parts, path, vo.name, at));
  if (given.refused !== undefined) throw refusedGrant(vo, given);
  const { seconds, warnings } = lifetimeOf(parts, vo, standing, request, at);
  return {
    subject,
    ca,
    vo: vo.name,
    fqans: given.fqans,
    attributes: attributesOf(parts, vo, person, given.fqans),
    seconds,
    warnings: [
      ...warnings,
      ...given.warnings.map((kind): Warning => ({ kind, says: GRANT_SAYS[kind](vo.name, given.fqans[0]!) })),
      ...(request.unknown.length === 0
        ? []
        : [
            {
              kind: "unknown-parameter",
              says: `${vo.name}: nobody here knows the parameter ${request.unknown[0]?.slice(0, 60)}`,
            } as const,
          ]),
    ],
  };
}

const GRANT_SAYS = {
  "not-first": (vo: string, first: string) => `${vo}: FQAN: ${first} is not the first selected!`,
  subset: (vo: string) => `${vo}: the certificate shown carries attributes already; only a subset of them is given`,
} as const;

/** Sentences that begin as vomsd's do: there are programs that read them. */
function sentence(vo: VoDefinition, failure: Failure, says: string): string {
  return failure === "suspended"
    ? `User is currently suspended!\nSuspension reason: ${says}`
    : `${vo.name}: User unknown to this VO: ${says}.`;
}

function refusedGrant(vo: VoDefinition, { refused, wish }: Extract<Granting, { refused: string }>): NotIssued {
  return refused === "unsatisfied"
    ? new NotIssued("unsatisfied", `${vo.name}: Unable to satisfy ${wish} request!`)
    : new NotIssued("empty", `${vo.name}: no valid VOMS attributes found for your request.`);
}

/** What the client's own proxy already says of this organization, if we said it: no more than that is given, so that less stays less. */
function shownBy(parts: IssuingParts, path: ValidPath, vo: string, now: number): readonly string[] {
  const below = path.certificates.slice(0, path.certificates.indexOf(path.endEntity) + 1);
  const carrier = below.find(({ extensions }) => extensions.attributeCertificates !== null);
  if (carrier === undefined) return [];
  const { certificate, authority } = parts.signer();
  const own = (ac: AttributeCertificate): boolean => {
    if (ac.vo !== vo) return false;
    try {
      const anchors = readPemCertificates(authority);
      verifyAttributeCertificate(ac, path.endEntity, { now, anchors, trust: { vo, certificates: [certificate] } });
      return true;
    } catch (error) {
      // As with vomsd: what is not, or no longer, good says nothing.
      if (error instanceof GridRefused) return false;
      throw error;
    }
  };
  let shown: readonly AttributeCertificate[];
  try {
    shown = attributeCertificatesOf(carrier);
  } catch (error) {
    if (error instanceof GridRefused) return [];
    throw error;
  }
  return shown.filter(own).flatMap(({ fqans }) => fqans.map((fqan) => formatFqan(parseFqan(fqan))));
}

/** Nothing outlives the membership it says. */
function lifetimeOf(
  parts: IssuingParts,
  vo: VoDefinition,
  standing: Standing,
  { lifetime }: AttributeRequest,
  at: number,
): { readonly seconds: number; readonly warnings: readonly Warning[] } {
  const left =
    standing.until === null ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor((standing.until - at) / 1000));
  const most = Math.min(vo.lifetime, left);
  if (lifetime === null || lifetime <= most) return { seconds: lifetime ?? most, warnings: [] };
  const { host, port } = parts.server;
  const says = `${host}:${port}: The validity of this VOMS AC in your proxy is shortened to ${most} seconds!`;
  return { seconds: most, warnings: [{ kind: "shortened", says }] };
}

/** The person's own, those of his groups and of the roles he was given; qualified by what they come from, as vomsd does. */
function attributesOf(
  { book }: IssuingParts,
  vo: VoDefinition,
  person: Person,
  fqans: readonly string[],
): readonly GenericAttribute[] {
  const facts = book.facts(vo.name);
  const of = (list: ReadonlyMap<string, string>, qualifier: string): GenericAttribute[] =>
    [...list].map(([name, value]) => ({ name, value, qualifier }));
  return [...of(person.attributes, vo.name), ...fqans.flatMap((fqan) => of(facts.attributesOf(fqan), fqan))];
}

function sign(parts: IssuingParts, path: ValidPath, asked: Asked, { targets }: AttributeRequest, now: number): Buffer {
  const { certificate, key } = parts.signer();
  try {
    return issueAttributeCertificate({
      holder: path.endEntity,
      issuer: certificate,
      key,
      vo: asked.vo,
      ...parts.server,
      fqans: asked.fqans,
      attributes: asked.attributes,
      ...(targets.length === 0 ? {} : { targets }),
      now,
      lifetime: asked.seconds * 1000,
      holderForm: parts.holderForm,
    });
  } catch (error) {
    if (error instanceof GridRefused) throw new NotIssued("unable", error.message);
    throw error;
  }
}
