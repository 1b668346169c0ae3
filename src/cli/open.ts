/** From the words of a command to the things it works on: site files, state, controller. */
import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import {
  Controller,
  EmbeddedHosts,
  type OperatorIdentity,
  programsHere,
  refuseTakenAddresses,
  SiteSecrets,
} from "../controller/index.ts";
import { BundleCache } from "../images/index.ts";
import { Fault, formatDiagnostic, readSite, type Site, type SiteName, type SiteText } from "../model/index.ts";
import { probeGuest } from "../probe/index.ts";
import { RECIPES } from "../recipes/index.ts";
import { knownSites, Store, siteDirectory, stateBase } from "../store/index.ts";
import { acquireLock, type Lock, readIfThere, realClock, type TlsIdentity, writeFileDurably } from "../world/index.ts";

const HOUSE = join(import.meta.dirname, "../..");
/** Larger files are no site files; reading stops before memory does, bytes. */
const LARGEST_FILE = 4 * 1024 * 1024;

/** Version of Domus, from its package. */
export const VERSION: string = (JSON.parse(readFileSync(join(HOUSE, "package.json"), "utf8")) as { version: string })
  .version;

/** @throws Fault `site.unreadable`, `site.invalid` when it is no UTF-8 */
export function readText(file: string): SiteText {
  let octets: Buffer;
  try {
    if (statSync(file).isDirectory()) throw new Fault("site.unreadable", { file, reason: "it is a directory" });
    octets = readBounded(file);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const reason = code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "permission denied" : String(code);
    throw new Fault("site.unreadable", { file, reason });
  }
  const text = octets.toString("utf8");
  if (!isUtf8(octets)) refuseEncoding(file, octets, text);
  return { file, text };
}

/** A pipe or a device tells no size beforehand, and some have no end. */
function readBounded(file: string): Buffer {
  const descriptor = openSync(file, "r");
  try {
    const chunks: Buffer[] = [];
    for (let size = 0; ; ) {
      const chunk = Buffer.alloc(1024 * 1024);
      const read = readSync(descriptor, chunk);
      if (read === 0) return Buffer.concat(chunks);
      size += read;
      if (size > LARGEST_FILE) throw new Fault("site.unreadable", { file, reason: "it is larger than 4 MiB" });
      chunks.push(chunk.subarray(0, read));
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Points at the first octet that is no UTF-8: everything before it is the same in both. */
function refuseEncoding(file: string, octets: Buffer, text: string): never {
  const again = Buffer.from(text, "utf8");
  let offset = 0;
  while (offset < octets.length && octets[offset] === again[offset]) offset++;
  const before = octets.subarray(0, offset).toString("utf8").split("\n");
  const says = "expected UTF-8 text; save the file in this encoding";
  const one = { file, line: before.length, column: before.at(-1)!.length + 1, path: "", says };
  throw new Fault("site.invalid", { file, diagnostics: formatDiagnostic(one) });
}

/**
 * Reads a site file.
 * @param hosts file named by `--hosts`
 * @throws Fault `site.unreadable`, `site.invalid` with every mistake
 */
export function openSite(file: string, hosts?: string): Site {
  const reading = readSite(readText(file), RECIPES, hosts === undefined ? undefined : readText(hosts));
  if (!reading.ok)
    throw new Fault("site.invalid", { file, diagnostics: reading.diagnostics.map(formatDiagnostic).join("\n") });
  return reading.site;
}

/** @returns the file of an example site that comes with the house. */
export function exampleSite(name: string): string {
  return relative(process.cwd(), join(HOUSE, "sites", `${name}.yaml`)) || join(HOUSE, "sites", `${name}.yaml`);
}

/** Everything a command needs for one site. */
export interface OpenSite {
  readonly name: SiteName;
  readonly directory: string;
  readonly store: Store;
  readonly hosts: EmbeddedHosts;
  readonly controller: Controller;
  readonly operator: OperatorIdentity;
  readonly secrets: SiteSecrets;
  close(): Promise<void>;
}

/** @returns who asks, when Domus asks */
export function operatorTls({ operator }: Pick<OpenSite, "operator">): TlsIdentity {
  return { ca: operator.authority, cert: operator.certificate, key: operator.key };
}

/** Opens a site's state, making it when there is none. */
export async function openState(name: SiteName): Promise<OpenSite> {
  const directory = siteDirectory(stateBase(process.env), name);
  const store = await Store.open(directory, realClock);
  const secrets = new SiteSecrets(store.secrets, name, realClock);
  const operator = await secrets.operator(join(directory, "operator"));
  const hosts = new EmbeddedHosts(directory, new BundleCache(join(directory, "bundles")));
  const tls = operatorTls({ operator });
  const controller = new Controller({
    store,
    hosts,
    secrets,
    recipes: RECIPES,
    ask: (probe, address) => probeGuest(probe, address, tls),
    clock: realClock,
    programs: programsHere(),
    version: VERSION,
    preflight: (blueprint) =>
      refuseTakenAddresses(blueprint, new Set(blueprint.hosts.map((host) => hosts.directory(host.name).key))),
  });
  return {
    name,
    directory,
    store,
    hosts,
    controller,
    operator,
    secrets,
    close: async () => {
      await hosts.close();
      await store.close();
    },
  };
}

/**
 * @param given a site's name, its file, or nothing when only one is known
 * @throws Fault `site.unknown`, `usage.invalid`
 */
export function chooseSite(given: string | undefined): SiteName {
  const base = stateBase(process.env);
  const known = knownSites(base);
  if (given !== undefined) {
    const name = known.find((one) => one === given) ?? (/[./]/.test(given) ? openSite(given).name : undefined);
    if (name !== undefined && known.includes(name)) return name;
    throw new Fault("site.unknown", { directory: `${base} by the name of ${given}`, known: known.join(", ") });
  }
  if (known.length === 0) throw new Fault("site.unknown", { directory: base });
  if (known.length === 1) return known[0]!;
  const running = known.filter((name) => /"up"/.test(readIfThere(join(base, name, "blueprints", "target")) ?? ""));
  if (running.length === 1) return running[0]!;
  throw new Fault("usage.invalid", {
    reason: `several sites are known (${known.join(", ")}): say which with --site NAME`,
  });
}

/** Remembers what people wrote, for commands that come later without the file. */
export function rememberSite(open: OpenSite, site: Site): void {
  writeFileDurably(join(open.directory, "site.json"), JSON.stringify(site), 0o600);
}

/** @returns the site as it was last brought up. */
export function rememberedSite(open: OpenSite): Site {
  const text = readIfThere(join(open.directory, "site.json"));
  if (!text) throw new Fault("site.unknown", { directory: dirname(open.directory) });
  return JSON.parse(text) as Site;
}

/** What `serve` says while it mends for a moment: others wait for it instead of giving up. */
export const MENDING = "mending";
const PATIENCE = 60_000;

/**
 * One writer at a time.
 * @param what is being done, said to whoever comes second
 * @throws Fault `site.busy`
 */
export async function lockSite(name: SiteName, what: string): Promise<Lock> {
  const key = `site ${siteDirectory(stateBase(process.env), name)}`;
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const lock = await acquireLock(key, `${what} (process ${process.pid})`);
    if (!("heldBy" in lock)) return lock;
    // A holder that has just let go says nothing any more.
    const passing = lock.heldBy.startsWith(MENDING) || lock.heldBy.startsWith("a run that does not");
    if (!passing || Date.now() > deadline) throw new Fault("site.busy", { site: name, holder: lock.heldBy });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
