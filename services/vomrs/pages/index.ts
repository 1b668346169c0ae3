/**
 * Pages of people: made here, without scripts, for keyboards and readers of every kind. A form is sent to the page it stands on; when it was carried out,
 * the browser is sent to that page again, so that loading it anew repeats nothing; when not, the page comes back with what was written and what
 * was wrong beside each field.
 */

import { html, sentence } from "../../../src/pages/index.ts";
import { type Answer, type Call, Query, Refusal } from "../../http/index.ts";
import type { Freshness } from "../../serving/index.ts";
import type { Caller, Callers } from "../callers.ts";
import { type Registration, whyNobody } from "../doing.ts";
import { FormRefused } from "../fields.ts";
import { refuseForeign } from "../json.ts";
import type { Operation } from "../operation.ts";
import { OPERATIONS } from "../operations/index.ts";
import type { Sealing } from "../sealing.ts";
import { applyPage, confirmPage, frontPage, organizationsPage } from "./front.ts";
import { asFound, type Institutions, institutionsPage, peoplePage, waitingPage } from "./overseeing.ts";
import { mePage, personPage } from "./person.ts";
import { STYLE } from "./style.ts";
import { type Failed, framed, framedIn, type Page, type View, voPath } from "./view.ts";

export interface PagesOptions {
  readonly registration: Registration;
  readonly callers: Callers;
  readonly sealing: Sealing;
  readonly freshness: () => Freshness;
  readonly vomses: (vo: string) => string;
  readonly lsc: () => { readonly name: string; readonly text: string };
}

type Reads = (
  operation: string,
  given?: Readonly<Record<string, unknown>>,
) => Promise<Readonly<Record<string, unknown>>>;

interface Route {
  /** After the organization's own address. */
  readonly path: RegExp;
  readonly render: (view: View, read: Reads, part: string) => Page | Promise<Page>;
}

const ROUTES: readonly Route[] = [
  { path: /^()$/, render: frontPage },
  { path: /^\/apply()$/, render: applyPage },
  { path: /^\/confirm()$/, render: confirmPage },
  {
    path: /^\/me()$/,
    render: async (view, read) => {
      await read("me");
      return mePage(view);
    },
  },
  { path: /^\/waiting()$/, render: async (view, read) => waitingPage(view, (await read("waiting")) as never) },
  {
    path: /^\/people()$/,
    render: async (view, read) => {
      const given = Object.fromEntries([...view.query].filter(([name]) => ["q", "state", "page"].includes(name)));
      return peoplePage(view, asFound(await read("people", given)));
    },
  },
  {
    path: /^\/people\/([A-Za-z0-9-]{1,80})$/,
    render: async (view, read, id) => {
      await read("person", { person: id });
      return personPage(view, view.scene.facts.people.get(id)!);
    },
  },
  {
    path: /^\/institutions()$/,
    render: async (view, read) => institutionsPage(view, (await read("institutions")) as unknown as Institutions),
  },
];

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5c8a"/><path d="M8 23V14l8-6 8 6v9" fill="none" stroke="#fff" stroke-width="2.6" stroke-linejoin="round"/><circle cx="16" cy="18" r="2.8" fill="#fff"/></svg>';

/** Files that are the same for everybody; asked for again after an hour. */
const FILES: Readonly<Record<string, readonly [type: string, body: string]>> = {
  "/vomrs/style.css": ["text/css; charset=utf-8", STYLE],
  "/vomrs/icon.svg": ["image/svg+xml", ICON],
};

export class Pages {
  readonly #options: PagesOptions;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  /** @returns the answer; `null` when there is no such page. Never throws a Refusal: those are pages too. */
  async answer(call: Call): Promise<Answer | null> {
    const file = Object.hasOwn(FILES, call.path) ? FILES[call.path] : undefined;
    if (file !== undefined)
      return {
        status: 200,
        type: file[0],
        body: file[1],
        headers: { "cache-control": "max-age=3600", "x-content-type-options": "nosniff" },
      };
    if (call.path === "/") return moved("/voms");
    if (call.path !== "/voms" && call.path !== "/voms/" && !call.path.startsWith("/voms/")) return null;
    let caller: Caller;
    try {
      caller = await this.#options.callers.of(call);
    } catch (error) {
      return refusedPage(error);
    }
    try {
      return await this.#page(call, caller);
    } catch (error) {
      return refusedPage(error, caller);
    }
  }

