/** Where a site's state lives: `$DOMUS_STATE/<site>`, else `~/.local/state/domus/<site>`. Private to its owner. */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Fault, type SiteName } from "../model/index.ts";
import { makePrivateDirectory } from "../world/index.ts";

/** Unix socket paths hold 107 characters; `/<host>.peer` comes behind the directory. */
const LONGEST_SOCKET_DIRECTORY = 107 - 1 - 63 - 5;

/** @param environment of the process */
export function stateBase(environment: NodeJS.ProcessEnv): string {
  const given = environment.DOMUS_STATE;
  if (given) return resolve(given);
  return join(environment.XDG_STATE_HOME || join(environment.HOME || homedir(), ".local", "state"), "domus");
}

export function siteDirectory(base: string, site: SiteName): string {
  return join(base, site);
}

/** @returns names of the sites with state under a base, in order. @throws Fault `store.unwritable` */
export function knownSites(base: string): readonly SiteName[] {
  if (!existsSync(base)) return [];
  return namesIn(base)
    .filter((name) => existsSync(join(base, name, "store.sqlite")) || existsSync(join(base, name, "blueprints")))
    .sort() as SiteName[];
}

function namesIn(base: string): readonly string[] {
  try {
    return readdirSync(base);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === "ENOTDIR" ? "it is not a directory" : code === "EACCES" ? "permission denied" : String(code);
    throw new Fault("store.unwritable", { directory: base, reason });
  }
}

/**
 * A directory short enough for Unix sockets: in the state directory where its path is short, else below the temporary directory, and
 * then only when nobody else owns it.
 * @throws Fault `store.unwritable`
 */
export function socketDirectory(siteState: string): string {
  const own = join(siteState, "run");
  if (Buffer.byteLength(own) <= LONGEST_SOCKET_DIRECTORY) {
    makePrivateDirectory(own);
    return own;
  }
  const uid = process.getuid?.() ?? 0;
  const short = join(tmpdir(), `domus-${uid}-${createHash("sha256").update(siteState).digest("hex").slice(0, 16)}`);
  makePrivateDirectory(short);
  const found = lstatSync(short);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0)
    throw new Fault("store.unwritable", { directory: short, reason: "it does not belong to this user alone" });
  return short;
}
