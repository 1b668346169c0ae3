/** What undoes a kill, and who can: shared by the test and by the guardian that stands in for it when it is ended. */
import type { PowerSwitch } from "../../controller/index.ts";
import type { Hypervisor } from "../../hypervisor/index.ts";
import type { GuestName, HostName } from "../../model/index.ts";

export type Deed =
  | { readonly kind: "start"; readonly host: HostName; readonly guest: GuestName }
  | { readonly kind: "heal"; readonly host: HostName };

export interface Hands {
  readonly hypervisor: (host: HostName) => Promise<Hypervisor>;
  readonly power: PowerSwitch | null;
}

export const nameOf = (deed: Deed): string => `${deed.kind} ${deed.kind === "heal" ? deed.host : deed.guest}`;

/** Goals, not commands: what is already so stays so, and doing it twice is no error. */
export async function carryOut(deed: Deed, { hypervisor, power }: Hands): Promise<void> {
  if (deed.kind === "heal") await power?.heal(deed.host);
  else await (await hypervisor(deed.host)).start(deed.guest);
}

/** Hosts first: a guest is started by its host. */
export const inOrder = (deeds: Iterable<Deed>): readonly Deed[] =>
  [...deeds].toSorted((a, b) => Number(b.kind === "heal") - Number(a.kind === "heal"));

/** Milliseconds between two tries. */
const AGAIN = 200;

/**
 * Tries each deed until it is done.
 * @param patienceMs for all of them
 * @returns deeds that could not be done, with the reason
 */
export async function carryOutAll(
  deeds: Iterable<Deed>,
  hands: Hands,
  patienceMs: number,
): Promise<readonly { readonly deed: Deed; readonly says: string }[]> {
  const deadline = performance.now() + patienceMs;
  const failed: { deed: Deed; says: string }[] = [];
  for (const deed of inOrder(deeds))
    for (;;) {
      const says = await carryOut(deed, hands).then(
        () => null,
        (error: Error) => error.message,
      );
      if (says === null) break;
      if (performance.now() > deadline) {
        failed.push({ deed, says });
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  return failed;
}
