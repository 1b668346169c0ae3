/** The virtualization engine: one interface over every monitor, capability flags, one folder a driver. */
export * from "./capabilities.ts";
export * from "./contract.ts";
export { ConnectionLost, LibvirtConnection, LibvirtError } from "./libvirt/rpc/index.ts";
export { MEMORY_CAPABILITIES } from "./memory/capabilities.ts";
export { MemoryHost } from "./memory/driver.ts";
export { PROCESS_CAPABILITIES } from "./process/capabilities.ts";
export { HOUSE_ARGUMENTS, processDocument, TAG } from "./process/definition.ts";
export { judge } from "./process/hang.ts";
export { HostDirectory } from "./process/inventory.ts";
export { connectHost, launchSupervisor, SUPERVISOR_TAG, type SupervisorPlaces } from "./process/launch.ts";
export * from "./wire.ts";
