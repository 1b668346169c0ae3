/** The site under test, as the tests reach it: nothing here is a test's own. */
import type { PowerSwitch, SiteObservation } from "../controller/index.ts";
import type { Hypervisor } from "../hypervisor/index.ts";
import type {
  AliasName,
  Blueprint,
  BlueprintAlias,
  BlueprintGuest,
  DirectorStatus,
  GuestName,
  HostName,
  Site,
} from "../model/index.ts";
import type { Ask } from "../probe/index.ts";
import type { SampleRequest } from "../recipes/index.ts";
import type { TlsIdentity } from "../world/index.ts";
import type { TestName } from "./contract.ts";

/** What is shown while a test runs. */
export interface TestProgress {
  readonly test: TestName;
  /** What is being done, e.g. `fg5x2 is killed under load`. */
  readonly says: string;
  /** Share done, 0 to 1, and seconds that are left, as far as anyone can tell. */
  readonly done: number;
  readonly secondsLeft: number;
}

export interface Subject {
  readonly site: Site;
  readonly blueprint: Blueprint;
  /** The operator's certificate: who measures is known to every service. */
  readonly tls: TlsIdentity;
  /** Requests that clients of an alias make, reads and writes; empty where nobody knows any. */
  readonly samples: (alias: BlueprintAlias) => readonly SampleRequest[];
  /** One question at one address (a copy's own, or the alias's), for probers; the name is in the certificate. */
  readonly question: (alias: BlueprintAlias, address: string, servername: string) => Ask;
  readonly hypervisor: (host: HostName) => Promise<Hypervisor>;
  /**
   * The site's state directory: from there a second process reaches the same hosts, and puts back what is dead when this one is ended in the
   * middle of a test. `null`: nobody can, and the report says so.
   */
  readonly state: string | null;
  /** `null`: nobody here can take a machine's power, and the report says so. */
  readonly power: PowerSwitch | null;
  readonly observe: () => Promise<SiteObservation>;
  readonly directors: () => Promise<readonly DirectorStatus[]>;
  readonly tell: (progress: TestProgress) => void;
  readonly signal: AbortSignal;
}

/** @returns the copies behind an alias, in the Blueprint's order */
export function copiesOf(blueprint: Blueprint, alias: BlueprintAlias): readonly BlueprintGuest[] {
  const names = new Set<GuestName>(alias.backends.map(({ guest }) => guest));
  return blueprint.guests.filter(({ name }) => names.has(name));
}

export const aliasNames = (blueprint: Blueprint): readonly AliasName[] => blueprint.aliases.map(({ name }) => name);
