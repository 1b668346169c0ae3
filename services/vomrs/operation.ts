/** What can be done, as data: pages and JSON calls are made from the same table, so that both do the same thing and refuse the same way. */
import type { Person, Standing } from "../../src/vo/index.ts";
import { Refusal } from "../http/index.ts";
import type { Said } from "../vo/index.ts";
import type { CallerIdentity } from "./callers.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Fields, Input } from "./fields.ts";
import type { Role, Scene } from "./scene.ts";
import type { Sealing } from "./sealing.ts";

export type State = Standing["state"];

/** What an operation has at hand beside the call itself. */
export interface Means {
  readonly book: Chronicle;
  readonly sealing: Sealing;
  /** Whether e-mails are sent. */
  readonly mail: boolean;
  /** Reads a certificate that somebody sent. */
  readonly certificate: (pem: string) => CallerIdentity;
}

/** A word to be written; organization and actor are those of the call. */
export type Word = Omit<Said, "vo" | "actor">;

export interface Doing extends Scene {
  readonly means: Means;
  readonly input: Input;
  /** Whom it is about; for those about nobody, `null`. */
  readonly about: Person | null;
  readonly roles: readonly Role[];
}

/** What came of it: for changes the words to be written, in this order, so that what an end in between leaves behind harms nobody. */
export interface Outcome {
  readonly words?: readonly Word[];
  /** One sentence for people. */
  readonly says: string;
  /** More for programs. */
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface Operation {
  readonly name: string;
  /** Continues "may": "approve an application". */
  readonly says: string;
  readonly who: readonly Role[];
  /** `nobody`: the organization; `self`: the caller; `person`: who is named, the caller when nobody is. */
  readonly about: "nobody" | "self" | "person";
  /** Standings of whom it is about in which it can be done; any when silent. */
  readonly states?: readonly State[];
  /** Changes something, and is a POST. */
  readonly changes: boolean;
  readonly fields: Fields;
  readonly run: (doing: Doing) => Outcome;
}

/** @throws {Refusal} 409: what is asked cannot be, as things are */
export function refuse(says: string): never {
  throw new Refusal(409, says);
}

/** Whom an operation on a person is about. @throws {Refusal} when there is nobody */
export function aboutOf({ about }: Doing): Person {
  if (about === null) throw new Refusal(404, "there is no such person");
  return about;
}

export const REASON = { kind: "sentence", label: "Reason" } as const;
export const WHY = { ...REASON, required: true } as const;
export const PERSON = {
  person: { kind: "person", label: "Person", help: "an id, or the name in a certificate" },
  ca: { kind: "dn", label: "Authority" },
} as const satisfies Fields;
