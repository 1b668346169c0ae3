/** Who holds an address and port of this machine: read before anything is started, so that a clash is a sentence and not a crash. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Listener {
  /** Dotted IPv4; `0.0.0.0` and `::` block the port on every address. */
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

const LISTENING = "0A";

function decodeV4(hex: string): string {
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");
}

/** Every TCP listener of this network namespace. proc_net_tcp(5). */
export function listListeners(): readonly Listener[] {
  const found: Listener[] = [];
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    let lines: string[];
    try {
      lines = readFileSync(file, "utf8").split("\n").slice(1);
    } catch {
      continue;
    }
    for (const line of lines) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] !== LISTENING) continue;
      const [address, port] = fields[1]!.split(":") as [string, string];
      const v4 = address.length === 8 ? decodeV4(address) : /^0{32}$/.test(address) ? "::" : null;
      if (v4) found.push({ address: v4, port: Number.parseInt(port, 16), inode: fields[9]! });
    }
  }
  return found;
}

/** @returns the listener in the way of `address:port`, or `null`. A listener on all addresses is in everybody's way. */
export function listenerInTheWay(listeners: readonly Listener[], address: string, port: number): Listener | null {
  return (
    listeners.find(
      (one) => one.port === port && (one.address === address || one.address === "0.0.0.0" || one.address === "::"),
    ) ?? null
  );
}

/** @returns process id and name of the holder, as far as this user may see. */
export function describeHolder(listener: Listener): { readonly pid: number | null; readonly says: string } {
  const everywhere = listener.address === "0.0.0.0" || listener.address === "::" ? ", listening on every address" : "";
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      for (const descriptor of readdirSync(`/proc/${entry}/fd`)) {
        if (readlinkSync(`/proc/${entry}/fd/${descriptor}`) === `socket:[${listener.inode}]`) {
          const name = readFileSync(`/proc/${entry}/comm`, "utf8").trim();
          return { pid: Number(entry), says: `${name} (process ${entry})${everywhere}` };
        }
      }
    } catch {}
  }
  return { pid: null, says: `a process of another user${everywhere}` };
}
