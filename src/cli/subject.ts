/** The site under test, as acceptance reaches it from here. */
import type { Subject } from "../acceptance/index.ts";
import { aliasProbe } from "../controller/index.ts";
import { type Blueprint, type BlueprintAlias, Fault } from "../model/index.ts";
import { type Ask, askDirectors, askGreeting, askProbe } from "../probe/index.ts";
import { samplesFor } from "../recipes/index.ts";
import type { TlsIdentity } from "../world/index.ts";
import { type OpenSite, operatorTls, rememberedSite } from "./open.ts";

/**
 * One question to an alias, or to a copy behind it at its own address. MariaDB speaks first: behind a director a bare connection would prove only
 * that the director lives.
 * @param servername the name in the certificate there
 */
export function questionTo(
  blueprint: Blueprint,
  alias: BlueprintAlias,
  address: string,
  servername: string,
  tls: TlsIdentity,
): Ask {
  const probe = aliasProbe(alias);
  const greets = blueprint.guests.some(
    ({ service, definition }) =>
      service === alias.service && definition.program.kind === "bundle" && definition.program.bundle === "mariadb",
  );
  if (probe.kind === "tcp" && greets) return askGreeting(address, alias.port);
  return askProbe(probe, address, tls, probe.kind === "https" ? servername : null);
}

/**
 * @param open a site that is up
 * @throws Fault `site.down`
 */
export async function subjectOf(open: OpenSite, tell: Subject["tell"], signal: AbortSignal): Promise<Subject> {
  const target = await open.store.target();
  if (target?.phase !== "up") throw new Fault("site.down", { site: open.name });
  const { blueprint } = target;
  const site = rememberedSite(open);
  const tls = operatorTls(open);
  return {
    site,
    blueprint,
    tls,
    samples: (alias) => {
      const service = site.services.find(({ name }) => name === alias.service);
      return service ? samplesFor(service, alias) : [];
    },
    question: (alias, address, servername) => questionTo(blueprint, alias, address, servername, tls),
    hypervisor: (host) => open.hosts.connect(host),
    state: open.directory,
    power: open.hosts,
    observe: async () => (await open.controller.observe())!.seen,
    directors: () => askDirectors(blueprint, tls),
    tell,
    signal,
  };
}
