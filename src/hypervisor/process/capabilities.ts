/** What the embedded default can do. A process has no memory image that could be kept, so three of V1 are honestly missing. */
import type { Capabilities } from "../capabilities.ts";

const NO_IMAGE = {
  cannot: "a process has no memory image that could be put on disk; use a libvirt host for this",
} as const;

export const PROCESS_CAPABILITIES: Capabilities = {
  define: true,
  start: true,
  stop: true,
  destroy: true,
  reboot: true,
  suspend: true,
  resume: true,
  save: NO_IMAGE,
  restore: NO_IMAGE,
  snapshot: { cannot: "a directory cannot be frozen at one moment; use a libvirt host for this" },
  clone: true,
  console: true,
  statistics: true,
  events: true,
};
