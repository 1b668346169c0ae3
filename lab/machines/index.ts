/** Simulated physical hosts with real hypervisors: namespaces of this machine, a libvirt daemon in each. */
export * from "./lab.ts";
export { knownLabs, LabDirectory, type LabRecord } from "./record.ts";
