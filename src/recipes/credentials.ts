/** Settings that GUMS and SAZ share about proxies they check themselves: whom they believe, and what a limited proxy may. */
import type { Service } from "../model/index.ts";
import type { SettingRule } from "./recipe.ts";

/** Part of the configuration of a program that checks certificates of people. */
export interface CredentialRule {
  /** A directory such as `/etc/grid-security/certificates`. */
  readonly authorities: string;
  /** A directory such as `/etc/grid-security/vomsdir`; `null`: no VO's word is believed. */
  readonly vomsdir: string | null;
  /** Seconds between two looks at them. */
  readonly refresh: number;
  /** What authorities may sign of which no policy speaks. */
  readonly withoutPolicy: "accept" | "refuse";
  /** Whether a limited proxy is taken for the person. */
  readonly limited: "accept" | "refuse";
}

/** Where the grid's packages put them; a directory that is not there is no mistake. */
export const CREDENTIALS_DEFAULT: CredentialRule = {
  authorities: "/etc/grid-security/certificates",
  vomsdir: "/etc/grid-security/vomsdir",
  refresh: 60,
  withoutPolicy: "accept",
  limited: "accept",
};

const isPath = (value: unknown): value is string =>
  typeof value === "string" && /^\/[^\p{Cc}]{0,1023}$/u.test(value) && !value.split("/").includes("..");
const oneOf =
  (...words: readonly string[]) =>
  (value: unknown): boolean =>
    words.includes(value as string);

export const CREDENTIAL_SETTINGS: Readonly<Record<string, SettingRule>> = {
  authorities: {
    expected: "an absolute path such as /etc/grid-security/certificates",
    accepts: isPath,
  },
  vomsdir: {
    expected: "an absolute path such as /etc/grid-security/vomsdir, or none",
    accepts: (value) => value === "none" || isPath(value),
  },
  "signing-policies": {
    expected: "where-present (an authority without one may sign anything) or required",
    accepts: oneOf("where-present", "required"),
  },
  "limited-proxies": { expected: "accept or refuse", accepts: oneOf("accept", "refuse") },
};

/** What the site file says, and the defaults where it is silent. */
export function credentialsOf({ settings }: Service): { readonly credentials: CredentialRule } {
  const { authorities, vomsdir, "signing-policies": policies, "limited-proxies": limited } = settings;
  const path = (value: unknown, otherwise: string | null): string | null => (isPath(value) ? value : otherwise);
  return {
    credentials: {
      authorities: isPath(authorities) ? authorities : CREDENTIALS_DEFAULT.authorities,
      vomsdir: vomsdir === "none" ? null : path(vomsdir, CREDENTIALS_DEFAULT.vomsdir),
      refresh: CREDENTIALS_DEFAULT.refresh,
      withoutPolicy: policies === "required" ? "refuse" : CREDENTIALS_DEFAULT.withoutPolicy,
      limited: limited === "refuse" ? "refuse" : CREDENTIALS_DEFAULT.limited,
    },
  };
}
