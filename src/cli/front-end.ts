/** Asks the directors who holds which alias: they know, and go on knowing when Domus is dead. */

import type { Blueprint, DirectorStatus } from "../model/index.ts";
import { asOperator } from "./calls.ts";
import type { OpenSite } from "./open.ts";

/** Port at which a director tells its status, at its own address. */
const STATUS_PORT = 9401;

/** @returns what each director says of itself that can be reached. */
export async function askDirectors(open: OpenSite, blueprint: Blueprint): Promise<readonly DirectorStatus[]> {
  const directors = blueprint.guests.filter((guest) => guest.definition.ports.status === STATUS_PORT);
  const answers = await Promise.all(
    directors.map(async (guest) => {
      const ask = asOperator(open, guest.address, STATUS_PORT, guest.name);
      try {
        const answer = await ask.ask({ method: "GET", path: "/status", timeoutMs: 1500, keepBytes: 1024 * 1024 });
        return answer.status === 200 ? (JSON.parse(answer.body) as DirectorStatus) : null;
      } catch {
        return null;
      } finally {
        ask.close();
      }
    }),
  );
  return answers.filter((one) => one !== null);
}

/** @returns the director that holds an alias, or `null` when nobody says that he does. */
export function holderOf(directors: readonly DirectorStatus[], alias: string): string | null {
  return (
    directors.find(
      (director) => director.role === "active" && director.aliases.some((one) => one.name === alias && one.held),
    )?.guest ?? null
  );
}
