/** The documents' site while it runs: what its status says, when it is whole, and what its clients saw while something was done to it. */
import assert from "node:assert/strict";
import { ended, type TestDomus } from "./domus.ts";
import { eventually } from "./eventually.ts";

export interface Status {
  readonly well: boolean;
  readonly troubles: readonly string[];
  readonly guests: readonly { readonly name: string; readonly state: string; readonly outcome: string }[];
  readonly aliases: readonly {
    readonly name: string;
    readonly heldBy: string | null;
    readonly outcome: string;
    readonly copies: readonly { readonly guest: string; readonly state: string; readonly writer: boolean }[];
  }[];
}

export interface Load {
  readonly calls: number;
  readonly answered: number;
  readonly refused: number;
  readonly lost: number;
  readonly repeated: number;
  readonly latency: { readonly max: number };
  readonly sentences: Readonly<Record<string, number>>;
}

/** Waits until all that can be well is well, every copy seen by the directors. */
export async function whole(domus: TestDomus): Promise<Status> {
  return eventually(
    "the site is whole",
    async () => {
      const status = (await domus.json("status")) as Status;
      const copies = status.aliases.flatMap((alias) => alias.copies);
      const seen = copies.length > 0 && copies.every((copy) => copy.state === "up");
      return seen && status.well && status;
    },
    180_000,
  );
}

/** A load of at least 1,000 calls with something done in its middle. */
export async function underLoad(
  domus: TestDomus,
  words: readonly string[],
  calls: number,
  deed: () => Promise<void>,
): Promise<Load> {
  const child = domus.start("domus", ["load", ...words, "--calls", String(calls), "--json"]);
  const done = ended(child);
  // The load has to be under way before the deed: its first calls are seen by the services' own counters.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await deed();
  const ran = await done;
  assert.notEqual(ran.stdout, "", ran.stderr);
  return JSON.parse(ran.stdout) as Load;
}

export function tell(what: string, load: Load): void {
  console.log(
    `# ${what}: ${load.calls} calls, ${load.answered} answered, ${load.refused} refused, ${load.lost} lost, ${load.repeated} repeated, slowest ${Math.round(load.latency.max)} ms`,
  );
}
