/** SAZ's JSON calls: `authorize` for anyone with a certificate of the site, `ban` and `unban` for its operators. */
import { DN_LIMIT, FQAN_LIMIT, formatFqan, NameRefused, normalDn, parseFqan } from "../../src/grid/index.ts";
import { normalSazValue, SAZ_KINDS, type SazKind } from "../../src/recipes/index.ts";
import { type DecidingParts, Names, quote, quotedNow } from "../deciding/index.ts";
import { refuseWrite } from "../records/index.ts";
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
  text,
} from "../serving/index.ts";
import type { Copies } from "./copies.ts";
import type { SazDecision, SazQuestion } from "./decide.ts";

export interface SazParts extends DecidingParts {
  readonly copies: Copies;
  readonly decide: (question: SazQuestion) => SazDecision;
}

/** FQANs one question may carry. */
const FQANS = 64;

/** @throws {Refusal} 400 with what is wrong with the value */
function named<Value>(what: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof NameRefused || error instanceof TypeError) throw new Refusal(400, `${what}: ${error.message}`);
    throw error;
  }
}

/** What was sent → what it says. */
const readDn = new Names((sent) => normalDn(decoded(sent)));
const readFqan = new Names((sent) => parseFqan(decoded(sent)));
const readVo = new Names((sent) => normalSazValue("vo", decoded(sent)));

function readQuestion(query: Query): SazQuestion {
  const subjects = query.encoded("subject-x509-id");
  if (subjects.length !== 1 || !subjects[0])
    throw new Refusal(400, "subject-x509-id: expected once, a name such as /DC=org/CN=Alice");
  const fqans = query.encoded("voms-fqan").filter((one) => one !== "");
  if (fqans.length > FQANS) throw new Refusal(400, `voms-fqan: at most ${FQANS}`);
  const vo = query.encoded("vo")[0] || null;
  const ca = query.encoded("ca")[0] || null;
  return {
    subject: named("subject-x509-id", () => readDn.get(subjects[0]!)),
    vo: vo === null ? null : named("vo", () => readVo.get(vo)),
    fqans: fqans.map((one) => named("voms-fqan", () => readFqan.get(one))),
    ca: ca === null ? null : named("ca", () => readDn.get(ca)),
  };
}

/** @returns the one thing a ban speaks of */
function readTarget(body: Readonly<Record<string, unknown>>): { kind: SazKind; value: string } {
  const given = SAZ_KINDS.filter((kind) => body[kind] !== undefined);
  if (given.length !== 1) throw new Refusal(400, `expected exactly one of ${SAZ_KINDS.join(", ")}`);
  const kind = given[0]!;
  const value = text(body, kind, kind === "role" ? FQAN_LIMIT : DN_LIMIT);
  return { kind, value: named(kind, () => normalSazValue(kind, value)) };
}

export function sazRoutes(parts: SazParts): Readonly<Record<string, Handler>> {
  const { guest, follower, audit, copies, decide, freshness } = parts;

  const authorize = ({ query, peer, from }: Call): Answer => {
    const question = readQuestion(query);
    const now = freshness();
    if (now.state === "stale") return errorAnswer(503, now.says);
    const { decision, reason } = decide(question);
    const why = quote(reason);
    const fqans = question.fqans.map((one) => quote(formatFqan(one))).join();
    const { subject, vo, ca } = question;
    audit.write(
      `{"at":${quotedNow()},"subject":${quote(subject)},"vo":${vo === null ? "null" : quote(vo)},"fqans":[${fqans}],"ca":${ca === null ? "null" : quote(ca)},"decision":"${decision}","reason":${why},"asked":${quote(peer.name)},"from":${quote(from)}}`,
    );
    return { status: 200, body: `{"result":"OK","decision":"${decision}","reason":${why}}` };
  };

  const record =
    (action: "ban" | "unban"): Handler =>
    async ({ peer, request }) => {
      if (peer.unit !== "operator")
        return errorAnswer(403, `${peer.name || "this certificate"} is not an operator: only operators ${action}`);
      const body = await readJson(request);
      const { kind, value } = readTarget(body);
      const reason = text(body, "reason", 500, "");
      const event = await follower
        .append({ kind, value, action, reason, actor: peer.name })
        .catch((error: unknown) => refuseWrite(error, "bans", follower));
      const { origin, seq, at } = event;
      audit.write(JSON.stringify({ at, action, kind, value, reason, actor: peer.name, event: `${origin}:${seq}` }));
      const has = follower.has(origin, seq);
      const own = { guest, has, says: has ? "in force" : "recorded, not seen yet" };
      return json(200, { result: "OK", event: { origin, seq, at }, copies: [own, ...(await copies.ask(origin, seq))] });
    };

  const bans = ({ peer }: Call): Answer => {
    if (peer.unit === "other") return errorAnswer(403, "bans are shown to operators and guests");
    const { state, freshnessSeconds } = freshness();
    return json(200, {
      result: "OK",
      state,
      freshnessSeconds,
      bans: follower.merged
        .events()
        .filter(({ fields }) => fields.action === "ban")
        .map(({ fields, at, origin, seq }) => ({
          kind: fields.kind,
          value: fields.value,
          reason: fields.reason,
          actor: fields.actor,
          at,
          event: `${origin}:${seq}`,
        })),
    });
  };

  const cursor = async ({ query }: Call): Promise<Answer> => {
    const origin = Number(query.get("origin") ?? Number.NaN);
    const seq = Number(query.get("seq") ?? Number.NaN);
    if (!Number.isSafeInteger(origin) || !Number.isSafeInteger(seq))
      return json(200, { result: "OK", guest, cursor: follower.cursor() });
    // Replication to the server this copy reads from may take a moment: looked at until it is there or the asker has lost patience.
    for (let tries = 0; !follower.has(origin, seq) && tries < 40; tries++) {
      await follower.poll();
      if (follower.fault !== null) break;
      if (!follower.has(origin, seq)) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return json(200, { result: "OK", guest, has: follower.has(origin, seq), cursor: follower.cursor() });
  };

  return {
    "GET /saz/json/authorize": authorize,
    "POST /saz/json/ban": record("ban"),
    "POST /saz/json/unban": record("unban"),
    "GET /saz/json/bans": bans,
    "GET /saz/json/cursor": cursor,
  };
}
