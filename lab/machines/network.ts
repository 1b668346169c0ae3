/**
 * The lab's cable: one bridge on this machine, a network namespace for each host with a bridge of its own inside, on which its guests will sit,
 * and a veth pair between. Nothing leaves this machine: the bridge has no way out.
 */
import type { LabHost, LabRecord } from "./record.ts";
import { run, tried } from "./tools.ts";

/** The bridge inside each host; what a site file names. */
export const HOST_BRIDGE = "br0";

const bridgeOf = ({ tag }: LabRecord): string => tag;
const index = ({ hosts }: LabRecord, host: LabHost): number => hosts.indexOf(host);
const cableOf = (lab: LabRecord, host: LabHost): string => `${lab.tag}c${index(lab, host)}`;
export const namespaceOf = (lab: LabRecord, host: LabHost): string => `${lab.tag}-${index(lab, host)}`;

interface Link {
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly addr_info?: readonly { readonly local: string }[];
}

/** @returns a network of this machine that nobody has an address in: `10.177.3` */
export async function freeSubnet(lab: string, preferred: number): Promise<string> {
  const links = JSON.parse(await run(lab, "ip", "-j", "address")) as readonly Link[];
  const taken = new Set(links.flatMap(({ addr_info }) => (addr_info ?? []).map(({ local }) => local)));
  for (let step = 0; step < 250; step++) {
    const subnet = `10.177.${1 + ((preferred + step) % 250)}`;
    if (![...taken].some((address) => address.startsWith(`${subnet}.`))) return subnet;
  }
  return `10.177.${1 + (preferred % 250)}`;
}

/** Again and again: what is there already stays. */
export async function layCable(lab: LabRecord): Promise<void> {
  const { name, subnet } = lab;
  const bridge = bridgeOf(lab);
  if (await tried(name, "ip", "link", "add", bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0"))
    await run(name, "ip", "address", "add", `${subnet}.1/24`, "dev", bridge);
  await run(name, "ip", "link", "set", bridge, "up");
  for (const host of lab.hosts) await connectHost(lab, host);
}

async function connectHost(lab: LabRecord, host: LabHost): Promise<void> {
  const { name } = lab;
  const space = namespaceOf(lab, host);
  const cable = cableOf(lab, host);
  if (!(await tried(name, "ip", "netns", "add", space))) return;
  const inside = (...words: readonly string[]): Promise<string> => run(name, "ip", "-n", space, ...words);
  await run(name, "ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space);
  await run(name, "ip", "link", "set", cable, "master", bridgeOf(lab), "up");
  await inside("link", "set", "lo", "up");
  await inside("link", "add", HOST_BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0");
  await inside("link", "set", "eth0", "master", HOST_BRIDGE, "up");
  await inside("address", "add", `${host.address}/24`, "dev", HOST_BRIDGE);
  await inside("link", "set", HOST_BRIDGE, "up");
}

/** Pulls a host's cable out, or puts it in again: it goes on, and nobody hears it. */
export async function setCable(lab: LabRecord, host: LabHost, state: "up" | "down"): Promise<void> {
  await run(lab.name, "ip", "link", "set", cableOf(lab, host), state);
}

/** @returns whether the cable is in */
export async function cableIsIn(lab: LabRecord, host: LabHost): Promise<boolean> {
  const [link] = JSON.parse(await run(lab.name, "ip", "-j", "link", "show", cableOf(lab, host))) as readonly Link[];
  return link?.flags.includes("UP") ?? false;
}

/** Takes everything away that has the lab's tag, whatever an `up` that was killed has left. */
export async function removeCable(lab: Pick<LabRecord, "name" | "tag">): Promise<void> {
  const spaces = (await run(lab.name, "ip", "netns", "list")).split("\n").map((line) => line.split(" ")[0] ?? "");
  for (const space of spaces.filter((one) => one.startsWith(`${lab.tag}-`)))
    await tried(lab.name, "ip", "netns", "delete", space);
  const links = JSON.parse(await run(lab.name, "ip", "-j", "link")) as readonly Link[];
  for (const { ifname } of links)
    if (ifname === lab.tag || new RegExp(`^${lab.tag}c\\d+$`).test(ifname))
      await tried(lab.name, "ip", "link", "delete", ifname);
}
