/** SAZ's JSON calls about decisions: `authorize` for anyone with a certificate of the site; why, for whom, and who came, for operators. */
import { DN_LIMIT, formatFqan, Names, normalDn, parseFqan } from "../../src/grid/index.ts";
import {
  type explainSaz,
  normalSazValue,
  type SazDecision,
  type SazQuestion,
  sazGroups,
} from "../../src/policy/index.ts";
import { auditCall } from "../audit/index.ts";
import { type Believes, type DecidingParts, named, quote } from "../deciding/index.ts";
import {
  type Answer,
  type Call,
  decoded,
  errorAnswer,
  type Handler,
  json,
  type Query,
  Refusal,
  readJson,
  requireOperator,
  single,
  text,
} from "../http/index.ts";
import { type Claims, readClaims, TOKEN_LIMIT, type Tokens } from "../tokens/index.ts";
import type { Credentials } from "../trust/index.ts";
import type { Judge } from "./judging.ts";
import type { SeenValues } from "./seen.ts";

export interface SazParts extends DecidingParts {
  readonly seen: SeenValues;
  readonly judge: Judge;
  readonly believes: Believes;
  readonly tokens: Pick<Tokens, "verify">;
  readonly credentials: Pick<Credentials, "verify">;
  readonly explain: (question: SazQuestion) => ReturnType<typeof explainSaz>;
}

/** FQANs one question may carry. */
const FQANS = 64;

/** What was sent → what it says. */
const readDn = new Names((sent) => normalDn(decoded(sent)));
const readFqan = new Names((sent) => formatFqan(parseFqan(decoded(sent))));
const readVo = new Names((sent) => normalSazValue("vo", decoded(sent)));

/** The holder of a token that was checked, here or by a gatekeeper. */
function tokenQuestion({ issuer, subject, groups, scopes }: Claims): SazQuestion {
  return { subject, vo: null, fqans: sazGroups(groups), believed: true, ca: null, token: { issuer, scopes } };
}

function readQuestion(query: Query, believed: boolean): SazQuestion {
  const issuer = single(query, "token-issuer");
  if (issuer !== null) return tokenQuestion(readClaims(query, issuer, believed));
  const subject = single(query, "subject-x509-id");
  if (subject === null) throw new Refusal(400, "subject-x509-id is missing: expected a name such as /DC=org/CN=Alice");
  const fqans = query.encoded("voms-fqan").filter((one) => one !== "");
  if (fqans.length > FQANS) throw new Refusal(400, `voms-fqan: at most ${FQANS}`);
  const vo = single(query, "vo");
  const ca = single(query, "ca");
  return {
    subject: named("subject-x509-id", () => readDn.get(subject)),
    vo: vo === null ? null : named("vo", () => readVo.get(vo)),
    fqans: fqans.map((one) => named("voms-fqan", () => readFqan.get(one))),
    believed,
    ca: ca === null ? null : named("ca", () => readDn.get(ca)),
    token: null,
  };
}

function answer({ decision, reason }: SazDecision): Answer {
  return { status: 200, body: `{"result":"OK","decision":"${decision}","reason":${quote(reason)}}` };
}

export function sazRoutes(parts: SazParts): Readonly<Record<string, Handler>> {
  const { audit, seen, judge, explain, believes, tokens, credentials } = parts;

  const authorize = (call: Call): Answer => answer(judge(readQuestion(call.query, believes(call.peer)), call, null));

  /** A token is checked here, so whoever may call may bring one. */
  const authorizeToken = async (call: Call): Promise<Answer> => {
    const claims = await tokens.verify(text(await readJson(call.request), "token", TOKEN_LIMIT));
    return answer(judge(tokenQuestion(claims), call, null));
  };

  /** So is a proxy with what VOs say in it. Every authority above the person is looked at: banning the highest one bans those below it. */
  const authorizeCredential = async (call: Call): Promise<Answer> => {
    const body = await readJson(call.request);
    const { subject, fqans, vo, authorities } = credentials.verify(body.chain, text(body, "host", DN_LIMIT, ""));
    const [ca = null, ...above] = authorities;
    const question = { subject, vo, fqans, believed: true, ca, above, token: null };
    return json(200, { result: "OK", ...judge(question, call, "credential"), subject, fqans });
  };

  const explained = ({ query, peer }: Call): Answer => {
    if (peer.unit === "other") return errorAnswer(403, "rules are explained to operators and guests");
    const { decision, steps } = explain(readQuestion(query, believes(peer) && query.get("unbelieved") === null));
    return json(200, { result: "OK", ...decision, steps });
  };

  const seenValues = ({ peer }: Call): Answer => {
    requireOperator(peer, "see who came");
    return json(200, {
      result: "OK",
      unrecorded: seen.unrecorded,
      seen: seen.events().map(({ fields, at }) => ({ kind: fields.kind, value: fields.value, at })),
    });
  };

  return {
    "GET /saz/json/authorize": authorize,
    "POST /saz/json/authorizeToken": authorizeToken,
    "POST /saz/json/authorizeCredential": authorizeCredential,
    "GET /saz/json/explain": explained,
    "GET /saz/json/seen": seenValues,
    "GET /saz/json/audit": auditCall(audit, ["subject", "vo", "ca", "decision", "asked", "dialect"]),
  };
}
