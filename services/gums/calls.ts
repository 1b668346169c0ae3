/** GUMS's JSON calls: `mapGridIdentity` for anyone with a certificate of the site, `manualMapper` for its operators. */
import { DN_LIMIT, FQAN_LIMIT, formatFqan, NameRefused, normalDn, parseFqan } from "../../src/grid/index.ts";
import {
  ACCOUNT_PATTERN,
  type Decide,
  type GumsPolicy,
  type Mapping,
  type MappingQuestion,
  PEOPLE,
} from "../../src/policy/index.ts";
import { auditCall } from "../audit/index.ts";
import type { DecidingParts } from "../deciding/index.ts";
import { refuseWrite } from "../records/index.ts";
import {
  type Answer,
  type Call,
  errorAnswer,
  type Handler,
  json,
  type Query,
  Refusal,
  readJson,
  text,
} from "../serving/index.ts";

export interface GumsParts extends DecidingParts {
  readonly policy: GumsPolicy;
  readonly decide: Decide;
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

function single(query: Query, name: string): string | null {
  const values = query.getAll(name);
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
  if (host.length > DN_LIMIT) throw new Refusal(400, `a host's name has at most ${DN_LIMIT} characters`);
  if (fqan !== null && fqan.length > FQAN_LIMIT) throw new Refusal(400, `an FQAN has at most ${FQAN_LIMIT} characters`);
  return {
    subject: named("subject-x509-id", () => normalDn(subject)),
    fqan: fqan === null ? null : named("voms-fqan", () => formatFqan(parseFqan(fqan))),
    believed: true,
    host: host.startsWith("/") || host.includes("=") ? named("resource-x509-id", () => normalDn(host)) : host,
    token: null,
  };
}

/** @returns the rule that decided, for the audit record */
function ruleText({ outcome, rule }: Mapping): string {
  if (outcome === "banned") return `banned group ${rule.userGroup}`;
  if (rule.userGroup === null) return "no rule";
  return `group ${rule.userGroup} on ${rule.host}`;
}

export function gumsRoutes(parts: GumsParts): Readonly<Record<string, Handler>> {
  const { policy, follower, audit, decide, freshness } = parts;
  const listed = policy.accountMappers.flatMap((one) =>
    one.kind === "manual" && one.name === PEOPLE ? one.entries : [],
  );

  const map = ({ query, peer, from }: Call): Answer => {
    const question = readQuestion(query);
    const now = freshness();
    if (now.state === "stale") return errorAnswer(503, now.says);
    const mapping = decide(question);
    audit.write(
      JSON.stringify({
        at: new Date().toISOString(),
        subject: question.subject,
        fqan: question.fqan,
        host: question.host,
        account: mapping.outcome === "account" ? mapping.account : null,
        rule: ruleText(mapping),
        asked: peer.name,
        from,
      }),
    );
    if (mapping.outcome !== "account") return FAILED;
    const groupname = mapping.group === null ? {} : { groupname: mapping.group };
    return json(200, { result: "OK", username: mapping.account, ...groupname });
  };

  const list = (): Answer =>
    json(200, {
      result: "OK",
      mappings: [
        ...listed.map((entry) => ({ ...entry, from: "policy" })),
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
      if (listed.some((entry) => entry.subject === subject))
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
    "GET /gums/json/audit": auditCall(audit, ["account", "subject", "fqan", "host", "asked"]),
    "GET /gums/json/version": () => json(200, { result: "OK", version: "domus", copy: parts.guest }),
  };
}
