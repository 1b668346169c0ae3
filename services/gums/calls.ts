/** GUMS's JSON calls about decisions: `mapGridIdentity` for anyone with a certificate of the site; why, for operators and guests. */
import { DN_LIMIT } from "../../src/grid/index.ts";
import type { explainGums, MappingQuestion } from "../../src/policy/index.ts";
import { auditCall } from "../audit/index.ts";
import { type Believes, type DecidingParts, quote } from "../deciding/index.ts";
import { type Answer, type Call, errorAnswer, type Handler, json, readJson, text } from "../http/index.ts";
import { TOKEN_LIMIT, type Tokens } from "../tokens/index.ts";
import type { Credentials } from "../trust/index.ts";
import type { MapIdentity, Mapped } from "./mapping.ts";
import { readHost, readQuestion, tokenQuestion } from "./questions.ts";

export interface GumsParts extends DecidingParts {
  readonly mapIdentity: MapIdentity;
  readonly explain: (question: MappingQuestion) => ReturnType<typeof explainGums>;
  readonly believes: Believes;
  readonly tokens: Pick<Tokens, "verify">;
  readonly credentials: Pick<Credentials, "verify">;
}

const FAILED: Answer = json(200, { result: "FAILED" });

function answer(mapping: Mapped): Answer {
  if (mapping.outcome !== "account") return FAILED;
  const groupname = mapping.group === null ? "" : `,"groupname":${quote(mapping.group)}`;
  return { status: 200, body: `{"result":"OK","username":${quote(mapping.account)}${groupname}}` };
}

export function gumsRoutes(parts: GumsParts): Readonly<Record<string, Handler>> {
  const { audit, mapIdentity, explain, believes, tokens, credentials } = parts;

  const map = (call: Call): Answer | Promise<Answer> => {
    const mapping = mapIdentity(readQuestion(call.query, believes(call.peer)), call, null);
    return mapping instanceof Promise ? mapping.then(answer) : answer(mapping);
  };

  /** A token is checked here, so whoever may call may bring one. */
  const mapToken = async (call: Call): Promise<Answer> => {
    const body = await readJson(call.request);
    const host = readHost(text(body, "host", DN_LIMIT));
    const claims = await tokens.verify(text(body, "token", TOKEN_LIMIT));
    return answer(await mapIdentity(tokenQuestion(claims, host), call, null));
  };

  /** So is a proxy with what VOs say in it: what the answer is about stands in the answer. */
  const mapCredential = async (call: Call): Promise<Answer> => {
    const body = await readJson(call.request);
    const host = readHost(text(body, "host", DN_LIMIT));
    const { subject, fqans } = credentials.verify(body.chain, host);
    const question = { subject, fqan: fqans[0] ?? null, believed: true, host, token: null };
    const mapped = await mapIdentity(question, call, "credential");
    const account = mapped.outcome === "account" ? { username: mapped.account, groupname: mapped.group } : {};
    return json(200, { result: mapped.outcome === "account" ? "OK" : "FAILED", ...account, subject, fqans });
  };

  const explained = ({ query, peer }: Call): Answer => {
    if (peer.unit === "other") return errorAnswer(403, "rules are explained to operators and guests");
    const question = readQuestion(query, believes(peer) && query.get("unbelieved") === null);
    const { mapping, steps, says } = explain(question);
    return json(200, { result: "OK", ...mapping, says, steps });
  };

  return {
    "GET /gums/json/mapGridIdentity": map,
    "POST /gums/json/mapToken": mapToken,
    "POST /gums/json/mapCredential": mapCredential,
    "GET /gums/json/explain": explained,
    "GET /gums/json/audit": auditCall(audit, ["account", "subject", "fqan", "host", "asked", "dialect"]),
    "GET /gums/json/version": () => json(200, { result: "OK", version: "domus", copy: parts.guest.name }),
  };
}
