/** Every key a site file may have, as tables: key, what is expected, and what holds when the file is silent. */
import { type AliasName, type HostName, NAME_PATTERN, type ServiceName, type SiteName } from "../ids.ts";
import { parseIpv4, parseNetwork } from "../ipv4.ts";
import type { Probe } from "../probe.ts";
import {
  anything,
  argument,
  choice,
  dictionary,
  duration,
  entries,
  flag,
  integer,
  keysOf,
  list,
  longText,
  matching,
  optional,
  type Reader,
  ratio,
  record,
  report,
  required,
  scalarOf,
  size,
  text,
} from "./shape.ts";
import type { Place } from "./source.ts";

const NAME = "a name of small letters, digits and hyphens";
const siteName = matching<SiteName>(NAME, NAME_PATTERN);
export const hostName = matching<HostName>(NAME, NAME_PATTERN);
export const serviceName = matching<ServiceName>(NAME, NAME_PATTERN);
const aliasName = matching<AliasName>(NAME, NAME_PATTERN);
const port = integer(1, 65_535);

const ipv4 = scalarOf("an IPv4 address like 10.20.0.7", (value) =>
  typeof value === "string" && parseIpv4(value) !== null ? value : undefined,
);
const cidr = scalarOf("an IPv4 network like 10.20.0.0/24 (its first address)", (value) => {
  const network = typeof value === "string" ? parseNetwork(value) : null;
  return network && network.bits >= 8 && network.bits <= 29 ? (value as string) : undefined;
});
const hypervisor = matching<string>(
  "an address like qemu+tls://host/system",
  /^(?:qemu|xen|lxc|esx|vpx|test)(?:\+(?:tcp|tls|ssh|unix))?:\/\/[A-Za-z0-9._:@/?=&-]{0,200}$/,
);

export const network = record({
  cidr: optional(cidr, null),
  mode: optional(choice("bridge", "nat", "loopback"), "bridge"),
  bridge: optional(matching<string>("a bridge like br0", /^[A-Za-z0-9._-]{1,15}$/), null),
  ipv6: optional(flag, false),
});

export const host = record({
  name: required(hostName),
  prefix: required(matching<string>("a short prefix like fg5x", /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/)),
  hypervisor: optional(hypervisor, null),
  cpus: required(integer(1, 4096), 1),
  memory: required(size, 2 ** 50),
  reserve: optional(size, 0),
  rack: optional(text("the name of a rack", 64), null),
  building: optional(text("the name of a building", 64), null),
  address: optional(ipv4, null),
  spare: optional(flag, false),
});

const path = matching<string>("a path like /health", /^\/[\x21-\x7e]{0,500}$/);
const PROBE_KINDS = {
  http: record({
    http: required(path),
    port: required(port),
    status: optional(integer(100, 599), 200),
    contains: optional(text("text", 500), null),
  }),
  https: record({
    https: required(path),
    port: required(port),
    status: optional(integer(100, 599), 200),
    contains: optional(text("text", 500), null),
  }),
  tcp: record({ tcp: required(port) }),
  running: record({ running: required(flag) }),
} as const;

/** A probe is told by its first key: `http: /`, `https: /`, `tcp: 5432` or `running: true`. */
const probe: Reader<Probe> = (place) => {
  const keys = keysOf(place);
  const kind = (Object.keys(PROBE_KINDS) as (keyof typeof PROBE_KINDS)[]).find((name) => keys.includes(name));
  switch (kind) {
    case "http": {
      const read = PROBE_KINDS.http(place);
      return read && { kind, port: read.port, path: read.http, status: read.status, contains: read.contains };
    }
    case "https": {
      const read = PROBE_KINDS.https(place);
      return read && { kind, port: read.port, path: read.https, status: read.status, contains: read.contains };
    }
    case "tcp": {
      const read = PROBE_KINDS.tcp(place);
      return read && { kind, port: read.tcp };
    }
    case "running":
      return PROBE_KINDS.running(place) && { kind };
    default:
      return report(
        place,
        "expected a probe: { http: /, port: 80 }, { https: /, port: 443 }, { tcp: 5432 } or { running: true }",
      );
  }
};

/** `2`, or the documents' `1+1`. */
const copies = scalarOf("a number of copies like 2 or 1+1", (value) => {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  const match = typeof value === "string" ? /^([1-9]\d?)\+([1-9]\d?)$/.exec(value) : null;
  return match ? Number(match[1]) + Number(match[2]) : undefined;
});

