/** Asks the agents of database servers what they know of themselves: whether each follows the others, and how far it is. */
import type { Blueprint, BlueprintGuest, DatabaseHealth, GuestName } from "../model/index.ts";
import { connector, type TlsIdentity } from "../world/index.ts";

/** Milliseconds that an agent has for its answer, the connection included. */
const PATIENCE = 2000;

export interface DatabaseSighting {
  readonly guest: GuestName;
  /** `null`: it could not be reached or did not say. */
  readonly health: DatabaseHealth | null;
}

/** @returns the guests that hold a replicated database, in the Blueprint's order */
export function databasesOf(blueprint: Blueprint): readonly BlueprintGuest[] {
  return blueprint.guests.filter(
    ({ definition: { program } }) => program.kind === "bundle" && program.bundle === "mariadb",
  );
}

/** Asks all of them once, side by side; never throws. */
export function askDatabases(blueprint: Blueprint, tls: TlsIdentity): Promise<readonly DatabaseSighting[]> {
  return Promise.all(
    databasesOf(blueprint).map(async (guest) => ({ guest: guest.name, health: await ask(guest, tls) })),
  );
}

async function ask({ name, address, definition }: BlueprintGuest, tls: TlsIdentity): Promise<DatabaseHealth | null> {
  const at = { scheme: "https", address, port: definition.ports.health ?? 0, servername: name } as const;
  const line = connector({ ...at, tls, localAddress: null, preamble: null, connectTimeoutMs: PATIENCE }, false);
  try {
    const { body } = await line.ask({ method: "GET", path: "/health", timeoutMs: PATIENCE });
    const health = JSON.parse(body) as Partial<DatabaseHealth> | null;
    // Before its server runs, an agent knows no more than that.
    return Array.isArray(health?.peers) ? (health as DatabaseHealth) : null;
  } catch {
    return null;
  } finally {
    line.close();
  }
}
