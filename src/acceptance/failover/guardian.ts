/**
 * A program of its own: `guardian.ts STATE`, beside every failover test. It is told in lines of JSON what would have to be undone, and says each
 * line's number when it has understood it. When its input ends without a goodbye, whoever told it was killed (SIGKILL, out of memory): it undoes
 * everything, writes into the site's events what it did, and ends. What is not given back in time it gives back too: a test that somebody stopped
 * (Ctrl-Z) must not keep a host dead until he remembers. It has a session of its own, so that no terminal ends both.
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { EmbeddedHosts } from "../../controller/index.ts";
import { BundleCache } from "../../images/index.ts";
import { Store } from "../../store/index.ts";
import { realClock } from "../../world/index.ts";
import { carryOutAll, type Deed, nameOf } from "./deeds.ts";

/** A line of the test. `withinMs`: when it has not given it back by then it has been stopped, or hangs. */
export type Told =
  | { readonly number: number; readonly owes: Deed; readonly withinMs: number }
  | { readonly number: number; readonly settled: Deed }
  | { readonly number: number; readonly goodbye: true };

/** Milliseconds until it gives up what cannot be undone. */
const PATIENCE = 120_000;

async function main(state: string): Promise<void> {
  const owed = new Map<string, { readonly deed: Deed; readonly timer: NodeJS.Timeout }>();
  const forget = (deed: Deed): void => {
    clearTimeout(owed.get(nameOf(deed))?.timer);
    owed.delete(nameOf(deed));
  };
  let goodbye = false;
  const answer = (number: number): void => void process.stdout.write(`${number}\n`);
  answer(0);
  for await (const line of createInterface({ input: process.stdin })) {
    const told = JSON.parse(line) as Told;
    if ("owes" in told) {
      const deed = told.owes;
      forget(deed);
      const timer = setTimeout(() => void pay(state, [deed], "a failover test stands still"), told.withinMs);
      owed.set(nameOf(deed), { deed, timer });
    } else if ("settled" in told) forget(told.settled);
    else goodbye = true;
    answer(told.number);
  }
  const deeds = [...owed.values()].map(({ deed }) => deed);
  for (const deed of deeds) forget(deed);
  if (!goodbye && deeds.length > 0) await pay(state, deeds, "a failover test was killed");
}

async function pay(state: string, deeds: readonly Deed[], why: string): Promise<void> {
  const hosts = new EmbeddedHosts(state, new BundleCache(join(state, "bundles")));
  const failed = await carryOutAll(deeds, { hypervisor: hosts.connect.bind(hosts), power: hosts }, PATIENCE);
  await hosts.close();
  const store = await Store.open(state, realClock);
  for (const deed of deeds) {
    const problem = failed.find((one) => one.deed === deed);
    const says = problem
      ? `${why}, and its guardian could not ${nameOf(deed)}: ${problem.says}`
      : `${why}; its guardian has given back what it had taken (${nameOf(deed)})`;
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
