/** A lab as a whole: up, down, what is on. Every step may be done again, and `down` needs no step of `up` to have ended. */
import { createHash, randomUUID } from "node:crypto";
import { Fault } from "../../src/model/index.ts";
import { writeFileDurably } from "../../src/world/index.ts";
import { makeCertificates } from "./certificates.ts";
import { addressOf, forgetGroups, processesOf, switchOff, switchOffAll, switchOn } from "./host.ts";
import { cableIsIn, freeSubnet, HOST_BRIDGE, layCable, removeCable, setCable } from "./network.ts";
import type { LabDirectory, LabHost, LabRecord } from "./record.ts";
import { requireTools } from "./tools.ts";

/** What is wished of a host; the rest is made. */
export type WantedHost = Pick<LabHost, "name" | "prefix" | "cpus" | "memory" | "reserve" | "rack">;

/** Hosts have addresses from here on in the lab's network; below are the lab's own, above the guests'. */
const FIRST_HOST = 11;
export const MOST_HOSTS = 50;

export interface LabState {
  readonly record: LabRecord;
  readonly hostsFile: string;
  readonly hosts: readonly {
    readonly name: string;
    readonly address: string;
    readonly hypervisor: string;
    readonly power: "on" | "off";
    readonly cable: "in" | "out";
  }[];
}

/** Makes a lab, or what is missing of it. @throws Fault `lab.failed` */
export async function labUp(directory: LabDirectory, wanted: readonly WantedHost[]): Promise<LabState> {
  requireTools(directory.name);
  const known = directory.read();
  const record = known ?? (await plan(directory, wanted));
  if (known && wanted.some(({ name }) => !known.hosts.some((host) => host.name === name)))
    throw new Fault("lab.failed", {
      lab: directory.name,
      reason: `it has the hosts ${known.hosts.map(({ name }) => name).join(", ")}`,
      remedy: `Take it down first (bin/domus-lab down ${directory.name}), or give the new one a name: --name.`,
    });
  // Written before anything is made: whatever happens now, `down` knows of it.
  directory.write(record);
  await makeCertificates(directory, record);
  await layCable(record);
  await Promise.all(record.hosts.map((host) => switchOn(directory, record, host)));
  writeFileDurably(directory.hostsFile, hostsYaml(directory, record), 0o600);
  return labState(directory, record);
}

async function plan(directory: LabDirectory, wanted: readonly WantedHost[]): Promise<LabRecord> {
  const preferred = createHash("sha256").update(directory.path).digest().readUInt16BE(0);
  const subnet = await freeSubnet(directory.name, preferred);
  return {
    format: 1,
    name: directory.name,
    tag: directory.tag,
    subnet,
    hosts: wanted.map((host, index) => ({ ...host, address: `${subnet}.${FIRST_HOST + index}`, uuid: randomUUID() })),
  };
}

/** What `domus up SITE --hosts FILE` reads. */
function hostsYaml(directory: LabDirectory, { name, subnet, hosts }: LabRecord): string {
  const lines = hosts.map((host) => {
    const { prefix, cpus, memory, reserve, rack } = host;
    const more = rack === null ? "" : `, rack: ${JSON.stringify(rack)}`;
    return `  - { name: ${host.name}, prefix: ${prefix}, hypervisor: ${JSON.stringify(addressOf(directory, host))}, cpus: ${cpus}, memory: ${memory}, reserve: ${reserve}${more} }`;
  });
  return `# Simulated physical hosts of the lab ${name}: namespaces of this machine, each with a libvirt daemon of its own.
network: { cidr: ${subnet}.0/24, mode: bridge, bridge: ${HOST_BRIDGE} }
hosts:
${lines.join("\n")}
`;
}

export async function labState(directory: LabDirectory, record: LabRecord): Promise<LabState> {
  const hosts = await Promise.all(
    record.hosts.map(async (host) => ({
      name: host.name,
      address: host.address,
      hypervisor: addressOf(directory, host),
      power: processesOf(directory, record, host).length > 0 ? ("on" as const) : ("off" as const),
      cable: (await cableIsIn(record, host).catch(() => false)) ? ("in" as const) : ("out" as const),
    })),
  );
  return { record, hostsFile: directory.hostsFile, hosts };
}

/** Takes everything away: processes, namespaces, bridges, control groups, files. An unknown lab is no error. */
export async function labDown(directory: LabDirectory): Promise<void> {
  const record = directory.read();
  for (const host of record?.hosts ?? []) await switchOff(directory, record!, host);
  await switchOffAll(directory);
  await removeCable({ name: directory.name, tag: directory.tag });
  for (const host of record?.hosts ?? []) {
    const left = forgetGroups(record!, host);
    if (left.length > 0)
      throw new Fault("lab.failed", { lab: directory.name, reason: `somebody is still in ${left.join(", ")}` });
  }
  directory.remove();
}

/** @throws Fault `host.unknown` */
export function hostOf(record: LabRecord, name: string): LabHost {
  const host = record.hosts.find((one) => one.name === name);
  if (host) return host;
  throw new Fault("host.unknown", { host: name, known: record.hosts.map((one) => one.name).join(", ") });
}

/** Power and cable back, whatever was taken. */
export async function labHeal(directory: LabDirectory, record: LabRecord, host: LabHost): Promise<void> {
  await setCable(record, host, "up");
  await switchOn(directory, record, host);
}

export { setCable, switchOff };
