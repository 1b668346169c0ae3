/**
 * The calls of libvirt that Domus knows: number, what goes in, what comes out. The numbers are the wire format (libvirt's
 * `remote_protocol.x`) and never change.
 */
import {
  fixed,
  hyper,
  int,
  list,
  nothing,
  optional,
  struct,
  text,
  typedParameter,
  unsigned,
  unsignedHyper,
  type ValueOf,
  type Xdr,
} from "./xdr.ts";

export interface Procedure<Takes, Gives> {
  readonly name: string;
  readonly number: number;
  readonly takes: Xdr<Takes>;
  readonly gives: Xdr<Gives>;
}

/** A domain as libvirt names it in every call; `id` is -1 when it does not run. */
export const domain = struct({ name: text, uuid: fixed(16), id: int });
export type Domain = ValueOf<typeof domain>;
export const storagePool = struct({ name: text, uuid: fixed(16) });
export type StoragePool = ValueOf<typeof storagePool>;
export const storageVolume = struct({ pool: text, name: text, key: text });
export type StorageVolume = ValueOf<typeof storageVolume>;
export const network = struct({ name: text, uuid: fixed(16) });
const snapshot = struct({ name: text, domain });

/** What stands in an answer that says no. */
export const remoteError = struct({
  code: int,
  origin: int,
  message: optional(text),
  level: int,
  domain: optional(domain),
  text1: optional(text),
  text2: optional(text),
  text3: optional(text),
  number1: int,
  number2: int,
  network: optional(network),
});
export type RemoteError = ValueOf<typeof remoteError>;

const numbers = new Map<number, string>();

function procedure<Takes, Gives>(
  name: string,
  number: number,
  takes: Xdr<Takes>,
  gives: Xdr<Gives>,
): Procedure<Takes, Gives> {
  numbers.set(number, name);
  return { name, number, takes, gives };
}

const one = <Value>(type: Xdr<Value>): Xdr<Value> => type;
const withFlags = struct({ domain, flags: unsigned });
const parameters = list(typedParameter);

