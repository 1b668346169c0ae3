/** Control groups of a host: a directory in each hierarchy of this machine, which is the root of all to whoever is inside. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
/** With one hierarchy for all (version 2), the root itself says which controllers there are. */
const isUnified = (): boolean => existsSync(join(ROOT, "cgroup.controllers"));

function hierarchies(): readonly string[] {
  if (isUnified()) return [ROOT];
  return readdirSync(ROOT)
    .map((name) => join(ROOT, name))
    .filter((path) => existsSync(join(path, "cgroup.procs")));
}

/**
 * @param name of the host's groups
 * @returns the files into which a process writes itself to be in all of them
 */
export function makeGroups(name: string): readonly string[] {
  return hierarchies().map((hierarchy) => {
    const group = join(hierarchy, name);
    mkdirSync(group, { recursive: true });
    // Version 1: a group without processors and memory nodes takes nobody.
    for (const file of ["cpuset.cpus", "cpuset.mems"])
      if (!isUnified() && existsSync(join(group, file)))
        writeFileSync(join(group, file), readFileSync(join(hierarchy, file), "utf8").trim());
    return join(group, "cgroup.procs");
  });
}

/** @returns ids of the processes in a host's groups, in whichever of them below */
export function processesInGroups(name: string): readonly number[] {
  const groups = hierarchies()
    .map((hierarchy) => join(hierarchy, name))
    .filter((group) => existsSync(group));
  return [...new Set(groups.flatMap(processesBelow))];
}

function processesBelow(group: string): readonly number[] {
  try {
    const own = readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    const below = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...below.flatMap(({ name }) => processesBelow(join(group, name)))];
  } catch {
    // It was taken away while we looked.
    return [];
  }
}

/** Empty groups only: whoever is still in one keeps it. @returns what is left */
export function removeGroups(name: string): readonly string[] {
  return hierarchies()
    .map((hierarchy) => join(hierarchy, name))
    .filter((group) => existsSync(group) && !removeTree(group));
}

function removeTree(group: string): boolean {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(group, entry.name));
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}
