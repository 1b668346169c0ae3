/** Your own service: pages served by the house's file program, or a command of yours with files, environment and data. */
import type { Probe, Service } from "../model/index.ts";
import { portFor } from "./ports.ts";
import type { Recipe, RecipeContext } from "./recipe.ts";
import { copyPort, directorAddresses, jsonFile, type ServingConfig } from "./surroundings.ts";

/** `etc/site.json` of the static site. */
export interface StaticSiteConfig extends ServingConfig {
  /** Path → content. */
  readonly pages: Readonly<Record<string, string>>;
}

const PORT = 80;

/** The people's probe with the port really used; a page server is asked for `/`, a command only whether it accepts or runs. */
function probeOf(service: Service, target: RecipeContext["target"]): Probe {
  const { probe, own, alias } = service;
  if (probe !== null) return probe.kind === "running" ? probe : { ...probe, port: portFor(target, probe.port) };
  if (own?.pages)
    return { kind: "http", port: copyPort(service, target, PORT), path: "/", status: 200, contains: null };
  return alias === null ? { kind: "running" } : { kind: "tcp", port: portFor(target, alias.port) };
}

export const own: Recipe = {
  name: "own",
  title: "Your own service",
  defaults: { strategy: "active-active", memory: 1024 ** 3, cpus: 1, disk: 0, port: PORT },
  settings: {},
  withoutNeeds: "answers",
  holders: (_database, copies) => copies,
  alias: (service, { target }) => {
    const check = probeOf(service, target);
    const port = copyPort(service, target, PORT);
    return {
      port,
      check: check.kind === "running" ? { kind: "tcp", port } : check,
      distribution: "all",
      // A program of the people does not know the header; the house's own file program does.
      proxyProtocol: target === "embedded" && service.own?.pages !== null && service.own !== null,
    };
  },
  render: (context) => {
    const { service, target } = context;
    const settings = service.own;
    const pages = settings?.pages ?? null;
    const port = copyPort(service, target, PORT);
    const config: StaticSiteConfig = { port, directors: directorAddresses(context), pages: pages ?? {} };
    return {
      definition: {
        image: settings?.image ?? null,
        packages: settings?.packages ?? [],
        data: service.disk > 0 ? "local" : "none",
        program: pages
          ? { kind: "bundle", bundle: "static-site" }
          : settings?.command
            ? { kind: "command", command: settings.command }
            : { kind: "none" },
        environment: settings?.environment ?? {},
        ports: service.alias === null && pages === null ? {} : { service: port },
        probe: probeOf(service, target),
        watchdog: false,
      },
      files: [
        ...(pages ? [jsonFile("etc/site.json", config)] : []),
        ...Object.entries(settings?.files ?? {}).map(([path, content]) => ({
          path: path.replace(/^\/+/, ""),
          content,
        })),
      ],
      secrets: [],
    };
  },
  embeddedRefusal: (service) => {
    const settings = service.own;
    if (settings === null) return `neither pages nor command: there is nothing to run`;
    if (settings.packages.length > 0)
      return `it wants packages (${settings.packages.join(", ")}): processes on one machine share what is installed there; use a host with a hypervisor, or command`;
    if (settings.image !== null)
      return `it wants the image ${settings.image}: the embedded default runs processes, not images; use a host with a hypervisor`;
    return settings.pages === null && settings.command === null
      ? `neither pages nor command: there is nothing to run`
      : null;
  },
  samples: [
    {
      kind: "read",
      method: "GET",
      scheme: "http",
      path: "/",
      body: null,
      statuses: [200, 301, 302, 304],
      contains: null,
    },
  ],
};
