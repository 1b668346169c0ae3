/** `domus guest …`: the engine's operations on one guest, as a table. What a driver cannot do is refused with its reason. */
import type { Command } from "commander";
import type { Hypervisor } from "../../hypervisor/index.ts";
import { type BlueprintGuest, Fault, formatSize, type GuestName } from "../../model/index.ts";
import { chooseSite, lockSite, type OpenSite, openState } from "../open.ts";
import { say, sayJson } from "../say.ts";
import { wholeNumber } from "../words.ts";

interface GuestFlags {
  readonly site?: string;
  readonly json?: boolean;
  readonly bytes?: string;
}

interface Operation {
  readonly name: string;
  readonly summary: string;
  /** Done words: "fg5x2 is started". */
  readonly done: string;
  /** `true`: a person wants it to stay so, whoever mends. `false`: it is as the site wants it again. */
  readonly holds: boolean;
  readonly run: (hypervisor: Hypervisor, guest: GuestName) => Promise<void>;
}

const OPERATIONS: readonly Operation[] = [
  { name: "start", summary: "start a guest", done: "runs", holds: false, run: (h, guest) => h.start(guest) },
  {
    name: "stop",
    summary: "ask a guest to end, then end it",
    done: "is stopped",
    holds: true,
    run: (h, guest) => h.stop(guest, { graceSeconds: 8 }),
  },
  {
    name: "destroy",
    summary: "end a guest at once, as a power switch would",
    done: "is stopped",
    holds: true,
    run: (h, guest) => h.destroy(guest),
  },
  {
    name: "reboot",
    summary: "stop and start a guest in its place",
    done: "runs again",
    holds: false,
    run: (h, guest) => h.reboot(guest),
  },
  {
    name: "suspend",
    summary: "freeze a guest in memory",
    done: "is suspended",
    holds: true,
    run: (h, guest) => h.suspend(guest),
  },
  {
    name: "resume",
    summary: "let a frozen guest go on",
    done: "goes on",
    holds: false,
    run: (h, guest) => h.resume(guest),
  },
  {
    name: "save",
    summary: "put a running guest's memory on disk",
    done: "is saved",
    holds: true,
    run: (h, guest) => h.save(guest),
  },
  {
    name: "restore",
    summary: "let a saved guest go on",
    done: "goes on",
    holds: false,
    run: (h, guest) => h.restore(guest),
  },
  {
    name: "snapshot",
    summary: "keep a guest as it is now",
    done: "has a snapshot",
    holds: false,
    run: (h, guest) => h.snapshot(guest, "by hand"),
  },
];

/** Runs work on one guest's host. @throws Fault `guest.unknown`, `host.unreachable`, `host.cut` */
async function onGuest<T>(
  name: string,
  flags: GuestFlags,
  work: (hypervisor: Hypervisor, guest: BlueprintGuest, open: OpenSite) => Promise<T>,
): Promise<T> {
  const open = await openState(chooseSite(flags.site));
  try {
    const target = await open.store.target();
    const guest = target?.blueprint.guests.find((one) => one.name === name);
    if (!guest)
      throw new Fault("guest.unknown", {
        guest: name,
        known: target?.blueprint.guests.map((one) => one.name).join(", ") || "none",
      });
    return await work(await open.hosts.connect(guest.host), guest, open);
  } finally {
    await open.close();
  }
}

export function addGuest(program: Command): void {
  const guest = program
    .command("guest")
    .summary("start, stop, suspend, look into one guest")
    .description("Operations on one guest of a site.")
    .addHelpText("after", "\nExamples:\n  domus guest show fg5x2\n  domus guest reboot fg5x2");
  for (const operation of OPERATIONS)
    guest
      .command(operation.name)
      .summary(operation.summary)
      .description(`${operation.summary[0]!.toUpperCase()}${operation.summary.slice(1)}.`)
      .argument("<guest>", "its name, e.g. fg5x2")
      .option("--site <name>", "which site, when several are known")
      .option("--json", "for machines")
      .addHelpText("after", `\nExample:\n  domus guest ${operation.name} fg5x2`)
      .action(async (name: string, flags: GuestFlags) => {
        const lock = await lockSite(chooseSite(flags.site), `domus guest ${operation.name} ${name}`);
        try {
          await onGuest(name, flags, async (hypervisor, found, open) => {
            if (operation.holds) await open.store.hold(found.name, `${operation.name} by a person`);
            await operation.run(hypervisor, found.name);
            if (!operation.holds) await open.store.releaseHeld(found.name);
            await open.store.event("guest", found.name, `${operation.name} by a person`);
          });
        } finally {
          await lock.release();
        }
        if (flags.json) sayJson({ guest: name, done: operation.name });
        else say(`${name} ${operation.done}.`);
      });
  guest
    .command("console")
    .summary("what a guest printed last")
    .description("Prints the end of a guest's console.")
    .argument("<guest>", "its name, e.g. fg5x2")
    .option("--bytes <n>", "how much of it", "8192")
    .option("--site <name>", "which site, when several are known")
    .option("--json", "for machines")
    .addHelpText("after", "\nExample:\n  domus guest console fg5x0 --bytes 2000")
    .action((name: string, flags: GuestFlags) =>
      onGuest(name, flags, async (hypervisor, found) => {
        const bytes = wholeNumber("--bytes", flags.bytes ?? "8192", 1, 1024 ** 3);
        const text = await hypervisor.console(found.name, bytes);
        if (flags.json) sayJson({ guest: name, console: text });
        else process.stdout.write(text);
      }),
    );
  guest
    .command("show")
    .summary("where a guest is, and what it uses")
    .description("Shows a guest's places, state and use of the machine.")
    .argument("<guest>", "its name, e.g. fg5x2")
    .option("--site <name>", "which site, when several are known")
    .option("--json", "for machines")
    .addHelpText("after", "\nExample:\n  domus guest show fg5x2")
    .action((name: string, flags: GuestFlags) =>
      onGuest(name, flags, async (hypervisor, found) => {
        const status = (await hypervisor.list()).find((one) => one.name === found.name) ?? null;
        const use = status ? await hypervisor.statistics(found.name) : null;
        if (flags.json) {
          sayJson({
            name: found.name,
            service: found.service,
            birthHost: found.birthHost,
            host: found.host,
            address: found.address,
            status,
            use,
          });
          return;
        }
        say(`${found.name}  ${found.service} copy ${found.copy}, born on ${found.birthHost}, now on ${found.host}`);
        say(
          `  address   ${found.address}  ports ${
            Object.entries(found.definition.ports)
              .map(([purpose, port]) => `${purpose} ${port}`)
              .join(", ") || "none"
          }`,
        );
        say(
          `  state     ${status?.state ?? "missing"}${status?.lastEnd ? `, last end: ${status.lastEnd}` : ""}, ${status?.restarts ?? 0} restarts`,
        );
        if (use)
          say(
            `  uses      ${formatSize(use.memory)} of ${formatSize(found.definition.memory)}, ${use.cpuSeconds.toFixed(1)} CPU-s, ${use.processes} processes, up ${Math.round(use.uptimeSeconds)} s`,
          );
      }),
    );
}
