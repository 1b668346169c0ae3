/**
 * What operators change while GUMS runs: accounts of people (`manualMapper`), members of groups (`userGroup`), pool accounts
 * (`poolMapper`). Each change is an event in the database, with who and why, and every copy has it within a moment.
 */
import { DN_LIMIT, FQAN_LIMIT, formatFqan, normalDn, parseFqan } from "../../src/grid/index.ts";
import { ACCOUNT_PATTERN, type GumsPolicy, type ManualMapper, PEOPLE } from "../../src/policy/index.ts";
import { type DecidingParts, named } from "../deciding/index.ts";
import { type Answer, type Call, type Handler, json, Refusal, readJson, requireOperator, text } from "../http/index.ts";
import { type Follower, type Merged, type Pools, type RecordedEvent, refuseWrite } from "../records/index.ts";
import { accountKey, type MemberBook } from "./state.ts";

export interface ChangeParts extends DecidingParts {
  readonly policy: GumsPolicy;
  readonly accounts: Follower<Merged>;
  readonly members: Follower<MemberBook>;
  readonly pools: Pick<Pools, "list" | "release">;
}

type Body = Readonly<Record<string, unknown>>;

/** What stands in the answer of every list about an event. */
function about({ at, origin, seq, fields }: RecordedEvent) {
  return { from: "database", at, actor: fields.actor, reason: fields.reason, event: `${origin}:${seq}` };
}

function recorded({ origin, seq, at }: RecordedEvent): Answer {
  return json(200, { result: "OK", event: { origin, seq, at } });
}

/** @throws {Refusal} 400 naming the actions there are */
function actionOf<Action extends string>(body: Body, actions: readonly Action[]): Action {
  const given = text(body, "action", 16);
  const action = actions.find((one) => one === given);
  if (action === undefined) throw new Refusal(400, `action: expected ${actions.join(", ")}`);
  return action;
}

/** @throws {Refusal} 400 naming those that exist */
function oneOf<Item extends { readonly name: string }>(what: string, name: string, items: readonly Item[]): Item {
  const found = items.find((one) => one.name === name);
  if (found === undefined)
    throw new Refusal(
      400,
      `${what} ${name} does not exist; there are: ${items.map((one) => one.name).join(", ") || "none"}`,
    );
  return found;
}

function subjectOf(body: Body): string {
  const given = text(body, "subject", DN_LIMIT);
  return named("subject", () => normalDn(given));
}

/** Only operators change anything, and every change is in the record of decisions too. */
function forOperators(work: (body: Body, actor: string) => Answer | Promise<Answer>): Handler {
  return async ({ peer, request }: Call) => {
    requireOperator(peer, "look at this and change it");
    return work(await readJson(request), peer.name);
  };
}