  async #page(call: Call, caller: Caller): Promise<Answer | null> {
    const { registration } = this.#options;
    const [, name = "", rest = ""] = /^\/voms\/([^/]+)(\/.*)?$/.exec(call.path) ?? [];
    if (name === "") {
      const scenes = registration.book.definitions.map((vo) => registration.scene(vo.name, caller));
      // With one organization there is nothing to choose.
      return scenes.length === 1
        ? moved(voPath(scenes[0]!.vo.name))
        : framed(organizationsPage(scenes), { who: caller.actor || "No certificate shown" });
    }
    const route = ROUTES.map((one) => ({ ...one, match: one.path.exec(rest) })).find(({ match }) => match !== null);
    if (route === undefined || registration.book.definition(name) === undefined) return null;
    const render = async (failed: Failed | null): Promise<Answer> => {
      const view = this.#view(call, caller, name, failed);
      const read: Reads = async (operation, given = {}) =>
        (await registration.do(OPERATIONS.get(operation)!, name, caller, given)).data;
      return framedIn(view, await route.render(view, read, route.match![1] ?? ""), failed?.status ?? 200);
    };
    if (call.method === "GET") return render(null);
    if (call.method !== "POST") throw new Refusal(405, `${call.path} takes GET and POST`);
    return this.#carryOut(call, caller, name, render);
  }

  async #carryOut(
    call: Call,
    caller: Caller,
    vo: string,
    render: (failed: Failed) => Promise<Answer>,
  ): Promise<Answer> {
    refuseForeign(call);
    const { does, key, token, given } = formOf(call);
    const { sealing, registration } = this.#options;
    const operation: Operation | undefined = OPERATIONS.get(does);
    if (operation === undefined || !operation.changes) throw new Refusal(400, "this form is none of ours");
    const failed = (error: Refusal): Promise<Answer> =>
      render({
        does,
        key,
        given,
        faults: error instanceof FormRefused ? error.fields : {},
        message: error.message,
        status: error.status,
      });
    if (!sealing.isFormToken(token, formOwner(caller), Date.now()))
      return failed(
        new Refusal(403, "this page lay open for too long, or was made for somebody else: send the form again"),
      );
    try {
      const { says } = await registration.do(operation, vo, caller, given);
      const said = new URLSearchParams({ said: says, seal: sealing.seal(says, formOwner(caller)) });
      return moved(`${call.path}?${said}`);
    } catch (error) {
      if (error instanceof Refusal) return failed(error);
      throw error;
    }
  }

  #view(call: Call, caller: Caller, vo: string, failed: Failed | null): View {
    const { registration, sealing, freshness, vomses, lsc } = this.#options;
    const query = new Map(call.query.names().map((name) => [name, call.query.get(name) ?? ""]));
    const owner = formOwner(caller);
    const said = query.get("said") ?? "";
    const { state, says } = freshness();
    return {
      registration,
      scene: registration.scene(vo, caller),
      path: call.path,
      query,
      token: sealing.formToken(owner, Date.now()),
      // Anybody can make a link; only we say what was done.
      said: said !== "" && failed === null && sealing.isSeal(query.get("seal") ?? "", said, owner) ? said : null,
      failed,
      stale: state === "ok" ? null : `What you see may be old, and nothing can be changed now: ${says}.`,
      vomses: vomses(vo),
      lsc: lsc(),
    };
  }
}

/** To whom a form is given. */
const formOwner = ({ actor }: Caller): string => actor || "nobody";

function moved(location: string): Answer {
  return { status: 303, body: "", type: "text/plain", headers: { location, "cache-control": "no-store" } };
}

/** @throws {Refusal} 400 for what no form of ours sends */
function formOf({ request }: Call): {
  does: string;
  key: string;
  token: string;
  given: Readonly<Record<string, string>>;
} {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers["content-type"] ?? ""))
    throw new Refusal(400, "content-type: expected a form");
  const body = new Query(request.body.toString("latin1"));
  const given: Record<string, string> = Object.create(null);
  for (const name of body.names()) {
    const [value = "", ...more] = body.getAll(name);
    if (more.length > 0) throw new Refusal(400, `${name.slice(0, 40)} is given twice`);
    given[name] = value;
  }
  const { do: does = "", key = "", token = "", ...rest } = given;
  return { does, key: key.slice(0, 1200), token, given: rest };
}

const TITLES: Readonly<Record<number, string>> = {
  401: "Who are you?",
  403: "Not for you",
  404: "Nothing is here",
  409: "Not as things are",
  429: "Too soon",
  503: "Not now",
};

function refusedPage(error: unknown, caller?: Caller): Answer {
  if (!(error instanceof Refusal)) throw error;
  const { status, message } = error;
  const title = TITLES[status] ?? "This cannot be done";
  const more = caller !== undefined && status === 403 && caller.actor === "" ? html`<p>${whyNobody(caller)}</p>` : "";
  const body = html`<h1>${title}</h1><p class="lead">${sentence(message)}</p>${more}<p><a href="/voms">To the organizations</a></p>`;
  return framed({ title, body }, { who: caller?.actor ?? "" }, status);
}
