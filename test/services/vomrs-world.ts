/** A stage with VOMRS on it: its database, one copy or two, people with certificates of an authority of their own, and calls as they make them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import type { MailRule } from "../../src/recipes/index.ts";
import { readVos, type VoDefinition } from "../../src/vo/index.ts";
import { AUTHORITY, INHERIT, LIMITED, type Made, PERSON, Workshop } from "../support/openssl.ts";
import { type Actor, address, type Identity, Stage } from "./stage.ts";

export const CA = "/DC=org/DC=fermigrid/CN=People CA";
const PEOPLE = "/DC=org/DC=fermigrid/OU=People";
export const dn = (name: string): string => `${PEOPLE}/CN=${name}`;

export const RULES = { version: "1", text: "Be kind.\nUse it for <science> & nothing else." };

/** The organization of most tests. */
export const FERMILAB = {
  name: "fermilab",
  title: "Fermilab & friends",
  groups: ["/fermilab/nova", "/fermilab/minos/analysis"],
  roles: ["Production", "Analysis"],
  managers: [dn("Manfred Manager")],
  rules: RULES,
  institutions: [
    { name: "Fermilab", representatives: [dn("Rita Representative")] },
    { name: "Karlsruhe", representatives: [dn("Karl Representative")] },
  ],
};

export function definitions(...vos: readonly Readonly<Record<string, unknown>>[]): readonly VoDefinition[] {
  const read = readVos(vos);
  if (read.mistakes) throw new Error(JSON.stringify(read.mistakes));
  return read.vos;
}

export interface Answered {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer says is checked by what a test expects of it
  readonly json: any;
}

export interface Asking {
  readonly as?: Identity | null;
  readonly copy?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How copies are cast. */
interface Setting {
  readonly vos: readonly VoDefinition[];
  readonly names: readonly string[];
  readonly mail: MailRule | null;
  /** More for `etc/vomrs.json`. */
  readonly file: Readonly<Record<string, unknown>>;
}

const KEY = "ab".repeat(32);
const PORT = 8443;

export class VomrsWorld {
  readonly workshop = new Workshop();
  readonly stage: Stage;
  readonly authorities: string;
  readonly #ca: Made;
  readonly #people = new Map<string, Made>();
  database!: Actor;
  copies: Actor[] = [];
  #setting: Setting = { vos: [], names: [], mail: null, file: {} };
  operator!: Identity;
  guest!: Identity;