/** `0`, `0.1 %` or `0.001`. */
const share = scalarOf("a share like 0.1 % or 0.001", (value) => {
  const match = typeof value === "string" ? /^(\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(value) : null;
  const read = match ? Number(match[1]) / 100 : value;
  return typeof read === "number" && read >= 0 && read <= 1 ? read : undefined;
});

export const alias = record({
  name: required(aliasName),
  port: optional(port, null),
  address: optional(ipv4, null),
  scheduler: optional(choice("least-connections", "round-robin"), "least-connections"),
  persistence: optional(duration, 0),
  connections: optional(integer(1, 1_000_000), 10_000),
  "connections-per-copy": optional(integer(1, 1_000_000), 5000),
});

/** Paths inside the guest, each written in one way only: no empty part, no `.` and no `..`; a file is no folder of another. */
const contents =
  (onDisk: boolean): Reader<Readonly<Record<string, string>>> =>
  (place) => {
    const files = new Set<string>();
    const folders = new Set<string>();
    return dictionary(longText, (written) => {
      const parts = written.replace(/^\//, "").split("/");
      const plain = /^[\x20-\x7e]{1,500}$/.test(written);
      if (!plain || parts.some((part) => part.trim() === "" || part === "." || part === ".."))
        return "not the path of a file inside the guest";
      const path = parts.join("/");
      const above = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
      const says = files.has(path)
        ? "names the same file twice"
        : onDisk && (folders.has(path) || above.some((folder) => files.has(folder)))
          ? "is a file here and a folder there"
          : null;
      files.add(path);
      for (const folder of above) folders.add(folder);
      return says;
    })(place);
  };
const environment = dictionary(longText, (name) =>
  /^[A-Za-z_][A-Za-z0-9_]{0,100}$/.test(name) && !name.startsWith("DOMUS_") && name !== "__proto__"
    ? null
    : "cannot be a variable of the environment",
);

export const objectives = record({
  lost: optional(share, null),
  gap: optional(duration, null),
  whole: optional(duration, null),
  latency: optional(duration, null),
  "calls-per-day": optional(integer(1, 1_000_000_000_000), null),
});

export const service = record({
  title: optional(text("a title", 200), null),
  recipe: optional(text("the name of a recipe", 64), "own"),
  strategy: optional(
    choice("active-standby", "active-active", "replicated-database", "native", "mirrored", "single", "spare"),
    null,
  ),
  mode: optional(choice("circular", "galera"), null),
  kind: optional(choice("appliance", "kept"), "appliance"),
  copies: optional(copies, null),
  memory: optional(size, null),
  cpus: optional(integer(1, 1024), null),
  disk: optional(size, null),
  alias: optional(alias, null),
  also: optional(alias, null),
  needs: optional(list(serviceName, 1000), []),
  hosts: optional(list(hostName, 1000), []),
  forbid: optional(list(hostName), []),
  slot: optional(integer(0, 9999), null),
  apart: optional(choice("host", "rack", "building"), "host"),
  probe: optional(probe, null),
  settings: optional(dictionary(anything), {}),
  image: optional(text("the name of an image", 100), null),
  packages: optional(list(matching<string>("the name of a package", /^[a-z0-9][a-z0-9+.-]{1,100}$/), 1000), []),
  command: optional(list(argument("a program or argument", 4096), 200, 1), null),
  pages: optional(contents(false), null),
  files: optional(contents(true), {}),
  environment: optional(environment, {}),
  objectives: optional(objectives, null),
});

export const rules = record({
  "memory-overcommit": optional(ratio(1, 16), 1),
  "cpu-ratio": optional(ratio(0.1, 64), 4),
});

export const site = record({
  site: required(siteName, "site" as SiteName),
  network: optional(network, null),
  hosts: required(list(host, 10_000, 1), []),
  services: required(servicesInOrder, []),
  rules: optional(rules, null),
  objectives: optional(objectives, null),
});

/** Services keep the order of the file: guest numbers follow it. */
function servicesInOrder(place: Place) {
  const found = entries(place);
  if (!found) return undefined;
  if (found.length === 0) return report(place, "expected at least one service, found none");
  return found.flatMap(({ key, keyOffset, value }) => {
    if (!NAME_PATTERN.test(key)) {
      place.source.reportAt(keyOffset, value.path, `expected ${NAME} for a service`);
      return [];
    }
    const read = service(value);
    return read ? [{ name: key as ServiceName, ...read }] : [];
  });
}

/** What `--hosts FILE` holds: other hosts, and perhaps another network, for the same site. */
export const hostsFile = record({
  network: optional(network, null),
  hosts: required(list(host, 10_000, 1)),
});
