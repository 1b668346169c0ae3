/** Settings that GUMS and SAZ share about those whom a call speaks of: whose word counts, and for whom tokens are. */
import type { Service } from "../model/index.ts";
import type { SettingRule } from "./recipe.ts";
import { readList } from "./surroundings.ts";

/** @returns the names, or `null` when the setting is no list of them */
function readNames(value: unknown): readonly string[] | null {
  return readList(value, (one) => (typeof one === "string" && /^[^\p{Cc}]{1,255}$/u.test(one) ? one : null));
}

export const GATEKEEPERS: SettingRule = {
  expected: "a list of certificate names such as ce1.example.org, *.example.org",
  accepts: (value) => readNames(value) !== null,
};

export const AUDIENCES: SettingRule = {
  expected: "a list of audiences of tokens such as https://ce.example.org",
  accepts: (value) => readNames(value) !== null,
};

/** Silence is every guest; an empty list is nobody but operators. */
export function gatekeepersOf({ settings }: Service): { readonly gatekeepers?: readonly string[] } {
  return settings.gatekeepers === undefined ? {} : { gatekeepers: readNames(settings.gatekeepers) ?? [] };
}

/** Silence is none but those that mean anybody. */
export function audiencesOf({ settings }: Service): { readonly audiences?: readonly string[] } {
  return settings.audiences === undefined ? {} : { audiences: readNames(settings.audiences) ?? [] };
}
