/** A small site by hand, so that recipes are tested without reader and planner. */
import type {
  AliasName,
  BlueprintAlias,
  GuestName,
  HostName,
  Service,
  ServiceName,
  Site,
  SiteName,
} from "../../src/model/index.ts";
import type { RecipeContext, Seat } from "../../src/recipes/index.ts";

const GIB = 1024 ** 3;

export function service(name: string, recipe: string, more: Partial<Service> = {}): Service {
  return {
    name: name as ServiceName,
    title: name,
    recipe,
    strategy: recipe === "mysql" ? "replicated-database" : "active-active",
    mode: recipe === "mysql" ? "circular" : null,
    kind: "appliance",
    copies: 2,
    memory: 4 * GIB,
    cpus: 1,
    disk: 0,
    alias: alias(name, { gums: 8443, saz: 8443, mysql: 3306, voms: 15001, own: 80 }[recipe] ?? 1000),
    also: null,
    needs: recipe === "gums" || recipe === "saz" ? ["mysql" as ServiceName] : [],
    hosts: [],
    forbid: [],
    slot: null,
    apart: "host",
    probe: null,
    settings: {},
    own: null,
    ...more,
  };
}

function alias(name: string, port: number): NonNullable<Service["alias"]> {
  return {
    name: name as AliasName,
    port,
    address: null,
    scheduler: "least-connections",
    persistence: 0,
    connections: 1000,
    connectionsPerCopy: 1000,
  };
}

/** Two hosts, each service with a copy on each, addresses counted up. */
export function contextFor(
  name: string,
  copy: number,
  services: readonly Service[],
  more: Partial<Pick<RecipeContext, "target" | "database">> = {},
): RecipeContext {
  const hosts = ["fermigrid5", "fermigrid6"];
  const seats: Seat[] = services.flatMap((one, slot) =>
    hosts.map((host, at) => ({
      name: `fg${5 + at}x${slot}` as GuestName,
      service: one.name,
      host: host as HostName,
      address: `127.20.30.${10 * (at + 1) + slot}`,
      copy: at,
    })),
  );
  const aliases: BlueprintAlias[] = services.flatMap((one, slot) =>
    one.alias === null
      ? []
      : [
          {
            name: one.alias.name,
            service: one.name,
            address: `127.20.30.${100 + slot}`,
            port: one.alias.port,
            scheduler: one.alias.scheduler,
            persistence: 0,
            connections: 1000,
            connectionsPerCopy: 1000,
            distribution: "all",
            proxyProtocol: false,
            backends: [],
          },
        ],
  );
  const site = { name: "fermigrid-ha" as SiteName, services, hosts: [] } as unknown as Site;
  const copies = seats.filter((seat) => seat.service === name);
  return {
    site,
    service: services.find((one) => one.name === name)!,
    seat: copies[copy]!,
    copies,
    seats,
    aliases,
    target: "embedded",
    database: "mariadb",
    ...more,
  };
}

/** The documents' five. */
export function fermigrid(more: Readonly<Record<string, Partial<Service>>> = {}): readonly Service[] {
  return ["lvs", "voms", "gums", "saz", "mysql"].map((name) =>
    service(name, name, { ...(name === "lvs" ? { alias: null } : {}), ...more[name] }),
  );
}
