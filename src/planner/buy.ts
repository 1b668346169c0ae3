/**
 * What to buy next: each thing that could be bought is put into the site on paper, and what fits is counted again. A purchase that gives
 * nothing is said too, because it is the one people make first.
 */
import { formatSize, type Host, type HostName, type Inventory } from "../model/index.ts";
import { type Fit, type FitsInput, fitOf, roomOf, type Shape } from "./fits.ts";

export interface Purchase {
  readonly kind: "host" | "memory" | "all memory" | "all processors";
  /** The host that is copied or enlarged. */
  readonly host: HostName | null;
  readonly title: string;
  /** Guests more than without it, and of them those with which any one host may be lost. */
  readonly more: number;
  readonly safely: number;
  /** What stands in the way then. */
  readonly says: string;
}

/** What was found on a host says nothing of what will be bought for it. */
function grown(inventory: Inventory, bought: (name: HostName) => boolean): Inventory {
  return {
    ...inventory,
    hosts: inventory.hosts.map((host) => (bought(host.name) ? { ...host, memory: null, cpus: null } : host)),
  };
}

function enlarged(input: FitsInput, bought: (name: HostName) => boolean, change: (host: Host) => Host): FitsInput {
  const { site, inventory } = input;
  return {
    ...input,
    site: { ...site, hosts: site.hosts.map((host) => (bought(host.name) ? change(host) : host)) },
    inventory: grown(inventory, bought),
  };
}

/** A host that takes guests, whose memory is used up while its processors are not: more memory there gives most. */
function hungriest(input: FitsInput, shape: Shape): HostName | null {
  let best: HostName | null = null;
  let most = 0;
  for (const room of roomOf(input)) {
    if (room.closed) continue;
    const count = (memory: number): number =>
      Math.min(Math.floor(memory / Math.max(1, shape.memory)), Math.floor(room.cpusFree / Math.max(0.01, shape.cpus)));
    const gain = count(room.memoryFree + room.memory) - count(room.memoryFree);
    if (gain > most) {
      most = gain;
      best = room.host;
    }
  }
  return best;
}

/**
 * @param fit of the same input and shape, without any purchase
 * @returns what could be bought, the best first: what keeps N+1 counts before what does not
 */
export function purchasesFor(input: FitsInput, shape: Shape, fit: Fit): readonly Purchase[] {
  const { site } = input;
  const largest = [...site.hosts]
    .filter((host) => !host.spare)
    .sort((a, b) => b.memory - a.memory || b.cpus - a.cpus)[0];
  if (!largest) return [];
  const fresh = freeName(site.hosts.map(({ name }) => name));
  const options: { readonly bought: Omit<Purchase, "more" | "safely" | "says">; readonly after: FitsInput }[] = [
    {
      bought: {
        kind: "host",
        host: largest.name,
        title: `another host like ${largest.name} (${formatSize(largest.memory)}, ${largest.cpus} CPUs)`,
      },
      after: {
        ...input,
        site: {
          ...site,
          hosts: [...site.hosts, { ...largest, name: fresh, prefix: `${fresh}x`, rack: fresh, building: fresh }],
        },
      },
    },
  ];
  const hungry = hungriest(input, shape);
  const double = (host: Host): Host => ({ ...host, memory: host.memory * 2 });
  if (hungry) {
    const { memory } = site.hosts.find(({ name }) => name === hungry)!;
    options.push({
      bought: { kind: "memory", host: hungry, title: `${formatSize(memory)} more memory in ${hungry}` },
      after: enlarged(input, (name) => name === hungry, double),
    });
  }
  if (site.hosts.length > 1 || !hungry)
    options.push({
      bought: { kind: "all memory", host: null, title: "twice the memory in every host" },
      after: enlarged(input, () => true, double),
    });
  if (fit.byHost.some(({ binds }) => binds !== "memory"))
    options.push({
      bought: { kind: "all processors", host: null, title: "twice the processors in every host" },
      after: enlarged(
        input,
        () => true,
        (host) => ({ ...host, cpus: host.cpus * 2 }),
      ),
    });
  return options
    .map(({ bought, after }): Purchase => {
      const fits = fitOf(after, shape, fit.excused);
      return { ...bought, more: fits.more - fit.more, safely: fits.safely - fit.safely, says: fits.says };
    })
    .sort((a, b) => b.safely - a.safely || b.more - a.more);
}

function freeName(taken: readonly HostName[]): HostName {
  let name = "new" as HostName;
  for (let number = 1; taken.includes(name); number++) name = `new${number}` as HostName;
  return name;
}
