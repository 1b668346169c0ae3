/** Calls to services through their aliases, as a client of the site should make them, with the operator's certificate. */
import { type BlueprintAlias, Fault } from "../model/index.ts";
import { type Connector, connector, RequestFailure } from "../world/index.ts";
import { type OpenSite, operatorTls, rememberedSite } from "./open.ts";

export interface ServiceAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * What an answer's status says: the words of the caller were wrong, the service cannot now, or it says no.
 * @param remedy what to do about a no
 * @throws Fault `usage.invalid` (2), `service.unable` (3), `request.refused` (1) for everything but 200
 */
export function requireAnswer(
  { status, body }: ServiceAnswer,
  remedy: (status: number) => string = () => "See domus status.",
): ServiceAnswer["body"] {
  if (status === 200 && body.result !== "ERROR") return body;
  const reason = String(body.message ?? `status ${status}`);
  if (status === 400) throw new Fault("usage.invalid", { reason });
  if (status === 429 || status >= 500) throw new Fault("service.unable", { reason });
  throw new Fault("request.refused", { reason, remedy: remedy(status) });
}

/** Octets of an answer that are read: a list of bans or records may be long. */
const LONGEST_ANSWER = 64 * 1024 * 1024;

/** Milliseconds for one question; the alias may move to the other director meanwhile, so it is asked again until then. */
const BUDGET = 3000;

/** @returns a connector with the operator's certificate, one connection for each question */
export function asOperator(open: OpenSite, address: string, port: number, servername: string): Connector {
  return connector(
    {
      scheme: "https",
      address,
      port,
      servername,
      tls: operatorTls(open),
      localAddress: null,
      preamble: null,
      connectTimeoutMs: 500,
    },
    false,
  );
}

/**
 * @param which the service's own alias, or the one of its second program
 * @returns the alias of the first service with this recipe that has one
 * @throws Fault `alias.unknown`
 */
export async function aliasOfRecipe(
  open: OpenSite,
  recipe: string,
  which: "alias" | "also" = "alias",
): Promise<BlueprintAlias> {
  const target = await open.store.target();
  const service = rememberedSite(open).services.find((one) => one.recipe === recipe && one[which]);
  const alias = target?.blueprint.aliases.find(
    (one) => one.service === service?.name && one.name === service?.[which]?.name,
  );
  if (!alias)
    throw new Fault("alias.unknown", {
      alias: which === "also" ? `the second alias of ${recipe} (also)` : recipe,
      known: target?.blueprint.aliases.map((one) => one.name).join(", ") || "none",
    });
  return alias;
}

interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body: unknown;
}

/**
 * Asks through an alias, again until the budget is spent: what a client of a site should do.
 * @param read makes something of an answer's text; a text it throws a SyntaxError at is no answer
 * @throws Fault `alias.silent`
 */
async function askAgain<Read>(
  open: OpenSite,
  alias: BlueprintAlias,
  { method, path, body }: Asked,
  read: (text: string) => Read,
): Promise<{ readonly status: number; readonly body: Read }> {
  const deadline = Date.now() + BUDGET;
  let last = "no answer";
  for (let attempt = 0; Date.now() < deadline; attempt++) {
    const one = asOperator(open, alias.address, alias.port, alias.name);
    try {
      const answer = await one.ask({
        method,
        path,
        timeoutMs: Math.max(100, deadline - Date.now()),
        keepBytes: LONGEST_ANSWER,
        ...(body === null ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      return { status: answer.status, body: read(answer.body) };
    } catch (error) {
      if (!(error instanceof RequestFailure) && !(error instanceof SyntaxError)) throw error;
      last = error.message;
      await new Promise((resolve) => setTimeout(resolve, Math.min(400, 25 * 2 ** attempt)));
    } finally {
      one.close();
    }
  }
  throw new Fault("alias.silent", { alias: alias.name, address: `${alias.address}:${alias.port}`, reason: last });
}

/**
 * Asks for JSON.
 * @throws Fault `alias.silent`
 */
export function askThrough(
  open: OpenSite,
  alias: BlueprintAlias,
  method: "GET" | "POST",
  path: string,
  body: unknown = null,
): Promise<ServiceAnswer> {
  return askAgain(open, alias, { method, path, body }, (text) => JSON.parse(text) as Record<string, unknown>);
}

/**
 * Asks for text as it is.
 * @throws Fault `alias.silent`
 */
export function askText(
  open: OpenSite,
  alias: BlueprintAlias,
  path: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return askAgain(open, alias, { method: "GET", path, body: null }, (text) => text);
}

/** What one copy answers, or why it does not. */
export interface CopyAnswer {
  readonly guest: string;
  readonly answer: ServiceAnswer | null;
  readonly says: string;
}

/**
 * Asks every copy behind an alias at its own address: for what each copy keeps for itself.
 * @param seconds each copy has
 * @returns in the order of the copies; a copy that does not answer is said, not thrown
 */
export async function askCopies(
  open: OpenSite,
  alias: BlueprintAlias,
  method: "GET" | "POST",
  path: string,
  body: unknown,
  seconds: number,
): Promise<readonly CopyAnswer[]> {
  return Promise.all(
    alias.backends.map(async ({ guest, address, port }) => {
      const one = asOperator(open, address, port, guest);
      try {
        const answer = await one.ask({
          method,
          path,
          timeoutMs: seconds * 1000,
          keepBytes: LONGEST_ANSWER,
          ...(body === null ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
        });
        const read = JSON.parse(answer.body) as Record<string, unknown>;
        return { guest, answer: { status: answer.status, body: read }, says: String(read.message ?? "") };
      } catch (error) {
        if (!(error instanceof RequestFailure) && !(error instanceof SyntaxError)) throw error;
        return { guest, answer: null, says: error.message };
      } finally {
        one.close();
      }
    }),
  );
}
