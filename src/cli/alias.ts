/** From an alias's name to what is needed to call it: address, certificate, and the requests that its clients make. */
import { type BlueprintAlias, Fault } from "../model/index.ts";
import { type SampleRequest, samplesFor } from "../recipes/index.ts";
import { knownSites, stateBase } from "../store/index.ts";
import type { TlsIdentity } from "../world/index.ts";
import { chooseSite, type OpenSite, openState, operatorTls, rememberedSite } from "./open.ts";

export interface CalledAlias {
  readonly open: OpenSite;
  readonly alias: BlueprintAlias;
  readonly tls: TlsIdentity;
}

/**
 * Finds an alias in the named site, or in the one site that has it.
 * @throws Fault `alias.unknown`, `site.unknown`
 */
export async function findAlias(name: string, site: string | undefined): Promise<CalledAlias> {
  const names = site === undefined ? knownSites(stateBase(process.env)) : [chooseSite(site)];
  if (names.length === 0) chooseSite(undefined);
  const known: string[] = [];
  const resting: string[] = [];
  const found: CalledAlias[] = [];
  for (const one of names) {
    const open = await openState(one);
    const target = await open.store.target();
    const alias = target?.blueprint.aliases.find((candidate) => candidate.name === name);
    if (target?.phase === "up") known.push(...target.blueprint.aliases.map((candidate) => candidate.name));
    else if (alias) resting.push(one);
    if (alias && target?.phase === "up") {
      found.push({ open, alias, tls: operatorTls(open) });
    } else await open.close();
  }
  if (found.length === 1) return found[0]!;
  for (const one of found) await one.open.close();
  if (found.length > 1)
    throw new Fault("usage.invalid", {
      reason: `${name} is an alias of ${found.map((one) => one.open.name).join(" and ")}: say which with --site`,
    });
  if (resting.length > 0) throw new Fault("site.down", { site: resting.join(", ") });
  throw new Fault("alias.unknown", { alias: name, known: known.join(", ") || "none; bring a site up first" });
}

/**
 * The requests that clients of an alias make.
 * @throws Fault `request.refused` when nothing can be sent to it
 */
export function samplesOf({ open, alias }: CalledAlias): readonly SampleRequest[] {
  const service = rememberedSite(open).services.find((one) => one.name === alias.service);
  const samples = service ? samplesFor(service, alias) : [];
  if (samples.length > 0) return samples;
  throw new Fault("request.refused", {
    reason: `nobody knows which requests to send to ${alias.name}: ${service?.recipe ?? "its recipe"} names none`,
    remedy: "Use domus probe, which asks for a connection.",
  });
}
