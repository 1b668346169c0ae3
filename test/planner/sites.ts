/** Small sites and recipes of the tests' own, so that a change of the house's recipes changes no test of the planner. */
import {
  type AliasName,
  emptyInventory,
  type Host,
  type HostName,
  type Inventory,
  type Service,
  type ServiceName,
  type Site,
  type SiteName,
} from "../../src/model/index.ts";
import { blueprintId, type PlanInput, plan, type RecipeBook } from "../../src/planner/index.ts";
import { portFor, type Recipe } from "../../src/recipes/index.ts";

export const GiB = 1024 ** 3;

const base: Recipe = {
  name: "plain",
  title: "a program",
  defaults: { strategy: "active-active", memory: GiB, cpus: 1, disk: 0, port: 8443 },
  settings: {},
  withoutNeeds: "read-only",
  holders: (_, copies) => copies,
  alias: (service) =>
    service.alias
      ? {
          port: service.alias.port,
          check: { kind: "tcp", port: service.alias.port },
          distribution: "all",
          proxyProtocol: true,
        }
      : null,
  render: ({ service, target }) => ({
    definition: {
      image: null,
      packages: [],
      data: service.settings.data === "local" ? "local" : "none",
      program: { kind: "bundle", bundle: service.recipe },
      environment: {},
      ports: service.alias ? { main: portFor(target, service.alias.port) } : {},
      probe: { kind: "running" },
      watchdog: true,
    },
    files: [{ path: "etc/service.json", content: JSON.stringify(service.settings) }],
    secrets: [],
  }),
  embeddedRefusal: (service) =>
    service.own?.packages.length ? "packages need a guest with a kernel of its own" : null,
  samples: [],
};

const recipes: readonly Recipe[] = [
  base,
  {
    ...base,
    name: "lvs",
    alias: () => null,
    render: (context) => ({
      ...base.render(context),
      files: [{ path: "etc/director.json", content: JSON.stringify(context.aliases) }],
      secrets: [{ name: "director-peer", version: 1, kind: "token", subject: null }],
    }),
  },
  {
    ...base,
    name: "mysql",
    withoutNeeds: "lost",
    holders: (database, copies) => (database === "sqlite" ? copies.slice(-1) : copies),
  },
  ...["voms", "gums", "saz"].map((name) => ({ ...base, name })),
];
export const BOOK: RecipeBook = new Map(recipes.map((recipe) => [recipe.name, recipe]));

export function host(name: string, over: Partial<Host> = {}): Host {
  return {
    name: name as HostName,
    prefix: `${name}x`,
    hypervisor: null,
    cpus: 4,
    memory: 16 * GiB,
    reserve: GiB,
    rack: null,
    building: null,
    address: null,
    spare: false,
    ...over,
  };
}

type ServiceSketch = Partial<Omit<Service, "alias" | "needs">> & {
  readonly alias?: number | null;
  readonly needs?: readonly string[];
};

export function service(name: string, over: ServiceSketch = {}): Service {
  const { alias = null, needs = [], ...rest } = over;
  return {
    name: name as ServiceName,
    title: name,
    recipe: "plain",
    strategy: "active-active",
    mode: null,
    kind: "appliance",
    copies: 2,
    memory: GiB,
    cpus: 1,
    disk: 0,
    alias:
      alias === null
        ? null
        : {
            name: name as AliasName,
            port: alias,
            address: null,
            scheduler: "least-connections",
            persistence: 0,
            connections: 1000,
            connectionsPerCopy: 500,
          },
    also: null,
    needs: needs as readonly ServiceName[],
    hosts: [],
    forbid: [],
    slot: null,
    apart: "host",
    probe: null,
    settings: {},
    own: null,
    ...rest,
  };
}

export function site(hosts: readonly Host[], services: readonly Service[], over: Partial<Site> = {}): Site {
  return {
    name: "test" as SiteName,
    network: { cidr: null, mode: "loopback", bridge: null, ipv6: false },
    hosts,
    services,
    rules: { memoryOvercommit: 1, cpuRatio: 4 },
    ...over,
  };
}

/** The documents' ten guests on two hosts, as in sites/fermigrid-ha.yaml. */
export function fermigrid(): Site {
  return site(
    [host("fermigrid5", { prefix: "fg5x", rack: "A" }), host("fermigrid6", { prefix: "fg6x", rack: "B" })],
    [
      service("lvs", { recipe: "lvs", strategy: "active-standby", memory: GiB }),
      service("voms", { recipe: "voms", memory: 2 * GiB, alias: 15001, needs: ["mysql"] }),
      service("gums", { recipe: "gums", memory: 3 * GiB, cpus: 2, alias: 8443, needs: ["mysql"] }),
      service("saz", { recipe: "saz", memory: 3 * GiB, cpus: 2, alias: 8443, needs: ["mysql"] }),
      service("mysql", {
        recipe: "mysql",
        strategy: "replicated-database",
        mode: "circular",
        memory: 4 * GiB,
        cpus: 2,
        disk: 20 * GiB,
        alias: 3306,
      }),
    ],
    { name: "fermigrid-ha" as SiteName },
  );
}

export function ask(of: Site, over: Partial<PlanInput> = {}): PlanInput {
  return {
    site: of,
    inventory: emptyInventory({ mariadb: true }),
    parent: null,
    cause: { by: "person", says: "asked in a test" },
    version: "0.1.0",
    loopback: null,
    ...over,
  };
}

/** A plan that must succeed. */
export function planned(input: PlanInput): Extract<ReturnType<typeof plan>, { ok: true }> {
  const result = plan(input, BOOK);
  if (!result.ok) throw new Error(`refused: ${result.refusals.join("\n")}`);
  return result;
}

/** The same question again, with the answer in force. */
export function after(input: PlanInput, over: Partial<PlanInput> = {}): PlanInput {
  const { blueprint } = planned(input);
  return { ...input, parent: { id: blueprintId(blueprint), blueprint }, ...over };
}

export function without(host: string, mariadb = true): Inventory {
  return {
    hosts: [{ name: host as HostName, state: "unreachable", memory: null, cpus: null }],
    guests: [],
    programs: { mariadb },
  };
}
