/** A host of the embedded default in a directory of its own, swept away afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  HostDirectory,
  type Hypervisor,
  launchSupervisor,
  SUPERVISOR_TAG,
  type SupervisorPlaces,
} from "../../src/hypervisor/index.ts";
import type { HostName } from "../../src/model/index.ts";
import { findTagged, signal } from "../../src/world/index.ts";

const SUPERVISOR = join(import.meta.dirname, "../../src/hypervisor/process/supervisor.ts");

export interface TestHost {
  readonly places: SupervisorPlaces;
  launch(): Promise<Hypervisor>;
  /** Kills the supervisor alone, as a crash would. */
  crashSupervisor(): void;
  /** Ends everything and removes the directory. */
  destroy(): Promise<void>;
}

export function testHost(name: string): TestHost {
  const base = mkdtempSync(join(tmpdir(), "dh-"));
  const directory = new HostDirectory(join(base, name));
  const places: SupervisorPlaces = {
    host: name as HostName,
    directory,
    sockets: base,
    bundles: base,
    program: SUPERVISOR,
  };
  const crashSupervisor = () => {
    for (const one of findTagged(SUPERVISOR_TAG, `${directory.key}/`)) signal(one.pid, "SIGKILL");
  };
  return {
    places,
    launch: () => launchSupervisor(places),
    crashSupervisor,
    destroy: async () => {
      for (;;) {
        crashSupervisor();
        const left = directory.processes();
        if (left.length === 0 && findTagged(SUPERVISOR_TAG, `${directory.key}/`).length === 0) break;
        for (const one of left) signal(one.pid, "SIGKILL");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      rmSync(base, { recursive: true, force: true });
    },
  };
}
