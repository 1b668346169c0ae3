/**
 * What a driver can do, as flags with their meaning, and the reviewed table of what each driver must do (V1).
 * A new "cannot" fails the tests: `test/hypervisor/conformance.test.ts` holds each driver against `REQUIRED`.
 */
export const FLAGS = {
  define: "keep a guest's definition over a restart of the host",
  start: "start a guest",
  stop: "ask a guest to end, then end it",
  destroy: "end a guest at once",
  reboot: "stop and start a guest in its place",
  suspend: "freeze a guest in memory",
  resume: "let a frozen guest go on",
  save: "put a running guest's memory on disk and end it",
  restore: "let a saved guest go on where it was",
  snapshot: "keep a guest's disk and memory as they are now",
  clone: "copy a stopped guest under another identity",
  console: "read what a guest prints",
  statistics: "tell a guest's use of processor and memory",
  events: "tell at once when a guest changes its state",
} as const;
export type Flag = keyof typeof FLAGS;

/** `true`, or the sentence that says why not. A face shows it where it greys a button. */
export type Capability = true | { readonly cannot: string };
export type Capabilities = Readonly<Record<Flag, Capability>>;

const ALL = Object.keys(FLAGS) as readonly Flag[];
const without = (...missing: readonly Flag[]): readonly Flag[] => ALL.filter((flag) => !missing.includes(flag));

/** Reviewed by people: what each driver must be able to do. */
export const REQUIRED: Readonly<Record<"process" | "memory", readonly Flag[]>> = {
  process: without("save", "restore", "snapshot"),
  memory: ALL,
};
