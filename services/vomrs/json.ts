/**
 * The operations as JSON: `GET` for what is only read, `POST` for what changes, at `/vomrs/json/<operation>`; `vo` names the organization. A browser that is
 * sent here by another site's page is refused: such a page can neither send JSON nor hide where it is from.
 */
import { type Answer, type Call, errorAnswer, type Handler, json, Refusal, readJson } from "../http/index.ts";
import type { Callers } from "./callers.ts";
import type { Registration } from "./doing.ts";
import { FormRefused } from "./fields.ts";
import { OPERATIONS } from "./operations/index.ts";
import { organizationView } from "./views.ts";

/** @throws {Refusal} 403 for what another site's page made a browser send */
export function refuseForeign({ request }: Call): void {
  const { origin, host, "sec-fetch-site": site } = request.headers;
  const foreign =
    (origin !== undefined && origin !== `https://${host}`) ||
    (site !== undefined && site !== "same-origin" && site !== "none");
  if (foreign) throw new Refusal(403, "another site's page sent this: nothing is done");
}

export function jsonRoutes(registration: Registration, callers: Callers): Readonly<Record<string, Handler>> {
  const answered =
    (work: (call: Call) => Promise<Answer>): Handler =>
    async (call) => {
      try {
        return { ...(await work(call)), headers: { "cache-control": "no-store" } };
      } catch (error) {
        if (error instanceof FormRefused)
          return json(error.status, { result: "ERROR", message: error.message, fields: error.fields });
        if (error instanceof Refusal) return errorAnswer(error.status, error.message);
        throw error;
      }
    };

  const routes: Record<string, Handler> = {
    "GET /vomrs/json/organizations": answered(async (call) => {
      const caller = await callers.of(call);
      const organizations = registration.book.definitions.map(({ name }) =>
        organizationView(registration.scene(name, caller)),
      );
      return json(200, { result: "OK", organizations });
    }),
  };
  for (const operation of OPERATIONS.values())
    routes[`${operation.changes ? "POST" : "GET"} /vomrs/json/${operation.name}`] = answered(async (call) => {
      if (operation.changes) refuseForeign(call);
      const { vo, ...given } = operation.changes ? await bodyOf(call) : queryOf(call);
      if (typeof vo !== "string" || vo === "")
        throw new Refusal(400, "vo is missing: expected the name of an organization");
      const { says, data } = await registration.do(operation, vo, await callers.of(call), given);
      return json(200, { result: "OK", ...(says === "" ? {} : { says }), ...data });
    });
  return routes;
}

async function bodyOf({ request }: Call): Promise<Readonly<Record<string, unknown>>> {
  // Forms cannot say this type; without it a page elsewhere could have a browser send what looks like JSON.
  if (!/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? ""))
    throw new Refusal(400, "content-type: expected application/json");
  return readJson(request);
}

function queryOf({ query }: Call): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = Object.create(null);
  for (const name of query.names()) {
    const values = query.getAll(name);
    if (values.length > 1)
      throw new Refusal(400, `${name.slice(0, 40)} is given ${values.length} times: expected once`);
    given[name] = values[0];
  }
  return given;
}