export function changeRoutes(parts: ChangeParts): Readonly<Record<string, Handler>> {
  const { policy, accounts, members, pools, audit } = parts;
  const mappers = policy.accountMappers.filter((one): one is ManualMapper => one.kind === "manual");
  // A mapper that the policy does not name has nobody's account; the people of before are kept where it names none.
  const manual: readonly ManualMapper[] = mappers.some((one) => one.name === PEOPLE)
    ? mappers
    : [...mappers, { kind: "manual", name: PEOPLE, description: null, group: null, entries: [] }];
  const groups = policy.userGroups.filter((one) => one.kind === "manual" || one.kind === "voms");
  const poolNames = [...new Set(policy.accountMappers.flatMap((one) => (one.kind === "pool" ? [one.pool] : [])))];

  const record = (what: string, event: RecordedEvent): void =>
    audit.write(JSON.stringify({ at: event.at, change: what, ...event.fields, event: `${event.origin}:${event.seq}` }));

  const listAccounts = (): Answer =>
    json(200, {
      result: "OK",
      mappings: [
        ...manual.flatMap((mapper) =>
          mapper.entries.map((entry) => ({ mapper: mapper.name, ...entry, from: "policy" })),
        ),
        ...accounts.merged
          .events()
          .filter(({ fields }) => fields.action === "add")
          .map((event) => ({
            mapper: event.fields.mapper || PEOPLE,
            subject: event.fields.subject,
            account: event.fields.account,
            group: event.fields.groupname,
            ...about(event),
          })),
      ],
    });

  const changeAccount = async (body: Body, actor: string): Promise<Answer> => {
    const action = actionOf(body, ["add", "remove", "list"]);
    if (action === "list") return listAccounts();
    const mapper = oneOf("mapper", text(body, "mapper", 255, PEOPLE), manual);
    const subject = subjectOf(body);
    const key = accountKey({ mapper: mapper.name, subject });
    if (action === "remove" && accounts.merged.get(key)?.fields.action !== "add") {
      if (mapper.entries.some((entry) => entry.subject === subject))
        throw new Refusal(409, `${subject} is mapped by the site file: change it there`);
      throw new Refusal(409, `${subject} has no account in ${mapper.name}`);
    }
    const account = action === "add" ? text(body, "account", 32) : "";
    const groupname = action === "add" ? text(body, "group", 32, mapper.group ?? account) : "";
    for (const name of action === "add" ? [account, groupname] : [])
      if (!ACCOUNT_PATTERN.test(name)) throw new Refusal(400, `${name}: expected an account's name such as novapro`);
    const reason = text(body, "reason", 500, "");
    const event = await accounts
      .append({ action, mapper: mapper.name, subject, account, groupname, reason, actor })
      .catch((error: unknown) => refuseWrite(error, "accounts", accounts));
    record("account", event);
    return recorded(event);
  };

  const listMembers = (group: string | undefined): Answer =>
    json(200, {
      result: "OK",
      groups: groups.map(({ name, kind }) => ({ name, kind })),
      members: [
        ...groups
          .filter((one) => group === undefined || one.name === group)
          .flatMap((one) => one.members.map((member) => ({ group: one.name, ...member, from: "policy" }))),
        ...members.merged.members(group).map((event) => ({
          group: event.fields.group,
          subject: event.fields.subject,
          fqan: event.fields.fqan || null,
          email: event.fields.email || null,
          ...about(event),
        })),
      ],
    });

  const changeMember = async (body: Body, actor: string): Promise<Answer> => {
    const action = actionOf(body, ["add", "remove", "list"]);
    if (action === "list") {
      const only = text(body, "group", 255, "");
      return listMembers(only === "" ? undefined : oneOf("group", only, groups).name);
    }
    const group = oneOf("group", text(body, "group", 255), groups);
    const subject = subjectOf(body);
    const asked = text(body, "fqan", FQAN_LIMIT, "");
    const fqan = asked === "" ? "" : named("fqan", () => formatFqan(parseFqan(asked)));
    const is = members.merged.memberships(group.name, subject).includes(fqan || null);
    if (action === "remove" && !is) {
      if (group.members.some((one) => one.subject === subject && (one.fqan ?? "") === fqan))
        throw new Refusal(409, `${subject} is in ${group.name} by the site file: change it there`);
      throw new Refusal(409, `${subject} is not in ${group.name}${fqan === "" ? "" : ` with ${fqan}`}`);
    }
    const email = text(body, "email", 255, "");
    const reason = text(body, "reason", 500, "");
    const event = await members
      .append({ group: group.name, action, subject, fqan, email, reason, actor })
      .catch((error: unknown) => refuseWrite(error, "members", members));
    record("member", event);
    return recorded(event);
  };

  const changePool = async (body: Body, actor: string): Promise<Answer> => {
    const action = actionOf(body, ["list", "release"]);
    const asked = text(body, "pool", 255, "");
    const named = poolNames.map((name) => ({ name }));
    if (action === "list") {
      const only = asked === "" ? poolNames : [oneOf("pool", asked, named).name];
      return json(200, { result: "OK", pools: poolNames, accounts: only.flatMap((pool) => pools.list(pool)) });
    }
    const pool = oneOf("pool", asked, named).name;
    const account = text(body, "account", 32);
    const reason = text(body, "reason", 500, "");
    const event = await pools
      .release(pool, account, actor, reason)
      .catch((error: unknown) => refuseWrite(error, "pool accounts", accounts));
    if (event === null) throw new Refusal(409, `${account} was given to nobody from pool ${pool}`);
    record("pool", event);
    return recorded(event);
  };

  return {
    "GET /gums/json/manualMapper": ({ peer }) => {
      requireOperator(peer, "look at this");
      return listAccounts();
    },
    "POST /gums/json/manualMapper": forOperators(changeAccount),
    "POST /gums/json/userGroup": forOperators(changeMember),
    "POST /gums/json/poolMapper": forOperators(changePool),
  };
}
