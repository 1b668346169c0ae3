/**
 * A program of its own: `guardian.ts STATE`, beside every failover test. It is told in lines of JSON what would have to be undone, and says each
 * line's number when it has understood it. When its input ends without a goodbye, whoever told it was killed (SIGKILL, out of memory): it undoes
 * everything, writes into the site's events what it did, and ends. It has a session of its own, so that no terminal ends both.
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { EmbeddedHosts } from "../../controller/index.ts";
import { BundleCache } from "../../images/index.ts";
import { Store } from "../../store/index.ts";
import { realClock } from "../../world/index.ts";
import { carryOutAll, type Deed, nameOf } from "./deeds.ts";

/** A line of the test. */
export type Told =
  | { readonly number: number; readonly owes: Deed }
  | { readonly number: number; readonly settled: Deed }
  | { readonly number: number; readonly goodbye: true };

/** Milliseconds until it gives up what cannot be undone. */
const PATIENCE = 120_000;

async function main(state: string): Promise<void> {
  const owed = new Map<string, Deed>();
  let goodbye = false;
  const answer = (number: number): void => void process.stdout.write(`${number}\n`);
  answer(0);
  for await (const line of createInterface({ input: process.stdin })) {
    const told = JSON.parse(line) as Told;
    if ("owes" in told) owed.set(nameOf(told.owes), told.owes);
    else if ("settled" in told) owed.delete(nameOf(told.settled));
    else goodbye = true;
    answer(told.number);
  }
  if (goodbye || owed.size === 0) return;
  const hosts = new EmbeddedHosts(state, new BundleCache(join(state, "bundles")));
  const hands = { hypervisor: hosts.connect.bind(hosts), power: hosts };
  const failed = await carryOutAll(owed.values(), hands, PATIENCE);
  await hosts.close();
  const store = await Store.open(state, realClock);
  for (const deed of owed.values()) {
    const problem = failed.find((one) => one.deed === deed);
    const says = problem
      ? `a failover test was killed, and its guardian could not ${nameOf(deed)}: ${problem.says}`
      : `a failover test was killed; its guardian has given back what it had taken (${nameOf(deed)})`;
    await store.event("mended", deed.kind === "heal" ? deed.host : deed.guest, says);
  }
  await store.close();
}

for (const name of ["SIGINT", "SIGHUP"] as const) process.on(name, () => {});
// Whoever listened is dead: nothing is left to say.
process.stdout.on("error", () => {});
process.umask(0o077);
main(process.argv[2]!).then(
  () => process.exit(0),
  () => process.exit(1),
);
