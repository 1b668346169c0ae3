/** A stage for controllers: hosts in memory behind real sockets, so that a controller may be killed and its world goes on. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Controller, type ControllerParts, type HostPool, SiteSecrets } from "../../src/controller/index.ts";
import { connectHypervisor, type Hypervisor, MemoryHost, serveHypervisor } from "../../src/hypervisor/index.ts";
import { type HostName, readSite, type Site } from "../../src/model/index.ts";
import { RECIPES } from "../../src/recipes/index.ts";
import { Store } from "../../src/store/index.ts";
import { realClock } from "../../src/world/index.ts";

const GIB = 1024 ** 3;

/** @returns a site of a few small services, changed in ways that touch every kind of step. */
export function stageSite(variant: "first" | "changed"): Site {
  const text = `
site: stage
hosts:
  - { name: alpha, prefix: ax, cpus: 4, memory: 8 GiB, reserve: 1 GiB }
  - { name: beta, prefix: bx, cpus: 4, memory: 8 GiB, reserve: 1 GiB }
services:
  lvs: { recipe: lvs, strategy: active-standby }
  wiki:
    strategy: active-active
    alias: { name: wiki, port: 80 }
    pages: { /index.html: "${variant === "first" ? "one" : "two"}" }
    probe: { http: /, port: 80 }
  ${variant === "first" ? "old: { strategy: single, pages: { /index.html: old }, probe: { http: /, port: 81 } }" : "new: { strategy: active-active, pages: { /index.html: new }, probe: { http: /, port: 82 }, needs: [wiki] }"}
`;
  const reading = readSite({ file: "stage.yaml", text }, RECIPES);
  if (!reading.ok) throw new Error(JSON.stringify(reading.diagnostics));
  return reading.site;
}

/** Reaches memory hosts over their sockets; a host that is not prepared does not answer. */
export class SocketHosts implements HostPool {
  readonly directory: string;
  private readonly connections = new Map<HostName, Promise<Hypervisor>>();

  constructor(directory: string) {
    this.directory = directory;
  }

  connect(host: HostName): Promise<Hypervisor> {
    const known = this.connections.get(host) ?? connectHypervisor(join(this.directory, `${host}.sock`), host);
    this.connections.set(host, known);
    known.catch(() => this.connections.delete(host));
    return known;
  }

  prepare(host: HostName): Promise<Hypervisor> {
    return this.connect(host);
  }

  async release(): Promise<void> {}

  async idle(host: HostName): Promise<boolean> {
    return (await (await this.connect(host)).list()).length === 0;
  }

  async bundle(name: string): Promise<string> {
    return `${name}.mjs`;
  }

  async close(): Promise<void> {
    for (const one of this.connections.values()) await (await one).close();
    this.connections.clear();
  }
}

/** Memory guests answer when they run: that is all there is to ask. */
export function askMemory(hosts: HostPool, names: readonly HostName[]): ControllerParts["ask"] {
  return async (_probe, address) => {
    for (const name of names)
      for (const guest of await (await hosts.connect(name)).list())
        if (guest.address === address && guest.state !== "running")
          return { outcome: "failed", says: `${guest.name} is ${guest.state}`, milliseconds: 0 };
    return { outcome: "answers", says: "fine", milliseconds: 0 };
  };
}

export const HOSTS = ["alpha", "beta"] as HostName[];

export async function stageController(
  state: string,
  hosts: HostPool,
): Promise<{ controller: Controller; store: Store; parts: ControllerParts }> {
  const store = await Store.open(state, realClock);
  const parts: ControllerParts = {
    store,
    hosts,
    secrets: new SiteSecrets(store.secrets, "stage", realClock),
    recipes: RECIPES,
    ask: askMemory(hosts, HOSTS),
    clock: realClock,
    programs: { mariadb: false },
    version: "test",
    preflight: () => {},
  };
  return { controller: new Controller(parts), store, parts };
}

export const OPTIONS = {
  loopback: null,
  planOnly: false,
  mariadb: null,
  cause: { by: "person", says: "test" },
} as const;

export interface Stage {
  readonly directory: string;
  readonly state: string;
  readonly hosts: readonly MemoryHost[];
  close(): Promise<void>;
}

/** Two hosts in memory, served on sockets, and a state directory. */
export async function openStage(): Promise<Stage> {
  const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "dc-"));
  const hosts = HOSTS.map((name) => new MemoryHost(name, { cpus: 4, memory: 8 * GIB }));
  const servers: Server[] = [];
  for (const host of hosts) servers.push(await serveHypervisor(host, join(directory, `${host.name}.sock`)));
  return {
    directory,
    state: join(directory, "state"),
    hosts,
    close: async () => {
      for (const server of servers) server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