export const PROCEDURES = {
  open: procedure("open", 1, struct({ name: optional(text), flags: unsigned }), nothing),
  close: procedure("close", 2, nothing, nothing),
  type: procedure("type", 3, nothing, one(text)),
  version: procedure("version", 4, nothing, one(unsignedHyper)),
  nodeInfo: procedure(
    "nodeInfo",
    6,
    nothing,
    struct({
      // A text in 32 characters of which each takes four octets.
      model: fixed(32 * 4),
      memory: unsignedHyper,
      cpus: int,
      mhz: int,
      nodes: int,
      sockets: int,
      cores: int,
      threads: int,
    }),
  ),
  capabilities: procedure("capabilities", 7, nothing, one(text)),
  domainCreate: procedure("domainCreate", 9, one(domain), nothing),
  domainDefine: procedure("domainDefine", 11, one(text), one(domain)),
  domainDestroy: procedure("domainDestroy", 12, one(domain), nothing),
  domainXml: procedure("domainXml", 14, withFlags, one(text)),
  domainAutostart: procedure("domainAutostart", 15, one(domain), one(int)),
  domainInfo: procedure(
    "domainInfo",
    16,
    one(domain),
    struct({
      state: unsigned,
      maxMemory: unsignedHyper,
      memory: unsignedHyper,
      cpus: unsigned,
      cpuTime: unsignedHyper,
    }),
  ),
  domainByName: procedure("domainByName", 23, one(text), one(domain)),
  domainByUuid: procedure("domainByUuid", 24, one(fixed(16)), one(domain)),
  domainReboot: procedure("domainReboot", 27, withFlags, nothing),
  domainResume: procedure("domainResume", 28, one(domain), nothing),
  domainSetAutostart: procedure("domainSetAutostart", 29, struct({ domain, autostart: int }), nothing),
  domainShutdown: procedure("domainShutdown", 33, one(domain), nothing),
  domainSuspend: procedure("domainSuspend", 34, one(domain), nothing),
  hostname: procedure("hostname", 59, nothing, one(text)),
  supportsFeature: procedure("supportsFeature", 60, one(int), one(int)),
  authenticationList: procedure("authenticationList", 66, nothing, list(int)),
  authenticationPolkit: procedure("authenticationPolkit", 70, nothing, one(int)),
  poolByName: procedure("poolByName", 84, one(text), one(storagePool)),
  poolDefine: procedure("poolDefine", 77, struct({ xml: text, flags: unsigned }), one(storagePool)),
  poolCreate: procedure("poolCreate", 78, struct({ pool: storagePool, flags: unsigned }), nothing),
  poolBuild: procedure("poolBuild", 79, struct({ pool: storagePool, flags: unsigned }), nothing),
  poolRefresh: procedure("poolRefresh", 83, struct({ pool: storagePool, flags: unsigned }), nothing),
  poolSetAutostart: procedure("poolSetAutostart", 90, struct({ pool: storagePool, autostart: int }), nothing),
  volumeCreate: procedure(
    "volumeCreate",
    93,
    struct({ pool: storagePool, xml: text, flags: unsigned }),
    one(storageVolume),
  ),
  volumeDelete: procedure("volumeDelete", 94, struct({ volume: storageVolume, flags: unsigned }), nothing),
  volumeByName: procedure("volumeByName", 95, struct({ pool: storagePool, name: text }), one(storageVolume)),
  volumePath: procedure("volumePath", 100, one(storageVolume), one(text)),
  freeMemory: procedure("freeMemory", 102, nothing, one(unsignedHyper)),
  uri: procedure("uri", 110, nothing, one(text)),
  domainManagedSave: procedure("domainManagedSave", 182, withFlags, nothing),
  domainHasManagedSave: procedure("domainHasManagedSave", 183, withFlags, one(int)),
  domainManagedSaveRemove: procedure("domainManagedSaveRemove", 184, withFlags, nothing),
  snapshotCreate: procedure("snapshotCreate", 185, struct({ domain, xml: text, flags: unsigned }), one(snapshot)),
  domainCreateWithFlags: procedure("domainCreateWithFlags", 196, withFlags, one(domain)),
  domainOpenConsole: procedure(
    "domainOpenConsole",
    201,
    struct({ domain, device: optional(text), flags: unsigned }),
    nothing,
  ),
  volumeUpload: procedure(
    "volumeUpload",
    208,
    struct({ volume: storageVolume, offset: unsignedHyper, length: unsignedHyper, flags: unsigned }),
    nothing,
  ),
  domainState: procedure("domainState", 212, withFlags, struct({ state: int, reason: int })),
  schedulerSet: procedure("schedulerSet", 219, struct({ domain, parameters, flags: unsigned }), nothing),
  domainUndefine: procedure("domainUndefine", 231, withFlags, nothing),
  domainDestroyFlags: procedure("domainDestroyFlags", 234, withFlags, nothing),
  domainsAll: procedure(
    "domainsAll",
    273,
    struct({ need: int, flags: unsigned }),
    struct({ domains: list(domain), count: unsigned }),
  ),
  eventRegister: procedure("eventRegister", 316, struct({ event: int, domain: optional(domain) }), one(int)),
  eventDeregister: procedure("eventDeregister", 317, one(int), nothing),
} as const;

/** @returns a call's name for messages; its number where it is none of ours */
export const procedureName = (number: number): string => numbers.get(number) ?? String(number);

/** What a server tells by itself. */
export const EVENTS = {
  lifecycle: {
    number: 318,
    /** In `eventRegister`. */
    event: 0,
    reads: struct({ callback: int, domain, event: int, detail: int }),
  },
} as const;
export type LifecycleEvent = ValueOf<(typeof EVENTS)["lifecycle"]["reads"]>;

export { hyper, parameters };
