/** Services the house can place but not yet run: a site with them is planned, and `up` refuses with this reason. */
import type { Strategy } from "../model/index.ts";
import type { Recipe } from "./recipe.ts";

const GIB = 1024 ** 3;

interface PlannedRow {
  readonly title: string;
  readonly strategy: Strategy;
  readonly memory: number;
  readonly port: number | null;
}

/** A table, because only these four things are known of them today. */
const PLANNED: Readonly<Record<string, PlannedRow>> = {
  myproxy: { title: "MyProxy: keeps credentials", strategy: "mirrored", memory: GIB, port: 7512 },
  gateway: { title: "Site gateway", strategy: "single", memory: 2 * GIB, port: 2119 },
  gatherer: { title: "Information gatherer", strategy: "native", memory: 2 * GIB, port: null },
  condor: { title: "Condor negotiator", strategy: "native", memory: 2 * GIB, port: null },
  syslog: { title: "Collects logs", strategy: "single", memory: GIB, port: 514 },
  monitor: { title: "Watches the site", strategy: "single", memory: GIB, port: null },
  squid: { title: "Web cache", strategy: "active-active", memory: GIB, port: 3128 },
  ldap: { title: "Directory", strategy: "native", memory: GIB, port: 389 },
  cups: { title: "Printing", strategy: "single", memory: GIB, port: 631 },
  samba: { title: "File shares", strategy: "single", memory: GIB, port: 445 },
  batch: { title: "Batch server", strategy: "single", memory: 2 * GIB, port: null },
  ce: { title: "Computing element", strategy: "single", memory: 2 * GIB, port: 2119 },
  se: { title: "Storage element", strategy: "single", memory: 2 * GIB, port: 8446 },
  wn: { title: "Worker node", strategy: "native", memory: 2 * GIB, port: null },
  generic: { title: "A machine of yours", strategy: "single", memory: GIB, port: null },
};

function planned(name: string, row: PlannedRow): Recipe {
  return {
    name,
    title: `${row.title} (planned only for now)`,
    defaults: { strategy: row.strategy, memory: row.memory, cpus: 1, disk: 0, port: row.port },
    settings: {},
    withoutNeeds: "lost",
    holders: (_database, copies) => copies,
    alias: (service) => {
      const port = service.alias?.port ?? row.port;
      if (port === null) return null;
      return { port, check: { kind: "tcp", port }, distribution: "all", proxyProtocol: false };
    },
    render: (context) => ({
      definition: {
        image: null,
        packages: [],
        data: context.service.disk > 0 ? "local" : "none",
        program: { kind: "none" },
        environment: {},
        ports: {},
        probe: context.service.probe ?? { kind: "running" },
        watchdog: false,
      },
      files: [],
      secrets: [],
    }),
    embeddedRefusal: () => `the recipe ${name} is planned only for now`,
    samples: [],
  };
}

export const PLANNED_RECIPES: readonly Recipe[] = Object.entries(PLANNED).map(([name, row]) => planned(name, row));
