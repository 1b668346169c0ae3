/**
 * A stage for programs of guests: an authority, addresses derived from this process, bundles made as the house makes them, and waiting for
 * events instead of for time.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { HOUSE_ARGUMENTS } from "../../src/hypervisor/index.ts";
import { createAuthority, issueCertificate, type KeyPairPem } from "../../src/pki/index.ts";

export const SITE = "stage";

/** A /24 of 127/8 of this process's own. */
export function address(last: number): string {
  return `127.${64 + ((process.pid >> 8) % 128)}.${process.pid % 254}.${last}`;
}

export interface Answered {
  readonly status: number;
  readonly body: string;
  readonly json: Record<string, unknown>;
}

export interface Identity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Actor {
  readonly name: string;
  readonly address: string;
  readonly root: string;
  readonly data: string;
  readonly process: ChildProcess;
  /** Everything it said, line by line. */
  readonly lines: string[];
  /** Waits for a log event; fails when the program ends first. */
  readonly says: (event: string, times?: number) => Promise<Record<string, unknown>>;
  readonly ended: Promise<number | string>;
  readonly kill: (signal: NodeJS.Signals) => Promise<number | string>;
}

export interface Casting {
  readonly name: string;
  readonly bundle: string;
  readonly address: string;
  /** Texts as they are, everything else as JSON. */
  readonly files: Readonly<Record<string, unknown>>;
  readonly aliases?: readonly string[];
  /** Wait until it serves; true when silent. */
  readonly wait?: boolean;
}

export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), "domus-stage-"));
  readonly #bundles = new Map<string, Promise<string>>();
  readonly #certificates = new Map<string, KeyPairPem>();
  readonly actors = new Set<Actor>();
  #authority!: KeyPairPem;

  /** Who signs the certificates of this stage. */
  get authority(): KeyPairPem {
    return this.#authority;
  }

  static async open(): Promise<Stage> {
    const stage = new Stage();
    stage.#authority = await createAuthority(SITE, Date.now());
    return stage;
  }

  async identity(
    name: string,
    unit: "guest" | "operator" = "guest",
    addresses: readonly string[] = [],
    aliases: readonly string[] = [],
  ): Promise<Identity> {
    const key = `${name} ${unit}`;
    let pair = this.#certificates.get(key);
    if (!pair) {
      pair = await issueCertificate(
        this.#authority,
        { commonName: name, unit, dns: [name, ...aliases], ip: addresses },
        Date.now(),
      );
      this.#certificates.set(key, pair);
    }
    return { ca: this.#authority.certificate, cert: pair.certificate, key: pair.key };
  }

  bundle(name: string): Promise<string> {
    let made = this.#bundles.get(name);
    if (!made) {
      const outfile = join(this.directory, "bundles", `${name}.mjs`);
      made = build({
        entryPoints: [join(import.meta.dirname, "../../services", name, "main.ts")],
        bundle: true,
        platform: "node",
        format: "esm",
        target: "node26",
        outfile,
        banner: {
          js: 'import { createRequire as domusRequire } from "node:module"; const require = domusRequire(import.meta.url);',
        },
        logLevel: "silent",
      }).then(() => outfile);
      this.#bundles.set(name, made);
    }
    return made;
  }

  async cast(casting: Casting): Promise<Actor> {
    const { name, bundle, address: own, files, aliases = [], wait = true } = casting;
    const program = await this.bundle(bundle);
    const root = join(this.directory, name, "root");
    const data = join(this.directory, name, "data");
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const write = (path: string, content: string): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content, { mode: 0o600 });
    };
    for (const [path, value] of Object.entries(files))
      write(path, typeof value === "string" ? value : JSON.stringify(value));
    const tls = await this.identity(name, "guest", [own], aliases);
    for (const part of ["ca", "cert", "key"] as const) write(`etc/tls/${part}.pem`, tls[part]);

    const child = spawn(process.execPath, [...HOUSE_ARGUMENTS, program], {
      env: { PATH: process.env.PATH, DOMUS_GUEST: name, DOMUS_ADDRESS: own, DOMUS_ROOT: root, DOMUS_DATA: data },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const lines: string[] = [];
    const waiting = new Set<() => void>();
    let rest = "";
    const take = (chunk: Buffer): void => {
      const parts = (rest + chunk.toString("utf8")).split("\n");
      rest = parts.pop()!;
      lines.push(...parts);
      for (const look of waiting) look();
    };
    child.stdout!.on("data", take);
    child.stderr!.on("data", take);
    let over: number | string | null = null;
    const ended = new Promise<number | string>((resolve) => {
      child.once("exit", (code, signal) => {
        over = code ?? signal ?? "?";
        for (const look of waiting) look();
        resolve(over);
      });
    });
    const says = (event: string, times = 1): Promise<Record<string, unknown>> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.filter((line) => line.includes(`"event":"${event}"`));
          if (found.length >= times) {
            waiting.delete(look);
            resolve(JSON.parse(found[times - 1]!) as Record<string, unknown>);
          } else if (over !== null) {
            waiting.delete(look);
            reject(new Error(`${name} ended (${over}) before it said "${event}":\n${lines.join("\n")}`));
          }
        };
        waiting.add(look);
        look();
      });
    const actor: Actor = {
      name,
      address: own,
      root,
      data,
      process: child,
      lines,
      says,
      ended,
      kill: async (signal) => {
        try {
          // As a host does: the whole group when it is killed, the leader alone when it is asked to end.
          if (signal === "SIGKILL") process.kill(-child.pid!, signal);
          else child.kill(signal);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
        }
        return ended;
      },
    };
    this.actors.add(actor);
    if (wait) await says("serving");
    return actor;
  }

  /**
   * The one database of a site without MariaDB, behind the name `mysql`.
   * @param accounts who may use it, and as what
   * @param last octet of its address
   */
  castDatabase(
    accounts: readonly { readonly guest: string; readonly role: string }[],
    { name = "m2", last = 5 } = {},
  ): Promise<Actor> {
    const own = address(last);
    return this.cast({
      name,
      bundle: "sqlite-server",
      address: own,
      aliases: ["mysql"],
      files: {
        "etc/database.json": {
          site: SITE,
          port: 3306,
          healthPort: 9306,
          position: 0,
          ring: [{ guest: name, address: own }],
          holder: name,
          accounts,
        },
      },
    });
  }

  /** One HTTPS call. @throws the system's error */
  call(
    where: { readonly address: string; readonly port: number; readonly name: string },
    path: string,
    as: Identity,
    body?: unknown,
  ): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: where.address,
          port: where.port,
          path,
          method: body === undefined ? "GET" : "POST",
          ...as,
          servername: where.name,
          agent: false,
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("end", () => {
            let json: Record<string, unknown> = {};
            try {
              json = JSON.parse(text) as Record<string, unknown>;
            } catch {
              // Not every answer is JSON; whoever asks for `.json` of such a one sees nothing in it.
            }
            resolve({ status: response.statusCode ?? 0, body: text, json });
          });
        },
      );
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.actors].map((actor) => actor.kill("SIGKILL")));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Asks again, as soon as the last answer is in, until it is true. The test's own time limit is the only clock. */
export async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Names of bundles there are. */
export function bundleNames(): readonly string[] {
  const services = join(import.meta.dirname, "../../services");
  return readdirSync(services, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("/main.ts"))
    .map((path) => dirname(path))
    .sort();
}
