/**
 * Addresses of hypervisors as libvirt's own tools write them: `qemu:///system`, `qemu+tls://host/system`, `xen+ssh://root@host/`,
 * `qemu+tcp://host:16509/system`. https://libvirt.org/uri.html. Pure.
 */

/** How the daemon is reached. */
export type Transport =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "tls"; readonly host: string; readonly port: number; readonly pki: string | null }
  | {
      readonly kind: "ssh";
      readonly host: string;
      readonly port: number | null;
      readonly user: string | null;
      readonly keyFile: string | null;
      /** Of the daemon, on the far machine; `null`: its helper knows. */
      readonly path: string | null;
    };

export interface HypervisorAddress {
  /** What the daemon is asked to open: the address without how it is reached. */
  readonly uri: string;
  readonly driver: string;
  readonly transport: Transport;
}

const PORTS = { tcp: 16_509, tls: 16_514 } as const;
/** Daemons with a socket of their own, where there is no libvirtd for all. */
const SOCKETS = "/var/run/libvirt/libvirt-sock";
const TRANSPORTS = ["unix", "tcp", "tls", "ssh"] as const;

/** @returns the address; a text that says what is wrong with it otherwise */
export function readAddress(text: string): HypervisorAddress | string {
  const url = URL.parse(text);
  if (url === null) return "expected an address like qemu+tls://host/system";
  const [driver = "", way, ...more] = url.protocol.slice(0, -1).split("+");
  if (more.length > 0 || !/^[a-z]{2,10}$/.test(driver)) return "expected an address like qemu+tls://host/system";
  const named = TRANSPORTS.find((one) => one === way);
  if (way !== undefined && named === undefined) return `cannot be reached by ${way}: expected ${TRANSPORTS.join(", ")}`;
  const host = decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1");
  // As libvirt: a host without a way to it means TLS.
  const kind = named ?? (host === "" ? "unix" : "tls");
  if (kind !== "unix" && host === "") return `${kind} needs a host: ${driver}+${kind}://host${url.pathname}`;
  if (kind === "unix" && host !== "") return `a socket of this machine has no host: ${driver}+unix://${url.pathname}`;
  if (url.password !== "") return "a password has no place in an address";
  const uri = `${driver}://${url.pathname === "" ? "/" : url.pathname}`;
  const port = url.port === "" ? null : Number(url.port);
  const word = (name: string): string | null => url.searchParams.get(name);
  const path = word("socket");
  switch (kind) {
    case "unix":
      return { uri, driver, transport: { kind, path: path ?? SOCKETS } };
    case "tcp":
      return { uri, driver, transport: { kind, host, port: port ?? PORTS.tcp } };
    case "tls":
      return { uri, driver, transport: { kind, host, port: port ?? PORTS.tls, pki: word("pkipath") } };
    case "ssh": {
      const user = url.username === "" ? null : decodeURIComponent(url.username);
      // Neither may be taken for an option by the program that they are handed to.
      if (host.startsWith("-") || user?.startsWith("-")) return "a host or user that begins with a hyphen";
      return { uri, driver, transport: { kind, host, port, user, keyFile: word("keyfile"), path } };
    }
  }
}
