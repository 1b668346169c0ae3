/** Debian's vomsd beside ours, on the tables that our database servers keep for it. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

export const VOMSD = {
  path: "/usr/sbin/voms",
  plugin: "/usr/lib/voms/libvomsmysql.so",
  package: "voms-server",
} as const;

export function missingVomsd(): string | false {
  return existsSync(VOMSD.path) && existsSync(VOMSD.plugin) ? false : "voms-server is not installed; test/real/install";
}

export interface VomsdOptions {
  readonly directory: string;
  readonly port: number;
  /** Name that clients are told. */
  readonly host: string;
  readonly vo: string;
  readonly database: string;
  /** Of the database server. */
  readonly socket: string;
  readonly user: string;
  readonly tls: { readonly cert: string; readonly key: string };
  readonly certificates: string;
}

export class Vomsd {
  readonly #process: ChildProcess;
  readonly #log: string;

  private constructor(child: ChildProcess, log: string) {
    this.#process = child;
    this.#log = log;
  }

  static async start(options: VomsdOptions): Promise<Vomsd> {
    const { directory, port } = options;
    mkdirSync(directory, { recursive: true });
    const path = (name: string): string => join(directory, name);
    writeFileSync(path("cert.pem"), options.tls.cert);
    // It takes keys of the old form alone, and of its own user.
    writeFileSync(path("key.pem"), options.tls.key, { mode: 0o400 });
    writeFileSync(path("pass"), "\n", { mode: 0o640 });
    chmodSync(path("pass"), 0o640);
    const settings: Readonly<Record<string, string | number>> = {
      vo: options.vo,
      port,
      uri: `${options.host}:${port}`,
      sqlloc: VOMSD.plugin,
      dbname: options.database,
      contactstring: "localhost",
      "mysql-socket": options.socket,
      username: options.user,
      passfile: path("pass"),
      code: port,
      timeout: 86_400,
      x509_user_cert: path("cert.pem"),
      x509_user_key: path("key.pem"),
      x509_cert_dir: options.certificates,
      logfile: path("log"),
      loglevel: 5,
      logtype: 7,
    };
    writeFileSync(
      path("conf"),
      `${Object.entries(settings)
        .map(([name, value]) => `--${name}=${value}\n`)
        .join("")}--foreground\n`,
    );
    const child = spawn(VOMSD.path, ["--conf", path("conf")], {
      stdio: "ignore",
      env: {
        PATH: process.env.PATH,
        X509_CERT_DIR: options.certificates,
        X509_USER_CERT: path("cert.pem"),
        X509_USER_KEY: path("key.pem"),
        HOME: directory,
      },
    });
    const vomsd = new Vomsd(child, path("log"));
    let ended: string | null = null;
    child.once("exit", (code, signal) => {
      ended = String(code ?? signal);
    });
    while (!(await listens(port))) {
      if (ended !== null) throw new Error(`vomsd ended (${ended}): ${vomsd.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return vomsd;
  }

  log(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8") : "";
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await ended;
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
