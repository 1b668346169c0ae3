/**
 * Every way Domus says no, in one table: code, the exit status, one sentence with the thing's name in it, and what to do about it.
 * Nothing else may end a command: whatever is thrown that is not a Fault is a defect of Domus and is reported as one.
 */

/** 1: the thing asked for is not so. 2: bad input. 3: the outside failed. */
export type ExitCode = 1 | 2 | 3;

interface FaultEntry {
  readonly exit: ExitCode;
  readonly says: (about: Readonly<Record<string, string>>) => string;
  readonly remedy: (about: Readonly<Record<string, string>>) => string;
}

const FAULTS = {
  "site.unreadable": {
    exit: 2,
    says: (a) => `${a.file}: cannot be read (${a.reason})`,
    remedy: () => "Check the path and the permissions.",
  },
  "site.invalid": { exit: 2, says: (a) => `${a.diagnostics}`, remedy: (a) => `Mend ${a.file} and try again.` },
  "usage.invalid": { exit: 2, says: (a) => `${a.reason}`, remedy: (a) => `See ${a.help ?? "domus --help"}.` },
  "lab.failed": {
    exit: 3,
    says: (a) => `the lab ${a.lab}: ${a.reason}`,
    remedy: (a) => a.remedy ?? "bin/domus-lab down takes away whatever is left of it.",
  },
  "report.unknown": {
    exit: 2,
    says: (a) => `no acceptance report ${a.report}: ${a.reason}`,
    remedy: () => "domus accept SITE reports lists those that are kept.",
  },
  "plan.impossible": {
    exit: 1,
    says: (a) => `${a.reasons}`,
    remedy: (a) => `${a.remedy ?? "Change the site file or add a host."}`,
  },
  "site.busy": {
    exit: 3,
    says: (a) => `site ${a.site}: somebody else is at work: ${a.holder}`,
    remedy: () => "Wait until that run has ended, or end it; a new run goes on from where it stopped.",
  },
  "address.taken": {
    exit: 3,
    says: (a) => `${a.address}:${a.port} (${a.what}) is taken by ${a.holder}`,
    remedy: (a) => a.remedy ?? `Stop it, or choose another network with --loopback 127.x.y.0/24.`,
  },
  "disk.full": {
    exit: 3,
    says: (a) => `no room left on the disk while writing ${a.what}`,
    remedy: () => "Free some space and run the same command again; nothing that was written before is lost.",
  },
  "store.corrupt": {
    exit: 3,
    says: (a) => `the store ${a.file} cannot be read: ${a.reason}`,
    remedy: (a) =>
      `Move ${a.file} aside (with its -wal and -shm) and run 'up' again: guests and their data are found on the hosts.`,
  },
  "store.unwritable": {
    exit: 3,
    says: (a) => `the state directory ${a.directory} cannot be used: ${a.reason}`,
    remedy: () => "Set DOMUS_STATE to a directory of your own, with mode 0700.",
  },
  "store.newer": {
    exit: 3,
    says: (a) => `the store ${a.file} was written by a newer Domus (schema ${a.found}, this one reads ${a.known})`,
    remedy: () => "Run the newer Domus, or use another DOMUS_STATE.",
  },
  "blueprint.stale": {
    exit: 1,
    says: (a) => `blueprint ${a.number} was made from ${a.parent}, but ${a.target} is in force`,
    remedy: () => "Plan again.",
  },
  "host.unreachable": {
    exit: 3,
    says: (a) => `host ${a.host} does not answer: ${a.reason}`,
    remedy: (a) => a.remedy ?? "Bring the host back, then run the same command again.",
  },
  "host.cut": {
    exit: 3,
    says: (a) => `host ${a.host} is cut off from power`,
    remedy: (a) => `bin/domus-lab heal ${a.host}`,
  },
  "guest.failed": {
    exit: 3,
    says: (a) => `guest ${a.guest} on ${a.host}: ${a.reason}`,
    remedy: (a) => a.remedy ?? `See what it said: domus guest console ${a.guest}`,
  },
  "guest.unknown": { exit: 2, says: (a) => `no guest is called ${a.guest}`, remedy: (a) => `There are: ${a.known}.` },
  "host.unknown": { exit: 2, says: (a) => `no host is called ${a.host}`, remedy: (a) => `There are: ${a.known}.` },
  "alias.unknown": { exit: 2, says: (a) => `no alias is called ${a.alias}`, remedy: (a) => `There are: ${a.known}.` },
  "site.down": {
    exit: 1,
    says: (a) => `site ${a.site} is down`,
    remedy: () => "Bring it up: domus up SITE.",
  },
  "site.unknown": {
    exit: 2,
    says: (a) => `no site is up under ${a.directory}`,
    remedy: (a) => (a.known ? `There are: ${a.known}.` : "Bring one up first: domus up SITE."),
  },
  "guest.wrong-state": {
    exit: 1,
    says: (a) => `guest ${a.guest} is ${a.state}: cannot ${a.action}`,
    remedy: (a) => a.remedy ?? "See domus status.",
  },
  "hypervisor.cannot": {
    exit: 1,
    says: (a) => `${a.driver} cannot ${a.action}: ${a.reason}`,
    remedy: (a) => a.remedy ?? "Use a host with another hypervisor for this.",
  },
  "alias.silent": {
    exit: 3,
    says: (a) => `alias ${a.alias} (${a.address}) does not answer: ${a.reason}`,
    remedy: () => "See domus status for its copies and directors.",
  },
  "step.failed": {
    exit: 3,
    says: (a) => `step ${a.step}: ${a.reason}`,
    remedy: (a) => a.remedy ?? "Run the same command again: it goes on from here.",
  },
  "service.unable": {
    exit: 3,
    says: (a) => `${a.reason}`,
    remedy: (a) => a.remedy ?? "Try again in a moment; domus status says what is away.",
  },
  "request.refused": { exit: 1, says: (a) => `${a.reason}`, remedy: (a) => a.remedy ?? "Ask whoever runs the site." },
} as const satisfies Record<string, FaultEntry>;

export type FaultCode = keyof typeof FAULTS;

export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;
  readonly exit: ExitCode;
  readonly remedy: string;
  /** What the sentence was made of: enough to make the same Fault again on the other end of a wire. */
  readonly about: Readonly<Record<string, string>>;

  constructor(code: FaultCode, about: Readonly<Record<string, string>> = {}, options?: ErrorOptions) {
    const entry: FaultEntry = FAULTS[code];
    super(entry.says(about), options);
    this.code = code;
    this.about = about;
    this.exit = entry.exit;
    this.remedy = entry.remedy(about);
  }
}

/** All codes, for the test that every one is documented. */
export const FAULT_CODES = Object.keys(FAULTS) as readonly FaultCode[];
