/** GUMS's JSON calls: `mapGridIdentity` for anyone with a certificate of the site, `manualMapper` for its operators. */
import { DN_LIMIT, FQAN_LIMIT, formatFqan, NameRefused, normalDn, parseFqan } from "../../src/grid/index.ts";
import { ACCOUNT_PATTERN, type GumsPolicy } from "../../src/recipes/index.ts";
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
import type { Mapping, MappingQuestion } from "./policy.ts";

export interface GumsParts extends DecidingParts {
  readonly policy: GumsPolicy;
  readonly decide: (question: MappingQuestion) => Mapping | null;
}

const FAILED: Answer = json(200, { result: "FAILED" });

/** @throws {Refusal} 400 with what is wrong with the name */
function named<Value>(what: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof NameRefused) throw new Refusal(400, `${what}: ${error.message}`);
    throw error;
  }
}

/** What was sent → what it says: names by {@link normalDn}, FQANs by {@link parseFqan}. */
const readDn = new Names((sent) => normalDn(decoded(sent)));
const readFqan = new Names((sent) => {
  const text = decoded(sent);
  if (text.length > FQAN_LIMIT) throw new NameRefused(`an FQAN has at most ${FQAN_LIMIT} characters`);
  return parseFqan(text);
});
const readHost = new Names((sent) => {
  const host = decoded(sent);
  if (host.length > DN_LIMIT) throw new NameRefused(`a host's name has at most ${DN_LIMIT} characters`);
  return host.startsWith("/") || host.includes("=") ? normalDn(host) : host;
});

/** @returns the value as it was sent */
function single(query: Query, name: string): string | null {
  const values = query.encoded(name);
  if (values.length > 1) throw new Refusal(400, `${name} is given ${values.length} times: expected once`);
  return values[0] || null;
}

function readQuestion(query: Query): MappingQuestion {
  const subject = single(query, "subject-x509-id");
  const host = single(query, "resource-x509-id") ?? single(query, "dns-host-name");
  const fqan = single(query, "voms-fqan");
  if (subject === null) throw new Refusal(400, "subject-x509-id is missing: expected a name such as /DC=org/CN=Alice");
  if (host === null)
    throw new Refusal(400, "dns-host-name or resource-x509-id is missing: who asks decides which groups count");
  return {
    subject: named("subject-x509-id", () => readDn.get(subject)),
    fqan: fqan === null ? null : named("voms-fqan", () => readFqan.get(fqan)),
    host: named("resource-x509-id", () => readHost.get(host)),
  };
}

export function gumsRoutes(parts: GumsParts): Readonly<Record<string, Handler>> {
  const { policy, follower, audit, decide, freshness } = parts;

  const map = ({ query, peer, from }: Call): Answer => {
    const question = readQuestion(query);
    const now = freshness();
    if (now.state === "stale") return errorAnswer(503, now.says);
    const mapping = decide(question);
    const fqan = question.fqan === null ? "null" : quote(formatFqan(question.fqan));
    audit.write(
      `{"at":${quotedNow()},"subject":${quote(question.subject)},"fqan":${fqan},"host":${quote(question.host)},"account":${mapping === null ? "null" : quote(mapping.username)},"rule":${quote(mapping?.rule ?? "no rule")},"asked":${quote(peer.name)},"from":${quote(from)}}`,
    );
    return mapping === null
      ? FAILED
      : {
          status: 200,
          body: `{"result":"OK","username":${quote(mapping.username)},"groupname":${quote(mapping.groupname)}}`,
        };
  };

  const list = (): Answer =>
    json(200, {
      result: "OK",
      mappings: [
        ...policy.manual.map((entry) => ({ ...entry, from: "policy" })),
        ...follower.merged
          .events()
          .filter((event) => event.fields.action === "add")
          .map(({ fields, at, origin, seq }) => ({
            subject: fields.subject,
            account: fields.account,
            group: fields.groupname,
            from: "database",
            at,
            actor: fields.actor,
            event: `${origin}:${seq}`,
          })),
      ],
    });

  const change = async ({ peer, request }: Call): Promise<Answer> => {
    if (peer.unit !== "operator")
      return errorAnswer(
        403,
        `${peer.name || "this certificate"} is not an operator: manual mappings are changed by operators`,
      );
    const body = await readJson(request);
    const action = text(body, "action", 8);
    if (action === "list") return list();
    if (action !== "add" && action !== "remove") throw new Refusal(400, "action: expected add, remove or list");
    const given = text(body, "subject", DN_LIMIT);
    const subject = named("subject", () => normalDn(given));
    if (action === "remove" && follower.merged.get(subject)?.fields.action !== "add") {
      if (policy.manual.some((entry) => entry.subject === subject))
        throw new Refusal(409, `${subject} is mapped by the site file: change it there`);
    }
    const account = action === "add" ? text(body, "account", 32) : "";
    const groupname = action === "add" ? text(body, "group", 32, account) : "";
    for (const name of action === "add" ? [account, groupname] : [])
      if (!ACCOUNT_PATTERN.test(name)) throw new Refusal(400, `${name}: expected an account's name such as novapro`);
    const reason = text(body, "reason", 500, "");
    const event = await follower
      .append({ action, subject, account, groupname, reason, actor: peer.name })
      .catch((error: unknown) => refuseWrite(error, "manual mappings", follower));
    audit.write(
      JSON.stringify({
        at: event.at,
        manualMapper: action,
        subject,
        account,
        actor: peer.name,
        event: `${event.origin}:${event.seq}`,
      }),
    );
    return json(200, { result: "OK", event: { origin: event.origin, seq: event.seq, at: event.at } });
  };

  return {
    "GET /gums/json/mapGridIdentity": map,
    "GET /gums/json/manualMapper": ({ peer }) =>
      peer.unit === "operator" ? list() : errorAnswer(403, `${peer.name || "this certificate"} is not an operator`),
    "POST /gums/json/manualMapper": change,
    "GET /gums/json/version": () => json(200, { result: "OK", version: "domus", copy: parts.guest }),
  };
}
