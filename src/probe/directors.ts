/** Asks the directors who holds which alias: they know, and go on knowing when Domus is dead. */
import type { Blueprint, BlueprintGuest, DirectorStatus, GuestName } from "../model/index.ts";
import { type Connector, connector, type TlsIdentity } from "../world/index.ts";

/** Port at which a director tells its status, at its own address. */
const STATUS_PORT = 9401;
/** Milliseconds that a director has for its answer, and to take a connection. */
const PATIENCE = { answer: 1500, connection: 500 } as const;

/** @returns the guests that hold aliases, in the Blueprint's order */
export function directorsOf(blueprint: Blueprint): readonly BlueprintGuest[] {
  return blueprint.guests.filter((guest) => guest.definition.ports.status === STATUS_PORT);
}

/** @returns what each director says of itself that can be reached */
export async function askDirectors(blueprint: Blueprint, tls: TlsIdentity): Promise<readonly DirectorStatus[]> {
  const answers = await Promise.all(
    directorsOf(blueprint).map(async (guest) => {
      const line = lineTo(guest, tls, false);
      const answer = await ask(line);
      line.close();
      return answer;
    }),
  );
  return answers.filter((one) => one !== null);
}

/** What one director said, or `null` when it could not be reached; `at`: `performance.now()` when the answer was there. */
export interface DirectorSighting {
  readonly guest: GuestName;
  readonly at: number;
  readonly status: DirectorStatus | null;
}

/**
 * Asks every director again and again, each over one kept connection, so that being watched costs it next to nothing.
 * @param spacingMs pause between an answer and the next question
 * @returns a function that ends it
 */
export function followDirectors(
  blueprint: Blueprint,
  tls: TlsIdentity,
  spacingMs: number,
  onSighting: (sighting: DirectorSighting) => void,
): () => void {
  let over = false;
  const follow = async (guest: BlueprintGuest): Promise<void> => {
    const line = lineTo(guest, tls, true);
    while (!over) {
      const status = await ask(line);
      if (!over) onSighting({ guest: guest.name, at: performance.now(), status });
      await new Promise((resolve) => setTimeout(resolve, spacingMs));
    }
    line.close();
  };
  for (const guest of directorsOf(blueprint)) void follow(guest);
  return () => {
    over = true;
  };
}

function lineTo({ name, address }: BlueprintGuest, tls: TlsIdentity, keepAlive: boolean): Connector {
  const at = { scheme: "https", address, port: STATUS_PORT, servername: name } as const;
  return connector(
    { ...at, tls, localAddress: null, preamble: null, connectTimeoutMs: PATIENCE.connection },
    keepAlive,
  );
}

async function ask(line: Connector): Promise<DirectorStatus | null> {
  try {
    const answer = await line.ask({
      method: "GET",
      path: "/status",
      timeoutMs: PATIENCE.answer,
      keepBytes: 1024 * 1024,
    });
    return answer.status === 200 ? (JSON.parse(answer.body) as DirectorStatus) : null;
  } catch {
    return null;
  }
}

/** @returns the director that holds an alias, or `null` when nobody says that he does */
export function holderOf(directors: readonly DirectorStatus[], alias: string): string | null {
  return (
    directors.find(
      (director) => director.role === "active" && director.aliases.some((one) => one.name === alias && one.held),
    )?.guest ?? null
  );
}
