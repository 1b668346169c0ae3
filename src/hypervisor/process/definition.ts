/** Neutral guest → what is started on the embedded default: arguments and environment. Pure; never a shell line. */
import { join } from "node:path";
import { Fault } from "../../model/index.ts";
import { QUIET_START } from "../../world/index.ts";
import type { GuestOrder } from "../contract.ts";

/** Where a guest's things are on this machine. */
export interface GuestPlaces {
  readonly root: string;
  readonly data: string;
  /** Directory of cached bundles. */
  readonly bundles: string;
  /** Directory with each host's peer socket. */
  readonly peers: string;
  /** The Node that runs programs of the house. */
  readonly node: string;
  /** Value of the tag by which a host finds its guests again. */
  readonly tag: string;
}

export interface ProcessDocument {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** How Node starts a program of the house. */
export const HOUSE_ARGUMENTS: readonly string[] = ["--disable-warning=ExperimentalWarning", ...QUIET_START];

/** The variable of the environment by which guests are found again after the supervisor was killed. */
export const TAG = "DOMUS_TAG";

/**
 * @returns what to start, or `null` when the guest is an empty place
 * @throws Fault `guest.failed` when its program is missing
 */
export function processDocument(order: GuestOrder, places: GuestPlaces): ProcessDocument | null {
  const { program } = order.definition;
  const words: Readonly<Record<string, string>> = {
    root: places.root,
    data: places.data,
    address: order.address,
    port: String(order.definition.ports.service ?? ""),
  };
  const fill = (text: string) => text.replace(/\{(root|data|address|port)\}/g, (_, word: string) => words[word]!);
  const own = Object.fromEntries(
    Object.entries(order.definition.environment).map(([key, value]) => [key, fill(value)]),
  );
  const environment = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    HOME: places.data,
    ...own,
    DOMUS_GUEST: order.name,
    DOMUS_ADDRESS: order.address,
    DOMUS_ROOT: places.root,
    DOMUS_DATA: places.data,
    DOMUS_PEERS: places.peers,
    [TAG]: places.tag,
  };
  switch (program.kind) {
    case "none":
      return null;
    case "bundle":
      if (!order.bundle)
        throw new Fault("guest.failed", { guest: order.name, host: "", reason: "its program was not delivered" });
      return {
        program: places.node,
        arguments: [...HOUSE_ARGUMENTS, join(places.bundles, order.bundle)],
        environment,
      };
    case "command": {
      const [first, ...rest] = program.command.map(fill);
      return { program: first!, arguments: rest, environment };
    }
  }
}
