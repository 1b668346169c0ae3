/** SAZ's JSON calls about bans: recorded in the database, told to the other copies at once, and answered with who has them. */
import { DN_LIMIT, FQAN_LIMIT } from "../../src/grid/index.ts";
import { SAZ_ENTRY_KEYS, type SazEntry, sazEntry, sazKey } from "../../src/policy/index.ts";
import { type DecidingParts, named } from "../deciding/index.ts";
import {
  type Answer,
  type Call,
  errorAnswer,
  type Handler,
  json,
  Refusal,
  readJson,
  requireOperator,
  text,
} from "../http/index.ts";
import { type Follower, readEvent, refuseWrite } from "../records/index.ts";
import type { Copies } from "./copies.ts";

export interface BanParts extends DecidingParts {
  readonly bans: Follower;
  readonly copies: Copies;
}

/** @returns the one thing a ban speaks of */
function readTarget(body: Readonly<Record<string, unknown>>): SazEntry {
  const given = SAZ_ENTRY_KEYS.filter((key) => body[key] !== undefined);
  const fields = given.map((key) => [key, text(body, key, key === "role" ? FQAN_LIMIT : DN_LIMIT)] as const);
  return named(given.length === 1 ? given[0]! : "who or what", () => sazEntry(Object.fromEntries(fields)));
}

export function banRoutes({ guest, audit, bans, copies, freshness }: BanParts): Readonly<Record<string, Handler>> {
  const record =
    (action: "ban" | "unban"): Handler =>
    async ({ peer, request }) => {
      requireOperator(peer, action);
      const body = await readJson(request);
      const { kind, value } = readTarget(body);
      const reason = text(body, "reason", 500, "");
      const was = bans.merged.get(sazKey(kind, value))?.fields.action === "ban";
      const event = await bans
        .append({ kind, value, action, reason, actor: peer.name })
        .catch((error: unknown) => refuseWrite(error, "bans", bans));
      const { origin, seq, at } = event;
      audit.write(JSON.stringify({ at, action, kind, value, reason, actor: peer.name, event: `${origin}:${seq}` }));
      bans.learn(event);
      const own = { guest: guest.name, has: true, says: "in force" };
      return json(200, { result: "OK", was, event: { origin, seq, at }, copies: [own, ...(await copies.tell(event))] });
    };

  const list = ({ peer }: Call): Answer => {
    if (peer.unit === "other") return errorAnswer(403, "bans are shown to operators and guests");
    const { state, freshnessSeconds } = freshness();
    return json(200, {
      result: "OK",
      state,
      freshnessSeconds,
      bans: bans.merged
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

  /** A ban from a fellow copy: in force here before this copy has seen it in the database, which may be out of its sight. */
  const hear = async ({ peer, request }: Call): Promise<Answer> => {
    if (peer.unit !== "guest" || !copies.knows(peer.name))
      return errorAnswer(403, `${peer.name || "this certificate"} is no copy of this service`);
    const event = readEvent("ban", (await readJson(request)).event);
    if (event === null) throw new Refusal(400, "event: expected a recorded ban");
    bans.learn(event);
    return json(200, { result: "OK", guest: guest.name, has: true });
  };

  return {
    "POST /saz/json/ban": record("ban"),
    "POST /saz/json/unban": record("unban"),
    "GET /saz/json/bans": list,
    "POST /saz/json/hear": hear,
  };
}
