/**
 * The data directory: made once, crash-safe. `identity.json` is written last, so a directory without it is half-made and is made anew.
 *
 * Who runs the server: an ordinary user runs it as himself. As root it becomes `mysql` when that user can reach the data; the state
 * directory is usually 0700, so it cannot, and then the server stays root: its files and socket are behind that same 0700 directory,
 * and nobody gets in but by a certificate. Refused: opening the state directory to everybody for this, or data outside of it.
 */
import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { replaceFile } from "../records/follower.ts";
import { type Guest, StartRefused } from "../serving/index.ts";

const PLACES = [
  "/usr/sbin",
  "/usr/bin",
  "/usr/libexec",
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/local/libexec",
  "/opt/mariadb/bin",
];

/** @returns the full path of a program on PATH or where distributions put servers; `null` when there is none */
export function findProgram(names: readonly string[], path = process.env.PATH ?? ""): string | null {
  for (const name of names)
    for (const place of [...path.split(":"), ...PLACES]) {
      const file = join(place || ".", name);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {
        // Not here: the next place.
      }
    }
  return null;
}

export interface Installation {
  readonly server: string;
  readonly dataDirectory: string;
  readonly temporary: string;
  readonly socket: string;
  /** Keys where the server's user can read them. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Argument `--user`, or `null` for an ordinary user. */
  readonly user: "mysql" | "root" | null;
  /** Operating system user who is root of the database by socket. */
  readonly administrator: string;
  /** Identity in replication of this life of the data. */
  readonly serverId: number;
  /** True when the data was made by this start. */
  readonly fresh: boolean;
}

/** The mysql user's numbers, or `null`. */
function mysqlUser(): { uid: number; gid: number } | null {
  const line = /^mysql:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"));
  return line ? { uid: Number(line[1]), gid: Number(line[2]) } : null;
}

/** Can a user who owns none of them walk through these directories? */
function reachable(directory: string): boolean {
  for (let at = directory; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/**
 * An identity for a new life of the data: a directory that was lost and made anew must not write under its old identity, or its first
 * commits would collide with the old ones on the peer. The last digit is the position in the ring (1-9), so people can tell them apart.
 */
export function newServerId(position: number, random = randomInt(1, 2 ** 28)): number {
  return random * 10 + position + 1;
}

interface Identity {
  readonly format: 1;
  readonly serverId: number;
}

/** Milliseconds for making a data directory on a busy machine. */
const INSTALL_TIMEOUT = 120_000;

/**
 * Makes the data directory unless it is there.
 * @throws {StartRefused} when MariaDB is missing or its installation fails
 */
export async function install(guest: Guest, position: number): Promise<Installation> {
  const server = findProgram(["mariadbd", "mysqld"]);
  const maker = findProgram(["mariadb-install-db", "mysql_install_db"]);
  if (server === null || maker === null)
    throw new StartRefused(`${server === null ? "mariadbd" : "mariadb-install-db"} is not installed on this machine`);
  const home = join(guest.data, "mariadb");
  mkdirSync(home, { recursive: true, mode: 0o700 });

  const root = process.getuid?.() === 0;
  const mysql = root && reachable(guest.data) ? mysqlUser() : null;
  const user = mysql ? "mysql" : root ? "root" : null;
  const own = (path: string): void => {
    if (mysql) chownSync(path, mysql.uid, mysql.gid);
  };
  own(home);

  // A server that starts removes every temporary table it finds in its directory: with a shared /tmp also those of other servers.
  const temporary = join(home, "tmp");
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  own(temporary);
  const dataDirectory = join(home, "data");
  const marker = join(home, "identity.json");
  let identity = readIdentity(marker);
  const fresh = identity === null;
  const administrator = userInfo().username;
  if (identity === null) {
    rmSync(dataDirectory, { recursive: true, force: true });
    mkdirSync(dataDirectory, { mode: 0o700 });
    own(dataDirectory);
    await make(maker, dataDirectory, temporary, user, administrator);
    identity = { format: 1, serverId: newServerId(position) };
    replaceFile(marker, JSON.stringify(identity));
  }

  return {
    server,
    dataDirectory,
    temporary,
    socket: socketPath(home, own),
    tls: mysql ? copyKeys(guest, home, own) : keysOf(join(guest.root, "etc", "tls")),
    user,
    administrator,
    serverId: identity.serverId,
    fresh,
  };
}

function readIdentity(path: string): Identity | null {
  try {
    const identity = JSON.parse(readFileSync(path, "utf8")) as Identity;
    if (identity.format === 1 && Number.isSafeInteger(identity.serverId)) return identity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  }
  // Never made anew over a file that is there and cannot be read: that could be somebody's data.
  throw new StartRefused(`${path} is damaged: move ${dirname(path)} aside to begin with an empty database`);
}

function make(
  maker: string,
  directory: string,
  temporary: string,
  user: string | null,
  administrator: string,
): Promise<void> {
  const settings = [
    "--no-defaults",
    `--datadir=${directory}`,
    `--tmpdir=${temporary}`,
    "--skip-test-db",
    "--skip-name-resolve",
    "--auth-root-authentication-method=socket",
    `--auth-root-socket-user=${administrator}`,
    "--innodb-log-file-size=8M",
    // Nothing is worth keeping until all of it is made, and the clean end of the making writes everything.
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-use-native-aio=0",
    ...(user === null ? [] : [`--user=${user}`]),
  ];
  return new Promise((resolve, reject) => {
    execFile(maker, settings, { timeout: INSTALL_TIMEOUT, maxBuffer: 1024 ** 2 }, (error, stdout, stderr) => {
      if (error === null) return resolve();
      const lines = `${stdout}\n${stderr}`.split("\n");
      writeFileSync(join(dirname(directory), "install.log"), `${stdout}\n${stderr}`, { mode: 0o600 });
      // The first error is the cause; what follows ("Aborting") is not.
      const says =
        lines.find((line) => /error|fatal|cannot|can't/i.test(line) && !line.endsWith("Aborting")) ?? error.message;
      reject(new StartRefused(`the data directory cannot be made: ${says.trim()}`));
    });
  });
}

function keysOf(directory: string): Installation["tls"] {
  return { ca: join(directory, "ca.pem"), cert: join(directory, "cert.pem"), key: join(directory, "key.pem") };
}

/** Copies for the mysql user, at each start anew. */
function copyKeys(guest: Guest, home: string, own: (path: string) => void): Installation["tls"] {
  const directory = join(home, "tls");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  own(directory);
  const from = keysOf(join(guest.root, "etc", "tls"));
  const to = keysOf(directory);
  for (const part of ["ca", "cert", "key"] as const) {
    rmSync(to[part], { force: true });
    writeFileSync(to[part], readFileSync(from[part]), { mode: 0o600 });
    own(to[part]);
  }
  return to;
}

/** A Unix socket's path has at most 107 octets; a long state directory gets its socket in a private directory of its own. */
function socketPath(home: string, own: (path: string) => void): string {
  const near = join(home, "sock");
  if (Buffer.byteLength(near) <= 100) return near;
  const { ino, dev } = statSync(home);
  const directory = join(tmpdir(), `domus-${process.getuid?.() ?? 0}-${dev.toString(36)}-${ino.toString(36)}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (statSync(directory).uid !== (process.getuid?.() ?? 0) && process.getuid?.() !== 0)
    throw new StartRefused(`${directory} belongs to somebody else: remove it`);
  chmodSync(directory, 0o700);
  own(directory);
  return join(directory, "sock");
}