  private constructor(stage: Stage) {
    this.stage = stage;
    this.authorities = this.workshop.path("certificates");
    mkdirSync(this.authorities);
    this.#ca = this.workshop.make({ subject: CA, extensions: AUTHORITY });
    writeFileSync(join(this.authorities, "people.pem"), this.#ca.pem);
  }

  /** @param copies how many */
  static async open(
    vos: readonly VoDefinition[],
    { copies = 1, mail = null, file = {} }: Partial<Setting> & { readonly copies?: number } = {},
  ): Promise<VomrsWorld> {
    const stage = await Stage.open();
    const world = new VomrsWorld(stage);
    [world.operator, world.guest] = [await stage.identity("olga", "operator"), await stage.identity("ce1")];
    const names = Array.from({ length: copies }, (_, index) => `v${index + 1}`);
    world.#setting = { vos, names, mail, file };
    try {
      world.database = await world.castDatabase();
      world.copies = await Promise.all(names.map((_, index) => world.cast(index)));
    } catch (error) {
      // Whoever did not get a world cannot close it.
      await world.close();
      throw error;
    }
    return world;
  }

  castDatabase(): Promise<Actor> {
    return this.stage.castDatabase(this.#setting.names.map((guest) => ({ guest, role: "voms" })));
  }

  /** A copy, for the first time or again. */
  async cast(index: number): Promise<Actor> {
    const { vos, names, mail, file } = this.#setting;
    const alias = await this.stage.identity("voms", "guest");
    return this.stage.cast({
      name: names[index]!,
      bundle: "vomrs",
      address: address(10 + index),
      aliases: ["vomrs"],
      files: {
        "etc/vomrs.json": {
          port: PORT,
          directors: [],
          database: { kind: "sqlite", alias: "mysql", address: address(5), port: 3306 },
          stale: { after: 600, decides: "go-on" },
          vos,
          authorities: this.authorities,
          refresh: 60,
          voms: { host: "voms", port: 15001 },
          url: `https://vomrs:${PORT}`,
          mail,
          copies: names,
          key: "vomrs-voms",
          ...file,
        },
        "etc/secrets/vomrs-voms": KEY,
        "etc/voms-tls/cert.pem": alias.cert,
        "etc/voms-tls/ca.pem": alias.ca,
        "etc/voms-tls/key.pem": alias.key,
      },
    });
  }

  /** Certificate and key of somebody under the people's authority; the same each time. */
  person(name: string, extensions: readonly string[] = []): Identity {
    let made = this.#people.get(name);
    if (made === undefined) {
      made = this.workshop.make({ subject: dn(name), by: this.#ca, extensions: [...PERSON, ...extensions] });
      this.#people.set(name, made);
    }
    return this.#identityOf(made);
  }

  pem(name: string): string {
    this.person(name);
    return this.#people.get(name)!.pem;
  }

  /** @param depth proxies below each other */
  proxy(name: string, limited = false, depth = 1): Identity {
    this.person(name);
    const chain = [this.#people.get(name)!];
    while (chain.length <= depth) chain.unshift(this.workshop.proxy(chain[0]!, limited ? LIMITED : INHERIT));
    return { ...this.#identityOf(chain[0]!), cert: chain.map(({ pem }) => pem).join("") };
  }

  /** Somebody of an authority that nobody trusts. */
  stranger(): Identity {
    const own = this.workshop.make({ subject: "/O=stage/CN=stage authority", extensions: AUTHORITY });
    return this.#identityOf(
      this.workshop.make({ subject: "/O=stage/OU=operator/CN=olga", by: own, extensions: PERSON }),
    );
  }

  revoke(name: string): void {
    this.person(name);
    writeFileSync(join(this.authorities, "people.r0"), this.workshop.revoke(this.#ca, [this.#people.get(name)!]));
  }

  #identityOf(made: Made): Identity {
    return { ca: this.stage.authority.certificate, cert: made.pem, key: this.workshop.run("pkey", "-in", made.key) };
  }

  /** One call, on a connection of its own. */
  ask(method: string, path: string, { as = null, copy = 0, body, headers = {} }: Asking = {}): Promise<Answered> {
    const where = this.copies[copy]!;
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: where.address,
          port: PORT,
          path,
          method,
          ca: this.stage.authority.certificate,
          ...(as === null ? {} : { cert: as.cert, key: as.key }),
          servername: where.name,
          agent: false,
          headers: { ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }), ...headers },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("end", () => {
            let json: unknown = {};
            try {
              json = JSON.parse(text);
            } catch {
              // A page.
            }
            resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers, json });
          });
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  }

  /** @returns asks again and again on one connection, and says whether it is still that one */
  stay(as: Identity): {
    readonly ask: (path: string) => Promise<{ status: number; same: boolean }>;
    readonly close: () => void;
  } {
    const where = this.copies[0]!;
    const agent = new Agent({
      keepAlive: true,
      maxSockets: 1,
      ca: this.stage.authority.certificate,
      cert: as.cert,
      key: as.key,
      servername: where.name,
    });
    let first: unknown;
    const ask = (path: string): Promise<{ status: number; same: boolean }> =>
      new Promise((resolve, reject) => {
        const sent = request({ host: where.address, port: PORT, path, agent }, (response) => {
          const { socket } = response;
          first ??= socket;
          response.resume().on("end", () => resolve({ status: response.statusCode ?? 0, same: socket === first }));
        });
        sent.on("error", reject).end();
      });
    return { ask, close: () => agent.destroy() };
  }

  /** Reads by JSON. */
  get(operation: string, query: Readonly<Record<string, string>> = {}, asking: Asking = {}): Promise<Answered> {
    const text = new URLSearchParams({ vo: "fermilab", ...query });
    return this.ask("GET", `/vomrs/json/${operation}?${text}`, asking);
  }

  /** Changes by JSON. */
  post(operation: string, body: Readonly<Record<string, unknown>>, asking: Asking = {}): Promise<Answered> {
    return this.ask("POST", `/vomrs/json/${operation}`, {
      body: JSON.stringify({ vo: "fermilab", ...body }),
      ...asking,
      headers: { "content-type": "application/json", ...asking.headers },
    });
  }

  /** @throws Error with the answer when it is not 200 */
  async must(operation: string, body: Readonly<Record<string, unknown>>, asking: Asking = {}): Promise<Answered> {
    const answer = await this.post(operation, body, asking);
    if (answer.status !== 200) throw new Error(`${operation}: ${answer.status} ${answer.body}`);
    return answer;
  }

  /** Loads a page and sends one of its forms, as a browser does: its hidden fields, what is filled in, and to where it says. */
  async submit(
    path: string,
    does: string,
    filled: Readonly<Record<string, string>>,
    asking: Asking = {},
    key?: string,
  ): Promise<Answered> {
    const page = await this.ask("GET", path, asking);
    const form = formsOf(page.body).find(
      (one) => one.hidden.do === does && (key === undefined || one.hidden.key === key),
    );
    if (form === undefined) throw new Error(`${path} has no form for ${does}: ${page.status}\n${page.body}`);
    return this.ask("POST", form.action.split("#")[0]!, {
      ...asking,
      body: new URLSearchParams({ ...form.hidden, ...filled }).toString(),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        origin: `https://${this.copies[asking.copy ?? 0]!.address}:${PORT}`,
        ...asking.headers,
      },
    });
  }

  /** Follows the redirect that a form ended with. */
  follow(answer: Answered, asking: Asking = {}): Promise<Answered> {
    return this.ask("GET", String(answer.headers.location), asking);
  }

  /** From nothing to member, by JSON; needs a world without e-mail. @returns the person's id */
  async member(name: string, institution = "Fermilab"): Promise<string> {
    const as = this.person(name);
    const applied = await this.must(
      "apply",
      { name, email: `${name.split(" ")[0]!.toLowerCase()}@example.org`, institution, rules: "1" },
      { as },
    );
    const { person } = applied.json;
    await this.must("confirm-address", { person, reason: "known" }, { as: this.operator });
    await this.must("approve", { person }, { as: this.operator });
    return person;
  }

  async close(): Promise<void> {
    await this.stage.close();
    this.workshop.remove();
  }
}

export interface ReadForm {
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
  readonly text: string;
}

const unescaped = (text: string): string =>
  text.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name as "amp"]!,
  );

export function formsOf(page: string): readonly ReadForm[] {
  return [...page.matchAll(/<form method="post" action="([^"]*)"[\s\S]*?<\/form>/g)].map(([text, action]) => ({
    action: unescaped(action!),
    text,
    hidden: Object.fromEntries(
      [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name, value]) => [
        name,
        unescaped(value!),
      ]),
    ),
  }));
}
