/** How the controller reaches hosts. The embedded default starts them too; a host whose power is cut stays down. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  connectHost,
  HostDirectory,
  type Hypervisor,
  launchSupervisor,
  SUPERVISOR_TAG,
  type SupervisorPlaces,
} from "../hypervisor/index.ts";
import type { BundleCache } from "../images/index.ts";
import type { HostName } from "../model/index.ts";
import { socketDirectory } from "../store/index.ts";
import { findTagged, signal } from "../world/index.ts";

export interface HostPool {
  /** @throws Fault `host.cut`, `host.unreachable` */
  connect(host: HostName): Promise<Hypervisor>;
  /** Makes a host answer that can be made to. @throws Fault `host.cut`, `host.unreachable` */
  prepare(host: HostName): Promise<Hypervisor>;
  /** Lets a host without guests go. */
  release(host: HostName): Promise<void>;
  /** Does anything of the host run: itself or guests it has lost sight of? */
  idle(host: HostName): Promise<boolean>;
  /** File name of a program of the house in the hosts' bundle store. */
  bundle(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Takes and gives the power of a physical machine. */
export interface PowerSwitch {
  cut(host: HostName): Promise<void>;
  /** It boots and starts its own guests. */
  heal(host: HostName): Promise<void>;
}

export class EmbeddedHosts implements HostPool, PowerSwitch {
  private readonly state: string;
  private readonly bundles: BundleCache;
  private readonly connections = new Map<HostName, Promise<Hypervisor>>();

  /** @param state the site's state directory */
  constructor(state: string, bundles: BundleCache) {
    this.state = state;
    this.bundles = bundles;
  }

  directory(host: HostName): HostDirectory {
    return new HostDirectory(join(this.state, "hosts", host));
  }

  connect(host: HostName): Promise<Hypervisor> {
    return this.kept(host, () =>
      connectHost({ host, directory: this.directory(host), sockets: socketDirectory(this.state) }),
    );
  }

  prepare(host: HostName): Promise<Hypervisor> {
    return this.kept(host, async () => launchSupervisor(await this.places(host)));
  }

  async release(host: HostName): Promise<void> {
    await (await this.connections.get(host))?.close();
    this.connections.delete(host);
    await this.endAll(host);
    // A host that was without power has its guests still on its list, and would start them when it is healed.
    this.directory(host).forgetGuests();
    for (const suffix of ["sock", "peer"])
      rmSync(join(socketDirectory(this.state), `${host}.${suffix}`), { force: true });
  }

  async idle(host: HostName): Promise<boolean> {
    const directory = this.directory(host);
    const supervised = findTagged(SUPERVISOR_TAG, `${directory.key}/`).length > 0;
    return !supervised && directory.processes().length === 0 && directory.defined().length === 0;
  }

  bundle(name: string): Promise<string> {
    return this.bundles.file(name);
  }

  /**
   * Cuts a host's power: its supervisor and every process of its guests end at once, and it stays down until {@link heal}.
   * The marker comes first, so that nobody starts it again in between.
   */
  async cut(host: HostName): Promise<void> {
    const directory = this.directory(host);
    writeFileSync(directory.cutMarker, "", { mode: 0o600 });
    await this.endAll(host);
  }

  /** Gives a host its power back: it boots and starts its own guests. */
  async heal(host: HostName): Promise<void> {
    rmSync(this.directory(host).cutMarker, { force: true });
    this.connections.delete(host);
    // A host without guests has nothing to start: a site that is down stays down.
    if (this.directory(host).defined().length > 0) await this.prepare(host);
  }

  isCut(host: HostName): boolean {
    return existsSync(this.directory(host).cutMarker);
  }

  async close(): Promise<void> {
    for (const connection of this.connections.values())
      await connection.then((hypervisor) => hypervisor.close()).catch(() => {});
    this.connections.clear();
  }

  private async places(host: HostName): Promise<SupervisorPlaces> {
    const program = join(this.bundles.directory, await this.bundles.file("supervisor"));
    return {
      host,
      directory: this.directory(host),
      sockets: socketDirectory(this.state),
      bundles: this.bundles.directory,
      program,
    };
  }

  /** One connection for each host: whoever comes second waits for the first, and asks whether it still lives before using it. */
  private kept(host: HostName, open: () => Promise<Hypervisor>): Promise<Hypervisor> {
    const before = this.connections.get(host);
    const next = (async () => {
      const hypervisor = await before?.catch(() => null);
      const alive =
        hypervisor &&
        (await hypervisor.report().then(
          () => true,
          () => false,
        ));
      return alive ? hypervisor : open();
    })();
    this.connections.set(host, next);
    next.catch(() => {
      if (this.connections.get(host) === next) this.connections.delete(host);
    });
    return next;
  }

  private async endAll(host: HostName): Promise<void> {
    const directory = this.directory(host);
    for (;;) {
      const supervisors = findTagged(SUPERVISOR_TAG, `${directory.key}/`);
      for (const one of supervisors) signal(one.pid, "SIGKILL");
      const guests = supervisors.length > 0 ? [] : directory.processes();
      for (const one of guests) signal(one.pid, "SIGKILL");
      if (supervisors.length === 0 && guests.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
