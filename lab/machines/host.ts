/** One simulated physical host: the first process of a set of namespaces, and under it a libvirt daemon with its guests. */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { LibvirtConnection } from "../../src/hypervisor/index.ts";
import { Fault } from "../../src/model/index.ts";
import { findTagged, signal } from "../../src/world/index.ts";
import { makeGroups, processesInGroups, removeGroups } from "./control-groups.ts";
import { namespaceOf } from "./network.ts";
import type { LabDirectory, LabHost, LabRecord } from "./record.ts";

/** In the environment of everything that runs on a host: by it all of it is found, whoever started it. */
const TAG = "DOMUS_LAB_HOST";
/** Milliseconds until a daemon must answer; it is half a second on a quiet machine. */
const PATIENCE = 60_000;

const tagOf = (directory: LabDirectory, host?: LabHost): string => `${directory.path}/${host ? `${host.name}/` : ""}`;

/**
 * By its environment and by its control groups: a process that is just becoming another program (`exec`) shows no environment for a moment, and
 * one that has just begun is in no group yet.
 * @returns ids of everything that runs on a host
 */
export function processesOf(directory: LabDirectory, lab: LabRecord, host: LabHost): readonly number[] {
  const tagged = findTagged(TAG, tagOf(directory, host)).map(({ pid }) => pid);
  return [...new Set([...tagged, ...processesInGroups(namespaceOf(lab, host))])];
}

/** What would be on the host's disk before it is switched on for the first time. */
function install(directory: LabDirectory, lab: LabRecord, host: LabHost): void {
  const disk = directory.host(host.name);
  const put = (file: string, lines: readonly string[]): void => {
    mkdirSync(dirname(join(disk, file)), { recursive: true });
    writeFileSync(join(disk, file), `${lines.join("\n")}\n`, { mode: 0o644 });
  };
  put("etc/libvirt/libvirtd.conf", [
    "listen_tcp = 0",
    "listen_tls = 1",
    `listen_addr = "${host.address}"`,
    'auth_unix_ro = "none"',
    'auth_unix_rw = "none"',
    'auth_tls = "none"',
    `host_uuid = "${host.uuid}"`,
    'log_outputs = "3:file:/var/log/libvirt/libvirtd.log"',
    "max_clients = 200",
    // Whoever asks is told that the daemon is there, and who stays silent is let go.
    "keepalive_interval = 5",
    "keepalive_count = 3",
  ]);
  put("etc/libvirt/qemu.conf", [
    'security_driver = "none"',
    'user = "root"',
    'group = "root"',
    "dynamic_ownership = 0",
    "remember_owner = 0",
    "namespaces = [ ]",
    'stdio_handler = "file"',
    `migration_address = "${host.address}"`,
    `migration_host = "${host.address}"`,
  ]);
  put("etc/hosts", ["127.0.0.1 localhost", ...lab.hosts.map(({ address, name }) => `${address} ${name}`)]);
}

/**
 * Switches a host on; one that is on stays on.
 * @throws Fault `lab.failed` with what it said last when its daemon does not answer
 */
export async function switchOn(directory: LabDirectory, lab: LabRecord, host: LabHost): Promise<void> {
  if (processesOf(directory, lab, host).length === 0) {
    install(directory, lab, host);
    start(directory, lab, host);
  }
  await answers(directory, lab, host);
}

function start(directory: LabDirectory, lab: LabRecord, host: LabHost): void {
  const disk = directory.host(host.name);
  const groups = makeGroups(namespaceOf(lab, host));
  const controllers = groups
    .map((file) => basename(dirname(dirname(file))))
    .filter((one) => !/^(systemd|unified)$/.test(one));
  if (existsSync("/sys/fs/cgroup/cgroup.controllers")) writeFileSync(join(disk, "unified"), "");
  writeFileSync(join(disk, "controllers"), controllers.join("\n"));
  const log = join(disk, "console.log");
  appendFileSync(log, `${new Date().toISOString()} switched on\n`);
  const output = openSync(log, "a");
  // Into its control groups first: what a process is in when the namespace begins is the root inside.
  const enter = 'for file in $GROUPS; do echo $$ > "$file"; done; exec "$@"';
  const words = [
    ...["ip", "netns", "exec", namespaceOf(lab, host)],
    ...[
      "unshare",
      "--mount",
      "--uts",
      "--ipc",
      "--pid",
      "--cgroup",
      "--fork",
      "--kill-child",
      "--propagation",
      "private",
    ],
    ...["sh", join(import.meta.dirname, "init.sh"), disk, host.name],
  ];
  const child = spawn("sh", ["-c", enter, "sh", ...words], {
    detached: true,
    stdio: ["ignore", output, output],
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      GROUPS: groups.join(" "),
      [TAG]: tagOf(directory, host),
    },
  });
  child.unref();
}

/** @returns the address by which Domus reaches it, over TLS with the lab's certificates */
export function addressOf(directory: LabDirectory, { address }: LabHost): string {
  return `qemu+tls://${address}/system?pkipath=${directory.pki}`;
}

async function answers(directory: LabDirectory, lab: LabRecord, host: LabHost): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      (await LibvirtConnection.open(addressOf(directory, host))).close();
      return;
    } catch (error) {
      if (performance.now() < deadline && processesOf(directory, lab, host).length > 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      const reason = `${host.name} does not answer: ${(error as Error).message}; see ${join(directory.host(host.name), "console.log")}`;
      throw new Fault("lab.failed", { lab: directory.name, reason }, { cause: error });
    }
  }
}

/** Takes the power of a host: everything on it ends at once. */
export async function switchOff(directory: LabDirectory, lab: LabRecord, host: LabHost): Promise<void> {
  await endAll(() => processesOf(directory, lab, host));
}

/** Ends whatever was ever started for a lab, also for hosts that its record does not know any more. */
export async function switchOffAll(directory: LabDirectory): Promise<void> {
  await endAll(() => findTagged(TAG, tagOf(directory)).map(({ pid }) => pid));
}

async function endAll(look: () => readonly number[]): Promise<void> {
  for (let left = look(); left.length > 0; left = look()) {
    for (const pid of left) signal(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** @returns control groups that could not be taken away */
export function forgetGroups(lab: LabRecord, host: LabHost): readonly string[] {
  return removeGroups(namespaceOf(lab, host));
}
