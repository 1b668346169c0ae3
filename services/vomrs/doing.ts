/**
 * Does an operation of the table for somebody: finds out who he is in the organization, whether he may, whether things are so that it can be
 * done, and writes it down. One change at a time in each copy, on what the database has then: two copies may still decide about the same thing
 * in the same moment, and then the later word counts.
 */

import type { Person } from "../../src/vo/index.ts";
import { Refusal } from "../http/index.ts";
import { type Follower, refuseWrite } from "../records/index.ts";
import { writeWord } from "../vo/index.ts";
import type { Caller } from "./callers.ts";
import type { Chronicle } from "./chronicle.ts";
import { type Input, readInput } from "./fields.ts";
import type { Doing, Means, Operation } from "./operation.ts";
import { Pace } from "./pace.ts";
import {
  called,
  findPerson,
  oversees,
  ROLE_WORDS,
  rolesOf,
  type Scene,
  STANDING_WORDS,
  sceneOf,
  standing,
  whyNoSelf,
} from "./scene.ts";

/** Changes that wait for the one before. */
const MOST_WAITING = 64;

export interface Done {
  readonly says: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const either = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

export class Registration {
  readonly #follower: Follower<Chronicle>;
  readonly #means: Means;
  readonly #now: () => number;
  readonly #pace = new Pace();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(follower: Follower<Chronicle>, means: Means, now: () => number = Date.now) {
    this.#follower = follower;
    this.#means = means;
    this.#now = now;
  }

  get book(): Chronicle {
    return this.#means.book;
  }

  get means(): Means {
    return this.#means;
  }

  /** @throws {Refusal} 404 when the site file has no such organization */
  scene(vo: string, caller: Caller): Scene {
    const definition = this.book.definition(vo);
    if (definition === undefined) throw new Refusal(404, `this site has no organization ${vo.slice(0, 64)}`);
    return sceneOf(definition, this.book.facts(vo), caller, this.#now());
  }

  /**
   * @param given fields as they came
   * @throws {Refusal} with one sentence, {@link FormRefused} with one for each field that is wrong
   */
  async do(operation: Operation, vo: string, caller: Caller, given: Readonly<Record<string, unknown>>): Promise<Done> {
    // Who may not in any case is told that, and not what was wrong with his words.
    this.#admit(operation, this.scene(vo, caller));
    const input = readInput(operation.fields, given);
    if (!operation.changes) {
      const { says, data = {} } = operation.run(this.#doing(operation, this.scene(vo, caller), input));
      return { says, data };
    }
    // Who may not here is told so without waiting for anybody.
    const scene = this.scene(vo, caller);
    const doing = this.#doing(operation, scene, input);
    // What nobody in particular asks is looked at in memory first: else anybody could keep the database busy, and others waiting.
    if (caller.actor === "") operation.run(doing);
    else if (!oversees(scene)) this.#pace.take(caller.actor, this.#now());
    return this.#inTurn(() => this.#change(operation, vo, caller, input));
  }

  async #change(operation: Operation, vo: string, caller: Caller, input: Input): Promise<Done> {
    const follower = this.#follower;
    await follower.poll();
    if (follower.fault !== null) {
      const seen =
        follower.seen === 0 ? "nothing is known yet" : `what is shown is of ${new Date(follower.seen).toISOString()}`;
      throw new Refusal(503, `${follower.fault}: nothing can be recorded now; ${seen}`);
    }
    const { words = [], says, data = {} } = operation.run(this.#doing(operation, this.scene(vo, caller), input));
    try {
      for (const word of words) await writeWord(follower, { ...word, vo, actor: caller.actor || "nobody" });
    } catch (error) {
      if (error instanceof RangeError) throw new Refusal(400, error.message);
      refuseWrite(error, "changes", follower);
    }
    return { says, data };
  }

  /** @throws {Refusal} 401 for nobody where somebody is needed, 403 for who could not do it to anybody */
  #admit(operation: Operation, scene: Scene): void {
    const { caller } = scene;
    if (operation.who.includes("anybody")) return;
    if (caller.identity === null && caller.site !== "operator")
      throw new Refusal(caller.site === "guest" ? 403 : 401, whyNobody(caller));
    const may = [...rolesOf(scene, null), ...(scene.self === null ? [] : rolesOf(scene, scene.self))];
    if (!operation.who.some((role) => may.includes(role))) this.#refuse(operation, scene, false);
  }

  /** @throws {Refusal} 403, 404, 409 */
  #doing(operation: Operation, scene: Scene, input: Input): Doing {
    const about =
      operation.about === "self" || (operation.about === "person" && !input.has("person"))
        ? scene.self
        : operation.about === "person"
          ? this.#find(operation, scene, input)
          : null;
    const roles = rolesOf(scene, about);
    if (!operation.who.some((role) => roles.includes(role))) this.#refuse(operation, scene, about !== null);
    if (operation.about === "person" && about === null) throw new Refusal(400, "person: Person is missing");
    const { state } = standing(scene, about);
    if (operation.states !== undefined && !operation.states.includes(state)) {
      const own = about !== null && about === scene.self;
      const are = about === null || own ? "you are" : `${called(about)} is`;
      const needed = either(operation.states.map((one) => `"${STANDING_WORDS[one]}"`));
      throw new Refusal(409, `${are} "${STANDING_WORDS[state]}": ${operation.name} is for ${needed}`);
    }
    return { ...scene, means: this.#means, input, about, roles };
  }

  /** Who may see nobody must not find out who is there. */
  #find(operation: Operation, scene: Scene, input: Input): Person {
    try {
      return findPerson(scene, input.text("person"), input.text("ca") || null);
    } catch (error) {
      const overseer = rolesOf(scene, null).some((role) => role === "manager" || role === "operator");
      if (error instanceof Refusal && !overseer) this.#refuse(operation, scene, true);
      throw error;
    }
  }

  #refuse(operation: Operation, scene: Scene, someone: boolean): never {
    const { caller, vo, self } = scene;
    const onlySelf = operation.who.every((role) => role === "self");
    if (onlySelf && self === null) throw new Refusal(409, `you are not known to ${vo.name}: apply first`);
    const unusable = onlySelf || someone ? whyNoSelf(scene) : null;
    if (unusable !== null && self !== null && operation.who.includes("self")) throw new Refusal(403, unusable);
    const may = either(operation.who.map((role) => ROLE_WORDS[role]));
    throw new Refusal(403, `${caller.actor} may not ${operation.says} in ${vo.name}: that is for ${may}`);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= MOST_WAITING)
      return Promise.reject(new Refusal(503, `${this.#waiting} changes already wait: try again`));
    this.#waiting++;
    const run = this.#last.then(work).finally(() => this.#waiting--);
    this.#last = run.catch(() => {});
    return run;
  }
}

/** Why somebody counts as nobody. */
export function whyNobody({ fault, site }: Caller): string {
  if (site === "guest") return "a machine of the site is nobody's member: show a person's certificate";
  return fault === null
    ? "no certificate was shown: come with one of an authority that is trusted here"
    : `your certificate is not taken: ${fault}`;
}
