/** Asks the directors who holds which alias: they know, and go on knowing when Domus is dead. */
import type { Blueprint, BlueprintGuest, DirectorStatus } from "../model/index.ts";
import { connector, type TlsIdentity } from "../world/index.ts";

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
  const answers = await Promise.all(directorsOf(blueprint).map((guest) => askDirector(guest, tls)));
  return answers.filter((one) => one !== null);
}

async function askDirector({ name, address }: BlueprintGuest, tls: TlsIdentity): Promise<DirectorStatus | null> {
  const line = connector(
    {
      scheme: "https",
      address,
      port: STATUS_PORT,
      servername: name,
      tls,
      localAddress: null,
      preamble: null,
      connectTimeoutMs: PATIENCE.connection,
    },
    false,
  );
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
  } finally {
    line.close();
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
